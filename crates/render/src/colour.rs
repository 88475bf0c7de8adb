//! Giving a drawn face the colour of the face it replaces, without flicker.
//!
//! Middle and spread of L*, a*, b* are matched as Reinhard et al. do ("Color transfer between
//! images", IEEE CG&A 2001), but with median and median deviation, which an open mouth or a bright
//! spot does not move, and smoothed over time.

use effigy_frame::colour::{lab_from_rgb, rgb_from_lab};
use effigy_frame::{Picture, Plane};

use crate::mask::grown;

/// What is added to and multiplied with each of L*, a*, b*.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shift {
    /// Middle of the drawn face.
    from: [f32; 3],
    /// Middle of the face it replaces.
    to: [f32; 3],
    /// Spread of the second over spread of the first.
    ratio: [f32; 3],
}

/// Pixels that count for the match: well inside the mask.
const LEAST_MASK: f32 = 0.5;
/// One pixel in so many is enough.
const STEP: usize = 3;
/// How far colours are changed beyond the mask.
const REACH_PX: usize = 6;
/// Fewer pixels say nothing about colour.
const FEWEST_PIXELS: usize = 64;
/// How far contrast and colourfulness may be changed.
const RATIOS: [[f32; 2]; 3] = [[0.75, 1.35], [0.7, 1.3], [0.7, 1.3]];
/// How slowly the match follows, in seconds.
const MEMORY_SECS: f32 = 0.6;

/// Measures how `drawn` must change to look like `seen`, under `mask`; all are of one size.
pub(crate) fn measure(drawn: &Picture, seen: &Picture, mask: &Plane) -> Option<Shift> {
    let places: Vec<usize> = (0..mask.values().len())
        .step_by(STEP)
        .filter(|&i| LEAST_MASK <= mask.values()[i])
        .collect();
    if places.len() < FEWEST_PIXELS {
        return None;
    }
    let middles = |picture: &Picture| {
        let labs: Vec<[f32; 3]> = places.iter().map(|&i| lab_at(picture, i)).collect();
        let spread: [[f32; 2]; 3] =
            std::array::from_fn(|c| middle_and_spread(labs.iter().map(|lab| lab[c])));
        spread
    };
    let (from, to) = (middles(drawn), middles(seen));
    let ratio = |c: usize| {
        let [low, high] = RATIOS[c];
        (to[c][1] / from[c][1].max(0.1)).clamp(low, high)
    };
    Some(Shift {
        from: from.map(|[middle, _]| middle),
        to: to.map(|[middle, _]| middle),
        ratio: std::array::from_fn(ratio),
    })
}

impl Shift {
    /// Moves towards `next` by what `secs` seconds allow.
    pub(crate) fn follow(&mut self, next: &Self, secs: f32) {
        let share = 1.0 - (-secs / MEMORY_SECS).exp();
        let mix = |old: [f32; 3], new: [f32; 3]| {
            std::array::from_fn(|c| old[c] + share * (new[c] - old[c]))
        };
        self.from = mix(self.from, next.from);
        self.to = mix(self.to, next.to);
        self.ratio = mix(self.ratio, next.ratio);
    }

    /// Where a colour goes. Black stays black, and what is dark takes on little colour: pupils and
    /// nostrils look alike in every light.
    fn moved(&self, lab: [f32; 3]) -> [f32; 3] {
        let brightness = lab[0] / self.from[0].max(1.0);
        let weight = brightness.clamp(0.0, 1.0);
        let colour = |c: usize| {
            let ratio = 1.0 + (self.ratio[c] - 1.0) * weight;
            let shift = (self.to[c] - self.from[c]) * weight;
            self.from[c] + (lab[c] - self.from[c]) * ratio + shift
        };
        let lightness = if brightness < 1.0 {
            self.to[0] * brightness
        } else {
            self.to[0] + (lab[0] - self.from[0]) * self.ratio[0]
        };
        [lightness, colour(1), colour(2)]
    }

    /// Changes the colours of `drawn`, but not far outside `mask`, where nobody will see them.
    pub(crate) fn apply(&self, drawn: &mut Picture, mask: &Plane) {
        let near = grown(mask, REACH_PX);
        let pixels = drawn.pixels_mut().chunks_exact_mut(3).zip(near.values());
        for (pixel, _) in pixels.filter(|(_, near)| 0.0 < **near) {
            let lab = lab_from_rgb([pixel[0], pixel[1], pixel[2]]);
            let moved = self.moved(lab);
            for (value, share) in pixel.iter_mut().zip(rgb_from_lab(moved)) {
                *value = (share * 255.0 + 0.5) as u8;
            }
        }
    }
}

fn lab_at(picture: &Picture, i: usize) -> [f32; 3] {
    let pixel = &picture.pixels()[3 * i..3 * i + 3];
    lab_from_rgb([pixel[0], pixel[1], pixel[2]])
}

/// Median, and median distance from it.
fn middle_and_spread(values: impl Iterator<Item = f32>) -> [f32; 2] {
    let mut values: Vec<f32> = values.collect();
    let middle = median(&mut values);
    values
        .iter_mut()
        .for_each(|value| *value = (*value - middle).abs());
    [middle, median(&mut values)]
}

fn median(values: &mut [f32]) -> f32 {
    let half = values.len() / 2;
    *values.select_nth_unstable_by(half, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patches(shift: u8) -> Picture {
        let pixels = (0..32 * 32_u32)
            .flat_map(|i| {
                let v = (i * 7 % 31) as u8;
                [90 + v + shift, 80 + v, 60 + v]
            })
            .collect();
        Picture::new(32, 32, pixels)
    }

    #[test]
    fn match_to_oneself_changes_almost_nothing() {
        let (picture, mask) = (patches(0), Plane::filled(32, 32, 1.0));
        let shift = measure(&picture, &picture, &mask).unwrap();
        let mut same = picture.clone();
        shift.apply(&mut same, &mask);
        let gaps = same
            .pixels()
            .iter()
            .zip(picture.pixels())
            .map(|(a, b)| a.abs_diff(*b));
        assert!(gaps.max().unwrap() <= 1); // rounding through Lab and back
    }

    #[test]
    fn redder_face_takes_the_colour_it_is_given() {
        let mask = Plane::filled(32, 32, 1.0);
        let mut drawn = patches(40);
        let shift = measure(&drawn, &patches(0), &mask).unwrap();
        shift.apply(&mut drawn, &mask);
        let again = measure(&drawn, &patches(0), &mask).unwrap();
        for c in 0..3 {
            assert!((again.from[c] - again.to[c]).abs() < 1.0, "{again:?}");
        }
    }

    #[test]
    fn black_stays_black() {
        let mask = Plane::filled(32, 32, 1.0);
        let shift = measure(&patches(40), &patches(0), &mask).unwrap();
        let mut dark = Picture::filled(2, 2, [3; 3]);
        shift.apply(&mut dark, &Plane::filled(2, 2, 1.0));
        assert!(
            dark.pixels().iter().all(|&v| v.abs_diff(3) <= 2),
            "{dark:?}"
        );
    }

    #[test]
    fn match_follows_slowly() {
        let mask = Plane::filled(32, 32, 1.0);
        let first = measure(&patches(0), &patches(0), &mask).unwrap();
        let second = measure(&patches(0), &patches(40), &mask).unwrap();
        let mut steady = first;
        steady.follow(&second, 0.04);
        let (step, whole) = (steady.to[1] - first.to[1], second.to[1] - first.to[1]);
        assert!(0.0 < step && step < 0.1 * whole, "{step} of {whole}");
    }

    #[test]
    fn tiny_mask_says_nothing() {
        assert_eq!(
            measure(&patches(0), &patches(9), &Plane::filled(32, 32, 0.0)),
            None
        );
    }
}
