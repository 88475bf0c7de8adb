//! Everything of another file that is not the moving picture itself, or of a part of that file: its
//! sounds, subtitles, chapters and notes, on the way into a new container.
//!
//! What the container can hold is copied packet by packet without decoding. Other sound becomes
//! AAC, and other subtitles become plain text. What cannot come along is named before anything is
//! written: see [`track_notes`].

mod aac;
mod cover;
mod notes;
mod plan;
mod text;

use std::path::Path;

use effigy_files::Reading;
use effigy_frame::{Rational, TimeRange};
use ffmpeg_next::format::context::{Input, Output};
use ffmpeg_next::{ChannelLayout, Packet, codec, encoder, ffi};

use crate::declared::DeclaredLength;
use crate::error::{Error, Result};
use crate::libav;
use crate::limits::Limits;
use crate::probe;
use crate::settings::Sounds;
use aac::AacTrack;
pub use cover::read_cover;
pub(crate) use cover::{add_cover, write_cover};
use plan::Becomes;
pub(crate) use plan::holds_cover;
pub use plan::{n_sounds, track_notes};
use text::TextTrack;

/// Whose tracks are carried over.
pub(crate) struct Source<'a> {
    /// The file that holds them.
    pub(crate) path: &'a Path,
    /// The part of the file; what is at its beginning is at 0 in the output.
    pub(crate) range: TimeRange,
    /// The container that is written, by libav's name.
    pub(crate) container: &'a str,
    /// Which of its sounds.
    pub(crate) sounds: Sounds,
}

/// Tracks on their way from one container to another.
pub(crate) struct Tracks {
    input: Input,
    declared: DeclaredLength,
    range: TimeRange,
    tracks: Vec<Track>,
    _reading: Reading,
    /// Read, but not yet due.
    waiting: Option<Packet>,
    ended: bool,
}

/// Which stream becomes which, and how its ticks change.
struct Track {
    from: usize,
    to: usize,
    base: Rational,
    /// The source's tick that is 0 in the output.
    start: i64,
    how: How,
    /// When the last packet is decoded that was copied.
    last: Option<i64>,
}

enum How {
    Copied,
    Aac(Box<AacTrack>),
    Text(TextTrack),
}

/// Reading begins so much before a range: packets are not quite in the order of their times.
const AHEAD_SECS: f64 = 1.0;

impl Tracks {
    /// Opens the file, adds a stream to `output` for each of its tracks, and takes its notes and
    /// chapters over.
    ///
    /// A packet that begins before the range and ends in it is copied whole, so that the sound
    /// is in time to the sample.
    pub(crate) fn open(source: &Source<'_>, limits: &Limits, output: &mut Output) -> Result<Self> {
        let reading = Reading::begin(source.path)?;
        let mut input = libav::open_input(source.path, limits)?;
        let mut tracks = Vec::new();
        for (from, becomes) in plan::plan(&input, source.container, source.sounds).tracks {
            let Some(stream) = input.stream(from) else {
                continue;
            };
            let Some(base) = libav::rational(stream.time_base()) else {
                continue;
            };
            let first = (source.range.from_secs / base.to_f64()).round() as i64;
            let start = libav::clock_start(&input, base).saturating_add(first);
            let (to, how) = match becomes {
                Becomes::Copied => (copied_stream(output, stream.parameters()), How::Copied),
                Becomes::Aac | Becomes::MonoAac => {
                    let mixed = (becomes == Becomes::MonoAac).then_some(ChannelLayout::MONO);
                    let (to, track) = AacTrack::begin(&stream, mixed, source.range, output)?;
                    (Ok(to), How::Aac(Box::new(track)))
                }
                Becomes::Text => (
                    text::add_stream(output),
                    How::Text(TextTrack::new(stream.parameters().id())),
                ),
            };
            let to = to.map_err(cannot_carry)?;
            notes::copy_stream_notes(&stream, output, to);
            tracks.push(Track {
                from,
                to,
                base,
                start,
                how,
                last: None,
            });
        }
        notes::copy_file_notes(&input, output);
        notes::copy_chapters(&input, source.range, output).map_err(cannot_carry)?;
        let declared = DeclaredLength::of(&input, source.path);
        if AHEAD_SECS < source.range.from_secs && !tracks.is_empty() {
            seek(&mut input, source.range.from_secs - AHEAD_SECS).map_err(cannot_carry)?;
        }
        Ok(Self {
            declared,
            range: source.range,
            ended: tracks.is_empty(),
            input,
            tracks,
            _reading: reading,
            waiting: None,
        })
    }

    /// Takes over what the file says of its moving picture, which is now stream `to`.
    pub(crate) fn note_video(&self, output: &mut Output, to: usize) {
        if let Some(shown) = probe::best_video(&self.input) {
            notes::copy_video_notes(&shown, &self.input, self.range, output, to);
        }
    }

    /// Writes everything that plays before `until_secs` of the output.
    pub(crate) fn write_until(&mut self, until_secs: f64, output: &mut Output) -> Result<(), Stop> {
        let TimeRange { from_secs, to_secs } = self.range;
        let last_secs = to_secs.map_or(f64::INFINITY, |to_secs| to_secs - from_secs);
        while let Some(packet) = self.next_packet()? {
            let Some(track) = self.tracks.iter_mut().find(|t| t.from == packet.stream()) else {
                continue;
            };
            let at = packet.dts().or(packet.pts()).unwrap_or(0);
            let at = at.saturating_sub(track.start);
            let at_secs = at as f64 * track.base.to_f64();
            if at_secs >= until_secs.min(last_secs) {
                self.waiting = Some(packet);
                return Ok(());
            }
            let end = at.saturating_add(packet.duration().max(0));
            if 0.0 < from_secs && end <= 0 && at < 0 {
                continue;
            }
            track.write(packet, output)?;
        }
        Ok(())
    }

    /// Writes the rest, and what is held back.
    pub(crate) fn finish(&mut self, output: &mut Output) -> Result<(), Stop> {
        self.write_until(f64::INFINITY, output)?;
        for track in &mut self.tracks {
            match &mut track.how {
                How::Copied => {}
                How::Aac(sound) => sound.finish(track.to, output)?,
                How::Text(text) => text.finish(track.to, output)?,
            }
        }
        Ok(())
    }

    fn next_packet(&mut self) -> Result<Option<Packet>, Stop> {
        if let Some(packet) = self.waiting.take() {
            return Ok(Some(packet));
        }
        if self.ended {
            return Ok(None);
        }
        let mut packet = Packet::empty();
        match packet.read(&mut self.input) {
            Ok(()) if packet.is_corrupt() => Err(Stop::Read("a packet is incomplete".to_owned())),
            Ok(()) => {
                self.declared.note(&self.input, &packet);
                Ok(Some(packet))
            }
            Err(ffmpeg_next::Error::Eof) => {
                self.ended = true;
                let why = self.declared.unfulfilled();
                why.map_or(Ok(None), |why| Err(Stop::Read(why)))
            }
            Err(err) => Err(Stop::Read(err.to_string())),
        }
    }
}

impl Track {
    fn write(&mut self, mut packet: Packet, output: &mut Output) -> Result<(), Stop> {
        packet.set_pts(packet.pts().map(|t| t.saturating_sub(self.start)));
        packet.set_dts(packet.dts().map(|t| t.saturating_sub(self.start)));
        match &mut self.how {
            How::Copied => {
                // Where an edit list joins two pieces, the second begins with packets that lie before it,
                // so that a decoder can begin; no container takes time that runs back.
                let dts = packet.dts().or(packet.pts());
                if dts.is_some() && dts <= self.last {
                    return Ok(());
                }
                self.last = dts;
                packet.set_position(-1);
                write_packet(packet, self.base, self.to, output)
            }
            How::Aac(sound) => sound.write(&packet, self.base, self.to, output),
            How::Text(text) => text.write(&packet, self.base, self.to, output),
        }
    }
}

/// Hands a packet whose times are in `base` to the container.
fn write_packet(
    mut packet: Packet,
    base: Rational,
    to: usize,
    output: &mut Output,
) -> Result<(), Stop> {
    let to_base = output
        .stream(to)
        .map_or(ffmpeg_next::Rational::new(1, 1), |s| s.time_base());
    packet.rescale_ts(libav::to_libav(base), to_base);
    packet.set_stream(to);
    packet.write_interleaved(output).map_err(Stop::Write)
}

/// Goes to `secs` of the file's clock, or a little before.
fn seek(input: &mut Input, secs: f64) -> Result<(), ffmpeg_next::Error> {
    let base = Rational::new(1, ffi::AV_TIME_BASE);
    let start = libav::clock_start(input, base);
    let target = start.saturating_add((secs / base.to_f64()) as i64);
    input.seek(target, ..target)
}

/// Which side failed.
pub(crate) enum Stop {
    Read(String),
    Write(ffmpeg_next::Error),
}

fn copied_stream(
    output: &mut Output,
    parameters: codec::Parameters,
) -> Result<usize, ffmpeg_next::Error> {
    let mut stream = output.add_stream(encoder::find(codec::Id::None))?;
    stream.set_parameters(parameters);
    #[expect(unsafe_code, reason = "ffmpeg-next does not show the tag")]
    // SAFETY: the parameters belong to the stream, which `output` keeps. The tag is the source
    // container's name of the codec; zero lets the new container choose its own.
    unsafe {
        (*stream.parameters().as_mut_ptr()).codec_tag = 0;
    }
    Ok(stream.index())
}

fn cannot_carry(source: ffmpeg_next::Error) -> Error {
    Error::Libav {
        doing: "carry over sound and subtitles",
        source,
    }
}
