//! Labels drawn once for a frame size, then laid over every frame.

use effigy_frame::{Picture, Point2, Rect};

use crate::label::canvas::{Canvas, PAD, text_units};
use crate::label::font::{ABOVE, CAPITAL};
use crate::label::{Label, Profile};

/// The labels of one job at one frame size.
#[derive(Clone, Debug)]
pub(crate) struct Stamps {
    stamps: Vec<Stamp>,
}

/// When a label is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Span {
    Always,
    /// Until so many seconds after the start.
    Opening(f64),
}

/// A dark plate with light letters. `plate` and `ink` are coverages, `0..=255`.
#[derive(Clone, Debug)]
struct Stamp {
    span: Span,
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    plate: Vec<u8>,
    ink: Vec<u8>,
}

/// What a stamp shows.
struct Words<'a> {
    icon: Option<&'a str>,
    text: &'a str,
    /// Height of a capital, in pixels.
    capital_px: f32,
    /// Widest that the stamp may be.
    room_px: u32,
}

/// Share of each side kept free: the title-safe area of EBU R 95 is the inner 90 %.
const MARGIN: f32 = 0.05;
/// The words of the European label, as a share of the height.
const EU_HEIGHT: f32 = 0.032;
/// China asks for at least 0.05.
const CN_HEIGHT: f32 = 0.054;
/// China asks for at least two seconds.
const CN_SECS: f64 = 3.0;
const US_HEIGHT: f32 = 0.018;
/// Letters below this are not letters any more.
const SMALLEST_PX: f32 = 7.0;
/// How much of the picture the plate hides, of 255.
const PLATE: u32 = 165;

impl Stamps {
    /// Draws the labels for frames of `width` × `height`.
    pub(crate) fn draw(label: &Label, width: u32, height: u32) -> Self {
        let margin_x = (width as f32 * MARGIN).ceil() as u32;
        let margin_y = (height as f32 * MARGIN).ceil() as u32;
        let room_px = width.saturating_sub(2 * margin_x).max(1);
        let capital_px = |share: f32| (height as f32 * share).max(SMALLEST_PX);
        let disclosure = label.disclosure();
        let mut stamps: Vec<Stamp> = Vec::new();
        for profile in label.profiles.as_slice() {
            let (span, words) = match profile {
                Profile::Eu => (
                    Span::Always,
                    Words {
                        icon: Some(label.language.acronym()),
                        text: label.language.says(label.source),
                        capital_px: capital_px(EU_HEIGHT),
                        room_px,
                    },
                ),
                Profile::Cn => (
                    Span::Opening(CN_SECS),
                    Words {
                        icon: None,
                        text: "AI生成合成",
                        capital_px: capital_px(CN_HEIGHT),
                        room_px,
                    },
                ),
                Profile::UsCa => (
                    Span::Always,
                    Words {
                        icon: None,
                        text: &disclosure,
                        capital_px: capital_px(US_HEIGHT),
                        room_px,
                    },
                ),
            };
            let mut stamp = Stamp::draw(&words, span);
            stamp.x = match profile {
                Profile::Eu => width.saturating_sub(margin_x + stamp.width),
                Profile::Cn | Profile::UsCa => margin_x.min(width.saturating_sub(stamp.width)),
            };
            stamp.y = match profile {
                Profile::Eu => margin_y,
                Profile::Cn => free_row(&stamps, &stamp, margin_y),
                Profile::UsCa => height.saturating_sub(margin_y + stamp.height),
            };
            stamps.push(stamp);
        }
        Self { stamps }
    }

    /// Lays the labels over a frame shown `secs` after the first one.
    pub(crate) fn lay_over(&self, picture: &mut Picture, secs: f64) {
        for stamp in &self.stamps {
            let is_shown = match stamp.span {
                Span::Always => true,
                Span::Opening(until) => secs < until,
            };
            if is_shown {
                stamp.lay_over(picture);
            }
        }
    }

    /// How much the labels hide of each pixel of a `width` × `height` picture, 0 to 255.
    pub(crate) fn cover(&self, width: u32, height: u32) -> Vec<u8> {
        let mut cover = vec![0; width as usize * height as usize];
        for stamp in &self.stamps {
            stamp.add_cover(width, height, &mut cover);
        }
        cover
    }
}

/// The row for `stamp`: `top`, or below the stamp that already stands beside it.
fn free_row(stamps: &[Stamp], stamp: &Stamp, top: u32) -> u32 {
    let gap = stamp.height / 4;
    let beside = |other: &Stamp| {
        stamp.x < other.x + other.width + gap && other.x < stamp.x + stamp.width + gap
    };
    let below = stamps
        .iter()
        .filter(|other| beside(other) && other.y <= top);
    below
        .map(|other| other.y + other.height + gap)
        .max()
        .unwrap_or(top)
}

impl Stamp {
    /// Draws the words; the place is chosen afterwards, by the size.
    fn draw(words: &Words<'_>, span: Span) -> Self {
        let icon_units = words
            .icon
            .map_or(0.0, |icon| text_units(icon) * ICON_TEXT + 3.7 * PAD);
        let units = 2.0 * PAD + icon_units + text_units(words.text);
        // Long words on a narrow picture shrink until they fit.
        let scale = (words.capital_px / f32::from(CAPITAL)).min(words.room_px as f32 / units);
        let width = (units * scale).ceil().max(1.0) as u32;
        let height = ((f32::from(CAPITAL + ABOVE) + 2.0 * PAD) * scale)
            .ceil()
            .max(1.0) as u32;
        let mut canvas = Canvas::new(width, height, scale);
        canvas.plate();
        let baseline = PAD + f32::from(ABOVE) * 0.75;
        let mut x = PAD;
        if let Some(icon) = words.icon {
            let inner = text_units(icon) * ICON_TEXT;
            canvas.frame(Rect {
                x,
                y: baseline - 8.0,
                width: inner + 2.0 * PAD,
                height: f32::from(CAPITAL) + 16.0,
            });
            let inset = f32::from(CAPITAL) * (1.0 - ICON_TEXT) / 2.0;
            canvas.text(icon, Point2::new(x + PAD, baseline + inset), ICON_TEXT);
            x += icon_units;
        }
        canvas.text(words.text, Point2::new(x, baseline), 1.0);
        Self {
            span,
            x: 0,
            y: 0,
            width: canvas.width,
            height: canvas.height,
            plate: canvas.plate,
            ink: canvas.ink,
        }
    }

    fn lay_over(&self, picture: &mut Picture) {
        let (across, down) = (picture.width(), picture.height());
        let width = self.width.min(across.saturating_sub(self.x)) as usize;
        let height = self.height.min(down.saturating_sub(self.y));
        for row in 0..height {
            let from = (row * self.width) as usize;
            let plate = &self.plate[from..from + width];
            let ink = &self.ink[from..from + width];
            let at = ((self.y + row) as usize * across as usize + self.x as usize) * 3;
            let pixels = &mut picture.pixels_mut()[at..at + width * 3];
            for ((rgb, &plate), &ink) in pixels.chunks_exact_mut(3).zip(plate).zip(ink) {
                let (plate, ink) = (u32::from(plate) * PLATE / 255, u32::from(ink));
                for value in rgb {
                    // The plate darkens what lies under it; the ink is white and lies over both.
                    let under = u32::from(*value) * (255 - plate) / 255;
                    *value = ((under * (255 - ink) + 255 * ink) / 255) as u8;
                }
            }
        }
    }

    fn add_cover(&self, across: u32, down: u32, cover: &mut [u8]) {
        let width = self.width.min(across.saturating_sub(self.x)) as usize;
        for row in 0..self.height.min(down.saturating_sub(self.y)) {
            let from = (row * self.width) as usize;
            let at = (self.y + row) as usize * across as usize + self.x as usize;
            let here = cover[at..at + width].iter_mut();
            let stamp = self.plate[from..].iter().zip(&self.ink[from..]);
            for (cover, (&plate, &ink)) in here.zip(stamp) {
                let seen = (255 - u32::from(plate) * PLATE / 255) * (255 - u32::from(ink)) / 255;
                *cover = (*cover).max(255 - seen as u8);
            }
        }
    }
}

/// Size of the icon's letters against the words.
const ICON_TEXT: f32 = 0.78;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::{Language, Profiles, Source};
    use crate::utc_time::UtcTime;

    fn label(profiles: Profiles) -> Label {
        Label {
            profiles,
            language: Language::En,
            source: Source::Altered,
            provider: "Test Studio".to_owned(),
            made: UtcTime::from_unix_secs(1_790_000_000),
            identifier: 0x1234_5678_9abc_def0,
        }
    }

    fn only(profile: Profile) -> Label {
        label(Profiles::of(&[profile]).unwrap())
    }

    /// Rows and columns that changed: `(left, top, right, bottom)`.
    fn touched(before: &Picture, after: &Picture) -> Option<(u32, u32, u32, u32)> {
        let changed = (0..before.height()).flat_map(|y| (0..before.width()).map(move |x| (x, y)));
        let changed: Vec<_> = changed
            .filter(|&(x, y)| before.get(x, y) != after.get(x, y))
            .collect();
        let xs = changed.iter().map(|p| p.0);
        let ys = changed.iter().map(|p| p.1);
        Some((xs.clone().min()?, ys.clone().min()?, xs.max()?, ys.max()?))
    }

    fn labelled(label: &Label, background: Picture, secs: f64) -> Picture {
        let mut picture = background;
        Stamps::draw(label, picture.width(), picture.height()).lay_over(&mut picture, secs);
        picture
    }

    #[test]
    fn labels_stay_inside_the_safe_area() {
        for (width, height) in [(1920, 1080), (1080, 1920), (640, 360), (200, 200)] {
            let plain = Picture::filled(width, height, [90; 3]);
            let after = labelled(&label(Profiles::all()), plain.clone(), 0.0);
            let (left, top, right, bottom) = touched(&plain, &after).unwrap();
            assert!(
                left >= width / 20 && right < width - width / 20,
                "{width}: {left} {right}"
            );
            assert!(
                top >= height / 20 && bottom < height - height / 20,
                "{height}: {top} {bottom}"
            );
        }
    }

    #[test]
    fn labels_are_legible_on_any_background() {
        for background in [[0; 3], [128; 3], [255; 3], [255, 0, 0], [255, 255, 0]] {
            let plain = Picture::filled(960, 540, background);
            let after = labelled(&only(Profile::Eu), plain, 0.0);
            let luma: Vec<f32> = after
                .pixels()
                .chunks_exact(3)
                .map(|p| effigy_frame::colour::luma([p[0], p[1], p[2]]))
                .collect();
            let brightest = luma.iter().copied().fold(0.0, f32::max);
            let darkest = luma.iter().copied().fold(255.0, f32::min);
            // WCAG 2 asks for 4.5 : 1; white on the plate over white is the worst case.
            let relative = |v: f32| (v / 255.0).powf(2.2) + 0.05;
            assert!(
                relative(brightest) / relative(darkest) > 4.5,
                "{background:?} {darkest}"
            );
        }
    }

    #[test]
    fn chinese_label_is_tall_enough_and_stays_two_seconds() {
        let plain = Picture::filled(1280, 720, [200; 3]);
        let label = only(Profile::Cn);
        let after = labelled(&label, plain.clone(), 2.0);
        let inked = |y: &u32| (0..1280).any(|x| after.get(x, *y) == [255; 3]);
        let rows: Vec<u32> = (0..720).filter(inked).collect();
        let tall = rows[rows.len() - 1] - rows[0] + 1;
        assert!(f64::from(tall) >= 0.05 * 720.0, "{tall}");
        assert_eq!(labelled(&label, plain.clone(), 3.5), plain);
    }

    #[test]
    fn european_label_stands_at_the_top_right_to_the_end() {
        let plain = Picture::filled(1280, 720, [200; 3]);
        let after = labelled(&only(Profile::Eu), plain.clone(), 3600.0);
        let (left, _, _, bottom) = touched(&plain, &after).unwrap();
        assert!(left > 640 && bottom < 360);
    }

    #[test]
    fn no_profile_is_no_choice() {
        assert_eq!(Profiles::of(&[]), None);
    }

    #[test]
    fn tiny_pictures_are_labelled_too() {
        let plain = Picture::filled(16, 16, [200; 3]);
        assert_ne!(labelled(&label(Profiles::all()), plain.clone(), 0.0), plain);
    }
}
