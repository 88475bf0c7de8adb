//! The weights inside the program: it needs no file beside it.

use anyhow::Context as _;
use effigy_pipeline::{BuiltIn, Weights};

/// Gives the weights of this version.
pub(crate) fn weights() -> anyhow::Result<Weights> {
    Weights::built_in(FILES).context("this program was built wrongly; build it again")
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../model/weights/", $name)))),*]
    };
}

const FILES: BuiltIn = files![
    "weights.toml",
    "finder.safetensors",
    "detector.safetensors",
    "mesher.safetensors",
    "identifier.safetensors",
    "strangers.safetensors",
    "pictures.safetensors",
    "traces.safetensors",
    "occlusion-segmenter.safetensors",
    "base.safetensors",
    "blend-judge.safetensors",
    "mean-mesh.f32",
    "rig.safetensors",
    "activity.safetensors",
    "speaker.safetensors",
    "voice-space.safetensors",
    "phones.safetensors",
    "speech.safetensors",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_table_is_inside() {
        for (file, _) in weights().unwrap().hashes() {
            assert!(FILES.iter().any(|(name, _)| *name == file), "{file}");
        }
    }
}
