//! A swap against the ground truth: for an actor's clip, the same performance played by the other
//! actor.
//!
//! The other actor's head is of another size, which a swap cannot know: it leaves the head as large
//! as it was. So both faces are aligned by the points that move with the head alone, and compared
//! inside the face, which masks beside the clip give. Comparing before encoding leaves labels and
//! watermarks out.

use std::path::Path;

use effigy_actors::truth::Masks;
use effigy_face::align::{MODEL_EXTENT, aligned_view, mesh_view};
use effigy_face::landmarks::{
    LEFT_BROW_RIM, LEFT_EYE_RIM, NOSE_RIM, OUTER_LIPS, RIGHT_BROW_RIM, RIGHT_EYE_RIM,
};
use effigy_face::mask::hull;
use effigy_frame::{Picture, Point2, Point3, Similarity, resample};
use effigy_media::{Limits, VideoReader};
use effigy_model::{FaceMesh, FaceModel};
use serde::Serialize;

use super::likeness::{Likeness, Sums, psnr, square};
use super::{BeforeAfter, Mean};
use crate::error::Result;

/// A swap against the ground truth.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct GroundTruth {
    /// The result.
    pub after: Likeness,
    /// The target clip, as it was before.
    pub before: Likeness,
    /// The ground truth itself, redrawn by the model: what this training can reach.
    pub redrawn: Likeness,
    /// The result without alignment, so that the size of the head counts too.
    pub in_place: Likeness,
    /// Peak signal-to-noise ratio of the result by part of the face.
    pub regions: Vec<Region>,
}

/// One part of the face.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Region {
    /// What it is.
    pub name: &'static str,
    /// Peak signal-to-noise ratio in decibels.
    pub psnr_db: f64,
}

/// Frames compared: every fifth.
const EVERY: u64 = 5;
/// The parts, in the order in which a pixel is looked for; what is left is skin.
pub(super) const REGIONS: [&str; 5] = ["  eyes", "  brows", "  mouth", "  nose", "  skin"];

/// Side of the crops that are compared, about the size of an actor's face.
const SIDE: u32 = 160;
/// Pixels nearer than this to the rim of the mask do not count.
const RIM_PX: i32 = 2;

/// Redraws the ground truth, to show what a training can reach.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Redrawing<'a> {
    pub(crate) model: &'a FaceModel,
    /// Position in the model of the person who is drawn.
    pub(crate) person: usize,
}

/// Compares with the ground truth while a swap runs.
pub(crate) struct Comparison<'a> {
    frames: VideoReader,
    masks: Masks,
    face_mesh: &'a FaceMesh,
    redrawing: Redrawing<'a>,
    after: Sums,
    before: Sums,
    redrawn: Sums,
    in_place: Sums,
    regions: [Mean; REGIONS.len()],
}

/// One frame of the ground truth.
#[derive(Clone, Copy)]
struct Truth<'a> {
    picture: &'a Picture,
    /// Which of its pixels are face.
    face: &'a [bool],
}

impl<'a> Comparison<'a> {
    /// Opens the clip and the masks beside it.
    pub(crate) fn open(
        clip: &Path,
        face_mesh: &'a FaceMesh,
        redrawing: Redrawing<'a>,
    ) -> Result<Self> {
        Ok(Self {
            frames: VideoReader::open(clip, &Limits::default())?,
            masks: Masks::read(clip)?,
            face_mesh,
            redrawing,
            after: Sums::default(),
            before: Sums::default(),
            redrawn: Sums::default(),
            in_place: Sums::default(),
            regions: Default::default(),
        })
    }

    /// Takes in frame `index`, and the mesh of its face.
    pub(super) fn take(
        &mut self,
        index: u64,
        both: BeforeAfter<'_>,
        points: &[Point3],
    ) -> Result<()> {
        let frame = loop {
            match self.frames.next() {
                Some(frame) => {
                    let frame = frame?;
                    if frame.index == index {
                        break frame.picture;
                    }
                }
                None => return Ok(()),
            }
        };
        let is_due = index.is_multiple_of(EVERY);
        let has_size = |p: &Picture| (p.width(), p.height()) == (frame.width(), frame.height());
        if is_due && has_size(both.after) {
            let face = self.masks.face(
                index as usize,
                frame.width() as usize,
                frame.height() as usize,
            );
            self.in_place.add(both.after, &frame, &face);
            let truth = Truth {
                picture: &frame,
                face: &face,
            };
            self.compare(both, points, truth);
        }
        Ok(())
    }

    /// Compares crops in which both faces lie alike.
    fn compare(&mut self, both: BeforeAfter<'_>, points: &[Point3], truth: Truth<'_>) {
        let frame = truth.picture;
        let Some((theirs, found)) = self.look(frame, points) else {
            return;
        };
        let Some(ours) = aligned_view(points, SIDE, MODEL_EXTENT) else {
            return;
        };
        let right = resample::crop(frame, theirs, SIDE);
        let face = face_in_crop(truth.face, frame.width(), theirs);
        let [before, after] =
            [both.before, both.after].map(|picture| resample::crop(picture, ours, SIDE));
        self.after.add(&after, &right, &face);
        self.before.add(&before, &right, &face);
        self.redrawn.add(&self.redraw(frame, theirs), &right, &face);
        let Some(crop_from_frame) = theirs.inverse() else {
            return;
        };
        let in_crop = |&point: &Point3| crop_from_frame.apply3(point);
        let parts = parts(&found.iter().map(in_crop).collect::<Vec<_>>());
        for i in (0..SIDE * SIDE).filter(|&i| face[i as usize]) {
            let (x, y) = (i % SIDE, i / SIDE);
            let square = square(&after, &right, x, y);
            self.regions[part_at(&parts, x, y)].add(Some(square));
        }
    }

    /// Finds the face in the ground truth near `points`: its aligned view, and its mesh.
    fn look(&self, frame: &Picture, points: &[Point3]) -> Option<(Similarity, Vec<Point3>)> {
        let mut found = points.to_vec();
        // The first fit starts where the other head was, the second where this one is.
        for _ in 0..2 {
            let view = mesh_view(&found, FaceMesh::SIDE_PX)?;
            let mesh = self
                .face_mesh
                .fit(&resample::crop(frame, view, FaceMesh::SIDE_PX));
            found = mesh
                .points
                .iter()
                .map(|&point| view.apply3(point))
                .collect();
        }
        Some((aligned_view(&found, SIDE, MODEL_EXTENT)?, found))
    }

    fn redraw(&self, frame: &Picture, frame_from_crop: Similarity) -> Picture {
        let Redrawing { model, person } = self.redrawing;
        let side = model.side_px();
        let larger = SIDE as f32 / side as f32;
        let crop_from_small = Similarity {
            a: larger,
            ..Similarity::IDENTITY
        };
        let crop = resample::crop(frame, frame_from_crop.of(crop_from_small), side);
        let drawn = model.redraw(&[crop], person);
        resample::resize(&drawn[0].picture, SIDE, SIDE)
    }

    pub(super) fn finish(&self) -> GroundTruth {
        GroundTruth {
            after: self.after.likeness(),
            before: self.before.likeness(),
            redrawn: self.redrawn.likeness(),
            in_place: self.in_place.likeness(),
            regions: named_regions(&self.regions),
        }
    }
}

/// The parts of which something was seen, by the mean square of what is wrong in each.
pub(super) fn named_regions(squares: &[Mean; REGIONS.len()]) -> Vec<Region> {
    let named = REGIONS.iter().zip(squares);
    let regions = named.filter_map(|(&name, mean)| {
        let psnr_db = psnr(mean.get()?);
        Some(Region { name, psnr_db })
    });
    regions.collect()
}

/// Which pixels of a crop are face, [`RIM_PX`] or more from its edge.
fn face_in_crop(face: &[bool], width: u32, frame_from_crop: Similarity) -> Vec<bool> {
    let height = face.len() as i32 / width as i32;
    let is_face = |i: u32| {
        let at = Point2::new((i % SIDE) as f32 + 0.5, (i / SIDE) as f32 + 0.5);
        let at = frame_from_crop.apply(at);
        let (x, y) = (at.x.floor() as i32, at.y.floor() as i32);
        [(0, 0), (-RIM_PX, 0), (RIM_PX, 0), (0, -RIM_PX), (0, RIM_PX)]
            .iter()
            .map(|(right, down)| (x + right, y + down))
            .all(|(x, y)| {
                (0..width as i32).contains(&x)
                    && (0..height).contains(&y)
                    && face[(y * width as i32 + x) as usize]
            })
    };
    (0..SIDE * SIDE).map(is_face).collect()
}

/// The hulls of the parts, each with its number.
pub(super) fn parts(points: &[Point3]) -> Vec<(usize, Vec<Point2>)> {
    let around = |part: usize, outline: &[usize]| {
        let points: Vec<Point2> = outline.iter().map(|&i| points[i].xy()).collect();
        (part, hull(&points))
    };
    vec![
        around(0, &RIGHT_EYE_RIM),
        around(0, &LEFT_EYE_RIM),
        around(1, &RIGHT_BROW_RIM),
        around(1, &LEFT_BROW_RIM),
        around(2, &OUTER_LIPS),
        around(3, &NOSE_RIM),
    ]
}

pub(super) fn part_at(parts: &[(usize, Vec<Point2>)], x: u32, y: u32) -> usize {
    let at = Point2::new(x as f32 + 0.5, y as f32 + 0.5);
    let found = parts.iter().find(|(_, corners)| is_inside(corners, at));
    found.map_or(REGIONS.len() - 1, |(part, _)| *part)
}

/// Whether a place lies inside a convex shape given clockwise.
fn is_inside(corners: &[Point2], at: Point2) -> bool {
    let sides = corners.iter().zip(corners.iter().cycle().skip(1));
    !corners.is_empty()
        && sides
            .into_iter()
            .all(|(a, b)| (b.x - a.x) * (at.y - a.y) - (b.y - a.y) * (at.x - a.x) >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rim_of_the_face_is_left_out() {
        let face: Vec<bool> = (0..400).map(|i| i % 20 < 10).collect();
        let frame_from_crop = Similarity {
            a: 20.0 / SIDE as f32,
            ..Similarity::IDENTITY
        };
        let found = face_in_crop(&face, 20, frame_from_crop);
        let at = |x: u32, y: u32| found[(y * SIDE / 20 * SIDE + x * SIDE / 20) as usize];
        assert!(at(5, 10) && at(7, 10));
        assert!(!at(8, 10) && !at(12, 10) && !at(5, 1));
    }

    #[test]
    fn places_belong_to_the_part_around_them() {
        let square = [(2.0, 2.0), (6.0, 2.0), (6.0, 6.0), (2.0, 6.0)];
        let corners = hull(&square.map(|(x, y)| Point2::new(x, y)));
        let parts = [(2, corners)];
        assert_eq!(part_at(&parts, 4, 4), 2);
        assert_eq!(part_at(&parts, 7, 4), REGIONS.len() - 1);
    }
}
