//! How well the mesh closes lids and opens lips, against the truth.

use std::collections::BTreeMap;

use effigy_face::landmarks::{EYES, LOWER_LIP_INNER, UPPER_LIP_INNER, eye_distance};
use effigy_frame::Point3;

/// Gaps of one eye over a clip, in eye distances: the truth, and the mesh.
type Gap = [f32; 2];

/// Lids and lips of all clips.
#[derive(Default)]
pub(super) struct Gaps {
    /// Lids of the clip at hand, by eye.
    lids: BTreeMap<String, Vec<Gap>>,
    /// Of closed eyes: how open the mesh and the truth are, as shares of the open eye.
    closed: Vec<Gap>,
    /// Of open eyes.
    open: Vec<Gap>,
    lips: Vec<Gap>,
}

/// An eye is closed where it is as closed as the drawn lids come, its gap a quarter to a third of
/// the open one (they are thick, and the mesh's points lie on their outer edge).
const NEARLY_LEAST: f32 = 1.15;
/// Share of the open gap above which an eye is open.
const OPEN: f32 = 0.7;
/// Gap of open lips, in eye distances.
const OPEN_LIPS: f32 = 0.05;

impl Gaps {
    pub(super) fn add(&mut self, whose: &str, truth: &[Point3], mesh: &[Point3]) {
        let unit = eye_distance(truth);
        let gap = |a: usize, b: usize| {
            [truth, mesh].map(|points| points[a].xy().distance(points[b].xy()) / unit)
        };
        for (k, eye) in EYES.iter().enumerate() {
            let lids = self.lids.entry(format!("{whose} {k}")).or_default();
            lids.push(gap(eye.upper_lid, eye.lower_lid));
        }
        self.lips.push(gap(UPPER_LIP_INNER, LOWER_LIP_INNER));
    }

    pub(super) fn end_of_clip(&mut self) {
        for gaps in std::mem::take(&mut self.lids).into_values() {
            let open = [0, 1].map(|which| median(gaps.iter().map(|gap| gap[which])));
            let least = gaps.iter().map(|gap| gap[0]).fold(f32::INFINITY, f32::min);
            if least > 0.5 * open[0] {
                continue; // it never closed
            }
            for gap in gaps {
                let shares = [gap[0] / open[0], gap[1] / open[1]];
                if gap[0] < NEARLY_LEAST * least {
                    self.closed.push(shares);
                } else if shares[0] > OPEN {
                    self.open.push(shares);
                }
            }
        }
    }

    pub(super) fn print(&self) {
        let share = |gaps: &[Gap], of: &dyn Fn(&Gap) -> bool| {
            let n = gaps.iter().filter(|gap| of(gap)).count();
            100.0 * n as f64 / gaps.len().max(1) as f64
        };
        let mean = |which: usize| {
            let sum: f32 = self.closed.iter().map(|gap| gap[which]).sum();
            sum / self.closed.len().max(1) as f32
        };
        println!(
            "closed eyes {}: gap {:.2} of the open one, in truth {:.2}; within 0.15 of the truth \
             {:.1} %; open eyes {}: less than half open {:.2} %",
            self.closed.len(),
            mean(1),
            mean(0),
            share(&self.closed, &|gap| gap[1] - gap[0] < 0.15),
            self.open.len(),
            share(&self.open, &|gap| gap[1] < 0.5),
        );
        let open = self.lips.iter().filter(|gap| gap[0] > OPEN_LIPS);
        let (n, truth, mesh) = open.fold((0, 0.0, 0.0), |(n, truth, mesh), gap| {
            (n + 1, truth + gap[0], mesh + gap[1])
        });
        let error: f32 = self.lips.iter().map(|gap| (gap[1] - gap[0]).abs()).sum();
        println!(
            "lips: gap off by {:.2} % of the eye distance; open ones {n}: {:.2} of the true gap",
            100.0 * error / self.lips.len().max(1) as f32,
            mesh / truth,
        );
    }
}

fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f32::NAN)
}
