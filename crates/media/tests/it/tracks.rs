//! What comes along from another file besides the moving picture.

use std::path::Path;

use effigy_frame::TimeRange;
use effigy_media::{
    Codec, Limits, VideoReader, VideoWriter, WriteSettings, read_audio, read_cover, track_notes,
};
use ffmpeg_next::format::context::{Input, Output};
use ffmpeg_next::{Dictionary, Packet, codec, encoder, ffi, format, media};

use crate::clips::{Folder, frame_at, quick, scene, write_clip, write_tone};

/// Adds the first stream of `from` to a file.
fn add_copy(output: &mut Output, from: &Input, language: &str) -> usize {
    let parameters = from.stream(0).unwrap().parameters();
    let mut added = output.add_stream(encoder::find(codec::Id::None)).unwrap();
    added.set_parameters(parameters);
    #[expect(unsafe_code, reason = "ffmpeg-next does not show the tag")]
    // SAFETY: the parameters belong to the stream.
    unsafe {
        (*added.parameters().as_mut_ptr()).codec_tag = 0;
    }
    let mut notes = Dictionary::new();
    notes.set("language", language);
    notes.set("title", &format!("in {language}"));
    added.set_metadata(notes);
    added.index()
}

fn add_text(output: &mut Output) -> usize {
    let mut added = output.add_stream(encoder::find(codec::Id::None)).unwrap();
    #[expect(unsafe_code, reason = "ffmpeg-next cannot describe subtitles")]
    // SAFETY: the parameters belong to the stream.
    unsafe {
        let parameters = added.parameters().as_mut_ptr();
        (*parameters).codec_type = ffi::AVMediaType::AVMEDIA_TYPE_SUBTITLE;
        (*parameters).codec_id = ffi::AVCodecID::AV_CODEC_ID_SUBRIP;
    }
    added.set_time_base((1, 1000));
    let mut notes = Dictionary::new();
    notes.set("language", "gle");
    added.set_metadata(notes);
    added.index()
}

fn copy_packets(output: &mut Output, from: &mut Input, to: usize) {
    let base = from.stream(0).unwrap().time_base();
    let to_base = output.stream(to).unwrap().time_base();
    loop {
        let mut packet = Packet::empty();
        if packet.read(from).is_err() {
            return;
        }
        packet.rescale_ts(base, to_base);
        packet.set_stream(to);
        packet.set_position(-1);
        packet.write_interleaved(output).unwrap();
    }
}

/// Two seconds of the scene with two sounds, subtitles from 0.5 to 1 s, two chapters and notes.
fn rich(folder: &Folder) -> std::path::PathBuf {
    ffmpeg_next::init().unwrap();
    write_clip(&folder.path("v.mp4"), &quick(64, 48), 50);
    write_tone(&folder.path("a.wav"), 48_000, 2, 2.0);
    write_tone(&folder.path("b.wav"), 44_100, 1, 2.0);
    let path = folder.path("rich.mkv");
    let mut output = format::output_as(&path, "matroska").unwrap();
    let mut inputs =
        ["v.mp4", "a.wav", "b.wav"].map(|name| format::input(&folder.path(name)).unwrap());
    let languages = ["und", "deu", "fra"];
    let tracks: Vec<usize> = inputs
        .iter()
        .zip(languages)
        .map(|(input, language)| add_copy(&mut output, input, language))
        .collect();
    let text = add_text(&mut output);
    for (id, start, end, title) in [(1, 0, 800, "Start"), (2, 800, 2000, "Finish")] {
        output
            .add_chapter(id, (1, 1000), start, end, title)
            .unwrap();
    }
    let mut notes = Dictionary::new();
    notes.set("title", "A trial");
    notes.set("creation_time", "2024-05-06T07:08:09.000000Z");
    output.set_metadata(notes);
    output.write_header().unwrap();
    let mut words = Packet::copy(b"<i>Dia</i> duit");
    words.set_pts(Some(500));
    words.set_dts(Some(500));
    words.set_duration(500);
    words.set_stream(text);
    words.rescale_ts((1, 1000), output.stream(text).unwrap().time_base());
    words.write_interleaved(&mut output).unwrap();
    for (input, to) in inputs.iter_mut().zip(tracks) {
        copy_packets(&mut output, input, to);
    }
    output.write_trailer().unwrap();
    path
}

/// Writes the frames of `from` in a range, with its tracks.
fn written(from: &Path, to: &Path, range: TimeRange) {
    let settings = WriteSettings {
        tracks_from: Some(from.to_owned()),
        range,
        codec: Codec::H264,
        ..quick(64, 48)
    };
    let mut writer = VideoWriter::create(to, &settings).unwrap();
    let base = effigy_frame::Rational::new(1, 25);
    let first = (range.from_secs * 25.0).round() as u32;
    let last = range
        .to_secs
        .map_or(50, |secs| (secs * 25.0).round() as u32);
    for n in first..last {
        let picture = scene(64, 48, n);
        writer
            .write(&frame_at(n.into(), n.into(), base, picture))
            .unwrap();
    }
    writer.finish().unwrap();
}

fn of_kind(input: &Input, kind: media::Type) -> Vec<(String, Option<String>)> {
    let streams = input.streams().filter(|s| s.parameters().medium() == kind);
    streams
        .map(|s| {
            let language = s.metadata().get("language").map(str::to_owned);
            (s.parameters().id().name().to_owned(), language)
        })
        .collect()
}

fn texts(path: &Path) -> Vec<(i64, String)> {
    let mut input = format::input(path).unwrap();
    let is_text = |s: &ffmpeg_next::Stream<'_>| s.parameters().medium() == media::Type::Subtitle;
    let (index, base) = input
        .streams()
        .find(is_text)
        .map(|s| (s.index(), s.time_base()))
        .unwrap();
    let mut found = Vec::new();
    loop {
        let mut packet = Packet::empty();
        if packet.read(&mut input).is_err() {
            return found;
        }
        let text = packet
            .data()
            .and_then(|data| data.get(2..))
            .unwrap_or_default()
            .to_vec();
        if packet.stream() == index && !text.is_empty() {
            let secs = packet.pts().unwrap() as f64 * f64::from(base);
            found.push((
                (secs * 1000.0).round() as i64,
                String::from_utf8(text).unwrap(),
            ));
        }
    }
}

#[test]
fn languages_subtitles_chapters_and_notes_come_along() {
    let folder = Folder::new();
    let (from, to) = (rich(&folder), folder.path("out.mp4"));
    let notes = track_notes(&from, &to, &Limits::default()).unwrap();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes.iter().all(|note| note.contains("AAC")), "{notes:?}");
    written(&from, &to, TimeRange::default());
    let output = format::input(&to).unwrap();
    let sounds = of_kind(&output, media::Type::Audio);
    let aac = |language: &str| ("aac".to_owned(), Some(language.to_owned()));
    assert_eq!(sounds, [aac("deu"), aac("fra")]);
    let is_sound = |s: &ffmpeg_next::Stream<'_>| s.parameters().medium() == media::Type::Audio;
    let named = output.streams().filter(is_sound).map(|s| {
        let name = s.metadata().get("handler_name").map(str::to_owned);
        name.unwrap_or_default()
    });
    assert_eq!(named.collect::<Vec<_>>(), ["in deu", "in fra"]);
    let subtitles = of_kind(&output, media::Type::Subtitle);
    assert_eq!(subtitles, [("mov_text".to_owned(), Some("gle".to_owned()))]);
    assert_eq!(texts(&to), [(500, "Dia duit".to_owned())]);
    let titles: Vec<String> = output
        .chapters()
        .map(|c| c.metadata().get("title").unwrap().to_owned())
        .collect();
    assert_eq!(titles, ["Start", "Finish"]);
    let note = |name: &str| output.metadata().get(name).map(str::to_owned);
    assert_eq!(note("title").as_deref(), Some("A trial"));
    assert_eq!(
        note("creation_time").as_deref(),
        Some("2024-05-06T07:08:09.000000Z")
    );
}

/// An edit list that shows a later piece first leads libav back in time, where no container follows.
#[test]
fn sound_of_two_pieces_comes_along() {
    let folder = Folder::new();
    let (from, to) = (pieces(&folder), folder.path("out.mp4"));
    written(&from, &to, TimeRange::default());
    let mut output = format::input(&to).unwrap();
    let sound = output.streams().best(media::Type::Audio).unwrap().index();
    let mut times = Vec::new();
    loop {
        let mut packet = Packet::empty();
        if packet.read(&mut output).is_err() {
            break;
        }
        if packet.stream() == sound {
            times.push(packet.dts().unwrap());
        }
    }
    assert!(
        times.is_sorted_by(|a, b| a < b) && 40 < times.len(),
        "{times:?}"
    );
}

/// Two seconds of the scene; the sound plays its part from 1 s on first, then itself from the beginning.
fn pieces(folder: &Folder) -> std::path::PathBuf {
    ffmpeg_next::init().unwrap();
    write_clip(&folder.path("v.mp4"), &quick(64, 48), 50);
    write_tone(&folder.path("a.wav"), 48_000, 1, 2.0);
    let sounding = folder.path("sounding.mkv");
    let mut output = format::output_as(&sounding, "matroska").unwrap();
    let mut input = format::input(&folder.path("a.wav")).unwrap();
    let to = add_copy(&mut output, &input, "und");
    output.write_header().unwrap();
    copy_packets(&mut output, &mut input, to);
    output.write_trailer().unwrap();
    // Sound that begins late has an edit list of two entries, the first of which shows nothing.
    let encoded = folder.path("encoded.mp4");
    written(&sounding, &encoded, TimeRange::default());
    let path = folder.path("pieces.mp4");
    let mut inputs = [folder.path("v.mp4"), encoded].map(|path| format::input(&path).unwrap());
    let sound = inputs[1].streams().best(media::Type::Audio).unwrap();
    let (index, base, parameters) = (sound.index(), sound.time_base(), sound.parameters());
    let mut output = format::output(&path).unwrap();
    let shown = add_copy(&mut output, &inputs[0], "und");
    let mut added = output.add_stream(encoder::find(codec::Id::None)).unwrap();
    added.set_parameters(parameters);
    let heard = added.index();
    output.write_header().unwrap();
    copy_packets(&mut output, &mut inputs[0], shown);
    let to_base = output.stream(heard).unwrap().time_base();
    let late = i64::from(base.denominator());
    loop {
        let mut packet = Packet::empty();
        if packet.read(&mut inputs[1]).is_err() {
            break;
        }
        if packet.stream() == index {
            packet.set_pts(packet.pts().map(|at| at + late));
            packet.set_dts(packet.dts().map(|at| at + late));
            packet.rescale_ts(base, to_base);
            packet.set_stream(heard);
            packet.set_position(-1);
            packet.write_interleaved(&mut output).unwrap();
        }
    }
    output.write_trailer().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let nothing_shown = [b"elst", &[0; 4][..], &[0, 0, 0, 2]].concat();
    let found = bytes.windows(12).position(|w| w == nothing_shown).unwrap();
    let media_time = found + 16;
    assert_eq!(bytes[media_time..media_time + 4], [0xff; 4]);
    bytes[media_time..media_time + 4].copy_from_slice(&48_000_i32.to_be_bytes());
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Sound that was encoded anew plays when it played before.
#[test]
fn encoded_sound_stays_in_time() {
    let folder = Folder::new();
    let from = rich(&folder);
    for (range, name) in [
        (TimeRange::default(), "whole.mp4"),
        (
            TimeRange {
                from_secs: 0.4,
                to_secs: Some(1.6),
            },
            "part.mp4",
        ),
    ] {
        let to = folder.path(name);
        written(&from, &to, range);
        let before = read_audio(&from, 8000, &Limits::default()).unwrap();
        let after = read_audio(&to, 8000, &Limits::default()).unwrap();
        let first = (range.from_secs * 8000.0) as usize;
        let n = ((range.to_secs.unwrap_or(2.0) - range.from_secs) * 8000.0) as usize;
        assert!(
            after.len().abs_diff(n) < 400,
            "{name}: {} not {n}",
            after.len()
        );
        let n = n.min(after.len()) - 800;
        // Away from the ends, where a coder swings in.
        let off: f64 = (400..n)
            .map(|i| f64::from((before[first + i] - after[i]).abs()))
            .sum::<f64>()
            / (n - 400) as f64;
        assert!(off < 0.02, "{name}: {off}");
    }
}

/// AAC does not know every rate; more samples than came in are as many as they last.
#[test]
fn sound_of_few_samples_a_second_stays_whole() {
    let folder = Folder::new();
    for rate in [8_000, 11_025, 12_000, 192_000] {
        let (from, to) = (folder.path("tone.wav"), folder.path("out.mp4"));
        write_tone(&from, rate, 1, 2.0);
        written(&from, &to, TimeRange::default());
        let before = read_audio(&from, 8000, &Limits::default()).unwrap();
        let after = read_audio(&to, 8000, &Limits::default()).unwrap();
        let (n, m) = (before.len(), after.len());
        assert!(n.abs_diff(m) < 400, "{rate}: {m} not {n}");
        let loud = |sound: &[f32]| sound.iter().map(|v| v * v).sum::<f32>() / sound.len() as f32;
        for (i, part) in after[400..n - 800].chunks_exact(400).enumerate() {
            let at = 400 * (i + 1);
            let (was, is) = (loud(&before[at..at + 400]), loud(part));
            assert!(
                (was - is).abs() < was / 10.0,
                "{rate}: {was} then {is} at {at}"
            );
        }
    }
}

#[test]
fn a_part_has_its_own_chapters_and_subtitles() {
    let folder = Folder::new();
    let (from, to) = (rich(&folder), folder.path("part.mp4"));
    let range = TimeRange {
        from_secs: 0.4,
        to_secs: Some(1.2),
    };
    written(&from, &to, range);
    assert_eq!(texts(&to), [(100, "Dia duit".to_owned())]);
    let output = format::input(&to).unwrap();
    let starts: Vec<f64> = output
        .chapters()
        .map(|c| c.start() as f64 * f64::from(c.time_base()))
        .collect();
    assert_eq!(starts.len(), 2);
    assert!((starts[1] - 0.4).abs() < 0.002, "{starts:?}");
}

#[test]
fn a_cover_is_written_and_read() {
    let folder = Folder::new();
    let path = folder.path("a.mp4");
    let cover = effigy_frame::Picture::filled(40, 30, [200, 30, 60]);
    let settings = WriteSettings {
        cover: Some(cover),
        ..quick(64, 48)
    };
    write_clip(&path, &settings, 5);
    let back = read_cover(&path, &Limits::default()).unwrap().unwrap();
    let [red, green, _] = back.get(20, 15);
    assert!(red > 180 && green < 60);
    // The cover is no frame.
    assert_eq!(
        VideoReader::open(&path, &Limits::default())
            .unwrap()
            .count(),
        5
    );
    write_clip(&path, &quick(64, 48), 5);
    assert_eq!(read_cover(&path, &Limits::default()).unwrap(), None);
}

#[test]
fn what_does_not_come_along_is_named() {
    let folder = Folder::new();
    let from = folder.path("deep.mkv");
    let raw = crate::clips::Raw::new(format::Pixel::YUV444P10LE, 33, 32);
    crate::clips::write_raw(&from, &raw, |_| ());
    let notes = track_notes(&from, &folder.path("out.mp4"), &Limits::default()).unwrap();
    assert!(
        notes.iter().any(|note| note.contains("10 bits")),
        "{notes:?}"
    );
    assert!(notes.iter().any(|note| note.contains("4:2:0")), "{notes:?}");
    let sides = "33 x 32 pixels: 34 x 32 are written";
    assert!(notes.iter().any(|note| note.contains(sides)), "{notes:?}");
    let nothing = track_notes(
        &folder.path("deep.mkv"),
        &folder.path("out.png"),
        &Limits::default(),
    );
    assert_eq!(nothing.unwrap(), Vec::<String>::new());
}

/// A bright edge that moves between the two fields of each frame.
#[test]
fn frames_of_two_fields_come_whole() {
    let folder = Folder::new();
    let path = folder.path("interlaced.mkv");
    let raw = crate::clips::Raw::new(format::Pixel::YUV420P, 64, 48);
    let n_made = std::cell::Cell::new(0);
    crate::clips::write_raw(&path, &raw, |frame| {
        let (stride, n) = (frame.stride(0), n_made.get());
        n_made.set(n + 1);
        for (y, row) in frame.data_mut(0).chunks_mut(stride).enumerate() {
            let edge = 8 + 4 * (2 * n + y % 2);
            for (x, value) in row.iter_mut().enumerate() {
                *value = if x < edge { 200 } else { 40 };
            }
        }
        frame.data_mut(1).fill(128);
        frame.data_mut(2).fill(128);
        #[expect(unsafe_code, reason = "ffmpeg-next cannot set it")]
        // SAFETY: the frame is ours.
        unsafe {
            (*frame.as_mut_ptr()).interlaced_frame = 1;
            (*frame.as_mut_ptr()).top_field_first = 1;
        }
    });
    let frames: Vec<_> = VideoReader::open(&path, &Limits::default())
        .unwrap()
        .map(|frame| frame.unwrap().picture)
        .collect();
    assert_eq!(frames.len(), 3);
    for (n, frame) in frames.iter().enumerate() {
        let bright = |y: u32| (0..64).filter(|x| frame.get(*x, y)[0] > 120).count();
        assert_eq!(
            (bright(20), bright(21)),
            (8 + 8 * n, 8 + 8 * n),
            "frame {n}"
        );
    }
}
