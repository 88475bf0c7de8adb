//! The mesh points of a long clip, in a temporary file that has no name.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use effigy_frame::Point3;
use effigy_model::N_MESH_POINTS;

use crate::error::Result;
use crate::steps::atomic::write_error;

/// Times and points, one frame after the other; 5.7 kB a frame in which a face is seen.
pub(crate) struct Spool {
    file: BufWriter<File>,
    n: u64,
}

impl Spool {
    pub(crate) fn create() -> Result<Self> {
        let file = tempfile::tempfile().map_err(failed)?;
        Ok(Self {
            file: BufWriter::new(file),
            n: 0,
        })
    }

    /// Adds a frame; `None` where the face is not seen.
    pub(crate) fn add(&mut self, time_secs: f64, points: Option<&[Point3]>) -> Result<()> {
        let mut bytes = time_secs.to_le_bytes().to_vec();
        bytes.push(u8::from(points.is_some()));
        for p in points.unwrap_or_default() {
            bytes.extend([p.x, p.y, p.z].iter().flat_map(|c| c.to_le_bytes()));
        }
        self.n += 1;
        self.file.write_all(&bytes).map_err(failed)
    }

    /// Gives all frames in their order.
    pub(crate) fn read(&mut self, each: &mut dyn FnMut(f64, Option<&[Point3]>)) -> Result<()> {
        self.file.flush().map_err(failed)?;
        let file = self.file.get_mut();
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut reader = BufReader::new(file);
        for _frame in 0..self.n {
            let mut head = [0; 9];
            reader.read_exact(&mut head).map_err(failed)?;
            let [a, b, c, d, e, f, g, h, is_seen] = head;
            let time_secs = f64::from_le_bytes([a, b, c, d, e, f, g, h]);
            if is_seen == 0 {
                each(time_secs, None);
                continue;
            }
            let mut bytes = [0; 12 * N_MESH_POINTS];
            reader.read_exact(&mut bytes).map_err(failed)?;
            let (numbers, _) = bytes.as_chunks::<4>();
            let numbers: Vec<f32> = numbers.iter().map(|b| f32::from_le_bytes(*b)).collect();
            let (triples, _) = numbers.as_chunks::<3>();
            let points: Vec<Point3> = triples
                .iter()
                .map(|&[x, y, z]| Point3::new(x, y, z))
                .collect();
            each(time_secs, Some(&points));
        }
        Ok(())
    }
}

fn failed(error: io::Error) -> crate::Error {
    write_error(Path::new("a temporary file"), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_in_their_order() {
        let mut spool = Spool::create().unwrap();
        let points: Vec<Point3> = (0..N_MESH_POINTS)
            .map(|i| Point3::new(i as f32, 0.5, -1.0))
            .collect();
        spool.add(0.0, None).unwrap();
        spool.add(0.04, Some(&points)).unwrap();
        let mut found = Vec::new();
        spool
            .read(&mut |secs, points| found.push((secs, points.map(<[Point3]>::to_vec))))
            .unwrap();
        assert_eq!(found, [(0.0, None), (0.04, Some(points))]);
    }
}
