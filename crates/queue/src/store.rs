//! Files under the SHA-256 of their content: the same content is kept once, and a name never lies.
//!
//! What has a name is whole: bytes arrive in a staging area and are renamed when all are there and on the
//! disk. Nothing is deleted but by [`Store::sweep`].

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use effigy_files::Hasher;
use futures_util::StreamExt as _;
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::{GetResult, ObjectStore, ObjectStoreExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::error::{Error, Result};
use crate::id::random_id;

/// The hash under which a file is stored: 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sha256(String);

impl Sha256 {
    /// Reads 64 lower-case hexadecimal digits, and nothing else: what passes here may be part of a path.
    ///
    /// # Errors
    /// [`Error::NotStored`] for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let is_digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        if text.len() == 64 && text.bytes().all(is_digit) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::NotStored {
            sha256: text.chars().take(80).collect(),
        })
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn place(&self) -> object_store::path::Path {
        [FILES, &self.0[..2], &self.0].into_iter().collect()
    }
}

/// A stored file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Where it is.
    pub sha256: Sha256,
    /// How large it is.
    pub n_bytes: u64,
}

/// Where files are kept.
#[derive(Clone, Debug)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
}

const FILES: &str = "files";
const STAGING: &str = "staging";

/// Bytes read at once.
const PIECE_BYTES: usize = 256 * 1024;

impl Store {
    /// Opens a folder, which is made where there is none.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open_folder(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|source| Error::File {
            source,
            what: format!("cannot make the folder {folder:?}"),
        })?;
        let objects = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self {
            objects: Arc::new(objects),
        })
    }

    /// Begins a file of at most `most_bytes`.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn upload(&self, most_bytes: u64) -> Result<Upload> {
        let place = [STAGING, &random_id()?].into_iter().collect();
        Ok(Upload {
            writer: BufWriter::new(
                Arc::clone(&self.objects),
                object_store::path::Path::clone(&place),
            ),
            place,
            objects: Arc::clone(&self.objects),
            hasher: Hasher::default(),
            n_bytes: 0,
            most_bytes,
        })
    }

    /// Stores bytes that are at hand.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn put(&self, bytes: &[u8]) -> Result<Stored> {
        let mut upload = self.upload(u64::MAX)?;
        upload.write(bytes).await?;
        upload.finish().await
    }

    /// Stores a copy of a file.
    ///
    /// # Errors
    /// [`Error::TooLarge`] over `most_bytes`; when it cannot be read, or the store refuses.
    pub async fn put_file(&self, path: &Path, most_bytes: u64) -> Result<Stored> {
        let unread = |source| unreadable(path, source);
        let mut file = tokio::fs::File::open(path).await.map_err(unread)?;
        let mut upload = self.upload(most_bytes)?;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            match file.read(&mut piece).await.map_err(unread)? {
                0 => return upload.finish().await,
                n => upload.write(&piece[..n]).await?,
            }
        }
    }

    /// Reads a file of at most `most_bytes`.
    ///
    /// # Errors
    /// [`Error::NotStored`], [`Error::TooLarge`], [`Error::Changed`], or what the store says.
    pub async fn get(&self, sha256: &Sha256, most_bytes: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut pieces = self.found(sha256, most_bytes).await?.into_stream();
        while let Some(piece) = pieces.next().await {
            bytes.extend_from_slice(&piece?);
        }
        if effigy_files::sha256(&bytes) != sha256.0 {
            return Err(changed(sha256));
        }
        Ok(bytes)
    }

    /// Copies a stored file to `path`, and makes sure that it is what was stored.
    ///
    /// # Errors
    /// As [`Store::get`], and when `path` cannot be written. What was written of it then is left.
    pub async fn fetch(&self, sha256: &Sha256, path: &Path) -> Result<()> {
        let unwritten = |source| Error::File {
            source,
            what: format!("cannot write {path:?}"),
        };
        let mut pieces = self.found(sha256, u64::MAX).await?.into_stream();
        let mut file = tokio::fs::File::create(path).await.map_err(unwritten)?;
        let mut hasher = Hasher::default();
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            hasher.update(&piece);
            file.write_all(&piece).await.map_err(unwritten)?;
        }
        file.flush().await.map_err(unwritten)?;
        if hasher.finish() != sha256.0 {
            return Err(changed(sha256));
        }
        Ok(())
    }

    async fn found(&self, sha256: &Sha256, most_bytes: u64) -> Result<GetResult> {
        let found = self.objects.get(&sha256.place()).await;
        let found = found.map_err(|err| match err {
            object_store::Error::NotFound { .. } => Error::NotStored {
                sha256: sha256.0.clone(),
            },
            other => Error::Store(other),
        })?;
        if most_bytes < found.meta.size {
            return Err(Error::TooLarge { most: most_bytes });
        }
        Ok(found)
    }

    /// How large a stored file is; `None` when it is not there.
    ///
    /// # Errors
    /// What the store says.
    pub async fn size(&self, sha256: &Sha256) -> Result<Option<u64>> {
        match self.objects.head(&sha256.place()).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(err) => Err(err.into()),
        }
    }

    /// Deletes every file that is not in `in_use` and was stored before `age` ago, and uploads that were
    /// given up then; says how many. `age` is the time between storing a file and asking for the job
    /// that reads it.
    ///
    /// # Errors
    /// What the store says. What was deleted until then is gone.
    pub async fn sweep(&self, in_use: &BTreeSet<Sha256>, age: Duration) -> Result<u64> {
        // What is old is told by the clock that dates the files.
        let place = [STAGING, &random_id()?].into_iter().collect();
        self.objects.put(&place, "now".into()).await?;
        let now = self.objects.head(&place).await?.last_modified;
        self.objects.delete(&place).await?;
        let mut n_deleted = 0;
        let mut listed = self.objects.list(None);
        let mut old = Vec::new();
        while let Some(meta) = listed.next().await {
            let meta = meta?;
            let past_millis = (now - meta.last_modified).num_milliseconds();
            let is_old = age.as_millis() <= u128::try_from(past_millis).unwrap_or(0);
            let name = meta.location.filename();
            let sha256 = name.and_then(|name| Sha256::parse(name).ok());
            let is_used = sha256.is_some_and(|sha256| in_use.contains(&sha256));
            if is_old && !is_used {
                old.push(meta.location);
            }
        }
        drop(listed);
        for place in old {
            self.objects.delete(&place).await?;
            n_deleted += 1;
        }
        Ok(n_deleted)
    }
}

/// A file on its way into the store. Dropped before it is finished, it leaves nothing under a name.
pub struct Upload {
    writer: BufWriter,
    place: object_store::path::Path,
    objects: Arc<dyn ObjectStore>,
    hasher: Hasher,
    n_bytes: u64,
    most_bytes: u64,
}

impl Upload {
    /// Adds bytes.
    ///
    /// # Errors
    /// [`Error::TooLarge`] over the limit, or what the store says.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.n_bytes += bytes.len() as u64;
        if self.most_bytes < self.n_bytes {
            self.abort().await;
            return Err(Error::TooLarge {
                most: self.most_bytes,
            });
        }
        self.hasher.update(bytes);
        let written = self.writer.write_all(bytes).await;
        written.map_err(refused)
    }

    /// Gives up, and removes what has arrived.
    pub async fn abort(&mut self) {
        // What cannot be removed now goes with the next sweep.
        self.writer.abort().await.ok();
    }

    /// Makes sure that all bytes are on the disk, and names the file after them.
    ///
    /// # Errors
    /// What the store says.
    pub async fn finish(mut self) -> Result<Stored> {
        self.writer.shutdown().await.map_err(refused)?;
        let stored = Stored {
            sha256: Sha256(self.hasher.finish()),
            n_bytes: self.n_bytes,
        };
        // Over a file of the same content too, so that it counts as new for the sweep.
        self.objects
            .rename(&self.place, &stored.sha256.place())
            .await?;
        Ok(stored)
    }
}

fn refused(source: io::Error) -> Error {
    Error::File {
        source,
        what: "the store refuses".to_owned(),
    }
}

fn unreadable(path: &Path, source: io::Error) -> Error {
    Error::File {
        source,
        what: format!("cannot read {path:?}"),
    }
}

fn changed(sha256: &Sha256) -> Error {
    Error::Changed {
        sha256: sha256.0.clone(),
    }
}
