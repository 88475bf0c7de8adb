//! Faces over time: every track has a watch that shows it to the cues.

use std::collections::BTreeMap;

use effigy_face::patch::Patch;
use effigy_face::{Face, Observation};
use effigy_frame::{Frame, Rect};
use effigy_model::{BlendJudge, FaceEmbedder, Identity};

use crate::blocks::Blocks;
use crate::calibration::{Calibration, sigmoid};
use crate::cue::blending::Blending;
use crate::cue::compression::Compression;
use crate::cue::identity::Drift;
use crate::cue::light::Light;
use crate::cue::movement::Movement;
use crate::cue::noise::{self, Noise};
use crate::cue::pulse::Pulse;
use crate::cue::speech::{Sound, Speech};
use crate::cue::splice;
use crate::cue::synthesis::Synthesis;
use crate::exhibit::{Exhibit, Exhibits};
use crate::finding::{Cue, Span};
use crate::matter::Matter;
use crate::person::{self, Manner};
use crate::reading::{NotTaken, Taken};
use crate::unfit::Unfit;

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScanSettings {
    /// Frames a second whose pixels are looked at closely. A face that appears, or appears again
    /// after a cut, is looked at at once.
    pub samples_per_sec: f32,
    /// Whether networks are asked too that count in no verdict, as calibrating them needs.
    pub asks_all: bool,
}

impl Default for ScanSettings {
    fn default() -> Self {
        Self {
            samples_per_sec: 3.0,
            asks_all: false,
        }
    }
}

/// What cues ask: networks, and what is usual.
#[derive(Clone, Debug)]
pub struct Judges {
    /// Sees where a face was blended in; not asked when there is none.
    pub blend_judge: Option<BlendJudge>,
    /// Tells people apart.
    pub face_embedder: FaceEmbedder,
    /// What is usual of real faces.
    pub calibration: Calibration,
}

/// Watches all faces of one file.
///
/// Memory is bounded by a few numbers a second and face, and a few small pictures.
#[derive(Debug)]
pub struct Scanner {
    settings: ScanSettings,
    judges: Judges,
    watches: BTreeMap<u32, Watch>,
    exhibits: Exhibits,
    n_frames: u64,
    /// The first frame with its faces, until there is a second: some traces are those of single
    /// pictures.
    only: Option<(Frame, Vec<Face>)>,
}

impl Scanner {
    /// Begins with a new file.
    pub fn new(settings: ScanSettings, judges: Judges) -> Self {
        Self {
            settings,
            judges,
            watches: BTreeMap::new(),
            exhibits: Exhibits::default(),
            n_frames: 0,
            only: None,
        }
    }

    /// Takes in the next frame with its faces.
    pub fn look(&mut self, frame: &Frame, faces: &[Face]) {
        self.n_frames += 1;
        self.only = (self.n_frames == 1).then(|| (frame.clone(), faces.to_vec()));
        let time_secs = frame.time.secs();
        for face in faces {
            let watch = self
                .watches
                .entry(face.track)
                .or_insert_with(|| Watch::new(face.track, time_secs));
            let closely = watch.next_close_look_secs <= time_secs + ROUNDING_SECS;
            if closely {
                let step = 1.0 / f64::from(self.settings.samples_per_sec);
                watch.next_close_look_secs = time_secs + step;
            }
            let face = Observation::new(frame, face);
            watch.look(&face, closely, &self.judges, &mut self.exhibits);
        }
    }

    /// Frames seen so far.
    pub fn n_frames(&self) -> u64 {
        self.n_frames
    }

    /// Gives what was seen of each face, in the order of their tracks. `sound` is the file's.
    pub fn finish(self, sound: &Sound) -> Vec<Watched> {
        let mut exhibits = self.exhibits;
        let splices = self.only.map(|(frame, faces)| {
            let splice =
                |face: &Face| Some((face.track, look_for_splice(&frame, face, &mut exhibits)?));
            faces.iter().filter_map(splice).collect()
        });
        let splices: Option<BTreeMap<u32, Option<Told>>> = splices;
        let finish = |watch: Watch| {
            let splice = splices
                .as_ref()
                .and_then(|all| all.get(&watch.track).cloned());
            let of_track = exhibits.take(watch.track);
            Watched {
                splice,
                ..watch.finish(of_track, sound)
            }
        };
        self.watches.into_values().map(finish).collect()
    }
}

/// Says what was put into the only picture or copied, if anything was; `None` where the face is too
/// small to tell.
fn look_for_splice(frame: &Frame, face: &Face, exhibits: &mut Exhibits) -> Option<Option<Told>> {
    let face = Observation::new(frame, face);
    let patch = face.patch()?;
    let Some(splice) = splice::look(&frame.picture, patch) else {
        return Some(None);
    };
    if splice.counts {
        exhibits.offer(face.track, 1.0, || {
            Exhibit::of_patch(Cue::Splice, &face, patch, 1.0, splice.map)
        });
    }
    Some(Some(Told {
        sentence: splice.sentence,
        counts: splice.counts,
    }))
}

/// Times of frames are rounded to ticks.
const ROUNDING_SECS: f64 = 1e-4;

/// One face while it is followed.
#[derive(Debug)]
pub struct Watch {
    track: u32,
    span: Span,
    n_frames: u64,
    next_close_look_secs: f64,
    unfit: BTreeMap<Unfit, u64>,
    n_close_looks: u64,
    largest: (f32, Rect),
    blending: Blending,
    noise: Noise,
    compression: Compression,
    synthesis: Synthesis,
    drift: Drift,
    speech: Speech,
    movement: Movement,
    light: Light,
    pulse: Pulse,
    manner: Manner,
}

impl Watch {
    fn new(track: u32, time_secs: f64) -> Self {
        Self {
            track,
            span: Span {
                from_secs: time_secs,
                to_secs: time_secs,
            },
            n_frames: 0,
            next_close_look_secs: time_secs,
            unfit: BTreeMap::new(),
            n_close_looks: 0,
            largest: (0.0, Rect::default()),
            blending: Blending::default(),
            noise: Noise::default(),
            compression: Compression::default(),
            synthesis: Synthesis::default(),
            drift: Drift::default(),
            speech: Speech::default(),
            movement: Movement::default(),
            light: Light::default(),
            pulse: Pulse::default(),
            manner: Manner::default(),
        }
    }

    fn look(
        &mut self,
        face: &Observation<'_>,
        closely: bool,
        judges: &Judges,
        exhibits: &mut Exhibits,
    ) {
        self.n_frames += 1;
        self.span.to_secs = face.time_secs();
        if self.largest.0 < face.size_px() {
            self.largest = (face.size_px(), face.rect);
        }
        self.speech.look(face);
        let unfit = Unfit::of(face);
        if unfit.is_none() {
            self.movement.look(face);
            self.light.look(face);
            self.pulse.look(face);
            self.manner.look(face);
        }
        if !closely {
            return;
        }
        self.n_close_looks += 1;
        let patch = face.patch().filter(|_| unfit.is_none());
        let matter = patch.and_then(|patch| Matter::of(&face.frame.picture, patch));
        if let Some(unfit) = unfit.or_else(|| matter?.unfit()) {
            *self.unfit.entry(unfit).or_default() += 1;
            return;
        }
        self.drift.look(face, &judges.face_embedder);
        self.look_for_seams(face, judges, exhibits);
        if let Some(patch) = patch {
            self.look_at_pixels(face, patch, judges, exhibits);
            self.look_at_traces(face, patch, judges, exhibits);
        }
    }

    fn look_for_seams(&mut self, face: &Observation<'_>, judges: &Judges, exhibits: &mut Exhibits) {
        let Some(judge) = &judges.blend_judge else {
            self.blending.leave_out();
            return;
        };
        let Some(seam) = self.blending.look(face, judge) else {
            return;
        };
        let known = judges.calibration.cue(Cue::Blending);
        let Some(known) = known.filter(|known| known.weight > 0.0) else {
            return;
        };
        let score = sigmoid(known.logit(&seam.values));
        exhibits.offer(face.track, score, || Exhibit {
            cue: Cue::Blending,
            score,
            time_secs: face.time_secs(),
            frame_index: face.frame.index,
            picture: seam.crop,
            map: seam.map,
        });
    }

    fn look_at_pixels(
        &mut self,
        face: &Observation<'_>,
        patch: &Patch,
        judges: &Judges,
        exhibits: &mut Exhibits,
    ) {
        let Some(values) = self.noise.look(patch, face.time_secs()) else {
            return;
        };
        let known = judges.calibration.cue(Cue::Noise);
        let score = known.map_or(0.0, |known| sigmoid(known.logit(values)));
        exhibits.offer(face.track, score, || {
            Exhibit::of_patch(Cue::Noise, face, patch, score, noise::softness_map(patch))
        });
    }

    /// Looks at what compression and generators leave in pixels as decoded.
    fn look_at_traces(
        &mut self,
        face: &Observation<'_>,
        patch: &Patch,
        judges: &Judges,
        exhibits: &mut Exhibits,
    ) {
        let (picture, time_secs) = (&face.frame.picture, face.time_secs());
        self.synthesis.look(picture, patch, time_secs);
        let blocks = Blocks::of(picture, patch);
        let Some(ghost) = self.compression.look(&blocks, time_secs) else {
            return;
        };
        let known = judges.calibration.cue(Cue::Compression);
        let Some(known) = known.filter(|known| known.weight > 0.0) else {
            return;
        };
        let score = sigmoid(known.logit(&ghost.values));
        exhibits.offer(face.track, score, || {
            Exhibit::of_patch(Cue::Compression, face, patch, score, ghost.map)
        });
    }

    fn finish(self, exhibits: Vec<Exhibit>, sound: &Sound) -> Watched {
        let n_unfit: u64 = self.unfit.values().sum();
        let commonest = self
            .unfit
            .iter()
            .max_by_key(|(_, n)| **n)
            .map(|(why, _)| *why);
        let n_fit = self.n_close_looks - n_unfit;
        let hidden = commonest.filter(|_| n_fit * LEAST_FIT_SHARE < self.n_close_looks);
        let identity = self.drift.mean();
        let pixels = [
            self.blending.finish(),
            self.noise.finish(),
            self.compression.finish(),
            self.synthesis.finish(),
            self.drift.finish(),
        ];
        // A few lucky frames say little of a face that is mostly hidden.
        let tell_why = |taken: Taken| match (taken, hidden) {
            (Ok(reading), Some(why)) => Err(NotTaken::new(reading.cue, why.in_words())),
            (Err(not), Some(why)) => Err(NotTaken::new(not.cue, why.in_words())),
            (taken, None) => taken,
        };
        let light_towards = self.light.towards();
        let movements = [
            self.movement.finish(),
            self.light.finish(),
            self.pulse.finish(),
            self.speech.finish(sound),
        ];
        let taken = pixels.into_iter().chain(movements).map(tell_why).collect();
        Watched {
            track: self.track,
            span: self.span,
            n_frames: self.n_frames,
            n_unfit,
            n_close_looks: self.n_close_looks,
            largest: self.largest.1,
            commonest_unfit: commonest,
            identity,
            windows: self.manner.windows(),
            light_towards,
            taken,
            splice: None,
            exhibits,
        }
    }
}

/// One look in so many must be fit.
const LEAST_FIT_SHARE: u64 = 4;

/// What a single picture shows of having been put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What, in a sentence.
    pub sentence: String,
    /// Whether a verdict may rest on it.
    pub counts: bool,
}

/// One face after it was followed to its end.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Which track of the tracker.
    pub track: u32,
    /// From when to when it was seen.
    pub span: Span,
    /// In how many frames.
    pub n_frames: u64,
    /// How often its pixels were looked at.
    pub n_close_looks: u64,
    /// How often they said nothing.
    pub n_unfit: u64,
    /// Why they mostly said nothing, where they did.
    pub commonest_unfit: Option<Unfit>,
    /// Its box where it was largest.
    pub largest: Rect,
    /// Whose face it is.
    pub identity: Option<Identity>,
    /// How its gestures go together, window by window.
    pub windows: Vec<person::Window>,
    /// From where the light came, where that was seen: x right, y down, z away.
    pub light_towards: Option<[f32; 3]>,
    /// What each cue took.
    pub taken: Vec<Taken>,
    /// Of a single picture, what was put in or copied, in a sentence, or that nothing was found.
    pub splice: Option<Option<Told>>,
    /// Its worst frames, the worst first.
    pub exhibits: Vec<Exhibit>,
}
