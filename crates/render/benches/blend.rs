//! How fast a drawn face is laid into a frame. `cargo bench --bench blend -- overlay/720p`

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use effigy_frame::{Picture, Plane, Point2, Similarity};
use effigy_model::face_model::Drawn;
use effigy_model::mean_mesh;
use effigy_render::{Drawings, Placement, Steady, overlay};

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

fn place(width: u32, height: u32) -> Placement {
    let middle = Point2::new(0.5 * width as f32, 0.4 * height as f32);
    let crop_middle = Point2::new(0.5 * SIDE as f32, 0.5 * SIDE as f32);
    // The mean face is as tall as 1.6 distances between its eyes, the crop shows two.
    let scale = height as f32 / 3.0 * 2.0 / 1.6 / SIDE as f32;
    let frame_from_crop = Similarity::about(crop_middle, middle, scale, 0.0);
    let half = 0.5 * SIDE as f32;
    let in_crop = |x: f32, y: f32| Point2::new(half + half * x, half * (0.65 + y));
    let points = mean_mesh().iter().map(|p| in_crop(p.x, p.y));
    Placement {
        frame_from_crop,
        points: points.map(|p| frame_from_crop.apply(p)).collect(),
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
        let half = 0.5 * SIDE as f32;
        let in_crop =
            |p: &effigy_frame::Point3| Point2::new(half + half * p.x, half * (0.65 + p.y));
        let points: Vec<Point2> = mean_mesh().iter().map(in_crop).collect();
        let drawings = Drawings {
            source: &drawn,
            points: &points,
            target: Some(&drawn),
        };
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter_batched_ref(
                || (frame.clone(), Steady::default()),
                |(frame, steady)| overlay(black_box(frame), &place, &drawings, 0.0, steady),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, lay_faces);
criterion_main!(benches);
