//! Heads drawn turned to the side, to the profile and beyond what the committed clips show.

use std::path::Path;

use anyhow::Result;
use effigy_actors::{Clip, Head, Line, Set, committed};
use effigy_face::pose::pose;
use effigy_face::track::{SearchNetworks, TrackSettings, find_closely};
use effigy_frame::Rect;
use effigy_model::FaceMesh;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::{Sums, fitted, judged};

/// How far the actors are turned, in degrees.
const TURNS: [f32; 6] = [-85.0, -65.0, -50.0, 50.0, 65.0, 85.0];
/// Bins of the true yaw to either side, in degrees.
const BINS: [(f32, f32); 5] = [
    (30.0, 45.0),
    (45.0, 60.0),
    (60.0, 75.0),
    (75.0, 90.0),
    (90.0, 180.0),
];
/// Frames drawn of each clip and turn, as many apart.
const FRAMES: u32 = 6;
const APART: usize = 30;
const SIDE_PX: usize = 320;

/// Draws actors turned to the side and prints the error of the mesh by their yaw.
pub(crate) fn measure(data: &Path, networks: &SearchNetworks, face_mesh: &FaceMesh) -> Result<()> {
    let head = Head::open(&data.join("head/head.safetensors"))?;
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut bins: Vec<Sums> = BINS.iter().map(|_| Sums::default()).collect();
    let clips = committed();
    let alone = clips
        .iter()
        .filter(|clip| ["ada-1", "ben-1", "ada-2-as-ben"].contains(&clip.name));
    for (clip, turn) in alone.flat_map(|clip| TURNS.map(|turn| (clip, turn))) {
        let clip: Clip = clip.clone().turned(turn.to_radians());
        let set = Set::new(&head, &clip, &Line::default(), SIDE_PX)?;
        let mut canvas = set.canvas();
        for n in (0..).step_by(APART).take(FRAMES as usize) {
            let shot = set.shot(&mut canvas, n)?;
            let points = &shot.points[0];
            let yaw = pose(points).yaw.abs();
            let bin = BINS
                .iter()
                .position(|(from, below)| (*from..*below).contains(&yaw));
            let (Some(bin), Some(fitted)) =
                (bin, fitted(face_mesh, &shot.picture, points, &mut random))
            else {
                continue;
            };
            let mut sums = judged(points, &fitted);
            let outline = Rect::around(points.iter().map(|p| p.xy())).unwrap_or_default();
            let found = find_closely(networks, &shot.picture, &TrackSettings::default().find);
            let is_found = found
                .iter()
                .any(|f| f.score >= networks.detector.least_score() && f.rect.iou(outline) > 0.4);
            sums.n_found = f64::from(u8::from(is_found));
            bins[bin].add(&sums);
        }
    }
    println!("drawn turned to the side, by true yaw:");
    for ((from, below), sums) in BINS.iter().zip(&bins) {
        sums.print(&format!("{from}° to {below}°"));
    }
    Ok(())
}
