//! One video stream to frames: in presentation order, upright, with exact times, and with every
//! kind of damage told from the end.
//!
//! Times count from the start of the file's clock: the moment its first sound or picture plays.

use std::path::Path;

use effigy_frame::{Frame, Picture, Rational, Timestamp};
use ffmpeg_next::error::EAGAIN;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Dictionary, Packet, codec, ffi, frame};

use crate::colour::ColourTags;
use crate::convert::ToRgb;
use crate::error::{Error, Result};
use crate::info::Info;
use crate::libav;
use crate::limits::Limits;
use crate::orient::Orientation;
use crate::probe;

/// A video file being decoded. Not an iterator of its own accord: see `VideoReader`.
pub(crate) struct Decoding {
    input: Input,
    decoder: codec::decoder::Video,
    to_rgb: ToRgb,
    limits: Limits,
    stream: usize,
    base: Rational,
    /// Ticks of `base` in one frame of the average rate.
    step: i64,
    /// Ticks at which the file's clock starts.
    start: i64,
    orientation: Orientation,
    rate: Rational,
    /// What the file says it holds, for telling the end from a cut.
    declared: Declared,
    progress: Progress,
}

/// What the headers promise.
struct Declared {
    duration_secs: Option<f64>,
    missing_bytes: u64,
}

/// How far decoding has come.
#[derive(Default)]
struct Progress {
    next_index: u64,
    last_ticks: Option<i64>,
    /// End of the last packet of any stream, in seconds of the container's clock.
    read_secs: f64,
    /// Frames before this are decoded but not given: a seek's target.
    skip_until: Option<i64>,
    /// Whether frames that lean on missing ones may be left out: before the first clean frame of
    /// a stream that is entered in the middle.
    lenient: bool,
    phase: Phase,
}

#[derive(Default)]
enum Phase {
    #[default]
    Reading,
    /// No more packets; the decoder still holds frames. Damage found by the demuxer waits here.
    Draining(Option<String>),
    Ended,
}

impl Decoding {
    /// Opens the best video stream of a file.
    pub(crate) fn open(path: &Path, limits: &Limits) -> Result<(Self, Info)> {
        let input = libav::open_input(path, limits)?;
        let info = probe::describe(&input, path, limits)?;
        let no_video = || Error::NoVideo {
            path: path.to_owned(),
        };
        let video = info.video.as_ref().ok_or_else(no_video)?;
        let stream = probe::best_video(&input).ok_or_else(no_video)?;
        let decoder = open_decoder(&stream, limits)?;
        let base = video.time_base;
        let step = 1.0 / video.frame_rate.to_f64() / base.to_f64();
        let this = Self {
            stream: stream.index(),
            step: (step.round() as i64).max(1),
            start: clock_start(&input, base),
            orientation: video.orientation,
            rate: video.frame_rate,
            declared: Declared {
                duration_secs: declared_secs(&input),
                missing_bytes: missing_bytes(&input),
            },
            progress: Progress::default(),
            to_rgb: ToRgb::new(),
            limits: *limits,
            base,
            decoder,
            input,
        };
        Ok((this, info))
    }

    /// Gives the next frame, `None` at the end. After an error there is nothing more.
    pub(crate) fn next_frame(&mut self) -> Option<Result<Frame>> {
        let result = self.decode_one().transpose()?;
        if result.is_err() {
            self.progress.phase = Phase::Ended;
        }
        Some(result)
    }

    /// Makes the first frame at or after `secs` the next one.
    pub(crate) fn seek(&mut self, secs: f64) -> Result<()> {
        let target = self
            .start
            .saturating_add((secs / self.base.to_f64()).round() as i64);
        self.jump(target).map_err(|source| Error::Libav {
            doing: "seek",
            source,
        })?;
        self.progress = Progress {
            skip_until: Some(target),
            lenient: true,
            read_secs: self.progress.read_secs,
            ..Progress::default()
        };
        Ok(())
    }

    fn decode_one(&mut self) -> Result<Option<Frame>> {
        let mut decoded = frame::Video::empty();
        loop {
            if matches!(self.progress.phase, Phase::Ended) {
                return Ok(None);
            }
            match self.decoder.receive_frame(&mut decoded) {
                Ok(()) => {
                    if let Some(frame) = self.accept(&decoded)? {
                        return Ok(Some(frame));
                    }
                }
                Err(ffmpeg_next::Error::Other { errno: EAGAIN }) => self.feed()?,
                Err(ffmpeg_next::Error::Eof) => return self.end().map(|()| None),
                Err(_) if self.progress.lenient => {}
                Err(err) => return Err(self.damaged(err.to_string())),
            }
        }
    }

    /// Hands the decoder the next packet of our stream, or the news that there is none.
    fn feed(&mut self) -> Result<()> {
        let found = match self.read_packet() {
            Ok(packet) => match self.decoder.send_packet(&packet) {
                Ok(()) => return Ok(()),
                Err(_) if self.progress.lenient => return Ok(()),
                Err(err) => return Err(self.damaged(err.to_string())),
            },
            Err(found) => found,
        };
        self.progress.phase = Phase::Draining(found);
        self.decoder
            .send_eof()
            .map_err(|err| self.damaged(err.to_string()))
    }

    /// Reads on to the next packet of our stream. `Err(None)` is the file's own end, `Err(Some)`
    /// says what is wrong with it.
    fn read_packet(&mut self) -> Result<Packet, Option<String>> {
        loop {
            let mut packet = Packet::empty();
            match packet.read(&mut self.input) {
                Ok(()) => {}
                Err(ffmpeg_next::Error::Eof) => return Err(None),
                Err(err) => return Err(Some(err.to_string())),
            }
            self.note_end(&packet);
            if packet.stream() != self.stream {
                continue;
            }
            if packet.is_corrupt() {
                return Err(Some("a packet is incomplete".to_owned()));
            }
            return Ok(packet);
        }
    }

    fn note_end(&mut self, packet: &Packet) {
        let base = self
            .input
            .stream(packet.stream())
            .and_then(|s| libav::rational(s.time_base()));
        if let (Some(base), Some(pts)) = (base, packet.pts().or(packet.dts())) {
            let end = pts.saturating_add(packet.duration()) as f64 * base.to_f64();
            self.progress.read_secs = self.progress.read_secs.max(end);
        }
    }

    /// Takes a decoded frame: `None` when it is only on the way to a seek's target.
    fn accept(&mut self, decoded: &frame::Video) -> Result<Option<Frame>> {
        if decoded.is_corrupt() || decoded.has_decode_errors() {
            if self.progress.lenient {
                return Ok(None);
            }
            return Err(self.damaged("the decoder had to make up parts of the picture".to_owned()));
        }
        self.progress.lenient = false;
        let ticks = self.ticks_of(decoded)?;
        self.progress.last_ticks = Some(ticks);
        if let Some(target) = self.progress.skip_until {
            if ticks < target {
                return Ok(None);
            }
            self.progress.skip_until = None;
            self.progress.next_index = self.index_at(ticks);
        }
        let time = Timestamp::new(ticks.saturating_sub(self.start), self.base);
        self.limits.check_duration(time.secs())?;
        let index = self.progress.next_index;
        self.progress.next_index += 1;
        let picture = self.picture(decoded)?;
        Ok(Some(Frame {
            index,
            time,
            picture,
        }))
    }

    fn picture(&mut self, decoded: &frame::Video) -> Result<Picture> {
        self.limits
            .check_size(decoded.width().into(), decoded.height().into())?;
        let colour = ColourTags {
            range: decoded.color_range().into(),
            matrix: decoded.color_space().into(),
            primaries: decoded.color_primaries().into(),
            transfer: decoded.color_transfer_characteristic().into(),
        };
        let picture = self
            .to_rgb
            .convert(decoded, colour.resolved(decoded.height()))?;
        Ok(self.orientation.apply(picture))
    }

    /// The frame's time. Frames must get later; where two share a tick, the second moves on by one.
    fn ticks_of(&self, decoded: &frame::Video) -> Result<i64> {
        let last = self.progress.last_ticks;
        let guess = last.map_or(self.start, |last| last.saturating_add(self.step));
        let ticks = decoded.timestamp().unwrap_or(guess);
        match last {
            Some(last) if ticks == last => Ok(last.saturating_add(1)),
            Some(last) if ticks < last => Err(self.damaged("time runs backwards".to_owned())),
            _ => Ok(ticks),
        }
    }

    /// Counts frames of the average rate up to a moment.
    fn index_at(&self, ticks: i64) -> u64 {
        let secs = ticks.saturating_sub(self.start) as f64 * self.base.to_f64();
        (secs * self.rate.to_f64()).round().max(0.0) as u64
    }

    /// Tells the end from damage, once the decoder has given everything.
    fn end(&mut self) -> Result<()> {
        let phase = std::mem::replace(&mut self.progress.phase, Phase::Ended);
        let index = self.progress.next_index;
        let at = self.next_time();
        let missing = self.declared.missing_bytes;
        if missing > 0 {
            let why = format!("{missing} bytes of pictures or sound are missing");
            return Err(Error::Truncated { why, index, at });
        }
        if let Phase::Draining(Some(why)) = phase {
            return Err(Error::Damaged { why, index, at });
        }
        if let Some(declared) = self.declared.duration_secs
            && self.progress.read_secs + tolerance_secs(declared) < declared
        {
            let why = format!("the file says that it is {declared:.3} s long");
            return Err(Error::Truncated { why, index, at });
        }
        Ok(())
    }

    fn damaged(&self, why: String) -> Error {
        Error::Damaged {
            why,
            index: self.progress.next_index,
            at: self.next_time(),
        }
    }

    /// When the next frame would have been shown.
    fn next_time(&self) -> Timestamp {
        let last = self.progress.last_ticks;
        let ticks = last.map_or(0, |last| {
            last.saturating_add(self.step).saturating_sub(self.start)
        });
        Timestamp::new(ticks, self.base)
    }

    fn jump(&mut self, target: i64) -> Result<(), ffmpeg_next::Error> {
        #[expect(
            unsafe_code,
            reason = "ffmpeg-next seeks only in the container's microseconds"
        )]
        // SAFETY: the context is valid and owned by `input`; `stream` is one of its streams.
        let status = unsafe {
            ffi::avformat_seek_file(
                self.input.as_mut_ptr(),
                self.stream as i32,
                i64::MIN,
                target,
                target,
                0,
            )
        };
        libav::check(status)?;
        self.decoder.flush();
        Ok(())
    }
}

fn open_decoder(
    stream: &ffmpeg_next::Stream<'_>,
    limits: &Limits,
) -> Result<codec::decoder::Video> {
    let parameters = stream.parameters();
    let id = parameters.id();
    let no_decoder = || Error::NoDecoder {
        codec: id.name().to_owned(),
    };
    let broken = |source| Error::Libav {
        doing: "open the decoder",
        source,
    };
    // Only libvpx gives the transparency of VP8 and VP9.
    let with_alpha = match id {
        codec::Id::VP9 if probe::has_alpha_plane(stream) => {
            codec::decoder::find_by_name("libvpx-vp9")
        }
        codec::Id::VP8 if probe::has_alpha_plane(stream) => codec::decoder::find_by_name("libvpx"),
        _ => None,
    };
    let found = with_alpha
        .or_else(|| codec::decoder::find(id))
        .ok_or_else(no_decoder)?;
    let mut decoder = codec::Context::from_parameters(parameters)
        .map_err(broken)?
        .decoder();
    decoder.set_packet_time_base(stream.time_base());
    let mut options = Dictionary::new();
    options.set("threads", "auto");
    options.set("err_detect", "explode");
    options.set("max_pixels", &libav::coded_pixels(limits).to_string());
    decoder
        .open_as_with(found, options)
        .and_then(codec::decoder::Opened::video)
        .map_err(broken)
}

/// Where the file's clock starts, in ticks of `base`. Sound that is cut off before the start
/// (negative times) does not move it.
pub(crate) fn clock_start(input: &Input, base: Rational) -> i64 {
    let starts = input.streams().filter_map(|s| {
        let is_media = matches!(
            s.parameters().medium(),
            ffmpeg_next::media::Type::Video | ffmpeg_next::media::Type::Audio
        );
        let start = libav::known_time(s.start_time()).filter(|_| is_media)?;
        Some(libav::rescale(start, libav::rational(s.time_base())?, base))
    });
    starts.min().unwrap_or(0).max(0)
}

/// The length in the header, in seconds of the container's clock; `None` where libav has only
/// estimated it.
fn declared_secs(input: &Input) -> Option<f64> {
    #[expect(
        unsafe_code,
        reason = "ffmpeg-next does not show how the length was found"
    )]
    // SAFETY: the context is valid as long as `input` is.
    let (method, start) = unsafe {
        let raw = input.as_ptr();
        ((*raw).duration_estimation_method, (*raw).start_time)
    };
    let from_header = method == ffi::AVDurationEstimationMethod::AVFMT_DURATION_FROM_STREAM;
    let duration = libav::known_time(input.duration()).filter(|_| from_header)?;
    let end = duration.saturating_add(libav::known_time(start).unwrap_or(0));
    Some(end as f64 / f64::from(ffi::AV_TIME_BASE))
}

/// How much shorter than it says a file may end: the last packets of some containers have no
/// length, and headers round.
fn tolerance_secs(declared: f64) -> f64 {
    (declared * 0.02).max(1.0)
}

/// Bytes that the file's own index places behind its end.
fn missing_bytes(input: &Input) -> u64 {
    let Some(len) = input.io_size() else {
        return 0;
    };
    let mut end = 0;
    for stream in input.streams() {
        #[expect(unsafe_code, reason = "ffmpeg-next does not show the index")]
        // SAFETY: the stream is valid; an entry is read before libav is called again.
        unsafe {
            let raw = stream.as_ptr().cast_mut();
            for at in 0..ffi::avformat_index_get_entries_count(raw) {
                if let Some(entry) = ffi::avformat_index_get_entry(raw, at).as_ref() {
                    end = end.max(entry.pos.saturating_add(entry.size().into()));
                }
            }
        }
    }
    u64::try_from(end - len).unwrap_or(0)
}
