//! Which point of the face mesh lies where, and what is measured between such points.
//!
//! Numbers are those of the MediaPipe Face Mesh: 468 points of the skin, then five of each iris.
//! *Right* and *left* are the person's own, so the right eye is on the left of the picture. Rims
//! run round; edges run from the person's right to their left. Their order is part of their
//! meaning: sums over them are taken in it.

use effigy_frame::{Point2, Point3};

/// Points of the skin; those of the irises follow.
pub const N_SKIN_POINTS: usize = 468;

/// The points of one eye that are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eye {
    /// Corner at the temple.
    pub outer: usize,
    /// Corner at the nose.
    pub inner: usize,
    /// Middle of the upper lid's edge.
    pub upper_lid: usize,
    /// Middle of the lower lid's edge.
    pub lower_lid: usize,
    /// Middle of the iris.
    pub iris: usize,
    /// Four points around the iris.
    pub iris_rim: [usize; 4],
}

/// The right eye.
pub const RIGHT_EYE: Eye = Eye {
    outer: 33,
    inner: 133,
    upper_lid: 159,
    lower_lid: 145,
    iris: 468,
    iris_rim: [469, 470, 471, 472],
};
/// The left eye.
pub const LEFT_EYE: Eye = Eye {
    outer: 263,
    inner: 362,
    upper_lid: 386,
    lower_lid: 374,
    iris: 473,
    iris_rim: [474, 475, 476, 477],
};
/// Both eyes, the right one first.
pub const EYES: [Eye; 2] = [RIGHT_EYE, LEFT_EYE];

/// Rim of the right eye's lids.
pub const RIGHT_EYE_RIM: [usize; 16] = [
    33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246,
];
/// Rim of the left eye's lids.
pub const LEFT_EYE_RIM: [usize; 16] = [
    263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466,
];
/// Edge of the right eye's upper lid, from corner to corner.
pub const RIGHT_UPPER_LID: [usize; 9] = [33, 246, 161, 160, 159, 158, 157, 173, 133];
/// Edge of the right eye's lower lid, from corner to corner.
pub const RIGHT_LOWER_LID: [usize; 9] = [33, 7, 163, 144, 145, 153, 154, 155, 133];
/// Edge of the left eye's upper lid, from corner to corner.
pub const LEFT_UPPER_LID: [usize; 9] = [362, 398, 384, 385, 386, 387, 388, 466, 263];
/// Edge of the left eye's lower lid, from corner to corner.
pub const LEFT_LOWER_LID: [usize; 9] = [362, 382, 381, 380, 374, 373, 390, 249, 263];

/// Upper edge of the right brow, from its outer end to its inner one.
pub const RIGHT_BROW_UPPER: [usize; 5] = [70, 63, 105, 66, 107];
/// Upper edge of the left brow, from its inner end to its outer one.
pub const LEFT_BROW_UPPER: [usize; 5] = [336, 296, 334, 293, 300];
/// Rim of the right brow: its lower edge inwards, its upper edge back.
pub const RIGHT_BROW_RIM: [usize; 10] = [46, 53, 52, 65, 55, 107, 66, 105, 63, 70];
/// Rim of the left brow: its lower edge inwards, its upper edge back.
pub const LEFT_BROW_RIM: [usize; 10] = [276, 283, 282, 295, 285, 336, 296, 334, 293, 300];
/// Middle of the right brow's upper edge.
pub const RIGHT_BROW_MIDDLE: usize = 105;
/// Middle of the left brow's upper edge.
pub const LEFT_BROW_MIDDLE: usize = 334;
/// Outer end of the right brow's upper edge.
pub const RIGHT_BROW_OUTER: usize = 70;
/// Outer end of the left brow's upper edge.
pub const LEFT_BROW_OUTER: usize = 300;
/// Outer ends of the brows' lower edges, the right one first.
pub const BROW_LOWER_ENDS: [usize; 2] = [46, 276];

/// Bridge of the nose between the eyes.
pub const NOSE_BRIDGE: usize = 168;
/// Tip of the nose.
pub const NOSE_TIP: usize = 1;
/// Where the nose meets the upper lip.
pub const NOSE_BASE: usize = 2;
/// Rim of the nose, crosswise from the bridge down to the base.
pub const NOSE_RIM: [usize; 8] = [168, 122, 351, 48, 278, 64, 294, 2];

/// Right corner of the mouth.
pub const MOUTH_RIGHT: usize = 61;
/// Left corner of the mouth.
pub const MOUTH_LEFT: usize = 291;
/// Middle of the upper lip's outer edge.
pub const UPPER_LIP_OUTER: usize = 0;
/// Middle of the upper lip's inner edge.
pub const UPPER_LIP_INNER: usize = 13;
/// Middle of the lower lip's inner edge.
pub const LOWER_LIP_INNER: usize = 14;
/// Middle of the lower lip's outer edge.
pub const LOWER_LIP_OUTER: usize = 17;
/// Outer rim of the lips.
pub const OUTER_LIPS: [usize; 20] = [
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
];
/// Inner rim of the lips.
pub(crate) const INNER_LIPS: [usize; 20] = [
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
];
/// Inner edge of the upper lip, from corner to corner.
pub const UPPER_LIP_INNER_EDGE: [usize; 11] = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308];
/// Inner edge of the lower lip, from corner to corner.
pub const LOWER_LIP_INNER_EDGE: [usize; 11] = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308];
/// The upper lip with both its edges, without the corners.
pub const UPPER_LIP: [usize; 19] = [
    0, 37, 39, 40, 185, 267, 269, 270, 409, 191, 80, 81, 82, 13, 312, 311, 310, 415, 11,
];
/// The lower lip with both its edges, without the corners.
pub const LOWER_LIP: [usize; 19] = [
    17, 84, 181, 91, 146, 314, 405, 321, 375, 95, 88, 178, 87, 14, 317, 402, 318, 324, 16,
];

/// Tip of the chin, on the face's rim.
pub const CHIN: usize = 152;
/// What hangs on the jaw: the lower lip and the chin.
pub const JAW: [usize; 28] = [
    95, 88, 178, 87, 14, 317, 402, 318, 324, 91, 181, 84, 17, 314, 405, 321, 18, 83, 313, 200, 199,
    175, 152, 148, 377, 176, 400, 171,
];
/// The face's rim beside the upper end of the eyes, the right side first.
pub const UPPER_TEMPLES: [usize; 2] = [162, 389];
/// The face's rim before the ears, the right side first.
pub const EARS: [usize; 2] = [234, 454];
/// Rim of the face, clockwise in the picture from the top of the forehead.
pub const FACE_RIM: [usize; 36] = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
];

/// Middles of the cheeks, the right one first.
pub const CHEEK_CENTRES: [usize; 2] = [50, 280];
/// Corners of a patch of bare skin on the forehead.
pub const FOREHEAD_PATCH: [usize; 4] = [67, 297, 299, 69];
/// Corners of a patch of bare skin on each cheek, the right one first.
pub const CHEEK_PATCHES: [[usize; 4]; 2] = [[118, 36, 207, 147], [347, 266, 427, 376]];
/// Where glasses are: in front of both eyes, from the lower edge of a brow over temple and cheek to
/// the side of the nose, and on its bridge.
pub const GLASSES: [&[usize]; 3] = [
    &[46, 53, 52, 65, 55, 127, 50, 205, 188, 6],
    &[276, 283, 282, 295, 285, 356, 280, 425, 412, 6],
    &[55, 285, 188, 412, 197],
];

/// Points by which faces are aligned: corners of the eyes, bridge, tip and wings of the nose. What
/// a face does hardly moves them on its head.
pub const STABLE_POINTS: [usize; 12] = [33, 133, 362, 263, 168, 6, 197, 195, 1, 2, 98, 327];
/// Points that move with the head whatever the face does: forehead, bridge and tip of the nose,
/// corners of the eyes, temples and cheekbones. None of the mouth, the jaw or the brows.
pub const RIGID_POINTS: [usize; 26] = [
    10, 109, 338, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, // middle line and forehead
    33, 133, 362, 263, // corners of the eyes
    127, 356, 234, 454, 162, 389, // temples
    117, 346, // cheekbones
    2,   // below the nose
];
/// Points that show what a face does: twelve of the mouth, then twelve of both eyes' edges.
pub const EXPRESSION_POINTS: [usize; 24] = [
    61, 291, 0, 17, 13, 14, 37, 267, 84, 314, 82, 312, // mouth
    33, 133, 159, 145, 158, 153, 263, 362, 386, 374, 385, 380, // eyes
];
/// Points that say how a face is built, and little of what it does: rim, brows, corners of eyes and
/// mouth, nose.
pub const SHAPE_POINTS: [usize; 60] = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 152, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 70, 63, 105, 66, 107, 336, 296,
    334, 293, 300, 33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 61, 291, 129, 358,
];
/// The inner face, whose turn is compared with that of the rim: eyes, nose and corners of the mouth.
pub const INNER_FACE: [usize; 20] = [
    33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 61, 291, 159, 386, 145, 374,
];
/// The rim of the face and the forehead, whose turn is that of the head.
pub const RIM_AND_FOREHEAD: [usize; 42] = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 151, 9, 108,
    337, 69, 299,
];
/// Points of the inner face that move with the head alone.
pub const INNER_FACE_ANCHORS: [usize; 8] = [33, 133, 362, 263, 168, 6, 1, 2];
/// Points of the rim that move with the head alone.
pub const RIM_ANCHORS: [usize; 8] = [10, 127, 356, 234, 454, 162, 389, 152];

/// A point of a mesh, with or without depth; measures here are taken in the picture's plane.
pub trait MeshPoint: Copy {
    /// Where it is in the picture.
    fn in_plane(self) -> Point2;
}

impl MeshPoint for Point2 {
    fn in_plane(self) -> Point2 {
        self
    }
}

impl MeshPoint for Point3 {
    fn in_plane(self) -> Point2 {
        self.xy()
    }
}

/// Gives the distance between the outer corners of the eyes, the unit in which faces are measured.
///
/// # Panics
/// If `points` is not a whole mesh; the same holds for all measures here.
pub fn eye_distance<P: MeshPoint>(points: &[P]) -> f32 {
    distance(points, RIGHT_EYE.outer, LEFT_EYE.outer)
}

/// Gives the middle between the outer corners of the eyes.
pub fn between_eyes<P: MeshPoint>(points: &[P]) -> Point2 {
    middle(points, RIGHT_EYE.outer, LEFT_EYE.outer)
}

/// Gives the middle between the corners of the mouth.
pub(crate) fn mouth_centre<P: MeshPoint>(points: &[P]) -> Point2 {
    middle(points, MOUTH_RIGHT, MOUTH_LEFT)
}

/// Gives how far the lips are apart, in eye distances of at least one pixel.
pub fn mouth_openness<P: MeshPoint>(points: &[P]) -> f32 {
    distance(points, UPPER_LIP_INNER, LOWER_LIP_INNER) / eye_distance(points).max(1.0)
}

/// Gives how far the lids are apart, the mean of both eyes, in eye distances of at least one pixel.
pub fn eye_openness<P: MeshPoint>(points: &[P]) -> f32 {
    let [right, left] = EYES.map(|eye| eye.lid_distance(points));
    0.5 * (right + left) / eye_distance(points).max(1.0)
}

impl Eye {
    /// Gives the middle between its corners.
    pub fn centre<P: MeshPoint>(&self, points: &[P]) -> Point2 {
        middle(points, self.outer, self.inner)
    }

    /// Gives the distance between its lids.
    pub(crate) fn lid_distance<P: MeshPoint>(&self, points: &[P]) -> f32 {
        distance(points, self.upper_lid, self.lower_lid)
    }
}

fn distance<P: MeshPoint>(points: &[P], a: usize, b: usize) -> f32 {
    points[a].in_plane().distance(points[b].in_plane())
}

fn middle<P: MeshPoint>(points: &[P], a: usize, b: usize) -> Point2 {
    points[a].in_plane().midpoint(points[b].in_plane())
}

#[cfg(test)]
mod tests {
    use effigy_model::mean_mesh;

    use super::*;

    /// Both lists lie opposite each other on the mean mesh, point by point.
    #[track_caller]
    fn check_mirrored(right: &[usize], left: &[usize]) {
        assert_eq!(right.len(), left.len());
        for (&right, &left) in right.iter().zip(left) {
            let (r, l) = (mean_mesh()[right], mean_mesh()[left]);
            let gap = (r.x + l.x).abs() + (r.y - l.y).abs();
            assert!(r.x < l.x && gap < 0.02, "{right} and {left}: {gap}"); // in eye distances
        }
    }

    /// All of these lie on the middle line of the mean mesh.
    #[track_caller]
    fn check_middle(points: &[usize]) {
        for &i in points {
            assert!(mean_mesh()[i].x.abs() < 0.02, "{i}: {:?}", mean_mesh()[i]);
        }
    }

    #[test]
    fn right_and_left_mirror_each_other() {
        let lids = |eye: Eye| [eye.outer, eye.inner, eye.upper_lid, eye.lower_lid, eye.iris];
        check_mirrored(&lids(RIGHT_EYE), &lids(LEFT_EYE));
        check_mirrored(&RIGHT_EYE_RIM, &LEFT_EYE_RIM);
        let reversed = |edge: [usize; 9]| edge.into_iter().rev().collect::<Vec<_>>();
        check_mirrored(&RIGHT_UPPER_LID, &reversed(LEFT_UPPER_LID));
        check_mirrored(&RIGHT_LOWER_LID, &reversed(LEFT_LOWER_LID));
        check_mirrored(&RIGHT_BROW_RIM, &LEFT_BROW_RIM);
        check_mirrored(
            &[RIGHT_BROW_MIDDLE, RIGHT_BROW_OUTER, MOUTH_RIGHT],
            &[LEFT_BROW_MIDDLE, LEFT_BROW_OUTER, MOUTH_LEFT],
        );
        check_mirrored(&CHEEK_PATCHES[0], &CHEEK_PATCHES[1]);
        for [right, left] in [UPPER_TEMPLES, EARS, CHEEK_CENTRES, BROW_LOWER_ENDS] {
            check_mirrored(&[right], &[left]);
        }
    }

    #[test]
    fn what_lies_in_the_middle_is_on_the_middle_line() {
        check_middle(&[NOSE_BRIDGE, NOSE_TIP, NOSE_BASE, CHIN]);
        check_middle(&[UPPER_LIP_OUTER, UPPER_LIP_INNER]);
        check_middle(&[LOWER_LIP_INNER, LOWER_LIP_OUTER]);
    }

    #[test]
    fn measures_of_the_mean_face_are_those_of_a_face() {
        let mean = mean_mesh();
        assert!((eye_distance(mean) - 1.0).abs() < 1e-3, "its unit");
        assert!(between_eyes(mean).distance(Point2::default()) < 1e-3);
        let [right, left] = EYES.map(|eye| eye.centre(mean));
        assert!(right.x < -0.2 && 0.2 < left.x, "{right:?} {left:?}");
        assert!(0.3 < mouth_centre(mean).y, "the mouth is below the eyes");
        let flat: Vec<Point2> = mean.iter().map(|p| p.xy()).collect();
        assert!((mouth_openness(mean) - mouth_openness(&flat)).abs() < 1e-9);
        let (before, mut open) = (mouth_openness(mean), mean.to_vec());
        open[LOWER_LIP_INNER].y += 0.2;
        assert!((mouth_openness(&open) - before - 0.2).abs() < 0.01);
        assert!((0.03..0.3).contains(&eye_openness(mean)));
    }
}
