//! Frames from a camera, as they are captured: only the newest waits, so that whoever is slower than
//! the camera is never behind it.
//!
//! Pictures come from Video4Linux through libavdevice, which is loaded when the first camera is
//! opened. A thread takes them from the driver as they come; they are decoded by whoever asks for the
//! next, so that a frame that is dropped costs nothing.

mod clock;
mod device;
mod newest;

use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use effigy_frame::{Frame, Rational, Timestamp};
use ffmpeg_next::error::EAGAIN;
use ffmpeg_next::{Packet, codec, frame};

use crate::convert::ToRgb;
use crate::error::{Error, Result};
use crate::libav;
use crate::limits::Limits;
use clock::{Clocks, captured_at};
use device::Device;
use newest::{Giver, Taken, Taker, newest};

/// A camera that is filming.
///
/// ```no_run
/// use std::time::Duration;
///
/// use effigy_media::{Camera, Limits, Seen};
///
/// let mut camera = Camera::open("/dev/video0".as_ref(), &Limits::default())?;
/// while let Seen::Frame(captured) = camera.next_within(Duration::from_secs(1))? {
///     println!("{:.3} s", captured.frame.time.secs());
/// }
/// # Ok::<(), effigy_media::Error>(())
/// ```
pub struct Camera {
    path: PathBuf,
    limits: Limits,
    size: [u32; 2],
    rate: Rational,
    decoder: codec::decoder::Video,
    to_rgb: ToRgb,
    pictures: Taker<Result<Compressed>>,
    thread: Option<JoinHandle<()>>,
    started: Option<Instant>,
    last: Option<Timestamp>,
    n_frames: u64,
    n_damaged: u64,
    /// Pictures that could not be decoded since the last that could.
    n_damaged_in_a_row: u32,
}

/// A frame, and when the camera captured it.
#[derive(Clone, Debug)]
pub struct Captured {
    /// The frame; its time counts from the first.
    pub frame: Frame,
    /// When it was captured, by the camera's driver where that says so, else when it came.
    pub at: Instant,
}

/// What a camera shows within some time.
#[derive(Clone, Debug)]
pub enum Seen {
    /// The newest frame that was not given before.
    Frame(Box<Captured>),
    /// None yet.
    Nothing,
}

/// A picture as the camera gives it.
struct Compressed {
    packet: Packet,
    at: Instant,
}

/// Microseconds.
const TICK: Rational = Rational {
    num: 1,
    den: 1_000_000,
};
/// How often the driver is asked for a picture; no picture is older when it is taken.
const ASK_EVERY: Duration = Duration::from_millis(1);
/// A camera that gives no picture for so long is lost.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Cables lose a picture now and then. A camera of which no picture of so many can be decoded gives none.
const MOST_DAMAGED_IN_A_ROW: u32 = 100;

impl Camera {
    /// Begins to film.
    ///
    /// # Errors
    /// When there is no such camera, it is in use, may not be used or gives nothing that can be read, or
    /// libavdevice is not installed.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self> {
        let device = Device::open(path, limits)?;
        let decoder = device.decoder(limits)?;
        let (size, rate) = (device.size(), device.rate());
        let (giver, pictures) = newest();
        let named = path.to_owned();
        let thread = thread::spawn(move || film(device, &giver, &named));
        Ok(Self {
            path: path.to_owned(),
            limits: *limits,
            size,
            rate,
            decoder,
            to_rgb: ToRgb::new(),
            pictures,
            thread: Some(thread),
            started: None,
            last: None,
            n_frames: 0,
            n_damaged: 0,
            n_damaged_in_a_row: 0,
        })
    }

    /// Columns and rows.
    pub fn size(&self) -> [u32; 2] {
        self.size
    }

    /// Frames a second that the camera promises; in little light most give fewer.
    pub fn rate(&self) -> Rational {
        self.rate
    }

    /// Frames that nobody took before a newer one was there.
    pub fn n_dropped(&self) -> u64 {
        self.pictures.n_dropped()
    }

    /// Frames that could not be decoded, and were left out.
    pub fn n_damaged(&self) -> u64 {
        self.n_damaged
    }

    /// Waits for a frame that was not given before, `patience` at the most, and gives the newest.
    ///
    /// # Errors
    /// When the camera is gone, for good. Every frame before was good.
    pub fn next_within(&mut self, patience: Duration) -> Result<Seen> {
        let until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let picture = match self.pictures.take_within(left) {
                Taken::Item(picture) => picture?,
                Taken::Nothing => return Ok(Seen::Nothing),
                Taken::Over => return Err(self.lost("it stopped")),
            };
            if let Some(captured) = self.decode(&picture)? {
                return Ok(Seen::Frame(Box::new(captured)));
            }
        }
    }

    /// `None` where it cannot be decoded, as happens at the end of a long cable.
    fn decode(&mut self, picture: &Compressed) -> Result<Option<Captured>> {
        let mut decoded = frame::Video::empty();
        let sent = self.decoder.send_packet(&picture.packet);
        let received = sent.and_then(|()| self.decoder.receive_frame(&mut decoded));
        if received.is_err() || decoded.is_corrupt() {
            self.n_damaged += 1;
            self.n_damaged_in_a_row += 1;
            if MOST_DAMAGED_IN_A_ROW <= self.n_damaged_in_a_row {
                return Err(self.lost("its pictures cannot be decoded"));
            }
            return Ok(None);
        }
        self.n_damaged_in_a_row = 0;
        let (width, height) = (decoded.width(), decoded.height());
        self.limits.check_size(width.into(), height.into())?;
        if [width, height] != self.size {
            return Err(self.lost("it changed the size of its pictures"));
        }
        let colour = libav::frame_colour(&decoded).resolved(height);
        let picture_rgb = self.to_rgb.convert(&decoded, colour)?;
        let started = *self.started.get_or_insert(picture.at);
        let micros = picture.at.saturating_duration_since(started).as_micros();
        let ticks = i64::try_from(micros).unwrap_or(i64::MAX);
        // Time goes on even where the driver's does not.
        let least = self.last.map_or(0, |last| last.ticks.saturating_add(1));
        let time = Timestamp::new(ticks.max(least), TICK);
        self.last = Some(time);
        self.n_frames += 1;
        Ok(Some(Captured {
            frame: Frame {
                index: self.n_frames - 1,
                time,
                picture: picture_rgb,
            },
            at: picture.at,
        }))
    }

    fn lost(&self, why: &str) -> Error {
        lost(why.to_owned(), &self.path)
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.pictures.leave();
        if let Some(thread) = self.thread.take() {
            // It ends within a few milliseconds; what it broke on is told already, or nobody asks.
            drop(thread.join());
        }
    }
}

fn lost(why: String, path: &Path) -> Error {
    Error::CameraLost {
        why,
        path: path.to_owned(),
    }
}

/// Takes pictures from the driver as they come, until nobody wants them any more or there are none.
fn film(mut device: Device, giver: &Giver<Result<Compressed>>, path: &Path) {
    let mut last = Instant::now();
    while giver.is_wanted() {
        let mut packet = Packet::empty();
        match packet.read(device.input()) {
            Ok(()) => {
                let at = captured_at(packet.pts(), &Clocks::now());
                // What the driver marks as damaged may have nothing in it.
                if let Some(packet) = copied(&packet) {
                    last = Instant::now();
                    giver.give(Ok(Compressed { packet, at }));
                } else if LONGEST_PAUSE <= last.elapsed() {
                    return giver.give_last(Err(lost(no_picture(), path)));
                }
            }
            Err(ffmpeg_next::Error::Other { errno: EAGAIN }) if last.elapsed() < LONGEST_PAUSE => {
                thread::sleep(ASK_EVERY);
            }
            Err(ffmpeg_next::Error::Other { errno: EAGAIN }) => {
                return giver.give_last(Err(lost(no_picture(), path)));
            }
            Err(error) => {
                return giver.give_last(Err(lost(device::why_lost(error), path)));
            }
        }
    }
}

fn no_picture() -> String {
    format!("it gave no picture for {} s", LONGEST_PAUSE.as_secs())
}

/// The picture in memory of its own. The driver's is given back at once: it has only a few, and they go
/// when the camera is closed.
fn copied(packet: &Packet) -> Option<Packet> {
    let bytes = packet.data().filter(|bytes| !bytes.is_empty())?;
    let mut own = Packet::copy(bytes);
    own.set_flags(packet.flags());
    Some(own)
}
