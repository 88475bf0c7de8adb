//! Where the networks of a recipe run.

use anyhow::Result;
use burn::prelude::Device;
use effigy_model::Weights;
use effigy_model::device::open;
use effigy_pipeline::{Choice, Networks};

/// The option `--device`, which every recipe has that uses a network.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct DeviceArgs {
    /// Where the networks run: cpu, gpu or gpu:N; `effigy devices` lists what is there
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Choice,
}

impl DeviceArgs {
    /// Says which device was chosen and opens it.
    pub(crate) fn open(self) -> Result<Device> {
        self.say();
        Ok(open(self.device)?)
    }

    /// Says which device was chosen and loads the networks of the jobs onto it.
    pub(crate) fn networks(self) -> Result<Networks> {
        self.say();
        Ok(Networks::load(&Weights::from_source_tree()?, self.device)?)
    }

    fn say(self) {
        eprintln!("device: {}", self.device);
    }
}
