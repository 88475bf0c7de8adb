//! What footage may go through on its way to the judge.

use anyhow::{Context as _, Result};
use effigy_frame::resample::resize;
use effigy_frame::{Frame, Rational};
use effigy_media::{Limits, VideoReader, VideoWriter, WriteSettings};

use crate::train::augment::{compress, soften};

/// One way to spoil a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Clean,
    Jpeg(u8),
    H264(u8),
    Half,
    Blur,
}

impl Change {
    pub(super) const ALL: [Self; 7] = [
        Self::Clean,
        Self::Jpeg(70),
        Self::Jpeg(40),
        Self::H264(28),
        Self::H264(35),
        Self::Half,
        Self::Blur,
    ];

    pub(super) fn name(self) -> String {
        match self {
            Self::Clean => "clean".to_owned(),
            Self::Jpeg(quality) => format!("jpeg {quality}"),
            Self::H264(crf) => format!("h264 crf {crf}"),
            Self::Half => "half size".to_owned(),
            Self::Blur => "blur".to_owned(),
        }
    }

    /// Gives the frames as they arrive.
    pub(super) fn apply(self, frames: Vec<Frame>) -> Result<Vec<Frame>> {
        let each = |change: &dyn Fn(&mut Frame)| {
            let mut frames = frames.clone();
            frames.iter_mut().for_each(change);
            frames
        };
        Ok(match self {
            Self::Clean => frames,
            Self::Jpeg(quality) => each(&|frame| compress(&mut frame.picture, quality)),
            Self::Half => each(&|frame| {
                let (width, height) = (frame.picture.width() / 2, frame.picture.height() / 2);
                frame.picture = resize(&frame.picture, width.max(1), height.max(1));
            }),
            Self::Blur => each(&|frame| soften(&mut frame.picture, 0.5)),
            Self::H264(crf) => encoded(&frames, crf)?,
        })
    }
}

/// Writes the frames as H.264 and reads them back.
fn encoded(frames: &[Frame], crf: u8) -> Result<Vec<Frame>> {
    let first = frames.first().context("a clip without frames")?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("clip.mp4");
    let size = (first.picture.width() & !1, first.picture.height() & !1);
    let settings = WriteSettings {
        crf: Some(crf),
        time_base: first.time.base,
        ..WriteSettings::new(size.0, size.1, Rational::new(25, 1))
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "a copy to judge, gone when it is read"
    )]
    let mut writer = VideoWriter::create(&path, &settings)?;
    for frame in frames {
        let picture = resize(&frame.picture, size.0, size.1);
        writer.write(&Frame {
            picture,
            ..frame.clone()
        })?;
    }
    writer.finish()?;
    let reader = VideoReader::open(&path, &Limits::default())?;
    reader.map(|frame| Ok(frame?)).collect()
}

#[cfg(test)]
mod tests {
    use effigy_frame::{Picture, Timestamp};

    use super::*;

    fn clip() -> Vec<Frame> {
        let frame = |i: u32| {
            let pixels = (0..64 * 48_u32).flat_map(|p| {
                let (x, y) = (p % 64, p / 64);
                [
                    ((x * 7 + i) % 256) as u8,
                    (y * 5) as u8,
                    ((x ^ y) * 3) as u8,
                ]
            });
            Frame {
                picture: Picture::new(64, 48, pixels.collect()),
                index: u64::from(i),
                time: Timestamp {
                    ticks: i64::from(i),
                    base: Rational::new(1, 25),
                },
            }
        };
        (0..6).map(frame).collect()
    }

    #[test]
    fn every_change_keeps_the_frames_and_but_one_changes_them() {
        for change in Change::ALL {
            let changed = change.apply(clip()).unwrap();
            assert_eq!(changed.len(), 6, "{}", change.name());
            let same = changed[3].picture == clip()[3].picture;
            assert_eq!(same, change == Change::Clean, "{}", change.name());
        }
    }
}
