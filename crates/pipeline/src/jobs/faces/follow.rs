//! Following faces on a thread of its own, a few frames ahead of whatever is done with them.

use std::sync::mpsc::sync_channel;
use std::thread;

use effigy_face::{Face, Tracker};
use effigy_frame::Frame;

use crate::error::Result;

/// A frame with its faces.
pub(crate) struct Followed {
    pub(crate) frame: Frame,
    pub(crate) faces: Vec<Face>,
}

/// Frames that wait to be taken; bounds memory.
const FRAMES_AHEAD: usize = 3;

/// Gives each frame with its faces to `each`, in presentation order, until one of both fails.
pub(crate) fn follow(
    frames: impl Iterator<Item = effigy_media::Result<Frame>> + Send,
    tracker: &mut Tracker,
    each: &mut dyn FnMut(effigy_media::Result<Followed>) -> Result<()>,
) -> Result<()> {
    thread::scope(|scope| {
        let (send, followed) = sync_channel(FRAMES_AHEAD);
        scope.spawn(move || {
            for frame in frames {
                let item = frame.map(|frame| Followed {
                    faces: tracker.follow(&frame.picture, frame.time.secs()),
                    frame,
                });
                // Nobody listens any more: the job has ended early.
                if send.send(item).is_err() {
                    return;
                }
            }
        });
        followed.into_iter().try_for_each(each)
    })
}
