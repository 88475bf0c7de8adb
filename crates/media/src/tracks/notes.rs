//! What files say of themselves and of their tracks: titles, languages, dates, chapters, time code.

use effigy_frame::{Rational, TimeRange};
use ffmpeg_next::format::context::{Input, Output};
use ffmpeg_next::{Dictionary, Stream};

use crate::libav;

/// Notes that describe the old file, not what it shows.
const OF_THE_OLD_FILE: [&str; 14] = [
    "major_brand",
    "minor_version",
    "compatible_brands",
    "encoder",
    "duration",
    "bps",
    "number_of_frames",
    "number_of_bytes",
    "source_id",
    "_statistics_writing_app",
    "_statistics_writing_date_utc",
    "_statistics_tags",
    "timecode",
    "vendor_id",
];

/// Notes of Apple's cameras under the names that every container has.
const RENAMED: [(&str, &str); 5] = [
    ("com.apple.quicktime.make", "make"),
    ("com.apple.quicktime.model", "model"),
    ("com.apple.quicktime.location.ISO6709", "location"),
    ("com.apple.quicktime.creationdate", "date"),
    ("com.apple.quicktime.title", "title"),
];

/// Takes over the notes on the whole file.
pub(super) fn copy_file_notes(input: &Input, output: &mut Output) {
    let mut notes = kept(&libav::tags(&input.metadata()));
    for (apple, everywhere) in RENAMED {
        let value = notes.iter().find(|(name, _)| name == apple);
        let is_there = notes.iter().any(|(name, _)| name == everywhere);
        if let (Some((_, value)), false) = (value, is_there) {
            let renamed = (everywhere.to_owned(), value.clone());
            notes.push(renamed);
        }
    }
    output.set_metadata(dictionary(&notes));
}

/// Takes over language, title and the like of a track, and whether it is the usual one.
pub(super) fn copy_stream_notes(stream: &Stream<'_>, output: &mut Output, to: usize) {
    let mut notes = kept(&libav::tags(&stream.metadata()));
    let is_mp4 = matches!(output.format().name(), "mp4" | "mov");
    let title = notes.iter().find(|(name, _)| name == "title").cloned();
    if let (true, Some((_, title))) = (is_mp4, title) {
        // Where players of MP4 look for it, and the one place where libav writes it.
        notes.retain(|(name, _)| name != "handler_name");
        notes.push(("handler_name".to_owned(), title));
    }
    if let Some(mut added) = output.stream_mut(to) {
        added.set_metadata(dictionary(&notes));
        #[expect(unsafe_code, reason = "ffmpeg-next cannot set the disposition")]
        // SAFETY: the stream belongs to `output`.
        unsafe {
            (*added.as_mut_ptr()).disposition = stream.disposition().bits();
        }
    }
}

/// Takes over the chapters in `range`, which is shown from 0 on.
pub(super) fn copy_chapters(
    input: &Input,
    range: TimeRange,
    output: &mut Output,
) -> Result<(), ffmpeg_next::Error> {
    const MILLIS: Rational = Rational { num: 1, den: 1000 };
    let millis = |secs: f64| (secs * 1000.0).round() as i64;
    let first = libav::clock_start(input, MILLIS).saturating_add(millis(range.from_secs));
    let last = range
        .to_secs
        .map_or(i64::MAX, |to| millis(to - range.from_secs));
    for (id, chapter) in (1..).zip(input.chapters()) {
        let Some(base) = libav::rational(chapter.time_base()) else {
            continue;
        };
        let at = |ticks: i64| libav::rescale(ticks, base, MILLIS).saturating_sub(first);
        let (start, end) = (at(chapter.start()).max(0), at(chapter.end()).min(last));
        if start < end {
            let title = libav::tag(&chapter.metadata(), "title").unwrap_or_default();
            let title = title.replace('\0', "");
            output.add_chapter(id, libav::to_libav(MILLIS), start, end, title)?;
        }
    }
    Ok(())
}

/// Takes over what the file says of its moving picture: language, title, and the time code of the
/// first frame in `range`.
pub(super) fn copy_video_notes(
    stream: &Stream<'_>,
    file: &Input,
    range: TimeRange,
    output: &mut Output,
    to: usize,
) {
    let tags = stream.metadata();
    let notes = ["language", "title"].iter().filter_map(|name| {
        let value = libav::tag(&tags, name)?;
        Some(((*name).to_owned(), value))
    });
    let mut notes: Vec<(String, String)> = notes.collect();
    let of_file = || libav::tag(&file.metadata(), "timecode");
    let of_others = || {
        file.streams()
            .find_map(|s| libav::tag(&s.metadata(), "timecode"))
    };
    let code = libav::tag(&tags, "timecode")
        .or_else(of_file)
        .or_else(of_others);
    let rate = libav::rational(stream.avg_frame_rate()).map(Rational::to_f64);
    if let (Some(code), Some(rate)) = (code, rate) {
        notes.extend(
            advanced(&code, rate, range.from_secs).map(|code| ("timecode".to_owned(), code)),
        );
    }
    if let Some(mut video) = output.stream_mut(to) {
        video.set_metadata(dictionary(&notes));
    }
}

/// The time code `secs` later, by SMPTE ST 12-1. With `;` before the frames, the first two numbers
/// of each minute are left out (four at twice the rate), but not in every tenth. `None` where it is
/// no time code.
fn advanced(code: &str, rate: f64, secs: f64) -> Option<String> {
    let is_dropping = code.contains(';');
    let numbers: Vec<i64> = code
        .split([':', ';', '.'])
        .map(|number| number.trim().parse().ok())
        .collect::<Option<_>>()?;
    let [hours, minutes, seconds, frames] = numbers[..] else {
        return None;
    };
    let a_second = rate.round() as i64;
    if !(1..=240).contains(&a_second) || hours > 99 || minutes > 59 || seconds > 59 {
        return None;
    }
    let dropped = if is_dropping { 2 * a_second / 30 } else { 0 };
    let in_minute = 60 * a_second - dropped;
    let in_ten = 10 * in_minute + dropped;
    let all_minutes = 60 * hours + minutes;
    let named = (60 * all_minutes + seconds) * a_second + frames;
    let left_out = dropped * (all_minutes - all_minutes / 10);
    let mut count = named - left_out + (secs * rate).round() as i64;
    count %= 144 * in_ten;
    if dropped > 0 {
        let (tens, rest) = (count / in_ten, count % in_ten);
        // The first minute of ten has all its numbers.
        let minutes = if rest < 60 * a_second {
            0
        } else {
            1 + (rest - 60 * a_second) / in_minute
        };
        count += dropped * (9 * tens + minutes);
    }
    let (second, frame) = (count / a_second, count % a_second);
    let mark = if is_dropping { ';' } else { ':' };
    Some(format!(
        "{:02}:{:02}:{:02}{mark}{frame:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    ))
}

fn kept(tags: &[(String, String)]) -> Vec<(String, String)> {
    let is_kept = |name: &str| {
        let name = name.to_lowercase();
        // Matroska's programs add the language to the names of their statistics.
        !OF_THE_OLD_FILE
            .iter()
            .any(|old| name == *old || name.starts_with(&format!("{old}-")))
    };
    let kept = tags.iter().filter(|(name, _)| is_kept(name));
    kept.cloned().collect()
}

fn dictionary(notes: &[(String, String)]) -> Dictionary<'static> {
    let mut dictionary = Dictionary::new();
    for (name, value) in notes {
        // C ends a text there.
        if !name.contains('\0') && !value.contains('\0') {
            dictionary.set(name, value);
        }
    }
    dictionary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_codes_count_frames_of_their_rate() {
        for (code, rate, secs, later) in [
            ("01:00:00:00", 25.0, 0.0, "01:00:00:00"),
            ("01:00:00:20", 25.0, 0.4, "01:00:01:05"),
            ("23:59:59:24", 25.0, 0.04, "00:00:00:00"),
            ("00:00:59;29", 30_000.0 / 1001.0, 0.034, "00:01:00;02"),
            ("00:09:59;29", 30_000.0 / 1001.0, 0.034, "00:10:00;00"),
            ("00:00:00;00", 30_000.0 / 1001.0, 3600.0, "01:00:00;00"),
        ] {
            assert_eq!(advanced(code, rate, secs).as_deref(), Some(later), "{code}");
        }
        for wrong in ["", "1:2:3", "a:b:c:d", "00:99:00:00"] {
            assert_eq!(advanced(wrong, 25.0, 0.0), None, "{wrong}");
        }
    }

    #[test]
    fn notes_on_the_old_file_stay_behind() {
        let tags = [
            "title",
            "DURATION",
            "BPS-eng",
            "compatible_brands",
            "ENCODER",
        ];
        let tags = tags.map(|name| (name.to_owned(), "x".to_owned()));
        let names: Vec<String> = kept(&tags).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["title"]);
    }
}
