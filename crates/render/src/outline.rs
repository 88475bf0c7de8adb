//! Where a face is in its crop: the hull of its mesh, widened over the brows, and its parts.
//!
//! The outer end of a brow lies on the mesh's rim, where a mask fades; left alone, the brow of the
//! person replaced would show beside the drawn one.

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

/// Upper edge of both brows, from the subject's right to their left.
const BROWS: [usize; 10] = [70, 63, 105, 66, 107, 336, 296, 334, 293, 300];
/// Lower ends of the brows.
const BROW_ENDS: [usize; 2] = [46, 276];
/// Middles of the cheeks.
const CHEEKS: [usize; 2] = [50, 280];
/// For each side: outer corner of the eye, and the mesh's rim beside it.
const TEMPLES: [[usize; 2]; 2] = [[33, 162], [263, 389]];
/// Where glasses are: in front of both eyes, from the lower edge of a brow over temple and cheek to
/// the side of the nose, and on its bridge.
const GLASSES: [&[usize]; 3] = [
    &[46, 53, 52, 65, 55, 127, 50, 205, 188, 6],
    &[276, 283, 282, 295, 285, 356, 280, 425, 412, 6],
    &[55, 285, 188, 412, 197],
];
/// Between the brows.
const BRIDGE: usize = 168;
/// How far the mask reaches beyond the brows, in distances between the outer eye corners.
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
        let eyes = points[33].distance(points[263]).max(1.0);
        let mut widened = points.to_vec();
        for (i, &brow) in BROWS.iter().chain(&BROW_ENDS).enumerate() {
            let is_left = BROWS.len() / 2 <= i && i != BROWS.len();
            let [corner, rim] = TEMPLES[usize::from(is_left)].map(|i| points[i]);
            // Turned away, a temple vanishes, and beyond the brow is no skin.
            let seen = (corner.distance(rim) / (TEMPLE * eyes)).min(1.0);
            let from = points[BRIDGE];
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
            cheeks: CHEEKS.map(|i| points[i]),
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
    let temple = |brow: usize, corner: usize| (points[brow], points[corner]);
    let [right, left] = [temple(70, 33), temple(300, 263)];
    let place = |x: f32, corner: Point2| Point2::new(x, corner.y + below);
    [
        place(right.0.x.min(right.1.x), right.1),
        place(left.0.x.max(left.1.x), left.1),
    ]
}

/// The height of the brows in each column, less `margin`; beyond the brows that of their ends.
fn forehead_ends(points: &[Point2], side: usize, margin: f32) -> Vec<f32> {
    let mut brows: Vec<Point2> = BROWS.iter().map(|&i| points[i]).collect();
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
        let brow = points[105];
        let ends = outline.forehead_ends[brow.x as usize];
        assert!(brow.y - 9.0 < ends && ends < brow.y, "{ends} {brow:?}");
    }

    #[test]
    fn turned_face_is_not_widened_where_it_ends() {
        let (points, front) = (face(45.0), face(0.0));
        let gap = |points: &[Point2]| {
            let outline = Outline::new(points, 96);
            let rows = outline.wide.values().chunks_exact(96).take(40);
            let grown = rows.zip(outline.mesh.values().chunks_exact(96));
            let middle = points[BRIDGE].x as usize;
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
        let (turned, before) = (gap(&points), gap(&front));
        let least = |[a, b]: [f32; 2]| a.min(b);
        assert!(least(turned) < 0.5 * least(before), "{turned:?} {before:?}");
    }
}
