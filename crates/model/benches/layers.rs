//! What each kind of layer costs: the table of `docs/decisions/010-network-blocks.md`.
//!
//! `cargo bench -p effigy-model --bench layers`; add `-- 3x3/64` for one row.

use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::prelude::*;
use burn::tensor::Distribution;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Faces a step.
const BATCH: usize = 32;

/// A square convolution on square input.
struct Layer {
    from: usize,
    to: usize,
    kernel: usize,
    stride: usize,
    side: usize,
}

const LAYERS: [Layer; 6] = [
    layer(3, 16, 3, 2, 128),
    layer(16, 16, 3, 1, 64),
    layer(32, 32, 3, 1, 32),
    layer(64, 64, 3, 1, 16),
    layer(128, 128, 3, 1, 8),
    layer(64, 64, 1, 1, 32),
];

const fn layer(from: usize, to: usize, kernel: usize, stride: usize, side: usize) -> Layer {
    Layer {
        from,
        to,
        kernel,
        stride,
        side,
    }
}

impl Layer {
    fn name(&self) -> String {
        let Self {
            from,
            to,
            kernel,
            stride,
            side,
        } = self;
        format!("{kernel}x{kernel}/{from}-{to}/stride{stride}/{side}px")
    }

    fn operations(&self) -> u64 {
        let out = self.side / self.stride;
        (2 * BATCH * self.from * self.to * self.kernel.pow(2) * out * out) as u64
    }

    fn init(&self, device: &Device) -> (Conv2d, Tensor<4>) {
        let pad = self.kernel / 2;
        let conv = Conv2dConfig::new([self.from, self.to], [self.kernel; 2])
            .with_stride([self.stride; 2])
            .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
            .init(device);
        let shape = [BATCH, self.from, self.side, self.side];
        (conv, Tensor::random(shape, Distribution::Default, device))
    }
}

fn forward(c: &mut Criterion) {
    let mut group = c.benchmark_group("forward");
    for layer in &LAYERS {
        let (conv, x) = layer.init(&Device::flex());
        group.throughput(Throughput::Elements(layer.operations()));
        group.bench_function(BenchmarkId::from_parameter(layer.name()), |b| {
            b.iter(|| conv.forward(x.clone()));
        });
    }
    group.finish();
}

fn both_ways(c: &mut Criterion) {
    let mut group = c.benchmark_group("forward-and-backward");
    let device = Device::flex().autodiff();
    for layer in &LAYERS {
        let (conv, x) = layer.init(&device);
        group.throughput(Throughput::Elements(3 * layer.operations()));
        group.bench_function(BenchmarkId::from_parameter(layer.name()), |b| {
            b.iter(|| {
                let y = conv.forward(x.clone().require_grad());
                y.sum_dim(3)
                    .sum_dim(2)
                    .sum_dim(1)
                    .sum_dim(0)
                    .sum()
                    .backward()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, forward, both_ways);
criterion_main!(benches);
