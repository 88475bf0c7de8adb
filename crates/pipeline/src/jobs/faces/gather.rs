//! What is kept of each track while a video passes: sums, and a few good crops.
//!
//! A track that has not been seen for a while is settled: its crops become one identity and are
//! dropped, so that memory does not grow with the length of the video.

use std::collections::BTreeMap;

use effigy_face::Face;
use effigy_face::align::{aligned_view, identity_crop};
use effigy_face::people::{SeenTogether, TrackIdentity};
use effigy_frame::{Frame, Picture, resample};
use effigy_model::{FaceEmbedder, Identity, WorkerThread};

use super::Measures;
use super::angles::AngleCounts;
use super::sheet::{SHEET_EXTENT, SHEET_SIDE_PX, SheetPick, Sheets};
use crate::error::Result;
use crate::steps::best::{BestOf, Pick};

/// What remains of a track.
#[derive(Debug)]
pub(crate) struct TrackRecord {
    pub(crate) number: u32,
    pub(crate) input_index: usize,
    pub(crate) n_frames: u64,
    pub(crate) secs: f64,
    pub(crate) first_secs: f64,
    pub(crate) yaw: AngleCounts,
    pub(crate) pitch: AngleCounts,
    pub(crate) sharpness_sum: f64,
    pub(crate) size_sum: f64,
    /// `None` when no crop was good enough to identify.
    pub(crate) identity: Option<Identity>,
    pub(crate) sheet: Vec<SheetPick>,
}

impl TrackRecord {
    pub(crate) fn identified(&self) -> Option<TrackIdentity> {
        let identity = self.identity.clone()?;
        Some(TrackIdentity {
            track: self.number,
            identity,
            n_frames: self.n_frames,
        })
    }
}

/// What one input gave.
pub(crate) struct Gathered {
    pub(crate) records: Vec<TrackRecord>,
    pub(crate) together: SeenTogether,
}

/// The identity network on a thread of its own.
pub(crate) struct Recogniser {
    face_embedder: FaceEmbedder,
    worker: WorkerThread,
}

impl Recogniser {
    pub(crate) fn new(face_embedder: FaceEmbedder) -> Result<Self> {
        Ok(Self {
            face_embedder,
            worker: WorkerThread::start()?,
        })
    }

    /// Gives the identity that each aligned crop shows.
    pub(crate) fn embed(&self, crops: Vec<Picture>) -> Vec<Identity> {
        self.worker.run(|| self.face_embedder.embed(&crops))
    }
}

/// Gathers the tracks of one input.
pub(crate) struct Gatherer {
    input_index: usize,
    frame_secs: f64,
    wants_sheet: bool,
    live: BTreeMap<u32, Live>,
    gathered: Gathered,
}

/// A track that may still continue.
struct Live {
    record: TrackRecord,
    last_secs: f64,
    for_identity: BestOf<Picture>,
    for_sheet: BestOf<Picture>,
}

/// Crops that make up a track's identity.
const N_IDENTITY_CROPS: usize = 4;
/// Crops of a track that a contact sheet may choose from.
const N_SHEET_CROPS: usize = 24;
/// Frames from one crop to the next, at first.
const CROP_STRETCH: u64 = 10;
/// A track that was not seen for this long is over; the tracker bridges shorter gaps only.
const OVER_AFTER_SECS: f64 = 2.0;
/// Faces smaller than this cannot be identified.
const LEAST_IDENTITY_PX: f32 = 24.0;

impl Gatherer {
    pub(crate) fn new(input_index: usize, frame_secs: f64, wants_sheet: bool) -> Self {
        Self {
            input_index,
            frame_secs,
            wants_sheet,
            live: BTreeMap::new(),
            gathered: Gathered {
                records: Vec::new(),
                together: SeenTogether::new(),
            },
        }
    }

    /// Takes in the faces of one frame.
    pub(crate) fn take(&mut self, frame: &Frame, faces: &[Face], measures: &[Measures]) {
        for (i, (face, measures)) in faces.iter().zip(measures).enumerate() {
            // Faces come in the order of their tracks, the smaller number first.
            let pairs = faces[..i].iter().map(|other| (other.track, face.track));
            self.gathered.together.extend(pairs);
            let (input_index, first_secs) = (self.input_index, measures.time_secs);
            let begin = || Live::new(face.track, input_index, first_secs);
            let live = self.live.entry(face.track).or_insert_with(begin);
            live.count(measures, self.frame_secs);
            live.keep_crops(&frame.picture, face, measures, self.wants_sheet);
        }
    }

    /// Settles tracks that are over.
    pub(crate) fn settle(
        &mut self,
        now_secs: f64,
        recogniser: &Recogniser,
        mut sheets: Option<&mut Sheets>,
    ) -> Result<()> {
        let is_over = |live: &Live| now_secs - live.last_secs > OVER_AFTER_SECS;
        let over: Vec<u32> = self
            .live
            .iter()
            .filter(|(_, live)| is_over(live))
            .map(|(&n, _)| n)
            .collect();
        for number in over {
            if let Some(live) = self.live.remove(&number) {
                let record = live.settle(recogniser, sheets.as_deref_mut())?;
                self.gathered.records.push(record);
            }
        }
        Ok(())
    }

    /// Settles all tracks: the input has ended.
    pub(crate) fn finish(
        mut self,
        recogniser: &Recogniser,
        sheets: Option<&mut Sheets>,
    ) -> Result<Gathered> {
        self.settle(f64::INFINITY, recogniser, sheets)?;
        Ok(self.gathered)
    }
}

impl Live {
    fn new(number: u32, input_index: usize, first_secs: f64) -> Self {
        Self {
            record: TrackRecord {
                number,
                input_index,
                n_frames: 0,
                secs: 0.0,
                first_secs,
                yaw: AngleCounts::new(),
                pitch: AngleCounts::new(),
                sharpness_sum: 0.0,
                size_sum: 0.0,
                identity: None,
                sheet: Vec::new(),
            },
            last_secs: first_secs,
            for_identity: BestOf::new(N_IDENTITY_CROPS, CROP_STRETCH),
            for_sheet: BestOf::new(N_SHEET_CROPS, CROP_STRETCH),
        }
    }

    fn count(&mut self, measures: &Measures, frame_secs: f64) {
        let record = &mut self.record;
        record.n_frames += 1;
        record.secs += frame_secs;
        record.yaw.add(measures.pose.yaw);
        record.pitch.add(measures.pose.pitch);
        record.sharpness_sum += f64::from(measures.sharpness);
        record.size_sum += f64::from(measures.size_px);
        self.last_secs = measures.time_secs;
    }

    fn keep_crops(
        &mut self,
        picture: &Picture,
        face: &Face,
        measures: &Measures,
        wants_sheet: bool,
    ) {
        let (index, quality) = (measures.frame_index, worth(face, measures));
        if measures.size_px >= LEAST_IDENTITY_PX
            && self.for_identity.wants(index, quality)
            && let Some(crop) = identity_crop(picture, &face.points)
        {
            self.for_identity.put(index, quality, crop);
        }
        if wants_sheet
            && self.for_sheet.wants(index, quality)
            && let Some(view) = aligned_view(&face.points, SHEET_SIDE_PX, SHEET_EXTENT)
        {
            self.for_sheet
                .put(index, quality, resample::crop(picture, view, SHEET_SIDE_PX));
        }
    }

    fn settle(self, recogniser: &Recogniser, sheets: Option<&mut Sheets>) -> Result<TrackRecord> {
        let mut record = self.record;
        let crops: Vec<Picture> = self
            .for_identity
            .into_picks()
            .into_iter()
            .map(|pick: Pick<_>| pick.item)
            .collect();
        record.identity = Identity::mean(&recogniser.embed(crops));
        if let Some(sheets) = sheets {
            for pick in self.for_sheet.into_picks() {
                record.sheet.push(sheets.keep(&pick)?);
            }
        }
        Ok(record)
    }
}

/// How well a face can be identified: sharp, large, and turned to the camera.
fn worth(face: &Face, measures: &Measures) -> f32 {
    let frontal = measures.pose.yaw.to_radians().cos() * measures.pose.pitch.to_radians().cos();
    let large = (measures.size_px / 160.0).min(1.0);
    face.score * frontal.max(0.05) * large * (0.2 + measures.sharpness)
}

/// Gives the identity of each face as this one frame shows it.
pub(crate) fn identities(
    recogniser: &Recogniser,
    picture: &Picture,
    faces: &[Face],
) -> Vec<Option<Identity>> {
    let of = |face: &Face| {
        recogniser
            .embed(vec![identity_crop(picture, &face.points)?])
            .pop()
    };
    faces.iter().map(of).collect()
}
