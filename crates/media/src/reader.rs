//! Frames for a consumer, decoded ahead on a thread of their own.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

use effigy_files::Reading;
use effigy_frame::{Frame, Rational};

use crate::animation::Animation;
use crate::decode::{Damage, Decoding};
use crate::error::Result;
use crate::info::Info;
use crate::limits::Limits;
use crate::moving;
use crate::patience::{self, Patience};
use crate::picture;
use crate::sequence::{self, Pictures};

/// Reads a video, a picture or a sequence of pictures frame by frame, in presentation order.
///
/// Frames are upright and carry exact times, counted from the start of the file's clock. Decoding
/// runs ahead of the consumer by at most [`Limits::max_frames_ahead`]. `None` is the true end:
/// damage and a file that stops early are an `Err` that names frame and time. So is a decoder that
/// stands still for [`Limits::max_pause_secs`]. After an error a
/// video gives no more frames, unless [`VideoReader::skip_damaged`] was asked for; a sequence of pictures continues with its next picture.
///
/// ```no_run
/// use effigy_media::{Limits, VideoReader};
///
/// let reader = VideoReader::open("clip.mp4".as_ref(), &Limits::default())?;
/// for frame in reader {
///     let frame = frame?;
///     println!("frame {} at {:.3} s", frame.index, frame.time.secs());
/// }
/// # Ok::<(), effigy_media::Error>(())
/// ```
pub struct VideoReader {
    info: Info,
    frames_ahead: usize,
    path: PathBuf,
    limits: Limits,
    patience: Patience,
    state: State,
    _reading: Reading,
}

enum State {
    /// Opened or moved, not yet read from.
    Idle(Source),
    Running(Worker),
    /// At the end, or behind an error that ends. Can still be moved.
    Ended(Source),
    /// While one of the others is being replaced, and for good once the file was given up.
    Changing,
}

enum Source {
    Video(Box<Decoding>),
    Pictures(Box<Pictures>),
    Animation(Box<Animation>),
}

struct Worker {
    frames: Receiver<Option<Result<Frame>>>,
    thread: JoinHandle<Source>,
}

impl VideoReader {
    /// Opens a video file, a picture, a folder of pictures or a pattern such as `shot-%05d.png`.
    ///
    /// Pictures are shown at 25 a second; [`VideoReader::open_at_rate`] takes another rate.
    ///
    /// # Errors
    /// If there is nothing that can be read, or more than `limits` allow.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self> {
        Self::open_at_rate(path, picture::DEFAULT_RATE, limits)
    }

    /// As [`VideoReader::open`]; `rate` is for pictures, videos have their own.
    ///
    /// # Errors
    /// If there is nothing that can be read, or more than `limits` allow.
    pub fn open_at_rate(path: &Path, rate: Rational, limits: &Limits) -> Result<Self> {
        let reading = Reading::begin(path)?;
        let patience = Patience::new(limits);
        let pulse = patience.pulse();
        let (source, info) = patience::read(path, limits, move |path, limits, _pulse| {
            let (mut source, info) = Source::open(path, rate, limits)?;
            if let Source::Video(decoding) = &mut source {
                decoding.pulse = pulse;
            }
            Ok((source, info))
        })?;
        let (width, height) = info.video.as_ref().map_or((1, 1), |v| (v.width, v.height));
        Ok(Self {
            frames_ahead: limits.frames_ahead(width, height),
            path: path.to_owned(),
            limits: *limits,
            patience,
            info,
            state: State::Idle(source),
            _reading: reading,
        })
    }

    /// Goes on behind damage: an error then stands for all frames that are missing in its place, and
    /// frames follow from the next that needs none of them. A file that is cut short ends there.
    #[must_use]
    pub fn skip_damaged(mut self) -> Self {
        if let State::Idle(Source::Video(decoding)) = &mut self.state {
            decoding.damage = Damage::IsSkipped;
        }
        self
    }

    /// What the file says it holds. There is always a `video` in it.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// Makes the first frame at or after `secs` the next one.
    ///
    /// Its `index` is counted from its time at the average rate, which is exact for videos of a
    /// constant rate. Seeking behind the end is no error: there are no more frames then.
    ///
    /// # Errors
    /// If the file does not allow it.
    pub fn seek(&mut self, secs: f64) -> Result<()> {
        let source = match std::mem::replace(&mut self.state, State::Changing) {
            State::Idle(source) | State::Ended(source) => source,
            State::Running(worker) => worker.stop(&self.patience, &self.path)?,
            State::Changing => return Ok(()),
        };
        let (source, sought) = patience::read(&self.path, &self.limits, move |_, _, _| {
            let mut source = source;
            let sought = source.seek(secs);
            Ok((source, sought))
        })?;
        self.state = State::Idle(source);
        sought
    }
}

impl Iterator for VideoReader {
    type Item = Result<Frame>;

    fn next(&mut self) -> Option<Self::Item> {
        let worker = match std::mem::replace(&mut self.state, State::Changing) {
            State::Idle(source) => Worker::start(source, self.frames_ahead),
            State::Running(worker) => worker,
            ended => {
                self.state = ended;
                return None;
            }
        };
        // The thread ends with a `None`; if it is gone without one, it has broken down, as taking
        // the source back says.
        let frame = match self.patience.receive(&worker.frames, &self.path) {
            Ok(frame) => frame.flatten(),
            Err(error) => return Some(Err(error)),
        };
        if frame.is_some() {
            self.state = State::Running(worker);
            return frame;
        }
        match worker.stop(&self.patience, &self.path) {
            Ok(source) => self.state = State::Ended(source),
            Err(error) => return Some(Err(error)),
        }
        None
    }
}

impl Drop for VideoReader {
    fn drop(&mut self) {
        if let State::Running(worker) = std::mem::replace(&mut self.state, State::Changing) {
            // There is no caller left to pass an error on to.
            drop(worker.stop(&self.patience, &self.path));
        }
    }
}

impl Source {
    fn open(path: &Path, rate: Rational, limits: &Limits) -> Result<(Self, Info)> {
        Ok(
            if sequence::is_sequence(path) || picture::is_picture(path) {
                let pictures = Pictures::open(path, rate, limits)?;
                let info = pictures.info();
                (Self::Pictures(Box::new(pictures)), info)
            } else if moving::kind(path) == Some(moving::Kind::WebP) {
                let animation = Animation::open(path, limits)?;
                let info = animation.info().clone();
                (Self::Animation(Box::new(animation)), info)
            } else {
                let (decoding, info) = Decoding::open(path, limits)?;
                (Self::Video(Box::new(decoding)), info)
            },
        )
    }

    /// Makes the first frame at or after `secs` the next one.
    fn seek(&mut self, secs: f64) -> Result<()> {
        match self {
            Self::Video(decoding) => return decoding.seek(secs),
            Self::Pictures(pictures) => pictures.seek(secs),
            Self::Animation(animation) => animation.seek(secs),
        }
        Ok(())
    }

    fn next_frame(&mut self) -> Option<Result<Frame>> {
        match self {
            Self::Video(decoding) => decoding.next_frame(),
            Self::Pictures(pictures) => pictures.next_frame(),
            Self::Animation(animation) => animation.next_frame(),
        }
    }
}

impl Worker {
    fn start(mut source: Source, frames_ahead: usize) -> Self {
        let (send, frames) = sync_channel(frames_ahead);
        let thread = thread::spawn(move || {
            loop {
                let frame = source.next_frame();
                let ended = frame.is_none();
                if send.send(frame).is_err() || ended {
                    return source;
                }
            }
        });
        Self { frames, thread }
    }

    /// Ends the thread and takes the source back, wherever it is by now.
    fn stop(self, patience: &Patience, path: &Path) -> Result<Source> {
        drop(self.frames);
        patience.join(self.thread, path)
    }
}
