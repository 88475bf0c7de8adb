//! How well movement tells people apart.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use effigy_files::write_atomically;

use crate::device::DeviceArgs;
use crate::fit::motion_signature::{Kind, clips, compare, fit, people};
use crate::statistics::{Judged, auc, with_interval};

/// What to write.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
    /// Write the mean of how real people move here, as `crates/detect/weights/motion.toml`
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Prints how often a clip is more like the same person than like a stranger.
pub(crate) fn measure(data: &Path, args: &Args) -> Result<()> {
    let networks = args.device.networks()?;
    let clips = clips(data, &networks)?;
    let people = people(&clips);
    println!("{} clips of {} people", clips.len(), people.len());
    let compared = compare(&clips, &people);
    for kind in [Kind::SameClip, Kind::OtherClip] {
        let of_kind = compared
            .iter()
            .filter(|c| c.kind == kind || c.kind == Kind::Stranger);
        let judged: Vec<Judged> = of_kind.map(|c| c.judged).collect();
        let n = judged.iter().filter(|j| j.fake).count();
        if let Some(found) = with_interval(&judged, auc) {
            println!(
                "{}: {n} against {} with strangers, AUC {:.2} [{:.2}, {:.2}]",
                kind.in_words(),
                judged.len() - n,
                found.value,
                found.low,
                found.high
            );
        }
    }
    let fitted = fit(&clips, &people, &compared);
    println!(
        "same {:.2?}, strangers {:.2?}",
        fitted.same, fitted.strangers
    );
    let Some(output) = &args.output else {
        return Ok(());
    };
    let text = format!(
        "# Made by `recipes eval motion-signature`.\n{}",
        toml::to_string(&fitted)?
    );
    write_atomically(output, text.as_bytes()).with_context(|| format!("cannot write {output:?}"))
}
