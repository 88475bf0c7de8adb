//! Real clips, encoded once or twice by ourselves: does an earlier encoding show in the sizes of
//! packets?
//!
//! All are shrunk first, to leave little of what their publishers' encoders did. Nothing is fitted:
//! what counts as found is decided by chance alone.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use effigy_detect::container::rhythm::{CLEARLY, MOST_PACKETS, Rhythm, rhythm};
use effigy_frame::resample::resize;
use effigy_frame::{Frame, Rational, Timestamp};
use effigy_media::{Limits, VideoReader, VideoWriter, WriteSettings, packets};

use crate::statistics::{Judged, auc, with_interval};

/// Frames from one whole picture to the next in the first encoding.
const PERIODS: [u32; 4] = [12, 15, 25, 30];
/// Quality of the first encoding; that of the second is 23.
const CRFS: [u8; 2] = [18, 26];
const SECOND_CRF: u8 = 23;
const SECS: f64 = 10.0;
/// Width that clips are shrunk to, or to half of theirs.
const MOST_WIDTH: u32 = 320;
/// Shorter clips hold too few beats.
const LONG_FRAMES: usize = 150;

/// Whether a clip holds enough beats.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    Short,
    Long,
}

struct Measured {
    rhythm: Option<Rhythm>,
    length: Length,
    clip: usize,
}

/// Prints, for each first encoding, how well it is found.
pub(super) fn measure(data: &Path) -> Result<()> {
    let clips = clips(data)?;
    let mut once = Vec::new();
    let mut twice: Vec<(u32, u8, Vec<Measured>)> = PERIODS
        .iter()
        .flat_map(|period| CRFS.map(|crf| (*period, crf, Vec::new())))
        .collect();
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    for (clip, source) in clips.iter().enumerate() {
        let frames = small(source)?;
        let length = if LONG_FRAMES <= frames.len() {
            Length::Long
        } else {
            Length::Short
        };
        let measured = |path: &Path| -> Result<Measured> {
            let rhythm = rhythm(&packets(path, MOST_PACKETS, &Limits::default())?);
            Ok(Measured {
                rhythm,
                length,
                clip,
            })
        };
        write(&path("once.mp4"), &frames, SECOND_CRF, None)?;
        once.push(measured(&path("once.mp4"))?);
        for (period, crf, all) in &mut twice {
            write(&path("first.mp4"), &frames, *crf, Some(*period))?;
            let first = VideoReader::open(&path("first.mp4"), &Limits::default())?;
            let first: Vec<Frame> = first.collect::<effigy_media::Result<_>>()?;
            write(&path("twice.mp4"), &first, SECOND_CRF, None)?;
            all.push(measured(&path("twice.mp4"))?);
        }
        println!("{}: {:?}", source.display(), once.last().map(|h| h.rhythm));
    }
    for (length, name) in [(Length::Long, "long"), (Length::Short, "short")] {
        let (found, n) = found(&once, length, None);
        println!("{name} clips encoded once: {found} of {n} said to have been encoded before");
        for (period, crf, all) in &twice {
            print_row(
                &format!("{name}, every {period}, CRF {crf}"),
                all,
                &once,
                length,
                *period,
            );
        }
    }
    Ok(())
}

fn print_row(name: &str, twice: &[Measured], once: &[Measured], length: Length, period: u32) {
    let judged = |measured: &Measured, fake: bool| {
        let rhythm = measured.rhythm.filter(|_| measured.length == length)?;
        Some(Judged {
            score: rhythm.clarity.into(),
            fake,
            group: measured.clip,
        })
    };
    let twice_judged = twice.iter().filter_map(|h| judged(h, true));
    let all: Vec<Judged> = twice_judged
        .chain(once.iter().filter_map(|h| judged(h, false)))
        .collect();
    let (n_found, n) = found(twice, length, Some(period as usize));
    if let Some(area) = with_interval(&all, auc) {
        println!(
            "{name}: AUC {:.2} [{:.2}, {:.2}], found with the right period {n_found} of {n}",
            area.value, area.low, area.high
        );
    }
}

/// How many stand out clearly, at `period` or a multiple of it where that is asked for.
fn found(measured: &[Measured], length: Length, period: Option<usize>) -> (usize, usize) {
    let of_length: Vec<&Measured> = measured.iter().filter(|h| h.length == length).collect();
    let is_right = |r: &Rhythm| period.is_none_or(|period| r.period.is_multiple_of(period));
    let found = of_length.iter().filter_map(|h| h.rhythm.as_ref());
    let found = found.filter(|r| CLEARLY <= r.clarity && is_right(r));
    (found.count(), of_length.len())
}

fn clips(data: &Path) -> Result<Vec<PathBuf>> {
    let mut clips = Vec::new();
    for folder in ["video", "video/grid"] {
        let folder = data.join(folder);
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {folder:?}"))? {
            let path = entry?.path();
            if path.is_file() {
                clips.push(path);
            }
        }
    }
    clips.sort();
    Ok(clips)
}

/// The first seconds of a clip, shrunk to half its size or less.
fn small(path: &Path) -> Result<Vec<Frame>> {
    let mut frames = Vec::new();
    for frame in VideoReader::open(path, &Limits::default())? {
        let frame = frame.with_context(|| format!("cannot read {path:?}"))?;
        if SECS < frame.time.secs() {
            break;
        }
        let (width, height) = (frame.picture.width(), frame.picture.height());
        let narrow = (width / 2).min(MOST_WIDTH) & !1;
        let low = (height * narrow / width) & !1;
        frames.push(Frame {
            picture: resize(&frame.picture, narrow, low),
            ..frame
        });
    }
    Ok(frames)
}

fn write(path: &Path, frames: &[Frame], crf: u8, key_every: Option<u32>) -> Result<()> {
    let first = frames.first().context("a clip without frames")?;
    let (width, height) = (first.picture.width(), first.picture.height());
    let settings = WriteSettings {
        crf: Some(crf),
        key_every,
        ..WriteSettings::new(width, height, Rational::new(25, 1))
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "a copy to measure, gone when it is measured"
    )]
    let mut writer = VideoWriter::create(path, &settings)?;
    for (index, frame) in (0_u32..).zip(frames) {
        writer.write(&Frame {
            index: index.into(),
            time: Timestamp::new(index.into(), Rational::new(1, 25)),
            picture: frame.picture.clone(),
        })?;
    }
    Ok(writer.finish()?)
}
