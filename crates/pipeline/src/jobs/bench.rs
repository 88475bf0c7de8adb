//! The job `bench`: how fast each stage is on a given clip, one at a time and together.

use std::path::{Path, PathBuf};
use std::time::Instant;

use effigy_detect::cue::traces::features::{features, view};
use effigy_face::align::{MODEL_EXTENT, aligned_view, identity_crop, mesh_view};
use effigy_face::track::CLOSE_SIDE_PX;
use effigy_face::{Face, Observation, TrackSettings};
use effigy_frame::{Picture, Rational, resample};
use effigy_media::{Limits, VideoReader, WriteSettings};
use effigy_model::finder::FindSettings;
use effigy_model::{FaceMesh, OcclusionSegmenter};

use crate::error::{Error, Result};
use crate::jobs::faces::{FacesJob, faces};
use crate::steps::footage::{Followed, Follower};
use crate::steps::networks::Networks;
use crate::steps::progress::{Progress, Quiet};
use crate::steps::real::create_real_video;

/// A clip to measure on.
#[derive(Clone, Debug)]
pub struct BenchJob {
    /// The clip.
    pub input: PathBuf,
    /// How much a file may ask of us.
    pub limits: Limits,
}

impl BenchJob {
    /// Measures on `input` with the usual limits.
    pub fn new(input: PathBuf) -> Self {
        Self {
            input,
            limits: Limits::default(),
        }
    }
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct BenchReport {
    /// Columns of the clip.
    pub width: u32,
    /// Rows of the clip.
    pub height: u32,
    /// Each stage alone, then `faces` as a whole.
    pub stages: Vec<Stage>,
    /// Threads that the processor offers.
    pub threads: usize,
    /// Most memory that this process ever held, where the system reports it.
    pub peak_memory_bytes: Option<u64>,
}

/// The speed of one stage.
#[derive(Clone, Debug)]
pub struct Stage {
    /// `decode`, `find`, `detect`, `mesh`, `identity`, `traces`, `occlusion`, `crop`, `encode` or `faces`.
    pub name: &'static str,
    /// How often it ran.
    pub n: u64,
    /// Milliseconds for one run.
    pub millis: f64,
}

impl Stage {
    /// Runs a second.
    pub fn per_sec(&self) -> f64 {
        1000.0 / self.millis
    }
}

/// Measures each stage on the first frames of the clip, and `faces` on the whole of it.
///
/// # Errors
/// When the clip cannot be read or shows no face, or `progress` asks to stop.
pub fn bench(
    job: &BenchJob,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<BenchReport> {
    progress.begin("measuring", Some(9));
    let mut stages = Vec::new();
    let mut measured = |stage: Stage| {
        stages.push(stage);
        if progress.step().is_break() {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    };
    measured(decoding(job)?)?;
    let followed = first_frames(job, networks)?;
    let no_face = || Error::NoFace {
        path: job.input.clone(),
    };
    let (picture, face) = followed
        .iter()
        .find_map(|f| Some((&f.frame.picture, f.faces.first()?)))
        .ok_or_else(no_face)?;
    measured(repeated("find", || {
        drop(
            networks
                .search
                .finder
                .find(picture, &FindSettings::default()),
        )
    }))?;
    measured(detecting(networks, picture, face))?;
    measured(meshing(networks, face))?;
    measured(identifying(networks, picture, face))?;
    measured(tracing(networks, &followed))?;
    measured(segmenting(networks, picture, face)?)?;
    measured(cropping(picture, face))?;
    measured(encoding(job, &followed)?)?;
    measured(everything(job, networks)?)?;
    Ok(BenchReport {
        width: picture.width(),
        height: picture.height(),
        stages,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        peak_memory_bytes: peak_memory_bytes(),
    })
}

/// Frames kept for measuring; bounds memory.
const N_FRAMES: usize = 24;
/// How long each stage is repeated.
const LEAST_SECS: f64 = 1.0;

fn repeated(name: &'static str, mut work: impl FnMut()) -> Stage {
    work(); // the first run allocates and warms caches
    let (start, mut n) = (Instant::now(), 0);
    while start.elapsed().as_secs_f64() < LEAST_SECS {
        work();
        n += 1;
    }
    timed(name, n, start)
}

fn timed(name: &'static str, n: u64, start: Instant) -> Stage {
    let millis = start.elapsed().as_secs_f64() * 1000.0 / n.max(1) as f64;
    Stage { name, n, millis }
}

fn decoding(job: &BenchJob) -> Result<Stage> {
    let start = Instant::now();
    let mut n = 0;
    for frame in VideoReader::open(&job.input, &job.limits)? {
        frame?;
        n += 1;
    }
    Ok(timed("decode", n, start))
}

fn first_frames(job: &BenchJob, networks: &Networks) -> Result<Vec<Followed>> {
    let reader = VideoReader::open(&job.input, &job.limits)?;
    let mut follower = Follower::new(networks, TrackSettings::default())?;
    let mut all = Vec::new();
    follower.follow(reader.take(N_FRAMES), &mut |followed| {
        all.push(followed?);
        Ok(())
    })?;
    Ok(all)
}

/// A closer look of the detector.
fn detecting(networks: &Networks, picture: &Picture, face: &Face) -> Stage {
    let view = mesh_view(&face.points, CLOSE_SIDE_PX).unwrap_or(face.frame_from_crop);
    let close = resample::crop(picture, view, CLOSE_SIDE_PX);
    let detector = &networks.search.detector;
    repeated("detect", || drop(detector.find(&close, 0.5)))
}

fn meshing(networks: &Networks, face: &Face) -> Stage {
    repeated("mesh", || drop(networks.face_mesh.fit(&face.crop)))
}

fn identifying(networks: &Networks, picture: &Picture, face: &Face) -> Stage {
    let crops: Vec<Picture> = identity_crop(picture, &face.points).into_iter().collect();
    repeated("identity", || drop(networks.face_embedder.embed(&crops)))
}

/// The view of a face, the network that has seen pictures, the numbers and the filters.
fn tracing(networks: &Networks, followed: &[Followed]) -> Stage {
    let judge = &networks.trace_judge;
    let seen = followed
        .iter()
        .find_map(|f| Some((&f.frame, f.faces.first()?)));
    repeated("traces", || {
        let view = seen.and_then(|(frame, face)| view(&Observation::new(frame, face)));
        if let Some(view) = view {
            drop(judge.bank.score(&features(&judge.network.see(&view))));
        }
    })
}

fn segmenting(networks: &Networks, picture: &Picture, face: &Face) -> Result<Stage> {
    let segmenter = networks.segmenter()?;
    let side = OcclusionSegmenter::SIDE_PX;
    let view = aligned_view(&face.points, side, MODEL_EXTENT).unwrap_or(face.frame_from_crop);
    let crop = resample::crop(picture, view, side);
    Ok(repeated("occlusion", || drop(segmenter.segment(&crop))))
}

fn cropping(picture: &Picture, face: &Face) -> Stage {
    let view = mesh_view(&face.points, FaceMesh::SIDE_PX).unwrap_or(face.frame_from_crop);
    repeated("crop", || {
        drop(resample::crop(picture, view, FaceMesh::SIDE_PX))
    })
}

fn encoding(job: &BenchJob, frames: &[Followed]) -> Result<Stage> {
    let first = &frames[0].frame.picture;
    let rate = Rational::new(25, 1);
    let settings = WriteSettings::new(first.width(), first.height(), rate);
    let folder = job.input.parent().unwrap_or(Path::new("."));
    let place = tempfile::tempdir_in(folder).or_else(|_| tempfile::tempdir());
    let place = place.map_err(|err| crate::steps::atomic::write_error(folder, err))?;
    let mut writer = create_real_video(&place.path().join("bench.mp4"), &settings)?;
    let start = Instant::now();
    for followed in frames {
        writer.write(&followed.frame)?;
    }
    writer.finish()?;
    Ok(timed("encode", frames.len() as u64, start))
}

fn everything(job: &BenchJob, networks: &Networks) -> Result<Stage> {
    let start = Instant::now();
    let look = FacesJob {
        limits: job.limits,
        ..FacesJob::new(vec![job.input.clone()])
    };
    let report = faces(&look, networks, &mut Quiet)?;
    Ok(timed("faces", report.n_frames, start))
}

/// Reads the high-water mark of this process's memory, on Linux.
fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
