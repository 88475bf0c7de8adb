//! The expression warp: a drawn face that has the performer's expression to the pixel.
//!
//! A model that never saw its person speak draws a mouth nearly shut. The mesh of what it drew shows
//! that: the drawing is warped until lips and lids lie where the performer's are, and all else keeps
//! the offset by which the two faces differ on average. Between the points of the mesh, offsets are
//! spread by pull–push, as in [`crate::fill`].

use effigy_face::landmarks::{JAW, LOWER_LIP_INNER, UPPER_LIP_INNER, eye_distance};
use effigy_frame::{Picture, Plane, Point2};
use effigy_model::face_model::Drawn;

use crate::fill::pull_push;
use crate::grid::Grid;
use crate::interior::{LIDS, LIPS};
use crate::mask::blur;
use crate::sample::{Sampler, mask_at};

/// How the drawn face differs from the performer's on average; one for each followed face.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExpressionWarp {
    /// From each of the performer's points to the drawn one, in shares of the crop's side.
    mean_offsets: Vec<Point2>,
}

/// Time constant of the mean offsets, in seconds.
const MEMORY_SECS: f32 = 4.0;
/// No point is moved further, in eye distances.
const FARTHEST: f32 = 0.3;
/// Lips and lids lie where the performer's do; this far from them, in eye distances, the drawn face
/// has its own shape in full.
const EDGES: f32 = 0.1;
/// Radius over which offsets are averaged, as a share of the crop's side.
const SMOOTH: f32 = 0.012;

impl ExpressionWarp {
    /// Warps `drawn`, whose mesh is `from`, to the performer's mesh `to`; both are in pixels of the
    /// crop. All crops must be aligned alike.
    pub(crate) fn apply(
        &mut self,
        drawn: &Drawn,
        from: &[Point2],
        to: &[Point2],
        secs: f32,
    ) -> Drawn {
        let side = drawn.picture.width() as f32;
        let offsets = shape_offsets(from, to);
        let offsets = offsets.map(|offset| Point2::new(offset.x / side, offset.y / side));
        let offsets: Vec<Point2> = offsets.collect();
        if self.mean_offsets.is_empty() {
            self.mean_offsets = offsets;
        } else {
            let share = 1.0 - (-secs / MEMORY_SECS).exp();
            for (mean, offset) in self.mean_offsets.iter_mut().zip(&offsets) {
                mean.x += share * (offset.x - mean.x);
                mean.y += share * (offset.y - mean.y);
            }
        }
        let unit = eye_distance(to).max(1.0);
        let edges = || LIPS.iter().chain(LIDS.as_flattened()).copied().flatten();
        let wanted = to.iter().zip(&self.mean_offsets).map(|(&p, mean)| {
            // Lips and lids follow the performer exactly; away from them the shape of the drawn
            // face takes over, so that it does not become the performer's.
            let to_nearest_edge = edges()
                .map(|&i| p.distance(to[i]))
                .fold(f32::INFINITY, f32::min);
            let own_shape = side * (to_nearest_edge / (EDGES * unit)).min(1.0);
            Point2::new(p.x + own_shape * mean.x, p.y + own_shape * mean.y)
        });
        let wanted: Vec<Point2> = wanted.collect();
        warped(drawn, from, &wanted, FARTHEST * unit)
    }
}

/// From each point of `to` to that of `from`, once the mouths are equally open: how far they are
/// open is expression, not shape.
fn shape_offsets(from: &[Point2], to: &[Point2]) -> impl Iterator<Item = Point2> {
    let opening = |points: &[Point2]| {
        let (upper, lower) = (points[UPPER_LIP_INNER], points[LOWER_LIP_INNER]);
        (lower.x - upper.x, lower.y - upper.y)
    };
    let (drawn, seen) = (opening(from), opening(to));
    let (dx, dy) = (seen.0 - drawn.0, seen.1 - drawn.1);
    from.iter().zip(to).enumerate().map(move |(i, (from, to))| {
        let share = f32::from(u8::from(JAW.contains(&i)));
        Point2::new(from.x + share * dx - to.x, from.y + share * dy - to.y)
    })
}

/// Moves what is drawn at each point of `from` to that of `to`, and what lies between along with
/// them.
fn warped(drawn: &Drawn, from: &[Point2], to: &[Point2], farthest: f32) -> Drawn {
    let side = drawn.picture.width() as usize;
    let offsets = spread_offsets(from, to, side, farthest);
    // Averaged, so that the seams between points of different offsets do not show as creases.
    let reach = ((SMOOTH * side as f32).round() as usize).max(1);
    let [dx, dy] = [0, 1].map(|c| {
        let values = offsets.values.iter().map(|value| value[c]).collect();
        blur(&Plane::new(side, side, values), reach)
    });
    // Each pixel looks up where it comes from: that way none is left empty.
    let origin = |i: usize| {
        let (x, y) = ((i % side) as f32 + 0.5, (i / side) as f32 + 0.5);
        Point2::new(x + dx.values()[i], y + dy.values()[i])
    };
    let colours = Sampler::new(&drawn.picture);
    let pixel = |i: usize| {
        let [red, green, blue, _] = colours.colour_at(origin(i));
        [red, green, blue].map(|v| (v + 0.5) as u8)
    };
    let mask = (0..side * side).map(|i| mask_at(&drawn.mask, origin(i)));
    let (width, height) = (drawn.picture.width(), drawn.picture.height());
    Drawn {
        picture: Picture::new(width, height, (0..side * side).flat_map(pixel).collect()),
        mask: Plane::new(side, side, mask.collect()),
    }
}

/// The offset from `to` to `from` at every pixel, between the points too.
fn spread_offsets(from: &[Point2], to: &[Point2], side: usize, farthest: f32) -> Grid<4> {
    let mut grid = Grid {
        width: side,
        height: side,
        values: vec![[0.0_f32; 4]; side * side],
    };
    for (from, to) in from.iter().zip(to) {
        let (dx, dy) = (from.x - to.x, from.y - to.y);
        // A mesh gone wrong must not tear the face.
        let shorter = (farthest / dx.hypot(dy).max(1e-6)).min(1.0);
        let is_inside = |v: f32| (0.0..side as f32).contains(&v);
        if is_inside(to.x) && is_inside(to.y) {
            let value = &mut grid.values[to.y as usize * side + to.x as usize];
            value[0] += shorter * dx;
            value[1] += shorter * dy;
            value[3] += 1.0;
        }
    }
    // Several points may share a pixel: it takes their mean.
    for value in grid.values.iter_mut().filter(|value| 1.0 < value[3]) {
        let n = value[3];
        value.iter_mut().for_each(|v| *v /= n);
    }
    pull_push(grid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_face::landmarks::{LOWER_LIP_OUTER, NOSE_TIP, RIGHT_EYE};
    use effigy_model::mean_mesh;

    const SIDE: u32 = 96;

    /// The mean face in a crop, its jaw `open` pixels lower.
    fn face(open: f32) -> Vec<Point2> {
        let place = |p: &effigy_frame::Point3| Point2::new(48.0 + 48.0 * p.x, 31.0 + 48.0 * p.y);
        let mut points: Vec<Point2> = mean_mesh().iter().map(place).collect();
        JAW.iter().for_each(|&i| points[i].y += open);
        points
    }

    /// Skin with a dot where a point of the mesh is.
    fn dotted(at: Point2) -> Drawn {
        let mut picture = Picture::filled(SIDE, SIDE, [200, 160, 140]);
        let (x, y) = (at.x as u32, at.y as u32);
        for (x, y) in [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)] {
            picture.set(x, y, [20, 20, 20]);
        }
        Drawn {
            picture,
            mask: Plane::filled(SIDE as usize, SIDE as usize, 1.0),
        }
    }

    /// The darkest row in the column of `at`.
    fn dot(drawn: &Drawn, at: Point2) -> f32 {
        let level = |y: &u32| drawn.picture.get(at.x as u32, *y)[0];
        (4..SIDE - 4).min_by_key(level).unwrap() as f32
    }

    #[test]
    fn jaw_of_a_drawing_that_stayed_shut_drops_from_the_first_frame() {
        let (shut, open) = (face(0.0), face(6.0));
        let lip = shut[LOWER_LIP_OUTER];
        let before = dotted(lip);
        let after = ExpressionWarp::default().apply(&before, &shut, &open, 0.0);
        let moved = dot(&after, lip) - dot(&before, lip);
        assert!((5.0..=7.0).contains(&moved), "{moved}");
        let nose = shut[NOSE_TIP];
        let before = dotted(nose);
        let after = ExpressionWarp::default().apply(&before, &shut, &open, 0.0);
        assert!((dot(&after, nose) - dot(&before, nose)).abs() <= 1.0);
    }

    #[test]
    fn shape_of_a_face_stays_its_own_but_for_lips_and_lids() {
        let seen = face(0.0);
        let mut drawn = seen.clone();
        drawn.iter_mut().for_each(|p| p.y += 3.0); // a longer face, for the whole clip
        let (nose, lid) = (drawn[NOSE_TIP], drawn[RIGHT_EYE.upper_lid]);
        let mut warp = ExpressionWarp::default();
        for _ in 0..5 {
            let warped = warp.apply(&dotted(nose), &drawn, &seen, 0.04);
            assert!((dot(&warped, nose) - nose.y.floor()).abs() <= 1.0);
        }
        let warped = warp.apply(&dotted(lid), &drawn, &seen, 0.04);
        assert!(dot(&warped, lid) <= lid.y.floor() - 2.0); // of three; a crop's pixel is coarse
    }

    #[test]
    fn drawing_with_the_same_expression_is_not_warped() {
        let points = face(2.0);
        let drawn = dotted(points[NOSE_TIP]);
        let warped = ExpressionWarp::default().apply(&drawn, &points, &points, 0.0);
        assert_eq!(warped.picture, drawn.picture);
    }

    #[test]
    fn mesh_gone_wrong_warps_no_further_than_it_may() {
        let seen = face(0.0);
        let mut wild = seen.clone();
        LIPS[1].iter().for_each(|&i| wild[i].y = 1e6);
        let warped = ExpressionWarp::default().apply(&dotted(seen[NOSE_TIP]), &wild, &seen, 0.0);
        assert!(
            warped.picture.get(48, 40)[0] > 150,
            "{:?}",
            warped.picture.get(48, 40)
        );
    }
}
