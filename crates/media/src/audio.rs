//! The sound of a file as mono samples.

use std::path::Path;

use ffmpeg_next::error::EAGAIN;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::sample::{Sample, Type};
use ffmpeg_next::software::resampling;
use ffmpeg_next::{ChannelLayout, Dictionary, Packet, codec, frame, media};

use crate::declared::DeclaredLength;
use crate::error::{Error, Result};
use crate::libav;
use crate::limits::Limits;
use crate::patience::{self, Pulse};
use crate::probe;

/// Reads the first sound of a file as mono samples in `-1.0..=1.0`, `rate_hz` of them a second.
///
/// Sample `n` plays `n / rate_hz` seconds after the start of the file's clock, as the times of
/// frames do: sound that starts later begins with silence. Channels are averaged.
///
/// # Errors
/// If there is no sound, it is damaged, or it needs more memory than `limits` allow.
pub fn read_audio(path: &Path, rate_hz: u32, limits: &Limits) -> Result<Vec<f32>> {
    if rate_hz == 0 || rate_hz > 768_000 {
        return Err(Error::BadSettings {
            why: format!("{rate_hz} samples a second"),
        });
    }
    patience::read(path, limits, move |path, limits, pulse| {
        read_here(path, rate_hz, limits, pulse)
    })
}

fn read_here(path: &Path, rate_hz: u32, limits: &Limits, pulse: &Pulse) -> Result<Vec<f32>> {
    let mut input = libav::open_input(path, limits)?;
    let info = probe::describe(&input, path, limits)?;
    check_memory(info.duration_secs.unwrap_or(0.0), rate_hz, limits)?;
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
        rate_hz,
        samples: Vec::new(),
        limits,
        pulse,
    };
    sound.read(&mut input)?;
    Ok(sound.samples)
}

/// Sound being read.
struct Sound<'a> {
    decoder: codec::decoder::Audio,
    resampler: Option<(Kind, resampling::Context)>,
    samples: Vec<f32>,
    declared: DeclaredLength,
    stream: usize,
    base_secs: f64,
    start_secs: f64,
    rate_hz: u32,
    limits: &'a Limits,
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
        if self.samples.is_empty() && self.resampler.is_none() {
            self.begin(decoded)?;
        }
        if self
            .resampler
            .as_ref()
            .is_none_or(|(known, _)| *known != kind)
        {
            self.drain_resampler()?;
            let made = mono_resampler(kind, decoded.channel_layout(), self.rate_hz);
            self.resampler = Some((kind, made.map_err(|err| self.damaged(err))?));
        }
        let mut mono = frame::Audio::empty();
        if let Some((_, resampler)) = &mut self.resampler {
            let run = resampler.run(decoded, &mut mono).map(drop);
            run.map_err(|err| self.damaged(err))?;
        }
        self.take(&mono)
    }

    /// Puts silence before sound that starts late.
    fn begin(&mut self, first: &frame::Audio) -> Result<()> {
        let at = first.timestamp().map_or(0.0, |t| t as f64 * self.base_secs);
        let late_secs = (at - self.start_secs).max(0.0);
        check_memory(late_secs, self.rate_hz, self.limits)?;
        let n_silent = (late_secs * f64::from(self.rate_hz)).round() as usize;
        self.samples.resize(n_silent, 0.0);
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
        let secs = (self.samples.len() + mono.samples()) as f64 / f64::from(self.rate_hz);
        check_memory(secs, self.rate_hz, self.limits)?;
        if mono.samples() > 0 {
            self.samples
                .extend_from_slice(&mono.plane::<f32>(0)[..mono.samples()]);
        }
        Ok(())
    }

    fn damaged(&self, why: impl std::fmt::Display) -> Error {
        Error::DamagedAudio {
            why: why.to_string(),
            at_secs: self.samples.len() as f64 / f64::from(self.rate_hz),
        }
    }
}

fn mono_resampler(
    from: Kind,
    layout: ChannelLayout,
    rate_hz: u32,
) -> Result<resampling::Context, ffmpeg_next::Error> {
    let mut options = Dictionary::new();
    // Without this, libav adds channels of floating-point sound up to more than full scale.
    options.set("rematrix_maxval", "1.0");
    resampling::Context::get_with(
        from.format,
        layout,
        from.rate_hz,
        MONO_F32,
        ChannelLayout::MONO,
        rate_hz,
        options,
    )
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

/// Refuses sound that would not fit into the memory that may be used.
fn check_memory(secs: f64, rate_hz: u32, limits: &Limits) -> Result<()> {
    limits.check_duration(secs)?;
    let bytes = secs * f64::from(rate_hz) * 4.0;
    if bytes > limits.max_memory_bytes as f64 {
        return Err(Error::TooMuch {
            what: format!("{secs:.0} s of sound at {rate_hz} Hz"),
            limit: format!("{} bytes", limits.max_memory_bytes),
        });
    }
    Ok(())
}
