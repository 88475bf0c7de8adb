//! Faces over time: searched for now and then, followed by their mesh in between.
//!
//! Each frame, every followed face is fitted again where it was a frame ago; the mesh network's
//! presence tells when it is gone. Searches run every few frames to pick up new faces, and at
//! once when a face is lost or the scene is cut. Same frames, same settings: same tracks.

mod scene;
mod tracks;

use effigy_frame::{Picture, Point3, Rect, Similarity, resample};
use effigy_model::finder::FindSettings;
use effigy_model::{Finder, Found, Mesh, Mesher};

use crate::smooth::Smoothing;
use scene::Scene;
use tracks::{Eyes, Tracks};

/// How faces are followed. Counts are frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackSettings {
    /// What to search for. Its least score is for faces that are known already.
    pub find: FindSettings,
    /// The finder's score that a new face must have, `0..=1`.
    pub least_score_at_first: f32,
    /// Frames from one search to the next while faces are followed.
    pub search_every: u32,
    /// Frames from one search to the next while there is nobody to follow.
    pub search_every_when_empty: u32,
    /// Presence under which a followed face counts as gone, `0..=1`.
    pub least_presence: f32,
    /// Presence that a new face must have, `0..=1`.
    pub least_presence_at_first: f32,
    /// How long a face may be gone and still be the same track, in seconds.
    pub longest_gap_secs: f64,
    /// How the points are smoothed over time.
    pub smoothing: Smoothing,
}

impl Default for TrackSettings {
    fn default() -> Self {
        Self {
            find: FindSettings {
                least_score: 0.4,
                ..FindSettings::default()
            },
            least_score_at_first: 0.85,
            search_every: 12,
            search_every_when_empty: 4,
            least_presence: 0.5,
            least_presence_at_first: 0.6,
            longest_gap_secs: 0.5,
            smoothing: Smoothing::default(),
        }
    }
}

/// A face in a frame.
#[derive(Clone, Debug)]
pub struct Face {
    /// Which track it belongs to; tracks count from 0 in the order in which they begin.
    pub track: u32,
    /// 478 points in pixels of the frame, smoothed over time.
    pub points: Vec<Point3>,
    /// The box around the points.
    pub rect: Rect,
    /// How sure the mesh network is that this is a face, `0..=1`.
    pub score: f32,
    /// What the mesh network was shown.
    pub crop: Picture,
    /// Where `crop` lies in the frame.
    pub frame_from_crop: Similarity,
}

/// Follows the faces of one video, or finds those of single pictures.
#[derive(Debug)]
pub struct Tracker {
    finder: Finder,
    mesher: Mesher,
    find: FindSettings,
    tracks: Tracks,
    scene: Scene,
}

impl Tracker {
    /// Makes a tracker that has seen nothing.
    pub fn new(finder: Finder, mesher: Mesher, settings: TrackSettings) -> Self {
        Self {
            finder,
            mesher,
            find: settings.find,
            tracks: Tracks::new(settings),
            scene: Scene::default(),
        }
    }

    /// Gives the faces in the next frame, in the order of their tracks.
    ///
    /// Frames come in presentation order; `time_secs` grows.
    pub fn follow(&mut self, picture: &Picture, time_secs: f64) -> Vec<Face> {
        if self.scene.is_cut(picture) {
            self.tracks.end_all();
        }
        let eyes = Eyes {
            find: &|| self.finder.find(picture, &self.find),
            fit: &|views| fit(&self.mesher, picture, views),
        };
        self.tracks.follow(time_secs, &eyes)
    }

    /// Ends all tracks: what comes next is another video or picture. Numbers are not used again.
    pub fn start_afresh(&mut self) {
        self.tracks.end_all();
        self.scene = Scene::default();
    }
}

/// A mesh with the view it was fitted in.
#[derive(Clone, Debug)]
pub(crate) struct Fitted {
    pub(crate) mesh: Mesh,
    pub(crate) crop: Picture,
    pub(crate) frame_from_crop: Similarity,
}

impl Fitted {
    fn points_in_frame(&self) -> Vec<Point3> {
        let to_frame = |&p: &Point3| self.frame_from_crop.apply3(p);
        self.mesh.points.iter().map(to_frame).collect()
    }
}

/// Most crops fitted at once; bounds memory when a picture shows a crowd.
const BATCH: usize = 16;

fn fit(mesher: &Mesher, picture: &Picture, views: &[Similarity]) -> Vec<Fitted> {
    let mut fitted = Vec::with_capacity(views.len());
    for views in views.chunks(BATCH) {
        let cut = |&view: &Similarity| resample::crop(picture, view, Mesher::SIDE_PX);
        let crops: Vec<Picture> = views.iter().map(cut).collect();
        let meshes = mesher.fit_all(&crops);
        let together = meshes.into_iter().zip(crops).zip(views);
        fitted.extend(together.map(|((mesh, crop), &frame_from_crop)| Fitted {
            mesh,
            crop,
            frame_from_crop,
        }));
    }
    fitted
}

/// Whether a face that was found is the one with this box.
fn covers(rect: Rect, found: &Found) -> bool {
    rect.iou(found.rect) > SAME_FACE_IOU
}

/// Two boxes that share more than this show one face.
const SAME_FACE_IOU: f32 = 0.3;
