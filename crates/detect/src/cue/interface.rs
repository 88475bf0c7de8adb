//! What a cue is, and what it is given.

use std::fmt;

use effigy_face::Observation;
use effigy_face::patch::Patch;
use effigy_frame::{Picture, Plane, Point2, Similarity, resample};
use effigy_model::{BlendJudge, FaceEmbedder, Identity, PictureNet, TraceBank};

use crate::kind::CueKind;
use crate::measurement::{self, Measure};
use crate::sound::Sound;

/// Looks at one thing in one face, over time.
pub(crate) trait Cue: fmt::Debug + Send {
    /// Which cue this is.
    fn kind(&self) -> CueKind;

    /// What it measures, in order.
    fn measures(&self) -> &'static [Measure];

    /// The frames in which it is shown the face.
    fn cadence(&self) -> Cadence;

    /// Looks at the face in one frame.
    ///
    /// Gives this frame's measures where they can be scored alone and the cue can show by
    /// [`Cue::evidence`] where it saw them.
    fn look(&mut self, face: &Observation<'_>, models: &Models) -> Option<Vec<f32>>;

    /// Shows what [`Cue::look`] saw in this frame; asked right after it, if the frame is worth it.
    fn evidence(&mut self, _face: &Observation<'_>) -> Option<EvidenceMap> {
        None
    }

    /// Adds what it learned of the face besides its measures.
    fn add_facts(&self, _facts: &mut Facts) {}

    /// Gives what was measured over all.
    ///
    /// # Errors
    /// The reason why it could not judge.
    fn finish(self: Box<Self>, context: &Context<'_>) -> measurement::Result;
}

/// In which frames a cue is shown a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cadence {
    /// In all.
    EveryFrame,
    /// In all in which the face is large, bright, sharp and frontal enough.
    FitFrames,
    /// A few times a second, where the face is fit and passes the material check.
    CloseLooks,
}

/// The networks that cues ask.
#[derive(Clone, Debug)]
pub struct Models {
    /// Sees where a face was blended in; not asked when there is none.
    pub blend_judge: Option<BlendJudge>,
    /// Tells people apart; not asked when there is none.
    pub face_embedder: Option<FaceEmbedder>,
    /// Sees traces of known makers; not asked when there is none.
    pub trace_judge: Option<TraceJudge>,
}

/// What judges by traces.
#[derive(Clone, Debug)]
pub struct TraceJudge {
    /// Has seen pictures.
    pub network: PictureNet,
    /// Knows makers.
    pub bank: TraceBank,
}

/// What cues need at the end besides what they saw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// The file's sound.
    pub(crate) sound: &'a Sound,
}

/// What is known of a face besides measures.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Whose face it is.
    pub(crate) identity: Option<Identity>,
    /// From where the light came, where that was seen: x right, y down, z away.
    pub(crate) light_towards: Option<[f32; 3]>,
}

/// A face with a map of where it looks wrong.
#[derive(Clone, Debug)]
pub(crate) struct EvidenceMap {
    /// The face with its surroundings.
    pub(crate) picture: Picture,
    /// How wrong each place is, `0..=1`; stretched over `picture`.
    pub(crate) map: Plane,
}

/// Longer side of the picture that shows a patch.
const EVIDENCE_SIDE_PX: f32 = 240.0;

impl EvidenceMap {
    /// Shows what a patch shows; `map` is stretched over the patch.
    pub(crate) fn of_patch(face: &Observation<'_>, patch: &Patch, map: Plane) -> Self {
        let (width, height) = (
            patch.width as f32 * patch.factor as f32,
            patch.height as f32 * patch.factor as f32,
        );
        let scale = width.max(height) / EVIDENCE_SIDE_PX;
        let (left, top) = (patch.origin.0 as f32, patch.origin.1 as f32);
        let view = Similarity::about(Point2::default(), Point2::new(left, top), scale, 0.0);
        let side = |px: f32| (px / scale).round().max(1.0) as u32;
        Self {
            picture: resample::warp(&face.frame.picture, view, side(width), side(height)),
            map,
        }
    }
}

/// What tests of cues need.
#[cfg(test)]
pub(crate) mod testing {
    use effigy_model::device::{self, Choice};

    use super::*;

    /// Networks that learned nothing.
    pub(crate) fn models() -> Models {
        Models {
            blend_judge: None,
            face_embedder: Some(FaceEmbedder::new(&device::open(Choice::Cpu).unwrap())),
            trace_judge: None,
        }
    }

    /// What a cue measured, where there is no sound.
    pub(crate) fn finished(cue: impl Cue) -> measurement::Result {
        let sound = Sound::Unusable("there is no sound".to_owned());
        Box::new(cue).finish(&Context { sound: &sound })
    }
}
