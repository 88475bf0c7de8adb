//! A folder or a numbered series of pictures, shown as a video of constant rate.
//!
//! A broken or missing picture is an `Err` in its place; the pictures after it are still given.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use effigy_frame::{Frame, Rational, Timestamp};

use crate::error::{Error, Result};
use crate::info::{Info, VideoInfo};
use crate::limits::Limits;
use crate::picture;

/// The pictures to show, in order.
pub(crate) struct Pictures {
    paths: Vec<PathBuf>,
    rate: Rational,
    limits: Limits,
    info: Info,
    next: usize,
}

/// Whether the path names many pictures: a folder, or a pattern such as `%05d.png`.
pub(crate) fn is_sequence(path: &Path) -> bool {
    path.is_dir() || (pattern(path).is_some() && !path.exists())
}

/// The pictures of a folder (sorted by name, numbers by value) or pattern, or the single picture.
///
/// # Errors
/// If there are none, or more than `limits` allow.
pub fn pictures_of(path: &Path, limits: &Limits) -> Result<Vec<PathBuf>> {
    if path.is_dir() {
        in_folder(path, limits)
    } else if let Some(pattern) = pattern(path).filter(|_| !path.exists()) {
        by_pattern(path, &pattern, limits)
    } else {
        Ok(vec![path.to_owned()])
    }
}

impl Pictures {
    /// Finds the pictures that `path` names.
    pub(crate) fn open(path: &Path, rate: Rational, limits: &Limits) -> Result<Self> {
        if rate.num <= 0 {
            return Err(Error::BadSettings {
                why: format!("{}/{} pictures a second", rate.num, rate.den),
            });
        }
        let paths = pictures_of(path, limits)?;
        let info = describe(&paths, path, rate, limits)?;
        Ok(Self {
            paths,
            rate,
            limits: *limits,
            info,
            next: 0,
        })
    }

    pub(crate) fn info(&self) -> Info {
        self.info.clone()
    }

    pub(crate) fn next_frame(&mut self) -> Option<Result<Frame>> {
        let path = self.paths.get(self.next)?;
        let index = self.next as u64;
        self.next += 1;
        let time = Timestamp::new(index as i64, Rational::new(self.rate.den, self.rate.num));
        let picture = picture::read_here(path, &self.limits);
        Some(picture.map(|picture| Frame {
            index,
            time,
            picture,
        }))
    }

    pub(crate) fn seek(&mut self, secs: f64) {
        // A hair less, so that the time of a frame finds that frame in spite of rounding.
        let index = (secs * self.rate.to_f64() - 1e-6).ceil().max(0.0);
        self.next = (index as usize).min(self.paths.len());
    }
}

/// What stands around the number in a file name, and how many digits it has at least.
struct Pattern {
    before: String,
    digits: usize,
    after: String,
}

/// Reads `name-%05d.png` or `name-%d.png`.
fn pattern(path: &Path) -> Option<Pattern> {
    let name = path.file_name()?.to_str()?;
    let (before, rest) = name.split_once('%')?;
    let (digits, after) = rest.split_once('d')?;
    let is_number = digits.chars().all(|c| c.is_ascii_digit()) && digits.len() <= 2;
    is_number.then(|| Pattern {
        before: before.to_owned(),
        digits: digits.parse().unwrap_or(1),
        after: after.to_owned(),
    })
}

impl Pattern {
    fn number(&self, name: &OsStr) -> Option<u64> {
        let digits = name
            .to_str()?
            .strip_prefix(self.before.as_str())?
            .strip_suffix(self.after.as_str())?;
        let is_number = digits.len() >= self.digits && digits.chars().all(|c| c.is_ascii_digit());
        is_number.then(|| digits.parse().ok()).flatten()
    }

    fn name(&self, number: u64) -> String {
        format!("{}{number:0w$}{}", self.before, self.after, w = self.digits)
    }
}

fn by_pattern(path: &Path, pattern: &Pattern, limits: &Limits) -> Result<Vec<PathBuf>> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let names = names_in(folder)?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|n| pattern.number(n)).collect();
    numbers.sort_unstable();
    let (Some(&first), Some(&last)) = (numbers.first(), numbers.last()) else {
        return Err(Error::NoPictures {
            path: path.to_owned(),
        });
    };
    check_count((last - first).saturating_add(1), limits)?;
    // A number left out is a missing frame: its place stays, and reading it fails.
    Ok((first..=last)
        .map(|n| folder.join(pattern.name(n)))
        .collect())
}

fn in_folder(folder: &Path, limits: &Limits) -> Result<Vec<PathBuf>> {
    let is_picture = |name: &OsStr| {
        let is_hidden = name.as_encoded_bytes().starts_with(b".");
        !is_hidden && effigy_files::is_picture(Path::new(name))
    };
    let mut names = names_in(folder)?;
    names.retain(|name| is_picture(name));
    if names.is_empty() {
        return Err(Error::NoPictures {
            path: folder.to_owned(),
        });
    }
    check_count(names.len() as u64, limits)?;
    names.sort_by(|a, b| by_number(&a.to_string_lossy(), &b.to_string_lossy()).then(a.cmp(b)));
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

fn names_in(folder: &Path) -> Result<Vec<std::ffi::OsString>> {
    let open = |source| Error::Open {
        source,
        path: folder.to_owned(),
    };
    let entries = std::fs::read_dir(folder).map_err(open)?;
    entries
        .map(|entry| entry.map(|e| e.file_name()).map_err(open))
        .collect()
}

fn check_count(n_pictures: u64, limits: &Limits) -> Result<()> {
    if n_pictures > limits.max_pictures as u64 {
        return Err(Error::TooMuch {
            what: format!("a sequence of {n_pictures} pictures"),
            limit: format!("{} pictures", limits.max_pictures),
        });
    }
    Ok(())
}

/// Orders `shot2` before `shot10`.
fn by_number(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (text_a, rest_a) = split_at_digit(a);
        let (text_b, rest_b) = split_at_digit(b);
        let (digits_a, after_a) = split_after_digits(rest_a);
        let (digits_b, after_b) = split_after_digits(rest_b);
        let (trim_a, trim_b) = (
            digits_a.trim_start_matches('0'),
            digits_b.trim_start_matches('0'),
        );
        let by_value = trim_a
            .len()
            .cmp(&trim_b.len())
            .then_with(|| trim_a.cmp(trim_b));
        match text_a.cmp(text_b).then(by_value) {
            Ordering::Equal if after_a.is_empty() || after_b.is_empty() => {
                return after_a.len().cmp(&after_b.len());
            }
            Ordering::Equal => (a, b) = (after_a, after_b),
            unequal => return unequal,
        }
    }
}

fn split_at_digit(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|c: char| c.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}

fn split_after_digits(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}

/// Describes the sequence by its first picture that can be read.
fn describe(paths: &[PathBuf], named: &Path, rate: Rational, limits: &Limits) -> Result<Info> {
    let mut first_error = None;
    for path in paths {
        match picture::probe(path, limits) {
            Ok(info) => {
                let frames = paths.len() as u64;
                let video = info.video.map(|video| VideoInfo {
                    frame_rate: rate,
                    base_rate: rate,
                    time_base: Rational::new(rate.den, rate.num),
                    frames: Some(frames),
                    duration_secs: Some(frames as f64 / rate.to_f64()),
                    ..video
                });
                return Ok(Info {
                    duration_secs: video.as_ref().and_then(|v| v.duration_secs),
                    video,
                    ..info
                });
            }
            Err(err) => first_error = first_error.or(Some(err)),
        }
    }
    Err(first_error.unwrap_or_else(|| Error::NoPictures {
        path: named.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_by_value() {
        let mut names = ["b1", "a10", "a2", "a02b", "a"];
        names.sort_by(|a, b| by_number(a, b));
        assert_eq!(names, ["a", "a2", "a02b", "a10", "b1"]);
    }

    #[test]
    fn patterns_know_their_numbers() {
        let five = pattern(Path::new("x/shot-%05d.png")).unwrap();
        assert_eq!(five.number(OsStr::new("shot-00012.png")), Some(12));
        assert_eq!(five.number(OsStr::new("shot-12.png")), None);
        assert_eq!(five.name(7), "shot-00007.png");
        assert!(pattern(Path::new("100% sure.png")).is_none());
        assert!(pattern(Path::new("clip.mp4")).is_none());
    }
}
