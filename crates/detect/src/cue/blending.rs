//! Blending: the seam along which a face was put into a picture, as a network learned to see it.
//!
//! The network ([`BlendJudge`]) was trained on real faces alone, blended onto changed copies of
//! themselves, after Shiohara and Yamasaki, "Detecting deepfakes with self-blended images", CVPR
//! 2022.

use effigy_face::Observation;
use effigy_frame::{Picture, Plane};
use effigy_model::BlendJudge;

use crate::finding::Cue;
use crate::reading::{Measure, NotTaken, Reading, Taken};

/// What is measured, in this order.
pub const MEASURES: &[Measure] = &[Measure {
    name: "seam",
    high: "The face looks blended into the picture",
    usual: "The face looks as much a part of the picture as real ones do",
}];

/// What was measured so far.
#[derive(Clone, Debug, Default)]
pub struct Blending {
    moments: Vec<(f64, Vec<f32>)>,
    is_left_out: bool,
}

/// What the network made of one frame.
#[derive(Clone, Debug)]
pub struct Seam {
    /// The measures: the network's logit.
    pub values: [f32; 1],
    /// What the network was shown.
    pub crop: Picture,
    /// Where the seam runs, `0..=1`; stretched over `crop`.
    pub map: Plane,
}

/// Moments kept at most: of longer tracks every other is dropped again and again.
const MOST_MOMENTS: usize = 4096;
/// The network is never surer than this, so that a logit stays a number.
const SUREST: f32 = 1e-4;

impl Blending {
    /// Looks at one face. `None` when its mesh is squeezed into a point.
    pub fn look(&mut self, face: &Observation<'_>, judge: &BlendJudge) -> Option<Seam> {
        let (crop, _) = face.aligned(BlendJudge::SIDE_PX, BlendJudge::EXTENT)?;
        let blend = judge.score(&crop);
        let score = blend.score.clamp(SUREST, 1.0 - SUREST);
        let values = [(score / (1.0 - score)).ln()];
        self.moments.push((face.time_secs(), values.to_vec()));
        if MOST_MOMENTS < self.moments.len() {
            let mut keep = false;
            self.moments.retain(|_| {
                keep = !keep;
                keep
            });
        }
        Some(Seam {
            values,
            crop,
            map: blend.seam,
        })
    }

    /// Notes that the network is not asked.
    pub fn leave_out(&mut self) {
        self.is_left_out = true;
    }

    /// Gives the reading.
    ///
    /// # Errors
    /// When the face was never seen well, or the network not asked.
    pub fn finish(self) -> Taken {
        if self.is_left_out {
            return Err(NotTaken::new(
                Cue::Blending,
                "its network cannot yet tell other people's swaps from real faces",
            ));
        }
        if self.moments.is_empty() {
            return Err(NotTaken::new(Cue::Blending, "the face is never seen well"));
        }
        Ok(Reading::of_moments(Cue::Blending, MEASURES, self.moments))
    }
}
