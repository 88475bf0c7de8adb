//! Options that every command shares which makes something synthetic: consent, label, keys.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use effigy_mark::Moment;
use effigy_mark::consent::Audience;
use effigy_mark::label::{Language, Profile, Profiles};
use effigy_pipeline::Safeguards;

/// Consent and marking.
#[derive(clap::Args, Debug)]
pub(crate) struct SafeguardArgs {
    /// Who will see the result: private or publish
    #[arg(long, default_value = "private", value_name = "AUDIENCE")]
    audience: Audience,
    /// Rules that the visible label follows, all by default
    #[arg(long = "label", value_name = "PROFILE")]
    labels: Vec<Profile>,
    /// Language of the label
    #[arg(long, default_value = "en", value_name = "LANGUAGE")]
    language: Language,
    /// Who makes it, as label and credentials say
    #[arg(long, default_value = "effigy", value_name = "NAME")]
    provider: String,
    /// Folder of keys and consents [default: EFFIGY_HOME, or ~/.local/share/effigy]
    #[arg(long, value_name = "FOLDER")]
    home: Option<PathBuf>,
}

impl SafeguardArgs {
    pub(crate) fn safeguards(&self) -> anyhow::Result<Safeguards> {
        let home = home(self.home.as_deref())?;
        Ok(Safeguards {
            keys: home.join("keys"),
            consents: home.join("consents"),
            audience: self.audience,
            profiles: Profiles::of(&self.labels).unwrap_or_else(Profiles::all),
            language: self.language,
            provider: self.provider.clone(),
            now: now()?,
        })
    }
}

/// The folder of keys and consents.
pub(crate) fn home(given: Option<&std::path::Path>) -> anyhow::Result<PathBuf> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    if let Some(set) = std::env::var_os("EFFIGY_HOME") {
        return Ok(set.into());
    }
    let home = std::env::var_os("HOME").context("HOME is not set; name a folder with --home")?;
    Ok(PathBuf::from(home).join(".local/share/effigy"))
}

/// What time it is.
pub(crate) fn now() -> anyhow::Result<Moment> {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the clock is before 1970")?;
    Ok(Moment::from_unix_secs(i64::try_from(since.as_secs())?))
}
