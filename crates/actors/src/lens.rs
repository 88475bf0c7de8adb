//! Lens, sensor and film: blur by depth and movement, glow, tone, noise.

use effigy_frame::Picture;

use super::canvas::Exposure;
use super::noise::chance;
use super::space::{V3, mix3, smooth, v3};

/// How the camera is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lens {
    /// 1 / depth in focus.
    pub(crate) focus: f32,
    /// Blur in pixels for each part by which depth differs from focus.
    pub(crate) blur: f32,
    pub(crate) exposure: f32,
    /// White balance.
    pub(crate) balance: V3,
    /// Strength of the sensor's noise, 1 is a good camera indoors.
    pub(crate) noise: f32,
}

/// Makes the picture that the camera records. `moved` gives the movement of a pixel while the
/// shutter is open; `frame_seed` the noise.
pub(crate) fn develop(
    exposure: &Exposure,
    lens: &Lens,
    moved: &[[f32; 2]],
    frame_seed: u32,
) -> Picture {
    let side = exposure.side;
    // As light passes: the lens blurs by depth, the shutter smears by movement.
    let blurred = move_blur(&depth_blur(exposure, lens), moved, side);
    // What glass scatters, wide and weak; two boxes are near enough to a bell.
    let glow = box_blur(&box_blur(&blurred, side, 7), side, 5);
    let mut pixels = Vec::with_capacity(3 * side * side);
    let grain = grain(side, frame_seed);
    for (i, (&light, &halo)) in blurred.iter().zip(&glow).enumerate() {
        let (x, y) = (
            (i % side) as f32 / side as f32 - 0.5,
            (i / side) as f32 / side as f32 - 0.5,
        );
        // Light falls off towards the corners with the square of the distance.
        let vignette = 1.0 - 0.42 * (x * x + y * y);
        let light = mix3(light, halo, 0.055).tint(lens.balance) * (lens.exposure * vignette);
        let noisy = light.to_array().into_iter().zip(grain[i]).map(|(c, g)| {
            // Noise of reading the sensor, and of counting photons, which grows with the root.
            let sigma = (0.000_008 + 0.000_16 * c.max(0.0)).sqrt() * lens.noise;
            (c + sigma * g).max(0.0)
        });
        pixels.extend(noisy.map(|c| (255.0 * film(c) + 0.5).clamp(0.0, 255.0) as u8));
    }
    Picture::new(side as u32, side as u32, pixels)
}

/// Tone of film (Narkowicz's fit of ACES), then the sRGB curve.
fn film(x: f32) -> f32 {
    let x = 0.72 * x;
    let y = (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14);
    let y = y.clamp(0.0, 1.0);
    if y <= 0.003_130_8 {
        12.92 * y
    } else {
        1.055 * y.powf(1.0 / 2.4) - 0.055
    }
}

/// Noise of the sensor after its colour filter: a little smeared, a little coloured.
fn grain(side: usize, seed: u32) -> Vec<[f32; 3]> {
    let n = side * side;
    let raw: Vec<[f32; 4]> = (0..n as u32)
        .map(|i| {
            // The sum of three uniform numbers is near enough to normal.
            let bell = |k: u32| {
                let c = |j| chance(4 * i + k, seed.wrapping_mul(31).wrapping_add(j));
                (c(1) + c(2) + c(3) - 1.5) * 2.0
            };
            [bell(0), bell(1), bell(2), bell(3)]
        })
        .collect();
    (0..n)
        .map(|i| {
            // The colour filter's gaps are filled from neighbours, which makes their noise alike.
            let (x, y) = (i % side, i / side);
            let right = y * side + (x + 1).min(side - 1);
            let below = (y + 1).min(side - 1) * side + x;
            let smear = |k: usize| 0.62 * raw[i][k] + 0.42 * raw[right][k] + 0.42 * raw[below][k];
            let grey = smear(3);
            [0, 1, 2].map(|k| 0.8 * grey + [0.55, 0.35, 0.7][k] * smear(k))
        })
        .collect()
}

/// Blurs what lies out of focus, and everything by the little that a lens does.
fn depth_blur(exposure: &Exposure, lens: &Lens) -> Vec<V3> {
    let side = exposure.side as i32;
    let mut out = Vec::with_capacity(exposure.colour.len());
    for y in 0..side {
        for x in 0..side {
            let at = |x: i32, y: i32| (y.clamp(0, side - 1) * side + x.clamp(0, side - 1)) as usize;
            let i = at(x, y);
            let radius = if exposure.person[i] > 0.5 {
                // Depth as its inverse: the circle of confusion is linear in that.
                let near = exposure.near[i] / exposure.person[i];
                0.42 + lens.blur * (near / lens.focus - 1.0).abs()
            } else {
                0.8
            };
            let radius = radius.min(2.4);
            let reach = radius.ceil() as i32;
            let (mut sum, mut all) = (V3::ZERO, 0.0);
            for dy in -reach..=reach {
                for dx in -reach..=reach {
                    let far = ((dx * dx + dy * dy) as f32).sqrt();
                    let w = smooth(radius + 0.75, radius - 0.25, far);
                    if w > 0.0 {
                        sum += exposure.colour[at(x + dx, y + dy)] * w;
                        all += w;
                    }
                }
            }
            out.push(sum * (1.0 / all));
        }
    }
    out
}

/// Smears each pixel along its own movement.
fn move_blur(colour: &[V3], moved: &[[f32; 2]], side: usize) -> Vec<V3> {
    let last = side as f32 - 1.001;
    let sample = |x: f32, y: f32| {
        let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
        let (i, j) = (x as usize, y as usize);
        let (fx, fy) = (x - i as f32, y - j as f32);
        let row = |j: usize| mix3(colour[j * side + i], colour[j * side + i + 1], fx);
        mix3(row(j), row(j + 1), fy)
    };
    let smear = |(i, &[dx, dy]): (usize, &[f32; 2])| {
        if dx.hypot(dy) < 0.35 {
            return colour[i]; // Too little to be seen, and most pixels.
        }
        let (x, y) = ((i % side) as f32, (i / side) as f32);
        let mut sum = V3::ZERO;
        for k in 0..7 {
            let t = (k as f32 - 3.0) / 7.0;
            sum += sample(x + dx * t, y + dy * t);
        }
        sum * (1.0 / 7.0)
    };
    moved.iter().enumerate().map(smear).collect()
}

/// Averages a square around each pixel by a running sum, along rows and then columns.
fn box_blur(colour: &[V3], side: usize, radius: usize) -> Vec<V3> {
    let along = |from: &[V3], step: usize, line: usize| {
        let mut out = vec![V3::ZERO; from.len()];
        for l in 0..side {
            let at = |i: usize| l * line + i.min(side - 1) * step;
            let mut sum = (0..=radius).fold(from[at(0)] * radius as f32, |s, i| s + from[at(i)]);
            for i in 0..side {
                out[at(i)] = sum * (1.0 / (2 * radius + 1) as f32);
                sum += from[at(i + radius + 1)] - from[at(i.saturating_sub(radius))];
            }
        }
        out
    };
    along(&along(colour, 1, side), side, 1)
}

/// No colour is changed.
pub(crate) const NEUTRAL: V3 = v3(1.0, 1.0, 1.0);
