//! Draws the solved head over the face.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use effigy_face::rig::{Part, Person, Pose, Rig};
use effigy_frame::Picture;
use effigy_media::{Limits, VideoReader};
use image::{Rgb, RgbImage};

use super::Seen;

/// Frames of a clip that are drawn.
const N_DRAWN: usize = 8;
/// Small pictures are enlarged to about this width.
const WIDTH: u32 = 960;

/// Writes some frames of a clip with the head's triangles over the face.
pub(super) fn frames(
    folder: &Path,
    rig: &Rig,
    person: &Person,
    seen: &Seen,
    poses: &[Pose],
) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {folder:?}"))?;
    let step = (poses.len() / N_DRAWN).max(1);
    let wanted: Vec<(usize, &Pose)> = seen
        .frames
        .iter()
        .zip(poses)
        .skip(step / 2)
        .step_by(step)
        .map(|((n, _, _), pose)| (*n, pose))
        .collect();
    for (n, frame) in VideoReader::open(&seen.path, &Limits::default())?.enumerate() {
        let Some((_, pose)) = wanted.iter().find(|(m, _)| *m == n) else {
            continue;
        };
        let path = folder.join(format!("{}-{n}.png", seen.name.replace(' ', "-")));
        overlay(&frame?.picture, rig, person, pose).save(&path)?;
    }
    Ok(())
}

fn overlay(picture: &Picture, rig: &Rig, person: &Person, pose: &Pose) -> RgbImage {
    let scale = (WIDTH as f32 / picture.width() as f32).max(1.0);
    let [width, height] =
        [picture.width(), picture.height()].map(|side| (side as f32 * scale) as u32);
    let mut image = RgbImage::from_fn(width, height, |x, y| {
        let [x, y] = [x, y].map(|c| (c as f32 / scale) as u32);
        Rgb(picture.get(x.min(picture.width() - 1), y.min(picture.height() - 1)))
    });
    let shaped = rig.shaped(person, &pose.weights, pose.gaze);
    let places: Vec<[f32; 3]> = shaped
        .into_iter()
        .map(|p| pose.head.apply(p).map(|c| c * scale))
        .collect();
    for triangle in rig.triangles() {
        let colour = match triangle.part {
            Part::Face => [60, 255, 120],
            Part::EyeRight | Part::EyeLeft => [255, 120, 60],
            _ => continue,
        };
        let [a, b, c] = triangle.corners.map(|i| places[usize::from(i)]);
        let turns = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        if turns > 0.0 {
            continue;
        }
        for (p, q) in [(a, b), (b, c), (c, a)] {
            line(&mut image, p, q, colour);
        }
    }
    image
}

fn line(image: &mut RgbImage, from: [f32; 3], to: [f32; 3], colour: [u8; 3]) {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let n = dx.abs().max(dy.abs()).ceil().clamp(1.0, 4000.0) as u32;
    for i in 0..=n {
        let t = i as f32 / n as f32;
        let (x, y) = (from[0] + t * dx, from[1] + t * dy);
        if x >= 0.0 && y >= 0.0 && (x as u32) < image.width() && (y as u32) < image.height() {
            let pixel = image.get_pixel_mut(x as u32, y as u32);
            let mix = |old: u8, new: u8| ((u16::from(old) + u16::from(new)) / 2) as u8;
            pixel.0 = [0, 1, 2].map(|k| mix(pixel.0[k], colour[k]));
        }
    }
}
