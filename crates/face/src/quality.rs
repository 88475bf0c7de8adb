//! How good a picture of a face is: sharpness, light, and whether two look nearly the same.
//!
//! All work on an aligned crop, so that faces of any size and turn are measured alike.

use effigy_frame::Picture;
use effigy_frame::colour::luma;

/// Light on a face.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Light {
    /// Mean brightness, 0 black, 1 white.
    pub level: f32,
    /// How unevenly the two halves of the face are lit: 0 alike, 1 one half black.
    pub unevenness: f32,
}

/// Gives how sharp the middle of `crop` is, 0 a smooth surface, towards 1 crisp.
///
/// Compares the crop with a copy of itself blurred by a small kernel: what was sharp changes
/// much, what was blurred before changes little (the idea of Crété et al., SPIE 2007). Contrast
/// cancels out.
pub fn sharpness(crop: &Picture) -> f32 {
    let grey = Grey::of_middle(crop);
    if grey.width < 8 || grey.height < 8 {
        return 0.0;
    }
    let (mut detail, mut change) = (0.0_f64, 0.0_f64);
    for y in 2..grey.height - 2 {
        for x in 2..grey.width - 2 {
            let [here, left, up] = [grey.at(x, y), grey.at(x - 1, y), grey.at(x, y - 1)];
            let step = (here - left).abs() + (here - up).abs();
            let soft_step = (grey.along(x, y) - grey.along(x - 1, y)).abs()
                + (grey.down(x, y) - grey.down(x, y - 1)).abs();
            change += f64::from(step);
            detail += f64::from((step - soft_step).max(0.0));
        }
    }
    let pixels = (grey.width - 4) * (grey.height - 4);
    // A surface without any edges has no sharpness: half a level of noise a pixel is no detail.
    let floor = 0.5 * pixels as f64;
    (detail / (change + floor)) as f32
}

/// Gives how the face in the middle of `crop` is lit.
pub fn light(crop: &Picture) -> Light {
    let grey = Grey::of_middle(crop);
    let half = grey.width / 2;
    let mean = |from: usize, to: usize| {
        let rows = grey.values.chunks_exact(grey.width.max(1));
        let sum: f64 = rows
            .flat_map(|row| &row[from..to])
            .map(|&v| f64::from(v))
            .sum();
        sum / (((to - from) * grey.height).max(1) as f64 * 255.0)
    };
    let (left, right) = (mean(0, half), mean(grey.width - half, grey.width));
    let level = 0.5 * (left + right);
    let unevenness = if level > 0.0 {
        (left - right).abs() / (left + right)
    } else {
        0.0
    };
    Light {
        level: level as f32,
        unevenness: unevenness as f32,
    }
}

/// What an aligned crop looks like, roughly: how bright the parts of the face are against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look([i8; LOOK_SIDE * LOOK_SIDE]);

/// A crop is looked at in this many rows of cells, and these of them, in both directions: the rest is
/// hair and background.
const CROP_CELLS: u32 = 32;
const LOOK_SIDE: usize = 24;
const LOOK_CORNER: [u32; 2] = [4, 6];
/// Cells in each direction that are compared together: about a mouth's height.
const BLOCK: usize = 3;
/// Blocks that make up a difference: the least that an open mouth or a blink changes.
const N_BLOCKS: usize = 4;
/// What the standard deviation of brightness is scaled to.
const LOOK_CONTRAST: f32 = 40.0;

impl Look {
    /// Crops of one person that differ by less than this look the same to the eye.
    pub const NEAR_DUPLICATE: f32 = 12.0;

    /// Takes the look of an aligned crop.
    pub fn of(crop: &Picture) -> Self {
        let small = effigy_frame::resample::resize(crop, CROP_CELLS, CROP_CELLS);
        let all: Vec<f32> = small
            .pixels()
            .chunks_exact(3)
            .map(|p| luma([p[0], p[1], p[2]]))
            .collect();
        let n = all.len() as f32;
        let mean = all.iter().sum::<f32>() / n;
        let variance = all.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n;
        let scale = LOOK_CONTRAST / variance.sqrt().max(LEAST_CONTRAST);
        let [left, top] = LOOK_CORNER;
        let cell = |i: usize| {
            let (x, y) = (left + (i % LOOK_SIDE) as u32, top + (i / LOOK_SIDE) as u32);
            ((all[(y * CROP_CELLS + x) as usize] - mean) * scale).round() as i8
        };
        Self(std::array::from_fn(cell))
    }

    /// How different the parts are that differ most, in levels of brightness at a usual contrast.
    pub fn difference(&self, other: &Self) -> f32 {
        let mut blocks = [0_u32; (LOOK_SIDE / BLOCK) * (LOOK_SIDE / BLOCK)];
        for (i, (a, b)) in self.0.iter().zip(&other.0).enumerate() {
            let (x, y) = (i % LOOK_SIDE, i / LOOK_SIDE);
            let gap = i32::from(*a).abs_diff(i32::from(*b));
            blocks[y / BLOCK * (LOOK_SIDE / BLOCK) + x / BLOCK] += gap;
        }
        blocks.sort_unstable_by(|a, b| b.cmp(a));
        let most = blocks[..N_BLOCKS].iter().sum::<u32>();
        most as f32 / (N_BLOCKS * BLOCK * BLOCK) as f32
    }
}

/// Noise in a plain picture is not taken for contrast.
const LEAST_CONTRAST: f32 = 8.0;

/// Brightness of the middle half of a crop, where the face is and the background is not.
struct Grey {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl Grey {
    fn of_middle(crop: &Picture) -> Self {
        let (width, height) = (crop.width(), crop.height());
        let (columns, rows) = (
            width / 4..width - width / 4,
            height / 4..height - height / 4,
        );
        let values = rows
            .clone()
            .flat_map(|y| columns.clone().map(move |x| luma(crop.get(x, y))))
            .collect();
        Self {
            width: columns.len(),
            height: rows.len(),
            values,
        }
    }

    fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.width + x]
    }

    /// The mean of three neighbours in a row.
    fn along(&self, x: usize, y: usize) -> f32 {
        (self.at(x - 1, y) + self.at(x, y) + self.at(x + 1, y)) / 3.0
    }

    /// The mean of three neighbours in a column.
    fn down(&self, x: usize, y: usize) -> f32 {
        (self.at(x, y - 1) + self.at(x, y) + self.at(x, y + 1)) / 3.0
    }
}

#[cfg(test)]
mod tests {
    use effigy_frame::resample::resize;

    use super::*;

    /// A picture with detail at every scale, from a fixed recurrence.
    fn textured(side: u32) -> Picture {
        let mut state = 9_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let coarse = Picture::new(side / 4, side / 4, {
            let n = (side / 4 * (side / 4)) as usize;
            (0..n).flat_map(|_| [next(); 3]).collect()
        });
        resize(&coarse, side, side)
    }

    #[test]
    fn sharpness_falls_with_blur() {
        let mut picture = textured(128);
        let mut last = sharpness(&picture);
        for round in 0..6 {
            picture = blurred(&picture);
            let now = sharpness(&picture);
            assert!(now < last, "round {round}: {now} after {last}");
            last = now;
        }
    }

    /// Each pixel becomes the mean of itself and its four neighbours.
    fn blurred(picture: &Picture) -> Picture {
        let side = picture.width();
        let mut soft = picture.clone();
        for y in 1..side - 1 {
            for x in 1..side - 1 {
                let near = [(x, y), (x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)];
                let sum: u32 = near
                    .iter()
                    .map(|&(x, y)| u32::from(picture.get(x, y)[0]))
                    .sum();
                soft.set(x, y, [(sum / 5) as u8; 3]);
            }
        }
        soft
    }

    #[test]
    fn sharpness_hardly_depends_on_contrast() {
        let sharp = textured(128);
        let mut dull = sharp.clone();
        dull.pixels_mut().iter_mut().for_each(|v| *v = 64 + *v / 2);
        assert!((sharpness(&sharp) - sharpness(&dull)).abs() < 0.05);
    }

    #[test]
    fn one_colour_is_not_sharp() {
        assert!(sharpness(&Picture::filled(128, 128, [90, 90, 90])) <= 0.0);
    }

    #[test]
    fn light_from_the_side_is_uneven() {
        let mut crop = Picture::filled(64, 64, [200, 200, 200]);
        assert!(light(&crop).unevenness < 1e-6);
        for y in 0..64 {
            for x in 0..32 {
                crop.set(x, y, [100, 100, 100]);
            }
        }
        let light = light(&crop);
        assert!((light.unevenness - 1.0 / 3.0).abs() < 0.01, "{light:?}");
        assert!((light.level - 150.0 / 255.0).abs() < 0.01, "{light:?}");
    }

    #[test]
    fn looks_tell_pictures_apart_and_bear_noise() {
        let one = textured(128);
        let mut noisy = one.clone();
        noisy
            .pixels_mut()
            .iter_mut()
            .step_by(7)
            .for_each(|v| *v ^= 3);
        let from = |other: &Picture| Look::of(&one).difference(&Look::of(other));
        assert!(from(&noisy) < Look::NEAR_DUPLICATE, "{}", from(&noisy));
        assert!(
            Look::NEAR_DUPLICATE < from(&one.mirrored()),
            "{}",
            from(&one.mirrored())
        );
    }
}
