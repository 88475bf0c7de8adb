//! The commands that made every committed weight, and the evaluations that measured them.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

mod actors;
mod augment;
mod data;
mod eval;
mod faceless;
mod fuse;
mod look;
mod mean_mesh;
mod mosaic;
mod run;
mod self_blend;
mod train_base;
mod train_blending;
mod train_finder;
mod train_identifier;
mod train_mesher;
mod turned;

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
    /// Train the finder
    Finder(run::Args),
    /// Train the mesh network
    Mesher(run::Args),
    /// Train the identity network
    Identifier(run::Args),
    /// Train the blending judge, from real faces only
    Blending(run::Args),
    /// Train the base that face models start from
    Base(run::Args),
    /// Fit what the detector makes of its cues
    Fuse(fuse::Args),
    /// Write a sheet of what a network is shown in training
    Look(look::Args),
    /// Film people who don't exist, with the truth about every pixel
    Actors(actors::Args),
    /// Measure the networks on people that none was trained on
    #[command(subcommand)]
    Eval(eval::Command),
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Command::MeanMesh { output } => mean_mesh::make(&cli.data, &output),
        Command::Finder(args) => train_finder::train(&cli.data, &args),
        Command::Mesher(args) => train_mesher::train(&cli.data, &args),
        Command::Identifier(args) => train_identifier::train(&cli.data, &args),
        Command::Blending(args) => train_blending::train(&cli.data, &args),
        Command::Base(args) => train_base::train(&cli.data, &args),
        Command::Fuse(args) => fuse::make(&cli.data, &args),
        Command::Look(args) => look::write(&cli.data, &args),
        Command::Actors(args) => actors::run(&cli.data, &args),
        Command::Eval(command) => eval::run(&cli.data, &command),
    }
}
