//! Movement: eyes blink, all the way; the inner face turns and moves as the head does.
//!
//! Blinks after Li, Chang and Lyu, "In ictu oculi: exposing AI created fake videos by detecting
//! eye blinking", WIFS 2018, seen in how dark the eyes are against the cheeks: a lid is skin. The
//! head's turn by the rim of the face against the turn by eyes, nose and mouth after Yang, Li and
//! Lyu, "Exposing deep fakes using inconsistent head poses", ICASSP 2019; and whether rim and
//! inner face are sped up together, which neither trembling points nor a face that floats on the
//! head are.

use effigy_face::Observation;
use effigy_face::landmarks::{INNER_FACE, INNER_FACE_ANCHORS, RIM_ANCHORS, RIM_AND_FOREHEAD};
use effigy_face::pose;
use effigy_frame::Point2;

use crate::cue::interface::{Cadence, Context, Cue, Models};
use crate::kind::CueKind;
use crate::measurement::{self, Measure, Measurement, Skipped, median};
use crate::signal::series::{MOST_FRAMES, covers, unbroken};

/// What is measured, in this order.
pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        name: "shallow-blinks",
        high: "The eyes do not close as far as eyes that blink do",
        usual: "The eyes blink",
    },
    Measure {
        name: "head-apart",
        high: "Eyes, nose and mouth do not move along with the rim of the head",
        usual: "Eyes, nose and mouth move along with the rim of the head",
    },
    Measure {
        name: "turn-gap",
        high: "Eyes, nose and mouth are turned another way than the rim of the head",
        usual: "Eyes, nose and mouth are turned the way the rim of the head is",
    },
];

/// How the head and the eyes moved so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Movement {
    seen: Vec<(f64, Look)>,
}

/// One frame.
#[derive(Clone, Copy, Debug)]
struct Look {
    /// How dark the eyes are against the cheeks.
    darkness: f32,
    /// Middle of eyes and nose, and of the rim, in pixels.
    inner: Point2,
    rim: Point2,
    /// Degrees between the turn of the inner face and that of the rim.
    turn_gap: f32,
}

/// People blink every few seconds.
const LEAST_SECS: f64 = 4.0;
/// Frames a second under which blinks fall between frames.
const LEAST_RATE: f64 = 12.0;
/// Turned further, an eye and half of the rim are hidden.
const MOST_YAW: f32 = 45.0;
/// What changes more slowly than this is no blink.
const SLOW_SECS: f64 = 1.0;
/// Share of the frames in which the eyes are most closed.
const MOST_CLOSED: f32 = 0.005;
/// Depth of a blink beyond which depth says nothing more, in deviations.
const DEEPEST: f32 = 25.0;
/// What is said of a second is taken from it and so much before and after.
const AROUND_SECS: f64 = 1.0;

impl Cue for Movement {
    fn kind(&self) -> CueKind {
        CueKind::Movement
    }

    fn measures(&self) -> &'static [Measure] {
        MEASURES
    }

    fn cadence(&self) -> Cadence {
        Cadence::FitFrames
    }

    fn look(&mut self, face: &Observation<'_>, _models: &Models) -> Option<Vec<f32>> {
        if MOST_YAW < face.pose().yaw.abs() || MOST_FRAMES <= self.seen.len() {
            return None;
        }
        let points = face.points;
        let darkness = face.eye_darkness()?;
        let turn = |of: &[usize]| pose::angles(&pose::rotation_of(points, of));
        let (inner, rim) = (turn(&INNER_FACE), turn(&RIM_AND_FOREHEAD));
        let middle = |of: [usize; 8]| {
            let sum = of.iter().fold(Point2::default(), |sum, &i| {
                Point2::new(sum.x + points[i].x, sum.y + points[i].y)
            });
            Point2::new(sum.x / 8.0, sum.y / 8.0)
        };
        let look = Look {
            darkness,
            inner: middle(INNER_FACE_ANCHORS),
            rim: middle(RIM_ANCHORS),
            turn_gap: (inner.yaw - rim.yaw).hypot(inner.pitch - rim.pitch),
        };
        self.seen.push((face.time_secs(), look));
        None
    }

    fn finish(self: Box<Self>, _context: &Context<'_>) -> measurement::Result {
        let seen = unbroken(&self.seen);
        let times: Vec<f64> = seen.iter().map(|(time, _)| *time).collect();
        if !covers(&times, LEAST_SECS, LEAST_RATE) {
            return Err(Skipped::new(
                CueKind::Movement,
                "the face is not seen well for long enough without a break, four seconds at twelve frames a second",
            ));
        }
        let looks: Vec<Look> = seen.iter().map(|(_, look)| *look).collect();
        if stands_still(&looks) {
            return Err(Skipped::new(
                CueKind::Movement,
                "nothing moves, as in a still picture",
            ));
        }
        let rate = (times.len() - 1) as f64 / (times[times.len() - 1] - times[0]);
        let shallow = deepest_blinks(&looks, rate);
        // Blinks are few: how they are counts for the whole, and not for a moment.
        let moment = |second: u32| {
            let time = times[0] + f64::from(second);
            let start = times.partition_point(|t| *t < time - AROUND_SECS);
            let end = times.partition_point(|t| *t <= time + 1.0 + AROUND_SECS);
            let around = &looks[start..end];
            let values = vec![shallow, head_apart(around), turn_gap(around)];
            (time, values)
        };
        let seconds = 0..=(times[times.len() - 1] - times[0]) as u32;
        Ok(Measurement {
            cue: CueKind::Movement,
            measures: MEASURES,
            overall: vec![shallow, head_apart(&looks), turn_gap(&looks)],
            moments: seconds.map(moment).collect(),
        })
    }
}

/// Whether the head stays where it is to a third of a pixel, which no living head does.
fn stands_still(looks: &[Look]) -> bool {
    let range = |pick: fn(&Look) -> f32| {
        let (low, high) = looks
            .iter()
            .map(pick)
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| {
                (low.min(v), high.max(v))
            });
        high - low
    };
    range(|look| look.rim.x).max(range(|look| look.rim.y)) < 0.3
}

/// How deep the deepest blinks are: negative, in deviations of how dark the eyes usually are.
fn deepest_blinks(looks: &[Look], rate: f64) -> f32 {
    let reach = (0.5 * SLOW_SECS * rate).round().max(1.0) as usize;
    let trace: Vec<f32> = looks.iter().map(|look| look.darkness).collect();
    let quick = without_slow(&trace, reach);
    let middle = median(quick.clone());
    let std = 1.4826 * median(quick.iter().map(|v| (v - middle).abs()).collect());
    let mut sorted = quick;
    sorted.sort_by(f32::total_cmp);
    let deepest = sorted[(sorted.len() as f32 * MOST_CLOSED) as usize];
    (deepest / std.max(LEAST_NOISE)).clamp(-DEEPEST, 0.0)
}

/// Rounding alone makes the eyes flicker by so much.
const LEAST_NOISE: f32 = 1e-3;

/// Takes the running median over `reach` frames on both sides away.
fn without_slow(trace: &[f32], reach: usize) -> Vec<f32> {
    let at = |i: usize| {
        let around = &trace[i.saturating_sub(reach)..trace.len().min(i + reach + 1)];
        trace[i] - median(around.to_vec())
    };
    (0..trace.len()).map(at).collect()
}

/// One less how far inner face and rim are sped up alike.
fn head_apart(looks: &[Look]) -> f32 {
    let sped = |pick: fn(&Look) -> Point2| {
        let bend = move |w: &[Look]| {
            let [a, b, c] = [pick(&w[0]), pick(&w[1]), pick(&w[2])];
            [a.x - 2.0 * b.x + c.x, a.y - 2.0 * b.y + c.y]
        };
        looks.windows(3).flat_map(bend)
    };
    let (mut both, mut inner, mut rim) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (a, b) in sped(|l| l.inner).zip(sped(|l| l.rim)) {
        both += a * b;
        inner += a * a;
        rim += b * b;
    }
    let scale = (inner * rim).sqrt();
    if scale <= STILL {
        0.0
    } else {
        1.0 - both / scale
    }
}

/// Sum of squares of a head that a tripod holds, in pixels.
const STILL: f32 = 1e-6;

fn turn_gap(looks: &[Look]) -> f32 {
    median(looks.iter().map(|look| look.turn_gap).collect())
}

#[cfg(test)]
mod tests;
