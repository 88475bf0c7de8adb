//! Frames to a video file, with the sound of another.

use std::path::Path;

use effigy_files::AtomicFile;
use effigy_frame::{Frame, Rational, Timestamp};
use ffmpeg_next::error::EAGAIN;
use ffmpeg_next::format::context::Output;
use ffmpeg_next::{Dictionary, Packet, encoder, format};

use crate::convert::FromRgb;
use crate::encode;
use crate::error::{Error, Result};
use crate::libav;
use crate::limits::Limits;
use crate::probe;
use crate::settings::WriteSettings;
use crate::tracks::{self, Source, Stop, Tracks};

/// Writes a video. The file appears under its name only after [`VideoWriter::finish`]; dropping
/// the writer before leaves nothing behind.
///
/// Frames keep their own times, so a variable rate stays variable. H.264 and H.265 need even
/// sides: an odd picture gets one column or row more, a copy of its edge.
pub struct VideoWriter {
    // Dropped in this order: libav lets go of the temporary file before it is removed.
    output: Output,
    encoder: encoder::Video,
    from_rgb: FromRgb,
    tracks: Option<Tracks>,
    /// The stream and the bytes of the picture that players show for the file.
    cover: Option<(usize, Vec<u8>)>,
    settings: WriteSettings,
    clock: Clock,
    file: AtomicFile,
}

/// Where in the output we are.
struct Clock {
    next_index: u64,
    last_ticks: Option<i64>,
    /// Ticks between the last two frames, which the last one is shown for as well.
    step: i64,
    /// Time base that the container chose for the video.
    stream_base: Rational,
}

impl Clock {
    fn secs(&self, base: Rational) -> f64 {
        self.last_ticks.unwrap_or(0) as f64 * base.to_f64()
    }
}

/// The stream that holds the video.
const VIDEO: usize = 0;
/// The containers that error messages name.
const KNOWN_FORMATS: &str = ".mp4, .mov, .mkv, .webm";

impl VideoWriter {
    /// Starts a video; the container is chosen by the extension of `path`: mp4, mov, mkv or webm.
    ///
    /// # Errors
    /// If the settings make no sense, the encoder is not there, the sound cannot be read or does
    /// not go into this container, or the file cannot be made.
    pub fn create(path: &Path, settings: &WriteSettings) -> Result<Self> {
        settings.check()?;
        let container = container_of(path)?;
        let file = AtomicFile::create(path).map_err(Error::write(path))?;
        let opened = libav::open_output(file.temporary_path(), container);
        let mut output = opened.map_err(|err| cannot_write(&file, err))?;
        let global_header = output
            .format()
            .flags()
            .contains(format::Flags::GLOBAL_HEADER);
        let encoder = encode::open(settings, global_header)?;
        add_video_stream(&mut output, &encoder, settings)?;
        let tracks = match &settings.tracks_from {
            Some(path) if !probe::has_no_streams(path) => {
                let source = Source {
                    path,
                    range: settings.range,
                    container,
                    sounds: settings.sounds,
                };
                let tracks = Tracks::open(&source, &Limits::default(), &mut output)?;
                tracks.note_video(&mut output, VIDEO);
                Some(tracks)
            }
            _ => None,
        };
        let cover = match &settings.cover {
            Some(cover) if tracks::holds_cover(container) => {
                Some(tracks::add_cover(cover, &mut output)?)
            }
            _ => None,
        };
        write_header(&mut output, container, settings, &file)?;
        let (width, height) = (encoder.width(), encoder.height());
        let colour = settings.written_colour();
        let step = 1.0 / settings.frame_rate.to_f64() / settings.time_base.to_f64();
        Ok(Self {
            from_rgb: FromRgb::new(encode::FORMAT, width, height, colour)?,
            clock: Clock {
                next_index: 0,
                last_ticks: None,
                step: (step.round() as i64).max(1),
                stream_base: stream_base(&output),
            },
            settings: settings.clone(),
            output,
            encoder,
            tracks,
            cover,
            file,
        })
    }

    /// Adds a frame, shown from `frame.time` until the next one.
    ///
    /// # Errors
    /// If the size differs from the settings, the time is not later than the last frame's or before
    /// the part that is written, or the disk is full.
    pub fn write(&mut self, frame: &Frame) -> Result<()> {
        let ticks = self.ticks_of(frame)?;
        let mut converted = self.from_rgb.convert(&frame.picture)?;
        converted.set_pts(Some(ticks));
        self.encoder
            .send_frame(&converted)
            .map_err(|err| self.refused(&err))?;
        if let Some(last) = self.clock.last_ticks.replace(ticks) {
            self.clock.step = ticks - last;
        }
        self.clock.next_index += 1;
        self.write_packets()
    }

    /// Completes the file, makes sure that it is on the disk, and gives it its name.
    ///
    /// # Errors
    /// If no frame was written or the disk is full; nothing is left behind then.
    pub fn finish(mut self) -> Result<()> {
        if self.clock.next_index == 0 {
            return Err(Error::BadSettings {
                why: "no frame was written".to_owned(),
            });
        }
        self.encoder.send_eof().map_err(|err| self.refused(&err))?;
        self.write_packets()?;
        self.finish_tracks()?;
        let written = self
            .output
            .write_trailer()
            .and_then(|()| libav::flush_output(&mut self.output));
        written.map_err(|err| cannot_write(&self.file, err))?;
        drop(self.output);
        let path = self.file.path().to_owned();
        self.file.commit().map_err(Error::write(&path))
    }

    fn ticks_of(&self, frame: &Frame) -> Result<i64> {
        let bad = |why: String| {
            let index = self.clock.next_index;
            Err(Error::BadFrame { why, index })
        };
        let (width, height) = (frame.picture.width(), frame.picture.height());
        if (width, height) != (self.settings.width, self.settings.height) {
            let (w, h) = (self.settings.width, self.settings.height);
            return bad(format!("it has {width}x{height} pixels, the video {w}x{h}"));
        }
        let Timestamp { ticks, base } = frame.time;
        let first = self.settings.range.from_secs / self.settings.time_base.to_f64();
        let ticks = libav::rescale(ticks, base, self.settings.time_base);
        let ticks = ticks.saturating_sub(first.round() as i64);
        if ticks < 0 {
            return bad("it lies before the part that is written".to_owned());
        }
        match self.clock.last_ticks {
            Some(last) if ticks <= last => bad("it is not later than the frame before".to_owned()),
            _ => Ok(ticks),
        }
    }

    fn write_packets(&mut self) -> Result<()> {
        loop {
            let mut packet = Packet::empty();
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => {}
                Err(ffmpeg_next::Error::Other { errno: EAGAIN } | ffmpeg_next::Error::Eof) => {
                    return Ok(());
                }
                Err(err) => return Err(self.refused(&err)),
            }
            if packet.duration() <= 0 {
                packet.set_duration(self.clock.step);
            }
            let base = self.settings.time_base;
            let secs = packet.dts().unwrap_or(0) as f64 * base.to_f64();
            self.write_tracks_until(secs)?;
            packet.rescale_ts(
                libav::to_libav(base),
                libav::to_libav(self.clock.stream_base),
            );
            packet.set_stream(VIDEO);
            let written = packet.write_interleaved(&mut self.output);
            written.map_err(|err| cannot_write(&self.file, err))?;
        }
    }

    fn write_tracks_until(&mut self, secs: f64) -> Result<()> {
        let Some(tracks) = &mut self.tracks else {
            return Ok(());
        };
        let written = tracks.write_until(secs, &mut self.output);
        written.map_err(|stop| self.stopped(stop, secs))
    }

    fn finish_tracks(&mut self) -> Result<()> {
        if let Some((stream, bytes)) = self.cover.take() {
            let written = tracks::write_cover(stream, &bytes, &mut self.output);
            written.map_err(|err| cannot_write(&self.file, err))?;
        }
        let Some(tracks) = &mut self.tracks else {
            return Ok(());
        };
        let written = tracks.finish(&mut self.output);
        written.map_err(|stop| self.stopped(stop, f64::INFINITY))
    }

    fn stopped(&self, stop: Stop, secs: f64) -> Error {
        let at_secs = secs.min(self.clock.secs(self.settings.time_base));
        match stop {
            Stop::Read(why) => Error::DamagedAudio { why, at_secs },
            Stop::Write(err) => cannot_write(&self.file, err),
        }
    }

    fn refused(&self, err: &ffmpeg_next::Error) -> Error {
        Error::Encode {
            why: err.to_string(),
            index: self.clock.next_index,
        }
    }
}

fn cannot_write(file: &AtomicFile, err: ffmpeg_next::Error) -> Error {
    Error::write(file.path())(libav::io_error(err))
}

fn container_of(path: &Path) -> Result<&'static str> {
    let format = effigy_files::format_of(path);
    format
        .and_then(|format| format.container)
        .ok_or_else(|| Error::UnknownFormat {
            path: path.to_owned(),
            known: KNOWN_FORMATS,
        })
}

fn add_video_stream(
    output: &mut Output,
    encoder: &encoder::Video,
    settings: &WriteSettings,
) -> Result<()> {
    let added = output.add_stream_with(encoder).map(|mut stream| {
        stream.set_time_base(libav::to_libav(settings.time_base));
        stream.set_avg_frame_rate(libav::to_libav(settings.frame_rate));
    });
    added.map_err(|source| Error::Libav {
        doing: "add the video to the file",
        source,
    })
}

fn write_header(
    output: &mut Output,
    container: &str,
    settings: &WriteSettings,
    file: &AtomicFile,
) -> Result<()> {
    let mut options = Dictionary::new();
    if matches!(container, "mp4" | "mov") {
        // The index goes to the front: the file plays while it loads, and a cut copy is noticed.
        options.set("movflags", "+faststart");
        options.set("video_track_timescale", &settings.time_base.den.to_string());
    }
    let written = output.write_header_with(options).map(drop);
    written.map_err(|err| match err {
        ffmpeg_next::Error::Other { errno } if errno != ffmpeg_next::error::EINVAL => {
            cannot_write(file, err)
        }
        _ => Error::BadSettings {
            why: format!("the container {container} cannot hold this video or its sound"),
        },
    })
}

fn stream_base(output: &Output) -> Rational {
    let base = output
        .stream(VIDEO)
        .and_then(|s| libav::rational(s.time_base()));
    base.unwrap_or(Rational::new(1, 90_000))
}
