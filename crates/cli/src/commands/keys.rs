//! `keys`: make, show and trust the keys that sign consents and credentials.

use std::path::PathBuf;

use effigy_mark::Keys;

use crate::output::{Exit, Output};
use crate::safeguards;

/// Make, show and trust the keys that sign consents and credentials
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
    /// Show the public keys and the root certificate
    Show {
        #[command(flatten)]
        place: Place,
    },
    /// Accept consents that another installation signed
    Import {
        /// Public key, as the other's `keys show` prints it
        #[arg(long, value_name = "KEY")]
        trust: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Where keys and consents are.
#[derive(clap::Args, Debug)]
pub(crate) struct Place {
    /// Folder of keys and consents [default: EFFIGY_HOME, or ~/.local/share/effigy]
    #[arg(long, value_name = "FOLDER")]
    home: Option<PathBuf>,
}

impl Place {
    pub(crate) fn folder(&self) -> anyhow::Result<PathBuf> {
        safeguards::home(self.home.as_deref())
    }

    /// Opens the keys, or makes them where there are none, and says so.
    pub(crate) fn keys(&self, output: &mut Output) -> anyhow::Result<Keys> {
        let folder = self.folder()?.join("keys");
        if Keys::exist(&folder) {
            return Ok(Keys::open(&folder)?);
        }
        let keys = Keys::create(&folder, "effigy", safeguards::now()?)?;
        output.say(format_args!(
            "made keys in {folder:?}; keep a copy of the folder in a safe place"
        ));
        Ok(keys)
    }
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    match args {
        Args::New { provider, place } => {
            let folder = place.folder()?.join("keys");
            let keys = Keys::create(&folder, provider, safeguards::now()?)?;
            output.say(format_args!(
                "made keys in {folder:?}; keep a copy in a safe place"
            ));
            show(&keys, output)?;
        }
        Args::Show { place } => {
            let keys = Keys::open(&place.folder()?.join("keys"))?;
            show(&keys, output)?;
        }
        Args::Import { trust, place } => {
            let keys = Keys::open(&place.folder()?.join("keys"))?;
            let id = keys.trust(trust)?;
            output.say(format_args!(
                "consents signed with the key {id} count here from now on"
            ));
        }
    }
    Ok(Exit::Nothing)
}

fn show(keys: &Keys, output: &mut Output) -> anyhow::Result<()> {
    output.data(format_args!(
        "consents are signed with {}",
        keys.consent_key_id()
    ))?;
    output.data(format_args!("public key: {}", keys.consent_public_hex()))?;
    output.data(format_args!(
        "root certificate:\n{}",
        keys.root_pem().trim_end()
    ))
}
