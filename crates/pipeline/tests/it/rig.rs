//! The rig against actors: every weight, where they look and how they are turned is known.

use std::path::Path;

use effigy_actors::truth::{Played, Points, Record};
use effigy_face::rig::{
    Acquaintance, N_EXPRESSIONS, Person, Pose, Rest, Rig, Solver, SolverSettings, expression,
    relative,
};
use effigy_frame::Point3;
use effigy_model::Weights;

/// A clip's true points, and what the actor does in it.
fn clip(name: &str) -> (Vec<Vec<Point3>>, Played) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    let path = folder.join(name).with_extension("mp4");
    let mut record = Record::read(&path).unwrap();
    let points = Points::read(&path, 1).unwrap().points;
    let points = points.into_iter().map(|mut people| people.swap_remove(0));
    (points.collect(), record.people.swap_remove(0))
}

fn solve(rig: &Rig, person: &Person, frames: &[Vec<Point3>]) -> Vec<Pose> {
    let mut solver = Solver::new(SolverSettings::default());
    let mut solve =
        |(n, points): (usize, &Vec<Point3>)| solver.solve(rig, person, points, n as f64 / 25.0);
    frames.iter().enumerate().map(&mut solve).collect()
}

fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let values: Vec<f32> = values.collect();
    values.iter().sum::<f32>() / values.len() as f32
}

#[test]
fn weights_and_gaze_of_actors_are_found_from_their_points() {
    let rig = Rig::load(&Weights::from_source_tree().unwrap());
    let rig = rig.unwrap().for_true_points();
    for name in ["ada-1", "ben-2"] {
        let (frames, played) = clip(name);
        let mut known = Acquaintance::default();
        frames.iter().for_each(|points| known.add(points));
        let poses = solve(&rig, &known.person(&rig).unwrap(), &frames);
        let mut rest = Rest::default();
        poses.iter().for_each(|pose| rest.add(&pose.weights));
        let at_rest = rest.weights();
        let found: Vec<[f32; N_EXPRESSIONS]> = poses
            .iter()
            .map(|pose| relative(&pose.weights, &at_rest))
            .collect();
        for (what, most) in [
            ("jawOpen", 0.06),
            ("eyeBlink_L", 0.06),
            ("browInnerUp_R", 0.10),
            ("mouthFunnel", 0.06),
            ("mouthRollLower", 0.06),
        ] {
            let (k, truth) = (expression(what), &played.expression[what]);
            let gaps = found.iter().zip(truth);
            let error = mean(gaps.map(|(f, t)| (f[k] - *t as f32 / 100.0).abs()));
            assert!(error < most, "{name}: {what} is off by {error}");
        }
        let off = poses.iter().zip(&played.gaze).map(|(pose, truth)| {
            let [yaw, pitch] = truth.map(|tenths| tenths as f32 / 10.0);
            (pose.gaze[0].yaw - yaw).hypot(pose.gaze[0].pitch - pitch)
        });
        let off = mean(off);
        assert!(off < 3.0, "{name}: the right eye is off by {off}°");
        let off = poses.iter().zip(&played.pose).map(|(pose, truth)| {
            let angles = pose.head.angles();
            (angles.yaw - truth[0] as f32 / 10.0).hypot(angles.pitch - truth[1] as f32 / 10.0)
        });
        // The camera is near, so that perspective turns what stands aside.
        let off = mean(off);
        assert!(off < 4.0, "{name}: the head is off by {off}°");
    }
}

#[test]
fn a_clip_that_starts_with_an_open_mouth_has_the_same_rest() {
    let rig = Rig::load(&Weights::from_source_tree().unwrap());
    let rig = rig.unwrap().for_true_points();
    let (frames, played) = clip("ben-1");
    let jaw = expression("jawOpen");
    let truth = &played.expression["jawOpen"];
    let widest = truth.iter().max().unwrap();
    let open = truth
        .iter()
        .position(|weight| 3 * weight > 2 * widest)
        .unwrap();
    // The same clip, cut so that it begins in the middle of a word.
    let late = &frames[open..];
    assert!(late.len() > 100, "{open}");
    let mut whole = Acquaintance::default();
    frames.iter().for_each(|points| whole.add(points));
    let mut cut = Acquaintance::default();
    late.iter().for_each(|points| cut.add(points));
    let [a, b] = [&whole, &cut].map(|known| {
        let poses = solve(&rig, &known.person(&rig).unwrap(), late);
        mean(poses.iter().take(10).map(|pose| pose.weights[jaw]))
    });
    assert!(
        (a - b).abs() < 0.06,
        "{a} in the whole clip, {b} in the cut one"
    );
}
