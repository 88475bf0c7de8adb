//! Dark lenses, and how dark the places of eyes are.

use effigy_face::align::{MODEL_EXTENT, aligned_view};
use effigy_frame::{Picture, Point2, Point3, resample};

use super::{Scene, cheek_luma};
use crate::cells::{CELLS, cells_of, cells_of_plane, neighbours, spread};
use crate::outline::Outline;

/// A lens is at most this bright, as a share of the cheeks.
const LENS: f32 = 0.35;
/// How far the place of an eye reaches, in eye distances from its middle.
const LENS_REACH: [f32; 2] = [0.2, 0.12];
/// The part of an eye's place that is as dark as that, from which on it is taken for a lens. Chosen by
/// hand on 37 clips of people and actors; `recipes eval lenses` prints what it costs.
pub const LENS_DARK: f32 = 0.8;

/// How much of the place of each eye is as dark as a dark lens, `0..=1`, right eye first; `points` are
/// the mesh in pixels of `frame`.
///
/// `None` where the face has no view.
pub fn lens_shares(frame: &Picture, points: &[Point3]) -> Option<[f32; 2]> {
    const SIDE: u32 = 2 * CELLS as u32;
    let frame_from_crop = aligned_view(points, SIDE, MODEL_EXTENT)?;
    let crop_from_frame = frame_from_crop.inverse()?;
    let in_crop = |p: &Point3| crop_from_frame.apply(p.xy());
    let points: Vec<Point2> = points.iter().map(in_crop).collect();
    let outline = Outline::new(&points, SIDE as usize);
    let colours = cells_of(&resample::crop(frame, frame_from_crop, SIDE));
    let darkest = LENS * cheek_luma(&colours, &outline);
    Some(outline.eyes.map(|eye| {
        let cells = eye_cells(&outline, eye);
        let n_dark = cells.iter().filter(|&&i| colours[i][0] < darkest).count();
        n_dark as f32 / cells.len().max(1) as f32
    }))
}

/// The cells of the place of an eye.
fn eye_cells(outline: &Outline, eye: Point2) -> Vec<usize> {
    let scale = outline.mesh.width() as f32 / CELLS as f32;
    let [wide, high] = LENS_REACH.map(|reach| reach * outline.eye_distance / scale);
    let is_eye = |i: &usize| {
        let (x, y) = ((i % CELLS) as f32 + 0.5, (i / CELLS) as f32 + 0.5);
        let (u, v) = ((x - eye.x / scale) / wide, (y - eye.y / scale) / high);
        u * u + v * v <= 1.0
    };
    (0..CELLS * CELLS).filter(is_eye).collect()
}

/// Dark lenses, which touch no rim: where all of an eye is dark, and what is as dark around it.
pub(super) fn dark_lenses(colours: &[[f32; 3]], scene: &Scene<'_>) -> Vec<bool> {
    let outline = scene.outline;
    let darkest = LENS * cheek_luma(colours, outline);
    let is_dark = |i: usize| colours[i][0] < darkest;
    let mut first = Vec::new();
    for eye in outline.eyes {
        let cells = eye_cells(outline, eye);
        let dark: Vec<usize> = cells.iter().copied().filter(|&i| is_dark(i)).collect();
        if LENS_DARK * cells.len() as f32 <= dark.len() as f32 {
            first.extend(dark);
        }
    }
    let around = cells_of_plane(&outline.around_eyes);
    let lenses = spread(first, |i| is_dark(i) && 0.0 < around[i]);
    // The cells beside: an edge is half lens.
    let touches = |i: usize| lenses[i] || neighbours(i).any(|j| lenses[j]);
    (0..lenses.len()).map(touches).collect()
}
