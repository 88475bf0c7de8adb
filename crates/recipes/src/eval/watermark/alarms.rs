//! What was read where nothing is: all unmarked pictures and clips.

use std::path::Path;

use anyhow::Result;
use effigy_mark::watermark::Detector;
use effigy_media::{Limits, VideoReader};

use super::{CLIP_FRAMES, SOURCES, files};

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
const CLIPS: [&str; 5] = [
    "video",
    "video/grid",
    "fakes-dev",
    "fakes-dev/dfl-pairs",
    "fakes-many",
];

/// What was read where nothing is.
pub(super) struct Alarms {
    pub(super) pictures: usize,
    pub(super) clips: usize,
    pub(super) alarms: usize,
    pub(super) tries: Tries,
}

/// What was read at places that looked like a mark.
#[derive(Default)]
pub(super) struct Tries {
    pub(super) n: usize,
    /// Most for one picture or clip.
    pub(super) most: usize,
    /// Those of which the first ten bits of the checksum fit: one in 1024 by chance.
    pub(super) fitting_ten_bits: usize,
    /// The highest score of a place where nothing is.
    pub(super) highest_score: f32,
}

impl Alarms {
    /// Counts what a detector made of an unmarked picture or clip.
    fn count(&mut self, mut detector: Detector, path: &Path) {
        if let Some(found) = detector.finish() {
            println!("false alarm: {:016x} in {path:?}", found.identifier);
            self.alarms += 1;
        }
        let tries = detector.tries();
        self.tries.n += tries.len();
        self.tries.most = self.tries.most.max(tries.len());
        let fitting = tries.iter().filter(|one| 10 <= one.fitting_bits);
        self.tries.fitting_ten_bits += fitting.count();
        let scores = tries.iter().map(|one| one.score);
        let scores = scores.filter(|score| score.is_finite());
        self.tries.highest_score = scores.fold(self.tries.highest_score, f32::max);
    }

    /// Says how far it is, as all of it takes an hour.
    fn tell(&self) {
        let Self {
            pictures,
            clips,
            alarms,
            ..
        } = self;
        eprintln!("{pictures} pictures and frames, {clips} clips: {alarms} false alarms");
    }
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
        tries: Tries::default(),
    };
    for path in paths.iter().step_by(step).take(n) {
        let picture = effigy_media::read_picture(path, &Limits::default())?;
        seen.pictures += 1;
        let mut detector = Detector::new();
        detector.look(&picture);
        seen.count(detector, path);
        if seen.pictures.is_multiple_of(500) {
            seen.tell();
        }
    }
    if 0 < n {
        for folder in CLIPS {
            for path in files(&data.join(folder), "mp4")? {
                false_alarms_in_clip(&path, &mut seen)?;
            }
            seen.tell();
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
            let mut alone = Detector::new();
            alone.look(&picture);
            seen.count(alone, path);
            seen.count(std::mem::take(&mut detector), path);
        }
        detector.look(&picture);
    }
    seen.count(detector, path);
    Ok(())
}
