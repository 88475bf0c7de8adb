//! How the mark may lie in a picture: scaled, turned, mirrored, shifted.

use std::f32::consts::TAU;

use crate::watermark::spectrum::{Complex, SIDE};

/// A turn, scaling and mirroring: rows of the matrix that leads from pixels of a plane to pixels of
/// the pattern.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Linear(pub(super) [[f32; 2]; 2]);

/// As the picture was marked.
pub(super) const UPRIGHT: Linear = Linear([[1.0, 0.0], [0.0, 1.0]]);
/// From left to right, as front cameras show.
pub(super) const MIRRORED: Linear = Linear([[-1.0, 0.0], [0.0, 1.0]]);
/// All quarter turns, mirrored or not.
pub(super) const ORIENTATIONS: [Linear; 8] = [
    UPRIGHT,
    MIRRORED,
    Linear([[0.0, -1.0], [1.0, 0.0]]),
    Linear([[0.0, 1.0], [-1.0, 0.0]]),
    Linear([[-1.0, 0.0], [0.0, -1.0]]),
    Linear([[1.0, 0.0], [0.0, -1.0]]),
    Linear([[0.0, 1.0], [1.0, 0.0]]),
    Linear([[0.0, -1.0], [-1.0, 0.0]]),
];

impl Linear {
    pub(super) fn turn(radians: f32) -> Self {
        let (sin, cos) = radians.sin_cos();
        Self([[cos, -sin], [sin, cos]])
    }

    /// Scales each axis by its own factor.
    pub(super) fn stretch(across: f32, down: f32) -> Self {
        Self([[across, 0.0], [0.0, down]])
    }

    /// Chains two, the right one first.
    pub(super) fn of(self, first: Self) -> Self {
        let (a, b) = (self.0, first.0);
        let entry = |i: usize, j: usize| a[i][0] * b[0][j] + a[i][1] * b[1][j];
        Self([[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]])
    }

    /// Periods per pixel of the plane, across and down, of the pattern's wave `k`.
    pub(super) fn frequency(&self, k: [f32; 2]) -> [f32; 2] {
        let Self([[a, b], [c, d]]) = self;
        let side = SIDE as f32;
        [(a * k[0] + c * k[1]) / side, (b * k[0] + d * k[1]) / side]
    }
}

/// How the pattern lies in a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) pattern_from_plane: Linear,
    /// Where the window's middle lies in the pattern, in pattern pixels.
    pub(super) shift: [f32; 2],
    /// Strength of the known signs, in standard deviations of what there is without a mark.
    pub(super) score: f32,
}

impl Place {
    /// What the shift does to the pattern's wave `k`.
    pub(super) fn phase(&self, k: [f32; 2]) -> Complex {
        Complex::cis(TAU * (k[0] * self.shift[0] + k[1] * self.shift[1]) / SIDE as f32)
    }
}
