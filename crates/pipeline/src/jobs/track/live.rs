//! A face before a camera: what it does is told at once, and all of it written down at the end.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use effigy_face::rig::Rig;
use effigy_media::{Camera, Captured, Seen};

use super::following::Following;
use super::now::Now;
use super::receiver::{self, Receiver};
use super::take::{Playing, Take};
use super::{Looked, TrackJob, TrackReport, solve, write};
use crate::error::{Error, Result};
use crate::steps::footage::Follower;
use crate::steps::networks::Networks;
use crate::steps::progress::Progress;

/// What is to be said of a camera besides what the face did.
#[derive(Debug, Default)]
pub struct Live {
    /// Frames of the camera that were dropped, since tracking was slower: the newest is always taken.
    pub n_dropped: u64,
    /// Frames that came damaged and were left out.
    pub n_damaged: u64,
    /// From when a frame was captured to when its movement was sent.
    pub latency: Latency,
    /// What ended it, where nobody asked. Everything before was tracked and written.
    pub lost: Option<Box<Error>>,
}

/// How long something took, many times: counts of whole milliseconds.
#[derive(Clone, Debug)]
pub struct Latency {
    counts: Vec<u32>,
    n: u32,
}

/// Whatever takes longer counts as this long, in milliseconds.
const LONGEST_MILLIS: usize = 2000;

impl Default for Latency {
    fn default() -> Self {
        Self {
            counts: vec![0; LONGEST_MILLIS + 1],
            n: 0,
        }
    }
}

impl Latency {
    fn add(&mut self, took: Duration) {
        let millis = usize::try_from(took.as_millis()).unwrap_or(LONGEST_MILLIS);
        self.counts[millis.min(LONGEST_MILLIS)] += 1;
        self.n += 1;
    }

    /// The milliseconds within which this share of all lay, `0..=1`; `None` where there was nothing.
    pub fn millis(&self, share: f32) -> Option<usize> {
        let wanted = (share * self.n as f32).ceil().max(1.0) as u32;
        let mut seen = 0;
        self.counts.iter().position(|count| {
            seen += count;
            wanted <= seen
        })
    }
}

/// Whether this names a camera, or what could be one, and no file.
pub fn is_camera(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(meta) => is_character_device(&meta),
        // A camera that is not plugged in.
        Err(_) => path.starts_with("/dev"),
    }
}

#[cfg(unix)]
fn is_character_device(meta: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    meta.file_type().is_char_device()
}

#[cfg(not(unix))]
fn is_character_device(_meta: &fs::Metadata) -> bool {
    false
}

/// How often it is looked whether to stop while no frame comes.
const WAIT: Duration = Duration::from_millis(100);
/// Who comes after nobody was seen for so long is got to know anew, in seconds.
const ANOTHER_AFTER_SECS: f64 = 2.0;

/// Tracks until `progress` asks to stop or the camera is lost, then writes what was tracked.
pub(super) fn live(
    job: &TrackJob,
    rig: Rig,
    receivers: &mut [Receiver],
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<TrackReport> {
    let rig = Arc::new(rig);
    let mut camera = Camera::open(&job.input, &job.limits)?;
    let size = camera.size().map(|side| side as f32);
    let mut filming = Filming {
        follower: Follower::new(networks, job.tracking)?,
        following: Following::default(),
        now: Now::new(Arc::clone(&rig), size),
        record: match job.outputs.is_empty() {
            true => None,
            false => Some(Looked::new(size)?),
        },
        fps: camera.rate().to_f64(),
        size,
        rig: Arc::clone(&rig),
        n_frames: 0,
        n_unseen: 0,
        secs: 0.0,
        latency: Latency::default(),
    };
    progress.begin("tracking; Ctrl-C ends it", None);
    let (mut lost, mut is_over) = (None, false);
    while !is_over && lost.is_none() {
        let seen = camera.next_within(WAIT).map_err(Error::from);
        let step = seen.and_then(|seen| match seen {
            Seen::Nothing => Ok(()),
            Seen::Frame(_) if progress.step().is_break() => {
                is_over = true;
                Ok(())
            }
            Seen::Frame(captured) => filming.take(&captured, receivers),
        });
        is_over |= progress.is_stopped();
        lost = step.err().map(Box::new);
    }
    let live = Live {
        n_dropped: camera.n_dropped(),
        n_damaged: camera.n_damaged(),
        latency: std::mem::take(&mut filming.latency),
        lost,
    };
    drop(camera);
    filming.finish(job, receivers, live)
}

/// What is at work while a camera films.
struct Filming {
    follower: Follower,
    following: Following,
    now: Now,
    /// What is written down at the end.
    record: Option<Looked>,
    /// Frames a second that the camera promises.
    fps: f64,
    size: [f32; 2],
    rig: Arc<Rig>,
    n_frames: u64,
    n_unseen: usize,
    /// The time of the last frame, from the first.
    secs: f64,
    latency: Latency,
}

impl Filming {
    fn take(&mut self, captured: &Captured, receivers: &mut [Receiver]) -> Result<()> {
        let Captured { frame, at } = captured;
        let secs = frame.time.secs();
        let gone_secs = self.following.gone_secs(secs);
        let faces = self.follower.follow_now(frame);
        let face = self.following.choose(&faces, secs);
        let points = face.map(|face| &face.points[..]);
        if points.is_some() && ANOTHER_AFTER_SECS < gone_secs {
            self.now = Now::new(Arc::clone(&self.rig), self.size);
        }
        if let Some(moved) = self.now.moved(secs, points) {
            let playing = Playing {
                frame: moved,
                index: frame.index as usize,
                fps: self.fps,
                secs: secs as f32,
            };
            for receiver in receivers {
                receiver.send(&playing)?;
            }
        }
        self.latency.add(at.elapsed());
        self.n_frames += 1;
        self.n_unseen += usize::from(points.is_none());
        self.secs = secs;
        match &mut self.record {
            Some(record) => record.note(secs, points),
            None => Ok(()),
        }
    }

    /// Writes what was tracked.
    fn finish(self, job: &TrackJob, receivers: &[Receiver], live: Live) -> Result<TrackReport> {
        let no_face = || Error::NoFace {
            path: job.input.clone(),
        };
        let (take, residual) = match self.record {
            _ if self.now.n_seen() == 0 => {
                // Why nobody was seen is told by what ended it.
                return Err(live.lost.map_or_else(no_face, |lost| *lost));
            }
            Some(mut record) => solve(job, &self.rig, &mut record)?,
            None => (Take::empty(), self.now.residual()),
        };
        for path in &job.outputs {
            write(path, &self.rig, &take)?;
        }
        let steps = self.n_frames.saturating_sub(1) as f64;
        Ok(TrackReport {
            take,
            n_frames: self.n_frames,
            fps: steps / self.secs.max(1e-3),
            n_unseen: self.n_unseen,
            n_others: self.following.n_others(),
            taken_up_secs: self.following.taken_up_secs().to_vec(),
            residual,
            sent: receiver::sent_to(receivers),
            live: Some(live),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_tells_its_middle_and_its_end() {
        let mut latency = Latency::default();
        assert_eq!(latency.millis(0.5), None);
        for millis in (1..=100).chain([50_000]) {
            latency.add(Duration::from_millis(millis));
        }
        assert_eq!(latency.millis(0.5), Some(51));
        assert_eq!(latency.millis(0.95), Some(96));
        assert_eq!(latency.millis(1.0), Some(LONGEST_MILLIS));
    }

    #[test]
    fn devices_are_cameras_and_files_are_not() {
        for path in ["/dev/video987", "/dev/null", "/dev/v4l/by-id/usb-none"] {
            assert!(is_camera(Path::new(path)), "{path}");
        }
        let file = tempfile::Builder::new().prefix("video").tempfile().unwrap();
        assert!(!is_camera(file.path()));
        assert!(!is_camera(Path::new("video0")));
        // Memory that is mounted there holds files.
        if let Ok(in_memory) = tempfile::tempfile_in("/dev/shm").and_then(|_| {
            tempfile::Builder::new()
                .prefix("video")
                .tempfile_in("/dev/shm")
        }) {
            assert!(!is_camera(in_memory.path()));
        }
    }
}
