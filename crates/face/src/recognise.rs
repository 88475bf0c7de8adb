//! Whether a face shows enough to tell who it is.

use std::fmt;

use effigy_frame::{Plane, Point2, resample};
use effigy_model::OcclusionSegmenter;

use crate::align::{MODEL_EXTENT, aligned_view};
use crate::landmarks::{EYES, eye_distance};
use crate::mask::hull_mask;
use crate::observation::Observation;

/// Why a face says too little of who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TooLittle {
    /// Fewer than 25 px between the outer corners of the eyes.
    Small,
    /// Out of focus, or blurred by motion or compression.
    Blurred,
    /// Turned, raised or lowered too far from the camera.
    Turned,
    /// Behind a mask, a cloth or hands: what covers two faces alike makes them alike.
    Covered,
}

/// In pixels between the outer corners of the eyes. `recipes eval identity` prints what these limits
/// buy together.
const LEAST_EYE_DISTANCE_PX: f32 = 25.0;
/// On the scale of [`crate::quality::sharpness`].
const LEAST_SHARPNESS: f32 = 0.10;
/// Share of the face that may be covered: on actors a bare face has less than 0.1, dark glasses and a
/// microphone cover less than this, a mask more (test `a_masked_face_tells_too_little_and_one_with_glasses_enough`).
pub const MOST_COVERED: f32 = 0.25;
/// Degrees to either side, and up or down.
const MOST_YAW: f32 = 40.0;
const MOST_PITCH: f32 = 30.0;

impl TooLittle {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Small, Self::Blurred, Self::Turned, Self::Covered];

    /// Why size, pose or sharpness say too little of who it is, if they do.
    pub fn of_geometry(face: &Observation<'_>) -> Option<Self> {
        let pose = face.pose();
        if eye_distance(face.points) < LEAST_EYE_DISTANCE_PX {
            Some(Self::Small)
        } else if MOST_YAW < pose.yaw.abs() || MOST_PITCH < pose.pitch.abs() {
            Some(Self::Turned)
        } else if face.quality().sharpness < LEAST_SHARPNESS {
            Some(Self::Blurred)
        } else {
            None
        }
    }

    /// Why this face says too little of who it is, if it does; whether it is covered takes a network.
    pub fn of(face: &Observation<'_>, segmenter: &OcclusionSegmenter) -> Option<Self> {
        Self::of_geometry(face).or_else(|| is_covered(face, segmenter).then_some(Self::Covered))
    }
}

/// Whether what covers a face leaves too little of it. What cannot be looked at leaves nothing.
pub fn is_covered(face: &Observation<'_>, segmenter: &OcclusionSegmenter) -> bool {
    covered_share(face, segmenter).is_none_or(|share| MOST_COVERED < share)
}

/// How much of a face is covered, of the hull of its mesh, `0..=1`; `None` where its points span no view.
pub fn covered_share(face: &Observation<'_>, segmenter: &OcclusionSegmenter) -> Option<f32> {
    let (covered, points) = covers(face, segmenter)?;
    let cells = OcclusionSegmenter::MASK_SIDE;
    let mask = hull_mask(&points, cells, cells);
    let both = covered.values().iter().zip(mask.values());
    let sum: f32 = both.map(|(covered, inside)| covered * inside).sum();
    Some(sum / mask.values().iter().sum::<f32>().max(1.0))
}

/// How far the place of an eye reaches, in eye distances from its middle.
const EYE_REACH: [f32; 2] = [0.2, 0.12];
/// How sure the network is of a cell that counts as covered.
const SURELY_COVERED: f32 = 0.5;

/// How much of the places of both eyes is covered, as by dark glasses, `0..=1`; `None` where the points span no view.
pub fn covered_eyes_share(face: &Observation<'_>, segmenter: &OcclusionSegmenter) -> Option<f32> {
    let (covered, points) = covers(face, segmenter)?;
    let unit = eye_distance(&points);
    let (mut n, mut n_covered) = (0.0, 0.0);
    for middle in EYES.map(|eye| eye.centre(&points)) {
        let range = |middle: f32, reach: f32| {
            let last = (OcclusionSegmenter::MASK_SIDE - 1) as f32;
            let ends = [-1.0, 1.0].map(|side| (middle + side * reach * unit).clamp(0.0, last));
            ends[0].round() as usize..=ends[1].round() as usize
        };
        for y in range(middle.y, EYE_REACH[1]) {
            for x in range(middle.x, EYE_REACH[0]) {
                let cell = covered.values()[y * OcclusionSegmenter::MASK_SIDE + x];
                n += 1.0;
                n_covered += f32::from(u8::from(SURELY_COVERED < cell));
            }
        }
    }
    Some(n_covered / n)
}

/// What covers a face, cell by cell, and where its points are among the cells.
fn covers(face: &Observation<'_>, segmenter: &OcclusionSegmenter) -> Option<(Plane, Vec<Point2>)> {
    let side = OcclusionSegmenter::SIDE_PX;
    let view = aligned_view(face.points, side, MODEL_EXTENT)?;
    let crop_from_frame = view.inverse()?;
    let covered = segmenter.segment(&resample::crop(&face.frame.picture, view, side));
    let scale = OcclusionSegmenter::MASK_SIDE as f32 / side as f32;
    let points = face.points.iter().map(|p| crop_from_frame.apply(p.xy()));
    let points = points.map(|p| Point2::new(scale * p.x, scale * p.y));
    Some((covered, points.collect()))
}

impl fmt::Display for TooLittle {
    /// As the end of a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Small => {
                "the face is too small: 25 px between the eyes' outer corners are needed"
            }
            Self::Blurred => "the face is too blurred",
            Self::Turned => "the face is turned too far from the camera",
            Self::Covered => "the face is covered",
        })
    }
}

#[cfg(test)]
mod tests {
    use effigy_frame::{Frame, Picture, Point3, Rational, Timestamp};
    use effigy_model::mean_mesh;

    use super::*;

    /// What is missing of a face as large as `scale` says, turned by `yaw_degrees`, in a picture of
    /// noise or of one colour.
    fn missing(scale: f32, yaw_degrees: f32, is_sharp: bool) -> Option<TooLittle> {
        let (sin, cos) = yaw_degrees.to_radians().sin_cos();
        let points: Vec<Point3> = mean_mesh()
            .iter()
            .map(|p| {
                let (x, z) = (cos * p.x + sin * p.z, cos * p.z - sin * p.x);
                Point3::new(150.0 + scale * x, 150.0 + scale * p.y, scale * z)
            })
            .collect();
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if is_sharp { (state >> 24) as u8 } else { 128 }
        };
        let pixels = (0..300 * 300 * 3).map(|_| noise()).collect();
        let frame = Frame {
            index: 0,
            time: Timestamp::new(0, Rational::new(1, 1)),
            picture: Picture::new(300, 300, pixels),
        };
        TooLittle::of_geometry(&Observation::of_points(&frame, 0, &points))
    }

    #[test]
    fn small_blurred_and_turned_faces_say_too_little() {
        assert_eq!(missing(90.0, 0.0, true), None);
        assert_eq!(missing(90.0, 30.0, true), None);
        assert_eq!(missing(20.0, 0.0, true), Some(TooLittle::Small));
        assert_eq!(missing(90.0, -55.0, true), Some(TooLittle::Turned));
        assert_eq!(missing(90.0, 0.0, false), Some(TooLittle::Blurred));
    }
}
