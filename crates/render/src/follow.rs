//! A drawn face that does what the performer's does, to the pixel.
//!
//! A model that never saw its person speak draws a mouth nearly shut. The mesh of what it drew tells:
//! the drawing is bent until lips and lids lie where the performer's are, and all else strays from
//! there no further than the two faces usually differ. Between the points of the mesh, their bends
//! are spread by pull and push, as in [`crate::outwards`].

use effigy_face::landmarks::{JAW, LOWER_LIP_INNER, UPPER_LIP_INNER, eye_distance};
use effigy_frame::{Picture, Plane, Point2};
use effigy_model::face_model::Drawn;

use crate::grid::Grid;
use crate::mask::blur;
use crate::opening::{LIDS, LIPS};
use crate::outwards::filled;
use crate::sample::{Sampler, mask_at};

/// How the drawn face usually differs from the performer's; one for each face that is followed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Follow {
    /// From each of the performer's points to the drawn one, in shares of the crop's side.
    usual: Vec<Point2>,
}

/// How slowly the usual difference follows, in seconds.
const MEMORY_SECS: f32 = 4.0;
/// No point is bent further, in distances between the outer eye corners.
const FARTHEST: f32 = 0.3;
/// Lips and lids lie where the performer's do; from there on the drawn face's own shape takes over
/// so far away, in the same.
const EDGES: f32 = 0.1;
/// Bends are averaged so far around, as a share of the crop's side.
const SMOOTH: f32 = 0.012;

impl Follow {
    /// Bends `drawn`, whose mesh is `from`, to the performer's mesh `to`; both are in pixels of
    /// the crop. All crops must be aligned alike.
    pub(crate) fn bend(
        &mut self,
        drawn: &Drawn,
        from: &[Point2],
        to: &[Point2],
        secs: f32,
    ) -> Drawn {
        let side = drawn.picture.width() as f32;
        let gaps = usual_gaps(from, to).map(|gap| Point2::new(gap.x / side, gap.y / side));
        let gaps: Vec<Point2> = gaps.collect();
        if self.usual.is_empty() {
            self.usual = gaps;
        } else {
            let share = 1.0 - (-secs / MEMORY_SECS).exp();
            for (usual, gap) in self.usual.iter_mut().zip(&gaps) {
                usual.x += share * (gap.x - usual.x);
                usual.y += share * (gap.y - usual.y);
            }
        }
        let unit = eye_distance(to).max(1.0);
        let edges = || LIPS.iter().chain(LIDS.as_flattened()).copied().flatten();
        let wanted = to.iter().zip(&self.usual).map(|(&p, gap)| {
            let near = edges()
                .map(|&i| p.distance(to[i]))
                .fold(f32::INFINITY, f32::min);
            let own = side * (near / (EDGES * unit)).min(1.0);
            Point2::new(p.x + own * gap.x, p.y + own * gap.y)
        });
        let wanted: Vec<Point2> = wanted.collect();
        bent(drawn, from, &wanted, FARTHEST * unit)
    }
}

/// From each point of `to` to that of `from`, once the mouths are equally open: that they are not
/// is no matter of shape.
fn usual_gaps(from: &[Point2], to: &[Point2]) -> impl Iterator<Item = Point2> {
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
fn bent(drawn: &Drawn, from: &[Point2], to: &[Point2], farthest: f32) -> Drawn {
    let side = drawn.picture.width() as usize;
    let mut grid = Grid {
        width: side,
        height: side,
        values: vec![[0.0_f32; 4]; side * side],
    };
    for (from, to) in from.iter().zip(to) {
        let (dx, dy) = (from.x - to.x, from.y - to.y);
        let shorter = (farthest / dx.hypot(dy).max(1e-6)).min(1.0);
        let is_inside = |v: f32| (0.0..side as f32).contains(&v);
        if is_inside(to.x) && is_inside(to.y) {
            let value = &mut grid.values[to.y as usize * side + to.x as usize];
            value[0] += shorter * dx;
            value[1] += shorter * dy;
            value[3] += 1.0;
        }
    }
    for value in grid.values.iter_mut().filter(|value| 1.0 < value[3]) {
        let n = value[3];
        value.iter_mut().for_each(|v| *v /= n);
    }
    let spread = filled(grid);
    let reach = ((SMOOTH * side as f32).round() as usize).max(1);
    let [dx, dy] = [0, 1].map(|c| {
        let values = spread.values.iter().map(|value| value[c]).collect();
        blur(&Plane::new(side, side, values), reach)
    });
    let source = |i: usize| {
        let (x, y) = ((i % side) as f32 + 0.5, (i / side) as f32 + 0.5);
        Point2::new(x + dx.values()[i], y + dy.values()[i])
    };
    let colours = Sampler::new(&drawn.picture);
    let pixel = |i: usize| {
        let [red, green, blue, _] = colours.colour_at(source(i));
        [red, green, blue].map(|v| (v + 0.5) as u8)
    };
    let mask = (0..side * side).map(|i| mask_at(&drawn.mask, source(i)));
    let (width, height) = (drawn.picture.width(), drawn.picture.height());
    Drawn {
        picture: Picture::new(width, height, (0..side * side).flat_map(pixel).collect()),
        mask: Plane::new(side, side, mask.collect()),
    }
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
        let after = Follow::default().bend(&before, &shut, &open, 0.0);
        let moved = dot(&after, lip) - dot(&before, lip);
        assert!((5.0..=7.0).contains(&moved), "{moved}");
        let nose = shut[NOSE_TIP];
        let before = dotted(nose);
        let after = Follow::default().bend(&before, &shut, &open, 0.0);
        assert!((dot(&after, nose) - dot(&before, nose)).abs() <= 1.0);
    }

    #[test]
    fn shape_of_a_face_stays_its_own_but_for_lips_and_lids() {
        let seen = face(0.0);
        let mut drawn = seen.clone();
        drawn.iter_mut().for_each(|p| p.y += 3.0); // a longer face, for the whole clip
        let (nose, lid) = (drawn[NOSE_TIP], drawn[RIGHT_EYE.upper_lid]);
        let mut follow = Follow::default();
        for _ in 0..5 {
            let bent = follow.bend(&dotted(nose), &drawn, &seen, 0.04);
            assert!((dot(&bent, nose) - nose.y.floor()).abs() <= 1.0);
        }
        let bent = follow.bend(&dotted(lid), &drawn, &seen, 0.04);
        assert!(dot(&bent, lid) <= lid.y.floor() - 2.0); // of three; a crop's pixel is coarse
    }

    #[test]
    fn drawing_that_does_the_same_is_not_bent() {
        let points = face(2.0);
        let drawn = dotted(points[NOSE_TIP]);
        let bent = Follow::default().bend(&drawn, &points, &points, 0.0);
        assert_eq!(bent.picture, drawn.picture);
    }

    #[test]
    fn mesh_gone_wild_bends_no_further_than_it_may() {
        let seen = face(0.0);
        let mut wild = seen.clone();
        LIPS[1].iter().for_each(|&i| wild[i].y = 1e6);
        let bent = Follow::default().bend(&dotted(seen[NOSE_TIP]), &wild, &seen, 0.0);
        assert!(
            bent.picture.get(48, 40)[0] > 150,
            "{:?}",
            bent.picture.get(48, 40)
        );
    }
}
