//! What the program takes from its surroundings: the folder of keys and consents, a password, the
//! time.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use effigy_files::Existing;
use effigy_mark::{Keys, UtcTime};

use crate::output::Output;

/// Where keys and consents are.
#[derive(clap::Args, Debug)]
pub(crate) struct Place {
    /// Folder of keys and consents [default: EFFIGY_HOME, or ~/.local/share/effigy]
    #[arg(long, value_name = "FOLDER")]
    home: Option<PathBuf>,
    /// Folder of consents [default: consents in the folder above]
    #[arg(long, value_name = "FOLDER")]
    consents: Option<PathBuf>,
}

impl Place {
    pub(crate) fn consents(&self) -> anyhow::Result<PathBuf> {
        match &self.consents {
            Some(given) => Ok(given.clone()),
            None => Ok(self.folder()?.join("consents")),
        }
    }

    pub(crate) fn folder(&self) -> anyhow::Result<PathBuf> {
        home(self.home.as_deref())
    }

    /// Opens the keys, or makes them where there are none, and says so.
    pub(crate) fn keys(&self, output: &mut Output) -> anyhow::Result<Keys> {
        let folder = self.folder()?.join("keys");
        if Keys::exist(&folder) {
            return Ok(Keys::open(&folder)?);
        }
        let keys = Keys::create(&folder, "effigy", now()?)?;
        output.say(format_args!(
            "made keys in {folder:?}; keep a copy of the folder in a safe place"
        ));
        Ok(keys)
    }
}

/// What becomes of files that are where results go.
#[derive(clap::Args, Debug)]
pub(crate) struct Force {
    /// Replace files that are where results go; what is read is never replaced
    #[arg(long)]
    force: bool,
}

impl Force {
    pub(crate) fn existing(&self) -> Existing {
        if self.force {
            Existing::Replaced
        } else {
            Existing::Kept
        }
    }
}

/// Name of the environment variable that holds the password of a signer's key.
pub(crate) const PASSWORD: &str = "EFFIGY_PASSWORD";

/// The folder of keys and consents.
pub(crate) fn home(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    known_home(given).context("HOME is not set; name a folder with --home")
}

/// The folder of keys and consents, unless nothing says where it would be.
pub(crate) fn known_home(given: Option<&Path>) -> Option<PathBuf> {
    let set = || std::env::var_os("EFFIGY_HOME").map(PathBuf::from);
    let usual = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share/effigy"));
    given.map(Path::to_owned).or_else(set).or_else(usual)
}

/// What time it is.
pub(crate) fn now() -> anyhow::Result<UtcTime> {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the clock is before 1970")?;
    Ok(UtcTime::from_unix_secs(i64::try_from(since.as_secs())?))
}

/// Whether how far it is goes to stderr in lines that another program reads.
pub(crate) fn tells_progress() -> bool {
    std::env::var_os("EFFIGY_PROGRESS").is_some_and(|said| said == "lines")
}

/// The memory that reading one file may take, where it is not what the command would say.
#[cfg(target_os = "linux")]
pub(crate) fn memory_gib() -> anyhow::Result<Option<f64>> {
    const NAME: &str = "EFFIGY_MEMORY_GIB";
    let Some(said) = std::env::var_os(NAME).filter(|said| !said.is_empty()) else {
        return Ok(None);
    };
    let gib = said.to_str().and_then(|said| said.parse().ok());
    let gib = gib.filter(|gib: &f64| gib.is_finite() && 0.0 < *gib);
    let wrong = || format!("{NAME} is {said:?}; it takes a number above 0, such as 4");
    gib.map(Some).with_context(wrong)
}
