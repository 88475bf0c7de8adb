//! The peer: PyPI's invisible-watermark, in a process of its own, on the same pictures.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use effigy_frame::Picture;

/// The modes that need no network.
pub(super) const MODES: [&str; 2] = ["dwtDct", "dwtDctSvd"];

/// `scripts/peer-watermark`, answering one request at a time.
pub(super) struct Peer {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    folder: tempfile::TempDir,
}

impl Peer {
    pub(super) fn start(python: &Path) -> Result<Self> {
        let mut child = Command::new(python)
            .arg("scripts/peer-watermark")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {python:?}"))?;
        let requests = child.stdin.take().context("no way to ask the peer")?;
        let answers = child.stdout.take().context("no way to hear the peer")?;
        Ok(Self {
            child,
            requests,
            answers: BufReader::new(answers),
            folder: tempfile::tempdir()?,
        })
    }

    /// Draws its mark. `None` where it refuses the picture: those below 256 × 256 pixels.
    pub(super) fn embed(
        &mut self,
        mode: &str,
        picture: &Picture,
        identifier: u64,
    ) -> Result<Option<Picture>> {
        let (plain, marked) = (self.path("plain.ppm"), self.path("marked.ppm"));
        write_ppm(&plain, picture)?;
        let answer = self.ask(&format!(
            "embed {mode} {identifier:016x} {} {}",
            plain.display(),
            marked.display()
        ))?;
        match answer.as_str() {
            "done" => read_ppm(&marked).map(Some),
            "too small" => Ok(None),
            other => bail!("the peer said {other:?}"),
        }
    }

    /// Reads 64 bits; it always finds some.
    pub(super) fn read(&mut self, mode: &str, picture: &Picture) -> Result<u64> {
        let path = self.path("seen.ppm");
        write_ppm(&path, picture)?;
        let answer = self.ask(&format!("read {mode} {}", path.display()))?;
        u64::from_str_radix(&answer, 16).with_context(|| format!("the peer said {answer:?}"))
    }

    fn ask(&mut self, request: &str) -> Result<String> {
        writeln!(self.requests, "{request}")?;
        self.requests.flush()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        Ok(answer.trim().to_owned())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It ends by itself when no more is asked; this only spares it the wait.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The identifier that most frames say, bit by bit.
pub(super) fn majority(read: &[u64]) -> u64 {
    let is_set = |bit: &u32| 2 * read.iter().filter(|id| *id >> bit & 1 == 1).count() > read.len();
    (0..64)
        .filter(is_set)
        .fold(0, |identifier, bit| identifier | 1 << bit)
}

fn write_ppm(path: &Path, picture: &Picture) -> Result<()> {
    let mut bytes = format!("P6\n{} {}\n255\n", picture.width(), picture.height()).into_bytes();
    bytes.extend_from_slice(picture.pixels());
    std::fs::write(path, bytes).with_context(|| format!("cannot write {path:?}"))
}

fn read_ppm(path: &Path) -> Result<Picture> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {path:?}"))?;
    let mut fields = bytes.splitn(5, u8::is_ascii_whitespace);
    let mut field = || fields.next().context("the picture is cut off");
    let magic = field()?;
    let number = |bytes: &[u8]| -> Result<u32> { Ok(std::str::from_utf8(bytes)?.parse()?) };
    let (width, height, most) = (number(field()?)?, number(field()?)?, number(field()?)?);
    let pixels = field()?;
    let n_bytes = u64::from(width) * u64::from(height) * 3;
    if magic != b"P6" || most != 255 || pixels.len() as u64 != n_bytes {
        bail!("not a picture: {path:?}");
    }
    Ok(Picture::new(width, height, pixels.to_vec()))
}
