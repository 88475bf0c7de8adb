//! Where a drawn face goes in its frame, and what is drawn there.

use effigy_face::Observation;
use effigy_face::align::{MODEL_EXTENT, aligned_view};
use effigy_frame::{Point2, Similarity};
use effigy_model::face_model::Drawn;
use effigy_model::face_model::store::Poses;

/// Yaw from which a drawn face begins to fade, and from which it is gone, in degrees.
const FADE_YAW_DEGREES: [f32; 2] = [50.0, 68.0];
/// The same for how far the head is turned beyond all faces that the source was learned from.
const FADE_BEYOND_DEGREES: [f32; 2] = [20.0, 35.0];

/// Where a face is in its frame.
#[derive(Clone, Debug)]
pub struct Placement {
    /// The view that the drawn crop belongs to.
    pub frame_from_crop: Similarity,
    /// The mesh in pixels of the frame.
    pub points: Vec<Point2>,
    /// How much of the drawn face is seen, `0..=1`: less where the drawing cannot be trusted.
    pub opacity: f32,
}

/// What the model draws for one face of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Drawings<'a> {
    /// The source: the person who is laid in.
    pub source: &'a Drawn,
    /// The mesh of that drawing, in pixels of the crop.
    pub points: &'a [Point2],
    /// The target: the performer, where the model draws them too. It shows what occludes the face.
    pub target: Option<&'a Drawn>,
}

impl Placement {
    /// Where a crop of `side_px` that is drawn over `face` goes; `None` where the face is turned
    /// so far away that nothing is drawn. `learned` are the poses of the source, where they are known.
    pub fn over(face: &Observation<'_>, side_px: u32, learned: Option<Poses>) -> Option<Self> {
        let pose = face.pose();
        let beyond = learned.map_or(0.0, |poses| poses.beyond(pose.yaw, pose.pitch));
        let opacity = left(pose.yaw.abs(), FADE_YAW_DEGREES).min(left(beyond, FADE_BEYOND_DEGREES));
        let frame_from_crop = aligned_view(face.points, side_px, MODEL_EXTENT)?;
        (0.0 < opacity).then(|| Self {
            frame_from_crop,
            points: face.points.iter().map(|p| p.xy()).collect(),
            opacity,
        })
    }
}

/// What is left of something that fades between two angles, or other amounts.
pub(crate) fn left(degrees: f32, [from, to]: [f32; 2]) -> f32 {
    1.0 - ((degrees - from) / (to - from)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_fades_out() {
        let opacity = |yaw: f32| left(yaw, FADE_YAW_DEGREES);
        assert!((opacity(10.0) - 1.0).abs() < 1e-6);
        assert!(opacity(59.0) < 0.6 && 0.4 < opacity(59.0));
        assert!(opacity(80.0) <= 0.0);
    }

    #[test]
    fn what_the_source_was_never_seen_in_fades_out() {
        let poses = Poses {
            yaw: [-10, 10],
            pitch: [-5, 15],
        };
        let opacity = |yaw: f32, pitch: f32| left(poses.beyond(yaw, pitch), FADE_BEYOND_DEGREES);
        assert!((opacity(28.0, 15.0) - 1.0).abs() < 1e-6);
        assert!((opacity(-37.5, 0.0) - 0.5).abs() < 1e-6);
        assert!(opacity(0.0, -41.0) <= 0.0);
    }
}
