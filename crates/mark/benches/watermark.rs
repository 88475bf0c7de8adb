//! How fast frames are watermarked and looked at. `cargo bench -p effigy-mark -- embed/1080p`

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use effigy_frame::Picture;
use effigy_mark::watermark::{Detector, Embedder};

const SIZES: [(&str, u32, u32); 3] = [
    ("480p", 854, 480),
    ("1080p", 1920, 1080),
    ("2160p", 3840, 2160),
];

/// A ramp with noise on it, as dark and bright places of photographs have.
fn scene(width: u32, height: u32) -> Picture {
    let value = |i: u32| {
        let (at, noise) = (i / 3, i.wrapping_mul(2_654_435_761) >> 28);
        (40 + at % width * 120 / width + at / width * 60 / height + noise) as u8
    };
    Picture::new(width, height, (0..width * height * 3).map(value).collect())
}

fn watermark(c: &mut Criterion) {
    let mut embedding = c.benchmark_group("embed");
    for (name, width, height) in SIZES {
        let (frame, embedder) = (scene(width, height), Embedder::new(1));
        embedding.throughput(Throughput::Elements(1));
        embedding.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter_batched_ref(
                || frame.clone(),
                |frame| embedder.embed(black_box(frame)),
                BatchSize::LargeInput,
            );
        });
    }
    embedding.finish();
    let mut looking = c.benchmark_group("look");
    for (name, width, height) in SIZES {
        let (frame, mut detector) = (scene(width, height), Detector::new());
        looking.throughput(Throughput::Elements(1));
        looking.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| detector.look(black_box(&frame)));
        });
    }
    looking.finish();
    // Everything that is tried once for each file that carries no mark.
    let mut searching = c.benchmark_group("search");
    searching.sample_size(10);
    for (name, width, height) in SIZES {
        let frame = scene(width, height);
        searching.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter_batched(
                || {
                    let mut detector = Detector::new();
                    detector.look(&frame);
                    detector
                },
                |mut detector| black_box(detector.finish()),
                BatchSize::LargeInput,
            );
        });
    }
    searching.finish();
}

criterion_group!(benches, watermark);
criterion_main!(benches);
