//! Changes that real footage makes to a face: light, colour, blur, noise, compression, things in
//! front of it. The training pictures are mostly calm portraits; real footage is not.

use effigy_frame::resample::resize;
use effigy_frame::{Picture, Point2, Similarity};
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use rand::Rng;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;

/// Draws a normal number by Box and Muller.
pub(crate) fn normal(random: &mut impl Rng) -> f32 {
    let (u, v): (f32, f32) = (random.random(), random.random());
    (-2.0 * (1.0 - u).max(1e-12).ln()).sqrt() * (std::f32::consts::TAU * v).cos()
}

/// How far a view may stray from the exact one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jitter {
    /// Standard deviation of the turn, in radians.
    pub(crate) turn: f32,
    /// Standard deviation of the logarithm of the scale.
    pub(crate) scale: f32,
    /// Standard deviation of the shift, in sides of the crop.
    pub(crate) shift: f32,
}

impl Jitter {
    /// As far as tracking lets a view stray.
    pub(crate) const TRACKED: Self = Self {
        turn: 0.08,
        scale: 0.06,
        shift: 0.02,
    };
}

/// Gives `frame_from_crop` strayed at random.
pub(crate) fn strayed(
    frame_from_crop: Similarity,
    side_px: u32,
    jitter: Jitter,
    random: &mut impl Rng,
) -> Similarity {
    let side = side_px as f32;
    let wild = if random.random_bool(0.1) { 2.5 } else { 1.0 };
    let middle = Point2::new(0.5 * side, 0.5 * side);
    let shift = jitter.shift * side * wild;
    let to = Point2::new(
        middle.x + shift * normal(random),
        middle.y + shift * normal(random),
    );
    let scale = (jitter.scale * normal(random)).exp();
    let turn = jitter.turn * wild * normal(random);
    frame_from_crop.of(Similarity::about(middle, to, scale, turn))
}

/// Changes light, colour, sharpness and noise of a crop at random.
pub(crate) fn spoil(picture: &mut Picture, random: &mut impl Rng) {
    if random.random_bool(0.3) {
        let strength = random.random_range(0.2..0.9);
        shade(picture, strength, random);
    }
    if random.random_bool(0.8) {
        recolour(picture, 1.0, random);
    }
    if random.random_bool(0.25) {
        to_grey(picture);
    }
    if random.random_bool(0.35) {
        let share = random.random_range(0.2..0.9);
        soften(picture, share);
    }
    if random.random_bool(0.35) {
        let strength = random.random_range(1.0..14.0);
        add_noise(picture, strength, random);
    }
    if random.random_bool(0.35) {
        compress(picture, random.random_range(15..85));
    }
}

/// Compresses as a JPEG of `quality` and reads it back.
pub(crate) fn compress(picture: &mut Picture, quality: u8) {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    let (width, height) = (picture.width(), picture.height());
    let encoded = encoder.encode(picture.pixels(), width, height, ExtendedColorType::Rgb8);
    let decoded = encoded.map(|()| JpegDecoder::new(ZCursor::new(&bytes)).decode());
    match decoded {
        Ok(Ok(pixels)) => picture.pixels_mut().copy_from_slice(&pixels),
        failed => unreachable!("our own JPEG is unreadable: {failed:?}"),
    }
}

/// Takes the colour away.
pub(crate) fn to_grey(picture: &mut Picture) {
    for rgb in picture.pixels_mut().chunks_exact_mut(3) {
        let grey = effigy_frame::colour::luma([rgb[0], rgb[1], rgb[2]]) as u8;
        rgb.fill(grey);
    }
}

/// Loses detail by shrinking to `share` of the size and enlarging again.
pub(crate) fn soften(picture: &mut Picture, share: f32) {
    let (width, height) = (picture.width(), picture.height());
    let less = |side: u32| ((side as f32 * share) as u32).max(8);
    *picture = resize(&resize(picture, less(width), less(height)), width, height);
}

/// Changes contrast, brightness and the colour of the light, by `strength` of what footage may
/// differ.
pub(crate) fn recolour(picture: &mut Picture, strength: f32, random: &mut impl Rng) {
    let gain = 1.0 + 0.25 * strength * normal(random);
    let shift = 18.0 * strength * normal(random);
    let gamma = (0.25 * strength * normal(random)).exp();
    let casts: [f32; 3] = std::array::from_fn(|_| 1.0 + 0.08 * strength * normal(random));
    let tables = casts.map(|cast| {
        let level = |v: usize| {
            let curved = 255.0 * (v as f32 / 255.0).powf(gamma);
            ((curved - 128.0) * gain + 128.0 + shift) * cast
        };
        std::array::from_fn::<u8, 256, _>(|v| level(v).clamp(0.0, 255.0) as u8)
    });
    for rgb in picture.pixels_mut().chunks_exact_mut(3) {
        for (value, table) in rgb.iter_mut().zip(&tables) {
            *value = table[usize::from(*value)];
        }
    }
}

/// Darkens towards one side, as light from the other does.
pub(crate) fn shade(picture: &mut Picture, strength: f32, random: &mut impl Rng) {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let angle = random.random_range(0.0..std::f32::consts::TAU);
    let (dx, dy) = (angle.cos() / width, angle.sin() / height);
    let columns = picture.width() as usize;
    for (i, rgb) in picture.pixels_mut().chunks_exact_mut(3).enumerate() {
        let (x, y) = (
            (i % columns) as f32 - 0.5 * width,
            (i / columns) as f32 - 0.5 * height,
        );
        let gain = 1.0 + strength * (x * dx + y * dy);
        for value in rgb {
            *value = (f32::from(*value) * gain).clamp(0.0, 255.0) as u8;
        }
    }
}

/// Adds noise of `strength` levels.
pub(crate) fn add_noise(picture: &mut Picture, strength: f32, random: &mut impl Rng) {
    for value in picture.pixels_mut() {
        // The sum of four uniform numbers is near enough to normal, and four times as fast.
        let bits: u32 = random.random();
        let sum: u32 = bits.to_le_bytes().iter().map(|&b| u32::from(b)).sum();
        let noise = (sum as f32 - 510.0) / 148.0 * strength;
        *value = (f32::from(*value) + noise).clamp(0.0, 255.0) as u8;
    }
}
