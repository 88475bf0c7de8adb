//! Material check: whether a face is filmed skin, or stone, paint and ink.
//!
//! Cues are calibrated on colour footage of people. A drawn face has next to no grain; a statue, a
//! drawing in ink and a black-and-white picture have no colour, or one pale tint down to the lips.
//! They are not judged. A painted statue, or a drawing with shades, with grain, or with much line
//! work that compression has blurred, passes for skin here.

use effigy_face::Observation;
use effigy_face::patch::{Part, Patch};
use effigy_frame::Picture;
use effigy_frame::colour::lab_from_rgb;

use super::unfit::Unfit;

/// What a face is made of, in numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Material {
    /// How far the skin is from grey, in CIE a*b*.
    chroma: f32,
    /// How far the lips' colour is from the skin's, in CIE a*b*.
    lips_apart: f32,
    /// The usual size of the finest detail of brightness, in levels.
    grain: f32,
}

/// Half of the least in compressed clips of people, 0.33; flat colours have 0.02.
const LEAST_GRAIN: f32 = 0.15;
/// Real clips have 7 and more, grey ones 2 and less.
const LEAST_CHROMA: f32 = 4.0;
/// Paler than this the lips must differ from the skin, as they do by 3 and more in pale clips.
const PALE_CHROMA: f32 = 9.0;
const LEAST_LIPS_APART: f32 = 1.2;

impl Material {
    /// Looks at one face. `None` where too little of it is seen.
    pub(crate) fn of(face: &Observation<'_>) -> Option<Self> {
        let (picture, patch) = (&face.frame.picture, face.patch()?);
        let [skin, lips] = [Part::Inner, Part::Lips].map(|part| tint(picture, patch, part));
        let (skin, lips) = (skin?, lips?);
        Some(Self {
            chroma: skin[0].hypot(skin[1]),
            lips_apart: (lips[0] - skin[0]).hypot(lips[1] - skin[1]),
            grain: patch.median_strength(&patch.bands[0], Part::Inner)?,
        })
    }

    /// Why such a face cannot be judged, if it can't.
    pub(crate) fn unfit(self) -> Option<Unfit> {
        let is_pale = self.chroma < PALE_CHROMA && self.lips_apart < LEAST_LIPS_APART;
        if self.grain < LEAST_GRAIN {
            Some(Unfit::Drawn)
        } else if self.chroma < LEAST_CHROMA || is_pale {
            Some(Unfit::Colourless)
        } else {
            None
        }
    }
}

/// Fewer pixels of a part than this have no colour worth the name.
const LEAST_PIXELS: u32 = 40;

/// The mean of a* and b* over a part of the face.
fn tint(picture: &Picture, patch: &Patch, wanted: Part) -> Option<[f32; 2]> {
    let (mut sum, mut n) = ([0.0_f32; 2], 0_u32);
    let (left, top) = patch.origin;
    for (y, row) in (0_u32..).zip(patch.parts.chunks_exact(patch.width)) {
        for (x, _) in (0_u32..).zip(row).filter(|(_, part)| **part == wanted) {
            let rgb = picture.get(left + x * patch.factor, top + y * patch.factor);
            let [_, a, b] = lab_from_rgb(rgb);
            sum = [sum[0] + a, sum[1] + b];
            n += 1;
        }
    }
    (LEAST_PIXELS <= n).then(|| sum.map(|sum| sum / n as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(chroma: f32, lips_apart: f32, grain: f32, wanted: Option<Unfit>) {
        let material = Material {
            chroma,
            lips_apart,
            grain,
        };
        assert_eq!(material.unfit(), wanted, "{material:?}");
    }

    #[test]
    fn skin_is_told_from_ink_stone_and_grey() {
        check(7.0, 3.4, 0.4, None);
        check(12.0, 0.8, 0.4, None);
        check(20.0, 8.0, 0.02, Some(Unfit::Drawn));
        check(5.2, 0.7, 2.0, Some(Unfit::Colourless));
        check(0.0, 0.0, 0.4, Some(Unfit::Colourless));
    }
}
