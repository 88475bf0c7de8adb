//! The way back from a new picture to the portrait, for what is around the face.

use effigy_face::rig::Placement;
use effigy_frame::Point2;

/// Hair and whatever else is around a face, as a flat sheet through the ears that moves with the head:
/// the way from a place in the new picture back to the portrait.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    across: [f32; 2],
    down: [f32; 2],
    origin: [f32; 2],
}

impl Sheet {
    pub(super) fn of(then: &Placement, now: &Placement, depth: f32) -> Self {
        let place = |placement: &Placement, x: f32, y: f32| {
            let [x, y, _] = placement.apply([x, y, depth]);
            [x, y]
        };
        let minus = |a: [f32; 2], b: [f32; 2]| [a[0] - b[0], a[1] - b[1]];
        let corners = |p: &Placement| [place(p, 0.0, 0.0), place(p, 1.0, 0.0), place(p, 0.0, 1.0)];
        let ([o, x, y], [new_o, new_x, new_y]) = (corners(then), corners(now));
        let (u, v) = (minus(new_x, new_o), minus(new_y, new_o));
        let area = u[0] * v[1] - u[1] * v[0];
        // A sheet seen from its edge has no area; turns end at 75° and never get there.
        let area = if area.abs() < 1e-6 { 1e-6 } else { area };
        let (a, b) = (minus(x, o), minus(y, o));
        let row = |i: usize| {
            [
                (a[i] * v[1] - b[i] * u[1]) / area,
                (b[i] * u[0] - a[i] * v[0]) / area,
            ]
        };
        let (first, second) = (row(0), row(1));
        Self {
            across: [first[0], second[0]],
            down: [first[1], second[1]],
            origin: [
                o[0] - first[0] * new_o[0] - first[1] * new_o[1],
                o[1] - second[0] * new_o[0] - second[1] * new_o[1],
            ],
        }
    }

    pub(super) fn back(&self, at: Point2) -> Point2 {
        let place = |i: usize| self.origin[i] + self.across[i] * at.x + self.down[i] * at.y;
        Point2::new(place(0), place(1))
    }
}
