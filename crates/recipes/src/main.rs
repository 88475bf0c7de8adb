//! The commands that made every committed weight, and the evaluations that measured them.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

mod data;
mod device;
mod eval;
mod fit;
mod import;
mod mirror;
mod statistics;
mod train;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Train and measure the networks of effigy
#[derive(Parser)]
struct Cli {
    /// Folder with the pictures and annotations
    #[arg(
        long,
        global = true,
        default_value = "../shared/data",
        env = "EFFIGY_DATA"
    )]
    data: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Average the faces of the training split into our mean mesh
    MeanMesh {
        /// Where to write it
        #[arg(short, long, default_value = "crates/model/weights/mean-mesh.f32")]
        output: PathBuf,
    },
    /// Make the faces of nobody that tell how crowded a face's surroundings are
    Strangers {
        /// Where to write them
        #[arg(
            short,
            long,
            default_value = "crates/model/weights/strangers.safetensors"
        )]
        output: PathBuf,
        #[command(flatten)]
        device: device::DeviceArgs,
    },
    /// Fit the rig to what the mesh network sees of a head
    Rig(fit::rig::Args),
    /// Train the finder
    Finder(train::finder::Args),
    /// Train the blending judge, from real faces only
    Blending(train::run::Args),
    /// Train the occlusion segmenter
    Occlusion(train::occlusion::Args),
    /// Train the base that face models start from
    Base(train::run::Args),
    /// Make the filters that know makers of deepfakes by their traces
    Traces(fit::traces::Args),
    /// Find what recordings do to voices
    Voices(fit::voices::Args),
    /// Fit lips to phones, and pick how heads move while people talk
    Speech(fit::speech::Args),
    /// Fit what the detector makes of its cues
    Fuse(fit::fuse::Args),
    /// Write a sheet of what a network is shown in training
    #[command(alias = "look")]
    Preview(train::preview::Args),
    /// Film people who don't exist, with the truth about every pixel
    Actors(data::actors::Args),
    /// Convert weights from elsewhere
    #[command(subcommand)]
    Import(import::Command),
    /// Measure the networks on people that none was trained on
    #[command(subcommand)]
    Eval(eval::Command),
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Command::MeanMesh { output } => fit::mean_mesh::make(&cli.data, &output),
        Command::Strangers { output, device } => fit::strangers::make(&cli.data, &output, &device),
        Command::Rig(args) => fit::rig::make(&cli.data, &args),
        Command::Finder(args) => train::finder::train(&cli.data, &args),
        Command::Blending(args) => train::blending::train(&cli.data, &args),
        Command::Occlusion(args) => train::occlusion::train(&cli.data, &args),
        Command::Base(args) => train::base_model::train(&cli.data, &args),
        Command::Traces(args) => fit::traces::make(&cli.data, &args),
        Command::Voices(args) => fit::voices::make(&cli.data, &args),
        Command::Speech(args) => fit::speech::make(&cli.data, &args),
        Command::Fuse(args) => fit::fuse::make(&cli.data, &args),
        Command::Preview(args) => train::preview::write(&cli.data, &args),
        Command::Actors(args) => data::actors::run(&cli.data, &args),
        Command::Import(command) => import::run(&cli.data, &command),
        Command::Eval(command) => eval::run(&cli.data, &command),
    }
}
