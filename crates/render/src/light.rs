//! The light of the scene, and the skin_tone of the person in it, on a drawn face.
//!
//! A model draws a face in the light of the clips it learned from. What varies slowly over the face
//! is light more than likeness: it is taken from the face that is replaced, as a factor for each
//! colour ("the quotient image", Shashua and Riklin-Raviv, PAMI 2001), averaged over a good part of
//! the face and smoothed over time. Being factors, they leave black black, and dark hair takes on
//! the colour of the lamp.

use effigy_frame::{Picture, Plane};

use crate::mask::{blur, grown};

/// By how much the red, green and blue of each pixel of a drawn face change.
#[derive(Clone, Debug)]
pub(crate) struct Light([Plane; 3]);

/// Radius of the averages, which are taken twice, as a share of the crop's side.
const REACH: f32 = 0.1;
/// From this share of the mask on, a pixel counts in full.
const FULL_FROM: f32 = 0.5;
/// Distance of the logarithm of a factor from the median at which a pixel counts half: an eye, a
/// strand of hair or the rim of glasses says nothing about light.
const ODD: f32 = 0.35;
/// What is added to both sides of a quotient, in levels: the noise of dark pixels.
const DARK: f32 = 8.0;
/// Where fewer of the pixels around count, the face's average takes over.
const LEAST_KNOWN: f32 = 0.05;
/// How far colours may be changed.
const FACTORS: [f32; 2] = [0.4, 2.0];
/// Time constant of the light, in seconds.
const MEMORY_SECS: f32 = 0.2;
/// How far colours are changed beyond the mask.
const BEYOND_PX: usize = 6;

/// Measures what changes the light on `drawn` to that on `seen`, under `mask`; all are of one size.
/// `None` where the mask covers nothing.
pub(crate) fn measure(drawn: &Picture, seen: &Picture, mask: &Plane) -> Option<Light> {
    let weights = weights(drawn, seen, mask)?;
    let average = Average::new(weights, mask);
    Some(Light(std::array::from_fn(|c| {
        let levels = |picture: &Picture| {
            let levels = picture.pixels().iter().skip(c).step_by(3);
            average.of(levels.map(|&level| f32::from(level) + DARK))
        };
        let (mut factors, under) = (levels(seen), levels(drawn));
        for (value, under) in factors.values_mut().iter_mut().zip(under.values()) {
            *value = (*value / under).clamp(FACTORS[0], FACTORS[1]);
        }
        factors
    })))
}

/// How much each pixel says about light.
fn weights(drawn: &Picture, seen: &Picture, mask: &Plane) -> Option<Vec<f32>> {
    let pairs = seen.pixels().iter().zip(drawn.pixels());
    // Logarithms, so that half as bright and twice as bright are equally far away.
    let quotients =
        pairs.map(|(&to, &from)| ((f32::from(to) + DARK) / (f32::from(from) + DARK)).ln());
    let quotients: Vec<f32> = quotients.collect();
    let places = (0..mask.values().len()).filter(|&i| FULL_FROM <= mask.values()[i]);
    let places: Vec<usize> = places.collect();
    if places.is_empty() {
        return None;
    }
    let median = |c: usize| {
        let mut values: Vec<f32> = places.iter().map(|&i| quotients[3 * i + c]).collect();
        let half = values.len() / 2;
        *values.select_nth_unstable_by(half, f32::total_cmp).1
    };
    let medians: [f32; 3] = std::array::from_fn(median);
    let weight = |(quotients, &mask): (&[f32], &f32)| {
        let odd = quotients
            .iter()
            .zip(medians)
            .map(|(q, median)| ((q - median) / ODD).powi(2));
        (mask / FULL_FROM).min(1.0) / (1.0 + odd.sum::<f32>() / 3.0)
    };
    let all = quotients.chunks_exact(3).zip(mask.values());
    Some(all.map(weight).collect())
}

impl Light {
    /// Moves towards `next` by what `secs` seconds allow.
    pub(crate) fn follow(&mut self, next: &Self, secs: f32) {
        let share = 1.0 - (-secs / MEMORY_SECS).exp();
        for (plane, next) in self.0.iter_mut().zip(&next.0) {
            for (value, next) in plane.values_mut().iter_mut().zip(next.values()) {
                *value += share * (next - *value);
            }
        }
    }

    /// Keeps how light differs over the face under `mask`, but not its mean, which is skin tone too.
    pub(crate) fn without_skin_tone(mut self, mask: &Plane) -> Self {
        let all = mask.values().iter().sum::<f32>().max(f32::MIN_POSITIVE);
        for plane in &mut self.0 {
            // The geometric mean: the factors that remain multiply to one.
            let values = plane.values().iter().zip(mask.values());
            let middle = values.map(|(v, weight)| v.ln() * weight).sum::<f32>() / all;
            let whole = middle.exp();
            plane.values_mut().iter_mut().for_each(|v| *v /= whole);
        }
        self
    }

    /// Changes the colours of `drawn`, but not far outside `mask`, where they are not used.
    pub(crate) fn apply(&self, drawn: &mut Picture, mask: &Plane) {
        let around = grown(mask, BEYOND_PX);
        let pixels = drawn.pixels_mut().chunks_exact_mut(3).zip(around.values());
        for (i, (pixel, _)) in pixels.enumerate().filter(|(_, (_, around))| 0.0 < **around) {
            for (value, factors) in pixel.iter_mut().zip(&self.0) {
                // Turning into a byte cuts off above 255.
                *value = (f32::from(*value) * factors.values()[i] + 0.5) as u8;
            }
        }
    }
}

/// Averages around every pixel, of those that count.
struct Average {
    weights: Vec<f32>,
    known: Plane,
    reach: usize,
}

impl Average {
    fn new(weights: Vec<f32>, mask: &Plane) -> Self {
        let reach = ((REACH * mask.width() as f32).round() as usize).max(1);
        let known = Plane::new(mask.width(), mask.height(), weights.clone());
        Self {
            weights,
            known: blur(&blur(&known, reach), reach),
            reach,
        }
    }

    fn of(&self, values: impl Iterator<Item = f32>) -> Plane {
        let weighed: Vec<f32> = values.zip(&self.weights).map(|(v, w)| v * w).collect();
        let all = self.weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
        let middle = weighed.iter().sum::<f32>() / all;
        let weighed = Plane::new(self.known.width(), self.known.height(), weighed);
        // Normalised convolution: sums over sums of weights. Two box blurs are nearly a Gaussian.
        let mut sums = blur(&blur(&weighed, self.reach), self.reach);
        for (sum, known) in sums.values_mut().iter_mut().zip(self.known.values()) {
            *sum = (*sum + LEAST_KNOWN * middle) / (known + LEAST_KNOWN);
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: u32 = 96;

    fn full() -> Plane {
        Plane::filled(SIDE as usize, SIDE as usize, 1.0)
    }

    /// Skin with a pattern, lit by so much from the left to the right.
    fn skin(left: f32, right: f32) -> Picture {
        let pixel = |i: u32| {
            let (x, y) = (i % SIDE, i / SIDE);
            let light = left + (right - left) * x as f32 / SIDE as f32;
            let pattern = ((x * 7 + y * 13) % 11) as f32;
            [150.0, 110.0, 90.0].map(|v| (light * (v + pattern)).min(255.0) as u8)
        };
        Picture::new(SIDE, SIDE, (0..SIDE * SIDE).flat_map(pixel).collect())
    }

    fn lit(drawn: &Picture, seen: &Picture) -> Picture {
        let mut lit = drawn.clone();
        measure(drawn, seen, &full())
            .unwrap()
            .apply(&mut lit, &full());
        lit
    }

    #[test]
    fn same_light_changes_almost_nothing() {
        let picture = skin(1.0, 0.7);
        let same = lit(&picture, &picture);
        let gaps = same.pixels().iter().zip(picture.pixels());
        assert!(gaps.map(|(a, b)| a.abs_diff(*b)).max().unwrap() <= 1);
    }

    #[test]
    fn lamp_on_the_other_side_lights_the_other_side() {
        let (drawn, seen) = (skin(0.6, 1.2), skin(1.2, 0.6));
        let lit = lit(&drawn, &seen);
        for x in [14, 48, 82] {
            let (is, wanted) = (lit.get(x, 50)[0], seen.get(x, 50)[0]);
            // Of up to 85 levels; averages reach over both sides of the slope.
            assert!(is.abs_diff(wanted) <= 20, "{x}: {is} {wanted}");
        }
        assert!(40 < lit.get(14, 50)[0].abs_diff(drawn.get(14, 50)[0]));
    }

    #[test]
    fn black_stays_black_and_an_odd_patch_says_nothing() {
        let mut drawn = skin(1.0, 1.0);
        let mut seen = skin(0.8, 0.8);
        for y in 30..36 {
            (40..52).for_each(|x| drawn.set(x, y, [4, 4, 4]));
            (60..72).for_each(|x| seen.set(x, y, [255, 255, 255]));
        }
        let lit = lit(&drawn, &seen);
        assert!(lit.get(46, 33).iter().all(|&v| v <= 6));
        let (is, wanted) = (lit.get(66, 33)[0], skin(0.8, 0.8).get(66, 33)[0]);
        assert!(is.abs_diff(wanted) <= 12, "{is} {wanted}");
    }

    #[test]
    fn skin_tone_can_be_left_as_drawn() {
        let (drawn, seen) = (skin(1.0, 1.0), skin(0.5, 0.8));
        let mut result = drawn.clone();
        let light = measure(&drawn, &seen, &full()).unwrap();
        light.without_skin_tone(&full()).apply(&mut result, &full());
        let mean = |picture: &Picture| {
            let sum: u64 = picture.pixels().iter().map(|&v| u64::from(v)).sum();
            sum as f32 / picture.pixels().len() as f32
        };
        assert!((mean(&result) / mean(&drawn) - 1.0).abs() < 0.03);
        assert!(result.get(14, 50)[0] + 20 < result.get(82, 50)[0]);
    }

    #[test]
    fn light_follows_within_a_second_and_not_at_once() {
        let (dark, bright) = (skin(0.6, 0.6), skin(1.2, 1.2));
        let mut light = measure(&dark, &dark, &full()).unwrap();
        let next = measure(&dark, &bright, &full()).unwrap();
        light.follow(&next, 0.04);
        let first = light.0[0].get(48, 48);
        assert!(1.0 < first && first < 1.3, "{first}");
        (0..24).for_each(|_| light.follow(&next, 0.04));
        assert!(1.9 < light.0[0].get(48, 48));
    }

    #[test]
    fn nothing_under_the_mask_says_nothing() {
        let empty = Plane::filled(SIDE as usize, SIDE as usize, 0.0);
        assert!(measure(&skin(1.0, 1.0), &skin(0.5, 0.5), &empty).is_none());
    }
}
