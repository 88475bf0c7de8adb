//! Faces over time: searched for now and then, followed by their mesh in between.
//!
//! Each frame, every followed face is fitted again where it was a frame ago; the mesh network's
//! presence tells when it is gone. Searches begin every few frames to pick up new faces, and as
//! soon as a face is lost or the scene is cut. While any face is followed they run beside
//! the following, and their result always counts the same number of frames later: same frames,
//! same settings, same tracks.

mod credibility;
mod scene;
mod search;
mod tracks;

use effigy_frame::{Picture, Point3, Rect, Similarity, resample};
use effigy_model::finder::FindSettings;
use effigy_model::{FaceMesh, Found, Mesh, WorkerThread};

use crate::error::Result;
use crate::smooth::Smoothing;
pub use credibility::credibility;
use scene::Scene;
use search::Searcher;
pub use search::{CLOSE_SIDE_PX, SearchNetworks, find_closely};
use tracks::{Search, Tracks};

/// How faces are followed. Counts are frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackSettings {
    /// What to search for. Its least score is for faces that are known already.
    pub find: FindSettings,
    /// Frames from one search to the next while faces are followed.
    pub search_every: u32,
    /// Frames from one search to the next while a face is lost or there is none to follow.
    pub search_every_when_lost: u32,
    /// Presence under which a followed face counts as gone, `0..=1`.
    pub least_presence: f32,
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
            search_every: 15,
            search_every_when_lost: 4,
            least_presence: 0.5,
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
    searcher: Searcher,
    face_mesh: FaceMesh,
    worker: WorkerThread,
    tracks: Tracks,
    scene: Scene,
}

impl Tracker {
    /// Makes a tracker that has seen nothing, with a thread for each of its networks.
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub fn new(
        networks: SearchNetworks,
        face_mesh: FaceMesh,
        settings: TrackSettings,
    ) -> Result<Self> {
        let least_score_at_first = networks.detector.least_score();
        Ok(Self {
            searcher: Searcher::new(networks, settings.find, WorkerThread::start()?),
            face_mesh,
            worker: WorkerThread::start()?,
            tracks: Tracks::new(settings, least_score_at_first),
            scene: Scene::default(),
        })
    }

    /// Gives the faces in the next frame, in the order of their tracks.
    ///
    /// Frames come in presentation order; `time_secs` grows.
    pub fn follow(&mut self, picture: &Picture, time_secs: f64) -> Vec<Face> {
        if self.scene.is_cut(picture) {
            self.end_all();
        }
        let (face_mesh, worker) = (&self.face_mesh, &self.worker);
        let fit = |views: &[Similarity]| worker.run(|| fit(face_mesh, picture, views));
        self.tracks.fit_again(time_secs, &fit);
        let found = match self.tracks.search_now() {
            Search::Nothing => None,
            Search::Begin => {
                self.searcher.begin(picture, self.tracks.known());
                None
            }
            Search::End => Some(self.searcher.end()),
            Search::AtOnce { is_new } => {
                let known = self.tracks.known();
                Some(self.searcher.search(picture, &known, is_new))
            }
        };
        if let Some(found) = found {
            self.tracks.take_in(found, time_secs, &fit);
        }
        self.tracks.settle(time_secs)
    }

    /// Ends all tracks: what comes next is another video or picture. Numbers are not used again.
    pub fn start_afresh(&mut self) {
        self.end_all();
        self.scene = Scene::default();
    }

    fn end_all(&mut self) {
        drop(self.searcher.end());
        self.tracks.end_all();
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

fn fit(face_mesh: &FaceMesh, picture: &Picture, views: &[Similarity]) -> Vec<Fitted> {
    let mut fitted = Vec::with_capacity(views.len());
    for views in views.chunks(BATCH) {
        let cut = |&view: &Similarity| resample::crop(picture, view, FaceMesh::SIDE_PX);
        let crops: Vec<Picture> = views.iter().map(cut).collect();
        let meshes = face_mesh.fit_all(&crops);
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
