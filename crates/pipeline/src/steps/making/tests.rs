//! A second driver, to show what a making job gets without asking: consent for its own use, marks
//! and a quality card.

use std::path::{Path, PathBuf};

use effigy_face::Observation;
use effigy_frame::{Frame, Plane, Rect};
use effigy_mark::consent::{Audience, Basis, Draft, Store, Use};
use effigy_mark::label::{Language, Profiles};
use effigy_mark::{Clock, Keys, Trust, UtcTime, verify};
use effigy_media::{Limits, VideoReader};
use effigy_model::Weights;
use effigy_model::device::Choice;
use effigy_render::Change;

use super::*;
use crate::steps::consent::faces::subject_faces;
use crate::steps::consent::{KnownBy, record};
use crate::steps::progress::Quiet;
use crate::steps::quality::Looks;

/// Reddens the box around each face.
struct Blush;

/// How much red is added, of 255.
const TINT: u8 = 40;

impl Driver for Blush {
    fn draw(
        &mut self,
        frame: &mut Frame,
        faces: &[Observation<'_>],
    ) -> effigy_render::Result<Vec<Option<Change>>> {
        Ok(faces.iter().map(|face| Some(redden(frame, face))).collect())
    }
}

fn redden(frame: &mut Frame, face: &Observation<'_>) -> Change {
    let picture = &mut frame.picture;
    let around = Rect::around(face.points.iter().map(|p| p.xy())).unwrap();
    let (right, lower) = (around.x + around.width, around.y + around.height);
    let (left, right) = (around.x as u32, (right as u32).min(picture.width()));
    let (upper, lower) = (around.y as u32, (lower as u32).min(picture.height()));
    for y in upper..lower {
        for x in left..right {
            let [red, green, blue] = picture.get(x, y);
            picture.set(x, y, [red.saturating_add(TINT), green, blue]);
        }
    }
    let (width, height) = (right - left, lower - upper);
    Change {
        rect: Rect {
            x: left as f32,
            y: upper as f32,
            width: width as f32,
            height: height as f32,
        },
        mask: Plane::filled(width as usize, height as usize, 1.0),
        opacity: 1.0,
    }
}

/// Ada's clip, and her consent to one use.
struct Studio {
    folder: tempfile::TempDir,
    clip: PathBuf,
    networks: Networks,
    safeguards: Safeguards,
}

fn studio(consents_to: Use) -> Studio {
    let folder = tempfile::tempdir().unwrap();
    // Certificates are checked against the clock of the system.
    let since_epoch = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let now = UtcTime::from_unix_secs(since_epoch.as_secs() as i64);
    let safeguards = Safeguards {
        keys: folder.path().join("keys"),
        consents: folder.path().join("consents"),
        signer: None,
        timestamps: None,
        audience: Audience::Private,
        profiles: Profiles::all(),
        language: Language::En,
        provider: "Test Studio".to_owned(),
        clock: Clock::set(now),
    };
    let keys = Keys::create(&safeguards.keys, "Test Studio", now).unwrap();
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors/ada-1.mp4");
    let networks = Networks::load(&Weights::from_source_tree().unwrap(), Choice::Cpu).unwrap();
    let seen = subject_faces(std::slice::from_ref(&clip), &networks, &mut Quiet).unwrap();
    let draft = Draft {
        subject: "ada".to_owned(),
        basis: Basis::Synthetic,
        uses: vec![consents_to],
        audience: Audience::Private,
        from: now.plus_days(-1),
        until: now.plus_days(1),
        evidence: None,
    };
    let store = Store::open(&safeguards.consents, &keys);
    let known_by = KnownBy {
        faces: &seen.identities,
        voice: None,
    };
    record(&store, &draft, known_by, &networks.weights, now).unwrap();
    Studio {
        folder,
        clip,
        networks,
        safeguards,
    }
}

/// Makes Ada blush, for the use `usage`.
fn blush(studio: &Studio, output: &Path, usage: Use) -> Result<Made> {
    let making = Making {
        target: &studio.clip,
        output,
        range: TimeRange {
            from_secs: 0.0,
            to_secs: Some(0.3),
        },
        view: View::Result,
        damage: Damage::Ends,
        form: Form::File,
        fps: None,
        usage,
        safeguards: &studio.safeguards,
    };
    let (networks, progress) = (&studio.networks, &mut Quiet);
    let allowed = begin(making)?
        .find("ada", networks, progress)?
        .allow(Vec::new())?;
    let template = allowed.template("ada")?;
    let looks = Looks {
        intended: Some(&template),
        original: None,
    };
    let drawing = Drawing {
        driver: &mut Blush,
        measuring: Measuring::new(networks, looks, None),
        title: "blushing".to_owned(),
        model: None,
    };
    allowed.make(drawing, networks, progress)
}

/// Mean of red less green in the first frame, amid Ada's face.
fn redness_amid_the_face(clip: &Path) -> f64 {
    let mut frames = VideoReader::open(clip, &Limits::default()).unwrap();
    let picture = frames.next().unwrap().unwrap().picture;
    assert_eq!((picture.width(), picture.height()), (320, 320));
    // Ada's face is 116 x 136 pixels there.
    let cheeks_and_nose = (133..165).flat_map(|y| (133..165).map(move |x| (x, y)));
    let redness = cheeks_and_nose.map(|(x, y)| {
        let [red, green, _] = picture.get(x, y);
        f64::from(red) - f64::from(green)
    });
    redness.sum::<f64>() / (32.0 * 32.0)
}

#[test]
fn another_driver_is_marked_and_measured_like_the_first() {
    let studio = studio(Use::Age);
    let output = studio.folder.path().join("out.mp4");
    let made = blush(&studio, &output, Use::Age).unwrap();
    assert!(5 < made.n_frames && made.n_drawn == made.n_frames);
    let trust = Trust {
        roots_pem: Keys::public_roots(&studio.safeguards.keys),
        ..Trust::default()
    };
    let report = verify(&output, &trust).unwrap();
    assert!(report.marked, "{}", report.in_words());
    assert_eq!(made.quality.pixels_changed_outside, 0);
    assert!(made.quality.identity_to_source.is_some());
    assert!(made.quality_paths.iter().all(|path| path.is_file()));
    // Coding and the watermark change single pixels, but hardly their mean.
    let gained = redness_amid_the_face(&output) - redness_amid_the_face(&studio.clip);
    assert!((gained - f64::from(TINT)).abs() < 15.0, "{gained}");
}

#[test]
fn consent_to_one_use_is_none_to_another() {
    let studio = studio(Use::Swap);
    let output = studio.folder.path().join("out.mp4");
    let refused = blush(&studio, &output, Use::Age).unwrap_err();
    let is_other_use = matches!(refused, Error::Mark(effigy_mark::Error::OtherUse { .. }));
    assert!(is_other_use, "{refused}");
    assert!(!output.exists());
}
