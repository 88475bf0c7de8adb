//! An output appears only when it is complete, whatever goes wrong on the way.

use std::process::Command;

use effigy_frame::{Picture, Rational};
use effigy_media::{Codec, Error, VideoWriter, WriteSettings, available_codecs, write_picture};

use crate::clips::{Folder, frame_at, quick, read_all, scene, write_clip};

const BASE: Rational = Rational { num: 1, den: 25 };

#[test]
fn a_dropped_writer_leaves_nothing() {
    let folder = Folder::new();
    let path = folder.path("a.mp4");
    let mut writer = VideoWriter::create(&path, &quick(64, 48)).unwrap();
    for n in 0..20 {
        writer
            .write(&frame_at(n, n as i64, BASE, scene(64, 48, n as u32)))
            .unwrap();
    }
    assert_eq!(folder.names().len(), 1, "only the temporary file is there");
    assert!(!path.exists());
    drop(writer);
    assert!(folder.names().is_empty());
}

#[test]
fn the_old_file_stays_until_the_new_one_is_complete() {
    let folder = Folder::new();
    let path = folder.path("a.mp4");
    write_clip(&path, &quick(64, 48), 3);
    let old = std::fs::read(&path).unwrap();
    let mut writer = VideoWriter::create(&path, &quick(64, 48)).unwrap();
    writer
        .write(&frame_at(0, 0, BASE, scene(64, 48, 9)))
        .unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), old);
    writer.finish().unwrap();
    assert_eq!(read_all(&path).unwrap().len(), 1);
    assert_eq!(folder.names(), ["a.mp4"]);
}

#[test]
fn frames_that_do_not_fit_are_refused() {
    let folder = Folder::new();
    let mut writer = VideoWriter::create(&folder.path("a.mp4"), &quick(64, 48)).unwrap();
    let wrong_size = writer.write(&frame_at(0, 0, BASE, scene(48, 64, 0)));
    assert!(matches!(wrong_size, Err(Error::BadFrame { .. })));
    writer
        .write(&frame_at(0, 5, BASE, scene(64, 48, 0)))
        .unwrap();
    for ticks in [5, 4] {
        let not_later = writer.write(&frame_at(1, ticks, BASE, scene(64, 48, 1)));
        assert!(matches!(not_later, Err(Error::BadFrame { index: 1, .. })));
    }
}

#[test]
fn a_video_without_frames_is_refused() {
    let folder = Folder::new();
    let writer = VideoWriter::create(&folder.path("a.mp4"), &quick(64, 48)).unwrap();
    assert!(matches!(writer.finish(), Err(Error::BadSettings { .. })));
    assert!(folder.names().is_empty());
}

#[test]
fn unknown_endings_and_missing_folders_are_refused() {
    let folder = Folder::new();
    let avi = VideoWriter::create(&folder.path("a.avi"), &quick(64, 48));
    assert!(matches!(avi.err(), Some(Error::UnknownFormat { .. })));
    let nowhere = VideoWriter::create(&folder.path("no/a.mp4"), &quick(64, 48));
    assert!(matches!(nowhere.err(), Some(Error::Write { .. })));
}

#[test]
fn a_codec_that_is_not_there_is_refused_with_those_that_are() {
    let folder = Folder::new();
    for codec in Codec::ALL {
        let settings = WriteSettings {
            codec,
            ..quick(64, 48)
        };
        let made = VideoWriter::create(&folder.path("a.mkv"), &settings);
        if available_codecs().contains(&codec) {
            assert!(made.is_ok(), "{codec}");
        } else {
            let message = made.err().unwrap().to_string();
            for other in available_codecs() {
                assert!(message.contains(&other.to_string()), "{message}");
            }
        }
    }
    assert!(folder.names().is_empty());
}

/// A full disk, without needing one: the shell allows this process only small files.
#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_and_leaves_nothing() {
    let folder = Folder::new();
    let script = "ulimit -f 64; trap '' XFSZ; exec \"$0\" --exact write::full_disk --nocapture";
    let child = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .env(SMALL_DISK, folder.path(""))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&child.stderr).into_owned();
    assert!(child.status.success(), "{printed}");
    assert!(printed.contains("tried a full disk"), "{printed}");
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}

const SMALL_DISK: &str = "EFFIGY_TEST_SMALL_DISK";

/// The other half of the test above, in a process that may write only 32 KiB to a file.
#[test]
fn full_disk() {
    let Some(folder) = std::env::var_os(SMALL_DISK) else {
        return;
    };
    let folder = std::path::PathBuf::from(folder);
    let noise: Vec<u8> = (0..320_u32 * 240 * 3)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let noise = Picture::new(320, 240, noise);
    for name in ["a.png", "a.jpg"] {
        let result = write_picture(&folder.join(name), &noise);
        assert!(
            matches!(result, Err(Error::Write { .. })),
            "{name}: {result:?}"
        );
    }
    for name in ["a.mp4", "a.mkv"] {
        let mut writer = VideoWriter::create(&folder.join(name), &quick(320, 240)).unwrap();
        let written: Result<(), Error> =
            (0..50).try_for_each(|n| writer.write(&frame_at(n, n as i64, BASE, noise.clone())));
        let result = written.and_then(|()| writer.finish());
        assert!(
            matches!(result, Err(Error::Write { .. })),
            "{name}: {result:?}"
        );
    }
    eprintln!("tried a full disk");
}
