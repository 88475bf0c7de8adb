//! Searching whole frames: at once, or beside the following on a thread of its own.
//!
//! A frame is searched coarsely for its size, so the finder is seldom sure of a small face there.
//! Each face is therefore looked at a second time, enlarged: whether a track begins and whether it
//! goes on depends on that closer look.

use effigy_frame::{Picture, Point2, Rect, Similarity, resample};
use effigy_model::finder::FindSettings;
use effigy_model::{Finder, Found, Pending, WorkerThread};

use super::covers;

/// A finder with its own thread.
#[derive(Debug)]
pub(crate) struct Searcher {
    finder: Finder,
    settings: FindSettings,
    worker: WorkerThread,
    pending: Option<Pending<Vec<Found>>>,
}

impl Searcher {
    pub(crate) fn new(finder: Finder, settings: FindSettings, worker: WorkerThread) -> Self {
        Self {
            finder,
            settings,
            worker,
            pending: None,
        }
    }

    /// Searches a frame and waits for the result; a search that was begun before is forgotten.
    pub(crate) fn search(&mut self, picture: &Picture) -> Vec<Found> {
        self.pending = None;
        let (finder, settings) = (&self.finder, &self.settings);
        self.worker.run(|| find_closely(finder, picture, settings))
    }

    /// Begins to search a frame.
    pub(crate) fn begin(&mut self, picture: &Picture) {
        let (finder, settings, picture) = (self.finder.clone(), self.settings, picture.clone());
        self.pending = Some(
            self.worker
                .begin(move || find_closely(&finder, &picture, &settings)),
        );
    }

    /// Waits for the search that was begun.
    pub(crate) fn end(&mut self) -> Vec<Found> {
        self.pending.take().map_or_else(Vec::new, Pending::wait)
    }
}

/// Finds the faces in a picture, and looks at each a second time.
///
/// A face's score is that of the closer look, 0 where that does not show one.
pub fn find_closely(finder: &Finder, picture: &Picture, settings: &FindSettings) -> Vec<Found> {
    let found = finder.find(picture, settings).into_iter();
    found.map(|face| closer(finder, picture, face)).collect()
}

/// Side of a closer look, in pixels.
const CLOSE_SIDE_PX: u32 = 160;
/// Share of that side that the face takes.
const CLOSE_SHARE: f32 = 0.5;

/// Looks at a face again, enlarged or shrunk to the size that the finder knows best.
///
/// The face keeps its place with score 0 when the closer look does not show one.
fn closer(finder: &Finder, picture: &Picture, face: Found) -> Found {
    let side = CLOSE_SIDE_PX as f32;
    let scale = face.rect.width.max(face.rect.height) / (CLOSE_SHARE * side);
    let middle = Point2::new(0.5 * side, 0.5 * side);
    let view = Similarity::about(middle, face.rect.centre(), scale, 0.0);
    let close = resample::crop(picture, view, CLOSE_SIDE_PX);
    let settings = FindSettings {
        smallest_px: 0.25 * CLOSE_SHARE * side, // far smaller ones are not the face sought
        least_score: 0.05,
    };
    let seen = finder.find(&close, &settings).into_iter();
    let seen = seen.map(|found| in_frame(found, view));
    let same = seen.filter(|found| covers(face.rect, found));
    let surest = same.max_by(|a, b| a.score.total_cmp(&b.score));
    surest.unwrap_or(Found { score: 0.0, ..face })
}

fn in_frame(found: Found, frame_from_crop: Similarity) -> Found {
    let scale = frame_from_crop.scale();
    let corner = frame_from_crop.apply(Point2::new(found.rect.x, found.rect.y));
    Found {
        rect: Rect {
            x: corner.x,
            y: corner.y,
            width: scale * found.rect.width,
            height: scale * found.rect.height,
        },
        points: found.points.map(|p| frame_from_crop.apply(p)),
        score: found.score,
    }
}
