//! `verify`: say what marks a file carries.

use std::path::{Path, PathBuf};

use effigy_mark::{Keys, Search, Trust, has_certificate, verify_apart};
use effigy_pipeline::files_of;
use serde_json::json;

use crate::commands::read_marks;
use crate::environment::{self, now};
use crate::output::{Exit, Output, named};
use crate::values::{input, within};

/// Look for marks: Content Credentials, watermark, label, metadata of any maker
///
/// Each file is read in a process of its own, within limits of time and memory. Credentials are
/// looked for in the file, and in a `.c2pa` file beside it; nothing is fetched.
/// `--json` says in `credentials.state` whether they hold (trusted, untrusted: signed by somebody
/// unknown here, unproven, broken, elsewhere), in `credentials.reason` why not (changed,
/// manifest-damaged, revoked, certificate, unsupported, not-yet-valid, expired, elsewhere,
/// ingredient), and in `credentials.problems` the codes of C2PA.
///
/// Exit codes: 0, nothing says that a file is synthetic; 1, a file is marked as synthetic; 2, a file
/// could not be read, or its credentials are damaged, changed, unproven or elsewhere and nothing
/// else marks it. A signer whom nobody here knows is no failure.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Pictures, videos, folders of them, or a pattern such as shot-%05d.png
    #[arg(required = true, value_parser = input())]
    files: Vec<PathBuf>,
    /// Print one JSON object per file; one that cannot be read has an `error` in it
    #[arg(long)]
    json: bool,
    /// Root certificates to trust, as PEM, besides this installation's own
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
    /// Seconds of processor time that one file may take; one of over 50 MB has one more for every
    /// 10 MB
    #[arg(long, value_name = "SECS", default_value_t = 9.0, value_parser = within(0.1, 86_400.0))]
    most_secs: f64,
    /// Folder of keys and consents [default: EFFIGY_HOME, or ~/.local/share/effigy]
    #[arg(long, value_name = "FOLDER")]
    home: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    let trust = trust(&args.trust, args.home.as_deref())?;
    let apart = read_marks::apart(Search::Everywhere, args.most_secs)?;
    let files = files_of(&args.files)?;
    let (mut n_marked, mut n_failed) = (0, 0);
    for file in &files {
        match verify_apart(file, &trust, &apart, &|| output.is_stopped()) {
            Err(error @ effigy_mark::Error::Stopped) => return Err(error.into()),
            Ok(report) => {
                n_marked += u32::from(report.marked);
                n_failed += u32::from(report.is_not_judged());
                if args.json {
                    output.data(serde_json::to_string(&report)?)?;
                } else {
                    output.words(format_args!("{}: {}", named(file), report.in_words()))?;
                }
            }
            Err(error) => {
                n_failed += 1;
                if args.json {
                    let (name, said, reason) =
                        (file.to_string_lossy(), error.to_string(), error.reason());
                    output.data(json!({ "file": name, "error": said, "reason": reason }))?;
                }
                output.say(format_args!("error: {:#}", anyhow::Error::from(error)));
            }
        }
    }
    if 1 < files.len() && !args.json {
        output.data(format_args!(
            "{} files: {n_marked} marked as synthetic, {n_failed} not judged",
            files.len()
        ))?;
    }
    Ok(if 0 < n_failed {
        Exit::Failed
    } else if 0 < n_marked {
        Exit::Found
    } else {
        Exit::Nothing
    })
}

/// Believes this installation's own certificate and those in the files of `roots`.
pub(super) fn trust(roots: &[PathBuf], home: Option<&Path>) -> anyhow::Result<Trust> {
    use anyhow::Context as _;
    let mut trust = Trust {
        now: Some(now()?),
        ..Trust::default()
    };
    for path in roots {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {path:?}"))?;
        let pem = String::from_utf8(bytes).unwrap_or_default();
        anyhow::ensure!(
            has_certificate(&pem),
            "no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----; `effigy keys \
             show` prints one: {path:?}"
        );
        trust.roots_pem.push(pem);
    }
    // Whoever has no home, such as a service, has no certificates of their own.
    if let Some(home) = environment::known_home(home) {
        let folder = home.join("keys");
        trust.roots_pem.extend(Keys::public_roots(&folder));
        trust.time_roots_pem = Keys::time_roots(&folder);
    }
    Ok(trust)
}
