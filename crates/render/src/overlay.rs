//! One drawn face into one frame.

use effigy_frame::{Picture, Plane, Point2, Rect, Similarity, resample};
use effigy_model::face_model::Drawn;

use crate::blend::{Grid, blended};
use crate::colour::{self, Shift};
use crate::detail;
use crate::mask::crop_mask;
use crate::sample::{colour_at, fitted, mask_at};

/// Where a face is in its frame.
#[derive(Clone, Debug)]
pub struct Place {
    /// The view that the drawn crop belongs to.
    pub frame_from_crop: Similarity,
    /// The mesh in pixels of the frame.
    pub points: Vec<Point2>,
    /// How much of the drawn face is seen, `0..=1`: less where it can't be trusted.
    pub opacity: f32,
}

/// What must not change suddenly from frame to frame.
#[derive(Clone, Debug, Default)]
pub struct Steady {
    shift: Option<Shift>,
    detail_gain: Option<f32>,
    last_secs: f64,
}

/// What an overlay did.
#[derive(Clone, Debug)]
pub struct Laid {
    /// The box that was computed, in pixels of the frame.
    pub rect: Rect,
    /// How much of each pixel of the box was replaced; everything outside is untouched.
    pub mask: Plane,
}

/// From this share of the mask on, bands are added in full; below, they fade with it.
const FULL_FROM: f32 = 0.2;

/// Lays `drawn` over the face at `place`.
///
/// Pixels where the mask is 0 are not touched. Gives `None`, and changes nothing, when no pixel of
/// the frame is under the mask.
///
/// # Panics
/// If the drawn picture and its mask differ in size.
pub fn overlay(
    frame: &mut Picture,
    place: &Place,
    drawn: &Drawn,
    time_secs: f64,
    steady: &mut Steady,
) -> Option<Laid> {
    assert_eq!(
        drawn.picture.width() as usize,
        drawn.mask.width(),
        "picture and mask differ"
    );
    let crop_from_frame = place.frame_from_crop.inverse()?;
    let points: Vec<Point2> = place
        .points
        .iter()
        .map(|&p| crop_from_frame.apply(p))
        .collect();
    let mask = crop_mask(&points, &drawn.mask, place.opacity);
    let mut picture = drawn.picture.clone();
    let seen = resample::crop(frame, place.frame_from_crop, picture.width());
    steady.suit(&mut picture, &seen, &mask, time_secs);
    let (picture, mask, crop_from_frame) = fitted(picture, mask, crop_from_frame);
    let rect = touched(frame, place)?;
    let weights = weights_in(&mask, crop_from_frame, rect);
    let difference = difference(frame, &picture, crop_from_frame, rect);
    let grain = Grain {
        spread: GRAIN_SHARE * rect.grain_of(frame),
        seed: time_secs.to_bits(),
    };
    add(
        frame,
        rect,
        &blended(difference, &weights),
        &weights,
        &grain,
    );
    let values = weights.values.iter().map(|[value]| *value).collect();
    Some(Laid {
        rect: rect.as_rect(),
        mask: Plane::new(rect.width, rect.height, values),
    })
}

/// How much of the footage's grain is given to the drawn face, which has a little of its own.
const GRAIN_SHARE: f32 = 0.8;
/// How slowly sharpness follows, in seconds.
const DETAIL_MEMORY_SECS: f32 = 1.0;

impl Steady {
    /// Gives `picture` the colours and the sharpness of `seen`, as they are over time.
    fn suit(&mut self, picture: &mut Picture, seen: &Picture, mask: &Plane, time_secs: f64) {
        let secs = (time_secs - self.last_secs).max(0.0) as f32;
        self.last_secs = time_secs;
        if let Some(measured) = colour::measure(picture, seen, mask) {
            let shift = self.shift.get_or_insert(measured);
            shift.follow(&measured, secs);
            shift.apply(picture);
        }
        if let Some(measured) = detail::measure(picture, seen, mask) {
            let gain = self.detail_gain.get_or_insert(measured);
            *gain += (1.0 - (-secs / DETAIL_MEMORY_SECS).exp()) * (measured - *gain);
            detail::scale(picture, *gain);
        }
    }
}

/// What is added to the drawn face so that it is not cleaner than the footage.
struct Grain {
    spread: f32,
    seed: u64,
}

/// A box of whole pixels.
#[derive(Clone, Copy)]
struct Pixels {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

impl Pixels {
    fn as_rect(self) -> Rect {
        let [x, y, width, height] = [self.x, self.y, self.width, self.height].map(|v| v as f32);
        Rect {
            x,
            y,
            width,
            height,
        }
    }

    fn grain_of(self, frame: &Picture) -> f32 {
        detail::grain(frame, [self.x, self.y, self.width, self.height])
    }

    /// The centres of all pixels, in pixels of the frame, row by row.
    fn centres(self) -> impl Iterator<Item = Point2> {
        (0..self.width * self.height).map(move |i| {
            let (x, y) = (self.x + i % self.width, self.y + i / self.width);
            Point2::new(x as f32 + 0.5, y as f32 + 0.5)
        })
    }
}

/// The part of the frame that the mesh covers.
fn touched(frame: &Picture, place: &Place) -> Option<Pixels> {
    let rect = Rect::around(place.points.iter().copied())?;
    let (right, lower) = (rect.x + rect.width, rect.y + rect.height);
    let within = |value: f32, end: u32| value.clamp(0.0, end as f32) as usize;
    let (x, y) = (
        within(rect.x.floor(), frame.width()),
        within(rect.y.floor(), frame.height()),
    );
    let width = within(right.ceil(), frame.width()) - x;
    let height = within(lower.ceil(), frame.height()) - y;
    (0 < width && 0 < height).then_some(Pixels {
        x,
        y,
        width,
        height,
    })
}

fn weights_in(mask: &Plane, crop_from_frame: Similarity, rect: Pixels) -> Grid<1> {
    let weight = |centre: Point2| [mask_at(mask, crop_from_frame.apply(centre))];
    let values = rect.centres().map(weight).collect();
    Grid {
        width: rect.width,
        height: rect.height,
        values,
    }
}

/// Drawn minus seen, over the box.
fn difference(
    frame: &Picture,
    drawn: &Picture,
    crop_from_frame: Similarity,
    rect: Pixels,
) -> Grid<3> {
    let values = rect.centres().map(|centre| {
        let seen = frame.get(centre.x as u32, centre.y as u32);
        let new = colour_at(drawn, crop_from_frame.apply(centre));
        std::array::from_fn(|c| new[c] - f32::from(seen[c]))
    });
    Grid {
        width: rect.width,
        height: rect.height,
        values: values.collect(),
    }
}

/// Adds what was blended where the mask is above 0.
fn add(frame: &mut Picture, rect: Pixels, change: &Grid<3>, weights: &Grid<1>, grain: &Grain) {
    let row_bytes = frame.width() as usize * 3;
    for y in 0..rect.height {
        let first = (rect.y + y) * row_bytes + rect.x * 3;
        let row = &mut frame.pixels_mut()[first..first + rect.width * 3];
        let here = y * rect.width..(y + 1) * rect.width;
        let changes = change.values[here.clone()]
            .iter()
            .zip(&weights.values[here]);
        let pixels = row.chunks_exact_mut(3).zip(changes);
        for (x, (pixel, (change, [weight]))) in pixels.enumerate() {
            let share = (weight / FULL_FROM).min(1.0);
            if share <= 0.0 {
                continue;
            }
            let speck = weight * grain.spread * detail::speck(x, y, grain.seed);
            for (value, change) in pixel.iter_mut().zip(change) {
                let new = f32::from(*value) + share * change + speck;
                *value = new.round().clamp(0.0, 255.0) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: u32 = 96;

    fn noise_frame() -> Picture {
        let pixels = (0..320 * 240 * 3_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8);
        Picture::new(320, 240, pixels.collect())
    }

    fn ring(middle: Point2, radius: f32) -> Vec<Point2> {
        let point = |i: usize| {
            let (sin, cos) = (i as f32 * 0.131).sin_cos();
            Point2::new(middle.x + radius * cos, middle.y + radius * sin)
        };
        (0..48).map(point).collect()
    }

    fn place(middle: Point2) -> Place {
        let crop_middle = Point2::new(48.0, 48.0);
        Place {
            frame_from_crop: Similarity::about(crop_middle, middle, 1.5, 0.2),
            points: ring(middle, 54.0),
            opacity: 1.0,
        }
    }

    fn drawn(rgb: [u8; 3]) -> Drawn {
        let mut picture = Picture::filled(SIDE, SIDE, rgb);
        for (i, value) in picture.pixels_mut().iter_mut().enumerate() {
            *value = value.wrapping_add((i % 13) as u8);
        }
        Drawn {
            picture,
            mask: Plane::filled(SIDE as usize, SIDE as usize, 1.0),
        }
    }

    #[test]
    fn pixels_outside_the_mask_are_untouched_to_the_bit() {
        let (before, mut frame) = (noise_frame(), noise_frame());
        let place = place(Point2::new(150.0, 120.0));
        let laid = overlay(
            &mut frame,
            &place,
            &drawn([200, 120, 90]),
            0.0,
            &mut Steady::default(),
        );
        let laid = laid.unwrap();
        let (x0, y0) = (laid.rect.x as u32, laid.rect.y as u32);
        let mut n_changed = 0;
        for y in 0..240 {
            for x in 0..320 {
                let inside = x0 <= x && y0 <= y;
                let (mx, my) = (x.wrapping_sub(x0) as usize, y.wrapping_sub(y0) as usize);
                let inside = inside && mx < laid.mask.width() && my < laid.mask.height();
                let is_masked = inside && 0.0 < laid.mask.get(mx, my);
                if frame.get(x, y) != before.get(x, y) {
                    assert!(is_masked, "({x}, {y})");
                    n_changed += 1;
                }
            }
        }
        assert!(4000 < n_changed, "{n_changed}"); // the disc has 9000 pixels
    }

    #[test]
    fn face_laid_over_itself_changes_little() {
        let smooth = (0..320 * 240_u32).flat_map(|i| [(i % 320 / 2) as u8, (i / 320) as u8, 120]);
        let before = Picture::new(320, 240, smooth.collect());
        let place = place(Point2::new(150.0, 120.0));
        let picture = resample::crop(&before, place.frame_from_crop, SIDE);
        let mask = Plane::filled(SIDE as usize, SIDE as usize, 1.0);
        let mut frame = before.clone();
        overlay(
            &mut frame,
            &place,
            &Drawn { picture, mask },
            0.0,
            &mut Steady::default(),
        );
        let gaps = frame
            .pixels()
            .iter()
            .zip(before.pixels())
            .map(|(a, b)| a.abs_diff(*b));
        assert!(gaps.max().unwrap() <= 3); // two resamplings and Lab, each rounded once
    }

    #[test]
    fn face_off_the_frame_or_at_its_edge_is_no_trouble() {
        let mut frame = noise_frame();
        let far = place(Point2::new(-500.0, 90.0));
        let face = drawn([10, 20, 30]);
        assert!(overlay(&mut frame, &far, &face, 0.0, &mut Steady::default()).is_none());
        assert_eq!(frame, noise_frame());
        let edge = place(Point2::new(10.0, 235.0));
        assert!(overlay(&mut frame, &edge, &face, 0.0, &mut Steady::default()).is_some());
        assert_ne!(frame, noise_frame());
    }
}
