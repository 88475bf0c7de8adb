//! The classic face swaps that are measured first: each clip shows the original on its left half
//! and the swap on its right half, in one encode.

use effigy_frame::{Picture, Similarity, resample};

/// Each clip with its driver: who sits before the camera, whatever face they wear. Clips of one
/// driver show the same room, light and camera and are never parted.
pub(crate) const PAIRS: [(&str, usize); 19] = [
    ("Albica_Johns_0", 0),
    ("Ava_de_Addario_1", 1),
    ("Ava_de_Addario_2", 2),
    ("Ava_de_Addario_3", 3),
    ("David_Kovalniy_0", 4),
    ("David_Kovalniy_1", 5),
    ("David_Kovalniy_2", 6),
    ("Emily_Winston_1", 7),
    ("Emily_Winston_3", 8),
    ("Keanu_Reeves_0", 9),
    ("Keanu_Reeves_1", 10),
    ("Keanu_Reeves_2", 11),
    ("Matilda_Bobbie_0", 5),
    ("Matilda_Bobbie_2", 1),
    ("Matilda_Bobbie_3", 12),
    ("Natasha_Former_1", 13),
    ("Natasha_Former_2", 7),
    ("Yohanna_Coralson_0", 14),
    ("Yohanna_Coralson_1", 8),
];

/// The original and the swap.
pub(crate) fn halves(picture: &Picture) -> [Picture; 2] {
    let width = picture.width() / 2;
    [0, width].map(|x| {
        let half = Similarity {
            tx: x as f32,
            ..Similarity::IDENTITY
        };
        resample::warp(picture, half, width, picture.height())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_cut_in_the_middle_and_keep_their_pixels() {
        let pixels = (0..6 * 3_u32).flat_map(|i| [(i % 6 * 40) as u8, (i / 6) as u8, 9]);
        let [left, right] = halves(&Picture::new(6, 3, pixels.collect()));
        assert_eq!((left.width(), right.width(), right.height()), (3, 3, 3));
        assert_eq!(left.get(2, 1), [80, 1, 9]);
        assert_eq!(right.get(0, 2), [120, 2, 9]);
    }
}
