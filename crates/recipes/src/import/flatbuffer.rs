//! Reads flatbuffers: tables of fields that may be missing, found through offsets, every one of
//! which is compared with what there is.

use anyhow::{Context as _, Result, bail};

/// A table at a place in the file.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A field's values, `bytes_each` wide.
#[derive(Clone, Copy)]
struct Vector<'a> {
    bytes: &'a [u8],
    at: usize,
    n: usize,
}

impl<'a> Table<'a> {
    /// The file's root.
    pub(super) fn root(bytes: &'a [u8]) -> Result<Self> {
        Self { bytes, at: 0 }.pointed_at(0)
    }

    fn pointed_at(self, at: usize) -> Result<Self> {
        let at = target(self.bytes, at)?;
        Ok(Self { at, ..self })
    }

    /// Where a field lies; `None` where the table does not have it.
    fn field(self, number: usize) -> Result<Option<usize>> {
        let back = i32::from_le_bytes(take(self.bytes, self.at)?);
        let fields = i64::try_from(self.at)? - i64::from(back);
        let fields = usize::try_from(fields).context("a table without a list of fields")?;
        let n_bytes = u16::from_le_bytes(take(self.bytes, fields)?);
        let entry = 4 + 2 * number;
        if entry + 2 > usize::from(n_bytes) {
            return Ok(None);
        }
        let offset = u16::from_le_bytes(take(self.bytes, fields + entry)?);
        Ok((offset != 0).then(|| self.at + usize::from(offset)))
    }

    /// A byte, or 0 where it is left out.
    pub(super) fn byte(self, number: usize) -> Result<u8> {
        let at = self.field(number)?;
        at.map_or(Ok(0), |at| Ok(take::<1>(self.bytes, at)?[0]))
    }

    /// An integer, or 0 where it is left out.
    pub(super) fn integer(self, number: usize) -> Result<i32> {
        let at = self.field(number)?;
        at.map_or(Ok(0), |at| Ok(i32::from_le_bytes(take(self.bytes, at)?)))
    }

    /// A table within this one.
    pub(super) fn table(self, number: usize) -> Result<Self> {
        let at = self.field(number)?.context("a table is missing")?;
        self.pointed_at(at)
    }

    /// Tables in a row.
    pub(super) fn tables(self, number: usize) -> Result<Vec<Self>> {
        let vector = self.vector(number, 4)?;
        (0..vector.n)
            .map(|i| self.pointed_at(vector.at + 4 * i))
            .collect()
    }

    /// Integers in a row.
    pub(super) fn integers(self, number: usize) -> Result<Vec<i32>> {
        let vector = self.vector(number, 4)?;
        let values = vector.bytes[vector.at..].chunks_exact(4).take(vector.n);
        Ok(values
            .map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect())
    }

    /// Bytes in a row.
    pub(super) fn bytes(self, number: usize) -> Result<&'a [u8]> {
        let vector = self.vector(number, 1)?;
        Ok(&vector.bytes[vector.at..vector.at + vector.n])
    }

    fn vector(self, number: usize, bytes_each: usize) -> Result<Vector<'a>> {
        let bytes = self.bytes;
        let Some(at) = self.field(number)? else {
            return Ok(Vector { bytes, at: 0, n: 0 });
        };
        let at = target(bytes, at)?;
        let n = u32::from_le_bytes(take(bytes, at)?) as usize;
        if n.checked_mul(bytes_each)
            .is_none_or(|n_bytes| n_bytes > bytes.len() - at - 4)
        {
            bail!("a row of {n} values reaches beyond the file");
        }
        Ok(Vector {
            bytes,
            at: at + 4,
            n,
        })
    }
}

fn target(bytes: &[u8], at: usize) -> Result<usize> {
    Ok(at + u32::from_le_bytes(take(bytes, at)?) as usize)
}

fn take<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N]> {
    let found = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    found.copied().context("the file ends too soon")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A root with a byte, a missing field, and two integers in a row.
    fn small() -> Vec<u8> {
        let mut bytes = vec![16, 0, 0, 0]; // the root
        bytes.extend([10, 0, 12, 0, 4, 0, 0, 0, 8, 0, 0, 0]); // its fields: at 4, none, at 8
        bytes.extend([12, 0, 0, 0, 7, 0, 0, 0, 4, 0, 0, 0]); // 12 bytes back, 7, the row
        bytes.extend([2, 0, 0, 0, 1, 0, 0, 0, 255, 255, 255, 255]);
        bytes
    }

    #[test]
    fn fields_are_found_or_left_out() {
        let bytes = small();
        let root = Table::root(&bytes).unwrap();
        assert_eq!(root.byte(0).unwrap(), 7);
        assert_eq!(root.integer(1).unwrap(), 0);
        assert_eq!(root.integers(2).unwrap(), [1, -1]);
        assert_eq!(root.integers(3).unwrap(), [] as [i32; 0]);
    }

    #[test]
    fn what_reaches_beyond_the_file_is_refused() {
        let whole = small();
        let read = |bytes: &[u8]| -> Result<()> {
            let root = Table::root(bytes)?;
            root.byte(0)?;
            root.integers(2)?;
            root.tables(2).map(drop)
        };
        for n in 0..whole.len() {
            assert!(read(&whole[..n]).is_err(), "{n} bytes");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] = 255;
            drop(read(&damaged)); // whatever it says, it ends
        }
    }
}
