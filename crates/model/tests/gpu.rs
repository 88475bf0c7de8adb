//! The networks on a graphics device against the same networks on the processor.
//!
//! Needs a device that Vulkan, Metal or DX12 knows; Mesa's software Vulkan will do
//! (`mesa-vulkan-drivers`): `./check test`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails where it must, and says how far apart the devices are"
)]

use burn::prelude::*;
use effigy_frame::Picture;
use effigy_model::device::{self, Choice};
use effigy_model::tensors::{PATCH_CHANNELS, planes, space_to_depth, values};
use effigy_model::{
    FaceDetector, FaceEmbedder, FaceMesh, Finder, OcclusionSegmenter, PictureNet, Weights,
};

/// How far two values may be apart, as a share of the largest. The devices add up in different
/// orders, in single precision; some thousand terms a value cost about four of its seven digits.
const DRIFT: f32 = 1e-3;

fn gpu() -> Device {
    let opened = device::open(Choice::Gpu(None));
    opened
        .unwrap_or_else(|err| panic!("{err}; this test needs a Vulkan driver, even a software one"))
}

/// The widest gap between two networks' outputs, as a share of the largest value.
fn drift(cpu: &[f32], gpu: &[f32]) -> f32 {
    assert_eq!(cpu.len(), gpu.len(), "other shapes");
    let largest = cpu.iter().fold(0.0, |most: f32, v| most.max(v.abs()));
    let gaps = cpu.iter().zip(gpu).map(|(a, b)| (a - b).abs());
    let wider = |most: f32, gap: f32| {
        if most.is_nan() || gap <= most {
            most
        } else {
            gap
        }
    };
    let widest = gaps.fold(0.0, wider);
    assert!(0.0 < largest, "nothing to compare");
    widest / largest
}

#[track_caller]
fn check(what: &str, cpu: &[f32], gpu: &[f32]) {
    let drift = drift(cpu, gpu);
    println!("{what}: drift {drift:.2e} of {DRIFT:.0e}");
    assert!(drift <= DRIFT, "{what} drifts by {drift}");
}

/// A picture without a repeating pattern, the same each time.
fn noise(width: u32, height: u32) -> Picture {
    let mut state = 7_u32;
    let pixels = (0..width * height * 3).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    Picture::new(width, height, pixels.collect())
}

fn weights() -> Weights {
    Weights::from_source_tree().unwrap()
}

#[test]
fn finder_agrees_with_the_processor() {
    let (cpu, gpu) = (Device::flex(), gpu());
    let (on_cpu, on_gpu) = (
        Finder::load(&weights(), &cpu).unwrap(),
        Finder::load(&weights(), &gpu).unwrap(),
    );
    let picture = [noise(160, 96)];
    let of_cpu = on_cpu.forward(space_to_depth(&picture, &cpu));
    let of_gpu = on_gpu.forward(space_to_depth(&picture, &gpu));
    for ((cpu, gpu), grid) in of_cpu
        .into_iter()
        .zip(of_gpu)
        .zip(["8 px", "16 px", "32 px"])
    {
        check(grid, &values(cpu), &values(gpu));
    }
}

#[test]
fn detector_agrees_with_the_processor() {
    let (cpu, gpu) = (Device::flex(), gpu());
    let (on_cpu, on_gpu) = (
        FaceDetector::load(&weights(), &cpu).unwrap(),
        FaceDetector::load(&weights(), &gpu).unwrap(),
    );
    let picture = [noise(160, 96)];
    let of_cpu = on_cpu.forward(planes(&picture, &cpu));
    let of_gpu = on_gpu.forward(planes(&picture, &gpu));
    check("cells", &values(of_cpu), &values(of_gpu));
}

#[test]
fn mesher_agrees_with_the_processor() {
    let (cpu, gpu) = (Device::flex(), gpu());
    let (on_cpu, on_gpu) = (
        FaceMesh::load(&weights(), &cpu).unwrap(),
        FaceMesh::load(&weights(), &gpu).unwrap(),
    );
    let crop = [noise(FaceMesh::SIDE_PX, FaceMesh::SIDE_PX)];
    let of_cpu = on_cpu.forward(planes(&crop, &cpu));
    let of_gpu = on_gpu.forward(planes(&crop, &gpu));
    check("points", &values(of_cpu.points), &values(of_gpu.points));
    check(
        "presence",
        &values(of_cpu.presence),
        &values(of_gpu.presence),
    );
    let flat = |net: &FaceMesh| {
        let points = net.fit(&crop[0]).points;
        points
            .iter()
            .flat_map(|p| [p.x, p.y, p.z])
            .collect::<Vec<_>>()
    };
    check("lips and eyes too", &flat(&on_cpu), &flat(&on_gpu));
}

#[test]
fn identifier_agrees_with_the_processor() {
    let (cpu, gpu) = (Device::flex(), gpu());
    let (on_cpu, on_gpu) = (
        FaceEmbedder::load(&weights(), &cpu).unwrap(),
        FaceEmbedder::load(&weights(), &gpu).unwrap(),
    );
    let crops = [noise(FaceEmbedder::SIDE_PX, FaceEmbedder::SIDE_PX)];
    let of_cpu = on_cpu.embed(&crops).swap_remove(0);
    let of_gpu = on_gpu.embed(&crops).swap_remove(0);
    check("identity", &of_cpu.0, &of_gpu.0);
}

#[test]
fn occlusion_segmenter_agrees_with_the_processor() {
    let mask = |device: Device| {
        let pictures = PictureNet::load(&weights(), &device).unwrap();
        let segmenter = OcclusionSegmenter::load(&weights(), pictures, &device).unwrap();
        let crop = noise(OcclusionSegmenter::SIDE_PX, OcclusionSegmenter::SIDE_PX);
        segmenter.segment(&crop).values().to_vec()
    };
    check("occlusion mask", &mask(Device::flex()), &mask(gpu()));
}

#[test]
fn convolution_is_the_exact_sum() {
    use burn::tensor::module::conv2d;
    use burn::tensor::ops::ConvOptions;

    let gpu = gpu();
    let input = Tensor::<4>::ones([1, PATCH_CHANNELS, 8, 8], &gpu);
    let weight = Tensor::<4>::full([16, PATCH_CHANNELS, 3, 3], 0.5, &gpu);
    let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
    let output = values(conv2d(input, weight, None, options));
    let inner = output[8 + 1]; // all nine taps inside
    assert_eq!(inner, 0.5 * 9.0 * PATCH_CHANNELS as f32);
    assert_eq!(output[0], 0.5 * 4.0 * PATCH_CHANNELS as f32);
}

#[test]
fn devices_are_listed_and_a_missing_one_is_an_error() {
    let names: Vec<String> = device::list().into_iter().map(|one| one.name).collect();
    assert_eq!(names[..2], ["cpu", "gpu:0"]);
    let error = device::open(Choice::Gpu(Some(99))).unwrap_err();
    assert!(error.to_string().contains("gpu:99"), "{error}");
}

#[test]
fn drift_is_noticed() {
    assert!(drift(&[1.0, 0.5], &[1.0, 0.5]) <= DRIFT);
    assert!(drift(&[1.0, 0.5], &[1.0, 0.502]) > DRIFT);
    assert!(drift(&[1.0, 0.5, 0.5], &[1.0, f32::NAN, 0.5]).is_nan());
}
