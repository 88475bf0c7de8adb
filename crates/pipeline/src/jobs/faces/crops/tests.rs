use effigy_face::quality::Light;
use effigy_frame::{Point2, Rect, Similarity};
use effigy_model::mean_mesh;

use super::*;

fn face(track: u32) -> Face {
    let frame_from_mean = Similarity::about(Point2::default(), Point2::new(50.0, 40.0), 30.0, 0.0);
    Face {
        track,
        points: mean_mesh()
            .iter()
            .map(|&p| frame_from_mean.apply3(p))
            .collect(),
        rect: Rect::default(),
        score: 0.9,
        crop: Picture::filled(1, 1, [0; 3]),
        frame_from_crop: Similarity::IDENTITY,
    }
}

fn measures(frame_index: u64, sharpness: f32, yaw: f32) -> Measures {
    Measures {
        frame_index,
        time_secs: 0.0,
        pose: Pose {
            yaw,
            ..Pose::default()
        },
        sharpness,
        light: Light {
            level: 0.5,
            unevenness: 0.0,
        },
        size_px: 60.0,
    }
}

/// Writes crops of (track, frame, sharpness, yaw) and gives the names that remain. Track 9 is
/// person 2, all others person 1.
fn check(settings: CropSettings, offered: &[(u32, u64, f32, f32)], wanted: &[&str]) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("crops");
    let mut set = CropSet::begin(&path, settings, Existing::Kept).unwrap();
    set.begin_input("dir/clip.mp4".as_ref(), 1);
    let picture = Picture::filled(100, 100, [90; 3]);
    for &(track, frame, sharpness, yaw) in offered {
        set.offer(&picture, &face(track), &measures(frame, sharpness, yaw))
            .unwrap();
    }
    set.finish(&|track| Some(if track == 9 { 2 } else { 1 }))
        .unwrap();
    let index = fs::read_to_string(path.join("index.jsonl")).unwrap();
    let files = index.lines().map(|line| {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        entry["file"].as_str().unwrap().to_owned()
    });
    let files: Vec<String> = files.collect();
    assert_eq!(files, wanted);
    let there = |file: &String| path.join(file).is_file();
    assert!(
        files.iter().all(there),
        "the index names files that are not there"
    );
    let n_files = walk(&path);
    assert_eq!(
        n_files,
        wanted.len() + 1,
        "something else is left in the folder"
    );
}

fn walk(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    entries.map(|p| if p.is_dir() { walk(&p) } else { 1 }).sum()
}

fn settings() -> CropSettings {
    CropSettings::new(32)
}

#[test]
fn crops_are_filed_by_person() {
    let offered = [(0, 0, 0.5, 0.0), (9, 0, 0.5, 0.0), (0, 1, 0.5, 0.0)];
    let wanted = [
        "person-1/00001-clip-000000.png",
        "person-1/00002-clip-000001.png",
        "person-2/00001-clip-000000.png",
    ];
    check(settings(), &offered, &wanted);
}

#[test]
fn the_sharpest_come_first_and_the_rest_is_left_out() {
    let sharpest = CropSettings {
        order: CropOrder::Sharpness,
        most_per_person: Some(2),
        ..settings()
    };
    let offered = [(0, 0, 0.2, 0.0), (0, 1, 0.9, 0.0), (0, 2, 0.5, 0.0)];
    let wanted = [
        "person-1/00001-clip-000001.png",
        "person-1/00002-clip-000002.png",
    ];
    check(sharpest, &offered, &wanted);
}

#[test]
fn the_filter_goes_by_person_and_by_face() {
    let filter = CropFilter {
        people: vec![1],
        least_sharpness: 0.3,
        most_yaw: 45.0,
        ..CropFilter::default()
    };
    let picky = CropSettings {
        filter,
        ..settings()
    };
    let offered = [
        (9, 0, 0.9, 0.0),
        (0, 1, 0.2, 0.0),
        (0, 2, 0.9, -60.0),
        (0, 3, 0.9, 30.0),
    ];
    check(picky, &offered, &["person-1/00001-clip-000003.png"]);
}

#[test]
fn near_duplicates_can_be_left_out() {
    let distinct = CropSettings {
        filter: CropFilter {
            dedupe: true,
            ..CropFilter::default()
        },
        ..settings()
    };
    let offered = [(0, 0, 0.5, 0.0), (0, 1, 0.5, 0.0), (9, 0, 0.5, 0.0)];
    let wanted = [
        "person-1/00001-clip-000000.png",
        "person-2/00001-clip-000000.png",
    ];
    check(distinct, &offered, &wanted);
}

#[test]
fn an_input_that_fails_leaves_no_crops() {
    let place = tempfile::tempdir().unwrap();
    let mut set = CropSet::begin(&place.path().join("crops"), settings(), Existing::Kept).unwrap();
    let picture = Picture::filled(100, 100, [90; 3]);
    for input in [1, 2] {
        set.begin_input("a.mp4".as_ref(), input);
        set.offer(&picture, &face(0), &measures(0, 0.5, 0.0))
            .unwrap();
    }
    set.take_back(2).unwrap();
    assert_eq!(set.entries.len(), 1);
    assert_eq!(walk(set.folder.temporary_path()), 1);
}
