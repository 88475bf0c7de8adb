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

/// What a crop looks like, roughly: 64 signs of brightness steps (a difference hash).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look(pub u64);

impl Look {
    /// Takes the look of an aligned crop.
    pub fn of(crop: &Picture) -> Self {
        let small = effigy_frame::resample::resize(crop, 9, 8);
        let mut signs = 0;
        for y in 0..8 {
            for x in 0..8 {
                let brighter = luma(small.get(x + 1, y)) > luma(small.get(x, y));
                signs = signs << 1 | u64::from(brighter);
            }
        }
        Self(signs)
    }

    /// Counts how many of the 64 signs differ. Under 4, two crops of one track look the same.
    pub fn difference(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }
}

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
        assert!(Look::of(&one).difference(Look::of(&noisy)) < 4);
        assert!(Look::of(&one).difference(Look::of(&one.mirrored())) > 12);
    }
}
