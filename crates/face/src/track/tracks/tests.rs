//! Tracks over scripted scenes: faces are mean meshes at known places.

use effigy_frame::{Picture, Point2};
use effigy_model::{Mesh, mean_mesh};

use super::*;

/// A face of the scene: its middle between the eyes, and their distance, in pixels.
#[derive(Clone, Copy)]
struct Actor {
    x: f32,
    y: f32,
    eyes_px: f32,
    /// How far it is turned in the picture's plane, in radians.
    turn: f32,
    /// What the search says of it.
    score: f32,
    /// What the mesh network says of it.
    presence: f32,
}

fn actor(x: f32, y: f32) -> Actor {
    Actor {
        x,
        y,
        eyes_px: 60.0,
        turn: 0.0,
        score: 0.9,
        presence: 1.0,
    }
}

fn points_of(actor: Actor) -> Vec<Point3> {
    let middle = Point2::new(actor.x, actor.y);
    let frame_from_mean = Similarity::about(Point2::default(), middle, actor.eyes_px, actor.turn);
    mean_mesh()
        .iter()
        .map(|&p| frame_from_mean.apply3(p))
        .collect()
}

fn found_of(actor: Actor) -> Found {
    let points = points_of(actor);
    let at = |i: usize| points[i].xy();
    Found {
        rect: Rect::around(points.iter().map(|p| p.xy())).unwrap(),
        points: [
            RIGHT_EYE.iris,
            LEFT_EYE.iris,
            NOSE_TIP,
            MOUTH_RIGHT,
            MOUTH_LEFT,
        ]
        .map(at),
        score: actor.score,
    }
}

/// Fits as the network would: the actor nearest to the view's middle, if the view shows it.
fn fit_of(actors: &[Actor], view: Similarity) -> Fitted {
    let side = FaceMesh::SIDE_PX as f32;
    let middle = view.apply(Point2::new(0.5 * side, 0.5 * side));
    let centre = |a: Actor| found_of(a).rect.centre();
    let nearest = actors.iter().copied().min_by(|&a, &b| {
        centre(a)
            .distance(middle)
            .total_cmp(&centre(b).distance(middle))
    });
    let shown = nearest.filter(|&a| centre(a).distance(middle) < 0.3 * side * view.scale());
    let crop_from_frame = view.inverse().unwrap();
    let points = points_of(shown.unwrap_or(actor(middle.x, middle.y)));
    Fitted {
        mesh: Mesh {
            points: points.iter().map(|&p| crop_from_frame.apply3(p)).collect(),
            presence: shown.map_or(0.05, |actor| actor.presence),
        },
        crop: Picture::filled(1, 1, [0; 3]),
        frame_from_crop: view,
    }
}

/// What the detector's weights say.
const LEAST_CREDIBILITY: f32 = 0.785;

/// Runs a scene, one list of actors a frame, at 25 frames a second; gives each frame's faces and
/// how many searches were made.
fn run(scene: &[Vec<Actor>]) -> (Vec<Vec<Face>>, u32) {
    let mut tracks = Tracks::new(TrackSettings::default(), LEAST_CREDIBILITY);
    let mut n_searches = 0;
    let mut pending = Vec::new();
    let mut faces = Vec::new();
    for (i, actors) in scene.iter().enumerate() {
        let time_secs = i as f64 / 25.0;
        let fit = |views: &[Similarity]| views.iter().map(|&v| fit_of(actors, v)).collect();
        let find = || actors.iter().map(|&a| found_of(a)).collect::<Vec<_>>();
        tracks.fit_again(time_secs, &fit);
        let search = tracks.search_now();
        n_searches += u32::from(matches!(search, Search::Begin | Search::AtOnce { .. }));
        match search {
            Search::Nothing => {}
            Search::Begin => pending = find(),
            Search::End => tracks.take_in(std::mem::take(&mut pending), time_secs, &fit),
            Search::AtOnce { .. } => tracks.take_in(find(), time_secs, &fit),
        }
        faces.push(tracks.settle(time_secs));
    }
    (faces, n_searches)
}

fn numbers(faces: &[Face]) -> Vec<u32> {
    faces.iter().map(|f| f.track).collect()
}

#[test]
fn a_moving_face_stays_one_track_with_few_searches() {
    let scene: Vec<_> = (0..60)
        .map(|i| vec![actor(100.0 + 6.0 * i as f32, 200.0)])
        .collect();
    let (faces, n_searches) = run(&scene);
    assert!(faces.iter().all(|f| numbers(f) == [0]));
    assert!(n_searches <= 6, "{n_searches}");
    let nose = faces[59][0].points[NOSE_TIP].x;
    let wanted = points_of(scene[59][0])[NOSE_TIP].x;
    assert!((nose - wanted).abs() < 2.0, "{nose} instead of {wanted}"); // smoothing lags a little
}

#[test]
fn a_short_gap_is_bridged_and_a_long_one_ends_the_track() {
    let here = vec![actor(150.0, 150.0)];
    let gone = |n: usize| vec![Vec::new(); n];
    let short = [vec![here.clone(); 5], gone(6), vec![here.clone(); 9]].concat();
    let (faces, _) = run(&short);
    assert_eq!(numbers(faces.last().unwrap()), [0]);
    assert!(faces[6].is_empty(), "a face that is gone is not reported");

    let long = [vec![here.clone(); 5], gone(30), vec![here; 9]].concat();
    let (faces, _) = run(&long);
    assert_eq!(numbers(faces.last().unwrap()), [1]);
}

#[test]
fn a_second_face_is_picked_up_without_disturbing_the_first() {
    let scene: Vec<_> = (0..40)
        .map(|i| {
            let both = vec![actor(150.0, 150.0), actor(420.0, 160.0)];
            if i < 10 { both[..1].to_vec() } else { both }
        })
        .collect();
    let (faces, _) = run(&scene);
    assert_eq!(numbers(&faces[9]), [0]);
    assert_eq!(numbers(&faces[39]), [0, 1]);
}

#[test]
fn a_lost_face_is_searched_for_at_once() {
    let here = vec![actor(150.0, 150.0)];
    let there = vec![actor(480.0, 180.0)];
    let (faces, _) = run(&[vec![here; 3], vec![there; 3]].concat());
    assert_eq!(
        numbers(&faces[3]),
        [1],
        "it jumped too far to be the same track"
    );
}

#[test]
fn tracks_that_run_into_one_face_become_one() {
    // Two faces walk into each other; from then on there is one.
    let scene: Vec<_> = (0..40)
        .map(|i| {
            let gap = 200.0 - 6.0 * i as f32;
            let first = actor(300.0, 150.0);
            if gap > 20.0 {
                vec![first, actor(300.0 + gap, 150.0)]
            } else {
                vec![first]
            }
        })
        .collect();
    let (faces, _) = run(&scene);
    assert_eq!(numbers(&faces[5]), [0, 1]);
    assert_eq!(numbers(&faces[39]), [0]);
}

#[test]
fn two_hundred_faces_are_all_met() {
    let crowd: Vec<Actor> = (0..200)
        .map(|i| Actor {
            x: 40.0 + 80.0 * (i % 20) as f32,
            y: 40.0 + 100.0 * (i / 20) as f32,
            eyes_px: 20.0,
            ..actor(0.0, 0.0)
        })
        .collect();
    let (faces, _) = run(&[crowd]);
    assert_eq!(faces[0].len(), 200);
}

#[test]
fn a_mesh_that_explodes_ends_the_face() {
    let mut near = actor(150.0, 150.0);
    let far = vec![near];
    near.eyes_px = 200.0;
    let (faces, _) = run(&[far.clone(), far, vec![near]]);
    assert_eq!(
        numbers(&faces[2]),
        [1],
        "three times the size within a frame is another face"
    );
}

#[test]
fn a_face_that_turns_over_stays_one_track() {
    let scene: Vec<_> = (0..80)
        .map(|i| {
            vec![Actor {
                turn: 0.08 * i as f32,
                ..actor(300.0, 300.0)
            }]
        })
        .collect();
    let (faces, _) = run(&scene);
    assert!(faces.iter().all(|f| numbers(f) == [0]));
    let (nose, wanted) = (&faces[40][0].points, points_of(scene[40][0]));
    let gap = nose[NOSE_TIP].xy().distance(wanted[NOSE_TIP].xy());
    assert!(gap < 5.0, "{gap}"); // smoothing lags a little
}

#[test]
fn what_search_and_mesh_doubt_begins_no_track_but_is_followed_on() {
    let doubtful = Actor {
        score: 0.8,
        presence: 0.6,
        ..actor(150.0, 150.0)
    };
    let (faces, _) = run(&vec![vec![doubtful]; 20]);
    assert!(faces.iter().all(Vec::is_empty));
    for sure in [(0.9, 0.6), (0.8, 1.0)] {
        let (score, presence) = sure;
        let one_is_sure = Actor {
            score,
            presence,
            ..doubtful
        };
        let (faces, _) = run(&vec![vec![one_is_sure]; 20]);
        assert!(faces.iter().all(|f| numbers(f) == [0]), "{sure:?}");
    }
    let scene = [vec![vec![actor(150.0, 150.0)]; 5], vec![vec![doubtful]; 60]].concat();
    let (faces, _) = run(&scene);
    assert!(faces.iter().all(|f| numbers(f) == [0]));
}
