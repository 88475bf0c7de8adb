//! Options that every command shares which works with a face model: where to compute, and which
//! checkpoint.

use effigy_pipeline::Choice;

use crate::output::Output;

/// Device and checkpoint.
#[derive(clap::Args, Debug)]
pub(crate) struct Computing {
    /// Where to compute: cpu, gpu or gpu:N
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    pub(crate) device: Choice,
    /// Go back to this kept checkpoint of the model [default: the newest]
    #[arg(long, value_name = "STEP")]
    pub(crate) checkpoint: Option<u64>,
}

impl Computing {
    /// Says which device is used.
    pub(crate) fn say(&self, output: &mut Output) {
        output.say(format_args!("device: {}", self.device));
    }
}
