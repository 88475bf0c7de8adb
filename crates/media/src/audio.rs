//! The sound of a file as mono samples.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use effigy_files::Reading;
use ffmpeg_next::error::EAGAIN;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::sample::{Sample, Type};
use ffmpeg_next::software::resampling;
use ffmpeg_next::{ChannelLayout, Dictionary, Packet, codec, frame, media};

use crate::declared::DeclaredLength;
use crate::error::{Error, Result};
use crate::libav;
use crate::limits::Limits;
use crate::patience::{self, Patience, Pulse};
use crate::probe;

/// Reads the first sound of a file as mono samples in `-1.0..=1.0`, `rate_hz` of them a second.
///
/// Sample `n` plays `n / rate_hz` seconds after the start of the file's clock, as the times of
/// frames do: sound that starts later begins with silence. Channels are averaged.
///
/// # Errors
/// If there is no sound, it is damaged, or it needs more memory than `limits` allow.
pub fn read_audio(path: &Path, rate_hz: u32, limits: &Limits) -> Result<Vec<f32>> {
    check_rate(rate_hz)?;
    patience::read(path, limits, move |path, limits, pulse| {
        let mut samples = Vec::new();
        let most_bytes = limits.max_memory_bytes;
        let wanted = Wanted {
            path,
            rate_hz,
            limits,
            most_bytes,
        };
        wanted.read(pulse, &mut |block| {
            samples.extend_from_slice(block);
            Ok(())
        })?;
        Ok(samples)
    })
}

/// Reads the first sound of a file block by block, so that memory stays small however long it is.
///
/// The samples are those of [`read_audio`]. They are decoded ahead on a thread of their own, by a few
/// blocks. `None` is the true end: damage is an `Err` that says where, and then nothing follows.
pub struct AudioReader {
    path: PathBuf,
    patience: Patience,
    /// `None` behind an error.
    blocks: Option<Receiver<Result<Vec<f32>>>>,
    thread: Option<JoinHandle<()>>,
    _reading: Reading,
}

/// Samples of a block, at least, but for the last.
const N_BLOCK: usize = 1 << 14;
/// Blocks that wait for the consumer.
const N_AHEAD: usize = 4;

impl AudioReader {
    /// Begins to read; `rate_hz` samples a second will be given.
    ///
    /// # Errors
    /// If the file cannot be opened at all, or the rate is none. Whether there is sound in it is said
    /// by the first block.
    pub fn open(path: &Path, rate_hz: u32, limits: &Limits) -> Result<Self> {
        check_rate(rate_hz)?;
        let reading = Reading::begin(path)?;
        let patience = Patience::new(limits);
        let (send, blocks) = sync_channel(N_AHEAD);
        let (owned, limits, pulse) = (path.to_owned(), *limits, patience.pulse());
        let thread = thread::spawn(move || send_blocks(&owned, rate_hz, &limits, &pulse, &send));
        Ok(Self {
            path: path.to_owned(),
            patience,
            blocks: Some(blocks),
            thread: Some(thread),
            _reading: reading,
        })
    }

    fn receive(&mut self) -> Result<Option<Vec<f32>>> {
        let Some(blocks) = &self.blocks else {
            return Ok(None);
        };
        match self.patience.receive(blocks, &self.path)? {
            Some(block) => block.map(Some),
            // The thread ended by itself, or broke down.
            None => match self.thread.take() {
                Some(thread) => self.patience.join(thread, &self.path).map(|()| None),
                None => Ok(None),
            },
        }
    }
}

impl Iterator for AudioReader {
    type Item = Result<Vec<f32>>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.receive().transpose();
        if !matches!(next, Some(Ok(_))) {
            self.blocks = None;
        }
        next
    }
}

fn send_blocks(
    path: &Path,
    rate_hz: u32,
    limits: &Limits,
    pulse: &Pulse,
    to: &SyncSender<Result<Vec<f32>>>,
) {
    let mut block = Vec::new();
    let gone = || Error::GivenUp {
        why: "nobody wants its sound any more".to_owned(),
        path: path.to_owned(),
    };
    let wanted = Wanted {
        path,
        rate_hz,
        limits,
        // No more is kept than a few blocks, whatever comes.
        most_bytes: u64::MAX,
    };
    let read = wanted.read(pulse, &mut |samples| {
        block.extend_from_slice(samples);
        if block.len() < N_BLOCK {
            return Ok(());
        }
        pulse.beat();
        let sent = to.send(Ok(std::mem::take(&mut block)));
        sent.map_err(|_gone| gone())
    });
    let last = read.map(|()| block);
    if !matches!(&last, Ok(block) if block.is_empty()) {
        // Nobody listens any more where the reader was dropped.
        drop(to.send(last));
    }
}

fn check_rate(rate_hz: u32) -> Result<()> {
    if rate_hz == 0 || rate_hz > 768_000 {
        return Err(Error::BadSettings {
            why: format!("{rate_hz} samples a second"),
        });
    }
    Ok(())
}

/// The sound that is wanted.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    path: &'a Path,
    rate_hz: u32,
    limits: &'a Limits,
    /// Of all samples together.
    most_bytes: u64,
}

impl Wanted<'_> {
    /// Gives the samples to `sink` as they come.
    fn read(self, pulse: &Pulse, sink: &mut Sink<'_>) -> Result<()> {
        let Self { path, limits, .. } = self;
        let mut input = libav::open_input(path, limits)?;
        let info = probe::describe(&input, path, limits)?;
        self.check(info.duration_secs.unwrap_or(0.0))?;
        let no_audio = || Error::NoAudio {
            path: path.to_owned(),
        };
        let stream = probe::best(&input, media::Type::Audio).ok_or_else(no_audio)?;
        let base = libav::rational(stream.time_base()).ok_or_else(no_audio)?;
        let mut sound = Sound {
            declared: DeclaredLength::of(&input, path),
            decoder: open_decoder(&stream)?,
            start_secs: libav::clock_start(&input, base) as f64 * base.to_f64(),
            base_secs: base.to_f64(),
            stream: stream.index(),
            resampler: None,
            wanted: self,
            n_given: 0,
            sink,
            pulse,
        };
        sound.read(&mut input)
    }

    /// Refuses sound that is too long, or would not fit into the memory that may be used.
    fn check(self, secs: f64) -> Result<()> {
        self.limits.check_duration(secs)?;
        let bytes = secs * f64::from(self.rate_hz) * 4.0;
        if bytes > self.most_bytes as f64 {
            return Err(Error::TooMuch {
                what: format!("{secs:.0} s of sound at {} Hz", self.rate_hz),
                limit: format!("{} bytes", self.most_bytes),
            });
        }
        Ok(())
    }
}

/// Takes samples one block after the other; an error ends the reading.
type Sink<'a> = dyn FnMut(&[f32]) -> Result<()> + 'a;

/// Sound being read.
struct Sound<'a> {
    decoder: codec::decoder::Audio,
    resampler: Option<(Kind, resampling::Context)>,
    /// Samples that went into the sink.
    n_given: usize,
    sink: &'a mut Sink<'a>,
    declared: DeclaredLength,
    stream: usize,
    base_secs: f64,
    start_secs: f64,
    wanted: Wanted<'a>,
    pulse: &'a Pulse,
}

/// What a resampler depends on.
#[derive(Clone, Copy, PartialEq)]
struct Kind {
    format: Sample,
    channels: u16,
    rate_hz: u32,
}

const MONO_F32: Sample = Sample::F32(Type::Packed);

impl Sound<'_> {
    fn read(&mut self, input: &mut Input) -> Result<()> {
        loop {
            let mut packet = Packet::empty();
            self.pulse.beat();
            let read = packet.read(input);
            if read.is_ok() {
                self.declared.note(input, &packet);
            }
            match read {
                Ok(()) if packet.stream() != self.stream => {}
                Ok(()) if packet.is_corrupt() => return Err(self.damaged("a packet is incomplete")),
                Ok(()) => {
                    let sent = self.decoder.send_packet(&packet);
                    sent.map_err(|err| self.damaged(err))?;
                    self.receive()?;
                }
                Err(ffmpeg_next::Error::Eof) => break,
                Err(err) => return Err(self.damaged(err)),
            }
        }
        let sent = self.decoder.send_eof();
        sent.map_err(|err| self.damaged(err))?;
        self.receive()?;
        self.drain_resampler()?;
        let why = self.declared.unfulfilled();
        why.map_or(Ok(()), |why| Err(self.damaged(why)))
    }

    fn receive(&mut self) -> Result<()> {
        let mut decoded = frame::Audio::empty();
        loop {
            match self.decoder.receive_frame(&mut decoded) {
                Ok(()) => self.resample(&mut decoded)?,
                Err(ffmpeg_next::Error::Other { errno: EAGAIN } | ffmpeg_next::Error::Eof) => {
                    return Ok(());
                }
                Err(err) => return Err(self.damaged(err)),
            }
        }
    }

    fn resample(&mut self, decoded: &mut frame::Audio) -> Result<()> {
        if decoded.channel_layout().is_empty() {
            decoded.set_channel_layout(ChannelLayout::default(decoded.channels().into()));
        }
        let kind = Kind {
            format: decoded.format(),
            channels: decoded.channels(),
            rate_hz: decoded.rate(),
        };
        if self.n_given == 0 && self.resampler.is_none() {
            self.begin(decoded)?;
        }
        if self
            .resampler
            .as_ref()
            .is_none_or(|(known, _)| *known != kind)
        {
            self.drain_resampler()?;
            let made = mono_resampler(kind, decoded.channel_layout(), self.wanted.rate_hz);
            self.resampler = Some((kind, made.map_err(|err| self.damaged(err))?));
        }
        let mut mono = frame::Audio::empty();
        if let Some((_, resampler)) = &mut self.resampler {
            // Room for all of it: what finds none waits in the resampler, and at a higher rate that is ever more.
            let waiting = resampler.delay().map_or(0, |delay| delay.output);
            let waiting = usize::try_from(waiting).unwrap_or(0);
            let more = decoded.samples() as u64 * u64::from(self.wanted.rate_hz);
            let more = more.div_ceil(u64::from(kind.rate_hz).max(1)) as usize;
            mono = frame::Audio::new(MONO_F32, waiting + more + 1, ChannelLayout::MONO);
            let run = resampler.run(decoded, &mut mono).map(drop);
            run.map_err(|err| self.damaged(err))?;
        }
        self.take(&mono)
    }

    /// Puts silence before sound that starts late.
    fn begin(&mut self, first: &frame::Audio) -> Result<()> {
        let at = first.timestamp().map_or(0.0, |t| t as f64 * self.base_secs);
        let late_secs = (at - self.start_secs).max(0.0);
        self.wanted.check(late_secs)?;
        let mut n_silent = (late_secs * f64::from(self.wanted.rate_hz)).round() as usize;
        let silence = vec![0.0; n_silent.min(N_BLOCK)];
        while 0 < n_silent {
            let n = n_silent.min(N_BLOCK);
            self.give(&silence[..n])?;
            n_silent -= n;
        }
        Ok(())
    }

    fn drain_resampler(&mut self) -> Result<()> {
        let Some((_, mut resampler)) = self.resampler.take() else {
            return Ok(());
        };
        while let Some(delay) = resampler.delay() {
            let n = usize::try_from(delay.output).unwrap_or(0) + 1;
            let mut mono = frame::Audio::new(MONO_F32, n, ChannelLayout::MONO);
            let flushed = resampler.flush(&mut mono).map(drop);
            flushed.map_err(|err| self.damaged(err))?;
            if mono.samples() == 0 {
                break;
            }
            self.take(&mono)?;
        }
        Ok(())
    }

    fn take(&mut self, mono: &frame::Audio) -> Result<()> {
        let secs = (self.n_given + mono.samples()) as f64 / f64::from(self.wanted.rate_hz);
        self.wanted.check(secs)?;
        if mono.samples() > 0 {
            self.give(&mono.plane::<f32>(0)[..mono.samples()])?;
        }
        Ok(())
    }

    fn give(&mut self, samples: &[f32]) -> Result<()> {
        self.n_given += samples.len();
        (self.sink)(samples)
    }

    fn damaged(&self, why: impl std::fmt::Display) -> Error {
        Error::DamagedAudio {
            why: why.to_string(),
            at_secs: self.n_given as f64 / f64::from(self.wanted.rate_hz),
        }
    }
}

fn mono_resampler(
    from: Kind,
    layout: ChannelLayout,
    rate_hz: u32,
) -> Result<resampling::Context, ffmpeg_next::Error> {
    resampling::Context::get_with(
        from.format,
        layout,
        from.rate_hz,
        MONO_F32,
        ChannelLayout::MONO,
        rate_hz,
        mix_options(),
    )
}

/// How channels are mixed, for what is heard and for what is written.
pub(crate) fn mix_options() -> Dictionary<'static> {
    let mut options = Dictionary::new();
    // Without this, libav adds channels of floating-point sound up to more than full scale.
    options.set("rematrix_maxval", "1.0");
    options
}

pub(crate) fn open_decoder(stream: &ffmpeg_next::Stream<'_>) -> Result<codec::decoder::Audio> {
    let parameters = stream.parameters();
    let id = parameters.id();
    let found = codec::decoder::find(id).ok_or_else(|| Error::NoDecoder {
        codec: id.name().to_owned(),
    })?;
    let opened = codec::Context::from_parameters(parameters).and_then(|context| {
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(stream.time_base());
        decoder
            .open_as(found)
            .and_then(codec::decoder::Opened::audio)
    });
    opened.map_err(|source| Error::Libav {
        doing: "open the sound's decoder",
        source,
    })
}
