//! How light the skin of the person seen looks, so that errors can be broken down by it.
//!
//! The individual typology angle of Chardon, Cretois and Hourseau, "Skin colour typology and
//! suntanning pathways", International Journal of Cosmetic Science 1991: arctan((L* − 50) / b*) of
//! the cheeks. It was made for lamps of a known kind: in other light it measures light and skin
//! together, and one person may fall into two groups on two days.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};
use effigy_face::TrackSettings;
use effigy_face::landmarks::CHEEK_PATCHES;
use effigy_frame::colour::lab_from_rgb_f32;
use effigy_frame::{Picture, Point3, Rect};
use effigy_media::{Limits, VideoReader};
use effigy_pipeline::{Followed, Follower, Networks, scan};
use serde::Serialize;

use crate::data::footage::Footage;

/// Groups of the angle; the six of the paper in pairs, since there are few clips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) enum Tone {
    /// Over 41°: very light and light.
    Light,
    /// Over 10°: intermediate and tan.
    Middle,
    /// Brown and dark.
    Dark,
}

impl Tone {
    pub(super) const ALL: [Self; 3] = [Self::Light, Self::Middle, Self::Dark];

    fn of_angle(degrees: f32) -> Self {
        match degrees {
            d if 41.0 < d => Self::Light,
            d if 10.0 < d => Self::Middle,
            _ => Self::Dark,
        }
    }
}

/// Frames in which a face must turn up.
const MOST_FRAMES: usize = 25;

/// The tone of the largest face in the first frame that shows one.
pub(super) fn tone(piece: &Footage, networks: &Networks) -> Result<Option<Tone>> {
    let path = &piece.path;
    let reader = VideoReader::open(path, &Limits::default())
        .with_context(|| format!("cannot read {path:?}"))?;
    let (window, is_found) = (piece.window, AtomicBool::new(false));
    let frames = reader
        .take(MOST_FRAMES)
        .take_while(|_| !is_found.load(Ordering::Relaxed))
        .map(move |frame| Ok(scan::cut_out(frame?, window)));
    let mut tone = None;
    let mut follower = Follower::new(networks, TrackSettings::default())?;
    follower.follow(frames, &mut |followed| {
        let Followed { frame, faces } = followed?;
        let largest = faces
            .iter()
            .max_by(|a, b| a.rect.width.total_cmp(&b.rect.width));
        // The first frame that shows a face decides; a few more may be under way.
        if let Some(face) = largest.filter(|_| !is_found.swap(true, Ordering::Relaxed)) {
            tone = angle(&frame.picture, &face.points).map(Tone::of_angle);
        }
        Ok(())
    })?;
    Ok(tone)
}

/// The angle of both cheeks together, in degrees. `None` where they reach out of the picture.
pub(in crate::eval) fn angle(picture: &Picture, points: &[Point3]) -> Option<f32> {
    let cheeks = CHEEK_PATCHES.map(|cheek| Rect::around(cheek.iter().map(|i| points[*i].xy())));
    let (mut sum, mut n) = ([0.0_f32; 3], 0_u32);
    for cheek in cheeks {
        let cheek = cheek?;
        let (right, bottom) = (cheek.x + cheek.width, cheek.y + cheek.height);
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        if cheek.x < 0.0 || cheek.y < 0.0 || width <= right || height <= bottom {
            return None;
        }
        for y in cheek.y as u32..=bottom as u32 {
            for x in cheek.x as u32..=right as u32 {
                let rgb = picture.get(x, y);
                (0..3).for_each(|c| sum[c] += f32::from(rgb[c]));
                n += 1;
            }
        }
    }
    Some(typology_angle(sum.map(|v| v / n.max(1) as f32 / 255.0)))
}

/// The angle of one colour, in degrees; sRGB in `0..=1`.
fn typology_angle(rgb: [f32; 3]) -> f32 {
    let [lightness, _, b] = lab_from_rgb_f32(rgb);
    (lightness - 50.0).atan2(b.max(1e-3)).to_degrees()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_and_dark_skin_are_told_apart() {
        let tone = |rgb: [u8; 3]| Tone::of_angle(typology_angle(rgb.map(|v| f32::from(v) / 255.0)));
        // Types I, IV and VI of the scale by Fitzpatrick, as palettes draw them.
        assert_eq!(tone([244, 208, 177]), Tone::Light);
        assert_eq!(tone([187, 136, 104]), Tone::Middle);
        assert_eq!(tone([87, 50, 41]), Tone::Dark);
    }
}
