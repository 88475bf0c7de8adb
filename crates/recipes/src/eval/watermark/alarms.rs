//! What was read where nothing is: all unmarked pictures and clips.

use std::path::Path;

use anyhow::Result;
use effigy_mark::watermark::Detector;
use effigy_media::{Limits, VideoReader};

use super::{CLIP_FRAMES, SOURCES, files, read};

/// Where unmarked pictures are besides.
const OTHERS: [&str; 6] = [
    "no-face",
    "fakes-dev/stylegan2",
    "people/voteview-bio_guide",
    "people/voteview-manual",
    "people/lfw-grey",
    "people/ytf",
];
/// Where unmarked clips are.
const CLIPS: [&str; 4] = ["video", "video/grid", "fakes-dev", "fakes-dev/dfl-pairs"];

/// What was read where nothing is.
pub(super) struct Alarms {
    pub(super) pictures: usize,
    pub(super) clips: usize,
    pub(super) alarms: usize,
}

/// Looks at what is unmarked: faces, no faces, and fakes by others.
pub(super) fn false_alarms(data: &Path, n: Option<usize>) -> Result<Alarms> {
    let people = SOURCES.map(|source| format!("people/{source}"));
    let folders = OTHERS.into_iter().chain(people.iter().map(String::as_str));
    let mut paths = Vec::new();
    for folder in folders {
        for extension in ["jpg", "png"] {
            paths.extend(files(&data.join(folder), extension)?);
        }
    }
    let n = n.unwrap_or(paths.len());
    let step = paths.len().div_ceil(n.max(1)).max(1);
    let mut seen = Alarms {
        pictures: 0,
        clips: 0,
        alarms: 0,
    };
    for path in paths.iter().step_by(step).take(n) {
        let picture = effigy_media::read_picture(path, &Limits::default())?;
        seen.pictures += 1;
        if let Some(identifier) = read(&picture) {
            println!("false alarm: {identifier:016x} in {path:?}");
            seen.alarms += 1;
        }
    }
    if 0 < n {
        for folder in CLIPS {
            for path in files(&data.join(folder), "mp4")? {
                false_alarms_in_clip(&path, &mut seen)?;
            }
        }
    }
    Ok(seen)
}

/// Looks at two seconds of a clip at a time, and at the first frame of each alone.
fn false_alarms_in_clip(path: &Path, seen: &mut Alarms) -> Result<()> {
    seen.clips += 1;
    let mut detector = Detector::new();
    for (number, frame) in VideoReader::open(path, &Limits::default())?.enumerate() {
        let picture = frame?.picture;
        if number % CLIP_FRAMES == 0 {
            seen.pictures += 1;
            let found = [
                read(&picture),
                detector.finish().map(|found| found.identifier),
            ];
            seen.alarms += found.iter().flatten().count();
            detector = Detector::new();
        }
        detector.look(&picture);
    }
    seen.alarms += usize::from(detector.finish().is_some());
    Ok(())
}
