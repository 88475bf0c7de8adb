//! What pixels show: changes outside the mask, the seam, and flicker.

use effigy_face::align::aligned_view;
use effigy_frame::colour::{lab_from_rgb, luma};
use effigy_frame::{Picture, resample};
use effigy_render::Change;

use super::{Mean, Replaced};

/// Side of the stills that flicker is measured on, and what they cover.
const STILL_SIDE: u32 = 48;
const STILL_EXTENT: f32 = 1.9;
/// Mask values that count as the rim.
const RIM: f32 = 0.25;

/// Change from frame to frame in each face, before and after.
#[derive(Default)]
pub(super) struct Stills {
    last: Vec<Still>,
    target_change: Mean,
    result_change: Mean,
}

/// A face at a moment, small and grey.
struct Still {
    track: u32,
    target: Vec<f32>,
    result: Vec<f32>,
}

impl Stills {
    pub(super) fn take(&mut self, target: &Picture, result: &Picture, face: &Replaced<'_>) {
        let Some(view) = aligned_view(face.points, STILL_SIDE, STILL_EXTENT) else {
            return;
        };
        let still = |picture| grey(&resample::crop(picture, view, STILL_SIDE));
        let now = Still {
            track: face.track,
            target: still(target),
            result: still(result),
        };
        if let Some(before) = self.last.iter_mut().find(|last| last.track == face.track) {
            let changes = [
                change(&before.target, &now.target),
                change(&before.result, &now.result),
            ];
            self.target_change.add(Some(changes[0]));
            self.result_change.add(Some(changes[1]));
            *before = now;
        } else {
            self.last.push(now);
        }
    }

    /// Change in the result over change in the target.
    pub(super) fn ratio(&self) -> Option<f64> {
        let (result, target) = (self.result_change.get()?, self.target_change.get()?);
        Some(result / target.max(1e-3))
    }
}

/// Pixels that differ though no mask covers them.
pub(super) fn changed_outside(
    target: &Picture,
    result: &Picture,
    replaced: &[Replaced<'_>],
) -> u64 {
    let row_bytes = target.width() as usize * 3;
    let rows = target
        .pixels()
        .chunks_exact(row_bytes)
        .zip(result.pixels().chunks_exact(row_bytes));
    let changed = rows
        .enumerate()
        .filter(|(_, (before, after))| before != after);
    let n_changed = changed.map(|(y, (before, after))| {
        let pixels = before.chunks_exact(3).zip(after.chunks_exact(3));
        let changed = pixels
            .enumerate()
            .filter(|(_, (before, after))| before != after);
        let is_outside = |x: usize| {
            let mut faces = replaced.iter();
            !faces.any(|face| 0.0 < mask_at(&face.change, x, y))
        };
        changed.filter(|(x, _)| is_outside(*x)).count() as u64
    });
    n_changed.sum()
}

fn mask_at(change: &Change, x: usize, y: usize) -> f32 {
    let (left, top) = (change.rect.x as usize, change.rect.y as usize);
    let inside =
        left <= x && top <= y && x - left < change.mask.width() && y - top < change.mask.height();
    if inside {
        change.mask.get(x - left, y - top)
    } else {
        0.0
    }
}

/// Mean colour difference between target and result where the mask begins.
pub(super) fn seam(target: &Picture, result: &Picture, change: &Change) -> Option<f64> {
    let (left, top) = (change.rect.x as u32, change.rect.y as u32);
    let mut mean = Mean::default();
    // Every third pixel is enough for a mean.
    for (i, &value) in change.mask.values().iter().enumerate().step_by(3) {
        if 0.0 < value && value <= RIM {
            let (x, y) = (
                (i % change.mask.width()) as u32,
                (i / change.mask.width()) as u32,
            );
            let lab = |picture: &Picture| lab_from_rgb(picture.get(left + x, top + y));
            let (before, after) = (lab(target), lab(result));
            let square: f32 = before
                .iter()
                .zip(&after)
                .map(|(a, b)| (a - b) * (a - b))
                .sum();
            mean.add(Some(f64::from(square.sqrt())));
        }
    }
    mean.get()
}

fn grey(picture: &Picture) -> Vec<f32> {
    picture
        .pixels()
        .chunks_exact(3)
        .map(|rgb| luma([rgb[0], rgb[1], rgb[2]]))
        .collect()
}

fn change(before: &[f32], after: &[f32]) -> f64 {
    let sum: f64 = before
        .iter()
        .zip(after)
        .map(|(a, b)| f64::from((a - b).abs()))
        .sum();
    sum / before.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_frame::{Plane, Point3, Rect};

    fn change() -> Change {
        let mut mask = Plane::filled(4, 4, 1.0);
        mask.values_mut()[0] = 0.0;
        mask.values_mut()[3] = 0.1;
        Change {
            rect: Rect {
                x: 2.0,
                y: 3.0,
                width: 4.0,
                height: 4.0,
            },
            mask,
            opacity: 1.0,
        }
    }

    fn replaced(points: &[Point3]) -> [Replaced<'_>; 1] {
        [Replaced {
            track: 0,
            points,
            change: change(),
        }]
    }

    #[test]
    fn stray_pixels_are_counted() {
        let target = Picture::filled(10, 10, [50; 3]);
        let mut result = target.clone();
        result.set(3, 4, [9; 3]); // under the mask
        assert_eq!(changed_outside(&target, &result, &replaced(&[])), 0);
        result.set(2, 3, [9; 3]); // in the box, but the mask is 0
        result.set(9, 9, [9; 3]);
        assert_eq!(changed_outside(&target, &result, &replaced(&[])), 2);
    }

    #[test]
    fn seam_looks_at_the_rim_alone() {
        let target = Picture::filled(10, 10, [50; 3]);
        let mut result = target.clone();
        result.set(4, 5, [255; 3]);
        assert_eq!(seam(&target, &result, &change()), Some(0.0));
        result.set(5, 3, [255; 3]);
        assert!(50.0 < seam(&target, &result, &change()).unwrap());
    }
}
