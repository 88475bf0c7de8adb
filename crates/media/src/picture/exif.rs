//! EXIF of a picture whose pixels were turned upright and changed: orientation and size are set
//! right, and small pictures of what was there before are removed.
//!
//! Values are changed in their place, so that everything that is counted from the start of the
//! block (makers' notes) still lies where it did. From the Exif specification 2.32, section 4.6.

/// Where a directory lists the orientation.
const ORIENTATION: u16 = 0x0112;
const IMAGE_WIDTH: u16 = 0x0100;
const IMAGE_LENGTH: u16 = 0x0101;
const EXIF_DIRECTORY: u16 = 0x8769;
const PIXEL_X: u16 = 0xa002;
const PIXEL_Y: u16 = 0xa003;
const MAKER_NOTE: u16 = 0x927c;
const THUMBNAIL_AT: u16 = 0x0201;
const THUMBNAIL_LENGTH: u16 = 0x0202;
/// Kinds of values: a 16-bit number, a 32-bit number.
const SHORT: u16 = 3;
const LONG: u16 = 4;

/// Gives `exif`, from its TIFF header on, for upright pixels of `width` × `height` that may show
/// something else than before. `None` where it cannot be understood.
pub(super) fn for_changed_pixels(mut exif: Vec<u8>, width: u32, height: u32) -> Option<Vec<u8>> {
    let order = match exif.get(..4)? {
        [b'I', b'I', 42, 0] => Order::Little,
        [b'M', b'M', 0, 42] => Order::Big,
        _ => return None,
    };
    let mut block = Block {
        order,
        bytes: exif.as_mut_slice(),
    };
    let main = block.long(4)? as usize;
    let entries = block.entries(main)?;
    for entry in &entries {
        match entry.tag {
            ORIENTATION => block.set_number(entry, 1)?,
            IMAGE_WIDTH => block.set_number(entry, width)?,
            IMAGE_LENGTH => block.set_number(entry, height)?,
            EXIF_DIRECTORY => {
                let at = block.long(entry.value_at)? as usize;
                block.correct_exif_directory(at, width, height)?;
            }
            _ => {}
        }
    }
    block.remove_thumbnail(main + 2 + entries.len() * ENTRY_BYTES)?;
    Some(exif)
}

/// What a TIFF says beside its pixels.
#[derive(Default)]
pub(super) struct OfTiff {
    /// Who made it and whose it is, as EXIF.
    pub(super) texts: Option<Vec<u8>>,
    pub(super) iptc: Option<Vec<u8>>,
    pub(super) has_more_pages: bool,
}

/// Description, maker, model, program, date, artist, copyright: texts of one line each.
const TEXTS: [u16; 7] = [0x010e, 0x010f, 0x0110, 0x0131, 0x0132, 0x013b, 0x8298];
const IPTC: u16 = 0x83bb;
const SUBFILE: u16 = 0x00fe;
/// The kind of texts.
const ASCII: u16 = 2;
/// More than any program writes into one of them.
const LONGEST: usize = 1 << 16;

/// Reads the first directory of a TIFF, whose layout EXIF has taken over.
pub(super) fn of_tiff(tiff: &[u8]) -> OfTiff {
    let mut found = OfTiff::default();
    let Some(block) = Block::of(tiff) else {
        return found;
    };
    let main = block.long(4).map_or(0, |at| at as usize);
    let Some(entries) = block.entries(main) else {
        return found;
    };
    let mut texts = Vec::new();
    for entry in &entries {
        if entry.kind == ASCII && TEXTS.contains(&entry.tag) {
            texts.extend(block.content(entry, 1).map(|text| (entry.tag, text)));
        } else if entry.tag == IPTC {
            let n_bytes = if entry.kind == LONG { 4 } else { 1 };
            found.iptc = block.content(entry, n_bytes).map(<[u8]>::to_vec);
        }
    }
    found.texts = (!texts.is_empty()).then(|| with_texts(&texts));
    let next = block.long(main + 2 + entries.len() * ENTRY_BYTES);
    let next = next
        .filter(|at| *at > 0)
        .and_then(|at| block.entries(at as usize));
    found.has_more_pages = next.is_some_and(|entries| {
        // A smaller copy of the first page is no other page.
        let subfile = entries.iter().find(|entry| entry.tag == SUBFILE);
        subfile
            .and_then(|entry| block.long(entry.value_at))
            .unwrap_or(0)
            & 1
            == 0
    });
    found
}

/// The bytes under a tag of the first directory, and whether numbers in them begin with their lowest
/// byte.
pub(super) fn bytes_of(tiff: &[u8], tag: u16) -> Option<(&[u8], bool)> {
    let block = Block::of(tiff)?;
    let entries = block.entries(block.long(4)? as usize)?;
    let entry = entries.iter().find(|entry| entry.tag == tag)?;
    let at = block.long(entry.value_at)? as usize;
    let bytes = tiff.get(at..)?.get(..entry.count as usize)?;
    Some((bytes, matches!(block.order, Order::Little)))
}

/// Whether a TIFF is a camera's raw file: Adobe's say so, Canon's begin so, and in others the first
/// directory describes a preview.
pub(super) fn is_raw(tiff: &[u8]) -> bool {
    const DNG_VERSION: u16 = 0xc612;
    let order = match tiff.get(..10) {
        Some([b'I', b'I', 42, 0, _, _, _, _, b'C', b'R']) => return true,
        Some([b'I', b'I', 42, 0, ..]) => Order::Little,
        Some([b'M', b'M', 0, 42, ..]) => Order::Big,
        _ => return false,
    };
    let block = Block { order, bytes: tiff };
    let main = block.long(4).and_then(|at| block.entries(at as usize));
    main.unwrap_or_default().iter().any(|entry| {
        let is_preview = || block.long(entry.value_at).is_some_and(|kind| kind & 1 == 1);
        entry.tag == DNG_VERSION || entry.tag == SUBFILE && is_preview()
    })
}

/// EXIF of texts alone.
fn with_texts(texts: &[(u16, &[u8])]) -> Vec<u8> {
    let mut head = b"MM\0\x2a\0\0\0\x08".to_vec();
    head.extend((texts.len() as u16).to_be_bytes());
    let mut at = head.len() + texts.len() * ENTRY_BYTES + 4;
    let mut contents = Vec::new();
    for (tag, text) in texts {
        head.extend(tag.to_be_bytes());
        head.extend(ASCII.to_be_bytes());
        head.extend((text.len() as u32).to_be_bytes());
        if text.len() <= 4 {
            let mut short = [0; 4];
            short[..text.len()].copy_from_slice(text);
            head.extend(short);
        } else {
            head.extend((at as u32).to_be_bytes());
            let even = text.len().next_multiple_of(2);
            contents.extend(*text);
            contents.resize(contents.len() + even - text.len(), 0);
            at += even;
        }
    }
    head.extend([0; 4]);
    [head, contents].concat()
}

#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

/// One line of a directory.
struct Entry {
    tag: u16,
    kind: u16,
    count: u32,
    /// Where the value lies, or the place of the value where it is longer than four bytes.
    value_at: usize,
}

const ENTRY_BYTES: usize = 12;

struct Block<B> {
    order: Order,
    bytes: B,
}

impl<'a> Block<&'a [u8]> {
    fn of(tiff: &'a [u8]) -> Option<Self> {
        let order = match tiff.get(..4)? {
            [b'I', b'I', 42, 0] => Order::Little,
            [b'M', b'M', 0, 42] => Order::Big,
            _ => return None,
        };
        Some(Self { order, bytes: tiff })
    }
}

impl<B: AsRef<[u8]>> Block<B> {
    fn short(&self, at: usize) -> Option<u16> {
        let two = *self.bytes.as_ref().get(at..)?.first_chunk()?;
        Some(match self.order {
            Order::Little => u16::from_le_bytes(two),
            Order::Big => u16::from_be_bytes(two),
        })
    }

    fn long(&self, at: usize) -> Option<u32> {
        let four = *self.bytes.as_ref().get(at..)?.first_chunk()?;
        Some(match self.order {
            Order::Little => u32::from_le_bytes(four),
            Order::Big => u32::from_be_bytes(four),
        })
    }

    /// The bytes of an entry that counts values of `n_bytes`.
    fn content(&self, entry: &Entry, n_bytes: usize) -> Option<&[u8]> {
        let length = (entry.count as usize).checked_mul(n_bytes)?;
        let at = if length <= 4 {
            entry.value_at
        } else {
            self.long(entry.value_at)? as usize
        };
        let rest = self.bytes.as_ref().get(at..)?;
        rest.get(..length)
            .filter(|content| content.len() <= LONGEST)
    }

    /// The lines of the directory at `at`.
    fn entries(&self, at: usize) -> Option<Vec<Entry>> {
        let n = usize::from(self.short(at)?);
        let entry = |index: usize| {
            let at = at + 2 + index * ENTRY_BYTES;
            Some(Entry {
                tag: self.short(at)?,
                kind: self.short(at + 2)?,
                count: self.long(at + 4)?,
                value_at: at + 8,
            })
        };
        (0..n).map(entry).collect()
    }
}

impl Block<&mut [u8]> {
    fn set_long(&mut self, at: usize, value: u32) -> Option<()> {
        let four: &mut [u8; 4] = self.bytes.get_mut(at..)?.first_chunk_mut()?;
        *four = match self.order {
            Order::Little => value.to_le_bytes(),
            Order::Big => value.to_be_bytes(),
        };
        Some(())
    }

    /// Writes a number of the entry's kind; anything but a single number stays.
    fn set_number(&mut self, entry: &Entry, value: u32) -> Option<()> {
        if entry.count != 1 {
            return Some(());
        }
        match (entry.kind, u16::try_from(value)) {
            (LONG, _) => self.set_long(entry.value_at, value),
            (SHORT, Ok(value)) => {
                let two: &mut [u8; 2] = self.bytes.get_mut(entry.value_at..)?.first_chunk_mut()?;
                *two = match self.order {
                    Order::Little => value.to_le_bytes(),
                    Order::Big => value.to_be_bytes(),
                };
                Some(())
            }
            _ => Some(()),
        }
    }

    fn correct_exif_directory(&mut self, at: usize, width: u32, height: u32) -> Option<()> {
        for entry in self.entries(at)? {
            match entry.tag {
                PIXEL_X => self.set_number(&entry, width)?,
                PIXEL_Y => self.set_number(&entry, height)?,
                MAKER_NOTE => {
                    let at = self.long(entry.value_at)? as usize;
                    self.blank_if_picture(at, entry.count as usize);
                }
                _ => {}
            }
        }
        Some(())
    }

    /// Some cameras keep a preview in their notes, which would show what the pixels showed before.
    fn blank_if_picture(&mut self, at: usize, length: usize) {
        const START_OF_JPEG: &[u8] = &[0xff, 0xd8, 0xff];
        if let Some(note) = self.bytes.get_mut(at..at.saturating_add(length))
            && note.windows(3).any(|three| three == START_OF_JPEG)
        {
            note.fill(0);
        }
    }

    /// The second directory describes a small copy of the picture: it goes, and so do its pixels.
    fn remove_thumbnail(&mut self, link_at: usize) -> Option<()> {
        let second = self.long(link_at)? as usize;
        if second == 0 {
            return Some(());
        }
        // A second directory that cannot be read is not followed by anybody else, either.
        let entries = self.entries(second).unwrap_or_default();
        let number = |tag| {
            let entry = entries.iter().find(|entry| entry.tag == tag)?;
            Some(self.long(entry.value_at)? as usize)
        };
        if let (Some(at), Some(length)) = (number(THUMBNAIL_AT), number(THUMBNAIL_LENGTH))
            && let Some(pixels) = self.bytes.get_mut(at..at.saturating_add(length))
        {
            pixels.fill(0);
        }
        self.set_long(link_at, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orientation(exif: &[u8]) -> Option<u8> {
        let note = image::metadata::Orientation::from_exif_chunk(exif);
        note.map(image::metadata::Orientation::to_exif)
    }

    /// Orientation 6, a copyright, a thumbnail of three bytes in a second directory.
    fn block() -> Vec<u8> {
        let mut bytes = b"MM\0\x2a\0\0\0\x08".to_vec();
        bytes.extend(b"\0\x02");
        bytes.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0");
        bytes.extend(b"\x82\x98\0\x02\0\0\0\x04Ada\0");
        bytes.extend(38_u32.to_be_bytes());
        bytes.extend(b"\0\x02");
        bytes.extend(b"\x02\x01\0\x04\0\0\0\x01\0\0\0\x44");
        bytes.extend(b"\x02\x02\0\x04\0\0\0\x01\0\0\0\x03");
        bytes.extend([0; 4]);
        bytes.extend([0xff, 0xd8, 0xff]);
        bytes
    }

    #[test]
    fn upright_pixels_get_an_upright_note_and_no_thumbnail() {
        let before = block();
        assert_eq!(before.len(), 0x44 + 3);
        let after = for_changed_pixels(before.clone(), 20, 10).unwrap();
        assert_eq!(orientation(&before), Some(6));
        assert_eq!(orientation(&after), Some(1));
        assert!(after.windows(4).any(|four| four == b"Ada\0"));
        assert_eq!(after[34..38], [0; 4], "no second directory");
        assert_eq!(after[0x44..], [0; 3], "no pixels of it");
    }

    #[test]
    fn what_cannot_be_understood_is_none_wherever_it_is_cut() {
        let whole = block();
        for end in 0..38 {
            assert_eq!(for_changed_pixels(whole[..end].to_vec(), 1, 1), None);
        }
        let mut endless = whole;
        endless[8..10].copy_from_slice(&[0xff; 2]);
        assert_eq!(for_changed_pixels(endless, 1, 1), None);
    }
}
