//! What a camera's sensor and its simplest program make of a scene.

use effigy_frame::Picture;
use effigy_frame::resample::resize;

/// Films `scene`: shrinks it to half, which leaves nothing of an earlier mosaic or JPEG grid, keeps
/// of each pixel the colour of its filter (Bayer's RGGB) and fills in the others by the mean of
/// their neighbours of that colour.
pub(super) fn filmed(scene: &Picture) -> [Picture; 2] {
    let scene = resize(scene, scene.width() / 2, scene.height() / 2);
    let mut filmed = scene.clone();
    for y in 1..scene.height().saturating_sub(1) {
        for x in 1..scene.width().saturating_sub(1) {
            filmed.set(x, y, std::array::from_fn(|c| filled_in(&scene, x, y, c)));
        }
    }
    [scene, filmed]
}

/// Which colour the filter before a pixel lets through.
fn filter(x: u32, y: u32) -> usize {
    match (x % 2, y % 2) {
        (0, 0) => 0,
        (1, 1) => 2,
        _ => 1,
    }
}

fn filled_in(scene: &Picture, x: u32, y: u32, colour: usize) -> u8 {
    if filter(x, y) == colour {
        return scene.get(x, y)[colour];
    }
    // Bilinear: the four beside it where they have the colour, else the corners.
    let beside = [(0, 1), (2, 1), (1, 0), (1, 2)];
    let corners = [(0, 0), (2, 0), (0, 2), (2, 2)];
    let mean = |places: [(u32, u32); 4]| {
        let places = places.map(|(u, v)| (x + u - 1, y + v - 1));
        let alike = places.into_iter().filter(|(x, y)| filter(*x, *y) == colour);
        let values: Vec<u32> = alike.map(|(x, y)| scene.get(x, y)[colour].into()).collect();
        let n = values.len() as u32;
        values.iter().sum::<u32>().checked_div(n)
    };
    let value = mean(beside).or_else(|| mean(corners)).unwrap_or(0);
    value.min(255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_colours_stay_and_others_are_filled_in() {
        let pixels = (0..32 * 32 * 3_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8);
        let [scene, filmed] = filmed(&Picture::new(32, 32, pixels.collect()));
        assert_eq!(filmed.get(4, 4)[0], scene.get(4, 4)[0]);
        assert_eq!(filmed.get(5, 4)[1], scene.get(5, 4)[1]);
        let beside = (u32::from(scene.get(4, 4)[0]) + u32::from(scene.get(6, 4)[0])) / 2;
        assert_eq!(u32::from(filmed.get(5, 4)[0]), beside);
        assert_ne!(filmed.get(4, 4)[1], scene.get(4, 4)[1]);
    }
}
