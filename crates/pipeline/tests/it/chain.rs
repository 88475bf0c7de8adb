//! Train on two clips, swap, verify: the whole road once, on real footage where it is there.

use effigy_model::Weights;
use std::path::{Path, PathBuf};

use crate::studio::studio;
use effigy_detect::Verdict;
use effigy_mark::{Keys, Trust, verify};
use effigy_media::{Limits, probe};
use effigy_pipeline::{Choice, Error, Networks, Quiet, ScanJob, scan, swap, train};

/// Two clips of one adult each.
const CLIPS: [&str; 2] = ["video/liveportrait-d20.mp4", "video/liveportrait-d18.mp4"];

/// The clips, or `None`, said aloud, where the data are not there.
fn clips(test: &str) -> Option<[PathBuf; 2]> {
    let set = std::env::var_os("EFFIGY_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let clips = CLIPS.map(|clip| set.clone().unwrap_or(beside.clone()).join(clip));
    if clips.iter().all(|clip| clip.exists()) {
        return Some(clips);
    }
    eprintln!("skipped: {test} needs ../shared/data");
    None
}

#[test]
fn two_clips_become_a_marked_swap() {
    let Some(clips) = clips("two_clips_become_a_marked_swap") else {
        return;
    };
    let studio = studio();
    studio.consent("Ada", &clips[0]);
    studio.consent("Ben", &clips[1]);
    train(&studio.train_job(&clips, 3), &mut Quiet).unwrap();
    let report = swap(&studio.swap_job(&clips[1]), &mut Quiet).unwrap();
    assert!(0 < report.n_drawn && report.n_drawn <= report.n_frames);
    assert_eq!(report.quality.pixels_changed_outside, 0);
    let (source, result) = (
        probe(&clips[1], &Limits::default()),
        probe(&report.marked.path, &Limits::default()),
    );
    let (source, result) = (
        source.unwrap().video.unwrap(),
        result.unwrap().video.unwrap(),
    );
    assert_eq!((source.width, source.height), (result.width, result.height));
    let trust = Trust {
        roots_pem: vec![
            Keys::open(&studio.safeguards.keys)
                .unwrap()
                .root_pem()
                .to_owned(),
        ],
        ..Trust::default()
    };
    assert!(verify(&report.marked.path, &trust).unwrap().marked);
    let networks = Networks::load(&Weights::from_source_tree().unwrap(), Choice::Cpu).unwrap();
    let job = ScanJob {
        trust,
        ..ScanJob::new(report.marked.path.clone())
    };
    let judged = scan(&job, &networks, &mut Quiet).unwrap();
    assert!(judged.marked_as_synthetic, "{:?}", judged.cues);
    assert_eq!(judged.verdict, Verdict::Signs);
    let logged = studio.logged();
    let began = "consented, consented, training-began, written";
    assert!(logged.starts_with(began), "{logged}");
}

#[test]
fn nothing_is_learned_without_consent_or_from_somebody_else() {
    let Some(clips) = clips("nothing_is_learned_without_consent_or_from_somebody_else") else {
        return;
    };
    let studio = studio();
    studio.consent("Ada", &clips[0]);
    let job = studio.train_job(&clips, 3);
    let error = train(&job, &mut Quiet).unwrap_err();
    assert!(matches!(error, Error::Mark(_)), "{error}");
    assert!(!job.output.exists());

    studio.consent("Ben", &clips[0]); // Ben's record shows Ada, his clips do not
    let error = train(&job, &mut Quiet).unwrap_err();
    let is_refused = matches!(error, Error::Mark(effigy_mark::Error::OtherFace { .. }));
    assert!(is_refused, "{error}");
    assert!(!job.output.exists());
}
