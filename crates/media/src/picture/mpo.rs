//! JPEGs behind one another in one file, as stereo cameras and panoramas write them (CIPA DC-007).

use super::exif;

/// Pictures in the file of the same rank as the first: further views and parts of a panorama, not
/// previews and gain maps.
pub(super) fn further_pictures(index: &[u8]) -> u32 {
    const ENTRY: u16 = 0xb002;
    const ENTRY_BYTES: usize = 16;
    /// Of a panorama, for disparity, of several angles.
    const VIEWS: std::ops::RangeInclusive<u32> = 0x02_0001..=0x02_0003;
    let Some((entries, is_little)) = exif::bytes_of(index, ENTRY) else {
        return 0;
    };
    let kinds = entries
        .chunks_exact(ENTRY_BYTES)
        .filter_map(|entry| entry.first_chunk::<4>().copied());
    let kinds = kinds.map(|four| match is_little {
        true => u32::from_le_bytes(four) & 0x00ff_ffff,
        false => u32::from_be_bytes(four) & 0x00ff_ffff,
    });
    // The first is the one that is shown, whatever it is called.
    kinds
        .skip(1)
        .map(|kind| u32::from(VIEWS.contains(&kind)))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An index in which the pictures have these kinds.
    fn index(kinds: &[u32]) -> Vec<u8> {
        let entries: Vec<u8> = kinds
            .iter()
            .flat_map(|kind| [&kind.to_be_bytes()[..], &[0; 12]].concat())
            .collect();
        let mut bytes = b"MM\0\x2a\0\0\0\x08\0\x01".to_vec();
        bytes.extend(0xb002_u16.to_be_bytes());
        bytes.extend(7_u16.to_be_bytes());
        bytes.extend((entries.len() as u32).to_be_bytes());
        bytes.extend(26_u32.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(entries);
        bytes
    }

    #[test]
    fn views_are_counted_and_previews_are_not() {
        assert_eq!(further_pictures(&index(&[0x02_0002, 0x02_0002])), 1);
        assert_eq!(further_pictures(&index(&[0x03_0000, 0x01_0001, 0])), 0);
        assert_eq!(
            further_pictures(&index(&[0x03_0000, 0x02_0003, 0x02_0003])),
            2
        );
        assert_eq!(further_pictures(b"MM\0\x2a\0\0\0\x08"), 0);
    }
}
