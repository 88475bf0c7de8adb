//! The cues, one file each: each looks at one thing.
//!
//! A cue is shown a face frame by frame and keeps a few numbers a second; at the end it gives one
//! `Measurement`, or says why it has none. A new cue is a file
//! of its own, a [`CueKind`] here, a line in the collection of `observe/track.rs`, and numbers in
//! `weights/fuse.toml` once it was calibrated.

pub(crate) mod blending;
pub(crate) mod compression;
#[cfg(test)]
pub(crate) mod dummy;
pub(crate) mod identity;
pub mod light;
pub(crate) mod movement;
pub(crate) mod noise;
pub(crate) mod pulse;
pub(crate) mod speech;
pub(crate) mod splice;
pub(crate) mod synthesis;

use std::fmt;

use effigy_face::Observation;
use effigy_face::patch::Patch;
use effigy_frame::{Picture, Plane, Point2, Similarity, resample};
use effigy_model::{BlendJudge, FaceEmbedder, Identity};

use crate::measurement::{self, Measure};
use crate::sound::Sound;

/// Which cue. Its order is that of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CueKind {
    /// Seams of a face blended into a picture.
    Blending,
    /// Noise and sharpness of the face against its surroundings.
    Noise,
    /// How the face was compressed against its surroundings.
    Compression,
    /// Traces that generators leave in the spectrum.
    Synthesis,
    /// Whether a picture's face comes from elsewhere.
    Splice,
    /// Whether the face stays the same person's.
    Identity,
    /// Whether head and face move together as they should.
    Movement,
    /// Whether the light on the face stays and fits.
    Light,
    /// The pulse in the skin.
    Pulse,
    /// Whether lips and sound fit.
    Speech,
    /// How the file was put together.
    Container,
    /// Credentials, watermarks and metadata.
    Provenance,
    /// Whether this is the person of the reference, who moves like them.
    Person,
    /// Counts frames.
    #[cfg(test)]
    Dummy,
}

impl CueKind {
    /// All of them, in the order in which reports show them.
    pub const ALL: &[Self] = &[
        Self::Blending,
        Self::Noise,
        Self::Compression,
        Self::Synthesis,
        Self::Splice,
        Self::Identity,
        Self::Movement,
        Self::Light,
        Self::Pulse,
        Self::Speech,
        Self::Container,
        Self::Provenance,
        Self::Person,
        #[cfg(test)]
        Self::Dummy,
    ];

    /// The name in reports, weights and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blending => "blending",
            Self::Noise => "noise",
            Self::Compression => "compression",
            Self::Synthesis => "synthesis",
            Self::Splice => "splice",
            Self::Identity => "identity",
            Self::Movement => "movement",
            Self::Light => "light",
            Self::Pulse => "pulse",
            Self::Speech => "speech",
            Self::Container => "container",
            Self::Provenance => "provenance",
            Self::Person => "person",
            #[cfg(test)]
            Self::Dummy => "dummy",
        }
    }
}

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
    /// Tells people apart.
    pub face_embedder: FaceEmbedder,
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
            face_embedder: FaceEmbedder::new(&device::open(Choice::Cpu).unwrap()),
        }
    }

    /// What a cue measured, where there is no sound.
    pub(crate) fn finished(cue: impl Cue) -> measurement::Result {
        let sound = Sound::Unusable("there is no sound".to_owned());
        Box::new(cue).finish(&Context { sound: &sound })
    }
}
