//! However long a video is, scanning it takes no more memory. A process of its own: its peak is
//! measured.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

use effigy_model::Weights;
use std::fs;
use std::path::Path;

use effigy_detect::Sound;
use effigy_detect::Verdict;
use effigy_frame::{Frame, Rational, Timestamp};
use effigy_media::{Limits, VideoReader};
use effigy_pipeline::scan::Footage;
use effigy_pipeline::{Choice, Networks, Quiet, ScanJob, scan_footage};

/// Scans the same second of a drawn actor again and again; gives how often it was looked at.
fn scan_for(n_frames: u64, second: &[Frame], networks: &Networks) -> u64 {
    let frame = |index: u64| {
        let again = &second[index as usize % second.len()];
        Ok(Frame {
            index,
            time: Timestamp::new(index as i64, Rational::new(1, 25)),
            ..again.clone()
        })
    };
    let footage = Footage {
        frames: Box::new((0..n_frames).map(frame)),
        n_frames: Some(n_frames),
        sound: Sound::Unusable("there is none".to_owned()),
    };
    let report = scan_footage(&ScanJob::new("long".into()), footage, networks, &mut Quiet).unwrap();
    assert_ne!(report.verdict, Verdict::NotJudged);
    report.n_frames
}

/// Most memory that this process ever held.
fn peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line
        .and_then(|line| line.split_whitespace().next())
        .unwrap();
    1024 * kib.parse::<u64>().unwrap()
}

#[test]
fn a_long_clip_takes_no_more_memory_than_a_short_one() {
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors/ada-1.mp4");
    let frames = VideoReader::open(&clip, &Limits::default()).unwrap();
    let second: Vec<Frame> = frames.take(25).map(Result::unwrap).collect();
    let networks = Networks::load(&Weights::from_source_tree().unwrap(), Choice::Cpu).unwrap();
    assert_eq!(scan_for(75, &second, &networks), 75);
    let short = peak_bytes();
    assert_eq!(scan_for(750, &second, &networks), 750);
    let more = peak_bytes() - short;
    // All frames at once would be 230 MB.
    assert!(more < 24_000_000, "{more} bytes more");
}
