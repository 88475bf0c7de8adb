//! Where a drawn face goes in its frame, and what is drawn there.

use effigy_frame::{Point2, Similarity};
use effigy_model::face_model::Drawn;

/// Where a face is in its frame.
#[derive(Clone, Debug)]
pub struct Place {
    /// The view that the drawn crop belongs to.
    pub frame_from_crop: Similarity,
    /// The mesh in pixels of the frame.
    pub points: Vec<Point2>,
    /// How much of the drawn face is seen, `0..=1`: less where it can't be trusted.
    pub opacity: f32,
}

/// What the model draws for one face of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Faces<'a> {
    /// The person who is laid in.
    pub drawn: &'a Drawn,
    /// The mesh of that drawing, in pixels of the crop.
    pub points: &'a [Point2],
    /// The person in front of the camera, where the model knows them: tells what stands before
    /// the face.
    pub own: Option<&'a Drawn>,
}
