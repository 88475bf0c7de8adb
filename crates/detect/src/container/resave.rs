//! Whether a JPEG was compressed before with larger steps.
//!
//! After Popescu and Farid, "Statistical tools for digital forensics", Information Hiding 2004,
//! and Lin et al., "Fast, automatic and fine-grained tampered JPEG image detection via DCT
//! coefficient analysis", Pattern Recognition 2009: values that were rounded to larger steps
//! before leave gaps at even distances when they are rounded to smaller ones.

use std::f64::consts::TAU;

use effigy_frame::Picture;

use crate::signal::blocks::{Cosines, N_PIXELS, SIDE_PX, brightness};

/// Frequencies that are looked at: low ones, of which most blocks have some. Rows first.
const FREQUENCIES: [usize; 8] = [1, 8, 16, 9, 2, 3, 10, 17];
/// Multiples of a step that are counted, on either side of nought.
const MOST: i32 = 40;
/// Blocks that are looked at, evenly spread.
const MOST_BLOCKS: usize = 20_000;
/// Fewer values beyond the first steps than this say nothing.
const LEAST_VALUES: u32 = 400;
/// How strong gaps at even distances must be, on a scale on which chance is one on average and
/// exponentially distributed; some sixty distances are tried at each frequency.
const LEAST_STRENGTH: f64 = 25.0;
/// At so many frequencies.
const LEAST_FREQUENCIES: usize = 2;

/// Looks for gaps in how often each multiple of a step occurs.
pub(super) fn is_saved_before(picture: &Picture, steps: &[u16; N_PIXELS]) -> bool {
    let columns = picture.width() as usize / SIDE_PX;
    let rows = picture.height() as usize / SIDE_PX;
    let every = (columns * rows).div_ceil(MOST_BLOCKS).max(1);
    let cosines = Cosines::new();
    let mut counts = [[0_u32; 2 * MOST as usize + 1]; FREQUENCIES.len()];
    for i in (0..columns * rows).step_by(every) {
        let at = (i % columns * SIDE_PX, i / columns * SIDE_PX);
        let block = cosines.transform(&brightness(picture, at));
        for (counts, frequency) in counts.iter_mut().zip(FREQUENCIES) {
            let multiple = (block[frequency] / f32::from(steps[frequency])).round() as i32;
            if multiple.abs() <= MOST {
                counts[(multiple + MOST) as usize] += 1;
            }
        }
    }
    let found = counts
        .iter()
        .filter(|counts| LEAST_STRENGTH <= strength(&counts[..]));
    LEAST_FREQUENCIES <= found.count()
}

/// How strongly counts rise and fall at even distances.
fn strength(counts: &[u32]) -> f64 {
    // Each against the geometric mean of its neighbours, which is what an even fall-off gives;
    // in units of its chance deviation. The values next to nought are left out.
    let middle = MOST as usize;
    let mut rises = Vec::new();
    for i in 1..counts.len() - 1 {
        if i.abs_diff(middle) < 2 {
            continue;
        }
        let (below, here, above) = (
            f64::from(counts[i - 1]) + 0.5,
            f64::from(counts[i]) + 0.5,
            f64::from(counts[i + 1]) + 0.5,
        );
        let expected = (below * above).sqrt();
        let rise = (here - expected) / (here + 0.5 * expected + 1.0).sqrt();
        rises.push((i as f64, rise.clamp(-MOST_RISE, MOST_RISE)));
    }
    let beyond = |i: &usize| 2 <= i.abs_diff(middle);
    let n: u32 = (0..counts.len()).filter(beyond).map(|i| counts[i]).sum();
    if n < LEAST_VALUES {
        return 0.0;
    }
    // Distances from two to about ten steps.
    (6..=32)
        .map(|k| power(&rises, f64::from(k) / 64.0))
        .fold(0.0, f64::max)
}

/// One lone count must not do.
const MOST_RISE: f64 = 6.0;

fn power(rises: &[(f64, f64)], cycles: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (i, rise) in rises {
        re += rise * (TAU * cycles * i).cos();
        im += rise * (TAU * cycles * i).sin();
    }
    (re * re + im * im) / rises.len().max(1) as f64
}
