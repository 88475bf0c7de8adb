//! Background that an uncertain drawing lets into the mask of a drawn face.

use effigy_frame::Plane;
use effigy_model::face_model::Drawn;

use super::{INSIDE, cheek_luma};
use crate::cells::{cells_of, cells_of_plane, enlarged, neighbours, spread};
use crate::outline::Outline;

/// What is drawn brighter than this beside the face is background, as a share of the cheeks.
const BACKGROUND: f32 = 1.15;

/// The drawn mask without the background that an uncertain drawing lets in: what is much brighter
/// than the cheeks and connected to the mask's rim.
pub(crate) fn without_background(drawn: &Drawn, outline: &Outline) -> Plane {
    let colours = cells_of(&drawn.picture);
    let mask = cells_of_plane(&drawn.mask);
    let brightest = BACKGROUND * cheek_luma(&colours, outline);
    let is_bright = |i: usize| INSIDE < mask[i] && brightest < colours[i][0];
    let is_rim = |i: usize| neighbours(i).count() < 4 || neighbours(i).any(|i| mask[i] < INSIDE);
    let first = (0..mask.len()).filter(|&i| is_bright(i) && is_rim(i));
    let bright = spread(first.collect(), is_bright);
    // Two cells more: between background and face lies a blur of both.
    let within_one = |i: usize| bright[i] || neighbours(i).any(|j| bright[j]);
    let within_two = |i: usize| within_one(i) || neighbours(i).any(within_one);
    let level: Vec<f32> = (0..mask.len())
        .map(|i| f32::from(u8::from(within_two(i))))
        .collect();
    let mut face = drawn.mask.clone();
    if bright.contains(&true) {
        let background = enlarged(&level, face.width());
        for (value, background) in face.values_mut().iter_mut().zip(background.values()) {
            *value *= 1.0 - background;
        }
    }
    face
}
