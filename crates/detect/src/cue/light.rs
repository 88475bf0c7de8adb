//! Light: how it falls on a face changes slowly, and is alike for faces side by side.
//!
//! The brightness of the skin at the points of the mesh is fitted with nine spherical harmonics of
//! the points' normals (Basri and Jacobs, "Lambertian reflectance and linear subspaces", PAMI
//! 2003; Kee and Farid, "Exposing digital forgeries from 3-D lighting environments", WIFS 2010).
//! The first three beside the mean say from where the light comes; a face that is drawn anew for
//! each frame lets it jump. On the face swaps at hand neither number tells swaps from real faces
//! wherever they were filmed, so this is noted and does not count in the verdict.

use std::sync::LazyLock;

use effigy_face::landmarks::{
    LEFT_EYE, MOUTH_LEFT, MOUTH_RIGHT, N_SKIN_POINTS, NOSE_BASE, RIGHT_EYE,
};
use effigy_face::{Observation, skin};
use effigy_model::mean_mesh;

use crate::cue::interface::{Cadence, Context, Cue, Facts, Models};
use crate::kind::CueKind;
use crate::measurement::{self, Measure, Measurement, Skipped, median};
use crate::signal::series::{MOST_FRAMES, covers, unbroken};

/// What is measured, in this order.
pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        name: "jumps",
        high: "The light on the face jumps from frame to frame",
        usual: "The light on the face stays steady from frame to frame",
    },
    Measure {
        name: "bare-skin",
        high: "The skin is lit like a bare shape, without marks of its own",
        usual: "The skin has marks of its own besides the light",
    },
];

/// How the face was lit so far.
#[derive(Clone, Debug, Default)]
pub struct Light {
    seen: Vec<(f64, Lit)>,
}

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Lit {
    /// From where the light comes and how one-sided it is: x right, y down, z away.
    towards: [f32; 3],
    /// Brightness that the light does not explain, as a share of the mean.
    unexplained: f32,
}

/// Seconds and frames a second that are needed to see jumps.
const LEAST_SECS: f64 = 2.0;
const LEAST_RATE: f64 = 12.0;
/// Smaller faces have too few pixels of skin.
const LEAST_SIZE_PX: f32 = 64.0;
/// One moment stands for this long.
const MOMENT_SECS: f64 = 1.0;
/// Share of the frames that may jump further.
const MOST_JUMPS: f32 = 0.95;

const N_HARMONICS: usize = 9;
/// Pulls harmonics to zero that few points see.
const RIDGE: f64 = 0.02;
/// What screens do to light.
const GAMMA: f32 = 2.2;
/// A point is seen when its normal is turned this far towards the camera.
const SEEN_FROM: f32 = 0.15;
const LEAST_POINTS: usize = 60;

impl Cue for Light {
    fn kind(&self) -> CueKind {
        CueKind::Light
    }

    fn measures(&self) -> &'static [Measure] {
        MEASURES
    }

    fn cadence(&self) -> Cadence {
        Cadence::FitFrames
    }

    fn look(&mut self, face: &Observation<'_>, _models: &Models) -> Option<Vec<f32>> {
        self.take(face);
        None
    }

    fn add_facts(&self, facts: &mut Facts) {
        facts.light_towards = self.towards();
    }

    fn finish(self: Box<Self>, _context: &Context<'_>) -> measurement::Result {
        let seen = unbroken(&self.seen);
        let times: Vec<f64> = seen.iter().map(|(time, _)| *time).collect();
        if !covers(&times, LEAST_SECS, LEAST_RATE) {
            return Err(Skipped::new(
                CueKind::Light,
                "light is followed over time, and the face is not seen well for two seconds at twelve frames a second",
            ));
        }
        let lit: Vec<Lit> = seen.iter().map(|(_, lit)| *lit).collect();
        let rate = (times.len() - 1) as f64 / (times[times.len() - 1] - times[0]);
        let length = ((MOMENT_SECS * rate) as usize).max(4);
        let chunks = lit.chunks_exact(length).zip(times.iter().step_by(length));
        Ok(Measurement {
            cue: CueKind::Light,
            measures: MEASURES,
            overall: measure(&lit),
            moments: chunks
                .map(|(chunk, time)| (*time, measure(chunk)))
                .collect(),
        })
    }
}

impl Light {
    /// Looks at one face.
    pub fn take(&mut self, face: &Observation<'_>) {
        if face.size_px() < LEAST_SIZE_PX || MOST_FRAMES <= self.seen.len() {
            return;
        }
        if let Some(lit) = lit(face) {
            self.seen.push((face.time_secs(), lit));
        }
    }

    /// From where the light came on the whole; `None` when the face was never seen well.
    pub fn towards(&self) -> Option<[f32; 3]> {
        let axis = |k: usize| median(self.seen.iter().map(|(_, lit)| lit.towards[k]).collect());
        (!self.seen.is_empty()).then(|| std::array::from_fn(axis))
    }
}

fn measure(lit: &[Lit]) -> Vec<f32> {
    let jump = |w: &[Lit]| {
        let bend = |k: usize| w[0].towards[k] - 2.0 * w[1].towards[k] + w[2].towards[k];
        (0..3).map(|k| bend(k).powi(2)).sum::<f32>().sqrt()
    };
    let mut jumps: Vec<f32> = lit.windows(3).map(jump).collect();
    jumps.sort_by(f32::total_cmp);
    let last = jumps.len().saturating_sub(1);
    let high = jumps.get(((jumps.len() as f32 * MOST_JUMPS) as usize).min(last));
    let unexplained = median(lit.iter().map(|lit| lit.unexplained).collect());
    vec![high.copied().unwrap_or(0.0), -unexplained]
}

/// Points of the mesh on bare skin, each with its normal on the mean mesh.
static SKIN: LazyLock<Vec<(usize, [f32; 3])>> = LazyLock::new(|| {
    let on_skin = |i: &usize| is_skin(*i);
    (0..N_SKIN_POINTS)
        .filter(on_skin)
        .map(|i| (i, normal(i)))
        .collect()
});

/// Eyes with brows, mouth and nostrils: where, and half their size, in the mean mesh's unit.
const NO_SKIN: [([usize; 2], f32, [f32; 2]); 4] = [
    ([RIGHT_EYE.outer, RIGHT_EYE.inner], -0.04, [0.23, 0.19]),
    ([LEFT_EYE.inner, LEFT_EYE.outer], -0.04, [0.23, 0.19]),
    ([MOUTH_RIGHT, MOUTH_LEFT], 0.0, [0.34, 0.18]),
    ([NOSE_BASE, NOSE_BASE], 0.0, [0.15, 0.06]),
];

fn is_skin(i: usize) -> bool {
    let mean = mean_mesh();
    NO_SKIN.iter().all(|([a, b], down, half)| {
        let middle = mean[*a].xy().midpoint(mean[*b].xy());
        let (dx, dy) = (mean[i].x - middle.x, mean[i].y - middle.y - down);
        1.0 <= (dx / half[0]).hypot(dy / half[1])
    })
}

/// The normal of the plane through a point's nearest neighbours, towards the camera.
fn normal(i: usize) -> [f32; 3] {
    const NEIGHBOURS: usize = 10;
    let mean = mean_mesh();
    let here = mean[i];
    let mut around: Vec<[f64; 3]> = mean[..N_SKIN_POINTS]
        .iter()
        .map(|p| [p.x - here.x, p.y - here.y, p.z - here.z].map(f64::from))
        .collect();
    let squared_distance = |p: &[f64; 3]| p.iter().map(|v| v * v).sum::<f64>();
    around.sort_by(|a, b| squared_distance(a).total_cmp(&squared_distance(b)));
    // z = a·x + b·y by least squares.
    let sum = |f: fn(&[f64; 3]) -> f64| around.iter().take(NEIGHBOURS).map(f).sum::<f64>();
    let (xx, xy, yy) = (
        sum(|p| p[0] * p[0]),
        sum(|p| p[0] * p[1]),
        sum(|p| p[1] * p[1]),
    );
    let (xz, yz) = (sum(|p| p[0] * p[2]), sum(|p| p[1] * p[2]));
    let det = (xx * yy - xy * xy).max(1e-12);
    let (a, b) = ((xz * yy - yz * xy) / det, (yz * xx - xz * xy) / det);
    let length = (a * a + b * b + 1.0).sqrt();
    [a / length, b / length, -1.0 / length].map(|v| v as f32)
}

fn lit(face: &Observation<'_>) -> Option<Lit> {
    let points = face.points;
    let turned = face.rotation();
    let reach_px = (face.size_px() / 60.0) as u32;
    let mut seen: Vec<([f32; 3], f32)> = Vec::with_capacity(SKIN.len());
    for (i, normal) in SKIN.iter() {
        let turn = |row: &[f32; 3]| row.iter().zip(normal).map(|(r, n)| r * n).sum::<f32>();
        let normal = turned.each_ref().map(turn);
        if -SEEN_FROM < normal[2] {
            continue;
        }
        let place = points[*i].xy();
        if let Some(level) = skin::brightness(&face.frame.picture, place, reach_px) {
            seen.push((normal, (level / 255.0).powf(GAMMA)));
        }
    }
    fit(&seen)
}

/// Lays brightness on harmonics of the normals.
fn fit(seen: &[([f32; 3], f32)]) -> Option<Lit> {
    if seen.len() < LEAST_POINTS {
        return None;
    }
    let n = seen.len() as f64;
    let mut matrix = [[0.0_f64; N_HARMONICS]; N_HARMONICS];
    let mut wanted = [0.0_f64; N_HARMONICS];
    for (normal, level) in seen {
        let harmonics = harmonics(*normal);
        for (i, row) in matrix.iter_mut().enumerate() {
            wanted[i] += harmonics[i] * f64::from(*level) / n;
            for (k, cell) in row.iter_mut().enumerate() {
                *cell += harmonics[i] * harmonics[k] / n;
            }
        }
    }
    for (i, row) in matrix.iter_mut().enumerate().skip(1) {
        row[i] += RIDGE;
    }
    let light = solve(matrix, wanted)?;
    let mean = seen.iter().map(|(_, level)| f64::from(*level)).sum::<f64>() / n;
    if mean < LEAST_MEAN {
        return None;
    }
    let squared_error = |(normal, level): &([f32; 3], f32)| {
        let explained: f64 = harmonics(*normal)
            .iter()
            .zip(&light)
            .map(|(h, l)| h * l)
            .sum();
        (f64::from(*level) - explained).powi(2)
    };
    let unexplained = (seen.iter().map(squared_error).sum::<f64>() / n).sqrt() / mean;
    let scale = light[0].max(0.05 * mean);
    Some(Lit {
        towards: std::array::from_fn(|k| (light[k + 1] / scale) as f32),
        unexplained: unexplained as f32,
    })
}

/// Darker skin, of 1 and in linear light, has no light to speak of.
const LEAST_MEAN: f64 = 1e-3;

/// The first nine, without their constant factors.
fn harmonics(normal: [f32; 3]) -> [f64; N_HARMONICS] {
    let [x, y, z] = normal.map(f64::from);
    [
        1.0,
        x,
        y,
        z,
        x * y,
        x * z,
        y * z,
        x * x - y * y,
        3.0 * z * z - 1.0,
    ]
}

/// Solves a symmetric system by elimination; the ridge keeps its pivots from zero.
fn solve(
    mut m: [[f64; N_HARMONICS]; N_HARMONICS],
    mut v: [f64; N_HARMONICS],
) -> Option<[f64; N_HARMONICS]> {
    for i in 0..N_HARMONICS {
        if m[i][i].abs() < 1e-12 {
            return None;
        }
        let (pivot, pivot_value) = (m[i], v[i]);
        for k in i + 1..N_HARMONICS {
            let share = m[k][i] / pivot[i];
            for (cell, above) in m[k].iter_mut().zip(pivot) {
                *cell -= share * above;
            }
            v[k] -= share * pivot_value;
        }
    }
    for i in (0..N_HARMONICS).rev() {
        let known: f64 = (i + 1..N_HARMONICS).map(|k| m[i][k] * v[k]).sum();
        v[i] = (v[i] - known) / m[i][i];
    }
    Some(v)
}

/// Degrees between two lights as the camera sees them; `None` where one hardly has a direction.
pub(crate) fn degrees_between(a: [f32; 3], b: [f32; 3]) -> Option<f32> {
    let length = |v: [f32; 3]| v[0].hypot(v[1]);
    let lengths = [length(a), length(b)];
    if lengths.iter().any(|l| *l < LEAST_ONE_SIDED) {
        return None;
    }
    let cos = (a[0] * b[0] + a[1] * b[1]) / (lengths[0] * lengths[1]);
    Some(cos.clamp(-1.0, 1.0).acos().to_degrees())
}

/// Light that is less one-sided than this comes from everywhere or from the camera.
const LEAST_ONE_SIDED: f32 = 0.1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cue::interface::testing::finished;
    use effigy_face::landmarks::EARS;

    /// The mean mesh's skin under a lamp, `towards` it, with some light from everywhere.
    fn lit_head(towards: [f32; 3], marks: f32) -> Lit {
        let level = |(i, (_, normal)): (usize, &(usize, [f32; 3]))| {
            let lamp: f32 = normal.iter().zip(towards).map(|(n, t)| n * t).sum();
            let mark = if i % 2 == 0 { marks } else { -marks };
            (*normal, 0.4 + 0.3 * lamp + mark)
        };
        let seen: Vec<_> = SKIN.iter().enumerate().map(level).collect();
        fit(&seen).unwrap()
    }

    #[test]
    fn normals_point_at_the_camera_and_the_sides_outwards() {
        assert!(SKIN.iter().all(|(_, n)| n[2] < 0.0));
        let of = |i: usize| SKIN.iter().find(|(k, _)| *k == i).unwrap().1;
        assert!(
            of(EARS[0])[0] < -0.3 && 0.3 < of(EARS[1])[0],
            "temples face sideways"
        );
        assert!(100 < SKIN.len(), "{}", SKIN.len());
    }

    #[test]
    fn the_light_of_a_lit_head_is_recovered() {
        for towards in [[0.6, -0.6, -0.5], [-0.8, 0.0, -0.6], [0.0, -0.9, -0.4]] {
            let lit = lit_head(towards, 0.0);
            let degrees = degrees_between(lit.towards, towards).unwrap();
            assert!(degrees < 12.0, "{towards:?} became {lit:?}"); // what the ridge bends
            assert!(lit.unexplained < 0.05, "{lit:?}");
        }
        assert_eq!(degrees_between([0.0, 0.0, -1.0], [1.0, 0.0, 0.0]), None);
    }

    #[test]
    fn marks_of_the_skin_are_not_light() {
        let (bare, marked) = (
            lit_head([0.6, 0.0, -0.8], 0.0),
            lit_head([0.6, 0.0, -0.8], 0.1),
        );
        assert!(bare.unexplained + 0.1 < marked.unexplained, "{marked:?}");
    }

    #[test]
    fn light_that_jumps_is_found() {
        let watched = |jump: f32| {
            let frame = |i: i32| {
                let x = 0.5 + if i % 10 == 0 { jump } else { 0.0 };
                (f64::from(i) / 25.0, lit_head([x, -0.3, -0.6], 0.0))
            };
            let seen = (0..75).map(frame).collect();
            finished(Light { seen }).unwrap().overall[0]
        };
        let (steady, jumping) = (watched(0.0), watched(0.5));
        assert!(steady < 1e-3 && 0.1 < jumping, "{steady} {jumping}");
    }

    #[test]
    fn a_picture_is_not_judged() {
        let seen = vec![(0.0, lit_head([0.5, 0.0, -0.8], 0.0))];
        let light = Light { seen };
        assert!(light.towards().is_some_and(|t| 0.1 < t[0]));
        assert!(finished(light).is_err());
    }
}
