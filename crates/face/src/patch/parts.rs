//! Which part of the face each pixel of a patch is, by the contour, the eyes and the lips.

use effigy_frame::Point2;

use super::{Part, Patch, REACH};
use crate::landmarks::{
    EYES, Eye, FACE_RIM, LOWER_LIP_OUTER, MOUTH_LEFT, MOUTH_RIGHT, UPPER_LIP_OUTER,
};

/// Pixels at the frame's edge that are left out: black lines and encoder padding live there.
const MARGIN_PX: u32 = 3;

impl Patch {
    /// Tells the parts of its pixels, row by row, in a frame of this size.
    pub(super) fn tell_parts(&self, shape: &Shape, frame: (u32, u32)) -> Vec<Part> {
        let (factor, margin) = (self.factor as f32, (MARGIN_PX + self.factor) as f32);
        let inside = |v: f32, side: u32| (margin..side as f32 - margin).contains(&v);
        let mut parts = Vec::with_capacity(self.width * self.height);
        for y in 0..self.height {
            for x in 0..self.width {
                let place = Point2::new(
                    self.origin.0 as f32 + (x as f32 + 0.5) * factor,
                    self.origin.1 as f32 + (y as f32 + 0.5) * factor,
                );
                let visible = inside(place.x, frame.0) && inside(place.y, frame.1);
                parts.push(if visible {
                    shape.part_at(place)
                } else {
                    Part::None
                });
            }
        }
        parts
    }
}

/// The face's contour around its middle, eyes and lips.
pub(super) struct Shape {
    pub(super) middle: Point2,
    /// Distance of the contour from the middle by direction.
    reach: [f32; N_DIRECTIONS],
    pub(super) longest: f32,
    eyes: [Ellipse; 2],
    lips: Ellipse,
}

const N_DIRECTIONS: usize = 128;

impl Shape {
    pub(super) fn of(points: &[Point2]) -> Option<Self> {
        let contour: Vec<Point2> = FACE_RIM.iter().map(|&i| points[i]).collect();
        let n = contour.len() as f32;
        let middle = Point2::new(
            contour.iter().map(|p| p.x).sum::<f32>() / n,
            contour.iter().map(|p| p.y).sum::<f32>() / n,
        );
        let longest = contour
            .iter()
            .map(|p| p.distance(middle))
            .fold(0.0, f32::max);
        (longest.is_finite() && LEAST_REACH_PX < longest).then(|| Self {
            middle,
            reach: reaches(&contour, middle),
            longest,
            eyes: EYES.map(|eye| Ellipse::around_eye(points, eye)),
            lips: Ellipse::around_lips(points),
        })
    }

    fn part_at(&self, place: Point2) -> Part {
        let (dx, dy) = (place.x - self.middle.x, place.y - self.middle.y);
        let direction = direction(dx, dy);
        let beyond = dx.hypot(dy) / self.reach[direction].max(1.0);
        if beyond < 0.86 {
            if self.eyes.iter().any(|eye| eye.holds(place)) {
                Part::Eyes
            } else if self.lips.holds(place) {
                Part::Lips
            } else {
                Part::Inner
            }
        } else if (0.9..1.12).contains(&beyond) {
            Part::Edge
        } else if (1.15..REACH).contains(&beyond) {
            Part::Around
        } else {
            Part::None
        }
    }
}

const LEAST_REACH_PX: f32 = 12.0;

fn direction(dx: f32, dy: f32) -> usize {
    let turn = dy.atan2(dx) / std::f32::consts::TAU + 0.5;
    ((turn * N_DIRECTIONS as f32) as usize).min(N_DIRECTIONS - 1)
}

/// For each direction, how far the contour is away.
fn reaches(contour: &[Point2], middle: Point2) -> [f32; N_DIRECTIONS] {
    const STEPS: usize = 24;
    let mut reach = [0.0_f32; N_DIRECTIONS];
    for (i, a) in contour.iter().enumerate() {
        let b = contour[(i + 1) % contour.len()];
        for step in 0..STEPS {
            let t = step as f32 / STEPS as f32;
            let (dx, dy) = (
                a.x + t * (b.x - a.x) - middle.x,
                a.y + t * (b.y - a.y) - middle.y,
            );
            let cell = &mut reach[direction(dx, dy)];
            *cell = cell.max(dx.hypot(dy));
        }
    }
    // A direction that no step fell into has its neighbour's reach.
    for i in 0..2 * N_DIRECTIONS {
        let (here, before) = (i % N_DIRECTIONS, (i + N_DIRECTIONS - 1) % N_DIRECTIONS);
        if reach[here] <= 0.0 {
            reach[here] = reach[before];
        }
    }
    reach
}

/// An ellipse around two corners, wider and higher by a share of their distance.
#[derive(Clone, Copy)]
struct Ellipse {
    middle: Point2,
    along: (f32, f32),
    half: (f32, f32),
}

impl Ellipse {
    fn around_eye(points: &[Point2], eye: Eye) -> Self {
        let rim = [eye.outer, eye.inner, eye.upper_lid, eye.lower_lid];
        Self::of(points, rim, 1.5, 0.45)
    }

    fn around_lips(points: &[Point2]) -> Self {
        let rim = [MOUTH_RIGHT, MOUTH_LEFT, UPPER_LIP_OUTER, LOWER_LIP_OUTER];
        Self::of(points, rim, 1.1, 0.3)
    }

    fn of(points: &[Point2], [a, b, top, bottom]: [usize; 4], swell: f32, least: f32) -> Self {
        let (a, b) = (points[a], points[b]);
        let length = a.distance(b).max(1.0);
        let open = points[top].distance(points[bottom]);
        Self {
            middle: a.midpoint(b),
            along: ((b.x - a.x) / length, (b.y - a.y) / length),
            half: (
                0.5 * length * swell,
                0.5 * open * swell + 0.5 * least * length,
            ),
        }
    }

    fn holds(&self, place: Point2) -> bool {
        let (dx, dy) = (place.x - self.middle.x, place.y - self.middle.y);
        let along = (dx * self.along.0 + dy * self.along.1) / self.half.0;
        let across = (dy * self.along.0 - dx * self.along.1) / self.half.1;
        along * along + across * across <= 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landmarks::RIGHT_EYE;

    #[test]
    fn ellipse_holds_its_corners_and_not_the_cheek() {
        let mut points = vec![Point2::default(); 478];
        points[RIGHT_EYE.outer] = Point2::new(10.0, 10.0);
        points[RIGHT_EYE.inner] = Point2::new(30.0, 10.0);
        points[RIGHT_EYE.upper_lid] = Point2::new(20.0, 8.0);
        points[RIGHT_EYE.lower_lid] = Point2::new(20.0, 12.0);
        let eye = Ellipse::around_eye(&points, RIGHT_EYE);
        assert!(eye.holds(points[RIGHT_EYE.outer]) && eye.holds(Point2::new(20.0, 15.0)));
        assert!(!eye.holds(Point2::new(20.0, 20.0)));
    }
}
