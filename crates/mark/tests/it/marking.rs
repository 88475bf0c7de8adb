//! What leaves through the marked writer is labelled, watermarked, signed, and noticed when
//! changed.

use std::fs;
use std::path::{Path, PathBuf};

use effigy_frame::{Frame, Picture, Rational, Timestamp};
use effigy_mark::consent::{
    Audience, Basis, Claim, Draft, IDENTITY_LENGTH, Match, Portrait, Purpose, Seen, Store,
    Template, Token, Use, require,
};
use effigy_mark::keys::Timestamps;
use effigy_mark::label::{Language, Profiles, Source};
use effigy_mark::{
    Clock, Error, Foreign, Keys, MarkedWriter, Policy, Report, State, Trust, UtcTime, mark_file,
    read_credentials, verify, write_marked_picture,
};
use effigy_media::WriteSettings;

use crate::proof;

pub(crate) struct Studio {
    folder: tempfile::TempDir,
    pub(crate) keys: Keys,
}

pub(crate) fn now() -> UtcTime {
    let since_epoch = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    UtcTime::from_unix_secs(since_epoch.as_secs() as i64)
}

pub(crate) fn studio() -> Studio {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::create(&folder.path().join("keys"), "Test Studio", now()).unwrap();
    Studio { folder, keys }
}

impl Studio {
    /// A token for a face that belongs to nobody: the test needs no person.
    pub(crate) fn token(&self) -> Token {
        let store = Store::open(&self.folder.path().join("consents"), &self.keys);
        let draft = Draft {
            subject: "Nobody".to_owned(),
            basis: Basis::Synthetic,
            uses: vec![Use::Swap],
            audience: Audience::Private,
            from: now().plus_days(-1),
            until: now().plus_days(1),
            evidence: None,
        };
        let portrait = Portrait {
            template: &Template::from_faces(&[[1.0; IDENTITY_LENGTH]]).unwrap(),
            alike_from: 0.5,
            same_from: 0.5,
        };
        let record = store.add(&draft, &portrait.into(), now()).unwrap();
        let claims = [Claim {
            who: record.id.to_string(),
            seen: Seen::Model,
            usage: Use::Swap,
        }];
        let same = Match {
            similarity: 0.5,
            of_each: 0.5,
            share: 0.8,
            of_synthetic: 0.5,
            voice: 0.5,
        };
        let purpose = Purpose {
            usage: Use::Swap,
            audience: Audience::Private,
            same,
        };
        require(&store, &claims, &purpose, now()).unwrap()
    }

    pub(crate) fn policy(&self) -> Policy<'_> {
        Policy {
            keys: &self.keys,
            profiles: Profiles::all(),
            language: Language::En,
            source: Source::Generated,
            provider: "Test Studio".to_owned(),
            parent: None,
            inputs: Vec::new(),
            model: None,
            clock: Clock::set(now()),
        }
    }

    pub(crate) fn keys_folder(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let outputs = self.folder.path().join("outputs");
        fs::create_dir_all(&outputs).unwrap();
        outputs.join(name)
    }

    pub(crate) fn files_left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join("outputs")).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}

pub(crate) fn picture(width: u32, height: u32, phase: u32) -> Picture {
    let pixels = (0..width * height).flat_map(|i| {
        let (x, y) = (i % width, i / width);
        [(x + phase) as u8, (y * 2) as u8, ((x ^ y) & 63) as u8 + 90]
    });
    Picture::new(width, height, pixels.collect())
}

fn frame(index: u64) -> Frame {
    let time = Timestamp::new(index as i64, Rational::new(1, 25));
    Frame {
        index,
        time,
        picture: picture(320, 240, index as u32),
    }
}

fn write_video(studio: &Studio, path: &Path) -> effigy_mark::Result<effigy_mark::Marked> {
    let (token, policy) = (studio.token(), studio.policy());
    let settings = WriteSettings::new(320, 240, Rational::new(25, 1));
    let mut writer = MarkedWriter::create(path, &settings, &token, &policy)?;
    for index in 0..30 {
        writer.write(frame(index))?;
    }
    writer.finish()
}

#[test]
fn video_and_pictures_are_written_and_nothing_else_stays() {
    let studio = studio();
    write_video(&studio, &studio.path("out.mp4")).unwrap();
    assert_eq!(studio.files_left(), ["out.mp4"]);
    for name in ["out.png", "out.jpg", "out.webp"] {
        let (token, policy) = (studio.token(), studio.policy());
        write_marked_picture(&studio.path(name), picture(300, 200, 0), &token, &policy).unwrap();
    }
    assert_eq!(studio.files_left().len(), 4);
}

#[test]
fn format_without_room_for_credentials_is_refused() {
    let studio = studio();
    let refused = write_video(&studio, &studio.path("out.mkv"));
    let Err(error @ Error::CannotCarry { .. }) = refused else {
        panic!("{refused:?}")
    };
    assert!(error.to_string().contains("mp4, mov, m4v, jpg"), "{error}");
    assert_eq!(studio.files_left(), Vec::<String>::new());
}

#[test]
fn dropped_writer_leaves_nothing() {
    let studio = studio();
    let path = studio.path("out.mp4");
    let (token, policy) = (studio.token(), studio.policy());
    let settings = WriteSettings::new(320, 240, Rational::new(25, 1));
    let mut writer = MarkedWriter::create(&path, &settings, &token, &policy).unwrap();
    writer.write(frame(0)).unwrap();
    drop(writer);
    assert_eq!(studio.files_left(), Vec::<String>::new());
}

fn report(studio: &Studio, path: &Path) -> Report {
    let trust = Trust {
        roots_pem: vec![studio.keys.root_pem().to_owned()],
        now: Some(now()),
        ..Trust::default()
    };
    verify(path, &trust).unwrap()
}

#[test]
fn written_video_verifies_and_says_what_was_done() {
    let studio = studio();
    let path = studio.path("out.mp4");
    let marked = write_video(&studio, &path).unwrap();
    let report = report(&studio, &path);
    assert!(report.marked);
    let credentials = report.credentials.unwrap();
    assert_eq!(credentials.state, State::Trusted);
    assert_eq!(
        credentials.watermark,
        Some(format!("{:016x}", marked.identifier))
    );
    assert_eq!(report.watermark.unwrap().identifier, marked.identifier);
    assert_eq!(credentials.consents.len(), 1);
    let words = verify(&path, &Trust::default()).unwrap().in_words();
    assert!(words.contains("not trusted here"), "{words}");
}

/// Where a bit of a file is flipped: at every byte, or at some spread over the file and some of its
/// start, its end and where the manifest begins.
fn places_to_flip(whole: &[u8]) -> Vec<usize> {
    if proof::is_whole() {
        return (0..whole.len()).collect();
    }
    let stride = whole.len().div_ceil(100);
    let spread = (proof::seed() % stride..whole.len()).step_by(stride);
    let ends = (0..48).chain(whole.len() - 24..whole.len());
    // What wraps the manifest, and its first boxes.
    let manifest = whole.windows(4).position(|w| w == b"jumb").unwrap();
    let start = manifest.saturating_sub(48)..manifest + 96;
    let delicate = ends.chain(start).skip(proof::seed() % 3).step_by(3);
    spread.chain(delicate).collect()
}

/// Flips one bit at places all over a file; gives those that nobody noticed.
fn unseen_flips(studio: &Studio, path: &Path) -> Vec<String> {
    let whole = fs::read(path).unwrap();
    let mut unseen = Vec::new();
    let changed = path.with_file_name(format!(
        "changed.{}",
        path.extension().unwrap().to_string_lossy()
    ));
    for at in places_to_flip(&whole) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&changed, bytes).unwrap();
        let trust = Trust {
            roots_pem: vec![studio.keys.root_pem().to_owned()],
            now: Some(now()),
            ..Trust::default()
        };
        let state = read_credentials(&changed, &trust).ok().flatten();
        let state = state.map(|credentials| credentials.state);
        if state == Some(State::Trusted) {
            let around = &whole[at.saturating_sub(40)..(at + 24).min(whole.len())];
            unseen.push(format!("byte {at} of {path:?}: {}", around.escape_ascii()));
        }
    }
    unseen
}

#[test]
fn flipped_byte_anywhere_is_found() {
    let studio = studio();
    let (token, policy) = (studio.token(), studio.policy());
    let mut unseen = Vec::new();
    for name in ["out.png", "out.jpg", "out.webp"] {
        let path = studio.path(name);
        write_marked_picture(&path, picture(120, 80, 0), &token, &policy).unwrap();
        unseen.extend(unseen_flips(&studio, &path));
    }
    let path = studio.path("out.mp4");
    write_video(&studio, &path).unwrap();
    unseen.extend(unseen_flips(&studio, &path));
    assert_eq!(unseen, Vec::<String>::new());
}

#[test]
fn metadata_of_china_and_of_iptc_is_written_and_signed() {
    let studio = studio();
    let path = studio.path("out.mp4");
    write_video(&studio, &path).unwrap();
    let report = report(&studio, &path);
    let kind = Foreign::DigitalSourceType("trainedAlgorithmicMedia".to_owned());
    assert_eq!(report.foreign, [kind, Foreign::Aigc("1".to_owned())]);
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(10).position(|w| w == b"TC260:AIGC").unwrap();
    bytes[at + 30] ^= 1;
    fs::write(&path, bytes).unwrap();
    let credentials = verify(&path, &Trust::default()).unwrap().credentials;
    assert_eq!(credentials.unwrap().state, State::Broken);
}

/// Writes a picture where something is in the way; says what was left besides.
#[track_caller]
fn check_fails(studio: &Studio, policy: &Policy<'_>, size: (u32, u32), wanted: &str) {
    let path = studio.path("out.png");
    fs::write(&path, "an older file").unwrap();
    let made = write_marked_picture(&path, picture(size.0, size.1, 0), &studio.token(), policy);
    let error = made.unwrap_err().to_string();
    assert!(error.contains(wanted), "{error}");
    assert_eq!(studio.files_left(), ["out.png"]);
    assert_eq!(fs::read(&path).unwrap(), b"an older file");
}

#[test]
fn nothing_leaves_when_a_step_fails() {
    let studio = studio();
    let policy = studio.policy();
    // Sixteen pixels have no room for 64 bits: what cannot be read back is not marked.
    let why = "watermark cannot be read back; the picture is too small";
    check_fails(&studio, &policy, (4, 4), why);
    let lost = Policy {
        parent: Some(studio.path("lost.mp4")),
        ..studio.policy()
    };
    check_fails(&studio, &lost, (300, 200), "lost.mp4");
    let timeless = Keys::open(&studio.folder.path().join("keys")).unwrap();
    let timeless = timeless.with_timestamps(Timestamps::new("http://clock.example", |_| {
        Err(std::io::Error::other("it is on strike"))
    }));
    let unstamped = Policy {
        keys: &timeless,
        ..studio.policy()
    };
    let why = "authority http://clock.example gave no stamp (it is on strike); try again";
    check_fails(&studio, &unstamped, (300, 200), why);
    let timeless = Keys::open(&studio.folder.path().join("keys")).unwrap();
    let wrong = Timestamps::new("http://clock.example", |_| Ok(b"<html>".to_vec()));
    let timeless = timeless.with_timestamps(wrong);
    let unstamped = Policy {
        keys: &timeless,
        ..studio.policy()
    };
    check_fails(
        &studio,
        &unstamped,
        (300, 200),
        "it did not answer with a stamp",
    );
    // A key that does not belong to the certificate.
    let stranger = self::studio();
    fs::copy(
        stranger.folder.path().join("keys/signer.key"),
        studio.folder.path().join("keys/signer.key"),
    )
    .unwrap();
    let mixed = Keys::open(&studio.folder.path().join("keys")).unwrap();
    let forged = Policy {
        keys: &mixed,
        ..studio.policy()
    };
    check_fails(&studio, &forged, (300, 200), "none was kept");
    let token = studio.token();
    fs::write(studio.folder.path().join("keys/log.jsonl"), "nonsense\n").unwrap();
    let path = studio.path("unlogged.png");
    let unlogged = write_marked_picture(&path, picture(300, 200, 0), &token, &policy);
    assert!(matches!(unlogged, Err(Error::LogBroken { line: 1, .. })));
    assert!(!path.exists());
}

#[test]
fn nothing_leaves_when_encoding_or_naming_fails() {
    let studio = studio();
    let (token, policy) = (studio.token(), studio.policy());
    let settings = WriteSettings::new(320, 240, Rational::new(25, 1));
    let path = studio.path("out.mp4");
    let mut writer = MarkedWriter::create(&path, &settings, &token, &policy).unwrap();
    let wrong = Frame {
        picture: picture(64, 64, 0),
        ..frame(0)
    };
    assert!(writer.write(wrong).is_err());
    assert!(writer.finish().is_err()); // no frame was written
    assert_eq!(studio.files_left(), Vec::<String>::new());
    // A folder has the name already.
    fs::create_dir(studio.path("out.png")).unwrap();
    let path = studio.path("out.png");
    assert!(write_marked_picture(&path, picture(300, 200, 0), &token, &policy).is_err());
    assert_eq!(studio.files_left(), ["out.png"]);
    assert!(fs::read_dir(&path).unwrap().next().is_none());
}

#[test]
fn file_from_elsewhere_is_marked_and_its_marks_are_kept() {
    let studio = studio();
    let first = studio.path("first.png");
    let (token, policy) = (studio.token(), studio.policy());
    let marked = write_marked_picture(&first, picture(300, 200, 0), &token, &policy).unwrap();
    let second = studio.path("second.jpg");
    let policy = Policy {
        parent: Some(first.clone()),
        ..studio.policy()
    };
    let mut go_on = || std::ops::ControlFlow::Continue(());
    let again = mark_file(&first, &second, &policy, &mut go_on).unwrap();
    let report = report(&studio, &second);
    let credentials = report.credentials.unwrap();
    assert_eq!(credentials.state, State::Trusted);
    assert_eq!(credentials.ingredients, ["first.png"]);
    assert_eq!(credentials.consents, Vec::<String>::new());
    assert_eq!(report.watermark.unwrap().identifier, again.identifier);
    let text = String::from_utf8_lossy(&fs::read(&second).unwrap()).into_owned();
    assert!(text.contains(&format!("{:016x}", marked.identifier)));
    let onto_itself = mark_file(&first, &first, &policy, &mut go_on);
    assert!(matches!(onto_itself, Err(Error::SameFile { .. })));
    let as_video = mark_file(&first, &studio.path("a.mp4"), &policy, &mut go_on);
    assert!(matches!(as_video, Err(Error::OtherKind { .. })));
}

#[test]
fn video_from_elsewhere_is_marked_and_can_be_stopped() {
    let studio = studio();
    let plain = studio.path("plain.mp4");
    write_video(&studio, &plain).unwrap();
    let mut n = 0;
    let marked = studio.path("marked.mp4");
    let policy = studio.policy();
    mark_file(&plain, &marked, &policy, &mut || {
        n += 1;
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(n, 30);
    assert!(report(&studio, &marked).marked);
    fs::remove_file(&marked).unwrap();
    let stopped = mark_file(&plain, &marked, &policy, &mut || {
        std::ops::ControlFlow::Break(())
    });
    assert!(matches!(stopped, Err(Error::Stopped)));
    assert_eq!(studio.files_left(), ["plain.mp4"]);
}

#[test]
fn credentials_of_another_picture_are_noticed() {
    let studio = studio();
    let (token, policy) = (studio.token(), studio.policy());
    let path = studio.path("out.png");
    let marked = write_marked_picture(&path, picture(300, 200, 0), &token, &policy).unwrap();
    assert_eq!(report(&studio, &path).watermark_fits, Some(true));
    // The pixels of one file with the manifest of another.
    let other = studio.path("other.png");
    let stranger = write_marked_picture(&other, picture(300, 200, 40), &token, &policy).unwrap();
    let (head, ours) = split_at_pixels(&fs::read(&path).unwrap());
    let (_, theirs) = split_at_pixels(&fs::read(&other).unwrap());
    assert_ne!(ours, theirs);
    fs::write(&path, [head, theirs].concat()).unwrap();
    let report = report(&studio, &path);
    assert_eq!(report.watermark_fits, Some(false));
    assert_eq!(report.watermark.unwrap().identifier, stranger.identifier);
    assert_ne!(stranger.identifier, marked.identifier);
    assert_eq!(report.credentials.as_ref().unwrap().state, State::Broken);
    assert!(report.in_words().contains("different files"));
}

fn split_at_pixels(png: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let at = png.windows(4).position(|name| name == b"IDAT").unwrap() - 4;
    (png[..at].to_vec(), png[at..].to_vec())
}

#[test]
fn unreadable_files_are_errors_and_plain_pictures_unmarked() {
    let studio = studio();
    let path = studio.path("plain.mp4");
    for content in ["", "a text is no video"] {
        fs::write(&path, content).unwrap();
        assert!(verify(&path, &Trust::default()).is_err(), "{content:?}");
    }
    let path = studio.path("plain.png");
    #[expect(
        clippy::disallowed_methods,
        reason = "not rendered, and meant to be unmarked"
    )]
    effigy_media::write_picture(&path, &picture(300, 200, 0)).unwrap();
    let report = report(&studio, &path);
    assert!(!report.marked && report.credentials.is_none() && report.watermark.is_none());
}

#[test]
fn signature_of_a_stranger_is_whole_but_not_trusted() {
    let studio = studio();
    let path = studio.path("out.png");
    let (token, policy) = (studio.token(), studio.policy());
    write_marked_picture(&path, picture(300, 200, 0), &token, &policy).unwrap();
    let stranger = verify(&path, &Trust::default()).unwrap();
    let state = stranger.credentials.as_ref().map(|found| found.state);
    assert_eq!(state, Some(State::Untrusted));
    assert!(stranger.marked && stranger.in_words().contains("not trusted here"));
}
