//! What leaves through the marked writer is labelled, watermarked, signed, and noticed when
//! changed.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

use std::fs;
use std::path::{Path, PathBuf};

use effigy_frame::{Frame, Picture, Rational, Timestamp};
use effigy_mark::consent::{
    Audience, Basis, Claim, Draft, Match, Purpose, Seen, Store, Token, Use, require,
};
use effigy_mark::label::{Language, Profiles, Source};
use effigy_mark::{
    Error, Keys, MarkedWriter, Moment, Policy, Report, State, Trust, verify, write_marked_picture,
};
use effigy_media::WriteSettings;

struct Studio {
    folder: tempfile::TempDir,
    keys: Keys,
}

fn now() -> Moment {
    let since_epoch = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    Moment::from_unix_secs(since_epoch.as_secs() as i64)
}

fn studio() -> Studio {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::create(&folder.path().join("keys"), "Test Studio", now()).unwrap();
    Studio { folder, keys }
}

impl Studio {
    /// A token for a face that belongs to nobody: the test needs no person.
    fn token(&self) -> Token {
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
        let record = store.add(&draft, None, now()).unwrap();
        let claims = [Claim {
            who: record.id.to_string(),
            seen: Seen::Model,
        }];
        let same = Match {
            similarity: 0.5,
            share: 0.8,
        };
        let purpose = Purpose {
            usage: Use::Swap,
            audience: Audience::Private,
            same,
        };
        require(&store, &claims, &purpose, now()).unwrap()
    }

    fn policy(&self) -> Policy<'_> {
        Policy {
            keys: &self.keys,
            profiles: Profiles::all(),
            language: Language::En,
            source: Source::Generated,
            provider: "Test Studio".to_owned(),
            parent: None,
            model: None,
            now: now(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        let outputs = self.folder.path().join("outputs");
        fs::create_dir_all(&outputs).unwrap();
        outputs.join(name)
    }

    fn files_left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join("outputs")).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}

fn picture(width: u32, height: u32, phase: u32) -> Picture {
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
    assert!(words.contains("not known here"), "{words}");
}

#[test]
fn flipped_byte_anywhere_is_found() {
    let studio = studio();
    let path = studio.path("out.png");
    let (token, policy) = (studio.token(), studio.policy());
    write_marked_picture(&path, picture(120, 80, 0), &token, &policy).unwrap();
    let whole = fs::read(&path).unwrap();
    let changed = studio.path("changed.png");
    for at in (0..whole.len()).step_by(whole.len() / 150 + 1) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(&changed, bytes).unwrap();
        let trust = Trust {
            roots_pem: vec![studio.keys.root_pem().to_owned()],
        };
        let state = verify(&changed, &trust)
            .ok()
            .and_then(|r| r.credentials)
            .map(|c| c.state);
        assert_ne!(state, Some(State::Trusted), "byte {at} of {}", whole.len());
    }
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
