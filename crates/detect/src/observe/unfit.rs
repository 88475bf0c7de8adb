//! Why a face cannot be judged, where it cannot.

use effigy_face::Observation;

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
    /// Without grain, as drawn faces are.
    Drawn,
    /// Without colour, as statues, ink and black-and-white pictures are.
    Colourless,
}

impl Unfit {
    /// Why the pixels of this face say nothing, if they don't.
    pub fn of(face: &Observation<'_>) -> Option<Self> {
        if face.size_px() < LEAST_SIZE_PX {
            Some(Self::Small)
        } else if face.quality().light.level < LEAST_LIGHT {
            Some(Self::Dark)
        } else if face.quality().sharpness < LEAST_SHARPNESS {
            Some(Self::Blurred)
        } else if MOST_YAW < face.pose().yaw.abs() {
            Some(Self::Turned)
        } else {
            None
        }
    }

    /// Says it to the reader, as the end of a sentence.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Small => "the face is too small",
            Self::Dark => "the face is too dark",
            Self::Blurred => "the face is too blurred",
            Self::Turned => "the face is seen from the side",
            Self::Drawn => "the face has no grain at all, like a drawing and unlike a photograph",
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
/// On the scale of [`effigy_face::quality::sharpness`]. A face that was shrunk to 20 px and
/// enlarged again has 0.10 to 0.12; clips that are merely compressed have 0.13 and more.
const LEAST_SHARPNESS: f32 = 0.12;
/// Degrees; beyond, half of the face is hidden and the mesh is a guess.
const MOST_YAW: f32 = 60.0;
