//! The job `match`: do two pictures or clips show the same person?
//!
//! Of each input the person seen most is compared, by the average identity of a few good crops.

use std::path::{Path, PathBuf};

use effigy_detect::Person;
use effigy_detect::motion::{MotionTrace, Window, signature};
use effigy_face::align::identity_crop;
use effigy_face::recognise::{TooLittle, is_covered};
use effigy_face::{Face, Observation, TrackSettings};
use effigy_files::{Destination, Existing, check_destinations};
use effigy_frame::{Frame, Picture, Rect};
use effigy_media::{Limits, VideoReader};
use effigy_model::{FaceEmbedder, Identity, OcclusionSegmenter};

use crate::error::{Error, Result};
use crate::steps::best::BestOf;
use crate::steps::collage::paste;
use crate::steps::footage::{Followed, Follower};
use crate::steps::inputs;
use crate::steps::likeness::{MatchLikeness, Measured};
use crate::steps::networks::Networks;
use crate::steps::progress::Progress;
use crate::steps::real::write_real_picture;

/// Two inputs to compare.
#[derive(Clone, Debug)]
pub struct MatchJob {
    /// Pictures or clips.
    pub inputs: [PathBuf; 2],
    /// How faces are found and followed.
    pub tracking: TrackSettings,
    /// How much a file may ask of us.
    pub limits: Limits,
    /// Where to draw the crops that were compared, one row per input.
    pub sheet: Option<PathBuf>,
    /// What becomes of a file that is where the crops go.
    pub existing: Existing,
}

/// How similar the two are.
#[derive(Clone, Debug)]
pub struct MatchReport {
    /// By [`Identity::similarity`].
    pub likeness: MatchLikeness,
    /// What was compared, for each input.
    pub compared: [Compared; 2],
}

/// The person of one input who was compared.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Where each crop comes from, in the order of the frames.
    pub crops: Vec<CropPlace>,
    /// Other faces in the input, which were not compared.
    pub n_others: usize,
    /// Why none of the crops tells who it is, if so.
    pub too_little: Option<TooLittle>,
}

/// Where a crop comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CropPlace {
    /// Frame, from 0.
    pub frame: u64,
    /// When it is shown.
    pub time_secs: f64,
    /// The face's box in the frame.
    pub rect: Rect,
}

impl MatchJob {
    /// Compares two inputs with usual settings.
    pub fn new(a: PathBuf, b: PathBuf) -> Self {
        Self {
            inputs: [a, b],
            tracking: TrackSettings::default(),
            limits: Limits::default(),
            sheet: None,
            existing: Existing::Kept,
        }
    }
}

impl MatchJob {
    /// Checks that neither input is a folder, and that the crops may go where they are to.
    /// [`match_faces`] begins with it.
    ///
    /// # Errors
    /// When one is, or they may not.
    pub fn check(&self) -> Result<()> {
        if let Some(folder) = self.inputs.iter().find(|path| path.is_dir()) {
            return Err(Error::FolderToMatch {
                path: folder.clone(),
            });
        }
        let inputs = self.inputs.each_ref().map(|path| inputs::one(path));
        let originals = inputs::originals(&self.inputs, &inputs);
        let sheet = self.sheet.clone().map(Destination::File);
        Ok(check_destinations(
            sheet.as_slice(),
            &originals,
            self.existing,
        )?)
    }
}

/// Compares the people seen most in two inputs.
///
/// # Errors
/// When an input cannot be read or shows no face, or `progress` asks to stop.
pub fn match_faces(
    job: &MatchJob,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<MatchReport> {
    job.check()?;
    let [a, b] = &job.inputs;
    let segmenter = networks.segmenter()?;
    let a = leading_person(a, job, networks, &segmenter, progress)?;
    let b = leading_person(b, job, networks, &segmenter, progress)?;
    if let Some(path) = &job.sheet {
        write_real_picture(path, &two_rows(&a.crops, &b.crops))?;
    }
    let scale = networks.weights.identity_scale();
    let similarity = a.identity.similarity(&b.identity);
    let compared = [a.compared, b.compared];
    let tells = compared.iter().all(|input| input.too_little.is_none());
    Ok(MatchReport {
        likeness: MatchLikeness::of(Measured::of_faces(similarity, &scale), tells),
        compared,
    })
}

/// Gives the identity of the person seen most in real pictures or clips, and how they move.
///
/// # Errors
/// When a reference cannot be read or shows no face, or `progress` asks to stop.
pub fn person(
    references: &[PathBuf],
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<Option<Person>> {
    if references.is_empty() {
        return Ok(None);
    }
    let segmenter = networks.segmenter()?;
    let mut identities = Vec::new();
    let mut windows = Vec::new();
    for path in references {
        inputs::refuse_videos_in(path)?;
        let job = MatchJob::new(path.clone(), path.clone());
        let leading = leading_person(path, &job, networks, &segmenter, progress)?;
        identities.push(leading.identity);
        windows.extend(leading.windows);
    }
    let of = |identity| Person {
        identity,
        threshold: networks.weights.identity_scale().usual(),
        motion: signature(&windows),
    };
    Ok(Identity::mean(&identities).map(of))
}

/// Crops compared of each person.
const N_CROPS: usize = 8;
/// Frames from one crop to the next, at first.
const CROP_STRETCH: u64 = 5;
/// Most frames of a clip that are read; about a minute shows who is in it.
const MOST_FRAMES: usize = 2000;

struct Leading {
    identity: Identity,
    windows: Vec<Window>,
    crops: Vec<Picture>,
    compared: Compared,
}

/// One track of the input.
struct Candidate {
    track: u32,
    /// Area of the face summed over the frames: who is seen most.
    presence: f64,
    crops: BestOf<(Picture, CropPlace)>,
    /// Crops that hardly tell who it is, in case there are no others, and what they lack.
    poor: BestOf<(Picture, CropPlace, TooLittle)>,
    /// The frame from which on the face may be free again of what covered it.
    look_again_at: u64,
    motion: MotionTrace,
}

fn leading_person(
    path: &Path,
    job: &MatchJob,
    networks: &Networks,
    segmenter: &OcclusionSegmenter,
    progress: &mut dyn Progress,
) -> Result<Leading> {
    let mut candidates = follow_candidates(path, job, networks, segmenter, progress)?;
    let n_others = candidates.len().saturating_sub(1);
    candidates.sort_by(|a, b| {
        b.presence
            .total_cmp(&a.presence)
            .then(a.track.cmp(&b.track))
    });
    let no_face = || Error::NoFace {
        path: path.to_owned(),
    };
    let leading = candidates.into_iter().next().ok_or_else(no_face)?;
    let windows = leading.motion.windows();
    let picks = leading.crops.into_picks().into_iter();
    let mut picks: Vec<(Picture, CropPlace)> = picks.map(|pick| pick.item).collect();
    let mut too_little = None;
    if picks.is_empty() {
        for pick in leading.poor.into_picks() {
            let (crop, place, why) = pick.item;
            too_little.get_or_insert(why);
            picks.push((crop, place));
        }
    }
    let (crops, places): (Vec<Picture>, Vec<CropPlace>) = picks.into_iter().unzip();
    let identity = Identity::mean(&networks.face_embedder.embed(&crops)).ok_or_else(no_face)?;
    Ok(Leading {
        identity,
        windows,
        crops,
        compared: Compared {
            crops: places,
            n_others,
            too_little,
        },
    })
}

fn follow_candidates(
    path: &Path,
    job: &MatchJob,
    networks: &Networks,
    segmenter: &OcclusionSegmenter,
    progress: &mut dyn Progress,
) -> Result<Vec<Candidate>> {
    let mut follower = Follower::new(networks, job.tracking)?;
    let mut candidates: Vec<Candidate> = Vec::new();
    let reader = VideoReader::open(path, &job.limits).map_err(Error::at(path))?;
    let n_frames = reader.info().video.as_ref().and_then(|v| v.frames);
    progress.begin(
        &path.to_string_lossy(),
        n_frames.map(|n| n.min(MOST_FRAMES as u64)),
    );
    follower.follow(reader.take(MOST_FRAMES), &mut |followed| {
        let Followed { frame, faces } = followed.map_err(Error::at(path))?;
        for face in faces {
            let at = candidates.iter().position(|c| c.track == face.track);
            let at = at.unwrap_or_else(|| {
                candidates.push(Candidate::new(face.track));
                candidates.len() - 1
            });
            let place = CropPlace {
                frame: frame.index,
                time_secs: frame.time.secs(),
                rect: face.rect,
            };
            candidates[at].take(&frame, &face, place, segmenter);
        }
        if progress.step().is_break() {
            return Err(Error::Cancelled);
        }
        Ok(())
    })?;
    Ok(candidates)
}

impl Candidate {
    fn new(track: u32) -> Self {
        Self {
            track,
            presence: 0.0,
            crops: BestOf::new(N_CROPS, CROP_STRETCH),
            poor: BestOf::new(N_CROPS, CROP_STRETCH),
            look_again_at: 0,
            motion: MotionTrace::default(),
        }
    }

    fn take(
        &mut self,
        frame: &Frame,
        face: &Face,
        place: CropPlace,
        segmenter: &OcclusionSegmenter,
    ) {
        self.presence += f64::from(face.rect.area());
        let seen = Observation::new(frame, face);
        self.motion.look(&seen);
        let pose = seen.pose();
        let frontal = pose.yaw.to_radians().cos() * pose.pitch.to_radians().cos();
        let worth = face.score * frontal.max(0.05) * (0.2 + seen.quality().sharpness);
        let crop = || identity_crop(&frame.picture, &face.points);
        let is_wanted = self.crops.wants(place.frame, worth);
        let why = match TooLittle::of_geometry(&seen) {
            // The network is asked of crops that are wanted, and not again at once where one was covered.
            None if is_wanted && self.look_again_at <= place.frame => {
                let hidden = is_covered(&seen, segmenter);
                if hidden {
                    self.look_again_at = place.frame + CROP_STRETCH;
                }
                hidden.then_some(TooLittle::Covered)
            }
            None => return,
            why => why,
        };
        match why {
            None => {
                if let Some(crop) = crop() {
                    self.crops.put(place.frame, worth, (crop, place));
                }
            }
            Some(why) if self.poor.wants(place.frame, worth) => {
                if let Some(crop) = crop() {
                    self.poor.put(place.frame, worth, (crop, place, why));
                }
            }
            _ => {}
        }
    }
}

fn two_rows(upper: &[Picture], lower: &[Picture]) -> Picture {
    let side = FaceEmbedder::SIDE_PX;
    let columns = upper.len().max(lower.len()) as u32;
    let mut sheet = Picture::filled(columns * side, 2 * side, [24; 3]);
    for (row, crops) in [upper, lower].into_iter().enumerate() {
        for (column, crop) in crops.iter().enumerate() {
            paste(&mut sheet, crop, column as u32 * side, row as u32 * side);
        }
    }
    sheet
}
