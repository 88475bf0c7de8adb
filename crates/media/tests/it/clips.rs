//! Clips made for the tests.

use std::path::{Path, PathBuf};

use effigy_frame::{Frame, Picture, Rational, Timestamp};
use effigy_media::{Effort, Limits, Result, VideoReader, VideoWriter, WriteSettings};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::{Dictionary, Packet, codec, color, encoder, format, frame};

/// A folder that goes away with the test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The names of everything in it, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// A smooth picture with a bright block that wanders with `n`: every frame is different, and
/// compression changes little.
pub(crate) fn scene(width: u32, height: u32, n: u32) -> Picture {
    let mut pixels = Vec::with_capacity((width * height * 3) as usize);
    let block_x = (n * 5) % width;
    for y in 0..height {
        for x in 0..width {
            let in_block = x >= block_x && x < block_x + 8 && y < height / 2;
            let ramp = |v: u32, most: u32| (40 + 160 * v / most.max(1)) as u8;
            if in_block {
                pixels.extend_from_slice(&[230, 230, 230]);
            } else {
                pixels.extend_from_slice(&[ramp(x, width), ramp(y, height), 90]);
            }
        }
    }
    Picture::new(width, height, pixels)
}

pub(crate) fn frame_at(index: u64, ticks: i64, base: Rational, picture: Picture) -> Frame {
    Frame {
        index,
        time: Timestamp::new(ticks, base),
        picture,
    }
}

/// Writes `n` frames of the scene at a constant rate.
pub(crate) fn write_clip(path: &Path, settings: &WriteSettings, n: u32) {
    let mut writer = VideoWriter::create(path, settings).unwrap();
    let base = Rational::new(settings.frame_rate.den, settings.frame_rate.num);
    for i in 0..n {
        let picture = scene(settings.width, settings.height, i);
        writer
            .write(&frame_at(i.into(), i.into(), base, picture))
            .unwrap();
    }
    writer.finish().unwrap();
}

/// Settings for small clips.
pub(crate) fn quick(width: u32, height: u32) -> WriteSettings {
    WriteSettings {
        effort: Effort::Fast,
        ..WriteSettings::new(width, height, Rational::new(25, 1))
    }
}

/// Reads everything, up to the first error.
pub(crate) fn read_all(path: &Path) -> Result<Vec<Frame>> {
    VideoReader::open(path, &Limits::default())?.collect()
}

/// Mean absolute difference of two pictures, in 8-bit levels.
pub(crate) fn difference(a: &Picture, b: &Picture) -> f64 {
    assert_eq!((a.width(), a.height()), (b.width(), b.height()), "size");
    let gaps = a.pixels().iter().zip(b.pixels());
    gaps.map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.pixels().len() as f64
}

/// What a lossless clip made directly with libav should be.
pub(crate) struct Raw {
    pub(crate) format: Pixel,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) range: color::Range,
    pub(crate) matrix: color::Space,
    pub(crate) transfer: color::TransferCharacteristic,
    pub(crate) primaries: color::Primaries,
}

impl Raw {
    pub(crate) fn new(format: Pixel, width: u32, height: u32) -> Self {
        Self {
            format,
            width,
            height,
            range: color::Range::Unspecified,
            matrix: color::Space::Unspecified,
            transfer: color::TransferCharacteristic::Unspecified,
            primaries: color::Primaries::Unspecified,
        }
    }
}

/// Writes three equal lossless frames (FFV1 in Matroska), whose planes `fill` writes.
pub(crate) fn write_raw(path: &Path, raw: &Raw, fill: impl Fn(&mut frame::Video)) {
    ffmpeg_next::init().unwrap();
    let codec = encoder::find_by_name("ffv1").expect("libav has FFV1 always");
    let mut output = format::output_as(path, "matroska").unwrap();
    let mut encoder = codec::Context::new_with_codec(codec)
        .encoder()
        .video()
        .unwrap();
    encoder.set_width(raw.width);
    encoder.set_height(raw.height);
    encoder.set_format(raw.format);
    encoder.set_time_base(ffmpeg_next::Rational::new(1, 25));
    encoder.set_colorspace(raw.matrix);
    encoder.set_color_range(raw.range);
    encoder.set_color_primaries(raw.primaries);
    encoder.set_color_transfer_characteristic(raw.transfer);
    encoder.set_flags(codec::Flags::GLOBAL_HEADER);
    let mut options = Dictionary::new();
    options.set("level", "3");
    let mut encoder = encoder.open_as_with(codec, options).unwrap();
    output.add_stream_with(&encoder).unwrap();
    output.write_header().unwrap();
    let base = output.stream(0).unwrap().time_base();
    for n in 0..=3 {
        if n < 3 {
            let mut picture = frame::Video::new(raw.format, raw.width, raw.height);
            fill(&mut picture);
            picture.set_pts(Some(n));
            encoder.send_frame(&picture).unwrap();
        } else {
            encoder.send_eof().unwrap();
        }
        let mut packet = Packet::empty();
        while encoder.receive_packet(&mut packet).is_ok() {
            packet.rescale_ts(ffmpeg_next::Rational::new(1, 25), base);
            packet.set_stream(0);
            packet.write_interleaved(&mut output).unwrap();
        }
    }
    output.write_trailer().unwrap();
}

/// Replaces the first `from` in a file by as many bytes.
pub(crate) fn patch(path: &Path, from: &[u8], at: usize, to: &[u8]) {
    let mut bytes = std::fs::read(path).unwrap();
    let found = bytes.windows(from.len()).position(|w| w == from);
    let start = found.expect("the bytes to patch are there") + at;
    bytes[start..start + to.len()].copy_from_slice(to);
    std::fs::write(path, bytes).unwrap();
}

/// A tone of 440 Hz as a 16-bit WAV of one or more equal channels.
pub(crate) fn write_tone(path: &Path, rate_hz: u32, channels: u16, secs: f64) {
    let n = (secs * f64::from(rate_hz)) as u32;
    let data_len = n * u32::from(channels) * 2;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data_len).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend(1_u16.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate_hz.to_le_bytes());
    bytes.extend((rate_hz * u32::from(channels) * 2).to_le_bytes());
    bytes.extend((channels * 2).to_le_bytes());
    bytes.extend(16_u16.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(data_len.to_le_bytes());
    for i in 0..n {
        let sample = tone(f64::from(i) / f64::from(rate_hz));
        for _ in 0..channels {
            bytes.extend(((sample * 32767.0) as i16).to_le_bytes());
        }
    }
    std::fs::write(path, bytes).unwrap();
}

/// The tone's value at a moment.
pub(crate) fn tone(secs: f64) -> f64 {
    0.5 * (secs * 440.0 * std::f64::consts::TAU).sin()
}
