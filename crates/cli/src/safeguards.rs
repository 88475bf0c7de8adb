//! Options that every command shares which makes something synthetic: consent, label, keys.

use std::path::Path;

use anyhow::{Context as _, bail};
use effigy_mark::consent::Audience;
use effigy_mark::keys::{Signer, Timestamps};
use effigy_mark::label::{Language, Profile, Profiles};
use effigy_mark::{Clock, Keys, UtcTime};
use effigy_pipeline::Safeguards;

use crate::environment::{PASSWORD, Place, now};
use crate::output::Output;
use crate::timestamp::authority;

/// Consent and marking.
#[derive(clap::Args, Debug)]
pub(crate) struct SafeguardArgs {
    /// Who will see the result: private or publish
    #[arg(long, default_value = "private", value_name = "AUDIENCE")]
    audience: Audience,
    /// Rules that the visible label follows: eu, cn or us-ca; may be repeated [default: all]
    #[arg(long = "label", value_name = "PROFILE")]
    labels: Vec<Profile>,
    /// Language of the label: en, de, fr, es or it
    #[arg(long, default_value = "en", value_name = "LANGUAGE")]
    language: Language,
    /// Who makes it, as label and credentials say
    #[arg(long, default_value = "effigy", value_name = "NAME")]
    provider: String,
    /// Ask this timestamp authority (RFC 3161, http) for the time of every signature, or none
    /// [default: EFFIGY_TIMESTAMP, or the one that `keys authority` chose]
    #[arg(long, value_name = "URL|none")]
    timestamp: Option<String>,
    #[command(flatten)]
    place: Place,
}

impl SafeguardArgs {
    pub(crate) fn safeguards(&self) -> anyhow::Result<Safeguards> {
        Ok(Safeguards {
            keys: self.place.folder()?.join("keys"),
            consents: self.place.consents()?,
            signer: signer_of_environment()?,
            timestamps: self.timestamps()?,
            audience: self.audience,
            profiles: Profiles::of(&self.labels).unwrap_or_else(Profiles::all),
            language: self.language,
            provider: self.provider.clone(),
            clock: Clock::set(now()?),
        })
    }

    /// Makes keys where there are none, and says so.
    pub(crate) fn make_keys(&self, output: &mut Output) -> anyhow::Result<()> {
        self.place.keys(output).map(drop)
    }

    /// The authority that stamps what is signed.
    fn timestamps(&self) -> anyhow::Result<Option<Timestamps>> {
        let chosen = Keys::time_authority(&self.place.folder()?.join("keys"));
        let url = self.timestamp.clone().or_else(timestamp_of_environment);
        match url.or(chosen).as_deref() {
            None | Some("" | "none") => Ok(None),
            Some(url) => Ok(Some(authority(url).context("cannot ask for the time")?)),
        }
    }

    /// Says when the certificate that will sign ends soon, and once, that nobody says when it
    /// signed.
    pub(crate) fn announce_signer(&self, output: &mut Output) -> anyhow::Result<()> {
        let folder = self.place.folder()?.join("keys");
        if !Keys::exist(&folder) {
            return Ok(());
        }
        let mut keys = Keys::open(&folder)?;
        if let Some(signer) = signer_of_environment()? {
            keys = keys.with_signer(signer);
        }
        if let Some(warning) = signer_warning(&keys, now()?)? {
            output.say(warning);
        }
        let is_chosen = self.timestamp.is_some() || timestamp_of_environment().is_some();
        if !is_chosen && Keys::time_authority(&folder).is_none() {
            output.say(format_args!(
                "no time authority is chosen: what is signed now can be verified until {}, when the \
                 signing certificate runs out; `effigy keys authority URL` has signatures stamped \
                 with the time, so that they hold longer (said once)",
                keys.standing()?.until.day()
            ));
            keys.forget_time_authority()?;
        }
        Ok(())
    }
}

/// Names of the environment variables that hold a signer.
const SIGNER_KEY: &str = "EFFIGY_SIGNER_KEY";
const SIGNER_CHAIN: &str = "EFFIGY_SIGNER_CHAIN";
/// Name of the environment variable that holds the address of a time authority.
const TIMESTAMP: &str = "EFFIGY_TIMESTAMP";

fn timestamp_of_environment() -> Option<String> {
    std::env::var(TIMESTAMP).ok().filter(|url| !url.is_empty())
}

/// The signer that the environment holds, as PEM: where keys are handed to programs and not kept
/// on disk.
fn signer_of_environment() -> anyhow::Result<Option<Signer>> {
    let read = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    let (key, chain) = (read(SIGNER_KEY), read(SIGNER_CHAIN));
    match (key, chain) {
        (None, None) => Ok(None),
        (Some(key), Some(chain)) => {
            let origin = Path::new(SIGNER_KEY);
            let signer = Signer::from_pem(&chain, &key, read(PASSWORD).as_deref(), origin)?;
            Ok(Some(signer))
        }
        _ => bail!("{SIGNER_KEY} and {SIGNER_CHAIN} go together; one of them is missing"),
    }
}

/// Days before the end of the signing certificate from which on every command that signs warns.
const WARNING_DAYS: i64 = 60;

/// What to say of a signing certificate that ends soon, or that the newest verifiers refuse.
pub(crate) fn signer_warning(keys: &Keys, now: UtcTime) -> anyhow::Result<Option<String>> {
    let standing = keys.standing()?;
    let (day, remedy) = (standing.until.day(), keys.renewal());
    Ok(if standing.until < now {
        Some(format!(
            "the signing certificate ran out on {day}; {remedy}"
        ))
    } else if standing.until < now.plus_days(WARNING_DAYS) {
        Some(format!(
            "the signing certificate runs out on {day}; {remedy} before then"
        ))
    } else if !standing.is_accepted_everywhere {
        Some(format!(
            "the signing certificate lacks a key usage (emailProtection) without which the newest \
             verifiers call a signature invalid; {remedy}"
        ))
    } else {
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_of_a_certificate_is_announced_two_months_before() {
        let folder = tempfile::tempdir().unwrap();
        let now = UtcTime::from_unix_secs(1_790_000_000);
        let keys = Keys::create(folder.path(), "Test Studio", now).unwrap();
        let on_day = |days| signer_warning(&keys, now.plus_days(days)).unwrap();
        assert_eq!(on_day(730 - 61), None);
        let soon = on_day(730 - 59).unwrap();
        let day = now.plus_days(730).day();
        let words = format!("runs out on {day}; run `effigy keys renew`");
        assert!(soon.contains(&words), "{soon}");
        assert!(on_day(731).unwrap().contains("ran out on"));
    }
}
