//! Whole ways through the rig: what it poses, it solves.

use effigy_frame::Point3;

use super::*;
use crate::landmarks::EYES;

fn rig() -> Rig {
    let rig = Rig::load(&Weights::from_source_tree().unwrap());
    rig.unwrap().for_true_points()
}

/// Weights of the named expressions.
fn weights(named: &[(&str, f32)]) -> [f32; N_EXPRESSIONS] {
    let mut weights = [0.0; N_EXPRESSIONS];
    for (name, weight) in named {
        weights[expression(name)] = *weight;
    }
    weights
}

/// Turned to the right, up, and tilted a little, 40 pixels a centimetre.
fn placement() -> Placement {
    let mut head = Placement {
        scale: 40.0,
        shift: [500.0, 400.0, 10.0],
        ..Placement::default()
    };
    head.nudge([0.15, -0.3, 0.1, 0.0, 0.0, 0.0, 0.0]);
    head
}

/// The mesh points of a person in the picture, irises included.
fn points(
    rig: &Rig,
    person: &Person,
    weights: &[f32; N_EXPRESSIONS],
    gaze: Gaze,
    head: &Placement,
) -> Vec<Point3> {
    let point = |p: Vec3| {
        let [x, y, z] = head.apply(p);
        Point3::new(x, y, z)
    };
    let skin = rig.skin_points(person, weights);
    let mut points: Vec<Point3> = skin.into_iter().map(point).collect();
    for eye in person.eyes() {
        let [x, y, z] = eye.middle;
        let front = eye.turned([x, y, z - 1.1 * eye.radius], gaze);
        points.extend([point(front); 5]);
    }
    points
}

const SAID: &[(&str, f32)] = &[
    ("jawOpen", 0.5),
    ("mouthSmile_L", 0.6),
    ("eyeBlink_R", 0.9),
    ("browInnerUp_L", 0.7),
    ("browInnerUp_R", 0.7),
];

#[test]
fn what_is_posed_is_solved() {
    let rig = rig();
    let mut identity = [0.0; N_MODES];
    identity[..4].copy_from_slice(&[1.2, -0.8, 0.5, 1.0]);
    let person = Person::new(&rig, identity, vec![[0.0; 3]; N_SKIN_POINTS]);
    let (head, looks) = (
        placement(),
        Gaze {
            yaw: 12.0,
            pitch: 0.0,
        },
    );
    let mut said = weights(SAID);
    said[expression("eyeLookIn_R")] = 0.4;
    said[expression("eyeLookOut_L")] = 0.4;
    let seen = points(&rig, &person, &said, looks, &head);
    let pose = Solver::new(SolverSettings::default()).solve(&rig, &person, &seen, 0.0);
    for (k, name) in EXPRESSIONS.iter().enumerate() {
        // The prior draws to 0, and what looks alike shares.
        let gap = (pose.weights[k] - said[k]).abs();
        assert!(gap < 0.2, "{name}: {} of {}", pose.weights[k], said[k]);
    }
    let (found, truth) = (pose.head.angles(), head.angles());
    assert!((found.yaw - truth.yaw).abs() < 1.0, "{found:?} {truth:?}");
    assert!((found.pitch - truth.pitch).abs() < 1.0);
    assert!((pose.head.scale / head.scale - 1.0).abs() < 0.02);
    for gaze in pose.gaze {
        assert!((gaze.yaw - 12.0).abs() < 2.0, "{gaze:?}");
        assert!(gaze.pitch.abs() < 2.0, "{gaze:?}");
    }
    assert!(pose.residual < 0.01, "{}", pose.residual);
}

/// The mesh network's iris sinks with the lid.
#[test]
fn a_blink_is_no_look_down() {
    let rig = rig();
    let person = Person::new(&rig, [0.0; N_MODES], vec![[0.0; 3]; N_SKIN_POINTS]);
    let mut solver = Solver::new(SolverSettings::default());
    let mut deepest: f32 = 0.0;
    for frame in 0..12 {
        let shut = if (4..9).contains(&frame) { 0.95 } else { 0.0 };
        let said = weights(&[("eyeBlink_L", shut), ("eyeBlink_R", shut)]);
        let sunk = Gaze {
            yaw: 0.0,
            pitch: -25.0 * shut,
        };
        let seen = points(&rig, &person, &said, sunk, &placement());
        let pose = solver.solve(&rig, &person, &seen, f64::from(frame) / 25.0);
        let down = pose.weights[expression("eyeLookDown_L")];
        assert!(down < 0.1, "frame {frame} looks down by {down}");
        deepest = deepest.max(pose.weights[expression("eyeBlink_L")]);
    }
    assert!(0.7 < deepest, "the eye closes by {deepest}");
}

#[test]
fn lids_that_are_found_half_shut_are_shut() {
    let as_found = Rig::load(&Weights::from_source_tree().unwrap()).unwrap();
    let person = Person::new(&as_found, [0.0; N_MODES], vec![[0.0; 3]; N_SKIN_POINTS]);
    let mut solver = Solver::new(SolverSettings::default());
    let mut lid = |drawn: f32, frame: u32| {
        let said = weights(&[("eyeBlink_L", drawn), ("eyeBlink_R", drawn)]);
        let seen = points(&as_found, &person, &said, Gaze::default(), &placement());
        let pose = solver.solve(&as_found, &person, &seen, f64::from(frame) / 25.0);
        pose.weights[expression("eyeBlink_L")]
    };
    let open: Vec<f32> = (0..6).map(|frame| lid(0.1, frame)).collect();
    let shut: Vec<f32> = (6..14).map(|frame| lid(0.65, frame)).collect();
    assert!(open[5] < 0.1, "{open:?}");
    assert!(0.85 < shut[7], "{shut:?}");
}

#[test]
fn the_head_of_a_stranger_lies_on_their_points() {
    let rig = rig();
    let mut identity = [0.0; N_MODES];
    identity[..6].copy_from_slice(&[-1.5, 0.9, 1.1, -0.7, 0.8, -1.0]);
    let mut offsets = vec![[0.0; 3]; N_SKIN_POINTS];
    for (i, offset) in offsets.iter_mut().enumerate() {
        *offset = [
            0.1 * (i as f32 * 0.05).sin(),
            0.1 * (i as f32 * 0.03).cos(),
            0.0,
        ];
    }
    let truth = Person::new(&rig, identity, offsets);
    let said = weights(&[("jawOpen", 0.3)]);
    let seen = points(&rig, &truth, &said, Gaze::default(), &placement());
    let calm = points(
        &rig,
        &truth,
        &[0.0; N_EXPRESSIONS],
        Gaze::default(),
        &placement(),
    );
    let found = Person::fit(&rig, &[calm, seen.clone()]);
    let pose = Solver::new(SolverSettings::default()).solve(&rig, &found, &seen, 0.0);
    assert!(pose.residual < 0.015, "{}", pose.residual);
    // Vertices of the face, too, where no point of the mesh is.
    let posed = |person: &Person, weights, head: &Placement| -> Vec<Vec3> {
        let shaped = rig.shaped(person, weights, [Gaze::default(); 2]);
        shaped.into_iter().map(|p| head.apply(p)).collect()
    };
    let there = posed(&truth, &said, &placement());
    let here = posed(&found, &pose.weights, &pose.head);
    let eyes = seen[EYES[0].outer].xy().distance(seen[EYES[1].outer].xy());
    let on_face = |v: &usize| {
        let [x, y, z] = truth.at_rest()[*v];
        x.abs() < 5.0 && y.abs() < 6.0 && z < -5.0
    };
    let gaps: Vec<f32> = (0..rig.n_vertices())
        .filter(on_face)
        .map(|v| (here[v][0] - there[v][0]).hypot(here[v][1] - there[v][1]) / eyes)
        .collect();
    let mean = gaps.iter().sum::<f32>() / gaps.len() as f32;
    assert!(mean < 0.02, "{mean} of {} vertices", gaps.len());
}

#[test]
fn a_placement_and_its_inverse_cancel() {
    let head = placement();
    let p = [1.0, -2.0, 3.0];
    let back = head.back(head.apply(p));
    assert!((0..3).all(|i| (back[i] - p[i]).abs() < 1e-3), "{back:?}");
    assert!(head.angles().yaw > 10.0, "{:?}", head.angles());
}

#[test]
fn eyes_that_look_right_and_up_move_their_irises_there() {
    let eye = Eyeball {
        middle: [3.0, -3.0, -8.0],
        radius: 1.5,
    };
    let looks = Gaze {
        yaw: 20.0,
        pitch: 10.0,
    };
    let iris = eye.turned([3.0, -3.0, -8.0 - 1.65], looks);
    assert!(iris[0] > 3.4 && iris[1] < -3.2, "{iris:?}");
    let head = placement();
    let [x, y, z] = head.apply(iris);
    let found = eye.gaze(Point3::new(x, y, z), &head);
    assert!((found.yaw - 20.0).abs() < 0.1 && (found.pitch - 10.0).abs() < 0.1);
}

#[test]
fn triangles_of_the_face_turn_one_way_where_they_are_seen() {
    let rig = rig();
    let places = Person::mean(&rig).at_rest();
    let mut seen = 0;
    for triangle in rig.triangles().iter().filter(|t| t.part == Part::Face) {
        let [a, b, c] = triangle.corners.map(|i| places[usize::from(i)]);
        let middle = [0, 1, 2].map(|i| (a[i] + b[i] + c[i]) / 3.0);
        // The forehead is turned to the camera.
        if middle[1] < -7.0 && middle[2] < -9.0 {
            let turns = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
            assert!(turns < 0.0, "{a:?} {b:?} {c:?}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn damaged_files_are_refused_in_words() {
    let weights = Weights::from_source_tree().unwrap();
    let bytes = weights.bytes("rig").unwrap();
    assert!(read::parse(&bytes[..bytes.len() / 2]).is_err());
    let mut other = bytes.to_vec();
    let at = other.windows(7).position(|w| w == b"\"parts\"").unwrap();
    other[at..at + 7].copy_from_slice(b"\"pARTS\"");
    let refused = read::parse(&other).unwrap_err();
    assert!(refused.starts_with("parts:"), "{refused}");
}

#[test]
fn arkit_has_each_side_and_the_mean_of_what_has_none() {
    let found = arkit(&weights(&[
        ("eyeBlink_L", 0.5),
        ("mouthLeft", 0.7),
        ("browInnerUp_L", 0.2),
        ("browInnerUp_R", 0.4),
    ]));
    let of = |name: &str| found[ARKIT.iter().position(|n| *n == name).unwrap()];
    assert_eq!((of("eyeBlinkLeft"), of("eyeBlinkRight")), (0.5, 0.0));
    assert_eq!((of("mouthLeft"), of("mouthRight")), (0.7, 0.0));
    assert!((of("browInnerUp") - 0.3).abs() < 1e-6);
    assert!(
        arkit(&[1.0; N_EXPRESSIONS])
            .iter()
            .filter(|w| **w > 0.9)
            .count()
            == 51
    );
}

#[test]
fn an_acquaintance_keeps_few_frames_of_a_long_clip() {
    let rig = rig();
    let calm = points(
        &rig,
        &Person::mean(&rig),
        &[0.0; N_EXPRESSIONS],
        Gaze::default(),
        &placement(),
    );
    let mut known = Acquaintance::default();
    assert!(known.person(&rig).is_none());
    for _ in 0..1000 {
        known.add(&calm);
    }
    assert!(known.n_kept() <= 60, "{}", known.n_kept());
}
