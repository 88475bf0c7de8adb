//! Colour: brightness, and CIE L*a*b*, in which equal distances look about equally large.

/// Luma of an R'G'B' colour by BT.601, `0..=255`.
pub fn luma([r, g, b]: [u8; 3]) -> f32 {
    0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)
}

/// Turns sRGB into CIE L*a*b* (D65): L in `0..=100`, a and b about `-128..=127`.
pub fn lab_from_rgb(rgb: [u8; 3]) -> [f32; 3] {
    lab_from_rgb_f32(rgb.map(|v| f32::from(v) / 255.0))
}

/// Turns sRGB scaled to `0..=1` into CIE L*a*b* (D65).
pub fn lab_from_rgb_f32(rgb: [f32; 3]) -> [f32; 3] {
    let [r, g, b] = rgb.map(linear_from_srgb);
    let x = (0.412_456 * r + 0.357_576 * g + 0.180_438 * b) / WHITE[0];
    let y = 0.212_673 * r + 0.715_152 * g + 0.072_175 * b;
    let z = (0.019_334 * r + 0.119_192 * g + 0.950_304 * b) / WHITE[2];
    let [fx, fy, fz] = [x, y, z].map(lab_curve);
    [116.0 * fy - 16.0, 500.0 * (fx - fy), 200.0 * (fy - fz)]
}

/// D65, relative to Y = 1.
const WHITE: [f32; 3] = [0.950_47, 1.0, 1.088_83];
/// Where the cube root of CIE 15 gives way to a line.
const KNEE: f32 = 6.0 / 29.0;

fn linear_from_srgb(v: f32) -> f32 {
    if v <= 0.040_45 {
        v / 12.92
    } else {
        ((v + 0.055) / 1.055).powf(2.4)
    }
}

fn lab_curve(v: f32) -> f32 {
    if v > KNEE.powi(3) {
        v.cbrt()
    } else {
        v / (3.0 * KNEE * KNEE) + 4.0 / 29.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lab_of_red_matches_the_published_value() {
        let lab = lab_from_rgb([255, 0, 0]);
        for (got, wanted) in lab.iter().zip([53.24, 80.09, 67.20]) {
            assert!((got - wanted).abs() < 0.05, "{lab:?}");
        }
    }
}
