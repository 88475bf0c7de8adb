//! `keys`: make, renew, show and trust the keys that sign consents and credentials.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use effigy_mark::keys::{self, Signer, Standing};
use effigy_mark::{Keys, UtcTime};

use crate::environment::{PASSWORD, Place, now};
use crate::output::{Exit, Output};
use crate::timestamp;

/// Make, renew, show and trust the keys that sign consents and credentials
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Args {
    /// Make all keys, with a root and a signing certificate
    New {
        /// Who signs, as the certificate will say
        #[arg(long, default_value = "effigy", value_name = "NAME")]
        provider: String,
        #[command(flatten)]
        place: Place,
    },
    /// Make a new signing certificate and key, from the same root, before the present one runs out
    ///
    /// Files that were signed before can be verified as before, and nobody who trusts the root has
    /// to do anything. Old keys stay in the folder.
    Renew {
        #[command(flatten)]
        place: Place,
    },
    /// Show the public keys, until when credentials can be signed, and the root certificate
    Show {
        #[command(flatten)]
        place: Place,
    },
    /// Choose the authority that stamps signatures with the time, so that they outlive the certificate
    ///
    /// It is asked once, and then by every command that signs. Free ones are, for instance,
    /// http://timestamp.digicert.com and http://timestamp.sectigo.com.
    Authority(Authority),
    /// Sign with a certificate that was bought, or accept consents signed elsewhere
    Import(Import),
}

/// Who says what time it is.
#[derive(clap::Args, Debug)]
pub(crate) struct Authority {
    /// Its address (RFC 3161, http), or none
    #[arg(value_name = "URL|none")]
    url: String,
    /// Root certificate of the authority as PEM, where its stamps do not carry it
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// What to import.
#[derive(clap::Args, Debug)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(crate) struct Import {
    /// PKCS#12 file (.p12, .pfx), or private key as PEM; the password of either is taken from
    /// the environment variable EFFIGY_PASSWORD
    #[arg(group = "what", value_name = "FILE")]
    signer: Option<PathBuf>,
    /// Certificates of a PEM key, the signer's own first
    #[arg(long, requires = "signer", value_name = "FILE")]
    chain: Option<PathBuf>,
    /// Public key of another installation, as its `keys show` prints it
    #[arg(long, group = "what", value_name = "KEY")]
    trust: Option<String>,
    #[command(flatten)]
    place: Place,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    match args {
        Args::New { provider, place } => {
            let folder = place.folder()?.join("keys");
            let keys = Keys::create(&folder, provider, now()?)?;
            output.say(format_args!(
                "made keys in {folder:?}; keep a copy in a safe place"
            ));
            show(&keys, output)?;
        }
        Args::Renew { place } => {
            let keys = Keys::open(&place.folder()?.join("keys"))?.renew(now()?)?;
            output.say("made a new signing certificate; keep a copy of the folder of keys");
            output.data(signed_by(&keys)?)?;
        }
        Args::Show { place } => {
            let keys = Keys::open(&place.folder()?.join("keys"))?;
            show(&keys, output)?;
        }
        Args::Authority(authority) => self::authority(authority, output)?,
        Args::Import(import) => self::import(import, output)?,
    }
    Ok(Exit::Nothing)
}

fn authority(chosen: &Authority, output: &mut Output) -> anyhow::Result<()> {
    let keys = chosen.place.keys(output)?;
    if chosen.url == "none" {
        keys.forget_time_authority()?;
        output.say("signatures are not stamped with the time from now on");
        return Ok(());
    }
    let read = |path: &PathBuf| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {path:?}"))
    };
    let roots_pem = chosen.root.as_ref().map(read).transpose()?;
    let name = keys.set_time_authority(&keys::Authority {
        url: &chosen.url,
        timestamps: &timestamp::authority(&chosen.url)?,
        roots_pem: roots_pem.as_deref(),
    })?;
    output.say(format_args!(
        "every signature is stamped by {name} from now on; without its answer nothing is signed"
    ));
    Ok(())
}

fn import(import: &Import, output: &mut Output) -> anyhow::Result<()> {
    let keys = import.place.keys(output)?;
    if let Some(trust) = &import.trust {
        let id = keys.trust(trust)?;
        output.say(format_args!(
            "consents signed with the key {id} count here from now on"
        ));
    }
    if let Some(path) = &import.signer {
        keys.import(&signer(path, import.chain.as_deref())?)?;
        output.say(format_args!(
            "credentials are signed with {path:?} from now on; its copy here is readable by you alone"
        ));
    }
    Ok(())
}

fn signer(path: &Path, chain: Option<&Path>) -> anyhow::Result<Signer> {
    let password = std::env::var(PASSWORD).ok();
    let read = |path: &Path| std::fs::read(path).with_context(|| format!("cannot read {path:?}"));
    let bytes = read(path)?;
    let Some(chain) = chain else {
        let password = password.unwrap_or_default();
        return Ok(Signer::from_pkcs12(&bytes, &password, path)?);
    };
    let text = |bytes, path| String::from_utf8(bytes).with_context(|| format!("not PEM: {path:?}"));
    let (key, chain) = (text(bytes, path)?, text(read(chain)?, chain)?);
    Ok(Signer::from_pem(&chain, &key, password.as_deref(), path)?)
}

fn show(keys: &Keys, output: &mut Output) -> anyhow::Result<()> {
    output.data(format_args!(
        "consents are signed with {}",
        keys.consent_key_id()
    ))?;
    output.data(format_args!("public key: {}", keys.consent_public_hex()))?;
    output.data(signed_by(keys)?)?;
    if let Some(warning) = signer_warning(keys, now()?)? {
        output.say(warning);
    }
    output.data(format_args!(
        "root certificate:\n{}",
        keys.root_pem().trim_end()
    ))
}

fn signed_by(keys: &Keys) -> anyhow::Result<String> {
    let Standing { subject, until, .. } = keys.standing()?;
    Ok(format!(
        "credentials are signed by {subject}, until {}",
        until.day()
    ))
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
