//! The 68 points of the older face literature (iBUG 300-W), as a subset of the mesh.
//!
//! Order as published: jaw from the subject's right ear to the left (0–16), right brow (17–21),
//! left brow (22–26), bridge (27–30) and wings of the nose (31–35), right eye (36–41), left eye
//! (42–47), outer lips (48–59), inner lips (60–67). Jaw points are those of the mesh's outline
//! that lie most evenly between ear and chin on the mean mesh.

use effigy_frame::Point3;

/// Which mesh point stands for each of the 68.
pub const IBUG_68: [usize; 68] = [
    127, 234, 93, 58, 172, 136, 149, 148, 152, // jaw, right half and chin
    377, 378, 365, 397, 288, 323, 454, 356, // jaw, left half
    70, 63, 105, 66, 107, // right brow
    336, 296, 334, 293, 300, // left brow
    168, 197, 5, 4, // bridge of the nose
    98, 97, 2, 326, 327, // wings of the nose
    33, 160, 158, 133, 153, 144, // right eye
    362, 385, 387, 263, 373, 380, // left eye
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, // outer lips
    78, 82, 13, 312, 308, 317, 14, 87, // inner lips
];

/// Picks the 68 points out of a mesh.
///
/// # Panics
/// If `points` is not a whole mesh.
pub fn pick_ibug68(points: &[Point3]) -> Vec<Point3> {
    IBUG_68.iter().map(|&i| points[i]).collect()
}

#[cfg(test)]
mod tests {
    use effigy_model::mean_mesh;

    use super::*;

    /// Where each of the 68 lands when left and right are exchanged, as published with 300-W.
    fn mirrored(i: usize) -> usize {
        const EYES: [usize; 6] = [45, 44, 43, 42, 47, 46];
        const OUTER: [usize; 12] = [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55];
        const INNER: [usize; 8] = [64, 63, 62, 61, 60, 67, 66, 65];
        match i {
            0..=16 => 16 - i,
            17..=26 => 43 - i,
            27..=30 => i,
            31..=35 => 66 - i,
            36..=41 => EYES[i - 36],
            42..=47 => 36 + EYES.iter().position(|&e| e == i).unwrap(),
            48..=59 => OUTER[i - 48],
            _ => INNER[i - 60],
        }
    }

    #[test]
    fn both_halves_of_the_scheme_mirror_each_other() {
        let points = pick_ibug68(mean_mesh());
        for (i, p) in points.iter().enumerate() {
            let m = points[mirrored(i)];
            let gap = (p.x + m.x).abs() + (p.y - m.y).abs();
            assert!(gap < 0.02, "{i}: {p:?} against {m:?}"); // in eye distances
        }
    }

    #[test]
    fn no_point_is_used_twice() {
        let mut sorted = IBUG_68;
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
