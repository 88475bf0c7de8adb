//! The tracks themselves: what begins, goes on, pauses and ends, whatever the networks are.

use effigy_frame::{Point3, Rect, Similarity};
use effigy_model::{Found, Mesher};

use super::{Face, Fitted, TrackSettings, covers};
use crate::align::{mesh_view, mesh_view_from_found};
use crate::smooth::PointSmoother;

/// How the tracks see the current frame.
pub(crate) struct Eyes<'a> {
    /// Searches the whole frame.
    pub(crate) find: &'a dyn Fn() -> Vec<Found>,
    /// Fits a mesh in each of some views.
    pub(crate) fit: &'a dyn Fn(&[Similarity]) -> Vec<Fitted>,
}

/// All faces that are followed or were lost a moment ago.
#[derive(Debug)]
pub(crate) struct Tracks {
    settings: TrackSettings,
    tracks: Vec<Track>,
    next_number: u32,
    /// Frames since the last search; `None` before the first.
    since_search: Option<u32>,
}

#[derive(Debug)]
struct Track {
    number: u32,
    smoother: PointSmoother,
    last: Fitted,
    /// Where the last mesh was, in the frame, not smoothed.
    points: Vec<Point3>,
    rect: Rect,
    /// When the face was last there.
    seen_secs: f64,
    /// Whether it is there in the current frame.
    present: bool,
    /// Searches in a row that did not find it.
    n_missed_searches: u32,
}

impl Tracks {
    pub(crate) fn new(settings: TrackSettings) -> Self {
        Self {
            settings,
            tracks: Vec::new(),
            next_number: 0,
            since_search: None,
        }
    }

    /// Forgets all faces; the next frame is searched.
    pub(crate) fn end_all(&mut self) {
        self.tracks.clear();
        self.since_search = None;
    }

    /// Takes the next frame and gives its faces.
    pub(crate) fn follow(&mut self, time_secs: f64, eyes: &Eyes<'_>) -> Vec<Face> {
        let n_before = self.n_present();
        self.fit_again(time_secs, eyes);
        self.since_search = self.since_search.map(|frames| frames + 1);
        if self.search_is_due(n_before) {
            self.search(time_secs, eyes);
            self.since_search = Some(0);
        }
        self.drop_repeats();
        let oldest = time_secs - self.settings.longest_gap_secs;
        self.tracks.retain(|t| t.present || t.seen_secs >= oldest);
        let present = self.tracks.iter_mut().filter(|t| t.present);
        present.map(|t| t.face(time_secs)).collect()
    }

    fn n_present(&self) -> usize {
        self.tracks.iter().filter(|t| t.present).count()
    }

    /// Fits every followed face where it was.
    fn fit_again(&mut self, time_secs: f64, eyes: &Eyes<'_>) {
        let least = self.settings.least_presence;
        let mut followed: Vec<&mut Track> = self.tracks.iter_mut().filter(|t| t.present).collect();
        let views: Vec<Similarity> = followed
            .iter()
            .map(|t| mesh_view(&t.points, Mesher::SIDE_PX).unwrap_or(t.last.frame_from_crop))
            .collect();
        for (track, fitted) in followed.iter_mut().zip((eyes.fit)(&views)) {
            match Sighting::new(fitted, least) {
                Some(sighting) if track.may_become(&sighting) => track.take(sighting, time_secs),
                _ => track.present = false,
            }
        }
    }

    fn search_is_due(&self, n_before: usize) -> bool {
        let Some(frames) = self.since_search else {
            return true;
        };
        let n_now = self.n_present();
        let just_lost = n_now < n_before;
        let every = if n_now == 0 || n_now < self.tracks.len() {
            self.settings.search_every_when_empty
        } else {
            self.settings.search_every
        };
        just_lost || frames >= every
    }

    /// Looks at the whole frame: resumes lost tracks, begins new ones.
    fn search(&mut self, time_secs: f64, eyes: &Eyes<'_>) {
        let mut found = (eyes.find)();
        for track in self.tracks.iter_mut().filter(|t| t.present) {
            let seen = found.iter().any(|f| covers(track.rect, f));
            track.n_missed_searches = if seen { 0 } else { track.n_missed_searches + 1 };
            track.present = track.n_missed_searches <= MOST_MISSED_SEARCHES;
        }
        let least_score = self.settings.least_score_at_first;
        found.retain(|f| {
            let mut covering = self.tracks.iter().filter(|t| covers(t.rect, f));
            // The track that covers it, if any, is lost: one that is present needs no help.
            covering
                .next()
                .map_or(f.score >= least_score, |track| !track.present)
        });
        for sighting in self.meet(&found, eyes) {
            match self.lost_track_near(&sighting) {
                Some(track) => track.take(sighting, time_secs),
                None => self.begin(sighting, time_secs),
            }
        }
    }

    /// Fits a mesh to each face found: once where the finder saw it, once where that mesh is.
    fn meet(&self, found: &[Found], eyes: &Eyes<'_>) -> Vec<Sighting> {
        let side = Mesher::SIDE_PX;
        let first: Vec<Similarity> = found
            .iter()
            .filter_map(|f| mesh_view_from_found(f, side))
            .collect();
        let rough = (eyes.fit)(&first);
        let closer: Vec<Similarity> = rough
            .iter()
            .filter_map(|fitted| mesh_view(&fitted.points_in_frame(), side))
            .collect();
        let least = self.settings.least_presence_at_first;
        let fitted = (eyes.fit)(&closer).into_iter();
        fitted
            .filter_map(|fitted| Sighting::new(fitted, least))
            .collect()
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
            seen_secs: time_secs,
            present: true,
            n_missed_searches: 0,
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

/// Searches in a row that may miss a face which the mesh still follows: profiles and hands before
/// the face escape the finder for a while.
const MOST_MISSED_SEARCHES: u32 = 4;
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
            fitted,
            points,
            rect,
        })
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

    /// Whether the face can have become `sighting` within a frame.
    fn may_become(&self, sighting: &Sighting) -> bool {
        let growth = (sighting.rect.area() / self.rect.area()).sqrt();
        (1.0 / MOST_GROWTH..MOST_GROWTH).contains(&growth)
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
