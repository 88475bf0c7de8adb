//! How much of each crop pixel is replaced: inside the outline, inside the drawn mask, and where
//! nothing occludes the face; faded out once, towards all of these edges.

use effigy_frame::Plane;

use crate::outline::Outline;

/// Width of the fade as a share of the crop's side.
const FADE: f32 = 0.045;
/// How far the drawn face is carried on beyond its own mask, as a share of the crop's side.
const BEYOND: f32 = 0.06;

/// Gives the mask of a crop: 1 replaced, 0 kept, and never more than nothing outside the outline.
///
/// `occluded` is the share of each pixel that something is in front of.
pub(crate) fn crop_mask(outline: &Outline, drawn: &Plane, occluded: Option<&Plane>) -> Plane {
    let side = drawn.width();
    let reach = |share: f32| (share * side as f32).round().max(1.0) as usize;
    // The network is unsure at the rim of its mask, which therefore ends too early.
    let drawn = grown(drawn, reach(BEYOND));
    let inside = outline.wide.values().iter().zip(drawn.values());
    let both = inside.map(|(outline, drawn)| outline.min(*drawn)).collect();
    let both = Plane::new(side, side, both);
    let fade = reach(FADE);
    let blurred = blur(&blur(&both, fade), fade / 2);
    // On a straight edge the blurred mask is one half: everything below lies outside.
    let mut faded = both;
    for (value, &blurred) in faded.values_mut().iter_mut().zip(blurred.values()) {
        let inner = (2.0 * blurred - 1.0).clamp(0.0, 1.0);
        let soft = inner * inner * (3.0 - 2.0 * inner);
        *value = if 0.0 < *value { soft } else { 0.0 };
    }
    if let Some(occluded) = occluded {
        for (value, occluded) in faded.values_mut().iter_mut().zip(occluded.values()) {
            *value *= 1.0 - occluded;
        }
    }
    faded
}

/// The largest value within `reach` pixels along both axes.
pub(crate) fn grown(plane: &Plane, reach: usize) -> Plane {
    transposed(&grown_rows(&transposed(&grown_rows(plane, reach)), reach))
}

fn grown_rows(plane: &Plane, reach: usize) -> Plane {
    let width = plane.width();
    let mut values = Vec::with_capacity(plane.values().len());
    for row in plane.values().chunks_exact(width) {
        values.extend((0..width).map(|x| {
            let window = &row[x.saturating_sub(reach)..(x + reach + 1).min(width)];
            window.iter().copied().fold(0.0, f32::max)
        }));
    }
    Plane::new(width, plane.height(), values)
}

/// Averages over squares of `2·reach + 1` pixels; what lies outside counts as 0.
pub(crate) fn blur(plane: &Plane, reach: usize) -> Plane {
    blur_columns(&blur_rows(plane, reach), reach)
}

fn blur_columns(plane: &Plane, reach: usize) -> Plane {
    let (width, height) = (plane.width(), plane.height());
    let scale = 1.0 / (2 * reach + 1) as f32;
    let row = |y: usize| &plane.values()[y * width..(y + 1) * width];
    let mut sums = vec![0.0_f32; width];
    let add = |sums: &mut [f32], y: usize, sign: f32| {
        let pairs = sums.iter_mut().zip(row(y));
        pairs.for_each(|(sum, value)| *sum += sign * value);
    };
    (0..reach.min(height)).for_each(|y| add(&mut sums, y, 1.0));
    let mut values = Vec::with_capacity(width * height);
    for y in 0..height {
        if y + reach < height {
            add(&mut sums, y + reach, 1.0);
        }
        if reach < y {
            add(&mut sums, y - reach - 1, -1.0);
        }
        values.extend(sums.iter().map(|sum| sum * scale));
    }
    Plane::new(width, height, values)
}

fn blur_rows(plane: &Plane, reach: usize) -> Plane {
    let width = plane.width();
    let scale = 1.0 / (2 * reach + 1) as f32;
    let mut values = Vec::with_capacity(plane.values().len());
    for row in plane.values().chunks_exact(width) {
        let mut sum: f32 = row.iter().take(reach).sum();
        for x in 0..width {
            sum += row.get(x + reach).copied().unwrap_or(0.0);
            if reach < x {
                sum -= row[x - reach - 1];
            }
            values.push(sum * scale);
        }
    }
    Plane::new(width, plane.height(), values)
}

fn transposed(plane: &Plane) -> Plane {
    let (width, height) = (plane.width(), plane.height());
    let values = (0..width * height)
        .map(|i| plane.get(i / height, i % height))
        .collect();
    Plane::new(height, width, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(low: usize, high: usize) -> Outline {
        let mut mesh = Plane::filled(96, 96, 0.0);
        for (i, value) in mesh.values_mut().iter_mut().enumerate() {
            let is_inside = |at: usize| (low..high).contains(&at);
            *value = f32::from(u8::from(is_inside(i % 96) && is_inside(i / 96)));
        }
        Outline {
            wide: mesh.clone(),
            mesh,
            forehead_ends: vec![0.0; 96],
            temples: Default::default(),
            around_eyes: Plane::filled(96, 96, 0.0),
            cheeks: Default::default(),
        }
    }

    #[test]
    fn mask_is_full_inside_and_fades_to_nothing_at_the_outline() {
        let mask = crop_mask(&square(10, 86), &Plane::filled(96, 96, 1.0), None);
        assert!((mask.get(48, 48) - 1.0).abs() < 1e-4);
        assert!(mask.get(9, 48) <= 0.0 && mask.get(10, 48) < 0.1);
        assert!(mask.get(11, 48) < mask.get(14, 48));
    }

    #[test]
    fn drawn_mask_and_what_stands_before_hold_it_back() {
        let mut drawn = Plane::filled(96, 96, 1.0);
        drawn.values_mut()[..96 * 48].fill(0.0);
        let mut occluded = Plane::filled(96, 96, 0.0);
        occluded.values_mut()[96 * 70..].fill(1.0);
        let mask = crop_mask(&square(10, 86), &drawn, Some(&occluded));
        assert!(mask.get(48, 40) <= 0.0 && mask.get(48, 71) <= 0.0);
        assert!((mask.get(48, 60) - 1.0).abs() < 1e-4);
    }

    #[test]
    fn blurring_keeps_the_sum_away_from_the_edge() {
        let mut plane = Plane::filled(20, 30, 0.0);
        plane.values_mut()[15 * 20 + 10] = 1.0;
        let blurred = blur(&plane, 3);
        let sum: f32 = blurred.values().iter().sum();
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
        assert!((blurred.get(13, 12) - 1.0 / 49.0).abs() < 1e-6);
        assert!(blurred.get(14, 15).abs() < 1e-6);
    }
}
