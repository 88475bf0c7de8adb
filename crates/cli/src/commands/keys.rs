//! `keys`: make, renew, show and trust the keys that sign consents and credentials.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use effigy_mark::Keys;
use effigy_mark::keys::{self, Signer, Standing};

use crate::environment::{PASSWORD, Place, now};
use crate::output::{Exit, Output};
use crate::safeguards::signer_warning;
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
