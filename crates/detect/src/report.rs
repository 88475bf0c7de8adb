//! What is said of a file: a verdict, each face, each cue.
//!
//! The JSON form is versioned: a field may be added within a version, none changes its meaning.

mod heard;
mod lights;
pub mod page;
mod person;
mod words;

use std::path::PathBuf;

use serde::Serialize;

pub use heard::{Heard, HeardVoice, VoiceLikeness};

use crate::calibration::Calibration;
use crate::fuse::{REQUIRED_CUE, fuse};
use crate::kind::CueKind;
use crate::measurement::{self, Skipped};
use crate::note::{Note, thinned};
use crate::observe::AnalysedTrack;
use crate::observe::evidence::EvidenceFrame;
use crate::person::Person;
use crate::verdict::Verdict;

/// Version of the JSON form.
pub const REPORT_VERSION: u32 = 2;

/// Everything that is said of one file.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// The file.
    pub file: PathBuf,
    /// Its SHA-256 as hexadecimal digits; `None` for footage that came without a file.
    pub sha256: Option<String>,
    /// All in all.
    pub verdict: Verdict,
    /// Whether credentials, a watermark or metadata say that it is synthetic.
    pub marked_as_synthetic: bool,
    /// The likeliest face's probability of being manipulated, at `prevalence`.
    pub fake_probability: Option<f32>,
    /// The share of manipulated faces that the probability assumes.
    pub prevalence: f32,
    /// Up to this probability a face shows no signs.
    pub no_signs_to: f32,
    /// From this probability on a face shows signs; between the two it is inconclusive.
    pub signs_from: f32,
    /// Why, in sentences, the weightiest first.
    pub reasons: Vec<String>,
    /// What could not be judged, in sentences.
    pub not_judged: Vec<String>,
    /// Each face that was followed.
    pub faces: Vec<FaceReport>,
    /// What the cues say that look at the whole file.
    pub cues: Vec<Note>,
    /// Seconds of speech; `null` where nobody listened.
    pub speech_secs: Option<f64>,
    /// Each voice, the one that speaks most first; `null` where nobody listened.
    pub voices: Option<Vec<HeardVoice>>,
    /// How alike that one and the voice of the references are, where there are both.
    pub voice_likeness: Option<VoiceLikeness>,
    /// What the file says of itself, in words; easily forged.
    pub claims: Vec<String>,
    /// Frames seen; none where there is sound alone.
    pub n_frames: u64,
    /// Frames that could not be read and were left out.
    pub damaged: Vec<Damaged>,
    /// When the last frame was shown; of sound alone, how long it is.
    pub duration_secs: f64,
    /// Frames a second whose pixels were looked at closely.
    pub samples_per_sec: f32,
    /// What judged.
    pub made_by: MadeBy,
}

/// What is said of one face.
#[derive(Clone, Debug, Serialize)]
pub struct FaceReport {
    /// Its number.
    pub track: u32,
    /// All in all.
    pub verdict: Verdict,
    /// Probability of being manipulated.
    pub fake_probability: Option<f32>,
    /// From when it was seen.
    pub from_secs: f64,
    /// Until when.
    pub to_secs: f64,
    /// In how many frames.
    pub n_frames: u64,
    /// `[x, y, width, height]` where it was largest.
    #[serde(rename = "box")]
    pub rect: [f32; 4],
    /// Why, in sentences, the weightiest first.
    pub reasons: Vec<String>,
    /// The probability over time: `[seconds, probability]`.
    pub timeline: Vec<[f64; 2]>,
    /// What each cue says.
    pub cues: Vec<Note>,
    /// Its worst frames.
    #[serde(skip)]
    pub evidence: Vec<EvidenceFrame>,
}

/// What judged: for whoever wants to do it again.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MadeBy {
    /// The program.
    pub program: String,
    /// Each network's and model's file with the SHA-256 of its weights.
    pub weights: Vec<(String, String)>,
}

/// What is known of footage besides its faces.
#[derive(Clone, Debug)]
pub struct Footing {
    /// The file, or a name for footage that came without.
    pub file: PathBuf,
    /// Its SHA-256 as hexadecimal digits.
    pub sha256: Option<String>,
    /// What its marks say.
    pub marks: Option<effigy_mark::Report>,
    /// What it says of itself.
    pub claims: Vec<String>,
    /// How it was put together, in sentences.
    pub container: Option<String>,
    /// What of it was not looked at at all, in a sentence.
    pub unread: Option<String>,
    /// Who each face is compared with, if with anybody.
    pub person: Option<Person>,
    /// Who speaks, if anybody listened.
    pub heard: Option<Heard>,
    /// Whether the voice is that of the references, if it was asked.
    pub voice: Option<(Note, Option<VoiceLikeness>)>,
    /// Frames seen.
    pub n_frames: u64,
    /// Frames that could not be read and were left out.
    pub damaged: Vec<Damaged>,
    /// When the last one was shown.
    pub duration_secs: f64,
    /// Frames a second that were looked at closely.
    pub samples_per_sec: f32,
    /// What judged.
    pub made_by: MadeBy,
}

impl Footing {
    /// Whether somebody listened to a file that has no picture.
    fn is_sound_alone(&self) -> bool {
        self.n_frames == 0 && self.heard.is_some()
    }
}

/// Frames that could not be read and were left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Damaged {
    /// The first that is missing, from 0.
    pub frame: u64,
    /// When it would have been shown.
    pub from_secs: f64,
    /// When the next frame that could be read is shown; `None` where the clip ends before.
    pub until_secs: Option<f64>,
    /// How many are missing; `None` where the file does not say how many it has.
    pub n_frames: Option<u64>,
    /// What is wrong.
    pub why: String,
}

impl Damaged {
    fn sentence(&self) -> String {
        let (from, why) = (self.from_secs, &self.why);
        let counted = match self.n_frames {
            Some(1) => " (1 frame)".to_owned(),
            Some(n) => format!(" ({n} frames)"),
            None => String::new(),
        };
        match self.until_secs {
            Some(until) => {
                format!("Damaged and left out, {from:.2} to {until:.2} s{counted}: {why}.")
            }
            None => format!("Damaged and left out, from {from:.2} s to the end{counted}: {why}."),
        }
    }
}

/// Looks at a face's pixels that a video needs at least: one second.
const LEAST_LOOKS: u64 = 3;

impl Report {
    /// Draws everything together.
    pub fn of(footing: Footing, tracks: Vec<AnalysedTrack>, calibration: &Calibration) -> Self {
        // A picture is looked at once, and judged by that.
        let least_looks = if 1 < footing.n_frames { LEAST_LOOKS } else { 0 };
        let person = footing.person.as_ref();
        // References may be sound alone.
        let unshown = footing.voice.as_ref();
        let unshown =
            unshown.map(|_| Note::not_judged(CueKind::Person, "no reference shows a face"));
        let lights = lights::between(&tracks);
        let face = |track: AnalysedTrack| {
            let identity = track.facts.identity.as_ref();
            let likeness = person.map(|person| person::likeness(person, identity, &track.windows));
            let mut face = FaceReport::of(track, least_looks, calibration);
            face.cues.extend(likeness.or_else(|| unshown.clone()));
            face
        };
        let faces: Vec<FaceReport> = tracks.into_iter().map(face).collect();
        let provenance = words::provenance(footing.marks.as_ref());
        let marked = footing.marks.as_ref().is_some_and(|marks| marks.marked);
        let likeliest = likeliest(&faces);
        let mut reasons: Vec<String> = Vec::new();
        if marked {
            reasons.push(provenance.sentence.clone());
        }
        reasons.extend(likeliest.into_iter().flat_map(|face| face.reasons.clone()));
        let (voice, voice_likeness) = footing.voice.clone().unzip();
        // Headers of sound were not looked at.
        let container =
            (!footing.is_sound_alone()).then(|| words::container(footing.container.clone()));
        let (speech_secs, voices) = Heard::parts(footing.heard.clone());
        let judged = likeliest.map_or(Verdict::NotJudged, |face| face.verdict);
        Self {
            version: REPORT_VERSION,
            verdict: if marked { Verdict::Signs } else { judged },
            marked_as_synthetic: marked,
            fake_probability: likeliest.and_then(|face| face.fake_probability),
            prevalence: calibration.prevalence,
            no_signs_to: calibration.no_signs_to,
            signs_from: calibration.signs_from,
            not_judged: not_judged(&faces, &footing),
            reasons,
            cues: lights
                .into_iter()
                .chain(container)
                .chain([provenance])
                .chain(voice)
                .collect(),
            speech_secs,
            voices,
            voice_likeness: voice_likeness.flatten(),
            faces,
            file: footing.file,
            sha256: footing.sha256,
            claims: footing.claims,
            n_frames: footing.n_frames,
            damaged: footing.damaged,
            duration_secs: footing.duration_secs,
            samples_per_sec: footing.samples_per_sec,
            made_by: footing.made_by,
        }
    }
}

/// The face that looks most like a manipulated one, of those that were judged.
fn likeliest(faces: &[FaceReport]) -> Option<&FaceReport> {
    let judged = faces.iter().filter(|face| face.fake_probability.is_some());
    judged.max_by(|a, b| {
        a.verdict
            .cmp(&b.verdict)
            .then_with(|| probability_order(a, b))
    })
}

fn probability_order(a: &FaceReport, b: &FaceReport) -> std::cmp::Ordering {
    let of = |face: &FaceReport| face.fake_probability.unwrap_or(0.0);
    of(a).total_cmp(&of(b))
}

impl FaceReport {
    /// Turns what was seen of a face into what is reported of it.
    fn of(track: AnalysedTrack, least_looks: u64, calibration: &Calibration) -> Self {
        let rect = track.largest;
        let results = judgeable(track.results, least_looks, track.n_fit_looks);
        let fused = fuse(&results, calibration);
        let (mut verdict, mut reasons) = (fused.verdict, fused.reasons);
        if let Some(splice) = track.splice.as_ref().filter(|splice| splice.is_sign()) {
            // Where pixels come from does not move the probability of how a face looks, and yet
            // speaks against it.
            if verdict == Verdict::NoSigns {
                verdict = Verdict::Inconclusive;
            }
            reasons.insert(0, splice.sentence.clone());
        }
        Self {
            track: track.track,
            verdict,
            fake_probability: fused.probability,
            from_secs: track.span.from_secs,
            to_secs: track.span.to_secs,
            n_frames: track.n_frames,
            rect: [rect.x, rect.y, rect.width, rect.height],
            cues: fused.notes.into_iter().chain(track.splice).collect(),
            timeline: thinned(&fused.timeline),
            reasons,
            evidence: track.evidence,
        }
    }
}

/// What could not be judged, in sentences.
fn not_judged(faces: &[FaceReport], footing: &Footing) -> Vec<String> {
    let mut sentences = unjudged_faces(faces, footing.is_sound_alone());
    sentences.extend(footing.unread.clone());
    let damaged = &footing.damaged;
    sentences.extend(damaged.iter().take(MOST_SENTENCES).map(Damaged::sentence));
    if MOST_SENTENCES < damaged.len() {
        let n = damaged.len() - MOST_SENTENCES;
        sentences.push(format!("And {n} more damaged places."));
    }
    sentences
}

fn unjudged_faces(faces: &[FaceReport], is_sound_alone: bool) -> Vec<String> {
    if is_sound_alone {
        return vec![SOUND_ALONE.to_owned()];
    }
    if faces.is_empty() {
        return vec!["No face was found.".to_owned()];
    }
    let unjudged = faces.iter().filter(|f| f.verdict == Verdict::NotJudged);
    let say = |face: &FaceReport| {
        // Every judged face needs this cue: why there is none is why there is no verdict.
        let needed = face.cues.iter().find(|cue| cue.name == REQUIRED_CUE.name());
        let why = needed.map_or("", |cue| cue.sentence.as_str());
        let why = why.strip_prefix("Not judged: ").unwrap_or(why);
        format!("Face {} at {:.1} s: {why}", face.track + 1, face.from_secs)
    };
    let mut sentences: Vec<String> = unjudged.clone().take(MOST_SENTENCES).map(say).collect();
    let n = unjudged.count();
    if MOST_SENTENCES < n {
        sentences.push(format!("And {} more faces.", n - MOST_SENTENCES));
    }
    sentences
}

/// What is said of a file without a picture.
const SOUND_ALONE: &str = "Sound alone: whether a voice is cloned cannot be judged yet.";

/// Unjudged faces that get a sentence each; a crowd has hundreds.
const MOST_SENTENCES: usize = 12;

/// Refuses measurements of a face that a video shows for a moment only.
fn judgeable(
    results: Vec<measurement::Result>,
    least_looks: u64,
    n_looks: u64,
) -> Vec<measurement::Result> {
    if least_looks <= n_looks {
        return results;
    }
    let refuse = |result: measurement::Result| {
        let why = "the face is seen well for less than a second";
        result.and_then(|measurement| Err(Skipped::new(measurement.cue, why)))
    };
    results.into_iter().map(refuse).collect()
}

#[cfg(test)]
impl Footing {
    /// Of frames without a file.
    pub(crate) fn of_frames(n_frames: u64) -> Self {
        Self {
            file: PathBuf::from("clip.mp4"),
            sha256: None,
            marks: None,
            claims: Vec::new(),
            container: None,
            unread: None,
            person: None,
            heard: None,
            voice: None,
            n_frames,
            damaged: Vec::new(),
            duration_secs: 1.0,
            samples_per_sec: 3.0,
            made_by: MadeBy::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use effigy_model::Weights;

    use super::*;

    #[test]
    fn no_face_is_not_judged_and_says_so() {
        let report = Report::of(
            Footing::of_frames(25),
            Vec::new(),
            &Calibration::built_in(&Weights::from_source_tree().unwrap()),
        );
        assert_eq!(report.verdict, Verdict::NotJudged);
        assert_eq!(report.not_judged, ["No face was found."]);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["verdict"], "not_judged");
        for field in ["file", "fake_probability", "reasons", "faces", "cues"] {
            assert!(json.get(field).is_some(), "{field}");
        }
    }
}
