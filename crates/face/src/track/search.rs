//! Searching whole frames: at once, or beside the following on a thread of its own.
//!
//! The finder knows faces that stand more or less upright, so a frame is looked at upright and in
//! turned copies: in all of them where a scene begins, in one of them each time after that. It is
//! searched coarsely for its size, so the finder is seldom sure of a small face there. Each face is
//! therefore looked at a second time, upright and enlarged, those that are known already where they
//! were last: whether a track begins and whether it goes on depends on that closer look.

use std::f32::consts::TAU;

use effigy_frame::{Picture, Point2, Rect, Similarity, resample};
use effigy_model::finder::FindSettings;
use effigy_model::{Finder, Found, Pending, WorkerThread};

use super::covers;
use crate::align::{Placed, placed};

/// A finder with its own thread.
#[derive(Debug)]
pub(crate) struct Searcher {
    finder: Finder,
    settings: FindSettings,
    worker: WorkerThread,
    pending: Option<Pending<Vec<Found>>>,
    /// Searches begun, by which the turned copy is chosen.
    n_searches: usize,
}

/// Where else than upright a search looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turned {
    /// In every turned copy.
    Every,
    /// In one of them.
    One(usize),
}

impl Searcher {
    pub(crate) fn new(finder: Finder, settings: FindSettings, worker: WorkerThread) -> Self {
        Self {
            finder,
            settings,
            worker,
            pending: None,
            n_searches: 0,
        }
    }

    /// Searches a frame and waits for the result; a search that was begun before is forgotten.
    ///
    /// `known` are faces that are looked at closely where they are, found or not; `is_new` says
    /// that nothing is known of the scene.
    pub(crate) fn search(
        &mut self,
        picture: &Picture,
        known: &[Found],
        is_new: bool,
    ) -> Vec<Found> {
        self.pending = None;
        let turned = if is_new { Turned::Every } else { self.next() };
        let (finder, settings) = (&self.finder, &self.settings);
        self.worker
            .run(|| look(finder, picture, settings, known, turned))
    }

    /// Begins to search a frame.
    pub(crate) fn begin(&mut self, picture: &Picture, known: Vec<Found>) {
        let turned = self.next();
        let (finder, settings, picture) = (self.finder.clone(), self.settings, picture.clone());
        self.pending = Some(
            self.worker
                .begin(move || look(&finder, &picture, &settings, &known, turned)),
        );
    }

    /// Waits for the search that was begun.
    pub(crate) fn end(&mut self) -> Vec<Found> {
        self.pending.take().map_or_else(Vec::new, Pending::wait)
    }

    fn next(&mut self) -> Turned {
        self.n_searches += 1;
        Turned::One(self.n_searches)
    }
}

/// Finds the faces in a picture, however they are turned in it, and looks at each a second time.
///
/// A face's score is that of the closer look, 0 where that does not show one.
pub fn find_closely(finder: &Finder, picture: &Picture, settings: &FindSettings) -> Vec<Found> {
    look(finder, picture, settings, &[], Turned::Every)
}

/// Turned copies, evenly spread over the circle; upright is none of them.
const N_TURNED: usize = 5;
/// Longer side of the copy when only one of them is looked at, in passing.
const PASSING_SIDE_PX: f32 = 224.0;

fn look(
    finder: &Finder,
    picture: &Picture,
    settings: &FindSettings,
    known: &[Found],
    turned: Turned,
) -> Vec<Found> {
    let mut found = finder.find(picture, settings);
    match turned {
        Turned::Every => {
            // As fine as the finder would look at the picture itself.
            for k in 1..=N_TURNED {
                found.extend(find_turned(finder, picture, settings, k, f32::INFINITY));
            }
        }
        Turned::One(k) => {
            let k = k % N_TURNED + 1;
            found.extend(find_turned(finder, picture, settings, k, PASSING_SIDE_PX));
        }
    }
    found.retain(|face| !known.iter().any(|known| covers(known.rect, face)));
    let found = known.iter().cloned().chain(without_repeats(found));
    found.map(|face| closer(finder, picture, face)).collect()
}

/// Finds the faces in a copy that is turned by `k` steps, and no longer than `most_px`.
fn find_turned(
    finder: &Finder,
    picture: &Picture,
    settings: &FindSettings,
    k: usize,
    most_px: f32,
) -> Vec<Found> {
    let turn = TAU * k as f32 / (N_TURNED + 1) as f32;
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    // A strip, turned, would need a large and almost empty copy.
    if width.min(height) < settings.smallest_px.max(width.max(height) / STRIP_ASPECT) {
        return Vec::new();
    }
    let (sin, cos) = (turn.sin().abs(), turn.cos().abs());
    let seen = [width * cos + height * sin, width * sin + height * cos];
    // Shrunk first: the finder would only shrink the copy itself.
    let longer = seen[0].max(seen[1]);
    let finest = (FINE_SIDE_PX / longer).max(FINEST_PX / settings.smallest_px);
    let scale = finest.min(most_px / longer).min(1.0);
    let [columns, rows] = seen.map(|side| (side * scale).round().max(1.0));
    let middle = Point2::new(0.5 * columns, 0.5 * rows);
    let centre = Point2::new(0.5 * width, 0.5 * height);
    let picture_from_copy = Similarity::about(middle, centre, 1.0 / scale, turn);
    let copy = resample::warp(picture, picture_from_copy, columns as u32, rows as u32);
    let settings = FindSettings {
        smallest_px: settings.smallest_px * scale,
        ..*settings
    };
    let found = finder.find(&copy, &settings).into_iter();
    found
        .map(|face| in_frame(face, picture_from_copy))
        .collect()
}

/// A picture with sides of a greater ratio is a strip.
const STRIP_ASPECT: f32 = 20.0;
/// Size that the smallest face has in a turned copy, in pixels: less the finder does not find.
const FINEST_PX: f32 = 12.0;
/// A copy is not shrunk below this longer side where every one is looked at.
const FINE_SIDE_PX: f32 = 320.0;

/// Keeps the surest of those that share a place.
fn without_repeats(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Found> = Vec::new();
    for face in found {
        if !kept.iter().any(|other| covers(other.rect, &face)) {
            kept.push(face);
        }
    }
    kept
}

/// Side of a closer look, in pixels.
const CLOSE_SIDE_PX: u32 = 160;
/// Share of that side that the face takes.
const CLOSE_SHARE: f32 = 0.5;

/// Looks at a face again, upright, and enlarged or shrunk to the size that the finder knows best.
///
/// The face keeps its place with score 0 when the closer look does not show one.
fn closer(finder: &Finder, picture: &Picture, face: Found) -> Found {
    let side = CLOSE_SIDE_PX as f32;
    let Some(Placed { centre, size, turn }) = placed(&face) else {
        return Found { score: 0.0, ..face };
    };
    let scale = size / (CLOSE_SHARE * side);
    let middle = Point2::new(0.5 * side, 0.5 * side);
    let view = Similarity::about(middle, centre, scale, turn);
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

/// Takes a face out of a view; its box becomes the upright one around the turned one.
fn in_frame(found: Found, frame_from_view: Similarity) -> Found {
    let Rect {
        x,
        y,
        width,
        height,
    } = found.rect;
    let corners = [(0.0, 0.0), (width, 0.0), (0.0, height), (width, height)];
    let corners = corners.map(|(dx, dy)| frame_from_view.apply(Point2::new(x + dx, y + dy)));
    Found {
        rect: Rect::around(corners).unwrap_or_default(),
        points: found.points.map(|p| frame_from_view.apply(p)),
        score: found.score,
    }
}
