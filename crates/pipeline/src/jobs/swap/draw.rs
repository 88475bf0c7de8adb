//! One frame of a swap: cut out, draw, lay over, measure.

use effigy_face::align::{MODEL_EXTENT, aligned_view, mesh_view};
use effigy_face::pose::pose;
use effigy_frame::{Frame, Picture, Point2, Similarity, resample};
use effigy_model::face_mesh::Mesh;
use effigy_model::face_model::Drawn;
use effigy_model::{FaceMesh, FaceModel};
use effigy_render::{Complexion, Faces, Place, Steady, overlay};

use crate::error::Result;
use crate::steps::people::Posed;
use crate::steps::quality::{Measuring, Replaced};

/// Yaw from which a drawn face begins to fade, and from which it is gone, in degrees.
const FADE_YAW_DEGREES: [f32; 2] = [50.0, 68.0];

/// Draws one person over wanted faces.
pub(super) struct Renderer<'a> {
    pub(super) model: &'a FaceModel,
    pub(super) face_mesh: &'a FaceMesh,
    /// Whom to draw.
    pub(super) person: usize,
    /// Who is in front of the camera, where the model draws them.
    pub(super) own: Option<usize>,
    pub(super) complexion: Complexion,
    pub(super) steady: Vec<(u32, Steady)>,
    pub(super) measuring: Measuring<'a>,
    pub(super) n_swapped: u64,
}

impl Renderer<'_> {
    /// Draws over `faces` in `frame`, of which `source` is a copy.
    pub(super) fn draw(
        &mut self,
        frame: &mut Frame,
        faces: &[Posed],
        source: &Picture,
    ) -> Result<()> {
        let side = self.model.side_px();
        let views: Vec<(&Posed, Similarity, f32)> = faces
            .iter()
            .filter_map(|face| {
                let opacity = opacity(pose(&face.points).yaw);
                let view = aligned_view(&face.points, side, MODEL_EXTENT)?;
                (0.0 < opacity).then_some((face, view, opacity))
            })
            .collect();
        let cut = |(_, view, _): &(&Posed, Similarity, f32)| resample::crop(source, *view, side);
        let crops: Vec<Picture> = views.iter().map(cut).collect();
        let drawn = self.model.redraw(&crops, self.person);
        let drawn_points = self.meshes(&drawn, &views);
        let own = self.own.map(|own| self.model.redraw(&crops, own));
        let secs = frame.time.secs();
        let mut replaced = Vec::new();
        for (i, (face, frame_from_crop, opacity)) in views.into_iter().enumerate() {
            let points: Vec<Point2> = face.points.iter().map(|p| p.xy()).collect();
            let place = Place {
                frame_from_crop,
                points,
                opacity,
            };
            let faces = Faces {
                drawn: &drawn[i],
                points: &drawn_points[i],
                own: own.as_ref().map(|own| &own[i]),
            };
            let steady = steady_of(&mut self.steady, face.track, self.complexion);
            if let Some(laid) = overlay(&mut frame.picture, &place, &faces, secs, steady) {
                replaced.push(Replaced {
                    track: face.track,
                    points: &face.points,
                    laid,
                });
            }
        }
        self.n_swapped += u64::from(!replaced.is_empty());
        self.measuring.take(source, frame, &replaced)
    }

    /// The meshes of what was drawn, in pixels of the crops.
    fn meshes(&self, drawn: &[Drawn], views: &[(&Posed, Similarity, f32)]) -> Vec<Vec<Point2>> {
        let side = FaceMesh::SIDE_PX;
        let pairs = drawn.iter().zip(views);
        let views: Option<Vec<Similarity>> = pairs
            .clone()
            .map(|(_, (face, frame_from_crop, _))| {
                let frame_from_mesh = mesh_view(&face.points, side)?;
                Some(frame_from_crop.inverse()?.of(frame_from_mesh))
            })
            .collect();
        // Aligned views lead back, so there is one for each.
        let views = views.unwrap_or_default();
        let crops: Vec<Picture> = drawn
            .iter()
            .zip(&views)
            .map(|(drawn, view)| resample::crop(&drawn.picture, *view, side))
            .collect();
        let meshes = self.face_mesh.fit_all(&crops);
        let in_crop = |(mesh, view): (Mesh, &Similarity)| {
            mesh.points.iter().map(|p| view.apply3(*p).xy()).collect()
        };
        meshes.into_iter().zip(&views).map(in_crop).collect()
    }
}

fn steady_of(all: &mut Vec<(u32, Steady)>, track: u32, complexion: Complexion) -> &mut Steady {
    let place = match all.iter().position(|(other, _)| *other == track) {
        Some(place) => place,
        None => {
            all.push((track, Steady::new(complexion)));
            all.len() - 1
        }
    };
    &mut all[place].1
}

/// Full when the face is seen from the front, nothing in profile.
fn opacity(yaw_degrees: f32) -> f32 {
    let [from, to] = FADE_YAW_DEGREES;
    1.0 - ((yaw_degrees.abs() - from) / (to - from)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_fades_out() {
        assert!((opacity(10.0) - 1.0).abs() < 1e-6);
        assert!(opacity(-59.0) < 0.6 && 0.4 < opacity(-59.0));
        assert!(opacity(80.0) <= 0.0);
    }
}
