//! How similar two pictures are inside a face: peak signal-to-noise ratio and structural similarity.

use effigy_frame::Picture;
use effigy_frame::colour::luma;
use serde::Serialize;

use super::Mean;

/// How similar one clip is to another, over the pixels of its face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Likeness {
    /// Peak signal-to-noise ratio in decibels; higher is more alike.
    pub psnr_db: f64,
    /// Structural similarity of brightness, `..=1`; 1 is the same.
    pub ssim: f64,
}

/// Side of the windows of structural similarity.
const WINDOW: u32 = 8;
/// Sums over the frames of a clip.
#[derive(Default)]
pub(super) struct Sums {
    square: Mean,
    alike: Mean,
}

impl Sums {
    /// Adds a picture and the right one, where `face` says.
    pub(super) fn add(&mut self, a: &Picture, b: &Picture, face: &[bool]) {
        let width = b.width();
        let is_face = |x: u32, y: u32| face[(y * width + x) as usize];
        for y in 0..b.height() {
            for x in (0..width).filter(|&x| is_face(x, y)) {
                self.square.add(Some(square(a, b, x, y)));
            }
        }
        for y in (0..b.height() - WINDOW).step_by(WINDOW as usize) {
            for x in (0..width - WINDOW).step_by(WINDOW as usize) {
                let last = WINDOW - 1;
                let corners = [(x, y), (x + last, y), (x, y + last), (x + last, y + last)];
                if corners.into_iter().all(|(x, y)| is_face(x, y)) {
                    self.alike.add(Some(similarity(a, b, x, y)));
                }
            }
        }
    }

    pub(super) fn likeness(&self) -> Likeness {
        Likeness {
            psnr_db: self.square.get().map_or(0.0, psnr),
            ssim: self.alike.get().unwrap_or(0.0),
        }
    }
}

/// Mean square difference of a pixel's three values.
pub(super) fn square(a: &Picture, b: &Picture, x: u32, y: u32) -> f64 {
    let pairs = a.get(x, y).into_iter().zip(b.get(x, y));
    pairs
        .map(|(a, b)| (f64::from(a) - f64::from(b)).powi(2))
        .sum::<f64>()
        / 3.0
}

pub(super) fn psnr(square: f64) -> f64 {
    10.0 * (255.0_f64.powi(2) / square.max(1e-3)).log10()
}

/// Structural similarity of one window (Wang et al., "Image quality assessment", TIP 2004).
fn similarity(a: &Picture, b: &Picture, x: u32, y: u32) -> f64 {
    let places = (0..WINDOW).flat_map(|j| (0..WINDOW).map(move |i| (x + i, y + j)));
    let (mut a1, mut b1, mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (x, y) in places {
        let (p, q) = (f64::from(luma(a.get(x, y))), f64::from(luma(b.get(x, y))));
        a1 += p;
        b1 += q;
        aa += p * p;
        bb += q * q;
        ab += p * q;
    }
    let n = f64::from(WINDOW * WINDOW);
    let (ma, mb) = (a1 / n, b1 / n);
    let (va, vb, cov) = (aa / n - ma * ma, bb / n - mb * mb, ab / n - ma * mb);
    let (c1, c2) = ((0.01 * 255.0_f64).powi(2), (0.03 * 255.0_f64).powi(2));
    ((2.0 * ma * mb + c1) * (2.0 * cov + c2)) / ((ma * ma + mb * mb + c1) * (va + vb + c2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(shift: u8) -> Picture {
        let value = |i: u32| ((i * 7 % 200) as u8).wrapping_add(shift);
        Picture::new(8, 8, (0..64).flat_map(|i| [value(i); 3]).collect())
    }

    #[test]
    fn a_window_is_like_itself_and_less_like_its_reverse() {
        let same = similarity(&ramp(0), &ramp(0), 0, 0);
        let turned = similarity(&ramp(0), &ramp(0).turned(2), 0, 0);
        assert!((same - 1.0).abs() < 1e-9 && turned < 0.9, "{same} {turned}");
    }

    #[test]
    fn ten_levels_off_are_28_decibels() {
        let gap = square(&ramp(0), &ramp(10), 1, 1);
        assert!((psnr(gap) - 28.13).abs() < 0.01, "{}", psnr(gap));
    }

    #[test]
    fn only_the_face_counts() {
        let (black, mut half) = (
            Picture::filled(32, 32, [0; 3]),
            Picture::filled(32, 32, [0; 3]),
        );
        half.pixels_mut()[32 * 16 * 3..].fill(200);
        let upper: Vec<bool> = (0..1024).map(|i| i < 512).collect();
        let likeness = |face: &[bool]| {
            let mut sums = Sums::default();
            sums.add(&half, &black, face);
            sums.likeness()
        };
        assert!((likeness(&upper).ssim - 1.0).abs() < 1e-9);
        // One row of windows in three lies below.
        assert!(likeness(&vec![true; 1024]).ssim < 0.7);
    }
}
