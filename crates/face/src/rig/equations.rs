//! The least squares of one step: how far the points are off, and what would move them there.
//!
//! What the expressions do to each other depends on the turn of the head alone, by nine numbers: it
//! is summed over the points once, when the rig is read, and put together for each turn.

use effigy_frame::Point3;

use super::names::N_EXPRESSIONS;
use super::placement::at;
use super::{Placement, Shapes, Vec3};
use crate::landmarks::{
    FACE_RIM, INNER_LIPS, JAW, LEFT_BROW_RIM, LEFT_EYE_RIM, N_SKIN_POINTS, OUTER_LIPS,
    RIGHT_BROW_RIM, RIGHT_EYE_RIM,
};
use crate::pose::Rotation;

/// Depth is guessed by the mesh network: it counts this much against what is seen.
const DEPTH_COUNTS: f32 = 0.12;
/// Pairs of coordinates.
const PAIRS: [(usize, usize); 6] = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)];

type Matrix = [[f32; N_EXPRESSIONS]; N_EXPRESSIONS];

/// What the expressions do to each other, by pair of coordinates.
#[derive(Clone, Debug)]
pub(crate) struct Gram {
    pairs: Vec<Matrix>,
    /// How much each point counts.
    counts: Vec<f32>,
}

/// Lids, lips and brows say most; the rim slides.
fn counts() -> Vec<f32> {
    let mut counts = vec![1.0_f32; N_SKIN_POINTS];
    let mut set = |points: &[usize], count: f32| points.iter().for_each(|&i| counts[i] = count);
    set(&JAW, 1.5);
    set(&RIGHT_BROW_RIM, 2.0);
    set(&LEFT_BROW_RIM, 2.0);
    set(&OUTER_LIPS, 3.0);
    set(&INNER_LIPS, 4.0);
    set(&RIGHT_EYE_RIM, 5.0);
    set(&LEFT_EYE_RIM, 5.0);
    set(&FACE_RIM, 0.4);
    counts
}

impl Gram {
    pub(crate) fn new(points: &Shapes) -> Self {
        let counts = counts();
        let pair = |&(a, b): &(usize, usize)| {
            let mut matrix = [[0.0; N_EXPRESSIONS]; N_EXPRESSIONS];
            for (k, first) in points.expression.iter().enumerate() {
                for (l, second) in points.expression.iter().enumerate() {
                    let sum = (0..N_SKIN_POINTS).map(|i| {
                        let (f, s) = (at(first, i), at(second, i));
                        let mixed = match a == b {
                            true => f[a] * s[a],
                            false => f[a] * s[b] + f[b] * s[a],
                        };
                        f64::from(counts[i] * mixed)
                    });
                    matrix[k][l] = sum.sum::<f64>() as f32;
                }
            }
            matrix
        };
        Self {
            pairs: PAIRS.iter().map(pair).collect(),
            counts,
        }
    }

    /// How much each point counts.
    pub(crate) fn counts(&self) -> &[f32] {
        &self.counts
    }

    fn at(&self, metric: &Rotation) -> Box<Matrix> {
        let mut sum = Box::new([[0.0; N_EXPRESSIONS]; N_EXPRESSIONS]);
        for (&(a, b), matrix) in PAIRS.iter().zip(&self.pairs) {
            let weight = metric[a][b];
            for (row, of) in sum.iter_mut().zip(matrix) {
                for (s, v) in row.iter_mut().zip(of) {
                    *s += weight * v;
                }
            }
        }
        sum
    }
}

/// How much each direction on the head counts, when depth counts less than what is seen.
fn metric(r: &Rotation) -> Rotation {
    let counts = [1.0, 1.0, DEPTH_COUNTS];
    let cell = |a: usize, b: usize| (0..3).map(|i| r[i][a] * counts[i] * r[i][b]).sum();
    std::array::from_fn(|a| std::array::from_fn(|b| cell(a, b)))
}

/// Numbers of the placement: three of the turn, one of the size, three of the shift.
const N_PLACEMENT: usize = 7;

/// The equations of one step.
pub(crate) struct Equations {
    /// Between expressions.
    weights: Box<Matrix>,
    /// Between expressions and placement.
    across: Vec<[f64; N_PLACEMENT]>,
    placement: [[f64; N_PLACEMENT]; N_PLACEMENT],
    /// What the expressions are asked for, and the placement.
    wanted_weights: Vec<f64>,
    wanted_placement: [f64; N_PLACEMENT],
}

impl Equations {
    /// Sets up the step from places on the head (with their expression) and a placement.
    pub(crate) fn new(
        gram: &Gram,
        shapes: &Shapes,
        places: &[f32],
        head: &Placement,
        points: &[Point3],
    ) -> Self {
        let metric = metric(&head.rotation);
        let apply = |v: Vec3| {
            [0, 1, 2].map(|i| metric[i][0] * v[0] + metric[i][1] * v[1] + metric[i][2] * v[2])
        };
        let n = 3 * N_SKIN_POINTS;
        // One column for each number of the placement, and one for how far the points are off.
        let mut columns = vec![vec![0.0_f32; n]; N_PLACEMENT + 1];
        let mut placement = [[0.0_f64; N_PLACEMENT]; N_PLACEMENT];
        let mut wanted_placement = [0.0_f64; N_PLACEMENT];
        for i in 0..N_SKIN_POINTS {
            let count = gram.counts[i];
            let v = at(places, i);
            let p = points[i];
            let back = head.back([p.x, p.y, p.z]);
            let off = [0, 1, 2].map(|k| back[k] - v[k]);
            let moves = moves(v);
            let weighted: [Vec3; N_PLACEMENT] =
                std::array::from_fn(|j| apply(moves[j]).map(|c| count * c));
            let weighted_off = apply(off).map(|c| count * c);
            for (column, part) in columns.iter_mut().zip(&weighted) {
                column[3 * i..3 * i + 3].copy_from_slice(part);
            }
            columns[N_PLACEMENT][3 * i..3 * i + 3].copy_from_slice(&weighted_off);
            for j in 0..N_PLACEMENT {
                for l in 0..N_PLACEMENT {
                    placement[j][l] += f64::from(dot3(moves[j], weighted[l]));
                }
                wanted_placement[j] += f64::from(dot3(moves[j], weighted_off));
            }
        }
        let mut across = vec![[0.0; N_PLACEMENT]; N_EXPRESSIONS];
        let mut wanted_weights = vec![0.0; N_EXPRESSIONS];
        for (k, shape) in shapes.expression.iter().enumerate() {
            for (cell, column) in across[k].iter_mut().zip(&columns) {
                *cell = f64::from(dot(shape, column));
            }
            wanted_weights[k] = f64::from(dot(shape, &columns[N_PLACEMENT]));
        }
        Self {
            weights: gram.at(&metric),
            across,
            placement,
            wanted_weights,
            wanted_placement,
        }
    }

    /// Gives the weights that fit best within `bounds`, and how the placement goes with them.
    ///
    /// `now` are the weights that `places` have; `prior` draws each weight towards a value.
    pub(crate) fn solve(
        &self,
        now: &[f32; N_EXPRESSIONS],
        prior: &Prior,
    ) -> ([f32; N_EXPRESSIONS], [f32; N_PLACEMENT]) {
        let inverse = inverse(&self.placement);
        let wide: Vec<f64> = now.iter().map(|w| f64::from(*w)).collect();
        // The placement is taken out of the equations (Schur's complement).
        let mut through = self.wanted_placement;
        for (row, w) in self.across.iter().zip(&wide) {
            for (t, a) in through.iter_mut().zip(row) {
                *t += a * w;
            }
        }
        let by = |row: &[f64; N_PLACEMENT]| -> [f64; N_PLACEMENT] {
            std::array::from_fn(|j| (0..N_PLACEMENT).map(|l| row[l] * inverse[l][j]).sum())
        };
        let carried: Vec<[f64; N_PLACEMENT]> = self.across.iter().map(by).collect();
        let mut matrix = vec![[0.0_f64; N_EXPRESSIONS]; N_EXPRESSIONS];
        let mut wanted = vec![0.0_f64; N_EXPRESSIONS];
        for k in 0..N_EXPRESSIONS {
            let mut own = 0.0;
            for l in 0..N_EXPRESSIONS {
                let plain = f64::from(self.weights[k][l]);
                own += plain * wide[l];
                let lost: f64 = (0..N_PLACEMENT)
                    .map(|j| carried[k][j] * self.across[l][j])
                    .sum();
                matrix[k][l] = plain - lost;
            }
            let lost: f64 = (0..N_PLACEMENT).map(|j| carried[k][j] * through[j]).sum();
            wanted[k] = self.wanted_weights[k] + own - lost;
            matrix[k][k] += prior.pull[k];
            wanted[k] += prior.pull[k] * prior.towards[k] - prior.cost[k];
        }
        let weights = within(&matrix, &wanted, prior, wide);
        let mut left = through;
        for (row, w) in self.across.iter().zip(&weights) {
            for (t, a) in left.iter_mut().zip(row) {
                *t -= a * w;
            }
        }
        let nudge = std::array::from_fn(|j| {
            (0..N_PLACEMENT)
                .map(|l| inverse[j][l] * left[l])
                .sum::<f64>() as f32
        });
        (std::array::from_fn(|k| weights[k] as f32), nudge)
    }
}

/// What is thought of the weights before the points are seen.
#[derive(Clone, Debug)]
pub(crate) struct Prior {
    /// Least and most that each weight may be.
    pub(crate) bounds: [[f64; 2]; N_EXPRESSIONS],
    /// How strongly each is drawn.
    pub(crate) pull: [f64; N_EXPRESSIONS],
    /// Whereto.
    pub(crate) towards: [f64; N_EXPRESSIONS],
    /// What each costs by itself: few expressions explain a face better than many.
    pub(crate) cost: [f64; N_EXPRESSIONS],
}

/// Sweeps over the weights; what is left to gain after them is far below a hundredth.
const SWEEPS: usize = 30;

/// Minimises within the bounds, one weight after the other.
fn within(
    matrix: &[[f64; N_EXPRESSIONS]],
    wanted: &[f64],
    prior: &Prior,
    mut weights: Vec<f64>,
) -> Vec<f64> {
    for _sweep in 0..SWEEPS {
        let mut most = 0.0_f64;
        for k in 0..N_EXPRESSIONS {
            let [least, greatest] = prior.bounds[k];
            let row = &matrix[k];
            let sum: f64 = row.iter().zip(&weights).map(|(a, w)| a * w).sum();
            let alone = (wanted[k] - sum + row[k] * weights[k]) / row[k].max(1e-9);
            let new = alone.clamp(least, greatest);
            most = most.max((new - weights[k]).abs());
            weights[k] = new;
        }
        if most < 1e-4 {
            break;
        }
    }
    weights
}

/// How a place moves for each number of the placement, as seen from the head.
fn moves([x, y, z]: Vec3) -> [Vec3; N_PLACEMENT] {
    [
        [0.0, -z, y],
        [z, 0.0, -x],
        [-y, x, 0.0],
        [x, y, z],
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
    ]
}

fn dot3(a: Vec3, b: Vec3) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Sums products in lanes, which the compiler makes vectors of.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let (whole_a, rest_a) = a.as_chunks::<LANES>();
    let (whole_b, rest_b) = b.as_chunks::<LANES>();
    let mut lanes = [0.0_f32; LANES];
    for (x, y) in whole_a.iter().zip(whole_b) {
        for ((lane, p), q) in lanes.iter_mut().zip(x).zip(y) {
            *lane += p * q;
        }
    }
    let rest: f32 = rest_a.iter().zip(rest_b).map(|(x, y)| x * y).sum();
    lanes.iter().sum::<f32>() + rest
}

/// Inverts a small positive matrix by elimination.
pub(crate) fn inverse<const N: usize>(matrix: &[[f64; N]; N]) -> [[f64; N]; N] {
    let mut left = *matrix;
    let mut right = [[0.0; N]; N];
    for i in 0..N {
        right[i][i] = 1.0;
        left[i][i] += 1e-9;
    }
    for i in 0..N {
        let pivot = left[i][i];
        for k in 0..N {
            left[i][k] /= pivot;
            right[i][k] /= pivot;
        }
        for j in (0..N).filter(|j| *j != i) {
            let share = left[j][i];
            for k in 0..N {
                left[j][k] -= share * left[i][k];
                right[j][k] -= share * right[i][k];
            }
        }
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inverse_undoes_its_matrix() {
        let matrix = [[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]];
        let inverse = inverse(&matrix);
        for (i, row) in matrix.iter().enumerate() {
            let product: [f64; 3] =
                std::array::from_fn(|k| (0..3).map(|j| row[j] * inverse[j][k]).sum());
            for (k, cell) in product.into_iter().enumerate() {
                let wanted = if i == k { 1.0 } else { 0.0 };
                assert!((cell - wanted).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn lanes_sum_what_plain_sums_do() {
        let a: Vec<f32> = (0..37).map(|i| (i as f32).sin()).collect();
        let b: Vec<f32> = (0..37).map(|i| (i as f32 * 0.7).cos()).collect();
        let plain: f32 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
        assert!((dot(&a, &b) - plain).abs() < 1e-5);
    }
}
