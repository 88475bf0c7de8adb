//! The networks, one file each, and their weights.
//!
//! Each network of pictures offers `forward` (tensors in, tensors out, used by training) and one plain verb
//! (`find`, `fit`, `embed`, `redraw`, `score`, `segment`) that takes pictures and gives plain values. Shapes are
//! `[n, channel, y, x]`; pictures enter as patches of 4 × 4 pixels (see [`tensors`]). The networks of sound
//! (`hear`, `embed`) are never trained here and run on the processor alone: they have the verb only.

pub mod blend_judge;
mod cpu;
pub mod device;
mod error;
pub mod face_detector;
pub mod face_embedder;
pub mod face_mesh;
pub mod face_model;
pub mod finder;
mod inverted;
mod layers;
pub mod mean_mesh;
pub mod occlusion_segmenter;
pub mod phone_scorer;
pub mod picture_net;
pub mod speaker_encoder;
pub mod spoken_face;
pub mod tensors;
pub mod trace_bank;
pub mod voice_activity;
pub mod voice_space;
pub mod weights;
mod worker;

pub use blend_judge::{Blend, BlendJudge};
pub use error::{Error, Result};
pub use face_detector::FaceDetector;
pub use face_embedder::{FaceEmbedder, Identity, N_DIRECTIONS, N_IDENTITY, N_STRANGERS};
pub use face_mesh::{FaceMesh, Mesh};
pub use face_model::FaceModel;
pub use finder::{Finder, Found};
pub use mean_mesh::mean_mesh;
pub use occlusion_segmenter::{OcclusionHead, OcclusionSegmenter};
pub use phone_scorer::PhoneScorer;
pub use picture_net::{FeatureMap, PictureNet};
pub use speaker_encoder::{N_VOICE, SpeakerEncoder, Voice};
pub use spoken_face::SpokenFace;
pub use trace_bank::TraceBank;
pub use voice_activity::VoiceActivity;
pub use voice_space::{N_NUISANCES, VoiceSpace};
pub use weights::Weights;
pub use worker::{Pending, WorkerThread};

/// How many points a mesh has: MediaPipe Face Mesh numbering, irises included.
pub const N_MESH_POINTS: usize = 478;
