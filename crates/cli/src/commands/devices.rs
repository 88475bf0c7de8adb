//! `devices`: list what can run the networks.

use crate::output::{Exit, Output};

/// List the devices that can run the networks
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    for device in effigy_pipeline::devices() {
        output.data(format!("{:<8}{}", device.name, device.description))?;
    }
    Ok(Exit::Nothing)
}
