//! A drawn face, looked up between its pixels.

use effigy_frame::{Picture, Plane, Point2, Similarity, resample};

/// From this many crop pixels per frame pixel on, the crop is made smaller first.
const SHRINK_FROM: f32 = 1.3;

/// Makes `picture` and `mask` small enough that sampling them through `crop_from_frame` does not
/// alias; gives the transform that then leads there.
pub(crate) fn fitted(
    picture: Picture,
    mask: Plane,
    crop_from_frame: Similarity,
) -> (Picture, Plane, Similarity) {
    let scale = crop_from_frame.scale();
    let side = picture.width();
    let small = ((side as f32 / scale).ceil() as u32).max(8);
    if scale < SHRINK_FROM || side <= small {
        return (picture, mask, crop_from_frame);
    }
    let shrink = small as f32 / side as f32;
    let small_from_crop = Similarity {
        a: shrink,
        ..Similarity::IDENTITY
    };
    let grey = mask
        .values()
        .iter()
        .flat_map(|v| [(v * 255.0 + 0.5) as u8; 3])
        .collect();
    let grey = resample::resize(&Picture::new(side, side, grey), small, small);
    let values = grey
        .pixels()
        .chunks_exact(3)
        .map(|rgb| f32::from(rgb[0]) / 255.0)
        .collect();
    let mask = Plane::new(small as usize, small as usize, values);
    let picture = resample::resize(&picture, small, small);
    (picture, mask, small_from_crop.of(crop_from_frame))
}

/// The mask at a place, bilinear; 0 outside.
pub(crate) fn mask_at(mask: &Plane, at: Point2) -> f32 {
    let (fx, fy) = (at.x - 0.5, at.y - 0.5);
    let (x, y) = (floor(fx), floor(fy));
    let (last_x, last_y) = (mask.width() as i32 - 2, mask.height() as i32 - 2);
    if x < 0 || y < 0 || last_x < x || last_y < y {
        return 0.0;
    }
    let (wx, wy) = (fx - x as f32, fy - y as f32);
    let first = y as usize * mask.width() + x as usize;
    let values = &mask.values()[first..];
    let upper = values[0] + wx * (values[1] - values[0]);
    let lower = &values[mask.width()..];
    let lower = lower[0] + wx * (lower[1] - lower[0]);
    upper + wy * (lower - upper)
}

/// A picture whose colours can be looked up between its pixels.
#[derive(Clone, Debug)]
pub(crate) struct Sampler {
    width: usize,
    height: usize,
    /// Red, green, blue and nothing: four values move as one.
    pixels: Vec<[f32; 4]>,
}

impl Sampler {
    pub(crate) fn new(picture: &Picture) -> Self {
        let pixel = |rgb: &[u8]| [f32::from(rgb[0]), f32::from(rgb[1]), f32::from(rgb[2]), 0.0];
        Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            pixels: picture.pixels().chunks_exact(3).map(pixel).collect(),
        }
    }

    /// What `picture` is brighter than `other`, of the same size; less than 0 where it is darker.
    pub(crate) fn of_difference(picture: &Picture, other: &Picture) -> Self {
        let mut difference = Self::new(picture);
        let other = Self::new(other);
        for (value, other) in difference.pixels.iter_mut().zip(&other.pixels) {
            *value = std::array::from_fn(|c| value[c] - other[c]);
        }
        difference
    }

    /// The colour at a place, by cubic convolution (Keys, IEEE ASSP 1981, a = −½); the rim is
    /// repeated.
    pub(crate) fn colour_at(&self, at: Point2) -> [f32; 4] {
        let (fx, fy) = (at.x - 0.5, at.y - 0.5);
        let (x, y) = (floor(fx), floor(fy));
        let (across, down) = (cubic(fx - x as f32), cubic(fy - y as f32));
        let four_around = |first: i32, end: usize| -> [usize; 4] {
            std::array::from_fn(|i| (first - 1 + i as i32).clamp(0, end as i32 - 1) as usize)
        };
        let (last_x, last_y) = (self.width as i32 - 3, self.height as i32 - 3);
        if (1..=last_x).contains(&x) && (1..=last_y).contains(&y) {
            let first = (y as usize - 1) * self.width + x as usize - 1;
            let row = |k: usize| {
                let from = first + k * self.width;
                let four: [[f32; 4]; 4] = std::array::from_fn(|i| self.pixels[from..from + 4][i]);
                weighted(&four, across)
            };
            return weighted(&[row(0), row(1), row(2), row(3)], down);
        }
        let columns = four_around(x, self.width);
        let rows = four_around(y, self.height).map(|row| {
            let row = &self.pixels[row * self.width..(row + 1) * self.width];
            weighted(&columns.map(|column| row[column]), across)
        });
        weighted(&rows, down)
    }
}

fn weighted(colours: &[[f32; 4]; 4], weights: [f32; 4]) -> [f32; 4] {
    let mut sum = [0.0; 4];
    for (colour, weight) in colours.iter().zip(weights) {
        for (s, v) in sum.iter_mut().zip(colour) {
            *s += weight * v;
        }
    }
    sum
}

/// The next whole number below, without a call into the C library.
fn floor(value: f32) -> i32 {
    let whole = value as i32;
    whole - i32::from(value < whole as f32)
}

fn cubic(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        -0.5 * t3 + t2 - 0.5 * t,
        1.5 * t3 - 2.5 * t2 + 1.0,
        -1.5 * t3 + 2.0 * t2 + 0.5 * t,
        0.5 * t3 - 0.5 * t2,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_come_back_at_their_centres() {
        let pixels = (0..6 * 5 * 3).map(|i| (i * 37 % 251) as u8).collect();
        let picture = Picture::new(6, 5, pixels);
        let got = Sampler::new(&picture).colour_at(Point2::new(3.5, 2.5));
        assert_eq!(got[..3], picture.get(3, 2).map(f32::from));
    }

    #[test]
    fn slopes_are_followed_between_pixels() {
        let pixels = (0..8 * 8).flat_map(|i| [(i % 8 * 10) as u8; 3]).collect();
        let got = Sampler::new(&Picture::new(8, 8, pixels)).colour_at(Point2::new(4.25, 4.0));
        assert!((got[0] - 37.5).abs() < 1e-4, "{got:?}");
    }

    #[test]
    fn floors_are_those_of_the_library() {
        for value in [-2.5_f32, -1.0, -0.2, 0.0, 0.7, 3.0, 95.99] {
            assert_eq!(floor(value), value.floor() as i32, "{value}");
        }
    }

    #[test]
    fn mask_ends_at_its_edge() {
        let mask = Plane::filled(4, 4, 1.0);
        assert!((mask_at(&mask, Point2::new(2.0, 2.2)) - 1.0).abs() < 1e-6);
        assert!(mask_at(&mask, Point2::new(4.2, 2.0)) <= 0.0);
    }

    #[test]
    fn large_crop_is_shrunk_for_a_small_face() {
        let crop_from_frame = Similarity {
            a: 4.0,
            ..Similarity::IDENTITY
        };
        let picture = Picture::filled(96, 96, [10, 20, 30]);
        let (small, mask, way) = fitted(picture, Plane::filled(96, 96, 1.0), crop_from_frame);
        assert_eq!((small.width(), mask.width()), (24, 24));
        assert!((way.scale() - 1.0).abs() < 1e-6);
    }
}
