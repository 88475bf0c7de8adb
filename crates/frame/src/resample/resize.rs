//! Whole pictures at another size.

use super::blocks::{MOST_SHRINK, Region, shrunk};
use crate::picture::Picture;

/// Gives `picture` at another size. Shrinking averages the covered area.
pub fn resize(picture: &Picture, width: u32, height: u32) -> Picture {
    let (old_width, old_height) = (picture.width(), picture.height());
    if (width, height) == (old_width, old_height) {
        return picture.clone();
    }
    // Far smaller: whole blocks first, which is cheap, then what is left with care.
    let factor = (old_width / width.max(1))
        .min(old_height / height.max(1))
        .clamp(1, MOST_SHRINK);
    let blocks = (factor > 1).then(|| {
        let region = Region {
            x: 0,
            y: 0,
            width: old_width,
            height: old_height,
        };
        shrunk(picture, region, factor)
    });
    if let Some(exact) = blocks
        .as_ref()
        .filter(|_| (width * factor, height * factor) == (old_width, old_height))
    {
        return exact.clone();
    }
    let source = blocks.as_ref().unwrap_or(picture);
    let extent = |old: u32| f64::from(old) / f64::from(factor);
    let columns = spans(extent(old_width), source.width(), width);
    let rows = spans(extent(old_height), source.height(), height);
    let row_len = source.width() as usize * 3;
    let mut line = vec![0.0_f32; row_len];
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    for span in &rows {
        line.fill(0.0);
        for (offset, &weight) in span.weights.iter().enumerate() {
            let from = (span.first + offset) * row_len;
            for (sum, &value) in line.iter_mut().zip(&source.pixels()[from..from + row_len]) {
                *sum += weight * f32::from(value);
            }
        }
        squeeze(&line, &columns, &mut pixels);
    }
    Picture::new(width, height, pixels)
}

/// Appends one row, made of the columns of a finer one.
fn squeeze(line: &[f32], columns: &[Span], pixels: &mut Vec<u8>) {
    for span in columns {
        let mut sum = [0.5_f32; 3]; // rounds when the fraction is cut off
        let taps = line[span.first * 3..].chunks_exact(3);
        for (rgb, &weight) in taps.zip(&span.weights) {
            for (s, &v) in sum.iter_mut().zip(rgb) {
                *s += weight * v;
            }
        }
        pixels.extend(sum.map(|v| v as u8));
    }
}

/// Which old pixels one new pixel is made of.
struct Span {
    first: usize,
    weights: Vec<f32>,
}

/// Spreads `to` new pixels over `extent` old ones, of which `n` exist (the last may be partly
/// beyond).
fn spans(extent: f64, n: u32, to: u32) -> Vec<Span> {
    let ratio = extent / f64::from(to);
    let reach = ratio.max(1.0); // half-width of the triangle filter, in old pixels
    let make = |i: u32| {
        let centre = (f64::from(i) + 0.5) * ratio - 0.5;
        let first = (centre - reach).ceil().max(0.0) as usize;
        let last = ((centre + reach).floor() as usize).min(n as usize - 1);
        let weight = |at: usize| (1.0 - ((at as f64 - centre) / reach).abs()).max(0.0);
        let total: f64 = (first..=last).map(weight).sum();
        Span {
            first,
            weights: (first..=last)
                .map(|at| (weight(at) / total) as f32)
                .collect(),
        }
    };
    (0..to).map(make).collect()
}
