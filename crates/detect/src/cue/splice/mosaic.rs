//! The mosaic of colour filters before a camera's sensor: which pixels of green were measured, in
//! the face and around it.
//!
//! After Popescu and Farid, "Exposing digital forgeries in color filter array interpolated images",
//! IEEE Transactions on Signal Processing 2005, and Ferrara et al., "Image forgery localization via
//! fine-grained analysis of CFA artifacts", IEEE TIFS 2012: green that was filled in from its
//! neighbours is predicted better by them than green that was measured. Every square votes for one
//! of the two chequers of measured pixels; without a mosaic both are equally likely. Scaling and
//! all but the finest JPEG leave nothing of it.

use effigy_face::patch::{Part, Patch};
use effigy_frame::Picture;

use super::chance::ln_tail;

/// How a face differs from a picture that shows a mosaic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Foreign {
    /// It has the mosaic of a picture that began elsewhere.
    Shifted,
    /// It has none, where its surroundings have one.
    Missing,
}

/// Side of a square that votes.
const SIDE_PX: u32 = 16;
/// Mean squared error of prediction that a square needs, in squared levels: flat skin of a phone
/// has no mosaic left.
const LEAST_ERROR: f32 = 0.5;
/// By chance once in a thousand surroundings and once in ten thousand faces.
const LN_RARE_AROUND: f64 = -6.9;
const LN_RARE_FACE: f64 = -9.2;
/// Surroundings that agree less have no mosaic that a face would have to share.
const LEAST_SHARE_AROUND: f64 = 0.85;
/// A face that agrees more has some of it.
const MOST_SHARE_MISSING: f64 = 0.7;

/// Compares the mosaics of a face and of its surroundings. `None` where they agree, or where the
/// surroundings show none.
pub(super) fn foreign(picture: &Picture, patch: &Patch) -> Option<Foreign> {
    let around = Votes::of(picture, patch, &|part| part == Part::Around);
    let chequer = usize::from(around.counts[0] < around.counts[1]);
    let (n, agree) = (around.n(), around.counts[chequer]);
    let share = f64::from(agree) / f64::from(n.max(1));
    if LN_RARE_AROUND < ln_tail(n, agree, 0.5) || share < LEAST_SHARE_AROUND {
        return None;
    }
    let face = Votes::of(picture, patch, &|part| {
        matches!(part, Part::Inner | Part::Eyes | Part::Lips)
    });
    let (n, same) = (face.n(), face.counts[chequer]);
    let others = n - same;
    if ln_tail(n, others, 0.5) < LN_RARE_FACE {
        return Some(Foreign::Shifted);
    }
    let is_missing = f64::from(same) < MOST_SHARE_MISSING * f64::from(n);
    (is_missing && ln_tail(n, others, 1.0 - share) < LN_RARE_FACE).then_some(Foreign::Missing)
}

/// How many squares vote for each chequer.
#[derive(Default)]
struct Votes {
    counts: [u32; 2],
}

impl Votes {
    fn of(picture: &Picture, patch: &Patch, is_part: &dyn Fn(Part) -> bool) -> Self {
        let mut votes = Self::default();
        let (left, top) = (patch.origin.0.max(1), patch.origin.1.max(1));
        let right = (left + patch.width as u32 * patch.factor).min(picture.width() - 1);
        let bottom = (top + patch.height as u32 * patch.factor).min(picture.height() - 1);
        for y in (top..bottom.saturating_sub(SIDE_PX)).step_by(SIDE_PX as usize) {
            for x in (left..right.saturating_sub(SIDE_PX)).step_by(SIDE_PX as usize) {
                let last = SIDE_PX - 1;
                let corners = [(0, 0), (last, 0), (0, last), (last, last)];
                let mut parts = corners.iter().map(|(u, v)| patch.part_at(x + u, y + v));
                if !parts.all(is_part) {
                    continue;
                }
                if let Some(chequer) = measured_chequer(picture, (x, y)) {
                    votes.counts[chequer] += 1;
                }
            }
        }
        votes
    }

    fn n(&self) -> u32 {
        self.counts[0] + self.counts[1]
    }
}

/// On which chequer green is predicted worse from its four neighbours; `None` of a flat square.
fn measured_chequer(picture: &Picture, (left, top): (u32, u32)) -> Option<usize> {
    let green = |x: u32, y: u32| f32::from(picture.get(x, y)[1]);
    let mut errors = [0.0_f32; 2];
    for y in top..top + SIDE_PX {
        for x in left..left + SIDE_PX {
            let near = green(x - 1, y) + green(x + 1, y) + green(x, y - 1) + green(x, y + 1);
            let error = green(x, y) - 0.25 * near;
            errors[((x + y) % 2) as usize] += error * error;
        }
    }
    let n = (SIDE_PX * SIDE_PX) as f32;
    (LEAST_ERROR * n < errors[0] + errors[1]).then(|| usize::from(errors[0] < errors[1]))
}
