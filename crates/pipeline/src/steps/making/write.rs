//! All frames of a making job: drawn one after the other, marked and encoded on another thread.

use std::path::{Path, PathBuf};

use effigy_face::Observation;
use effigy_files::is_picture;
use effigy_frame::{Frame, Picture};
use effigy_mark::{Marked, MarkedFrames, MarkedWriter, write_marked_edit, write_marked_picture};
use effigy_media::{Limits, VideoReader, WriteSettings, pictures_of, read_original};

use super::behind::{self, behind};
use super::gaps::{Gaps, Ready, wanted};
use super::{Cast, Drawing, Form, Making, View};
use crate::error::{Error, Result};
use crate::steps::consent::Authorisation;
use crate::steps::damage::DamagedPlace;
use crate::steps::networks::Networks;
use crate::steps::people::FacePoints;
use crate::steps::progress::Progress;
use crate::steps::quality::Replaced;

/// How many frames there were.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) n_frames: u64,
    /// Frames in which a face was drawn.
    pub(super) n_drawn: u64,
    /// What could not be read and was left out.
    pub(super) damaged: Vec<DamagedPlace>,
}

/// Reads, draws and writes every frame, or one where the result is a picture. Marking and encoding
/// run behind on a thread of their own, a few frames at the most.
pub(super) fn write(
    cast: &Cast<'_>,
    authorisation: Authorisation<'_>,
    drawing: &mut Drawing<'_>,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<(Marked, Counts)> {
    let making = &cast.begun.making;
    behind(
        || Sink::new(making, authorisation),
        |hand_on| draw_all(cast, drawing, networks, progress, hand_on),
    )
}

/// Draws all frames and hands them on.
fn draw_all(
    cast: &Cast<'_>,
    drawing: &mut Drawing<'_>,
    networks: &Networks,
    progress: &mut dyn Progress,
    hand_on: &mut dyn FnMut(Frame) -> Result<()>,
) -> Result<Counts> {
    let Cast { clips, chosen, .. } = cast;
    let making = &cast.begun.making;
    let mut clips = clips.clone();
    if is_picture(making.output) {
        clips.most_frames = 1;
    }
    let n_frames = clips.n_frames().filter(|_| !is_picture(making.output));
    progress.begin(&drawing.title, n_frames);
    let (mut gaps, mut counts) = (Gaps::default(), Counts::default());
    let mut pass = |ready: Vec<Ready>| -> Result<()> {
        for (frame, faces) in ready {
            let (frame, is_drawn) = draw(drawing, making.view, frame, &faces)?;
            counts.n_frames += 1;
            counts.n_drawn += u64::from(is_drawn);
            hand_on(frame)?;
        }
        Ok(())
    };
    let damaged = chosen.again(&clips, networks, progress, &mut |_, frame, faces| {
        pass(gaps.take(frame, wanted(faces, &chosen.tracks)))
    })?;
    pass(gaps.rest())?;
    counts.damaged = damaged;
    Ok(counts)
}

/// Draws and measures one frame; gives what the output shows, and whether a face was drawn.
fn draw(
    drawing: &mut Drawing<'_>,
    view: View,
    target: Frame,
    faces: &[FacePoints],
) -> Result<(Frame, bool)> {
    let mut result = target.clone();
    let seen: Vec<Observation<'_>> = faces
        .iter()
        .map(|face| Observation::of_points(&target, face.track, &face.points))
        .collect();
    let changed = drawing.driver.draw(&mut result, &seen)?;
    let replaced: Vec<Replaced<'_>> = faces
        .iter()
        .zip(changed)
        .filter_map(|(face, change)| {
            Some(Replaced {
                track: face.track,
                points: &face.points,
                change: change?,
            })
        })
        .collect();
    drawing
        .measuring
        .take(&target.picture, &result, &replaced, faces.len())?;
    let is_drawn = !replaced.is_empty();
    if view == View::SideBySide {
        result.picture = beside(&target.picture, &result.picture);
    }
    Ok((result, is_drawn))
}

/// Where drawn frames go.
enum Sink<'a> {
    Video(Box<MarkedWriter<'a>>),
    /// A picture for each of the target's.
    Frames {
        frames: Box<MarkedFrames<'a>>,
        targets: Vec<PathBuf>,
    },
    /// There is one frame.
    Picture {
        path: &'a Path,
        target: &'a Path,
        authorisation: Authorisation<'a>,
        first: Option<Picture>,
    },
}

impl<'a> Sink<'a> {
    fn new(making: &'a Making<'_>, authorisation: Authorisation<'a>) -> Result<Self> {
        if is_picture(making.output) {
            return Ok(Self::Picture {
                path: making.output,
                target: making.target,
                authorisation,
                first: None,
            });
        }
        let Authorisation { token, policy } = authorisation;
        if let Form::Frames(existing) = making.form {
            let frames = MarkedFrames::create(making.output, existing, token, policy)?;
            return Ok(Self::Frames {
                frames: Box::new(frames),
                targets: pictures_of(making.target, &Limits::default())?,
            });
        }
        let writer = MarkedWriter::create(making.output, &settings(making)?, token, policy)?;
        Ok(Self::Video(Box::new(writer)))
    }
}

impl behind::Sink<Frame> for Sink<'_> {
    fn write(&mut self, frame: Frame) -> Result<()> {
        match self {
            Self::Video(writer) => writer.write(frame)?,
            Self::Frames { frames, targets } => {
                let gone = || Error::NoInput {
                    path: PathBuf::from("a frame that was there before"),
                };
                let target = targets.get(frame.index as usize).ok_or_else(gone)?;
                frames.write(target, frame.picture)?;
            }
            Self::Picture { first, .. } => {
                first.get_or_insert(frame.picture);
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Marked> {
        match self {
            Self::Video(writer) => Ok(writer.finish()?),
            Self::Frames { frames, .. } => Ok(frames.finish()?),
            Self::Picture {
                path,
                target,
                authorisation: Authorisation { token, policy },
                first,
            } => {
                let no_frame = || Error::NoFace {
                    path: path.to_owned(),
                };
                let picture = first.ok_or_else(no_frame)?;
                if !is_picture(target) {
                    return Ok(write_marked_picture(path, picture, token, policy)?);
                }
                let original = read_original(target, &Limits::default())?;
                Ok(write_marked_edit(path, picture, original, token, policy)?)
            }
        }
    }
}

/// Size, times, colours and sound of the target clip, or of the part of it that is wanted.
fn settings(making: &Making<'_>) -> Result<WriteSettings> {
    let reader = VideoReader::open_at_rate(making.target, making.rate(), &Limits::default())?;
    let info = reader.info().clone();
    let video = info.video.ok_or_else(|| Error::NoInput {
        path: making.target.to_owned(),
    })?;
    let mut settings = WriteSettings::like(&video);
    if making.view == View::SideBySide {
        settings.width *= 2;
    }
    let is_picture = info.container == "pictures";
    settings.tracks_from = (!is_picture).then(|| making.target.to_owned());
    settings.range = making.range;
    Ok(settings)
}

/// Two pictures of one size side by side.
fn beside(left: &Picture, right: &Picture) -> Picture {
    let row_bytes = left.width() as usize * 3;
    let rows = left
        .pixels()
        .chunks_exact(row_bytes)
        .zip(right.pixels().chunks_exact(row_bytes));
    let pixels = rows
        .flat_map(|(left, right)| left.iter().chain(right))
        .copied()
        .collect();
    Picture::new(2 * left.width(), left.height(), pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn side_by_side_keeps_both() {
        let (left, right) = (Picture::filled(3, 2, [1; 3]), Picture::filled(3, 2, [9; 3]));
        let both = beside(&left, &right);
        assert_eq!((both.width(), both.height()), (6, 2));
        assert_eq!((both.get(2, 1), both.get(3, 0)), ([1; 3], [9; 3]));
    }
}
