//! Blinks in real clips, against those that were counted by hand.

use std::path::Path;

use anyhow::{Context as _, Result};
use effigy_face::rig::{
    Acquaintance, Pose, Rest, Rig, Solver, SolverSettings, expression, relative,
};
use effigy_frame::Frame;
use effigy_media::{Limits, VideoReader};
use effigy_model::Weights;
use serde::Deserialize;

use super::rig::tracker;
use crate::device::DeviceArgs;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
}

/// What was counted by hand.
#[derive(Deserialize)]
struct Counted {
    clip: Vec<Clip>,
}

#[derive(Deserialize)]
struct Clip {
    /// In the folder of data.
    file: String,
    /// First and last time of each blink, in seconds.
    shut: Vec<[f64; 2]>,
}

/// The weight of the lids, beyond what they have at rest, from which on eyes are shut.
const SHUT: f32 = 0.5;
/// Blinks nearer than this are one, and a blink is found if it is off by no more, in seconds.
const NEAR_SECS: f64 = 0.1;

/// Prints how many blinks are found, and how many that are none.
pub(crate) fn measure(data: &Path, args: &Args) -> Result<()> {
    let counted: Counted = toml::from_str(include_str!("blinks.toml"))?;
    let rig = Rig::load(&Weights::from_source_tree()?)?;
    let (mut n_found, mut n_all, mut n_false, mut secs) = (0, 0, 0, 0.0);
    for clip in &counted.clip {
        let path = data.join(&clip.file);
        let watched = watch(&path, &rig, &args.device)?;
        let blinks = blinks(&watched);
        let is_met =
            |a: &[f64; 2], b: &[f64; 2]| a[0] <= b[1] + NEAR_SECS && b[0] <= a[1] + NEAR_SECS;
        let found = clip
            .shut
            .iter()
            .filter(|true_one| blinks.iter().any(|b| is_met(b, true_one)));
        let found = found.count();
        let wrong: Vec<&[f64; 2]> = blinks
            .iter()
            .filter(|blink| !clip.shut.iter().any(|true_one| is_met(true_one, blink)))
            .collect();
        let length = watched.last().map_or(0.0, |(secs, _)| *secs);
        println!(
            "{:32} {found} of {} found, {} false: {wrong:.2?}",
            clip.file,
            clip.shut.len(),
            wrong.len()
        );
        n_found += found;
        n_all += clip.shut.len();
        n_false += wrong.len();
        secs += length;
    }
    let share = 100.0 * n_found as f64 / n_all as f64;
    let a_minute = 60.0 * n_false as f64 / secs;
    println!(
        "all: {n_found} of {n_all} found ({share:.0} %), {n_false} false in {secs:.0} s, {a_minute:.1} a minute"
    );
    Ok(())
}

/// How far the lids are down in each frame, beyond what they have at rest, with its time.
fn watch(path: &Path, rig: &Rig, device: &DeviceArgs) -> Result<Vec<(f64, f32)>> {
    let mut tracker = tracker(&Weights::from_source_tree()?, device)?;
    let mut known = Acquaintance::default();
    let mut faces = Vec::new();
    for frame in VideoReader::open(path, &Limits::default())? {
        let frame: Frame = frame?;
        let secs = frame.time.secs();
        let seen = tracker.follow(&frame.picture, secs);
        let largest = seen
            .into_iter()
            .max_by(|a, b| a.rect.area().total_cmp(&b.rect.area()));
        if let Some(face) = largest {
            known.add(&face.points);
            faces.push((secs, face.points));
        }
    }
    let person = known
        .person(rig)
        .with_context(|| format!("no face in {path:?}"))?;
    let mut solver = Solver::new(SolverSettings::default());
    let mut rest = Rest::default();
    let poses: Vec<(f64, Pose)> = faces
        .iter()
        .map(|(secs, points)| {
            let pose = solver.solve(rig, &person, points, *secs);
            rest.add(&pose.weights);
            (*secs, pose)
        })
        .collect();
    let at_rest = rest.weights();
    let [left, right] = ["eyeBlink_L", "eyeBlink_R"].map(expression);
    let lids = poses.into_iter().map(|(secs, pose)| {
        let weights = relative(&pose.weights, &at_rest);
        (secs, 0.5 * (weights[left] + weights[right]))
    });
    Ok(lids.collect())
}

/// First and last time of each run of frames in which the eyes are shut.
fn blinks(lids: &[(f64, f32)]) -> Vec<[f64; 2]> {
    let mut blinks: Vec<[f64; 2]> = Vec::new();
    for &(secs, _) in lids.iter().filter(|(_, lid)| SHUT <= *lid) {
        match blinks.last_mut() {
            Some([_, last]) if secs - *last <= NEAR_SECS => *last = secs,
            _ => blinks.push([secs, secs]),
        }
    }
    blinks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_in_which_eyes_are_shut_make_blinks() {
        let lids = [0.0, 0.1, 0.9, 0.8, 0.2, 0.1, 0.1, 0.1, 0.7, 0.0];
        let lids = lids.iter().enumerate();
        let lids: Vec<(f64, f32)> = lids.map(|(n, &lid)| (0.04 * n as f64, lid)).collect();
        assert_eq!(blinks(&lids), [[0.08, 0.12], [0.32, 0.32]]);
    }
}
