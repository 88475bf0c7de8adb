//! Sound that a container cannot hold, decoded and encoded as AAC.

use effigy_frame::{Rational, TimeRange};
use ffmpeg_next::error::EAGAIN;
use ffmpeg_next::format::context::Output;
use ffmpeg_next::format::sample::{Sample, Type};
use ffmpeg_next::software::resampling;
use ffmpeg_next::{ChannelLayout, Packet, Stream, codec, encoder, format, frame};

use super::{Stop, write_packet};
use crate::audio::{mix_options, open_decoder};
use crate::error::{Error, Result};
use crate::libav;

/// Sound on its way.
pub(super) struct AacTrack {
    decoder: codec::decoder::Audio,
    encoder: encoder::audio::Encoder,
    /// Made for the kind of sound that was decoded last.
    resampler: Option<(Kind, resampling::Context)>,
    layout: ChannelLayout,
    rate: u32,
    /// Samples that are not encoded yet, a list for each channel.
    waiting: Vec<Vec<f32>>,
    /// The place of the first of them in the output.
    next: i64,
    /// Where the output ends.
    end: i64,
}

#[derive(Clone, Copy, PartialEq)]
struct Kind {
    format: Sample,
    layout: ChannelLayout,
    rate: u32,
}

const FLOATS: Sample = Sample::F32(Type::Planar);
/// Rates that AAC knows (ISO 14496-3, table 1.18), without those of telephones.
const RATES: [u32; 9] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000,
];
const USUAL_RATE: u32 = 48_000;
/// Enough that nobody hears a difference.
const BITS_A_CHANNEL: usize = 96_000;
/// Longer silence inside a file is no gap but a fault in its times.
const LONGEST_GAP_SECS: i64 = 600;

impl AacTrack {
    /// Opens both coders and adds a stream to `output`, whose channels are `mixed` where that is said; gives its
    /// number.
    pub(super) fn begin(
        stream: &Stream<'_>,
        mixed: Option<ChannelLayout>,
        range: TimeRange,
        output: &mut Output,
    ) -> Result<(usize, Self)> {
        let decoder = open_decoder(stream)?;
        let rate = if RATES.contains(&decoder.rate()) {
            decoder.rate()
        } else {
            USUAL_RATE
        };
        let layout = mixed.unwrap_or_else(|| match decoder.channels() {
            n @ (1..=6 | 8) => ChannelLayout::default(n.into()),
            _ => ChannelLayout::STEREO,
        });
        let global_header = output
            .format()
            .flags()
            .contains(format::Flags::GLOBAL_HEADER);
        let opened = open_encoder(rate, layout, global_header).map_err(cannot_encode)?;
        let added = output.add_stream_with(&opened).map(|mut stream| {
            stream.set_time_base((1, rate as i32));
            stream.index()
        });
        let length_secs = range.to_secs.map(|to_secs| to_secs - range.from_secs);
        let end = length_secs.map_or(i64::MAX, |secs| (secs * f64::from(rate)).round() as i64);
        let track = Self {
            decoder,
            encoder: opened,
            resampler: None,
            waiting: vec![Vec::new(); layout.channels() as usize],
            layout,
            rate,
            next: 0,
            end,
        };
        Ok((added.map_err(cannot_encode)?, track))
    }

    /// Takes a packet whose times are in `base`, and writes what is full.
    pub(super) fn write(
        &mut self,
        packet: &Packet,
        base: Rational,
        to: usize,
        output: &mut Output,
    ) -> Result<(), Stop> {
        self.decoder.send_packet(packet).map_err(unreadable)?;
        self.receive(base, to, output)
    }

    /// Writes the rest.
    pub(super) fn finish(&mut self, to: usize, output: &mut Output) -> Result<(), Stop> {
        self.decoder.send_eof().map_err(unreadable)?;
        // What the decoder still holds follows what came before.
        self.receive(Rational::new(1, 1), to, output)?;
        self.drain_resampler()?;
        self.encode(Some(1), to, output)?;
        self.encoder.send_eof().map_err(Stop::Write)?;
        self.pass_on(to, output)
    }

    fn receive(&mut self, base: Rational, to: usize, output: &mut Output) -> Result<(), Stop> {
        let mut decoded = frame::Audio::empty();
        loop {
            match self.decoder.receive_frame(&mut decoded) {
                Ok(()) => {
                    self.take(&mut decoded, base)?;
                    self.encode(None, to, output)?;
                }
                Err(ffmpeg_next::Error::Other { errno: EAGAIN } | ffmpeg_next::Error::Eof) => {
                    return Ok(());
                }
                Err(err) => return Err(unreadable(err)),
            }
        }
    }

    /// Puts decoded sound in its place.
    fn take(&mut self, decoded: &mut frame::Audio, base: Rational) -> Result<(), Stop> {
        if decoded.channel_layout().is_empty() {
            decoded.set_channel_layout(ChannelLayout::default(decoded.channels().into()));
        }
        let kind = Kind {
            format: decoded.format(),
            layout: decoded.channel_layout(),
            rate: decoded.rate(),
        };
        if self
            .resampler
            .as_ref()
            .is_none_or(|(known, _)| *known != kind)
        {
            self.drain_resampler()?;
            let made = resampling::Context::get_with(
                kind.format,
                kind.layout,
                kind.rate,
                FLOATS,
                self.layout,
                self.rate,
                mix_options(),
            );
            self.resampler = Some((kind, made.map_err(unreadable)?));
        }
        if let Some(at) = decoded.timestamp() {
            let samples = Rational::new(1, self.rate as i32);
            self.go_to(libav::rescale(at, base, samples));
        }
        if let Some((_, resampler)) = &mut self.resampler {
            // Room for all of it: what has none would come late, and leave gaps.
            let n_held = resampler.delay().map_or(0, |delay| delay.output);
            let n_new =
                decoded.samples() as i64 * i64::from(self.rate) / i64::from(kind.rate.max(1));
            let n_most = usize::try_from(n_held + n_new).unwrap_or(0) + 32;
            let mut floats = frame::Audio::new(FLOATS, n_most, self.layout);
            let run = resampler.run(decoded, &mut floats).map(drop);
            run.map_err(unreadable)?;
            self.append(&floats);
        }
        Ok(())
    }

    /// Puts silence where the file has a gap. Times that are off by less are rounding.
    fn go_to(&mut self, at: i64) {
        let rate = i64::from(self.rate);
        let n_waiting = self.waiting.first().map_or(0, Vec::len) as i64;
        let is_first = self.next == 0 && n_waiting == 0;
        let gap = at - (self.next + n_waiting);
        if is_first {
            self.next = at;
        } else if gap > rate / 10 && gap < LONGEST_GAP_SECS * rate {
            for channel in &mut self.waiting {
                channel.resize(channel.len() + gap as usize, 0.0);
            }
        }
    }

    fn append(&mut self, floats: &frame::Audio) {
        let n = floats.samples();
        for (index, channel) in self.waiting.iter_mut().enumerate() {
            if n > 0 {
                channel.extend_from_slice(&floats.plane::<f32>(index)[..n]);
            }
        }
    }

    fn drain_resampler(&mut self) -> Result<(), Stop> {
        let Some((_, mut resampler)) = self.resampler.take() else {
            return Ok(());
        };
        while let Some(delay) = resampler.delay() {
            let n = usize::try_from(delay.output).unwrap_or(0) + 1;
            let mut floats = frame::Audio::new(FLOATS, n, self.layout);
            resampler.flush(&mut floats).map(drop).map_err(unreadable)?;
            if floats.samples() == 0 {
                break;
            }
            self.append(&floats);
        }
        Ok(())
    }

    /// Encodes whole frames, or everything down to `least` samples.
    fn encode(&mut self, least: Option<usize>, to: usize, output: &mut Output) -> Result<(), Stop> {
        self.cut();
        let whole = self.encoder.frame_size().max(1) as usize;
        loop {
            let n_waiting = self.waiting.first().map_or(0, Vec::len);
            if n_waiting < least.unwrap_or(whole).max(1) {
                return Ok(());
            }
            let n = n_waiting.min(whole);
            let mut floats = frame::Audio::new(FLOATS, n, self.layout);
            floats.set_rate(self.rate);
            floats.set_pts(Some(self.next));
            for (index, channel) in self.waiting.iter_mut().enumerate() {
                let taken: Vec<f32> = channel.drain(..n).collect();
                floats.plane_mut::<f32>(index)[..n].copy_from_slice(&taken);
            }
            self.next += n as i64;
            self.encoder.send_frame(&floats).map_err(Stop::Write)?;
            self.pass_on(to, output)?;
        }
    }

    /// Drops what lies before the start of the output or behind its end.
    fn cut(&mut self) {
        let n_waiting = self.waiting.first().map_or(0, Vec::len) as i64;
        let n_early = (-self.next).clamp(0, n_waiting);
        let n_kept = (self.end - self.next).clamp(0, n_waiting);
        for channel in &mut self.waiting {
            channel.truncate(n_kept as usize);
            channel.drain(..(n_early as usize).min(channel.len()));
        }
        self.next += n_early;
    }

    fn pass_on(&mut self, to: usize, output: &mut Output) -> Result<(), Stop> {
        loop {
            let mut packet = Packet::empty();
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => write_packet(packet, Rational::new(1, self.rate as i32), to, output)?,
                Err(ffmpeg_next::Error::Other { errno: EAGAIN } | ffmpeg_next::Error::Eof) => {
                    return Ok(());
                }
                Err(err) => return Err(Stop::Write(err)),
            }
        }
    }
}

fn open_encoder(
    rate: u32,
    layout: ChannelLayout,
    global_header: bool,
) -> Result<encoder::audio::Encoder, ffmpeg_next::Error> {
    let found = encoder::find(codec::Id::AAC).ok_or(ffmpeg_next::Error::EncoderNotFound)?;
    let mut encoder = codec::Context::new_with_codec(found).encoder().audio()?;
    encoder.set_rate(rate as i32);
    encoder.set_channel_layout(layout);
    encoder.set_format(FLOATS);
    encoder.set_bit_rate(BITS_A_CHANNEL * layout.channels() as usize);
    encoder.set_time_base((1, rate as i32));
    if global_header {
        encoder.set_flags(codec::Flags::GLOBAL_HEADER);
    }
    encoder.open_as(found)
}

fn unreadable(err: ffmpeg_next::Error) -> Stop {
    Stop::Read(err.to_string())
}

fn cannot_encode(source: ffmpeg_next::Error) -> Error {
    Error::Libav {
        doing: "encode the sound as AAC",
        source,
    }
}
