//! A plate and letters, drawn as coverages of pixels.

use effigy_frame::{Point2, Rect};

use crate::label::font::{GAP, glyph};

/// Space around the words, in font units.
pub(super) const PAD: f32 = 22.0;
/// Half the width of a pen stroke, in font units.
const PEN: f32 = 4.6;

/// A plate with letters being drawn; places are in font units.
pub(super) struct Canvas {
    pub(super) width: u32,
    pub(super) height: u32,
    /// How much of each pixel the plate covers, `0..=255`.
    pub(super) plate: Vec<u8>,
    /// How much of each pixel the letters cover, `0..=255`.
    pub(super) ink: Vec<u8>,
    /// Pixels to a font unit.
    scale: f32,
}

impl Canvas {
    pub(super) fn new(width: u32, height: u32, scale: f32) -> Self {
        let empty = vec![0; width as usize * height as usize];
        Self {
            width,
            height,
            plate: empty.clone(),
            ink: empty,
            scale,
        }
    }

    /// Fills a plate with rounded corners.
    pub(super) fn plate(&mut self) {
        let (width, height) = (self.width as f32, self.height as f32);
        let radius = (PAD * self.scale).min(height / 2.0).min(width / 2.0);
        for y in 0..self.height {
            for x in 0..self.width {
                let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
                // How far the pixel lies beyond the centre of the nearest rounded corner.
                let dx = (radius - px).max(px - (width - radius)).max(0.0);
                let dy = (radius - py).max(py - (height - radius)).max(0.0);
                let cover = (radius - dx.hypot(dy) + 0.5).clamp(0.0, 1.0);
                self.plate[(y * self.width + x) as usize] = (cover * 255.0) as u8;
            }
        }
    }

    /// Draws the outline of a box.
    pub(super) fn frame(&mut self, outline: Rect) {
        let Rect {
            x,
            y,
            width,
            height,
        } = outline;
        let corners = [
            Point2::new(x, y),
            Point2::new(x + width, y),
            Point2::new(x + width, y + height),
            Point2::new(x, y + height),
            Point2::new(x, y),
        ];
        for pair in corners.windows(2) {
            self.stroke(pair[0], pair[1], 1.0);
        }
    }

    /// Draws letters from the upper left corner `at` on.
    pub(super) fn text(&mut self, text: &str, at: Point2, size: f32) {
        let Point2 { mut x, y } = at;
        for letter in text.chars() {
            let glyph = glyph(letter);
            for stroke in glyph.strokes.iter().chain(glyph.accent) {
                for pair in stroke.windows(2) {
                    let place = |(px, py): (i16, i16)| {
                        Point2::new(x + f32::from(px) * size, y + f32::from(py) * size)
                    };
                    self.stroke(place(pair[0]), place(pair[1]), size);
                }
            }
            x += f32::from(glyph.width + GAP) * size;
        }
    }

    /// Draws a line with round ends: a pixel is inked by how far it lies from the line, so that the
    /// edge is smooth at any size.
    fn stroke(&mut self, from: Point2, to: Point2, size: f32) {
        let scale = self.scale;
        let (ax, ay, bx, by) = (from.x * scale, from.y * scale, to.x * scale, to.y * scale);
        let radius = (PEN * size * scale).max(0.5);
        let reach = radius + 1.0;
        let low = |a: f32, b: f32| (a.min(b) - reach).floor().max(0.0) as u32;
        let high = |a: f32, b: f32, end: u32| ((a.max(b) + reach).ceil().max(0.0) as u32).min(end);
        let (dx, dy) = (bx - ax, by - ay);
        let length2 = (dx * dx + dy * dy).max(f32::MIN_POSITIVE);
        for y in low(ay, by)..high(ay, by, self.height) {
            for x in low(ax, bx)..high(ax, bx, self.width) {
                let (px, py) = (x as f32 + 0.5 - ax, y as f32 + 0.5 - ay);
                // The nearest point of the line, held between its ends: beyond them it is round.
                let along = ((px * dx + py * dy) / length2).clamp(0.0, 1.0);
                let distance = (px - along * dx).hypot(py - along * dy);
                let cover = ((radius - distance + 0.5).clamp(0.0, 1.0) * 255.0) as u8;
                // Strokes of one letter overlap: the larger cover counts, or joints would be darker.
                let ink = &mut self.ink[(y * self.width + x) as usize];
                *ink = (*ink).max(cover);
            }
        }
    }
}

/// Width of a text in font units.
pub(super) fn text_units(text: &str) -> f32 {
    let widths: i32 = text
        .chars()
        .map(|letter| i32::from(glyph(letter).width))
        .sum();
    let gaps = i32::from(GAP) * (text.chars().count().max(1) as i32 - 1);
    (widths + gaps) as f32
}
