//! One video stream to frames: in presentation order, upright, with exact times, and with every
//! kind of damage distinguished from the end.
//!
//! Times count from the start of the file's clock: the moment its first sound or picture plays.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use effigy_frame::{Frame, Picture, Rational, Timestamp};
use ffmpeg_next::error::EAGAIN;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Dictionary, Packet, codec, ffi, frame};

use crate::concealed::Concealed;
use crate::convert::ToRgb;
use crate::declared::DeclaredLength;
use crate::deinterlace::Deinterlacer;
use crate::error::{Error, Result};
use crate::info::Info;
use crate::libav;
use crate::limits::Limits;
use crate::orient::Orientation;
use crate::patience::Pulse;
use crate::probe;

/// What is said of a packet that was not stored to its end.
const INCOMPLETE: &str = "a packet is incomplete";
/// What is said of a picture that was not stored as a whole.
const MADE_UP: &str = "the decoder had to make up parts of the picture";

/// A video file being decoded. Not an iterator of its own accord: see `VideoReader`.
pub(crate) struct Decoding {
    path: PathBuf,
    input: Input,
    decoder: codec::decoder::Video,
    /// What the decoder makes up, which it tells even where it marks no frame.
    concealed: Concealed,
    threads: Threads,
    /// Makes frames of two fields whole, which takes a frame's time.
    fields: Deinterlacer,
    /// Whole frames that are not given yet.
    whole: VecDeque<frame::Video>,
    to_rgb: ToRgb,
    limits: Limits,
    stream: usize,
    base: Rational,
    /// Ticks of `base` in one frame of the average rate.
    step: i64,
    /// Ticks at which the file's clock starts.
    start: i64,
    /// Whether a frame without a time lies before the clock's start.
    untimed_is_before: bool,
    orientation: Orientation,
    rate: Rational,
    /// What the file says it holds, for telling the end from a cut.
    declared: DeclaredLength,
    pub(crate) damage: Damage,
    pub(crate) pulse: Pulse,
    progress: Progress,
}

/// What happens behind a frame that cannot be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Damage {
    /// There are no more frames.
    #[default]
    Ends,
    /// Decoding goes on at the next key frame.
    IsSkipped,
}

/// How many threads decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Threads {
    /// As many as there are cores, each at a frame of its own. A frame may then be given before the
    /// thread that decodes it has marked it as damaged (libav up to 6), or an error comes for it and
    /// others.
    Many,
    /// One, which is exact about which frames are damaged.
    One,
}

/// How far decoding has come.
#[derive(Default)]
struct Progress {
    next_index: u64,
    last_ticks: Option<i64>,
    /// Where the next packet would be decoded.
    next_packet: Option<i64>,
    /// Frames from here on are not given: behind a cut, one between them may be missing.
    give_until: Option<i64>,
    /// Frames before this are decoded but not given: a seek's target.
    skip_until: Option<i64>,
    /// Whether the frames before that were counted already.
    keeps_count: bool,
    /// Whether a seek may have landed behind its target: nothing was decoded since.
    landing: bool,
    /// Whether the last packet needs none before it.
    sent_key: bool,
    /// Whether packets are passed over up to the next that needs none before it.
    awaits_key: bool,
    entry: Entry,
    phase: Phase,
}

/// How the stream was entered. Before the first clean frame of a stream entered in the middle,
/// frames that lean on missing ones are no damage.
#[derive(Default)]
enum Entry {
    /// No packet was read yet.
    #[default]
    Unknown,
    /// In the middle; what has failed so far, in case nothing better comes.
    Middle(Option<String>),
    /// At a key frame, or past the first clean frame: everything must decode.
    Clean,
}

#[derive(Default)]
enum Phase {
    #[default]
    Reading,
    /// No more packets; the decoder still holds frames. Damage found by the demuxer waits here.
    Draining(Option<String>),
    /// Something is damaged, as said; the decoder still holds frames before it.
    Recovering(String),
    Ended,
}

/// Why there is no packet to decode.
enum NoPacket {
    /// The file ends, or says what is wrong with it.
    End(Option<String>),
    /// There is one, which was not stored to its end.
    Incomplete,
}

impl Decoding {
    /// Opens the best video stream of a file.
    pub(crate) fn open(path: &Path, limits: &Limits) -> Result<(Self, Info)> {
        Self::open_with(path, limits, Threads::Many)
    }

    fn open_with(path: &Path, limits: &Limits, threads: Threads) -> Result<(Self, Info)> {
        let input = libav::open_input(path, limits)?;
        let info = probe::describe(&input, path, limits)?;
        let no_video = || Error::NoVideo {
            path: path.to_owned(),
        };
        let video = info.video.as_ref().ok_or_else(no_video)?;
        let stream = probe::best_video(&input).ok_or_else(no_video)?;
        let concealed = Concealed::default();
        let decoder = open_decoder(&stream, limits, threads, &concealed)?;
        let base = video.time_base;
        let step = 1.0 / video.frame_rate.to_f64() / base.to_f64();
        let this = Self {
            path: path.to_owned(),
            stream: stream.index(),
            step: (step.round() as i64).max(1),
            start: libav::clock_start(&input, base),
            untimed_is_before: libav::is_matroska(&input),
            orientation: video.orientation,
            rate: video.frame_rate,
            declared: DeclaredLength::of(&input, path),
            damage: Damage::Ends,
            pulse: Pulse::default(),
            progress: Progress::default(),
            fields: Deinterlacer::default(),
            whole: VecDeque::new(),
            to_rgb: ToRgb::new(),
            limits: *limits,
            base,
            decoder,
            concealed,
            threads,
            input,
        };
        Ok((this, info))
    }

    /// Gives the next frame, `None` at the end. After an error there is nothing more, unless damage
    /// is skipped: then an error stands for all frames that are missing in its place.
    pub(crate) fn next_frame(&mut self) -> Option<Result<Frame>> {
        loop {
            if matches!(self.progress.phase, Phase::Recovering(_)) {
                return Some(self.next_before_damage());
            }
            let is_reading = matches!(self.progress.phase, Phase::Reading);
            match self.decode_one() {
                Err(Error::Damaged { .. }) if self.threads == Threads::Many => {
                    if let Err(error) = self.decode_exactly() {
                        self.progress.phase = Phase::Ended;
                        return Some(Err(error));
                    }
                }
                Err(Error::Damaged { why, .. })
                    if self.damage == Damage::IsSkipped && is_reading =>
                {
                    self.progress.phase = Phase::Recovering(why);
                }
                Err(error) => {
                    self.progress.phase = Phase::Ended;
                    return Some(Err(error));
                }
                Ok(frame) => return frame.map(Ok),
            }
        }
    }

    /// Gives the next frame that comes before the damage, then the damage itself, and goes on at the
    /// next key frame: what lies between leans on what is missing.
    fn next_before_damage(&mut self) -> Result<Frame> {
        let mut decoded = frame::Video::empty();
        let given = self.progress.last_ticks;
        if self.receive_the_rest(&mut decoded)
            && self.follows(given, &decoded)
            && let Ok(Some(frame)) = self.accept(&decoded)
        {
            return Ok(frame);
        }
        self.progress.last_ticks = given;
        let phase = std::mem::take(&mut self.progress.phase);
        let Phase::Recovering(why) = phase else {
            unreachable!("only called while recovering")
        };
        self.decoder.flush();
        self.progress.entry = Entry::Middle(None);
        self.progress.awaits_key = true;
        // The frames that are missing are counted by their time.
        self.progress.skip_until = Some(given.map_or(i64::MIN, |last| last.saturating_add(1)));
        Err(self.damaged(why))
    }

    /// Takes a frame that the decoder still holds, if it can give one.
    fn receive_the_rest(&mut self, decoded: &mut frame::Video) -> bool {
        loop {
            match self.decoder.receive_frame(decoded) {
                Ok(()) => return true,
                // It waits for more; told once that there is none, it gives what it has.
                Err(ffmpeg_next::Error::Other { errno: EAGAIN })
                    if self.decoder.send_eof().is_ok() => {}
                Err(_nothing_more) => return false,
            }
        }
    }

    /// Whether nothing is missing between the last frame and this one.
    fn follows(&self, last: Option<i64>, decoded: &frame::Video) -> bool {
        let last = last.unwrap_or(self.start.saturating_sub(self.step));
        let gap = decoded.timestamp().map(|ticks| ticks.saturating_sub(last));
        gap.is_some_and(|gap| 0 < gap && gap < self.step + self.step / 2 + 1)
    }

    /// Makes the first frame at or after `secs` the next one.
    pub(crate) fn seek(&mut self, secs: f64) -> Result<()> {
        let target = self
            .start
            .saturating_add((secs / self.base.to_f64()).round() as i64);
        self.seek_to(target)
    }

    /// Makes the first frame at or after the tick `target` the next one.
    fn seek_to(&mut self, target: i64) -> Result<()> {
        // Some files cannot be sought in: they are read from their start.
        if self.jump(target).is_err() {
            return self.start_over(target);
        }
        self.fields = Deinterlacer::default();
        self.whole.clear();
        self.progress = Progress {
            skip_until: Some(target),
            landing: true,
            entry: Entry::Middle(None),
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
            if let Some(whole) = self.whole.pop_front() {
                match self.accept(&whole)? {
                    Some(frame) => return Ok(Some(frame)),
                    None => continue,
                }
            }
            let received = self.decoder.receive_frame(&mut decoded);
            if self.threads == Threads::Many && self.concealed.is_any() {
                self.decode_exactly()?;
                continue;
            }
            match received {
                Ok(()) if decoded.is_interlaced() || self.fields.is_waiting() => {
                    let next = std::mem::replace(&mut decoded, frame::Video::empty());
                    self.whole.extend(self.fields.push(next));
                }
                Ok(()) => {
                    if let Some(frame) = self.accept(&decoded)? {
                        return Ok(Some(frame));
                    }
                }
                Err(ffmpeg_next::Error::Eof) if self.fields.is_waiting() => {
                    self.whole.extend(self.fields.finish());
                }
                Err(ffmpeg_next::Error::Other { errno: EAGAIN }) => self.feed()?,
                Err(ffmpeg_next::Error::Eof) => match self.progress.skip_until {
                    Some(target) if self.progress.landing => self.start_over(target)?,
                    _ => return self.end().map(|()| None),
                },
                Err(err) if matches!(self.progress.phase, Phase::Draining(_)) => {
                    return Err(self.damaged(err.to_string()));
                }
                Err(err) => self.forgive(err.to_string())?,
            }
        }
    }

    /// Lets a failure pass where the stream was entered in the middle.
    fn forgive(&mut self, why: String) -> Result<()> {
        match &mut self.progress.entry {
            Entry::Middle(failed) => {
                failed.get_or_insert(why);
                Ok(())
            }
            Entry::Unknown | Entry::Clean => Err(self.damaged(why)),
        }
    }

    /// Hands the decoder the next packet of our stream, or the news that there is none.
    fn feed(&mut self) -> Result<()> {
        if self.concealed.take() {
            // What comes next leans on it, even what is shown before.
            return if self.progress.sent_key {
                Err(self.damaged(MADE_UP.to_owned()))
            } else {
                self.forgive(MADE_UP.to_owned())
            };
        }
        match self.read_packet() {
            Ok(packet) => {
                if matches!(self.progress.entry, Entry::Unknown) {
                    let is_key = packet.is_key();
                    self.progress.entry = if is_key {
                        Entry::Clean
                    } else {
                        Entry::Middle(None)
                    };
                }
                self.progress.sent_key = packet.is_key();
                let sent = self.decoder.send_packet(&packet);
                sent.or_else(|err| self.forgive(err.to_string()))
            }
            Err(NoPacket::Incomplete) => Err(self.damaged(INCOMPLETE.to_owned())),
            Err(NoPacket::End(found)) => {
                if found.is_some() || self.declared.unfulfilled().is_some() {
                    self.progress.give_until = Some(self.progress.next_packet.unwrap_or(i64::MIN));
                }
                self.progress.phase = Phase::Draining(found);
                let sent = self.decoder.send_eof();
                sent.map_err(|err| self.damaged(err.to_string()))
            }
        }
    }

    /// Reads on to the next packet of our stream.
    fn read_packet(&mut self) -> Result<Packet, NoPacket> {
        loop {
            let mut packet = Packet::empty();
            self.pulse.beat();
            match packet.read(&mut self.input) {
                Ok(()) => {}
                Err(ffmpeg_next::Error::Eof) => return Err(NoPacket::End(None)),
                Err(err) => return Err(NoPacket::End(Some(err.to_string()))),
            }
            self.declared.note(&self.input, &packet);
            if packet.stream() != self.stream {
                continue;
            }
            let is_passed_over = self.progress.awaits_key && !packet.is_key();
            if packet.is_corrupt() && !self.progress.awaits_key {
                return Err(match self.damage {
                    Damage::Ends => NoPacket::End(Some(INCOMPLETE.to_owned())),
                    Damage::IsSkipped => NoPacket::Incomplete,
                });
            }
            if is_passed_over || packet.is_corrupt() {
                continue;
            }
            self.progress.awaits_key = false;
            let decoded_at = packet.dts();
            self.progress.next_packet = decoded_at.map(|t| t.saturating_add(packet.duration()));
            return Ok(packet);
        }
    }

    /// Takes a decoded frame: `None` when it is only on the way to a seek's target, or before the
    /// file's clock starts.
    fn accept(&mut self, decoded: &frame::Video) -> Result<Option<Frame>> {
        if decoded.is_corrupt() || decoded.has_decode_errors() {
            return self.forgive(MADE_UP.to_owned()).map(|()| None);
        }
        self.progress.entry = Entry::Clean;
        let is_first = self.progress.last_ticks.is_none();
        if self.untimed_is_before && is_first && decoded.timestamp().is_none() {
            return Ok(None);
        }
        let ticks = self.ticks_of(decoded)?;
        if self.progress.give_until.is_some_and(|until| ticks >= until) {
            return Ok(None);
        }
        self.progress.last_ticks = Some(ticks);
        if let Some(target) = self.progress.skip_until {
            if std::mem::take(&mut self.progress.landing) && ticks > target {
                return self.start_over(target).map(|()| None);
            }
            if ticks < target {
                return Ok(None);
            }
            self.progress.skip_until = None;
            if !std::mem::take(&mut self.progress.keeps_count) {
                self.progress.next_index = self.index_at(ticks);
            }
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
        let colour = libav::frame_colour(decoded);
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
        if let Some(why) = self.declared.unfulfilled() {
            let (index, at) = (self.progress.next_index, self.next_time());
            return Err(Error::Truncated { why, index, at });
        }
        if let Phase::Draining(Some(why)) = phase {
            return Err(self.damaged(why));
        }
        match std::mem::take(&mut self.progress.entry) {
            Entry::Middle(Some(why)) => Err(self.damaged(why)),
            Entry::Unknown | Entry::Middle(None) | Entry::Clean => Ok(()),
        }
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

    /// Decodes from the beginning to a seek's target: the container's index led behind it.
    fn start_over(&mut self, target: i64) -> Result<()> {
        let Progress {
            next_index,
            keeps_count,
            ..
        } = self.progress;
        self.reopen(self.threads)?;
        self.progress.skip_until = Some(target);
        if keeps_count {
            (self.progress.next_index, self.progress.keeps_count) = (next_index, true);
        }
        Ok(())
    }

    fn reopen(&mut self, threads: Threads) -> Result<()> {
        let (damage, pulse) = (self.damage, self.pulse.clone());
        (*self, _) = Self::open_with(&self.path, &self.limits, threads)?;
        (self.damage, self.pulse) = (damage, pulse);
        Ok(())
    }

    /// Goes back to the key frame before the next frame, and decodes from there on one thread: there
    /// is damage, and which frames have it is not told reliably otherwise.
    fn decode_exactly(&mut self) -> Result<()> {
        let Progress {
            next_index,
            last_ticks,
            skip_until,
            ..
        } = self.progress;
        self.reopen(Threads::One)?;
        let Some(target) = skip_until.or(last_ticks.map(|last| last.saturating_add(1))) else {
            return Ok(());
        };
        self.seek_to(target)?;
        if skip_until.is_none() {
            (self.progress.next_index, self.progress.keeps_count) = (next_index, true);
        }
        Ok(())
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
                target.max(self.start),
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
    threads: Threads,
    concealed: &Concealed,
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
    let mut context = codec::Context::from_parameters(parameters).map_err(broken)?;
    concealed.listen_to(&mut context);
    let mut decoder = context.decoder();
    decoder.set_packet_time_base(stream.time_base());
    let mut options = Dictionary::new();
    options.set(
        "threads",
        match threads {
            Threads::Many => "auto",
            Threads::One => "1",
        },
    );
    options.set("err_detect", strictness(id));
    options.set("max_pixels", &libav::coded_pixels(limits).to_string());
    decoder
        .open_as_with(found, options)
        .and_then(codec::decoder::Opened::video)
        .map_err(broken)
}

/// How loudly a decoder should complain.
///
/// The family of H.263 and MPEG-4 gives a frame and an error at once when told to explode, and
/// libav 5.1 then aborts the program at the next packet. They mark what they made up, which is
/// noticed as well.
pub(crate) fn strictness(id: codec::Id) -> &'static str {
    use codec::Id;
    match id {
        Id::H264 | Id::HEVC | Id::VP8 | Id::VP9 | Id::AV1 => "crccheck+explode",
        Id::MPEG1VIDEO | Id::MPEG2VIDEO | Id::MJPEG => "crccheck+explode",
        _ => "crccheck",
    }
}
