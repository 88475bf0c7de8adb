//! Marking and encoding on a thread of their own, a few frames behind the drawing.

use std::sync::mpsc::{Receiver, sync_channel};

use effigy_frame::Frame;
use effigy_mark::{Marked, MarkedWriter};

use crate::error::{Error, Result};

/// Where what is drawn goes: frames, or frames with what else is known of them.
pub(super) trait Sink<F> {
    /// Marks and encodes the next frame.
    fn write(&mut self, frame: F) -> Result<()>;

    /// Gives the result its name. Without this there is none.
    fn finish(self) -> Result<Marked>;
}

impl Sink<Frame> for MarkedWriter<'_> {
    fn write(&mut self, frame: Frame) -> Result<()> {
        Ok(Self::write(self, frame)?)
    }

    fn finish(self) -> Result<Marked> {
        Ok(Self::finish(self)?)
    }
}

/// Frames that wait to be marked and encoded.
const FRAMES_BEHIND: usize = 3;

/// What the writing thread is sent.
enum Order<F> {
    Write(F),
    /// That was all: the result may get its name.
    Finish,
}

/// Writes what `draw_all` hands on to what `open` gives, and finishes it when that succeeds.
///
/// # Errors
/// Those of the writer first, since drawing stops when writing does. Nothing is finished then.
pub(super) fn behind<F: Send, S: Sink<F>, C>(
    open: impl FnOnce() -> Result<S> + Send,
    draw_all: impl FnOnce(&mut dyn FnMut(F) -> Result<()>) -> Result<C>,
) -> Result<(Marked, C)> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(FRAMES_BEHIND);
        let writing = scope.spawn(move || write_all(open()?, &receiver));
        let hand_on = |order| sender.send(order).map_err(|_stopped| Error::Cancelled);
        let drawn = draw_all(&mut |frame| hand_on(Order::Write(frame)));
        let drawn = drawn.and_then(|drawn| hand_on(Order::Finish).map(|()| drawn));
        drop(sender);
        let written = match writing.join() {
            Ok(written) => written,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        match (written?, drawn?) {
            (Some(marked), drawn) => Ok((marked, drawn)),
            (None, _) => Err(Error::Cancelled),
        }
    })
}

/// Writes what it is sent. `None`, and no file, where it is not asked to finish.
fn write_all<F>(mut sink: impl Sink<F>, orders: &Receiver<Order<F>>) -> Result<Option<Marked>> {
    for order in orders {
        match order {
            Order::Write(frame) => sink.write(frame)?,
            Order::Finish => return sink.finish().map(Some),
        }
    }
    Ok(None)
}
