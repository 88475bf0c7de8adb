//! Between pictures and tensors.
//!
//! A picture enters a network as patches of 4 × 4 pixels: `[n, 48, h/4, w/4]`, channel
//! `(row in patch · 4 + column in patch) · 3 + colour`, values scaled to `-1..=1`. The first
//! convolution then works on few, thick pixels, which the CPU backend does several times faster
//! than on many thin ones.

use burn::prelude::*;
use burn::tensor::TensorData;
use effigy_frame::Picture;

/// Side of a patch in pixels.
pub(crate) const PATCH: usize = 4;
/// Values per patch.
pub const PATCH_CHANNELS: usize = PATCH * PATCH * 3;

/// Lays `pictures`, all of one size, out as patches: `[n, 48, h/4, w/4]`.
///
/// # Panics
/// If the pictures differ in size or a side is not a multiple of 4: the caller's mistake.
pub fn space_to_depth(pictures: &[Picture], device: &Device) -> Tensor<4> {
    let (width, height) = (pictures[0].width() as usize, pictures[0].height() as usize);
    let mut values = Vec::with_capacity(pictures.len() * width * height * 3);
    for picture in pictures {
        assert_eq!(
            (picture.width() as usize, picture.height() as usize),
            (width, height)
        );
        append_space_to_depth(picture, &mut values);
    }
    let shape = [
        pictures.len(),
        PATCH_CHANNELS,
        height / PATCH,
        width / PATCH,
    ];
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Appends one picture's patches, `[48, h/4, w/4]`, to `values`.
///
/// # Panics
/// If a side of the picture is not a multiple of 4.
pub fn append_space_to_depth(picture: &Picture, values: &mut Vec<f32>) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    assert!(
        width.is_multiple_of(PATCH) && height.is_multiple_of(PATCH),
        "{width}x{height}"
    );
    let pixels = picture.pixels();
    for row in 0..PATCH {
        for column in 0..PATCH {
            for colour in 0..3 {
                for y in 0..height / PATCH {
                    let start = ((y * PATCH + row) * width + column) * 3 + colour;
                    let line = pixels[start..]
                        .iter()
                        .step_by(PATCH * 3)
                        .take(width / PATCH);
                    values.extend(line.map(|&v| f32::from(v) * (1.0 / 127.5) - 1.0));
                }
            }
        }
    }
}

/// Lays `pictures`, all of one size, out as `[n, 3, h, w]`, colours in `0..=1`.
///
/// # Panics
/// If the pictures differ in size: the caller's mistake.
pub fn planes(pictures: &[Picture], device: &Device) -> Tensor<4> {
    let (width, height) = (pictures[0].width() as usize, pictures[0].height() as usize);
    let mut planes = Vec::with_capacity(pictures.len() * 3 * width * height);
    for picture in pictures {
        for colour in 0..3 {
            let plane = picture.pixels().chunks_exact(3);
            planes.extend(plane.map(|rgb| f32::from(rgb[colour]) * (1.0 / 255.0)));
        }
    }
    let shape = [pictures.len(), 3, height, width];
    Tensor::from_data(TensorData::new(planes, shape), device)
}

/// Reads all values of a tensor, in row-major order.
///
/// # Panics
/// If the tensor does not hold 32-bit floats: every network here does.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    match tensor.into_data().try_into_vec::<f32>() {
        Ok(values) => values,
        Err(err) => unreachable!("networks work in f32: {err:?}"),
    }
}

/// Averages all elements, one axis at a time.
///
/// The CPU backend adds naively in `f32`, so that the mean of ten million elements is off by
/// 9 %; added axis by axis it is right to six digits.
pub fn mean4(x: Tensor<4>) -> Tensor<1> {
    x.mean_dim(3)
        .mean_dim(2)
        .mean_dim(1)
        .mean_dim(0)
        .reshape([1])
}

/// Averages all elements of a matrix, one axis at a time.
pub fn mean2(x: Tensor<2>) -> Tensor<1> {
    x.mean_dim(1).mean_dim(0).reshape([1])
}

/// Adds up all elements, one axis at a time.
pub fn sum4(x: Tensor<4>) -> Tensor<1> {
    x.sum_dim(3).sum_dim(2).sum_dim(1).sum_dim(0).reshape([1])
}

/// A picture without a repeating pattern, the same each time.
#[cfg(test)]
pub(crate) fn noise(width: u32, height: u32) -> Picture {
    let mut state = 7_u32;
    let pixels = (0..width * height * 3).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    Picture::new(width, height, pixels.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_put_each_pixel_where_the_doc_says() {
        let mut picture = Picture::filled(8, 8, [0; 3]);
        picture.set(6, 5, [0, 255, 0]); // patch (1, 1), row 1, column 2
        let tensor = space_to_depth(&[picture], &Device::flex());
        assert_eq!(tensor.dims(), [1, 48, 2, 2]);
        let values = values(tensor);
        let lit: Vec<usize> = (0..values.len()).filter(|&i| values[i] > 0.5).collect();
        let channel = (4 + 2) * 3 + 1;
        assert_eq!(lit, [channel * 4 + 3]);
    }

    #[test]
    fn mean_of_many_equal_values_is_that_value() {
        let x = Tensor::<4>::full([16, 3, 256, 256], 0.1, &Device::flex());
        let mean = values(mean4(x))[0];
        assert!((mean - 0.1).abs() < 1e-6, "{mean}"); // naive adding gives 0.0968
    }
}
