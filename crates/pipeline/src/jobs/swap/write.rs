//! All frames of a swap: drawn one after the other, marked and encoded on a thread of their own.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use effigy_files::is_picture;
use effigy_frame::{Frame, Picture};
use effigy_mark::consent::Token;
use effigy_mark::{Marked, MarkedWriter, Policy, write_marked_picture};
use effigy_media::{Limits, WriteSettings, probe};

use super::draw::Renderer;
use super::gaps::{Gaps, Ready, wanted};
use super::{SwapJob, View};
use crate::error::{Error, Result};
use crate::steps::footage::Clips;
use crate::steps::networks::Networks;
use crate::steps::people::Chosen;
use crate::steps::progress::Progress;

/// Reads, draws and writes every frame, or one where the result is a picture. Marking and encoding
/// run behind on a thread of their own, a few frames at the most.
pub(super) fn write(
    job: &SwapJob,
    (token, policy): (&Token, &Policy<'_>),
    footage: (&Clips, &Networks, &Chosen),
    renderer: &mut Renderer<'_>,
    progress: &mut dyn Progress,
) -> Result<(Marked, u64)> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(FRAMES_BEHIND);
        let writing = scope.spawn(move || write_behind(job, token, policy, &receiver));
        let drawn = draw_all(job, footage, renderer, progress, &sender);
        drop(sender);
        let written = match writing.join() {
            Ok(written) => written,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        // Drawing stops when writing does, so that the writer's error comes first.
        match (written?, drawn?) {
            (Some(marked), n_frames) => Ok((marked, n_frames)),
            (None, _) => Err(Error::Cancelled),
        }
    })
}

/// Frames that wait to be marked and encoded.
const FRAMES_BEHIND: usize = 3;

/// What the thread that writes is told.
enum Order {
    Write(Frame),
    /// That was all: the result may get its name.
    Finish,
}

/// Follows, draws and hands on all frames; gives how many.
fn draw_all(
    job: &SwapJob,
    (clips, networks, chosen): (&Clips, &Networks, &Chosen),
    renderer: &mut Renderer<'_>,
    progress: &mut dyn Progress,
    sender: &SyncSender<Order>,
) -> Result<u64> {
    let n_frames = clips.n_frames().filter(|_| !is_picture(&job.output));
    progress.begin(&format!("drawing {}", job.face), n_frames);
    let hand_on = |order: Order| sender.send(order).map_err(|_stopped| Error::Cancelled);
    let mut gaps = Gaps::default();
    let mut n_frames = 0;
    let mut pass = |ready: Vec<Ready>, renderer: &mut Renderer<'_>| -> Result<()> {
        for (mut frame, faces) in ready {
            let source = frame.picture.clone();
            renderer.draw(&mut frame, &faces, &source)?;
            if job.view == View::SideBySide {
                frame.picture = beside(&source, &frame.picture);
            }
            n_frames += 1;
            hand_on(Order::Write(frame))?;
        }
        Ok(())
    };
    chosen.again(clips, networks, progress, &mut |_, frame, faces| {
        pass(gaps.take(frame, wanted(faces, &chosen.tracks)), renderer)
    })?;
    pass(gaps.rest(), renderer)?;
    hand_on(Order::Finish)?;
    Ok(n_frames)
}

/// Writes what it is told. `None`, and no file, where it is not told to finish.
fn write_behind(
    job: &SwapJob,
    token: &Token,
    policy: &Policy<'_>,
    orders: &Receiver<Order>,
) -> Result<Option<Marked>> {
    let mut sink = Sink::new(job, token, policy)?;
    for order in orders {
        match order {
            Order::Write(frame) => sink.write(frame)?,
            Order::Finish => return sink.finish().map(Some),
        }
    }
    Ok(None)
}

/// Where drawn frames go.
enum Sink<'a> {
    Video(Box<MarkedWriter<'a>>),
    /// The first frame is kept, the others are not asked for.
    Picture {
        path: &'a Path,
        papers: (&'a Token, &'a Policy<'a>),
        first: Option<Picture>,
    },
}

impl<'a> Sink<'a> {
    fn new(job: &'a SwapJob, token: &'a Token, policy: &'a Policy<'a>) -> Result<Self> {
        if is_picture(&job.output) {
            return Ok(Self::Picture {
                path: &job.output,
                papers: (token, policy),
                first: None,
            });
        }
        let writer = MarkedWriter::create(&job.output, &settings(job)?, token, policy)?;
        Ok(Self::Video(Box::new(writer)))
    }

    fn write(&mut self, frame: Frame) -> Result<()> {
        match self {
            Self::Video(writer) => writer.write(frame)?,
            Self::Picture { first, .. } => {
                first.get_or_insert(frame.picture);
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Marked> {
        match self {
            Self::Video(writer) => Ok(writer.finish()?),
            Self::Picture {
                path,
                papers: (token, policy),
                first,
            } => {
                let path_named = || Error::NoFace {
                    path: path.to_owned(),
                };
                let picture = first.ok_or_else(path_named)?;
                Ok(write_marked_picture(path, picture, token, policy)?)
            }
        }
    }
}

/// Size, times, colours and sound of the source, or of the part of it that is wanted.
fn settings(job: &SwapJob) -> Result<WriteSettings> {
    let info = probe(&job.input, &Limits::default())?;
    let video = info.video.ok_or_else(|| Error::NoInput {
        path: job.input.clone(),
    })?;
    let mut settings = WriteSettings::like(&video);
    if job.view == View::SideBySide {
        settings.width *= 2;
    }
    settings.audio_from = info.audio.is_some().then(|| job.input.clone());
    settings.range = job.range;
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
