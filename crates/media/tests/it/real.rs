//! Real clips, where they are at hand.

use std::path::PathBuf;
use std::process::Command;

use effigy_media::{Limits, VideoReader};

fn data() -> Option<PathBuf> {
    let set = std::env::var_os("EFFIGY_DATA").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    set.into_iter()
        .chain([beside])
        .find(|path| path.join("video").is_dir())
}

/// The number of frames that ffprobe decodes.
fn frames_by_ffprobe(path: &std::path::Path) -> Option<usize> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-select_streams", "v:0"])
        .args(["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"])
        .arg(path)
        .output()
        .ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// MPEG-1 and H.264 at an average of 1350/61 frames a second: every frame, none twice.
#[test]
fn frame_counts_of_real_clips_are_ffprobe_s() {
    let Some(data) = data() else {
        eprintln!("skipped: frame_counts_of_real_clips_are_ffprobe_s needs ../shared/data");
        return;
    };
    for name in ["retalking-1.mp4", "grid/bbaf2n.mpg"] {
        let path = data.join("video").join(name);
        let frames: Result<Vec<f64>, _> = VideoReader::open(&path, &Limits::default())
            .unwrap()
            .map(|frame| frame.map(|f| f.time.secs()))
            .collect();
        let times = frames.unwrap();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{name}");
        match frames_by_ffprobe(&path) {
            Some(wanted) => assert_eq!(times.len(), wanted, "{name}"),
            None => eprintln!("skipped: {name} needs ffprobe to compare with"),
        }
    }
}

/// MPEG program streams have no index: libav's seek may land anywhere.
#[test]
fn seeking_without_an_index_finds_the_frame() {
    let Some(data) = data() else {
        eprintln!("skipped: seeking_without_an_index_finds_the_frame needs ../shared/data");
        return;
    };
    let path = data.join("video/grid/bbaf2n.mpg");
    let mut reader = VideoReader::open(&path, &Limits::default()).unwrap();
    let all: Vec<_> = reader.by_ref().map(|f| f.unwrap()).collect();
    for n in [50, 3, 0, 74] {
        let mut reader = VideoReader::open(&path, &Limits::default()).unwrap();
        reader.seek(all[n].time.secs()).unwrap();
        let frame = reader.next().unwrap().unwrap();
        assert_eq!((frame.index, frame.time), (n as u64, all[n].time));
        assert_eq!(frame.picture, all[n].picture, "frame {n}");
    }
}
