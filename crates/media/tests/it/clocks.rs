//! Files whose clock does not start where their pictures do.

use std::path::Path;

use effigy_media::{Limits, VideoReader, probe};
use ffmpeg_next::{Dictionary, Packet, codec, encoder, format};

use crate::clips::{Folder, quick, read_all, write_clip};

/// Writes the packets of an MP4 to Matroska, so much later.
fn shifted(from: &Path, to: &Path, millis: i64) {
    let mut input = format::input(from).unwrap();
    let mut output = format::output_as(to, "matroska").unwrap();
    let stream = input.stream(0).unwrap();
    let (base, parameters) = (stream.time_base(), stream.parameters());
    let mut added = output.add_stream(encoder::find(codec::Id::None)).unwrap();
    added.set_parameters(parameters);
    #[expect(unsafe_code, reason = "ffmpeg-next does not show the tag")]
    // SAFETY: the parameters belong to the stream.
    unsafe {
        (*added.parameters().as_mut_ptr()).codec_tag = 0;
    }
    let mut options = Dictionary::new();
    options.set("avoid_negative_ts", "disabled");
    output.write_header_with(options).unwrap();
    let to_base = output.stream(0).unwrap().time_base();
    loop {
        let mut packet = Packet::empty();
        if packet.read(&mut input).is_err() {
            break;
        }
        packet.rescale_ts(base, (1, 1000));
        packet.set_pts(packet.pts().map(|at| at + millis));
        packet.set_dts(packet.dts().map(|at| at + millis));
        packet.rescale_ts((1, 1000), to_base);
        packet.set_position(-1);
        packet.write_interleaved(&mut output).unwrap();
    }
    output.write_trailer().unwrap();
}

/// Writes 20 frames at 25 a second that begin at `millis`.
fn beginning_at(millis: i64, folder: &Folder) -> std::path::PathBuf {
    let (from, to) = (folder.path("from.mp4"), folder.path("shifted.mkv"));
    write_clip(&from, &quick(64, 48), 20);
    shifted(&from, &to, millis);
    to
}

#[test]
fn frames_before_the_clock_starts_are_not_shown() {
    let folder = Folder::new();
    let path = beginning_at(-200, &folder);
    let times = |frames: Vec<effigy_frame::Frame>| -> Vec<i64> {
        let millis = |frame: &effigy_frame::Frame| (frame.time.secs() * 1000.0).round() as i64;
        frames.iter().map(millis).collect()
    };
    let expected: Vec<i64> = (0..15).map(|n| 40 * n).collect();
    assert_eq!(times(read_all(&path).unwrap()), expected);
    let mut reader = VideoReader::open(&path, &Limits::default()).unwrap();
    reader.seek(0.3).unwrap();
    let rest: Vec<effigy_frame::Frame> = reader.collect::<Result<_, _>>().unwrap();
    assert_eq!(times(rest), expected[8..]);
}

#[test]
fn a_late_start_is_neither_a_cut_nor_length() {
    let folder = Folder::new();
    for millis in [5_000, 90_000_000] {
        let path = beginning_at(millis, &folder);
        let frames = read_all(&path).unwrap();
        assert_eq!((frames.len(), frames[0].time.secs()), (20, 0.0), "{millis}");
        let secs = probe(&path, &Limits::default()).unwrap().duration_secs;
        assert!((secs.unwrap() - 0.8).abs() < 0.05, "{millis}: {secs:?}");
    }
}
