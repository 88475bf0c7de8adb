//! Dark hair over forehead and temples.

use super::{INSIDE, Scene, cheek_luma};
use crate::cells::{CELLS, drop_small, neighbours, spread};

/// Hair over forehead and temples: much darker than the cheeks, above the brows or beside them, or
/// beside the mesh, and connected to the rim.
pub(super) fn fringe(colours: &[[f32; 3]], darkness: f32, scene: &Scene<'_>) -> Vec<bool> {
    let Scene {
        outline,
        mesh,
        wide,
    } = scene;
    let scale = outline.mesh.width() as f32 / CELLS as f32;
    let darkest = darkness * cheek_luma(colours, outline);
    let is_above = |i: usize| {
        let column = (((i % CELLS) as f32 + 0.5) * scale) as usize;
        ((i / CELLS) as f32 + 0.5) * scale < outline.forehead_ends[column]
    };
    let is_temple = |i: usize| {
        let (x, y) = (
            ((i % CELLS) as f32 + 0.5) * scale,
            ((i / CELLS) as f32 + 0.5) * scale,
        );
        let [left, right] = outline.temples;
        (x < left.x && y < left.y) || (right.x < x && y < right.y)
    };
    // Brows, lashes and nostrils are dark too: only where none of them can be is dark hair.
    let is_inside = |i: usize| 0.0 < wide[i] && (is_above(i) || is_temple(i) || mesh[i] < INSIDE);
    let is_hair = |i: usize| is_inside(i) && colours[i][0] < darkest;
    let is_rim = |i: usize| i < CELLS || neighbours(i).any(|i| wide[i] <= 0.0);
    let first = (0..colours.len()).filter(|&i| is_rim(i) && is_hair(i));
    let mut hair = spread(first.collect(), is_hair);
    drop_small(&mut hair);
    hair
}
