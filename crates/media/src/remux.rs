//! The sound of another file or a part of it, copied packet by packet without decoding.

use std::path::Path;

use effigy_frame::{Rational, TimeRange};
use ffmpeg_next::format::context::{Input, Output};
use ffmpeg_next::{Packet, codec, encoder, media};

use crate::declared::DeclaredLength;
use crate::error::{Error, Result};
use crate::libav;
use crate::limits::Limits;

/// Which sound is copied.
pub(crate) struct SoundSource<'a> {
    /// The file that holds it.
    pub(crate) path: &'a Path,
    /// The part of the file; what is at its beginning is at 0 in the output.
    pub(crate) range: TimeRange,
}

/// Sound on its way from one container to another.
pub(crate) struct AudioRemux {
    input: Input,
    declared: DeclaredLength,
    range: TimeRange,
    streams: Vec<StreamMap>,
    /// Read, but not yet due.
    waiting: Option<Packet>,
    ended: bool,
}

/// Which stream becomes which, and how its ticks change.
struct StreamMap {
    from: usize,
    to: usize,
    base: Rational,
    /// The source's tick that is 0 in the output.
    start: i64,
}

/// Reading begins so much before a range: packets are not quite in the order of their times.
const AHEAD_SECS: f64 = 1.0;

impl AudioRemux {
    /// Opens the file and adds a stream to `output` for each of its sounds. `None` without sound.
    ///
    /// A packet that begins before the range and ends in it is copied whole, so that the sound
    /// is in time to the sample.
    pub(crate) fn open(
        source: &SoundSource<'_>,
        limits: &Limits,
        output: &mut Output,
    ) -> Result<Option<Self>> {
        let mut input = libav::open_input(source.path, limits)?;
        let mut streams = Vec::new();
        for stream in input.streams() {
            let Some(base) = libav::rational(stream.time_base()) else {
                continue;
            };
            let parameters = stream.parameters();
            if parameters.medium() != media::Type::Audio || parameters.id() == codec::Id::None {
                continue;
            }
            let to = add_stream(output, parameters).map_err(cannot_remux)?;
            let first = (source.range.from_secs / base.to_f64()).round() as i64;
            streams.push(StreamMap {
                from: stream.index(),
                to,
                base,
                start: libav::clock_start(&input, base).saturating_add(first),
            });
        }
        let declared = DeclaredLength::of(&input, source.path);
        if AHEAD_SECS < source.range.from_secs && !streams.is_empty() {
            seek(&mut input, source.range.from_secs - AHEAD_SECS).map_err(cannot_remux)?;
        }
        Ok((!streams.is_empty()).then_some(Self {
            declared,
            range: source.range,
            input,
            streams,
            waiting: None,
            ended: false,
        }))
    }

    /// Writes all sound that plays before `until_secs` of the output.
    pub(crate) fn write_until(&mut self, until_secs: f64, output: &mut Output) -> Result<(), Stop> {
        let TimeRange { from_secs, to_secs } = self.range;
        let last_secs = to_secs.map_or(f64::INFINITY, |to_secs| to_secs - from_secs);
        while let Some(packet) = self.next_packet()? {
            let Some(stream) = self.streams.iter().find(|m| m.from == packet.stream()) else {
                continue;
            };
            let at = packet
                .dts()
                .or(packet.pts())
                .unwrap_or(0)
                .saturating_sub(stream.start);
            let at_secs = at as f64 * stream.base.to_f64();
            if at_secs >= until_secs.min(last_secs) {
                self.waiting = Some(packet);
                return Ok(());
            }
            let end = at.saturating_add(packet.duration().max(0));
            if 0.0 < from_secs && end <= 0 && at < 0 {
                continue;
            }
            write(packet, stream, output).map_err(Stop::Write)?;
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

/// Goes to `secs` of the file's clock, or a little before.
fn seek(input: &mut Input, secs: f64) -> Result<(), ffmpeg_next::Error> {
    let base = Rational::new(1, ffmpeg_next::ffi::AV_TIME_BASE);
    let start = libav::clock_start(input, base);
    let target = start.saturating_add((secs / base.to_f64()) as i64);
    input.seek(target, ..target)
}

/// Which side failed.
pub(crate) enum Stop {
    Read(String),
    Write(ffmpeg_next::Error),
}

fn add_stream(
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

fn write(
    mut packet: Packet,
    stream: &StreamMap,
    output: &mut Output,
) -> Result<(), ffmpeg_next::Error> {
    let to_base = output
        .stream(stream.to)
        .map_or(ffmpeg_next::Rational::new(1, 1), |s| s.time_base());
    packet.set_pts(packet.pts().map(|t| t.saturating_sub(stream.start)));
    packet.set_dts(packet.dts().map(|t| t.saturating_sub(stream.start)));
    packet.rescale_ts(libav::to_libav(stream.base), to_base);
    packet.set_stream(stream.to);
    packet.set_position(-1);
    packet.write_interleaved(output)
}

fn cannot_remux(source: ffmpeg_next::Error) -> Error {
    Error::Libav {
        doing: "copy the sound",
        source,
    }
}
