//! How fast video becomes R'G'B' frames. `cargo bench -p effigy-media -- decode/1080p`
//!
//! The clip is made here: noise that moves over a ramp.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark may fail by panicking, and its clip shows nobody"
)]

use std::hint::black_box;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use effigy_frame::{Frame, Picture, Rational, Timestamp};
use effigy_media::{
    Codec, Effort, Limits, VideoReader, VideoWriter, WriteSettings, available_codecs,
};

const SIZES: [(&str, u32, u32); 3] = [
    ("512", 512, 512),
    ("720p", 1280, 720),
    ("1080p", 1920, 1080),
];
const N_FRAMES: u32 = 100;

fn decode(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let mut group = c.benchmark_group("decode");
    group.sample_size(10);
    group.throughput(Throughput::Elements(N_FRAMES.into()));
    for (name, width, height) in SIZES {
        for codec in [Codec::H264, Codec::H265] {
            if !available_codecs().contains(&codec) {
                continue;
            }
            let path = folder.path().join(format!("{name}.mp4"));
            write_clip(&path, codec, width, height);
            group.bench_function(BenchmarkId::new(codec.to_string(), name), |b| {
                b.iter(|| {
                    for frame in VideoReader::open(&path, &Limits::default()).unwrap() {
                        black_box(frame.unwrap());
                    }
                });
            });
        }
    }
    group.finish();
}

fn write_clip(path: &Path, codec: Codec, width: u32, height: u32) {
    let settings = WriteSettings {
        codec,
        crf: Some(23),
        effort: Effort::Fast,
        ..WriteSettings::new(width, height, Rational::new(25, 1))
    };
    let mut writer = VideoWriter::create(path, &settings).unwrap();
    for n in 0..N_FRAMES {
        writer.write(&noisy_frame(width, height, n)).unwrap();
    }
    writer.finish().unwrap();
}

fn noisy_frame(width: u32, height: u32, n: u32) -> Frame {
    let mut pixels = Vec::with_capacity((width * height * 3) as usize);
    for y in 0..height {
        for x in 0..width {
            let (block_x, block_y) = ((x + 3 * n) / 4, (y + n) / 4);
            let noise = (block_x.wrapping_mul(73_856_093) ^ block_y.wrapping_mul(19_349_663)) >> 3;
            let value = (40 + x * 120 / width + (noise & 31)) as u8;
            pixels.extend_from_slice(&[value, value / 2 + 40, (y * 200 / height) as u8]);
        }
    }
    Frame {
        index: n.into(),
        time: Timestamp::new(n.into(), Rational::new(1, 25)),
        picture: Picture::new(width, height, pixels),
    }
}

criterion_group!(benches, decode);
criterion_main!(benches);
