//! How fast a drawn face is laid into a frame. `cargo bench -p effigy-render -- overlay/720p`

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use effigy_frame::{Picture, Plane, Point2, Similarity};
use effigy_model::face_model::Drawn;
use effigy_render::{Place, Steady, overlay};

/// Frame sizes with a face a third of the height tall, as in an interview.
const SIZES: [(&str, u32, u32); 3] = [
    ("480p", 854, 480),
    ("720p", 1280, 720),
    ("1080p", 1920, 1080),
];
/// Side of a drawn crop.
const SIDE: u32 = 96;

fn noise(width: u32, height: u32) -> Picture {
    let value = |i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8;
    Picture::new(width, height, (0..width * height * 3).map(value).collect())
}

fn place(width: u32, height: u32) -> Place {
    let middle = Point2::new(0.5 * width as f32, 0.4 * height as f32);
    let radius = height as f32 / 6.0;
    let point = |i: u32| {
        let (sin, cos) = (i as f32 * 0.013).sin_cos();
        Point2::new(middle.x + 0.8 * radius * cos, middle.y + radius * sin)
    };
    let crop_middle = Point2::new(0.5 * SIDE as f32, 0.5 * SIDE as f32);
    let scale = 2.4 * radius / SIDE as f32;
    Place {
        frame_from_crop: Similarity::about(crop_middle, middle, scale, 0.0),
        points: (0..478).map(point).collect(),
        opacity: 1.0,
    }
}

fn lay_faces(c: &mut Criterion) {
    let mut group = c.benchmark_group("overlay");
    let mask = Plane::filled(SIDE as usize, SIDE as usize, 1.0);
    let drawn = Drawn {
        picture: noise(SIDE, SIDE),
        mask,
    };
    for (name, width, height) in SIZES {
        let (frame, place) = (noise(width, height), place(width, height));
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter_batched_ref(
                || (frame.clone(), Steady::default()),
                |(frame, steady)| overlay(black_box(frame), &place, &drawn, 0.0, steady),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, lay_faces);
criterion_main!(benches);
