//! How many bytes each picture of a video takes, without decoding any.

use std::path::Path;

use ffmpeg_next::Packet as LibavPacket;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::patience::{self, Pulse};
use crate::{libav, probe};

/// What one picture of a video takes in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Its bytes.
    pub n_bytes: usize,
    /// How it was compressed.
    pub kind: PacketKind,
}

/// How a picture was compressed, as far as the order of packets tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketKind {
    /// As a whole, so that a player can begin there: a key frame.
    Whole,
    /// Shown after everything that comes before it in the file: predicted from the past.
    Forward,
    /// Shown before something that comes before it in the file: predicted from both sides.
    Between,
}

/// Lists the first `most` packets of a video, in presentation order; none of pictures. Of a file
/// that breaks off, those before.
///
/// # Errors
/// If the file cannot be opened or is no video.
pub fn packets(path: &Path, most: usize, limits: &Limits) -> Result<Vec<Packet>> {
    patience::read(path, limits, move |path, limits, pulse| {
        packets_here(path, most, limits, pulse)
    })
}

fn packets_here(path: &Path, most: usize, limits: &Limits, pulse: &Pulse) -> Result<Vec<Packet>> {
    if probe::has_no_streams(path) {
        return Ok(Vec::new());
    }
    let mut input = libav::open_input(path, limits)?;
    let stream = probe::best_video(&input).map(|stream| stream.index());
    let stream = stream.ok_or_else(|| Error::NoVideo {
        path: path.to_owned(),
    })?;
    let mut found: Vec<(i64, Packet)> = Vec::new();
    let mut latest = i64::MIN;
    while found.len() < most {
        let mut packet = LibavPacket::empty();
        pulse.beat();
        // Where a file breaks off, and how, is for its reader to say.
        if packet.read(&mut input).is_err() {
            break;
        }
        let time = packet.pts().or_else(|| packet.dts());
        let Some(time) = time.filter(|_| packet.stream() == stream) else {
            continue;
        };
        let kind = if packet.is_key() {
            PacketKind::Whole
        } else if latest < time {
            PacketKind::Forward
        } else {
            PacketKind::Between
        };
        latest = latest.max(time);
        let n_bytes = packet.size();
        found.push((time, Packet { n_bytes, kind }));
    }
    found.sort_by_key(|(time, _)| *time);
    Ok(found.into_iter().map(|(_, packet)| packet).collect())
}
