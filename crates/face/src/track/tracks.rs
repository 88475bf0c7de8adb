//! The tracks themselves: what begins, goes on, pauses and ends, whatever the networks are.

use effigy_frame::{Point3, Rect, Similarity};
use effigy_model::{FaceMesh, Found};

use super::credibility::credibility;
use super::{Face, Fitted, TrackSettings, covers};
use crate::align::{mesh_view, mesh_view_from_found};
use crate::landmarks::{LEFT_EYE, MOUTH_LEFT, MOUTH_RIGHT, NOSE_TIP, RIGHT_EYE};
use crate::smooth::PointSmoother;

/// Fits a mesh in each of some views of the current frame.
pub(crate) type Fit<'a> = dyn Fn(&[Similarity]) -> Vec<Fitted> + 'a;

/// What to do about searching the current frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// Nothing.
    Nothing,
    /// Begin to search it; there is time.
    Begin,
    /// Take in what the search found that was begun a few frames ago.
    End,
    /// Search it and wait: no face is followed meanwhile.
    AtOnce {
        /// Whether it is the first search of a scene.
        is_new: bool,
    },
}

/// All faces that are followed or were lost a moment ago.
#[derive(Debug)]
pub(crate) struct Tracks {
    settings: TrackSettings,
    /// The credibility that a new face must have, `0..=1`.
    least_at_first: f32,
    tracks: Vec<Track>,
    next_number: u32,
    /// Frames since the last search began; `None` before the first.
    since_search: Option<u32>,
    /// Whether that search has not ended yet.
    is_searching: bool,
    /// Whether a face was lost in this frame.
    just_lost: bool,
}

#[derive(Debug)]
struct Track {
    number: u32,
    smoother: PointSmoother,
    last: Fitted,
    /// Where the last mesh was, in the frame, not smoothed.
    points: Vec<Point3>,
    rect: Rect,
    /// Its box when the last search began.
    rect_when_searched: Option<Rect>,
    /// When the face was last there.
    seen_secs: f64,
    /// Whether it is there in the current frame.
    present: bool,
    /// Searches in a row that did not find it.
    n_missed_searches: u32,
    /// Searches that found it.
    n_confirmed: u32,
}

impl Tracks {
    pub(crate) fn new(settings: TrackSettings, least_at_first: f32) -> Self {
        Self {
            settings,
            least_at_first,
            tracks: Vec::new(),
            next_number: 0,
            since_search: None,
            is_searching: false,
            just_lost: false,
        }
    }

    /// Forgets all faces; the next frame is searched.
    pub(crate) fn end_all(&mut self) {
        self.tracks.clear();
        self.since_search = None;
        self.is_searching = false;
    }

    /// Fits every followed face where it was a frame ago.
    pub(crate) fn fit_again(&mut self, time_secs: f64, fit: &Fit<'_>) {
        let least = self.settings.least_presence;
        let mut followed: Vec<&mut Track> = self.tracks.iter_mut().filter(|t| t.present).collect();
        let views: Vec<Similarity> = followed
            .iter()
            .map(|t| mesh_view(&t.points, FaceMesh::SIDE_PX).unwrap_or(t.last.frame_from_crop))
            .collect();
        self.just_lost = false;
        for (track, fitted) in followed.iter_mut().zip(fit(&views)) {
            match Sighting::new(fitted, least) {
                Some(sighting) if track.may_become(&sighting) => track.take(sighting, time_secs),
                _ => {
                    track.present = false;
                    self.just_lost = true;
                }
            }
        }
    }

    /// Decides about searching the current frame; the caller does what is said.
    pub(crate) fn search_now(&mut self) -> Search {
        let frames = self.since_search.map(|frames| frames + 1);
        self.since_search = frames;
        let n_present = self.tracks.iter().filter(|t| t.present).count();
        let hurried = n_present < self.tracks.len() || n_present == 0;
        let every = if hurried {
            self.settings.search_every_when_lost
        } else {
            self.settings.search_every
        };
        let is_due = self.just_lost || frames.is_none_or(|frames| frames >= every);
        let search = match frames {
            _ if is_due && n_present == 0 => Search::AtOnce {
                is_new: frames.is_none(),
            },
            Some(frames) if self.is_searching && frames < SEARCH_FRAMES => Search::Nothing,
            _ if self.is_searching => Search::End,
            _ if is_due => Search::Begin,
            _ => Search::Nothing,
        };
        if matches!(search, Search::Begin | Search::AtOnce { .. }) {
            self.since_search = Some(0);
            self.tracks
                .iter_mut()
                .for_each(|t| t.rect_when_searched = t.present.then_some(t.rect));
        }
        self.is_searching = match search {
            Search::Begin => true,
            Search::End | Search::AtOnce { .. } => false,
            Search::Nothing => self.is_searching,
        };
        search
    }

    /// The faces that are there, as the finder would find them: what a search looks at closely.
    pub(crate) fn known(&self) -> Vec<Found> {
        let present = self.tracks.iter().filter(|t| t.present);
        present.map(Track::found).collect()
    }

    /// Takes in what a search found: resumes lost tracks, begins new ones.
    pub(crate) fn take_in(&mut self, mut found: Vec<Found>, time_secs: f64, fit: &Fit<'_>) {
        for track in self.tracks.iter_mut() {
            let Some(rect) = track.rect_when_searched else {
                continue;
            };
            let surest = found.iter().filter(|f| covers(rect, f));
            let score = surest.map(|f| f.score).fold(0.0, f32::max);
            let is_sure = track.last.mesh.presence >= SURE_PRESENCE;
            track.confirm(score >= LEAST_SCORE_AGAIN || is_sure);
            found.retain(|f| !covers(rect, f) || !track.present);
        }
        found.retain(|f| self.is_credible(f));
        for sighting in self.meet(&found, fit) {
            let present = self.tracks.iter().filter(|t| t.present);
            if present
                .map(|t| t.rect)
                .any(|rect| same_place(rect, sighting.rect))
            {
                continue;
            }
            let least = self.least_at_first;
            match self.lost_track_near(&sighting) {
                Some(track) => track.take(sighting, time_secs),
                None if sighting.credibility() >= least => self.begin(sighting, time_secs),
                None => {}
            }
        }
    }

    /// Ends what has been gone too long and gives the faces that are there.
    pub(crate) fn settle(&mut self, time_secs: f64) -> Vec<Face> {
        self.drop_repeats();
        let oldest = time_secs - self.settings.longest_gap_secs;
        self.tracks.retain(|t| t.present || t.seen_secs >= oldest);
        let present = self.tracks.iter_mut().filter(|t| t.present);
        present.map(|t| t.face(time_secs)).collect()
    }

    /// Whether a face is sure enough to begin a track, or is one that was lost just now.
    fn is_credible(&self, found: &Found) -> bool {
        let mut lost = self.tracks.iter().filter(|t| !t.present);
        found.score >= self.least_at_first || lost.any(|t| covers(t.rect, found))
    }

    /// Fits a mesh to each face found: once where the finder saw it, once where that mesh is.
    fn meet(&self, found: &[Found], fit: &Fit<'_>) -> Vec<Sighting> {
        let side = FaceMesh::SIDE_PX;
        let (first, scores): (Vec<Similarity>, Vec<f32>) = found
            .iter()
            .filter_map(|f| Some((mesh_view_from_found(f, side)?, f.score)))
            .unzip();
        let rough = fit(&first);
        let (closer, scores): (Vec<Similarity>, Vec<f32>) = rough
            .iter()
            .zip(scores)
            .filter_map(|(fitted, score)| {
                Some((mesh_view(&fitted.points_in_frame(), side)?, score))
            })
            .unzip();
        let least = self.settings.least_presence;
        let fitted = fit(&closer).into_iter().zip(scores);
        let sightings = fitted.filter_map(|(fitted, score)| {
            let sighting = Sighting::new(fitted, least)?;
            Some(Sighting { score, ..sighting })
        });
        sightings.collect()
    }

    fn lost_track_near(&mut self, sighting: &Sighting) -> Option<&mut Track> {
        let lost = self.tracks.iter_mut().filter(|t| !t.present);
        lost.map(|t| (t.rect.iou(sighting.rect), t))
            .filter(|(iou, _)| *iou > RESUME_IOU)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, track)| track)
    }

    fn begin(&mut self, sighting: Sighting, time_secs: f64) {
        self.tracks.push(Track {
            number: self.next_number,
            smoother: PointSmoother::new(self.settings.smoothing),
            last: sighting.fitted,
            points: sighting.points,
            rect: sighting.rect,
            rect_when_searched: None,
            seen_secs: time_secs,
            present: true,
            n_missed_searches: 0,
            n_confirmed: 0,
        });
        self.next_number += 1;
    }

    /// Of tracks that have run into one face, keeps the oldest.
    fn drop_repeats(&mut self) {
        let mut kept: Vec<Rect> = Vec::new();
        self.tracks.retain(|track| {
            let repeat = track.present && kept.iter().any(|&k| same_place(k, track.rect));
            if track.present && !repeat {
                kept.push(track.rect);
            }
            !repeat
        });
    }
}

/// Frames that a search beside the following takes, whatever the speed of the machine. Long
/// enough that the following seldom waits for it.
const SEARCH_FRAMES: u32 = 6;
/// Searches in a row that may miss a face which the mesh still follows: profiles and hands before
/// the face escape the finder for a while.
const MOST_MISSED_SEARCHES: u32 = 4;
/// Searches that a new face must pass without a miss: what looks like a face by chance seldom
/// does so again and again.
const N_PROBATION_SEARCHES: u32 = 3;
/// The presence of a followed face that counts as found again: faces have 0.999999, what is taken for
/// one seldom as much.
const SURE_PRESENCE: f32 = 0.9999;
/// The score, in a closer look, that counts as found again.
const LEAST_SCORE_AGAIN: f32 = 0.5;
/// A face that comes back within this overlap of where it was lost is the same track.
const RESUME_IOU: f32 = 0.15;
/// Meshes that share more than this sit on one face.
const REPEAT_IOU: f32 = 0.5;
/// How much larger or smaller a face may be than a frame before.
const MOST_GROWTH: f32 = 1.5;

fn same_place(a: Rect, b: Rect) -> bool {
    a.iou(b) > REPEAT_IOU
}

/// A mesh that is a face, in the frame.
struct Sighting {
    /// What the search said of it; 0 where it was only followed.
    score: f32,
    fitted: Fitted,
    points: Vec<Point3>,
    rect: Rect,
}

impl Sighting {
    /// `None` when the mesh is no face.
    fn new(fitted: Fitted, least_presence: f32) -> Option<Self> {
        let points = fitted.points_in_frame();
        let rect = Rect::around(points.iter().map(|p| p.xy()))?;
        let is_face = fitted.mesh.presence >= least_presence && rect.area().is_normal();
        is_face.then_some(Self {
            score: 0.0,
            fitted,
            points,
            rect,
        })
    }

    fn credibility(&self) -> f32 {
        credibility(self.score, self.fitted.mesh.presence)
    }
}

impl Track {
    fn take(&mut self, sighting: Sighting, time_secs: f64) {
        self.last = sighting.fitted;
        self.points = sighting.points;
        self.rect = sighting.rect;
        self.seen_secs = time_secs;
        self.present = true;
    }

    /// Takes note of whether a search or its mesh was sure of it, and loses it when nothing speaks
    /// for it.
    fn confirm(&mut self, is_sure: bool) {
        if is_sure {
            self.n_missed_searches = 0;
            self.n_confirmed += 1;
            return;
        }
        self.n_missed_searches += 1;
        let on_probation = self.n_confirmed < N_PROBATION_SEARCHES;
        self.present &= !on_probation && self.n_missed_searches <= MOST_MISSED_SEARCHES;
    }

    /// Whether the face can have become `sighting` within a frame.
    fn may_become(&self, sighting: &Sighting) -> bool {
        let growth = (sighting.rect.area() / self.rect.area()).sqrt();
        (1.0 / MOST_GROWTH..MOST_GROWTH).contains(&growth)
    }

    fn found(&self) -> Found {
        let points = [
            RIGHT_EYE.iris,
            LEFT_EYE.iris,
            NOSE_TIP,
            MOUTH_RIGHT,
            MOUTH_LEFT,
        ];
        Found {
            rect: self.rect,
            points: points.map(|i| self.points[i].xy()),
            score: self.last.mesh.presence,
        }
    }

    fn face(&mut self, time_secs: f64) -> Face {
        let size = self.rect.width.max(self.rect.height);
        let points = self.smoother.smooth(&self.points, time_secs, size);
        let rect = Rect::around(points.iter().map(|p| p.xy())).unwrap_or(self.rect);
        Face {
            track: self.number,
            points,
            rect,
            score: self.last.mesh.presence,
            crop: self.last.crop.clone(),
            frame_from_crop: self.last.frame_from_crop,
        }
    }
}

#[cfg(test)]
mod tests;
