//! One face in one frame, as cues are shown it.

use std::cell::OnceCell;

use effigy_face::align::aligned_view;
use effigy_face::{Face, Pose, pose, quality};
use effigy_frame::{Frame, Picture, Similarity, resample};

use crate::skin;

/// One face in one frame, with the whole frame around it.
///
/// Cues read what they need and keep numbers, no pictures.
#[derive(Clone, Debug)]
pub struct Sight<'a> {
    /// The whole frame, pixels as decoded.
    pub frame: &'a Frame,
    /// The face: track, mesh of 478 points in pixels of the frame, box.
    pub face: &'a Face,
    /// Which way the head is turned.
    pub pose: Pose,
    /// How sharp the face is, `0..=1`.
    pub sharpness: f32,
    /// How it is lit.
    pub light: quality::Light,
    /// Longer side of the face's box, in pixels.
    pub size_px: f32,
    /// Whether pixels are worth a closer look in this frame; geometry is looked at in all.
    pub closely: bool,
    /// Looked at once, for all cues that ask.
    eye_darkness: OnceCell<Option<f32>>,
}

impl<'a> Sight<'a> {
    /// Takes a look at `face` in `frame`.
    pub fn new(frame: &'a Frame, face: &'a Face, closely: bool) -> Self {
        Self {
            frame,
            face,
            pose: pose::pose(&face.points),
            sharpness: quality::sharpness(&face.crop),
            light: quality::light(&face.crop),
            size_px: face.rect.width.max(face.rect.height),
            closely,
            eye_darkness: OnceCell::new(),
        }
    }

    /// How much darker the eyes are than the cheeks, `0..=1`; see [`skin::eye_darkness`].
    pub(crate) fn eye_darkness(&self) -> Option<f32> {
        let look = || skin::eye_darkness(&self.frame.picture, &self.face.points);
        *self.eye_darkness.get_or_init(look)
    }

    /// When the frame is shown.
    pub fn time_secs(&self) -> f64 {
        self.frame.time.secs()
    }

    /// Cuts out the upright, aligned face with where it lies; `extent` is what the side covers,
    /// in distances between the outer eye corners.
    ///
    /// `None` when the mesh is squeezed into a point.
    pub fn aligned(&self, side_px: u32, extent: f32) -> Option<(Picture, Similarity)> {
        let view = aligned_view(&self.face.points, side_px, extent)?;
        Some((resample::crop(&self.frame.picture, view, side_px), view))
    }

    /// Why pixels of this face say nothing, if they don't.
    pub fn unfit(&self) -> Option<Unfit> {
        if self.size_px < LEAST_SIZE_PX {
            Some(Unfit::Small)
        } else if self.light.level < LEAST_LIGHT {
            Some(Unfit::Dark)
        } else if self.sharpness < LEAST_SHARPNESS {
            Some(Unfit::Blurred)
        } else if MOST_YAW < self.pose.yaw.abs() {
            Some(Unfit::Turned)
        } else {
            None
        }
    }
}

/// Why a face cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unfit {
    /// Smaller than 64 px.
    Small,
    /// Nearly black.
    Dark,
    /// Out of focus, or blurred by motion or compression.
    Blurred,
    /// Seen from the side.
    Turned,
    /// Without grain, as drawn faces are; see [`crate::matter`].
    Drawn,
    /// Without colour, as statues, ink and black-and-white pictures are.
    Colourless,
}

impl Unfit {
    /// Says it to the reader, as the end of a sentence.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Small => "the face is too small",
            Self::Dark => "the face is too dark",
            Self::Blurred => "the face is too blurred",
            Self::Turned => "the face is seen from the side",
            Self::Drawn => "the face has no grain at all, as a drawn face, which is no photograph",
            Self::Colourless => {
                "the face has no colour, or one pale tint: it may be a statue or a drawing, and \
                 black-and-white pictures are not judged"
            }
        }
    }
}

/// Under this the inner face has fewer pixels than the statistics need.
const LEAST_SIZE_PX: f32 = 64.0;
/// Mean brightness, of 1.
const LEAST_LIGHT: f32 = 0.08;
/// On the scale of [`quality::sharpness`]. A face that was shrunk to 20 px and enlarged again has
/// 0.10 to 0.12; clips that are merely compressed have 0.13 and more.
const LEAST_SHARPNESS: f32 = 0.12;
/// Degrees; beyond, half of the face is hidden and the mesh is a guess.
const MOST_YAW: f32 = 60.0;
