//! The direct layers against burn's, with random weights.

use burn::prelude::*;
use burn::tensor::Distribution;
use burn::tensor::TensorData;

use super::*;
use crate::layers::{Residual, conv3, downsample, leaky_relu};

/// A map with the values of `[1, c, h, w]`.
fn map_of(x: &Tensor<4>) -> Map {
    let [_, channels, rows, columns] = x.dims();
    let raw = values(x.clone());
    let mut map = Map::new(rows, columns, channels);
    for (i, value) in raw.into_iter().enumerate() {
        let (channel, row, column) = (i / columns / rows, i / columns % rows, i % columns);
        let place = map.place(row, column) + channel;
        map.values[place] = value;
    }
    map
}

/// Sums of a thousand products in another order differ in the sixth digit.
const ROUNDING: f32 = 2e-5;

#[track_caller]
fn check(cpu: &Map, burn: &Tensor<4>) {
    let [_, channels, rows, columns] = burn.dims();
    assert_eq!((cpu.rows, cpu.columns), (rows, columns));
    for (i, wanted) in values(burn.clone()).into_iter().enumerate() {
        let (channel, row, column) = (i / columns / rows, i / columns % rows, i % columns);
        let is = cpu.cell(row, column)[channel];
        let gap = (is - wanted).abs();
        assert!(
            gap <= ROUNDING * (1.0 + wanted.abs()),
            "{channel} {row} {column} of {channels}: {is}, not {wanted}"
        );
    }
}

fn noise(shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

#[test]
fn convolutions_agree_with_burn() {
    let device = Device::flex();
    // Odd sizes and outputs that fill no block are the interesting ones.
    for (from, to, rows, columns) in [(48, 64, 16, 16), (32, 15, 7, 11), (16, 96, 1, 5)] {
        let x = noise([1, from, rows, columns], &device);
        let keeps = conv3(from, to, &device);
        check(
            &Conv::new(&keeps).run(&map_of(&x)),
            &keeps.forward(x.clone()),
        );
        let halves = downsample(from, to, &device);
        let wanted = leaky_relu(halves.forward(x.clone()));
        check(&Conv::new(&halves).run_leaky_relu(&map_of(&x)), &wanted);
    }
}

#[test]
fn residual_pairs_agree_with_burn() {
    let device = Device::flex();
    let residual = Residual::new(64, &device);
    let x = noise([1, 64, 9, 8], &device);
    let direct = Pair::new(&residual).run(&map_of(&x));
    check(&direct, &residual.forward(x));
}

#[test]
fn linear_layers_agree_with_burn() {
    let device = Device::flex();
    let linear = nn::LinearConfig::new(32 * 6, 50).init(&device);
    let x = noise([1, 32, 2, 3], &device);
    let direct = Dense::on_map(&linear, 6).run(&map_of(&x).flat());
    let wanted = values(linear.forward(x.clone().flatten::<2>(1, 3)));
    assert_eq!(direct.len(), 50);
    for (is, wanted) in direct.iter().zip(&wanted) {
        assert!((is - wanted).abs() < ROUNDING * 10.0, "{is}, not {wanted}");
    }
    let flat = values(x.flatten::<2>(1, 3));
    let same = Dense::new(&linear).run(&flat);
    for (is, wanted) in same.iter().zip(&wanted) {
        assert!((is - wanted).abs() < ROUNDING * 10.0, "{is}, not {wanted}");
    }
}

#[test]
fn a_picture_enters_as_the_same_patches() {
    let device = Device::flex();
    let noisy = (0..16 * 8 * 3_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8);
    let picture = Picture::new(16, 8, noisy.collect());
    let patches = crate::tensors::space_to_depth(std::slice::from_ref(&picture), &device);
    check(&Map::from_picture(&picture), &patches);
}

#[test]
fn a_doubled_map_is_added_cell_by_cell() {
    let device = Device::flex();
    let numbers = |n: usize| (0..n).map(|i| i as f32 - 20.0).collect::<Vec<_>>();
    let tensor = |c: usize, h: usize, w: usize| {
        let data = TensorData::new(numbers(c * h * w), [1, c, h, w]);
        Tensor::<4>::from_data(data, &device)
    };
    let mut map = map_of(&tensor(16, 4, 2));
    map.add_upsampled(&map_of(&tensor(16, 2, 1)));
    // Channel 3 of row 2, column 1: 29 − 20 there, and 7 − 20 in row 1 of the half.
    assert_eq!(map.cell(2, 1)[3], leaky_relu_of(29.0 - 20.0 + 7.0 - 20.0));
}
