//! Cuts: when one frame has nothing to do with the one before.

use effigy_frame::Picture;
use effigy_frame::colour::luma;

/// What the last frame looked like, roughly.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scene {
    last: Option<Vec<f32>>,
}

impl Scene {
    /// Looks at the next frame and tells whether the scene was cut before it.
    pub(crate) fn is_cut(&mut self, picture: &Picture) -> bool {
        let now = samples(picture);
        let cut = self.last.as_ref().is_some_and(|last| differ(last, &now));
        self.last = Some(now);
        cut
    }
}

/// Samples per row and column: pixels looked at singly, so that a frame costs microseconds.
const COLUMNS: u32 = 48;
const ROWS: u32 = 32;
/// Share of samples that must change for a cut. A person who moves fast changes a third.
const LEAST_SHARE: f32 = 0.6;
/// Levels, after taking out a change of the whole picture's brightness, that count as a change.
const LEAST_CHANGE: f32 = 24.0;

fn samples(picture: &Picture) -> Vec<f32> {
    let at = |i: u32, n: u32, side: u32| ((2 * i + 1) * side / (2 * n)).min(side - 1);
    let row = |y: u32| {
        (0..COLUMNS).map(move |x| {
            let (x, y) = (
                at(x, COLUMNS, picture.width()),
                at(y, ROWS, picture.height()),
            );
            luma(picture.get(x, y))
        })
    };
    (0..ROWS).flat_map(row).collect()
}

fn differ(last: &[f32], now: &[f32]) -> bool {
    let n = now.len() as f32;
    let flash = now.iter().zip(last).map(|(a, b)| a - b).sum::<f32>() / n;
    let changed = now
        .iter()
        .zip(last)
        .filter(|(a, b)| (*a - *b - flash).abs() > LEAST_CHANGE)
        .count();
    changed as f32 > LEAST_SHARE * n
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripes(width: u32, offset: u32) -> Picture {
        let pixels = (0..480 * 320_u32)
            .flat_map(|i| {
                let is_dark = ((i % 480 + offset) / width).is_multiple_of(2);
                [if is_dark { 40 } else { 200 }; 3]
            })
            .collect();
        Picture::new(480, 320, pixels)
    }

    #[test]
    fn another_picture_is_a_cut_and_the_same_is_not() {
        let mut scene = Scene::default();
        assert!(!scene.is_cut(&stripes(60, 0)));
        assert!(!scene.is_cut(&stripes(60, 0)));
        assert!(!scene.is_cut(&stripes(60, 8)), "a slow pan is no cut");
        assert!(
            scene.is_cut(&stripes(60, 68)),
            "light and dark changed places"
        );
    }

    #[test]
    fn a_flash_is_no_cut() {
        let mut scene = Scene::default();
        scene.is_cut(&stripes(60, 0));
        let mut bright = stripes(60, 0);
        bright.pixels_mut().iter_mut().for_each(|v| *v += 50);
        assert!(!scene.is_cut(&bright));
    }

    #[test]
    fn the_smallest_picture_is_looked_at() {
        assert!(!Scene::default().is_cut(&Picture::filled(1, 1, [0; 3])));
    }
}
