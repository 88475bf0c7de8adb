//! How like one clip another is, inside a face.

use std::path::Path;

use effigy_frame::Picture;
use effigy_frame::colour::luma;
use effigy_media::{Limits, VideoReader, read_picture};

use crate::error::Result;

/// How like a clip is to another, over the pixels of its face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeness {
    /// Peak signal-to-noise ratio in decibels; higher is more alike.
    pub psnr_db: f64,
    /// Structural similarity of brightness, `..=1`; 1 is the same.
    pub ssim: f64,
}

/// Frames compared: every fifth.
const EVERY: usize = 5;
/// Side of the windows of structural similarity.
const WINDOW: u32 = 8;
/// Level of the masks from which a pixel is face, and from which it is something before it.
const FACE: [u8; 2] = [140, 220];

/// Compares two clips of the same size, frame by frame, where the masks show a face. The masks are
/// squares stacked into one picture, one for each frame.
pub(super) fn measure(clip: &Path, exact: &Path, masks: &Path) -> Result<Likeness> {
    let limits = Limits::default();
    let masks = read_picture(masks, &limits)?;
    let clips = VideoReader::open(clip, &limits)?.zip(VideoReader::open(exact, &limits)?);
    let (mut error, mut n_values) = (0.0, 0.0);
    let (mut alike, mut n_windows) = (0.0, 0.0);
    for (n, (a, b)) in clips.enumerate().step_by(EVERY) {
        let (a, b) = (a?.picture, b?.picture);
        let is_face = |x: u32, y: u32| is_face(&masks, n as u32, (x, y), b.width());
        for y in 0..b.height() {
            for x in (0..b.width()).filter(|&x| is_face(x, y)) {
                for (a, b) in a.get(x, y).into_iter().zip(b.get(x, y)) {
                    error += (f64::from(a) - f64::from(b)).powi(2);
                    n_values += 1.0;
                }
            }
        }
        for y in (0..b.height() - WINDOW).step_by(WINDOW as usize) {
            for x in (0..b.width() - WINDOW).step_by(WINDOW as usize) {
                let last = WINDOW - 1;
                let corners = [(x, y), (x + last, y), (x, y + last), (x + last, y + last)];
                if corners.into_iter().all(|(x, y)| is_face(x, y)) {
                    alike += similarity(&a, &b, (x, y));
                    n_windows += 1.0;
                }
            }
        }
    }
    Ok(Likeness {
        psnr_db: 10.0
            * (255.0_f64.powi(2) * f64::max(n_values, 1.0) / f64::max(error, 1.0)).log10(),
        ssim: alike / f64::max(n_windows, 1.0),
    })
}

fn is_face(masks: &Picture, n: u32, (x, y): (u32, u32), side: u32) -> bool {
    let mask_side = masks.width();
    let (x, y) = (x * mask_side / side, y * mask_side / side + n * mask_side);
    y < masks.height() && (FACE[0]..FACE[1]).contains(&masks.get(x, y)[0])
}

/// Structural similarity of one window (Wang et al., "Image quality assessment", TIP 2004).
fn similarity(a: &Picture, b: &Picture, (x, y): (u32, u32)) -> f64 {
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
        let same = similarity(&ramp(0), &ramp(0), (0, 0));
        let turned = similarity(&ramp(0), &ramp(0).turned(2), (0, 0));
        assert!((same - 1.0).abs() < 1e-9 && turned < 0.9, "{same} {turned}");
    }

    #[test]
    fn masks_are_read_frame_by_frame() {
        let mut masks = Picture::filled(4, 8, [0; 3]);
        masks.set(1, 5, [170; 3]);
        assert!(is_face(&masks, 1, (3, 3), 8));
        assert!(!is_face(&masks, 0, (3, 3), 8));
        assert!(!is_face(&masks, 9, (3, 3), 8));
    }
}
