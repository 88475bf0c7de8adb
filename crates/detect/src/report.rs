//! What is said of a file: a verdict, each face, each cue.
//!
//! The JSON form is versioned: a field may be added within a version, none changes its meaning.

mod cue;
mod lights;
pub mod page;
mod person;
mod words;

use std::path::PathBuf;

use serde::Serialize;

pub use self::cue::{CueReport, Standing};
use crate::calibration::Calibration;

use crate::exhibit::Exhibit;
use crate::finding::Moment;
use crate::fuse::fuse;
use crate::person::Person;
use crate::reading::{NotTaken, Taken};
use crate::scanner::Watched;

/// Version of the JSON form.
pub const REPORT_VERSION: u32 = 1;

/// What a face or a file looks like, all in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing could be judged.
    NotJudged,
    /// Judged, and nothing speaks for manipulation.
    NoSigns,
    /// Judged, and the cues do not decide.
    Inconclusive,
    /// Signs of manipulation.
    Signs,
}

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
    pub cues: Vec<CueReport>,
    /// What the file says of itself, in words; easily forged.
    pub claims: Vec<String>,
    /// Frames seen.
    pub n_frames: u64,
    /// When the last frame was shown.
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
    pub cues: Vec<CueReport>,
    /// Its worst frames.
    #[serde(skip)]
    pub exhibits: Vec<Exhibit>,
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
    /// Who each face is compared with, if with anybody.
    pub person: Option<Person>,
    /// Frames seen.
    pub n_frames: u64,
    /// When the last one was shown.
    pub duration_secs: f64,
    /// Frames a second that were looked at closely.
    pub samples_per_sec: f32,
    /// What judged.
    pub made_by: MadeBy,
}

/// Points of a timeline in a report at most.
const MOST_POINTS: usize = 600;
/// Looks at a face's pixels that a video needs at least: one second.
const LEAST_LOOKS: u64 = 3;

impl Report {
    /// Draws everything together.
    pub fn of(footing: Footing, watched: Vec<Watched>, calibration: &Calibration) -> Self {
        let is_video = 1 < footing.n_frames;
        let person = footing.person.as_ref();
        let lights = lights::between(&watched);
        let face = |w: Watched| {
            let identity = w.identity.as_ref();
            let likeness = person.map(|person| person::likeness(person, identity, &w.windows));
            let mut face = FaceReport::of(w, is_video, calibration);
            face.cues.extend(likeness);
            face
        };
        let faces: Vec<FaceReport> = watched.into_iter().map(face).collect();
        let provenance = words::provenance(footing.marks.as_ref());
        let marked = footing.marks.as_ref().is_some_and(|marks| marks.marked);
        let likeliest = faces
            .iter()
            .filter(|face| face.fake_probability.is_some())
            .max_by(|a, b| {
                a.verdict
                    .cmp(&b.verdict)
                    .then_with(|| probability_order(a, b))
            });
        let mut reasons: Vec<String> = Vec::new();
        if marked {
            reasons.push(provenance.sentence.clone());
        }
        reasons.extend(likeliest.into_iter().flat_map(|face| face.reasons.clone()));
        let judged = likeliest.map_or(Verdict::NotJudged, |face| face.verdict);
        Self {
            version: REPORT_VERSION,
            verdict: if marked { Verdict::Signs } else { judged },
            marked_as_synthetic: marked,
            fake_probability: likeliest.and_then(|face| face.fake_probability),
            prevalence: calibration.prevalence,
            no_signs_to: calibration.no_signs_to,
            signs_from: calibration.signs_from,
            not_judged: words::not_judged(&faces),
            reasons,
            cues: lights
                .into_iter()
                .chain([words::container(footing.container), provenance])
                .collect(),
            faces,
            file: footing.file,
            sha256: footing.sha256,
            claims: footing.claims,
            n_frames: footing.n_frames,
            duration_secs: footing.duration_secs,
            samples_per_sec: footing.samples_per_sec,
            made_by: footing.made_by,
        }
    }
}

fn probability_order(a: &FaceReport, b: &FaceReport) -> std::cmp::Ordering {
    let of = |face: &FaceReport| face.fake_probability.unwrap_or(0.0);
    of(a).total_cmp(&of(b))
}

impl FaceReport {
    /// Turns what was seen of a face into what is reported of it.
    pub fn of(watched: Watched, is_video: bool, calibration: &Calibration) -> Self {
        let rect = watched.largest;
        let taken = judgeable(
            watched.taken,
            is_video,
            watched.n_close_looks - watched.n_unfit,
        );
        let fused = fuse(&taken, calibration);
        let cues = fused.findings.iter().map(|finding| {
            let reading = taken.iter().flatten().find(|r| r.cue == finding.cue);
            let counts = calibration.cue(finding.cue).is_some_and(|c| 0.0 < c.weight);
            let standing = if counts {
                Standing::Counts
            } else {
                Standing::Told
            };
            let mut cue = CueReport::of(finding, standing);
            if let Some(reading) = reading {
                let names = reading.measures.iter().map(|m| m.name);
                cue.measures = names.zip(reading.overall.iter().copied()).collect();
            }
            cue
        });
        let mut cues: Vec<CueReport> = cues.collect();
        let (mut verdict, mut reasons) = (fused.verdict, fused.reasons);
        cues.extend(watched.splice.as_ref().map(words::splice));
        if let Some(splice) = watched.splice.flatten().filter(|splice| splice.counts) {
            // What is no face's look does not move its probability, and yet speaks against it.
            if verdict == Verdict::NoSigns {
                verdict = Verdict::Inconclusive;
            }
            reasons.insert(0, splice.sentence);
        }
        Self {
            track: watched.track,
            verdict,
            fake_probability: fused.probability,
            from_secs: watched.span.from_secs,
            to_secs: watched.span.to_secs,
            n_frames: watched.n_frames,
            rect: [rect.x, rect.y, rect.width, rect.height],
            cues,
            timeline: points(&fused.timeline),
            reasons,
            exhibits: watched.exhibits,
        }
    }
}

/// Refuses readings of a face that a video shows for a moment only.
fn judgeable(taken: Vec<Taken>, is_video: bool, n_looks: u64) -> Vec<Taken> {
    if !is_video || LEAST_LOOKS <= n_looks {
        return taken;
    }
    let refuse = |taken: Taken| {
        let cue = match taken {
            Ok(reading) => reading.cue,
            Err(not) => return Err(not),
        };
        Err(NotTaken::new(
            cue,
            "the face is seen well for less than a second",
        ))
    };
    taken.into_iter().map(refuse).collect()
}

/// Thins a timeline out: of neighbouring moments the worst stays.
fn points(moments: &[Moment]) -> Vec<[f64; 2]> {
    let together = moments.len().div_ceil(MOST_POINTS).max(1);
    let worst = |moments: &[Moment]| {
        let worst = moments.iter().max_by(|a, b| a.score.total_cmp(&b.score));
        worst.map(|m| [m.time_secs, f64::from(m.score)])
    };
    moments.chunks(together).filter_map(worst).collect()
}

#[cfg(test)]
mod tests {
    use effigy_model::Weights;

    use super::*;

    fn footing(n_frames: u64) -> Footing {
        Footing {
            file: PathBuf::from("clip.mp4"),
            sha256: None,
            marks: None,
            claims: Vec::new(),
            container: None,
            person: None,
            n_frames,
            duration_secs: 1.0,
            samples_per_sec: 3.0,
            made_by: MadeBy::default(),
        }
    }

    #[test]
    fn no_face_is_not_judged_and_says_so() {
        let report = Report::of(
            footing(25),
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

    #[test]
    fn a_long_timeline_is_thinned_and_keeps_its_peak() {
        let moment = |i: i32| Moment {
            time_secs: f64::from(i),
            score: if i == 4321 { 0.9 } else { 0.1 },
        };
        let moments: Vec<Moment> = (0..7200).map(moment).collect();
        let points = points(&moments);
        assert!(points.len() <= MOST_POINTS);
        assert!(
            points
                .iter()
                .any(|p| 0.8 < p[1] && (p[0] - 4321.0).abs() < 0.5)
        );
    }
}
