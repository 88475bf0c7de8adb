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
    let (x, y) = (fx.floor(), fy.floor());
    let (last_x, last_y) = ((mask.width() - 2) as f32, (mask.height() - 2) as f32);
    if x < 0.0 || y < 0.0 || last_x < x || last_y < y {
        return 0.0;
    }
    let (wx, wy) = (fx - x, fy - y);
    let first = y as usize * mask.width() + x as usize;
    let values = &mask.values()[first..];
    let upper = values[0] + wx * (values[1] - values[0]);
    let lower = &values[mask.width()..];
    let lower = lower[0] + wx * (lower[1] - lower[0]);
    upper + wy * (lower - upper)
}

/// The colour at a place, by cubic convolution (Keys, IEEE ASSP 1981, a = −½); the rim is repeated.
pub(crate) fn colour_at(picture: &Picture, at: Point2) -> [f32; 3] {
    let (fx, fy) = (at.x - 0.5, at.y - 0.5);
    let (x, y) = (fx.floor(), fy.floor());
    let (across, down) = (cubic(fx - x), cubic(fy - y));
    let (width, height) = (picture.width() as i32, picture.height() as i32);
    let columns: [usize; 4] =
        std::array::from_fn(|i| (x as i32 + i as i32 - 1).clamp(0, width - 1) as usize * 3);
    let mut sum = [0.0; 3];
    for (i, weight_down) in down.into_iter().enumerate() {
        let row = (y as i32 + i as i32 - 1).clamp(0, height - 1) as usize;
        let row = &picture.pixels()[row * width as usize * 3..(row + 1) * width as usize * 3];
        for (column, weight) in columns.into_iter().zip(across) {
            let weight = weight * weight_down;
            for (s, &v) in sum.iter_mut().zip(&row[column..column + 3]) {
                *s += weight * f32::from(v);
            }
        }
    }
    sum
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
        let got = colour_at(&picture, Point2::new(3.5, 2.5));
        assert_eq!(got, picture.get(3, 2).map(f32::from));
    }

    #[test]
    fn slopes_are_followed_between_pixels() {
        let pixels = (0..8 * 8).flat_map(|i| [(i % 8 * 10) as u8; 3]).collect();
        let got = colour_at(&Picture::new(8, 8, pixels), Point2::new(4.25, 4.0));
        assert!((got[0] - 37.5).abs() < 1e-4, "{got:?}");
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
