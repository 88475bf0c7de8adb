//! What cannot be judged is said to be, and why.

use std::fs;

use effigy_detect::{Report, Verdict};
use effigy_frame::colour::luma;
use effigy_frame::{Picture, Similarity, resample};

use effigy_pipeline::{Quiet, ScanJob, scan};

use super::made::{
    actor, each_value, grey, look, look_at, networks, write_clip, write_clip_with, write_picture,
};

#[test]
fn a_clip_without_a_face_is_not_judged() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("grey.mp4");
    write_clip(&clip, &vec![grey(); 5]);
    let report = look(&clip);
    assert_eq!(report.verdict, Verdict::NotJudged);
    assert_eq!(report.fake_probability, None);
    assert_eq!((report.n_frames, report.faces.len()), (5, 0));
    assert_eq!(report.not_judged, ["No face was found."]);
    assert_eq!(report.sha256.unwrap().len(), 64);
}

/// Nothing is claimed of what cannot be seen, and the report says why.
#[track_caller]
fn check_not_judged(report: &Report, why: &str) {
    assert_eq!(
        report.verdict,
        Verdict::NotJudged,
        "{:?}",
        report.not_judged
    );
    assert_eq!(report.fake_probability, None);
    let says = report.not_judged.join(" ");
    assert!(says.contains(why), "{says}");
}

#[test]
fn a_small_face_is_not_judged() {
    let report = look_at(|picture| {
        let small = resample::resize(picture, picture.width() / 5, picture.height() / 5);
        let (width, height) = (small.width(), small.height());
        resample::resize(&small, width / 2 * 2, height / 2 * 2)
    });
    check_not_judged(&report, "");
    for face in &report.faces {
        assert!(face.cues.iter().all(|cue| cue.score.is_none()));
    }
}

#[test]
fn a_dark_face_is_not_judged() {
    let report = look_at(|picture| each_value(picture, |v| v / 16));
    check_not_judged(&report, "");
}

#[test]
fn a_blurred_face_is_not_judged() {
    const SHRUNK: u32 = 20;
    let report = look_at(|picture| {
        let (width, height) = (picture.width(), picture.height());
        let tiny = resample::resize(picture, width / SHRUNK, height / SHRUNK);
        let small_from_large = Similarity {
            a: 1.0 / SHRUNK as f32,
            ..Similarity::IDENTITY
        };
        resample::warp(&tiny, small_from_large, width, height)
    });
    check_not_judged(&report, "");
}

#[test]
fn a_face_seen_for_a_moment_is_not_judged_and_a_picture_is() {
    let folder = tempfile::tempdir().unwrap();
    let brief = folder.path().join("brief.mp4");
    let mut pictures = actor(4);
    let blank = Picture::filled(pictures[0].width(), pictures[0].height(), [120; 3]);
    pictures.extend(vec![blank; 20]);
    write_clip(&brief, &pictures);
    check_not_judged(&look(&brief), "less than a second");

    let still = folder.path().join("still.png");
    write_picture(&still, &pictures[0]);
    assert_ne!(look(&still).verdict, Verdict::NotJudged);
    let one_frame = folder.path().join("one.mp4");
    write_clip(&one_frame, &pictures[..1]);
    assert_ne!(look(&one_frame).verdict, Verdict::NotJudged);
}

#[test]
fn a_still_picture_as_video_is_judged_without_a_pulse() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("still.mp4");
    write_clip(&clip, &vec![actor(1).remove(0); 40]);
    assert_ne!(look(&clip).verdict, Verdict::NotJudged);
}

/// Four flat shades of one paint, twice as large, as in a cartoon.
fn as_cartoon(picture: &Picture) -> Picture {
    let (width, height) = (picture.width(), picture.height());
    let soft = resample::resize(picture, width / 4, height / 4);
    let small_from_large = Similarity {
        a: 0.125,
        ..Similarity::IDENTITY
    };
    let mut flat = resample::warp(&soft, small_from_large, 2 * width, 2 * height);
    for rgb in flat.pixels_mut().chunks_exact_mut(3) {
        let shade = match luma([rgb[0], rgb[1], rgb[2]]) {
            v if v < 50.0 => 0.15,
            v if v < 90.0 => 0.45,
            v if v < 160.0 => 0.8,
            _ => 1.0,
        };
        rgb.copy_from_slice(&[250.0, 200.0, 160.0].map(|v| (shade * v) as u8));
    }
    flat
}

/// Warm grey stone with a grain, as of a bust.
fn as_stone(picture: &Picture) -> Picture {
    let mut stone = picture.clone();
    let mut state = 7_u32;
    for rgb in stone.pixels_mut().chunks_exact_mut(3) {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = (state >> 24) as f32 / 16.0 - 8.0;
        let level = luma([rgb[0], rgb[1], rgb[2]]) + grain;
        rgb.copy_from_slice(&[0.95, 0.92, 0.86].map(|share| (share * level) as u8));
    }
    stone
}

/// A face of circles and lines, as children draw it.
fn doodle() -> Picture {
    let mut picture = Picture::filled(480, 480, [160, 210, 230]);
    let mut disc = |x: i32, y: i32, (rx, ry): (i32, i32), colour: [u8; 3]| {
        for v in -ry..=ry {
            for u in -rx..=rx {
                if u * u * ry * ry + v * v * rx * rx <= rx * rx * ry * ry {
                    picture.set((x + u) as u32, (y + v) as u32, colour);
                }
            }
        }
    };
    disc(240, 220, (150, 190), [70, 40, 20]);
    disc(240, 250, (120, 160), [240, 190, 150]);
    for x in [190, 290] {
        disc(x, 230, (26, 16), [255; 3]);
        disc(x, 230, (11, 11), [40, 90, 60]);
        disc(x, 195, (30, 6), [70, 40, 20]);
    }
    disc(240, 280, (14, 24), [220, 160, 120]);
    disc(240, 345, (46, 14), [200, 80, 90]);
    picture
}

#[test]
fn cartoons_are_not_judged() {
    check_not_judged(&look_at(as_cartoon), "like a drawing");
    let folder = tempfile::tempdir().unwrap();
    for (name, picture) in [("a.png", doodle()), ("b.png", as_cartoon(&actor(1)[0]))] {
        let path = folder.path().join(name);
        write_picture(&path, &picture);
        check_not_judged(&look(&path), "");
    }
}

#[test]
fn statues_and_black_and_white_are_not_judged() {
    check_not_judged(&look_at(as_stone), "statue");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bust.jpg");
    write_picture(&path, &as_stone(&actor(1)[0]));
    check_not_judged(&look(&path), "statue");
}

/// What the cue *speech* says of the actor with this sound.
fn said_of_speech(sound: Option<&[u8]>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (wav, clip) = (folder.path().join("sound.wav"), folder.path().join("a.mkv"));
    if let Some(samples) = sound {
        fs::write(&wav, wav_of(samples)).unwrap();
    }
    write_clip_with(&clip, &actor(80), sound.map(|_| wav));
    let report = look(&clip);
    let speech = report.faces[0].cues.iter().find(|cue| cue.name == "speech");
    let speech = speech.unwrap();
    assert_eq!(speech.score, None);
    speech.sentence.clone()
}

/// Mono samples of 8 bits, 8000 a second.
fn wav_of(samples: &[u8]) -> Vec<u8> {
    let n = samples.len() as u32;
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + n).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(8000_u32.to_le_bytes());
    wav.extend(8000_u32.to_le_bytes());
    wav.extend(b"\x01\0\x08\0data");
    wav.extend(n.to_le_bytes());
    wav.extend(samples);
    wav
}

#[test]
fn without_sound_or_with_silence_lips_are_not_judged() {
    assert!(said_of_speech(None).contains("there is no sound"));
    let silence = said_of_speech(Some(&[128; 26_000]));
    assert!(silence.contains("silent"), "{silence}");
}

#[test]
fn a_picture_that_claims_to_be_huge_is_refused_and_a_cut_one_named() {
    let folder = tempfile::tempdir().unwrap();
    let [huge, cut] = ["huge.png", "cut.jpg"].map(|name| folder.path().join(name));
    write_picture(&huge, &grey());
    let mut bytes = fs::read(&huge).unwrap();
    // Width and height stand behind the signature and the header's name.
    bytes[16..24].copy_from_slice(&[0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60]);
    fs::write(&huge, bytes).unwrap();
    write_picture(&cut, &actor(1)[0]);
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    for path in [huge, cut] {
        let job = ScanJob::new(path.clone());
        let refused = scan(&job, &networks(), &mut Quiet).unwrap_err();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(refused.to_string().contains(&name), "{refused}");
    }
}
