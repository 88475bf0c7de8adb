//! Values as people write them: files, moments, lists of files.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, bail};
use clap::builder::{OsStringValueParser, TypedValueParser};
use effigy_files::{is_address, is_picture, is_video};
use effigy_pipeline::track::is_camera;
use effigy_pipeline::{Damage, Rational, TimeRange, is_frames};

/// How fast frames follow one another.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Fps {
    /// Make a clip of a folder or pattern of pictures, with this many a second: 24, 23.976, 30000/1001
    #[arg(long, value_name = "N", value_parser = rate)]
    fps: Option<Rational>,
}

impl Fps {
    pub(crate) fn rate(self) -> Option<Rational> {
        self.fps
    }

    /// Refuses a rate for what has one, and a clip of frames without one.
    pub(crate) fn check(self, input: &Path, output: Option<&Path>) -> anyhow::Result<()> {
        let is_frames = is_frames(input);
        let makes_clip = output.is_some_and(is_video);
        if self.fps.is_some() && !is_frames {
            bail!("--fps is for folders and patterns of pictures; {input:?} is none");
        }
        if is_frames && makes_clip && self.fps.is_none() {
            bail!(
                "--fps says how many frames a second the clip has; without it, name a folder and \
                 the frames stay pictures"
            );
        }
        if self.fps.is_some() && !makes_clip && output.is_some() {
            bail!("--fps makes a clip; name it .mp4, .mov or .m4v, or leave --fps out");
        }
        Ok(())
    }
}

/// Which part of a clip is worked on.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Part {
    /// Begin at this moment of the clip: 62.5, or 1:02.5
    #[arg(long, default_value = "0", value_parser = moment, value_name = "SECONDS")]
    from: f64,
    /// End before this moment
    #[arg(long, value_parser = moment, value_name = "SECONDS")]
    to: Option<f64>,
    /// Draw only the frame at this moment, as a picture
    #[arg(long, alias = "still", value_parser = moment, value_name = "SECONDS", conflicts_with_all = ["from", "to"])]
    frame_at: Option<f64>,
}

impl Part {
    /// Whether one frame is wanted.
    pub(crate) fn is_still(self) -> bool {
        self.frame_at.is_some()
    }

    pub(crate) fn range(self) -> TimeRange {
        TimeRange {
            from_secs: self.frame_at.unwrap_or(self.from),
            to_secs: self.to,
        }
    }

    /// Refuses an end before the beginning, and a still that is not named as a picture.
    pub(crate) fn check(self, output: Option<&Path>) -> anyhow::Result<()> {
        if let (true, Some(path)) = (self.is_still(), output) {
            anyhow::ensure!(
                is_picture(path),
                "--frame-at makes a picture; name it .png, .jpg or .webp, not {path:?}"
            );
        }
        if let Some(to) = self.to {
            anyhow::ensure!(
                self.from < to,
                "--to {to} does not lie behind --from {}",
                self.from
            );
        }
        Ok(())
    }
}

/// Reads pictures a second: whole, with a point, or as a fraction. Rates of television are exact.
pub(crate) fn rate(text: &str) -> Result<Rational, String> {
    let wrong = || format!("{text:?} is no rate; write it as 24, 23.976 or 30000/1001");
    let whole = |part: &str| part.trim().parse::<i32>().ok().filter(|n| 0 < *n);
    let rate = if let Some((num, den)) = text.split_once('/') {
        Rational::new(whole(num).ok_or_else(wrong)?, whole(den).ok_or_else(wrong)?)
    } else if let Some(n) = whole(text) {
        Rational::new(n, 1)
    } else {
        let value: f64 = text.trim().parse().map_err(|_no_number| wrong())?;
        let near = |rate: &Rational| (rate.to_f64() - value).abs() < 5e-4;
        let television = [24_000, 30_000, 48_000, 60_000, 120_000];
        let exact = television.map(|num| Rational::new(num, 1001));
        match exact.into_iter().find(near) {
            Some(rate) => rate,
            None => Rational::new((value * 1000.0).round() as i32, 1000),
        }
    };
    if (0.1..=1000.0).contains(&rate.to_f64()) {
        Ok(rate)
    } else {
        Err(wrong())
    }
}

/// What to do about damage.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct SkipDamaged {
    /// Leave out frames that are damaged, up to the next whole one, and list them
    #[arg(long)]
    skip_damaged: bool,
}

impl From<SkipDamaged> for Damage {
    fn from(args: SkipDamaged) -> Self {
        if args.skip_damaged {
            Self::IsSkipped
        } else {
            Self::Ends
        }
    }
}

/// Takes the path of something to read; an address on the network is refused with what to do, and so
/// is what may never end.
pub(crate) fn input() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(readable)
}

fn readable(text: OsString) -> Result<PathBuf, &'static str> {
    let path = PathBuf::from(text);
    if is_address(&path) && !path.exists() {
        return Err("effigy reads files, not addresses; download it and name the file");
    }
    let is_endless = |meta: std::fs::Metadata| !meta.is_file() && !meta.is_dir();
    if std::fs::metadata(&path).is_ok_and(is_endless) {
        return Err("effigy reads files, not pipes or devices; save it and name the file");
    }
    Ok(path)
}

/// As [`input`], or the device of a camera.
pub(crate) fn input_or_camera() -> impl TypedValueParser<Value = PathBuf> {
    let camera = |text: &OsString| is_camera(Path::new(text));
    let either = OsStringValueParser::new().map(move |text| (camera(&text), text));
    either.try_map(|(is_camera, text)| {
        if is_camera {
            Ok(PathBuf::from(text))
        } else {
            readable(text)
        }
    })
}

/// Takes a number of this range, both ends included; what is no number lies in none.
pub(crate) fn within<T>(least: T, most: T) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: FromStr + PartialOrd + Display + Copy,
{
    move |text| {
        let value = text
            .parse()
            .map_err(|_no_number| format!("{text:?} is no number"))?;
        if (least..=most).contains(&value) {
            Ok(value)
        } else {
            Err(format!(
                "{value} is out of range: choose between {least} and {most}"
            ))
        }
    }
}

/// Reads a moment: seconds (`62.5`), minutes (`1:02.5`) or hours (`1:00:02.5`).
pub(crate) fn moment(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text:?} is no moment; write seconds as 62.5, or as 1:02.5");
    let is_number = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_digit())
            && part.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    };
    let parts: Vec<&str> = text.trim().split(':').collect();
    let (last, above) = parts.split_last().ok_or_else(wrong)?;
    let is_whole = |part: &&str| part.bytes().all(|b| b.is_ascii_digit());
    if 2 < above.len() || !parts.iter().all(|part| is_number(part)) || !above.iter().all(is_whole) {
        return Err(wrong());
    }
    let number = |part: &str| part.parse::<f64>().map_err(|_no_number| wrong());
    let mut secs = number(last)?;
    if !above.is_empty() && 60.0 <= secs {
        return Err(wrong());
    }
    let mut unit = 60.0;
    for part in above.iter().rev() {
        secs += unit * number(part)?;
        unit *= 60.0;
    }
    Ok(secs)
}

/// Reads a file that has a path on each line, in UTF-8, or in UTF-16 as Windows writes it.
pub(crate) fn listed(list: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let bytes = std::fs::read(list).with_context(|| format!("cannot read {list:?}"))?;
    let lines = lines_of(&bytes).with_context(|| format!("not a list of files: {list:?}"))?;
    let mut paths = Vec::new();
    for (i, line) in lines.into_iter().enumerate() {
        if is_address(&line) {
            bail!(
                "line {} of {list:?} is an address, and effigy reads files; download it and name \
                 the file",
                i + 1
            );
        }
        if !line.as_os_str().is_empty() {
            paths.push(line);
        }
    }
    Ok(paths)
}

const MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

fn lines_of(bytes: &[u8]) -> anyhow::Result<Vec<PathBuf>> {
    let wide = match bytes {
        [0xff, 0xfe, rest @ ..] => Some((rest, u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0xfe, 0xff, rest @ ..] => Some((rest, u16::from_be_bytes as fn([u8; 2]) -> u16)),
        _ => None,
    };
    if let Some((rest, unit)) = wide {
        let (pairs, _) = rest.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|&pair| unit(pair)).collect();
        let text = String::from_utf16(&units).context("its UTF-16 is damaged")?;
        return Ok(text.lines().map(PathBuf::from).collect());
    }
    let bytes = bytes.strip_prefix(&MARK).unwrap_or(bytes);
    bytes
        .split(|&byte| byte == b'\n')
        .map(|line| path_of(line.strip_suffix(b"\r").unwrap_or(line)))
        .collect()
}

#[cfg(unix)]
fn path_of(line: &[u8]) -> anyhow::Result<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(PathBuf::from(std::ffi::OsStr::from_bytes(line)))
}

#[cfg(not(unix))]
fn path_of(line: &[u8]) -> anyhow::Result<PathBuf> {
    Ok(PathBuf::from(
        std::str::from_utf8(line).context("it is not UTF-8")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        for (text, secs) in [
            ("0", 0.0),
            ("62.5", 62.5),
            ("1:02.5", 62.5),
            ("90", 90.0),
            ("75:00", 4500.0),
            ("1:00:02.25", 3602.25),
        ] {
            assert_eq!(moment(text), Ok(secs), "{text}");
        }
        for text in [
            "", ":", "1:", "-1", "nan", "inf", "1e3", "1:60", "1.5:00", "1:2:3:4", "2s",
        ] {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_lie_within_their_range() {
        let share = within(0.0_f32, 1.0);
        for (text, value) in [("0", 0.0), ("1", 1.0), (".25", 0.25), ("1e-1", 0.1)] {
            assert_eq!(share(text), Ok(value), "{text}");
        }
        for text in ["", "x", "nan", "inf", "-0.1", "1.01", "1e40"] {
            assert!(share(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_are_exact() {
        for (text, num, den) in [
            ("24", 24, 1),
            ("23.976", 24_000, 1001),
            ("29.97", 30_000, 1001),
            ("30000/1001", 30_000, 1001),
            ("12.5", 12_500, 1000),
        ] {
            assert_eq!(rate(text), Ok(Rational::new(num, den)), "{text}");
        }
        for text in ["0", "-5", "nan", "1/0", "x", "1e9"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lists_of_any_editor_are_read() {
        let wide = |big: bool| {
            let bytes = |unit: u16| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            };
            "\u{feff}a.mp4\r\nü b.mp4 \r\n"
                .encode_utf16()
                .flat_map(bytes)
                .collect()
        };
        let texts: [Vec<u8>; 5] = [
            "a.mp4\nü b.mp4 \n".into(),
            "a.mp4\r\n\r\nü b.mp4 ".into(),
            "\u{feff}a.mp4\nü b.mp4 ".into(),
            wide(false),
            wide(true),
        ];
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list.txt");
        for text in texts {
            std::fs::write(&list, &text).unwrap();
            let paths = listed(&list).unwrap();
            assert_eq!(paths, ["a.mp4", "ü b.mp4 "].map(PathBuf::from), "{text:?}");
        }
        std::fs::write(&list, "a.mp4\nhttps://example.org/b.mp4\n").unwrap();
        let refused = listed(&list).unwrap_err().to_string();
        assert!(refused.contains("line 2"), "{refused}");
    }
}
