//! One face in one frame, as everything that makes or judges sees it.

use std::cell::OnceCell;

use effigy_frame::{Frame, Picture, Point3, Rect, Similarity, resample};
use effigy_model::FaceMesh;

use crate::align::{aligned_view, mesh_view};
use crate::patch::Patch;
use crate::pose::{self, Pose, Rotation};
use crate::quality::{self, Light};
use crate::skin;
use crate::track::Face;

/// One face in one frame, with the whole frame around it.
///
/// What costs pixels or arithmetic is computed when it is first asked for, and once.
#[derive(Clone, Debug)]
pub struct Observation<'a> {
    /// The whole frame, pixels as decoded.
    pub frame: &'a Frame,
    /// Which track the face belongs to.
    pub track: u32,
    /// The mesh, in pixels of the frame; see [`crate::landmarks`].
    pub points: &'a [Point3],
    /// The box around the points.
    pub rect: Rect,
    /// What the mesh network was shown, where it was shown this frame.
    mesh_crop: Option<&'a Picture>,
    rotation: OnceCell<Rotation>,
    quality: OnceCell<Quality>,
    eye_darkness: OnceCell<Option<f32>>,
    patch: OnceCell<Option<Patch>>,
}

/// How well a face can be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// How sharp it is, `0..=1`; see [`quality::sharpness`].
    pub sharpness: f32,
    /// How it is lit.
    pub light: Light,
}

impl<'a> Observation<'a> {
    /// Observes a face that the tracker found in `frame`.
    pub fn new(frame: &'a Frame, face: &'a Face) -> Self {
        Self {
            rect: face.rect,
            mesh_crop: Some(&face.crop),
            ..Self::bare(frame, face.track, &face.points)
        }
    }

    /// Observes a face of which only the mesh is known, as between two frames that show it.
    pub fn of_points(frame: &'a Frame, track: u32, points: &'a [Point3]) -> Self {
        let rect = Rect::around(points.iter().map(|p| p.xy()));
        Self {
            rect: rect.unwrap_or_default(),
            ..Self::bare(frame, track, points)
        }
    }

    fn bare(frame: &'a Frame, track: u32, points: &'a [Point3]) -> Self {
        Self {
            frame,
            track,
            points,
            rect: Rect::default(),
            mesh_crop: None,
            rotation: OnceCell::new(),
            quality: OnceCell::new(),
            eye_darkness: OnceCell::new(),
            patch: OnceCell::new(),
        }
    }

    /// When the frame is shown.
    pub fn time_secs(&self) -> f64 {
        self.frame.time.secs()
    }

    /// Longer side of the face's box, in pixels.
    pub fn size_px(&self) -> f32 {
        self.rect.width.max(self.rect.height)
    }

    /// The rotation from the mean mesh to this face.
    pub fn rotation(&self) -> &Rotation {
        self.rotation.get_or_init(|| pose::rotation(self.points))
    }

    /// Which way the head is turned.
    pub fn pose(&self) -> Pose {
        pose::angles(self.rotation())
    }

    /// How well the face can be seen.
    ///
    /// A face without a mesh (all its points in one place) has no sharpness and no light.
    pub fn quality(&self) -> Quality {
        *self.quality.get_or_init(|| match self.mesh_crop {
            Some(crop) => Quality::of(crop),
            None => self
                .crop_for_mesh()
                .as_ref()
                .map(Quality::of)
                .unwrap_or_default(),
        })
    }

    /// How much darker the eyes are than the cheeks, `0..=1`: an open eye shows iris and lashes, a
    /// lid is skin.
    ///
    /// `None` where cheeks or eyes reach out of the picture or all is dark.
    pub fn eye_darkness(&self) -> Option<f32> {
        *self
            .eye_darkness
            .get_or_init(|| skin::eye_darkness(&self.frame.picture, self.points))
    }

    /// The face and its surroundings, split into bands of detail.
    ///
    /// `None` where the face lies outside the frame or is too small.
    pub fn patch(&self) -> Option<&Patch> {
        let around = || Patch::around(&self.frame.picture, self.points, self.size_px());
        self.patch.get_or_init(around).as_ref()
    }

    /// Cuts out the upright, aligned face with where it lies; `extent` is what the side covers,
    /// in distances between the outer eye corners.
    ///
    /// `None` when the mesh is squeezed into a point.
    pub fn aligned(&self, side_px: u32, extent: f32) -> Option<(Picture, Similarity)> {
        let view = aligned_view(self.points, side_px, extent)?;
        Some((resample::crop(&self.frame.picture, view, side_px), view))
    }

    /// Cuts out what the mesh network would be shown.
    fn crop_for_mesh(&self) -> Option<Picture> {
        let view = mesh_view(self.points, FaceMesh::SIDE_PX)?;
        Some(resample::crop(&self.frame.picture, view, FaceMesh::SIDE_PX))
    }
}

/// Side to which a crop is brought before quality is measured, in pixels: what sharpness means
/// depends on it.
const QUALITY_SIDE_PX: u32 = 128;

impl Quality {
    /// Measures a crop with the face in its middle.
    pub fn of(crop: &Picture) -> Self {
        let crop = resample::resize(crop, QUALITY_SIDE_PX, QUALITY_SIDE_PX);
        Self {
            sharpness: quality::sharpness(&crop),
            light: quality::light(&crop),
        }
    }
}

#[cfg(test)]
mod tests {
    use effigy_frame::{Point2, Rational, Timestamp};
    use effigy_model::mean_mesh;

    use super::*;

    /// Light and dark checks, the mean face in their middle.
    fn scene() -> (Frame, Vec<Point3>) {
        let mut picture = Picture::filled(320, 320, [60; 3]);
        for y in 0..320 {
            for x in (0..320).filter(|x| (x / 8 + y / 8) % 2 == 0) {
                picture.set(x, y, [180; 3]);
            }
        }
        let middle = Point2::new(160.0, 130.0);
        let frame_from_mean = Similarity::about(Point2::default(), middle, 80.0, 0.1);
        let points = mean_mesh().iter().map(|&p| frame_from_mean.apply3(p));
        let frame = Frame {
            index: 3,
            time: Timestamp::new(3, Rational::new(1, 25)),
            picture,
        };
        (frame, points.collect())
    }

    /// The face as the tracker gives it.
    fn tracked(frame: &Frame, points: &[Point3]) -> Face {
        let view = mesh_view(points, FaceMesh::SIDE_PX).unwrap();
        Face {
            track: 7,
            rect: Rect::around(points.iter().map(|p| p.xy())).unwrap(),
            score: 1.0,
            crop: resample::crop(&frame.picture, view, FaceMesh::SIDE_PX),
            frame_from_crop: view,
            points: points.to_vec(),
        }
    }

    #[test]
    fn points_alone_say_what_the_tracker_says() {
        let (frame, points) = scene();
        let face = tracked(&frame, &points);
        let whole = Observation::new(&frame, &face);
        let alone = Observation::of_points(&frame, 7, &points);
        assert_eq!((whole.track, whole.rect), (alone.track, alone.rect));
        assert_eq!(whole.pose(), pose::pose(&points));
        assert_eq!(whole.pose(), alone.pose());
        assert_eq!(whole.quality(), alone.quality());
        assert!(0.0 < whole.quality().sharpness && 0.2 < whole.quality().light.level);
        assert_eq!(whole.eye_darkness(), alone.eye_darkness());
        assert!(whole.patch().is_some());
    }

    #[test]
    fn points_in_one_place_are_no_view_and_no_quality() {
        let (frame, _) = scene();
        let nowhere = vec![Point3::new(5.0, 5.0, 0.0); 478];
        let observed = Observation::of_points(&frame, 0, &nowhere);
        assert_eq!(observed.quality(), Quality::default());
        assert!(observed.aligned(64, 2.0).is_none() && observed.patch().is_none());
    }
}
