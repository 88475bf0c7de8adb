//! The face networks, loaded onto one device.

use effigy_detect::TraceJudge;
use effigy_detect::cue::traces::{N_FILTERS, features::N_FEATURES};
use effigy_model::device::{self, Choice};
use effigy_model::{
    BlendJudge, FaceEmbedder, FaceMesh, Finder, OcclusionSegmenter, PictureNet, TraceBank, Weights,
};

use crate::error::Result;

/// The networks that every job on faces needs.
#[derive(Clone, Debug)]
pub struct Networks {
    /// Finds faces.
    pub finder: Finder,
    /// Fits meshes.
    pub face_mesh: FaceMesh,
    /// Computes identity vectors.
    pub face_embedder: FaceEmbedder,
    /// Sees where a face was blended in.
    pub blend_judge: BlendJudge,
    /// Sees traces of known makers.
    pub trace_judge: TraceJudge,
    /// Sees what covers a face.
    pub segmenter: OcclusionSegmenter,
    /// Where they were loaded from.
    pub weights: Weights,
}

impl Networks {
    /// Loads the networks onto the chosen device.
    ///
    /// # Errors
    /// When the device is not there, or `weights` lack a network or hold another.
    pub fn load(weights: &Weights, choice: Choice) -> Result<Self> {
        let device = device::open(choice)?;
        let pictures = PictureNet::load(weights, &device)?;
        Ok(Self {
            finder: Finder::load(weights, &device)?,
            face_mesh: FaceMesh::load(weights, &device)?,
            face_embedder: FaceEmbedder::load(weights, &device)?,
            blend_judge: BlendJudge::load(weights, &device)?,
            trace_judge: TraceJudge {
                network: pictures.clone(),
                bank: TraceBank::load(weights, N_FEATURES, N_FILTERS, &device)?,
            },
            segmenter: OcclusionSegmenter::load(weights, pictures, &device)?,
            weights: weights.clone(),
        })
    }
}
