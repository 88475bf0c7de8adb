//! Swapping: one person's face, drawn by a face model, over another's.

use effigy_face::Observation;
use effigy_face::align::mesh_view;
use effigy_frame::{Frame, Picture, Point2, Similarity, resample};
use effigy_model::face_mesh::Mesh;
use effigy_model::face_model::Drawn;
use effigy_model::{FaceMesh, FaceModel, OcclusionSegmenter};

use super::Driver;
use crate::error::Result;
use crate::overlay::{Change, SkinTone, Steady, overlay};
use crate::placement::{Drawings, Placement};

/// Whom a swap draws over whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// Position in the model of the person whose identity is drawn.
    pub source: usize,
    /// Position of the performer in the target clip, where the model draws them too.
    pub target: Option<usize>,
}

/// Draws one person of a face model over the faces it is given.
#[derive(Debug)]
pub struct Swap<'a> {
    model: &'a FaceModel,
    face_mesh: &'a FaceMesh,
    segmenter: &'a OcclusionSegmenter,
    roles: Roles,
    skin_tone: SkinTone,
    /// What must not flicker, by track.
    steady: Vec<(u32, Steady)>,
}

/// A face to be drawn over: its position among those of the frame, and where the drawing goes.
struct Placed<'a, 'f> {
    index: usize,
    face: &'a Observation<'f>,
    placement: Placement,
}

impl<'a> Swap<'a> {
    /// Draws with `model`; `face_mesh` tells where what was drawn lies, `segmenter` what is before the
    /// face.
    pub fn new(
        model: &'a FaceModel,
        face_mesh: &'a FaceMesh,
        segmenter: &'a OcclusionSegmenter,
        roles: Roles,
        skin_tone: SkinTone,
    ) -> Self {
        Self {
            model,
            face_mesh,
            segmenter,
            roles,
            skin_tone,
            steady: Vec::new(),
        }
    }

    /// The meshes of what was drawn, in pixels of the crops.
    fn meshes(&self, drawn: &[Drawn], placed: &[Placed<'_, '_>]) -> Vec<Vec<Point2>> {
        let side = FaceMesh::SIDE_PX;
        // The mesh network is shown the drawing from where it saw the face itself.
        let views: Option<Vec<Similarity>> = placed
            .iter()
            .map(|placed| {
                let frame_from_mesh = mesh_view(placed.face.points, side)?;
                let crop_from_frame = placed.placement.frame_from_crop.inverse()?;
                Some(crop_from_frame.of(frame_from_mesh))
            })
            .collect();
        // Aligned views can be inverted, so there is one for each.
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

    fn steady_of(&mut self, track: u32) -> &mut Steady {
        let position = self.steady.iter().position(|(other, _)| *other == track);
        let position = position.unwrap_or_else(|| {
            self.steady.push((track, Steady::new(self.skin_tone)));
            self.steady.len() - 1
        });
        &mut self.steady[position].1
    }
}

impl Driver for Swap<'_> {
    fn draw(
        &mut self,
        frame: &mut Frame,
        faces: &[Observation<'_>],
    ) -> Result<Vec<Option<Change>>> {
        let side = self.model.side_px();
        let learned = self.model.manifest().people[self.roles.source].poses;
        let placed: Vec<Placed<'_, '_>> = faces
            .iter()
            .enumerate()
            .filter_map(|(index, face)| {
                let placement = Placement::over(face, side, learned)?;
                Some(Placed {
                    index,
                    face,
                    placement,
                })
            })
            .collect();
        // The frame is still as it was seen; all crops are cut out before anything is drawn.
        let cut = |placed: &Placed<'_, '_>| {
            resample::crop(&frame.picture, placed.placement.frame_from_crop, side)
        };
        let crops: Vec<Picture> = placed.iter().map(cut).collect();
        let drawn = self.model.redraw(&crops, self.roles.source);
        let drawn_points = self.meshes(&drawn, &placed);
        let performer = self.roles.target;
        let performer = performer.map(|target| self.model.redraw(&crops, target));
        let secs = frame.time.secs();
        let mut changed = vec![None; faces.len()];
        for (i, placed) in placed.iter().enumerate() {
            let drawings = Drawings {
                source: &drawn[i],
                points: &drawn_points[i],
                target: performer.as_ref().map(|performer| &performer[i]),
            };
            let segmenter = self.segmenter;
            let steady = self.steady_of(placed.face.track);
            if steady.wants_occlusion(secs) {
                let side = OcclusionSegmenter::SIDE_PX;
                let seen = segmenter.segment(&resample::resize(&crops[i], side, side));
                steady.show_occlusion(&seen, secs);
            }
            changed[placed.index] = overlay(
                &mut frame.picture,
                &placed.placement,
                &drawings,
                secs,
                steady,
            );
        }
        Ok(changed)
    }
}
