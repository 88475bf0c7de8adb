//! Measures the networks on people that none was trained on.

mod finder;
mod identity;
mod mesh;
mod watermark;

use std::path::Path;

use anyhow::Result;

/// What to measure
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Recall and precision of the finder, and false faces in pictures without one
    Finder,
    /// Error of the mesh network against the annotations
    Mesh,
    /// Accuracy of the identity network on pairs
    Identity,
    /// Identifiers recovered from marked pictures and clips after attacks
    Watermark(watermark::Args),
}

/// Prints one evaluation.
pub(crate) fn run(data: &Path, command: &Command) -> Result<()> {
    match command {
        Command::Finder => finder::measure(data),
        Command::Mesh => mesh::measure(data),
        Command::Identity => identity::measure(data),
        Command::Watermark(args) => watermark::evaluate(data, args),
    }
}
