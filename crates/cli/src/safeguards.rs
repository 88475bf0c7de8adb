//! Options that every command shares which makes something synthetic: consent, label, keys.

use std::path::Path;

use anyhow::bail;
use effigy_mark::Clock;
use effigy_mark::consent::Audience;
use effigy_mark::keys::Signer;
use effigy_mark::label::{Language, Profile, Profiles};
use effigy_pipeline::Safeguards;

use crate::environment::{PASSWORD, Place, now};
use crate::output::Output;
use crate::timestamp;

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
    /// Ask this timestamp authority (RFC 3161, http) for the time of every signature
    #[arg(long, value_name = "URL")]
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
            timestamps: timestamp::authority_of(self.timestamp.as_deref())?,
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
}

/// Names of the environment variables that hold a signer.
const SIGNER_KEY: &str = "EFFIGY_SIGNER_KEY";
const SIGNER_CHAIN: &str = "EFFIGY_SIGNER_CHAIN";

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
