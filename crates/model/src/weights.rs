//! Where weights come from: a folder on disk, or files that a program carries inside.
//!
//! Either holds a table, `weights.toml`, that says what each file is, its SHA-256, and where its
//! scores part. A file is read when its network is loaded and must be the one that the table names.

mod file;
mod table;

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::module::Module;
use burn::store::ModuleSnapshot;
use effigy_files::sha256;

use crate::error::{Error, Result};
pub(crate) use file::Tensors;
pub use file::{from_bytes, to_bytes};
use table::Table;
pub use table::{IdentityScale, MOST_LIKELY, Threshold, VoiceScale};

/// Files inside a program: name and content.
pub type BuiltIn = &'static [(&'static str, &'static [u8])];

/// A source of weights, cheap to clone.
#[derive(Clone)]
pub struct Weights {
    source: Source,
    table: Arc<Table>,
    text: Arc<str>,
}

#[derive(Clone)]
enum Source {
    Folder(Arc<Path>),
    BuiltIn(BuiltIn),
}

impl Weights {
    /// Takes weights from a folder that holds a `weights.toml` and the files it names.
    ///
    /// # Errors
    /// When the table is missing, damaged or that of another version.
    pub fn open(folder: &Path) -> Result<Self> {
        Self::of(Source::Folder(folder.into()))
    }

    /// Takes weights from files inside the program; `weights.toml` is one of them.
    ///
    /// # Errors
    /// When the table is missing, damaged or that of another version.
    pub fn built_in(files: BuiltIn) -> Result<Self> {
        Self::of(Source::BuiltIn(files))
    }

    /// Opens the folder of weights in the source tree, for tests and recipes.
    ///
    /// # Errors
    /// When the source tree is gone or its table is damaged.
    pub fn from_source_tree() -> Result<Self> {
        Self::open(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/weights")))
    }

    fn of(source: Source) -> Result<Self> {
        let refused = |reason: String| source.refused(table::FILE, reason);
        let bytes = source
            .read(table::FILE)
            .map_err(|err| refused(unreadable(&err)))?;
        let text = std::str::from_utf8(&bytes).map_err(|err| refused(err.to_string()))?;
        let table = Table::parse(text).map_err(refused)?;
        Ok(Self {
            table: Arc::new(table),
            text: text.into(),
            source,
        })
    }

    /// The table as it is written.
    pub fn table(&self) -> &str {
        &self.text
    }

    /// Says what similarities of the identities mean that these weights give.
    pub fn identity_scale(&self) -> IdentityScale {
        self.table.identity
    }

    /// Says what similarities of the voices mean that these weights give.
    pub fn voice_scale(&self) -> VoiceScale {
        self.table.voice
    }

    /// Gives the score from which a face that the detector reports is believed, chosen on people not
    /// reported on.
    pub(crate) fn detector_least_score(&self) -> f32 {
        self.table.detector_least_score
    }

    /// Gives the file name and SHA-256 of all weights, as the table has them.
    pub fn hashes(&self) -> Vec<(String, String)> {
        let entries = self.table.entries.values();
        entries
            .map(|entry| (entry.file.clone(), entry.sha256.clone()))
            .collect()
    }

    /// Fills `network` with the weights that the table calls `name`.
    ///
    /// # Errors
    /// When their file is missing, damaged or another network's.
    pub fn fill<M: Module + ModuleSnapshot>(&self, name: &str, network: M) -> Result<M> {
        let (file, bytes) = self.named(name)?;
        file::fill(&bytes, network).map_err(|reason| self.source.refused(file, reason))
    }

    /// Builds a network that runs on the processor alone of the tensors that the table calls `name`.
    ///
    /// # Errors
    /// When their file is missing, damaged or another network's.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        build: impl FnOnce(&Tensors<'_>) -> std::result::Result<T, String>,
    ) -> Result<T> {
        let (file, bytes) = self.named(name)?;
        let built = Tensors::read(&bytes).and_then(|tensors| build(&tensors));
        built.map_err(|reason| self.source.refused(file, reason))
    }

    /// Gives the bytes that the table calls `name`, for what is no network.
    ///
    /// # Errors
    /// When their file is missing or is not the one that the table names.
    pub fn bytes(&self, name: &str) -> Result<Cow<'static, [u8]>> {
        Ok(self.named(name)?.1)
    }

    /// The file of that name, and what it holds.
    fn named(&self, name: &str) -> Result<(&str, Cow<'static, [u8]>)> {
        let Some(entry) = self.table.entries.get(name) else {
            let reason = format!("it has no entry for the {name}");
            return Err(self.source.refused(table::FILE, reason));
        };
        let refused = |reason: String| self.source.refused(&entry.file, reason);
        let bytes = self
            .source
            .read(&entry.file)
            .map_err(|err| refused(unreadable(&err)))?;
        if sha256(&bytes) != entry.sha256 {
            let table = table::FILE;
            return Err(refused(format!("its SHA-256 is not the one in {table}")));
        }
        Ok((&entry.file, bytes))
    }
}

impl std::fmt::Debug for Weights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.source {
            Source::Folder(folder) => write!(f, "Weights({folder:?})"),
            Source::BuiltIn(_) => write!(f, "Weights(built in)"),
        }
    }
}

/// Most bytes that are read of one file: all weights together are fewer.
const MOST_BYTES: u64 = 100 << 20;

impl Source {
    fn read(&self, name: &str) -> io::Result<Cow<'static, [u8]>> {
        match self {
            Self::Folder(folder) => {
                Ok(effigy_files::read_bounded(&folder.join(name), MOST_BYTES)?.into())
            }
            Self::BuiltIn(files) => {
                let found = files.iter().find(|(other, _)| *other == name);
                let bytes = found.map(|(_, bytes)| Cow::Borrowed(*bytes));
                bytes.ok_or_else(|| io::ErrorKind::NotFound.into())
            }
        }
    }

    fn refused(&self, name: &str, reason: String) -> Error {
        let file = match self {
            Self::Folder(folder) => folder.join(name),
            Self::BuiltIn(_) => PathBuf::from(name),
        };
        Error::UnfitWeights { reason, file }
    }
}

fn unreadable(error: &io::Error) -> String {
    format!("it cannot be read ({error})")
}

#[cfg(test)]
mod tests {
    use burn::prelude::Device;

    use super::*;
    use crate::FaceEmbedder;

    /// A copy of the table and of one file of weights, to be spoilt.
    fn copy() -> tempfile::TempDir {
        let from = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/weights"));
        let to = tempfile::tempdir().unwrap();
        for name in [
            table::FILE,
            "identifier.safetensors",
            "strangers.safetensors",
        ] {
            std::fs::copy(from.join(name), to.path().join(name)).unwrap();
        }
        to
    }

    fn load(folder: &Path) -> Result<FaceEmbedder> {
        FaceEmbedder::load(&Weights::open(folder)?, &Device::flex())
    }

    /// Spoils a copy and compares the error, without the folder's name.
    #[track_caller]
    fn check(spoil: impl Fn(&Path), expected: &str) {
        let folder = copy();
        load(folder.path()).unwrap();
        spoil(folder.path());
        let error = load(folder.path()).unwrap_err().to_string();
        let place = format!("{}/", folder.path().display());
        assert_eq!(error.replace(&place, ""), expected);
    }

    fn write(name: &'static str, bytes: &'static [u8]) -> impl Fn(&Path) {
        move |folder| std::fs::write(folder.join(name), bytes).unwrap()
    }

    #[test]
    fn missing_weights_are_named_with_what_to_do() {
        check(
            |folder| std::fs::remove_file(folder.join("identifier.safetensors")).unwrap(),
            "unusable weights: it cannot be read (No such file or directory (os error 2)); use \
             those that belong to this version of effigy: \"identifier.safetensors\"",
        );
        check(
            |folder| std::fs::remove_file(folder.join(table::FILE)).unwrap(),
            "unusable weights: it cannot be read (No such file or directory (os error 2)); use \
             those that belong to this version of effigy: \"weights.toml\"",
        );
    }

    #[test]
    fn damaged_weights_are_named() {
        check(
            write("identifier.safetensors", b"other bytes"),
            "unusable weights: its SHA-256 is not the one in weights.toml; use those that belong \
             to this version of effigy: \"identifier.safetensors\"",
        );
        check(
            write("strangers.safetensors", b""),
            "unusable weights: its SHA-256 is not the one in weights.toml; use those that belong \
             to this version of effigy: \"strangers.safetensors\"",
        );
    }

    #[test]
    fn weights_of_another_network_are_refused_though_their_hash_is_right() {
        let folder = copy();
        let bytes = to_bytes("mesher", &crate::FaceMesh::new(&Device::flex())).unwrap();
        std::fs::write(folder.path().join("identifier.safetensors"), &bytes).unwrap();
        let path = folder.path().join(table::FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        let weights = Weights::open(folder.path()).unwrap();
        let stated = &weights.table.entries["identifier"].sha256;
        std::fs::write(&path, text.replace(stated, &sha256(&bytes))).unwrap();
        let error = load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("identifier.safetensors"), "{error}");
    }

    #[test]
    fn table_of_something_else_is_refused() {
        check(
            write(
                table::FILE,
                b"[identifier]\nfile = \"identifier.safetensors\"\n",
            ),
            "unusable weights: missing field `sha256`; use those that belong to this version of \
             effigy: \"weights.toml\"",
        );
    }

    #[test]
    fn weights_inside_the_program_are_as_good_as_a_folder() {
        const FILES: BuiltIn = &[
            (table::FILE, include_bytes!("../weights/weights.toml")),
            ("mean-mesh.f32", include_bytes!("../weights/mean-mesh.f32")),
        ];
        let weights = Weights::built_in(FILES).unwrap();
        let of_folder = Weights::from_source_tree().unwrap();
        assert_eq!(weights.hashes(), of_folder.hashes());
        let error = FaceEmbedder::load(&weights, &Device::flex()).unwrap_err();
        assert!(
            error.to_string().contains("identifier.safetensors"),
            "{error}"
        );
        assert!(Weights::built_in(&[]).is_err());
    }
}
