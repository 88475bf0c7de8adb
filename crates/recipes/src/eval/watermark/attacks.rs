//! What a marked picture may go through on its way.

use anyhow::Result;
use effigy_frame::{Picture, resample};
use image::codecs::jpeg::JpegEncoder;

use super::reposts::{self, cropped};

/// A changed copy of a picture.
pub(super) struct Attacked {
    pub(super) attack: String,
    pub(super) picture: Picture,
}

/// Changes a picture in every way that is measured, one at a time. `over` is what a screen shows
/// besides.
pub(super) fn attacks(marked: &Picture, over: &Picture) -> Result<Vec<Attacked>> {
    let mut attacked = vec![("none".to_owned(), marked.clone())];
    for quality in [80, 50, 30] {
        attacked.push((format!("JPEG {quality}"), jpeg(marked, quality)?));
    }
    for percent in [50, 75, 150] {
        attacked.push((format!("scale {percent} %"), scaled(marked, percent)));
    }
    // A side of 0.8944 leaves 80 % of the area.
    attacked.push((
        "crop to 80 %, off-centre".to_owned(),
        cropped(marked, (0.07, 0.02), 0.8944),
    ));
    type Tone = fn(f32) -> f32;
    let tones: [(&str, Tone); 6] = [
        ("brightness +20 %", |v| v * 1.2),
        ("brightness -20 %", |v| v * 0.8),
        ("contrast +20 %", |v| (v - 128.0) * 1.2 + 128.0),
        ("contrast -20 %", |v| (v - 128.0) * 0.8 + 128.0),
        ("gamma 1.2", |v| 255.0 * (v / 255.0).powf(1.2)),
        ("gamma 0.8", |v| 255.0 * (v / 255.0).powf(0.8)),
    ];
    for (name, tone) in tones {
        attacked.push((name.to_owned(), toned(marked, tone)));
    }
    attacked.push(("saturation -20 %".to_owned(), coloured(marked, 0.8)));
    attacked.push(("saturation +20 %".to_owned(), coloured(marked, 1.2)));
    attacked.push(("slight blur".to_owned(), blurred(marked)));
    attacked.push(("noise, 5 levels".to_owned(), noisy(marked)));
    let shot = cropped(&jpeg(&scaled(marked, 70), 70)?, (0.01, 0.02), 0.9747);
    attacked.push(("screenshot chain".to_owned(), shot));
    for (attack, repost) in reposts::OF_PICTURES {
        attacked.push((
            format!("{attack}, JPEG 70"),
            jpeg(&repost(marked, over), 70)?,
        ));
    }
    let named = attacked.into_iter();
    Ok(named
        .map(|(attack, picture)| Attacked { attack, picture })
        .collect())
}

fn jpeg(picture: &Picture, quality: u8) -> Result<Picture> {
    let mut bytes = Vec::new();
    let (width, height) = (picture.width(), picture.height());
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    encoder.encode(
        picture.pixels(),
        width,
        height,
        image::ExtendedColorType::Rgb8,
    )?;
    let decoded = image::load_from_memory(&bytes)?.to_rgb8();
    Ok(Picture::new(width, height, decoded.into_raw()))
}

fn scaled(picture: &Picture, percent: u32) -> Picture {
    let side = |length: u32| (length * percent / 100).max(1);
    resample::resize(picture, side(picture.width()), side(picture.height()))
}

fn toned(picture: &Picture, tone: fn(f32) -> f32) -> Picture {
    let pixels = picture.pixels().iter();
    let pixels = pixels.map(|&v| tone(f32::from(v)).round().clamp(0.0, 255.0) as u8);
    Picture::new(picture.width(), picture.height(), pixels.collect())
}

fn coloured(picture: &Picture, saturation: f32) -> Picture {
    let pixels = picture.pixels().chunks_exact(3).flat_map(|p| {
        let grey = effigy_frame::colour::luma([p[0], p[1], p[2]]);
        [p[0], p[1], p[2]].map(|v| (grey + saturation * (f32::from(v) - grey)).round() as u8)
    });
    Picture::new(picture.width(), picture.height(), pixels.collect())
}

/// The average of each pixel and its neighbours, weighted 1 2 1 both ways.
fn blurred(picture: &Picture) -> Picture {
    let (width, height) = (picture.width() as i64, picture.height() as i64);
    let mut pixels = Vec::with_capacity(picture.pixels().len());
    for y in 0..height {
        for x in 0..width {
            let mut sums = [8_u32; 3];
            for (dy, wy) in [(-1, 1), (0, 2), (1, 1)] {
                for (dx, wx) in [(-1, 1), (0, 2), (1, 1)] {
                    let (nx, ny) = ((x + dx).clamp(0, width - 1), (y + dy).clamp(0, height - 1));
                    let near = picture.get(nx as u32, ny as u32);
                    sums.iter_mut()
                        .zip(near)
                        .for_each(|(s, v)| *s += wx * wy * u32::from(v));
                }
            }
            pixels.extend(sums.map(|sum| (sum / 16) as u8));
        }
    }
    Picture::new(picture.width(), picture.height(), pixels)
}

fn noisy(picture: &Picture) -> Picture {
    let mut state = 1_u64;
    let pixels = picture.pixels().iter().map(|&value| {
        // The sum of three uniform numbers in ±5 has a deviation of 5.
        let noise: f32 = (0..3)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                ((state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5) * 10.0
            })
            .sum();
        (f32::from(value) + noise).round().clamp(0.0, 255.0) as u8
    });
    Picture::new(picture.width(), picture.height(), pixels.collect())
}
