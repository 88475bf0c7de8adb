//! From a face in a frame to an upright crop of it: which view each network is shown.
//!
//! Views are similarity transforms, named `frame_from_crop`: they take a place in the crop to the
//! same place in the frame.

use effigy_frame::{Picture, Point2, Point3, Rect, Similarity, resample};
use effigy_model::{FaceEmbedder, Found, mean_mesh};

use crate::landmarks::{EYES, STABLE_POINTS, between_eyes, mouth_centre};

/// Side of the mesh network's view, in sizes of the face's upright box.
const MESH_VIEW_SIZES: f32 = 1.4;

/// What the face embedder's crop covers, in distances between the outer eye corners, and what its
/// middle shows: so that faces lie where dlib's own five points put them in the pictures that its
/// network was trained on. Medians over 492 faces of the training split, on which dlib's alignment
/// and ours differ by 1.4 degrees, 3 % in size and 3 px of 150 (standard deviations).
const IDENTITY_EXTENT: f32 = 2.0;
const IDENTITY_CENTRE: Point2 = Point2 { x: 0.01, y: 0.378 };

/// What a face model's crop covers, in distances between the outer eye corners: forehead to chin,
/// with room for an open mouth.
pub const MODEL_EXTENT: f32 = 2.0;

/// Gives the mesh network's view of a face whose mesh is known, as from the frame before.
///
/// `None` when the points coincide, which no face does.
pub fn mesh_view(points: &[Point3], side_px: u32) -> Option<Similarity> {
    let turn = upright_turn(between_eyes(points), mouth_centre(points))?;
    let level = Similarity::about(Point2::default(), Point2::default(), 1.0, -turn);
    let bounds = Rect::around(points.iter().map(|p| level.apply(p.xy())))?;
    let centre = level.inverse()?.apply(bounds.centre());
    view_around(centre, bounds.width.max(bounds.height), turn, side_px)
}

/// Gives the mesh network's view of a face that the finder found.
///
/// `None` when its points coincide.
pub fn mesh_view_from_found(found: &Found, side_px: u32) -> Option<Similarity> {
    let Placed { centre, size, turn } = placed(found)?;
    view_around(centre, size, turn, side_px)
}

/// Where a face is that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    pub(crate) centre: Point2,
    /// Longer side of the box that stands on its chin.
    pub(crate) size: f32,
    /// How far it is turned in the picture's plane, in radians.
    pub(crate) turn: f32,
}

/// Tells where a face is; `None` when its points coincide.
pub(crate) fn placed(found: &Found) -> Option<Placed> {
    let [right_eye, left_eye, _, right_mouth, left_mouth] = found.points;
    let turn = upright_turn(
        right_eye.midpoint(left_eye),
        right_mouth.midpoint(left_mouth),
    )?;
    // The upright box of a turned face is larger than the face, which is narrower than high.
    const WIDTH: f32 = 0.8;
    let (sin, cos) = (turn.sin().abs(), turn.cos().abs());
    let swell = (cos + WIDTH * sin).max(WIDTH * cos + sin);
    Some(Placed {
        centre: found.rect.centre(),
        size: found.rect.width.max(found.rect.height) / swell,
        turn,
    })
}

/// Gives the aligned view of a face: its stable points laid on those of the mean mesh.
///
/// `extent` is what the crop's side covers, in distances between the outer eye corners; 2.4 shows
/// the face from forehead to chin. `None` when the points coincide.
pub fn aligned_view(points: &[Point3], side_px: u32, extent: f32) -> Option<Similarity> {
    view_about(ALIGNED_CENTRE, points, side_px, extent)
}

/// Gives the view of a face in which its eyes are level, `eyes_px` apart from middle to middle, and the
/// middle between eyes and mouth is that of the crop.
///
/// `None` when the points coincide.
pub fn eye_view(points: &[Point3], side_px: u32, eyes_px: f32) -> Option<Similarity> {
    let [right, left] = EYES.map(|eye| points[eye.outer].xy().midpoint(points[eye.inner].xy()));
    let (dx, dy) = (left.x - right.x, left.y - right.y);
    let distance = dx.hypot(dy);
    let centre = right.midpoint(left).midpoint(mouth_centre(points));
    let middle = Point2::new(0.5 * side_px as f32, 0.5 * side_px as f32);
    let view = Similarity::about(middle, centre, distance / eyes_px, dy.atan2(dx));
    (distance > f32::EPSILON).then_some(view)
}

/// Cuts out what the face embedder is shown of a face: [`FaceEmbedder::SIDE_PX`] pixels a side.
///
/// `None` when the points coincide.
pub fn identity_crop(picture: &Picture, points: &[Point3]) -> Option<Picture> {
    let side = FaceEmbedder::SIDE_PX;
    let view = view_about(IDENTITY_CENTRE, points, side, IDENTITY_EXTENT)?;
    Some(resample::crop(picture, view, side))
}

/// Lays the stable points on those of the mean mesh; `centre` is what the crop's middle shows.
fn view_about(centre: Point2, points: &[Point3], side_px: u32, extent: f32) -> Option<Similarity> {
    let mean: Vec<Point2> = STABLE_POINTS.iter().map(|&i| mean_mesh()[i].xy()).collect();
    let here: Vec<Point2> = STABLE_POINTS.iter().map(|&i| points[i].xy()).collect();
    let frame_from_mean = Similarity::fit(&mean, &here).filter(|fit| fit.scale() > 0.0)?;
    let middle = Point2::new(0.5 * side_px as f32, 0.5 * side_px as f32);
    let mean_from_crop = Similarity::about(middle, centre, extent / side_px as f32, 0.0);
    Some(frame_from_mean.of(mean_from_crop))
}

/// What the middle of an aligned crop shows, in the mean mesh's space: the nose, below the bridge.
const ALIGNED_CENTRE: Point2 = Point2 { x: 0.0, y: 0.35 };

/// How far the face is turned in the picture's plane: 0 when the mouth is straight below the eyes.
fn upright_turn(eyes: Point2, mouth: Point2) -> Option<f32> {
    let (down_x, down_y) = (mouth.x - eyes.x, mouth.y - eyes.y);
    (down_x.hypot(down_y) > f32::EPSILON).then(|| (-down_x).atan2(down_y))
}

fn view_around(centre: Point2, size: f32, turn: f32, side_px: u32) -> Option<Similarity> {
    let middle = Point2::new(0.5 * side_px as f32, 0.5 * side_px as f32);
    let scale = MESH_VIEW_SIZES * size / side_px as f32;
    (scale > 0.0 && scale.is_finite()).then(|| Similarity::about(middle, centre, scale, turn))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landmarks::{LEFT_EYE, RIGHT_EYE};

    /// A face of 100 px between the eyes, turned by `turn_radians`.
    fn turned_face(turn_radians: f32) -> Vec<Point3> {
        let frame_from_mean = Similarity::about(
            Point2::default(),
            Point2::new(320.0, 240.0),
            100.0,
            turn_radians,
        );
        mean_mesh()
            .iter()
            .map(|&p| frame_from_mean.apply3(p))
            .collect()
    }

    #[test]
    fn a_turned_face_stands_upright_in_its_view() {
        for turn in [-1.2_f32, 0.0, 0.5, 3.0] {
            let points = turned_face(turn);
            let crop_from_frame = mesh_view(&points, 128).unwrap().inverse().unwrap();
            let inside = |i: usize| crop_from_frame.apply(points[i].xy());
            let (right, left) = (inside(RIGHT_EYE.outer), inside(LEFT_EYE.outer));
            assert!(left.x > right.x && (left.y - right.y).abs() < 0.5, "{turn}");
            let bounds = Rect::around((0..478).map(inside)).unwrap();
            let size = bounds.width.max(bounds.height);
            assert!(
                (size - 128.0 / MESH_VIEW_SIZES).abs() < 0.5,
                "{turn}: {size}"
            );
            assert!(bounds.centre().distance(Point2::new(64.0, 64.0)) < 0.5);
        }
    }

    #[test]
    fn aligned_view_puts_the_eyes_where_the_mean_has_them() {
        let points = turned_face(0.7);
        let crop_from_frame = aligned_view(&points, 240, 2.4).unwrap().inverse().unwrap();
        let right = crop_from_frame.apply(points[RIGHT_EYE.outer].xy());
        assert!(right.distance(Point2::new(70.0, 85.0)) < 0.5, "{right:?}");
    }

    #[test]
    fn points_that_coincide_have_no_view() {
        let nowhere = vec![Point3::new(5.0, 5.0, 0.0); 478];
        assert_eq!(mesh_view(&nowhere, 128), None);
        let picture = Picture::filled(64, 64, [90; 3]);
        assert_eq!(identity_crop(&picture, &nowhere), None);
        let broken = vec![Point3::new(f32::NAN, 5.0, 0.0); 478];
        assert_eq!(identity_crop(&picture, &broken), None);
        assert_eq!(aligned_view(&nowhere, 128, 2.4), None);
    }
}
