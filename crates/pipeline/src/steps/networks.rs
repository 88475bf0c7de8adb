//! The face networks, loaded onto one device.

use effigy_detect::TraceJudge;
use effigy_detect::cue::traces::{N_FILTERS, features::N_FEATURES};
use effigy_face::track::SearchNetworks;
use effigy_model::device::{self, Choice};
use effigy_model::{
    BlendJudge, FaceDetector, FaceEmbedder, FaceMesh, Finder, OcclusionSegmenter, PictureNet,
    TraceBank, Weights,
};

use crate::error::Result;

/// The networks that every job on faces needs.
#[derive(Clone, Debug)]
pub struct Networks {
    /// Find faces.
    pub search: SearchNetworks,
    /// Fits meshes.
    pub face_mesh: FaceMesh,
    /// Computes identity vectors.
    pub face_embedder: FaceEmbedder,
    /// Sees where a face was blended in.
    pub blend_judge: BlendJudge,
    /// Sees traces of known makers.
    pub trace_judge: TraceJudge,
    /// Where they were loaded from.
    pub weights: Weights,
    choice: Choice,
}

impl Networks {
    /// Loads the networks onto the chosen device.
    ///
    /// # Errors
    /// When the device is not there, or `weights` lack a network or hold another.
    pub fn load(weights: &Weights, choice: Choice) -> Result<Self> {
        let device = device::open(choice)?;
        Ok(Self {
            search: SearchNetworks {
                finder: Finder::load(weights, &device)?,
                detector: FaceDetector::load(weights, &device)?,
            },
            face_mesh: FaceMesh::load(weights, &device)?,
            face_embedder: FaceEmbedder::load(weights, &device)?,
            blend_judge: BlendJudge::load(weights, &device)?,
            trace_judge: TraceJudge {
                network: PictureNet::load(weights, &device)?,
                bank: TraceBank::load(weights, N_FEATURES, N_FILTERS, &device)?,
            },
            weights: weights.clone(),
            choice,
        })
    }

    /// Loads the network that sees what covers a face; few jobs need it.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn segmenter(&self) -> Result<OcclusionSegmenter> {
        let (pictures, device) = (self.trace_judge.network.clone(), device::open(self.choice)?);
        Ok(OcclusionSegmenter::load(&self.weights, pictures, &device)?)
    }

    /// Loads the networks that know voices, which run on the processor; few jobs need them.
    ///
    /// # Errors
    /// When the weights lack one or hold another.
    pub fn voices(&self) -> Result<effigy_sound::Networks> {
        Ok(effigy_sound::Networks::load(&self.weights)?)
    }
}
