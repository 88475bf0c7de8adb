//! Where a face is in its crop: the hull of its mesh, widened over the brows, and its parts.
//!
//! The outer end of a brow lies on the mesh's rim, where a mask fades; left alone, the brow of the
//! person replaced would show beside the drawn one.

use effigy_face::landmarks::{
    BROW_LOWER_ENDS, CHEEK_CENTRES, GLASSES, LEFT_BROW_OUTER, LEFT_BROW_UPPER, LEFT_EYE,
    NOSE_BRIDGE, RIGHT_BROW_OUTER, RIGHT_BROW_UPPER, RIGHT_EYE, UPPER_TEMPLES, eye_distance,
};
use effigy_face::mask::hull_mask;
use effigy_frame::{Plane, Point2};

/// A face's outline, `side` pixels to the crop's side.
#[derive(Clone, Debug)]
pub(crate) struct Outline {
    /// Share of each pixel inside the mesh.
    pub(crate) mesh: Plane,
    /// The same, with the brows in full.
    pub(crate) wide: Plane,
    /// The lowest row of the forehead in each column.
    pub(crate) forehead_ends: Vec<f32>,
    /// The temples: for the crop's left and right, the column where one begins, and the row below
    /// which it is cheek.
    pub(crate) temples: [Point2; 2],
    /// The share of each pixel around the eyes: below the brows, from temple to temple, as far down
    /// as glasses reach.
    pub(crate) around_eyes: Plane,
    /// Where there is skin in every face: the cheeks.
    pub(crate) cheeks: [Point2; 2],
}

/// One half of the upper face.
#[derive(Clone, Copy)]
struct Side {
    /// Upper edge of its brow.
    brow: [usize; 5],
    brow_outer: usize,
    brow_lower_end: usize,
    eye_corner: usize,
    /// The mesh's rim beside the corner of the eye.
    rim: usize,
}

const RIGHT: Side = Side {
    brow: RIGHT_BROW_UPPER,
    brow_outer: RIGHT_BROW_OUTER,
    brow_lower_end: BROW_LOWER_ENDS[0],
    eye_corner: RIGHT_EYE.outer,
    rim: UPPER_TEMPLES[0],
};
const LEFT: Side = Side {
    brow: LEFT_BROW_UPPER,
    brow_outer: LEFT_BROW_OUTER,
    brow_lower_end: BROW_LOWER_ENDS[1],
    eye_corner: LEFT_EYE.outer,
    rim: UPPER_TEMPLES[1],
};
/// How far the mask reaches beyond the brows, in eye distances.
const REACH: f32 = 0.2;
/// Width of a temple seen from the front, in the same.
const TEMPLE: f32 = 0.2;
/// How far below the corners of the eyes the temples end, in the same.
const BELOW_EYES: f32 = 0.1;
/// How far above the brows the forehead ends, in the same.
const ABOVE_BROWS: f32 = 0.12;

impl Outline {
    /// Finds the outline of a mesh of which `points` are given in pixels of the crop.
    pub(crate) fn new(points: &[Point2], side: usize) -> Self {
        let eyes = eye_distance(points).max(1.0);
        let mut widened = points.to_vec();
        let brows = [RIGHT, LEFT]
            .into_iter()
            .flat_map(|side| side.brow.map(|i| (i, side)));
        let ends = [RIGHT, LEFT].map(|side| (side.brow_lower_end, side));
        for (brow, side) in brows.chain(ends) {
            let (corner, rim) = (points[side.eye_corner], points[side.rim]);
            // Turned away, a temple vanishes, and beyond the brow is no skin.
            let seen = (corner.distance(rim) / (TEMPLE * eyes)).min(1.0);
            let from = points[NOSE_BRIDGE];
            let (x, y) = (points[brow].x - from.x, points[brow].y - from.y);
            let more = REACH * eyes * seen * seen / x.hypot(y).max(1.0);
            widened.push(Point2::new(
                points[brow].x + more * x,
                points[brow].y + more * y,
            ));
        }
        Self {
            mesh: hull_mask(points, side, side),
            wide: hull_mask(&widened, side, side),
            forehead_ends: forehead_ends(points, side, ABOVE_BROWS * eyes),
            temples: temples(points, BELOW_EYES * eyes),
            around_eyes: around_eyes(points, side),
            cheeks: CHEEK_CENTRES.map(|i| points[i]),
        }
    }
}

fn around_eyes(points: &[Point2], side: usize) -> Plane {
    let mut all = Plane::filled(side, side, 0.0);
    for part in GLASSES {
        let corners: Vec<Point2> = part.iter().map(|&i| points[i]).collect();
        let mask = hull_mask(&corners, side, side);
        for (value, part) in all.values_mut().iter_mut().zip(mask.values()) {
            *value = value.max(part.min(1.0));
        }
    }
    all
}

/// Beyond the brows and the corners of the eyes, down to `below` their height.
fn temples(points: &[Point2], below: f32) -> [Point2; 2] {
    let temple = |side: Side| (points[side.brow_outer], points[side.eye_corner]);
    let [right, left] = [RIGHT, LEFT].map(temple);
    let place = |x: f32, corner: Point2| Point2::new(x, corner.y + below);
    [
        place(right.0.x.min(right.1.x), right.1),
        place(left.0.x.max(left.1.x), left.1),
    ]
}

/// The height of the brows in each column, less `margin`; beyond the brows that of their ends.
fn forehead_ends(points: &[Point2], side: usize, margin: f32) -> Vec<f32> {
    let both = RIGHT.brow.into_iter().chain(LEFT.brow);
    let mut brows: Vec<Point2> = both.map(|i| points[i]).collect();
    brows.sort_by(|a, b| a.x.total_cmp(&b.x));
    let height = |x: f32| {
        let next = brows.partition_point(|p| p.x <= x);
        let (Some(b), true) = (brows.get(next), 0 < next) else {
            return brows[next.min(brows.len() - 1)].y;
        };
        let a = brows[next - 1];
        a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x).max(1e-3)
    };
    let columns = (0..side).map(|x| height(x as f32 + 0.5) - margin);
    columns.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_face::landmarks::RIGHT_BROW_MIDDLE;
    use effigy_model::mean_mesh;

    /// The mean face in a crop of 96 px, turned by some degrees to its side.
    fn face(turn_degrees: f32) -> Vec<Point2> {
        let (sin, cos) = turn_degrees.to_radians().sin_cos();
        let place = |p: &effigy_frame::Point3| {
            let x = p.x * cos + p.z * sin;
            Point2::new(48.0 + 48.0 * x, 31.0 + 48.0 * p.y)
        };
        mean_mesh().iter().map(place).collect()
    }

    fn area(plane: &Plane) -> f32 {
        plane.values().iter().sum()
    }

    #[test]
    fn brows_are_inside_and_the_rest_is_as_before() {
        let points = face(0.0);
        let outline = Outline::new(&points, 96);
        let grown = area(&outline.wide) - area(&outline.mesh);
        assert!(
            10.0 < grown && grown < 0.12 * area(&outline.mesh),
            "{grown}"
        );
        let below = |plane: &Plane| plane.values()[96 * 62..].iter().sum::<f32>();
        assert!((below(&outline.wide) - below(&outline.mesh)).abs() < 1e-3);
        let brow = points[RIGHT_BROW_MIDDLE];
        let ends = outline.forehead_ends[brow.x as usize];
        assert!(brow.y - 9.0 < ends && ends < brow.y, "{ends} {brow:?}");
    }

    #[test]
    fn turned_face_is_not_widened_where_it_ends() {
        let (points, front) = (face(45.0), face(0.0));
        let widened_by = |points: &[Point2]| {
            let outline = Outline::new(points, 96);
            let rows = outline.wide.values().chunks_exact(96).take(40);
            let grown = rows.zip(outline.mesh.values().chunks_exact(96));
            let middle = points[NOSE_BRIDGE].x as usize;
            grown
                .map(|(wide, mesh)| {
                    let half = |row: &[f32], is_left: bool| -> f32 {
                        let half = if is_left {
                            &row[middle..]
                        } else {
                            &row[..middle]
                        };
                        half.iter().sum()
                    };
                    [false, true].map(|side| half(wide, side) - half(mesh, side))
                })
                .fold([0.0; 2], |sum, row| [sum[0] + row[0], sum[1] + row[1]])
        };
        let (turned, before) = (widened_by(&points), widened_by(&front));
        let least = |[a, b]: [f32; 2]| a.min(b);
        assert!(least(turned) < 0.5 * least(before), "{turned:?} {before:?}");
    }
}
