//! Searching whole frames: at once, or beside the following on a thread of its own.
//!
//! The finder knows faces that stand more or less upright, so a frame is looked at upright and in
//! turned copies: in all of them where a scene begins, in one of them each time after that. It is
//! searched coarsely for its size, so the finder is seldom sure of a small face there, and it takes
//! masks and dogs for faces now and then. Each face is therefore looked at a second time, upright and
//! enlarged, by the finder and by the detector, those that are known already where they were last:
//! whether a track begins and whether it goes on depends on what the two say together. Where a scene
//! begins the detector looks at small copies of the whole frame too, and sees profiles and covered faces
//! that the finder does not.

use std::f32::consts::TAU;

use effigy_frame::{Picture, Point2, Rect, Similarity, resample};
use effigy_model::finder::FindSettings;
use effigy_model::{FaceDetector, Finder, Found, Pending, WorkerThread};

use super::covers;
use super::credibility::{logistic, logit};
use crate::align::{Placed, placed};

/// The networks of a search: a fast one that proposes, and a slow one whose word counts twice as much.
#[derive(Clone, Debug)]
pub struct SearchNetworks {
    /// Looks at whole frames, and closely.
    pub finder: Finder,
    /// Looks closely at what was found, and at small copies of a frame in which a scene begins.
    pub detector: FaceDetector,
}

/// The networks with their own thread.
#[derive(Debug)]
pub(crate) struct Searcher {
    networks: SearchNetworks,
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
    pub(crate) fn new(
        networks: SearchNetworks,
        settings: FindSettings,
        worker: WorkerThread,
    ) -> Self {
        Self {
            networks,
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
        let (networks, settings) = (&self.networks, &self.settings);
        self.worker
            .run(|| look(networks, picture, settings, known, turned))
    }

    /// Begins to search a frame.
    pub(crate) fn begin(&mut self, picture: &Picture, known: Vec<Found>) {
        let turned = self.next();
        let (networks, settings) = (self.networks.clone(), self.settings);
        let picture = picture.clone();
        self.pending = Some(
            self.worker
                .begin(move || look(&networks, &picture, &settings, &known, turned)),
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
/// A face's score is what finder and detector say together in a closer look; 0.05 where neither shows it.
pub fn find_closely(
    networks: &SearchNetworks,
    picture: &Picture,
    settings: &FindSettings,
) -> Vec<Found> {
    look(networks, picture, settings, &[], Turned::Every)
}

/// Turned copies, evenly spread over the circle; upright is none of them.
const N_TURNED: usize = 5;
/// Longer side of the copy when only one of them is looked at, in passing.
const PASSING_SIDE_PX: f32 = 224.0;

fn look(
    networks: &SearchNetworks,
    picture: &Picture,
    settings: &FindSettings,
    known: &[Found],
    turned: Turned,
) -> Vec<Found> {
    let settings = &settings.in_picture(picture.width(), picture.height());
    let finder = &networks.finder;
    let mut proposed = finder.find(picture, settings);
    let mut detected = Vec::new();
    match turned {
        Turned::Every => {
            // As fine as the finder would look at the picture itself.
            for k in 1..=N_TURNED {
                proposed.extend(find_turned(finder, picture, settings, k, f32::INFINITY));
            }
            detected = find_small(&networks.detector, picture);
        }
        Turned::One(k) => {
            let k = k % N_TURNED + 1;
            proposed.extend(find_turned(finder, picture, settings, k, PASSING_SIDE_PX));
        }
    }
    let is_known = |face: &Found| known.iter().any(|known| covers(known.rect, face));
    proposed.retain(|face| !is_known(face));
    let look_closer = |face: Found, detected: f32| closer(networks, picture, face, detected);
    let proposed = without_repeats(proposed).into_iter();
    let mut found: Vec<Found> = proposed.map(|face| look_closer(face, 0.0)).collect();
    // What the detector sees upright may stand at any turn: its word counts where the finder's does not.
    detected.retain(|face| !is_known(face));
    let enough = networks.detector.least_score();
    for face in without_repeats(detected) {
        let is_found = |f: &Found| enough <= f.score && covers(f.rect, &face);
        if !found.iter().any(is_found) {
            let score = face.score;
            found.push(look_closer(face, score));
        }
    }
    let known = known
        .iter()
        .cloned()
        .map(|face| look_again(networks, picture, face));
    known.chain(without_repeats(found)).collect()
}

/// What the detector finds in small copies of the picture, upright.
fn find_small(detector: &FaceDetector, picture: &Picture) -> Vec<Found> {
    let longer = picture.width().max(picture.height()) as f32;
    let looks = DETECTOR_SIDES_PX.into_iter().flat_map(|side| {
        let scale = (side / longer).min(1.0);
        let shrunk = |side: u32| ((side as f32 * scale).round() as u32).max(1);
        let (width, height) = (shrunk(picture.width()), shrunk(picture.height()));
        let copy = resample::resize(picture, width, height);
        let origin = Point2::default();
        let picture_from_copy = Similarity::about(origin, origin, 1.0 / scale, 0.0);
        let found = detector.find(&copy, LEAST_SCORE_SMALL).into_iter();
        found.map(move |face| in_frame(face, picture_from_copy))
    });
    looks.collect()
}

/// Longer sides of the copies that the detector looks at, in pixels: it knows faces of 10 to 300.
const DETECTOR_SIDES_PX: [f32; 2] = [320.0, 128.0];
/// The detector's score in such a copy that calls for a closer look.
const LEAST_SCORE_SMALL: f32 = 0.3;

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

/// Side of the detector's first closer look, in pixels.
pub const CLOSE_SIDE_PX: u32 = 128;
/// Sides of the detector's closer looks, in pixels; the second only where the first leaves doubts. Its
/// score depends a little on how a face lies on the cells of its map.
const CLOSE_SIDES_PX: [u32; 2] = [CLOSE_SIDE_PX, 160];
/// Side of the finder's closer looks.
const FINDER_SIDE_PX: u32 = 160;
/// Share of that side that the face takes.
const CLOSE_SHARE: f32 = 0.5;
/// What the networks may report in a closer look, and what one counts for that reports nothing.
const LEAST_SCORE_CLOSE: f32 = 0.05;
/// The detector's score below which a second look would change nothing.
const HOPELESS_SCORE: f32 = 0.2;
/// A turn, in radians, below which a face counts as upright.
const UPRIGHT: f32 = 0.3;

/// Looks at a face again, upright, and enlarged or shrunk to the size that the networks know best;
/// `detected` is what the detector made of it in a copy of the whole picture.
///
/// The score is what both networks say together; a face that neither shows keeps its place.
fn closer(networks: &SearchNetworks, picture: &Picture, face: Found, detected: f32) -> Found {
    let Some(place) = placed(&face) else {
        return Found { score: 0.0, ..face };
    };
    let enough = networks.detector.least_score();
    let mut best = Found {
        score: detected,
        ..face
    };
    let mut proposed = 0.0_f32;
    // A proposal's points turn it wrongly now and then: the second look shows it as it is in the picture.
    for (side, turn) in CLOSE_SIDES_PX.into_iter().zip([place.turn, 0.0]) {
        let place = Placed { turn, ..place };
        let detector = |close: &Picture| networks.detector.find(close, LEAST_SCORE_CLOSE);
        if let Some(seen) = closer_by(detector, picture, &best, &place, side)
            && best.score < seen.score
        {
            best = seen;
        }
        let seen = closer_by_finder(&networks.finder, picture, &best, &place);
        proposed = proposed.max(seen.map_or(0.0, |seen| seen.score));
        let is_hopeless = best.score < HOPELESS_SCORE && turn.abs() < UPRIGHT;
        if is_hopeless || enough <= together(best.score, proposed) {
            break;
        }
    }
    Found {
        score: together(best.score, proposed),
        ..best
    }
}

/// Looks at a face again that is followed already: the detector is asked only where the finder is not
/// sure, for it takes longer than all the rest of a search. The finder's score may stand for both: a face
/// is followed on from a score far below.
fn look_again(networks: &SearchNetworks, picture: &Picture, face: Found) -> Found {
    let seen =
        placed(&face).and_then(|place| closer_by_finder(&networks.finder, picture, &face, &place));
    match seen {
        Some(seen) if ENOUGH_AGAIN <= seen.score => seen,
        _ => closer(networks, picture, face, 0.0),
    }
}

/// The finder's score that is enough for a face that is followed.
const ENOUGH_AGAIN: f32 = 0.7;

/// What the networks say together: a mean of the logarithms of their odds.
fn together(detected: f32, proposed: f32) -> f32 {
    let [detected, proposed] =
        [detected, proposed].map(|score| logit(score.max(LEAST_SCORE_CLOSE)));
    logistic(detected + FINDER_SHARE * (proposed - detected))
}

/// What the finder's word counts beside the detector's, of both.
const FINDER_SHARE: f32 = 1.0 / 3.0;

fn closer_by_finder(
    finder: &Finder,
    picture: &Picture,
    face: &Found,
    place: &Placed,
) -> Option<Found> {
    let settings = FindSettings {
        smallest_px: 0.25 * CLOSE_SHARE * FINDER_SIDE_PX as f32, // far smaller ones are not sought
        smallest_share: 0.0,
        least_score: LEAST_SCORE_CLOSE,
    };
    let find = |close: &Picture| finder.find(close, &settings);
    closer_by(find, picture, face, place, FINDER_SIDE_PX)
}

fn closer_by(
    find: impl Fn(&Picture) -> Vec<Found>,
    picture: &Picture,
    face: &Found,
    &Placed { centre, size, turn }: &Placed,
    side_px: u32,
) -> Option<Found> {
    let side = side_px as f32;
    let middle = Point2::new(0.5 * side, 0.5 * side);
    let view = Similarity::about(middle, centre, size / (CLOSE_SHARE * side), turn);
    let close = resample::crop(picture, view, side_px);
    let seen = find(&close).into_iter().map(|found| in_frame(found, view));
    let same = seen.filter(|found| covers(face.rect, found));
    same.max_by(|a, b| a.score.total_cmp(&b.score))
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
