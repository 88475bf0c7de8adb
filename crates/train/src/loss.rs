//! How wrong a drawn face is: structure (DSSIM) and colour (L1), weighted by place, and the mask.
//!
//! Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE
//! TIP 2004, section III-B, with Gaussian windows two pixels apart: blurring is a product with a
//! banded matrix on either side, which the CPU backend does at full speed. Everything is averaged
//! axis by axis, since the backend adds naively in `f32`.

use burn::prelude::*;
use burn::tensor::TensorData;
use effigy_model::tensors::mean4;

/// Pixels between neighbouring windows.
const WINDOW_STEP: usize = 2;
/// Spread of a window in pixels, as in the paper.
const WINDOW_SPREAD: f32 = 1.5;
/// Pixels from the centre of a window to its edge, as in the paper: beyond, the weights would only
/// be denormal numbers, which the processor multiplies a hundred times more slowly.
const WINDOW_REACH: f32 = 5.5;
/// `(0.01·L)²` and `(0.03·L)²` of the paper, for colours of `0..=1`.
const STEADY: [f64; 2] = [1e-4, 9e-4];

/// What structure, colour and mask count for.
const STRUCTURE: f64 = 1.0;
const COLOUR: f64 = 4.0;
const MASK: f64 = 2.0;

/// What a face should look like; `n` faces of side `s`.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// `[n, 3, s, s]`
    pub(crate) colours: Tensor<4>,
    /// `[n, 1, s, s]`
    pub(crate) masks: Tensor<4>,
    /// How much each pixel counts: `[n, 1, s, s]`.
    pub(crate) weights: Tensor<4>,
}

/// Measures drawn faces `[n, 4, s, s]` against what was wanted: `[1]`, 0 is perfect.
pub(crate) fn loss(drawn: Tensor<4>, wanted: &Wanted) -> Tensor<1> {
    let [n, _, side, _] = drawn.dims();
    let colours = drawn.clone().slice([0..n, 0..3, 0..side, 0..side]);
    let masks = drawn.slice([0..n, 3..4, 0..side, 0..side]);
    let structure = dissimilarity(colours.clone(), wanted);
    let gap = (colours - wanted.colours.clone()).abs() * wanted.weights.clone();
    let mask_gap = (masks - wanted.masks.clone()).powi_scalar(2);
    structure * STRUCTURE + mean4(gap) * COLOUR + mean4(mask_gap) * MASK
}

/// `(1 − SSIM) / 2`, weighted: `[1]`.
fn dissimilarity(x: Tensor<4>, wanted: &Wanted) -> Tensor<1> {
    let y = wanted.colours.clone();
    let blur = Windows::new(x.dims()[2], &x.device());
    let (mean_x, mean_y) = (blur.apply(x.clone()), blur.apply(y.clone()));
    let (square_x, square_y) = (
        mean_x.clone() * mean_x.clone(),
        mean_y.clone() * mean_y.clone(),
    );
    let product = mean_x * mean_y;
    let spread_x = blur.apply(x.clone() * x.clone()) - square_x.clone();
    let spread_y = blur.apply(y.clone() * y.clone()) - square_y.clone();
    let shared = blur.apply(x * y) - product.clone();
    let likeness = (product * 2.0 + STEADY[0]) * (shared * 2.0 + STEADY[1]);
    let largest = (square_x + square_y + STEADY[0]) * (spread_x + spread_y + STEADY[1]);
    let gap = (likeness / largest).neg() + 1.0;
    mean4(gap * blur.apply(wanted.weights.clone())) * 0.5
}

/// Gaussian windows over a square picture, as one matrix for both axes.
struct Windows {
    /// `[s, w]`; each column holds one window and adds up to one.
    columns: Tensor<2>,
}

impl Windows {
    fn new(side: usize, device: &Device) -> Self {
        let n_windows = side / WINDOW_STEP;
        let mut values = vec![0.0_f32; side * n_windows];
        for window in 0..n_windows {
            let centre = (window * WINDOW_STEP) as f32 + 0.5 * (WINDOW_STEP - 1) as f32;
            let height = |pixel: usize| {
                let gap = pixel as f32 - centre;
                let height = (-0.5 * (gap / WINDOW_SPREAD).powi(2)).exp();
                if gap.abs() <= WINDOW_REACH {
                    height
                } else {
                    0.0
                }
            };
            let sum: f32 = (0..side).map(height).sum();
            for pixel in 0..side {
                values[pixel * n_windows + window] = height(pixel) / sum;
            }
        }
        Self {
            columns: Tensor::from_data(TensorData::new(values, [side, n_windows]), device),
        }
    }

    /// `[n, c, s, s]` → `[n, c, w, w]`
    fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        let [n, c, side, _] = x.dims();
        let w = self.columns.dims()[1];
        let x = x.reshape([n * c * side, side]).matmul(self.columns.clone()); // [n·c·s, w]
        let x = x.reshape([n * c, side, w]).swap_dims(1, 2); // [n·c, w, s]
        let x = x.reshape([n * c * w, side]).matmul(self.columns.clone()); // [n·c·w, w]
        x.reshape([n, c, w, w]).swap_dims(2, 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Distribution;
    use effigy_model::tensors::values;

    fn wanted(n: usize, side: usize) -> Wanted {
        let device = Device::flex();
        let even = Distribution::Uniform(0.0, 1.0);
        Wanted {
            colours: Tensor::random([n, 3, side, side], even, &device),
            masks: Tensor::ones([n, 1, side, side], &device),
            weights: Tensor::ones([n, 1, side, side], &device),
        }
    }

    #[test]
    fn perfect_drawing_has_no_loss() {
        let wanted = wanted(2, 32);
        let drawn = Tensor::cat(vec![wanted.colours.clone(), wanted.masks.clone()], 1);
        let loss = values(loss(drawn, &wanted))[0];
        assert!(loss.abs() < 1e-5, "{loss}"); // SSIM of equals is 1 up to rounding
    }

    #[test]
    fn windows_match_sums_done_by_hand() {
        let x = wanted(1, 16).colours;
        let plain = values(x.clone());
        let blurred = values(Windows::new(16, &Device::flex()).apply(x));
        let weight = |pixel: usize, window: usize| {
            let gap = |p: usize| p as f32 - (window * 2) as f32 - 0.5;
            let reached = |p: usize| f32::from(gap(p).abs() <= 5.5);
            let height = |p: usize| reached(p) * (-0.5 * (gap(p) / 1.5).powi(2)).exp();
            height(pixel) / (0..16).map(height).sum::<f32>()
        };
        let (row, column, channel) = (3, 6, 2);
        let sum: f32 = (0..256)
            .map(|i| weight(i / 16, row) * weight(i % 16, column) * plain[channel * 256 + i])
            .sum();
        let got = blurred[channel * 64 + row * 8 + column];
        assert!((got - sum).abs() < 1e-5, "{got} {sum}");
    }

    #[test]
    fn flat_grey_against_noise_is_structurally_unlike() {
        let wanted = wanted(1, 32);
        let flat = Tensor::full([1, 3, 32, 32], 0.5, &Device::flex());
        let gap = values(dissimilarity(flat, &wanted))[0];
        assert!((0.4..0.51).contains(&gap), "{gap}");
    }
}
