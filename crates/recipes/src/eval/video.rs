//! How much the points of a still head tremble, and how far they lag behind a moving one.
//!
//! Two kinds of still head. *Noise*: one frame of a clip, 60 times over with fresh sensor noise,
//! written as H.264 and read back; a point should not move at all, and its deviation from its own
//! mean is counted. *Calm*: the second of the real clip in which the face moves least; the
//! deviation from a parabola over 9 frames is counted, since no one sits perfectly still. The lag
//! is measured on the second in which the face moves most: the delay that best explains the
//! difference between the smoothed points and the points as the network gave them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use effigy_face::TrackSettings;
use effigy_face::landmarks::eye_distance;
use effigy_face::smooth::{PointSmoother, Smoothing};
use effigy_frame::{Frame, Picture, Point3, Rational, Rect, Timestamp, resample};
use effigy_media::{Limits, VideoReader, VideoWriter, WriteSettings};
use effigy_pipeline::{Followed, Follower, Networks};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::device::DeviceArgs;

/// Which clips, and how they are smoothed.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
    /// Clips to measure on [default: those that smoothing was not set up on]
    clips: Vec<PathBuf>,
    /// Cut-off for a still point, in hertz
    #[arg(long, default_value_t = Smoothing::default().still_cutoff_hz)]
    still_cutoff: f32,
    /// Rise of the cut-off for each face size a second, in hertz
    #[arg(long, default_value_t = Smoothing::default().cutoff_per_speed)]
    cutoff_per_speed: f32,
    /// Cut-off for the speed, in hertz
    #[arg(long, default_value_t = Smoothing::default().speed_cutoff_hz)]
    speed_cutoff: f32,
}

/// Smoothing was set up on the clips `liveportrait-d3`, `-d10`, `-d12` and `-d20`; these are the
/// others that show one talking head.
const CLIPS: [&str; 8] = [
    "liveportrait-d6",
    "liveportrait-d9",
    "liveportrait-d18",
    "liveportrait-d19",
    "liveportrait-s20",
    "latentsync-demo1",
    "musetalk-sun",
    "retalking-1",
];
/// Frames looked at of each clip.
const MOST_FRAMES: usize = 250;
/// Frames of a still clip, and those left out at its beginning.
const STILL_FRAMES: usize = 60;
const WARM_UP: usize = 15;
/// Standard deviation of the noise, in levels: a phone indoors.
const NOISE_LEVELS: f32 = 3.0;
/// A still clip is not larger than this.
const STILL_SIDE_PX: u32 = 720;

/// The points of one face, frame by frame.
struct Path3 {
    seen: Vec<Vec<Point3>>,
    smoothed: Vec<Vec<Point3>>,
    times: Vec<f64>,
    eyes_px: f64,
}

/// What one clip gave: shares of the distance between the eyes, and seconds.
#[derive(Clone, Copy, Default)]
struct Figures {
    noise_seen: f64,
    noise: f64,
    calm_seen: f64,
    calm: f64,
    lag_secs: f64,
    speed: f64,
}

/// Prints the table, then one JSON line.
pub(crate) fn measure(data: &Path, args: &Args) -> Result<()> {
    let smoothing = Smoothing {
        still_cutoff_hz: args.still_cutoff,
        cutoff_per_speed: args.cutoff_per_speed,
        speed_cutoff_hz: args.speed_cutoff,
    };
    let ours = CLIPS.map(|name| data.join("video").join(name).with_extension("mp4"));
    let clips = if args.clips.is_empty() {
        ours.to_vec()
    } else {
        args.clips.clone()
    };
    println!("% of the distance between the eyes: as seen → smoothed");
    println!("clip                     noise          calm           fastest second");
    let networks = args.device.networks()?;
    let mut rows = Vec::new();
    for clip in &clips {
        let figures =
            of_clip(clip, smoothing, &networks).with_context(|| format!("{}", clip.display()))?;
        print_row(
            &clip.file_stem().unwrap_or_default().to_string_lossy(),
            figures,
        );
        rows.push(figures);
    }
    let mean = |of: fn(&Figures) -> f64| rows.iter().map(of).sum::<f64>() / rows.len() as f64;
    let all = Figures {
        noise_seen: mean(|f| f.noise_seen),
        noise: mean(|f| f.noise),
        calm_seen: mean(|f| f.calm_seen),
        calm: mean(|f| f.calm),
        lag_secs: mean(|f| f.lag_secs),
        speed: mean(|f| f.speed),
    };
    print_row("mean", all);
    let line = serde_json::json!({
        "clips": rows.len(), "jitter_noise": all.noise, "jitter_noise_unsmoothed": all.noise_seen,
        "jitter_calm": all.calm, "jitter_calm_unsmoothed": all.calm_seen, "lag_secs": all.lag_secs,
    });
    println!("{line}");
    Ok(())
}

fn print_row(name: &str, f: Figures) {
    println!(
        "{name:20} {:5.2} → {:4.2} % {:5.2} → {:4.2} %  {:4.1} ms behind at {:3.1} eyes/s",
        100.0 * f.noise_seen,
        100.0 * f.noise,
        100.0 * f.calm_seen,
        100.0 * f.calm,
        1000.0 * f.lag_secs,
        f.speed,
    );
}

fn of_clip(clip: &Path, smoothing: Smoothing, networks: &Networks) -> Result<Figures> {
    let moving = follow(clip, smoothing, networks)?;
    let folder = still_clip(clip)?;
    let still = follow(&folder.path().join("still.mp4"), smoothing, networks);
    let still = still.context("the still clip")?;
    let second = (1.0 / (moving.times[1] - moving.times[0])).round() as usize;
    let (calm, fast) = calm_and_fast(&moving, second);
    let (lag_secs, speed) = lag(&moving, fast);
    Ok(Figures {
        noise_seen: spread(&still.seen[WARM_UP..]) / still.eyes_px,
        noise: spread(&still.smoothed[WARM_UP..]) / still.eyes_px,
        calm_seen: tremble(&moving.seen[calm.clone()]) / moving.eyes_px,
        calm: tremble(&moving.smoothed[calm]) / moving.eyes_px,
        lag_secs,
        speed,
    })
}

/// Follows the first face of a clip as `effigy faces` does, keeping the points before smoothing.
fn follow(clip: &Path, smoothing: Smoothing, networks: &Networks) -> Result<Path3> {
    let tracking = TrackSettings {
        smoothing: Smoothing {
            still_cutoff_hz: 1e9, // lets everything through
            ..smoothing
        },
        ..TrackSettings::default()
    };
    let frames = VideoReader::open(clip, &Limits::default())?.take(MOST_FRAMES);
    let mut smoother = PointSmoother::new(smoothing);
    let (mut seen, mut smoothed, mut times, mut eyes) = (vec![], vec![], vec![], 0.0);
    Follower::new(networks, tracking)?.follow(frames, &mut |followed| {
        let Followed { frame, faces } = followed?;
        let secs = frame.time.secs();
        if let Some(face) = faces.into_iter().find(|face| face.track == 0) {
            let size = face.rect.width.max(face.rect.height);
            smoothed.push(smoother.smooth(&face.points, secs, size));
            eyes += f64::from(eye_distance(&face.points));
            times.push(secs);
            seen.push(face.points);
        }
        Ok(())
    })?;
    anyhow::ensure!(seen.len() > 2 * WARM_UP, "the face is not there for long");
    let eyes_px = eyes / seen.len() as f64;
    Ok(Path3 {
        seen,
        smoothed,
        times,
        eyes_px,
    })
}

/// Writes the clip's tenth frame as a clip of its own, with fresh noise in every frame.
fn still_clip(clip: &Path) -> Result<tempfile::TempDir> {
    let frame = VideoReader::open(clip, &Limits::default())?.nth(9);
    let picture = frame.context("too short")??.picture;
    let shrink = STILL_SIDE_PX as f32 / picture.width().max(picture.height()) as f32;
    let side = |px: u32| ((px as f32 * shrink.min(1.0)) as u32).max(2) & !1;
    let picture = resample::resize(&picture, side(picture.width()), side(picture.height()));
    let place = tempfile::tempdir()?;
    let rate = Rational::new(25, 1);
    let settings = WriteSettings::new(picture.width(), picture.height(), rate);
    #[expect(clippy::disallowed_methods, reason = "real footage, thrown away")]
    let mut writer = VideoWriter::create(&place.path().join("still.mp4"), &settings)?;
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for index in 0..STILL_FRAMES {
        writer.write(&Frame {
            index: index as u64,
            time: Timestamp::new(index as i64, Rational::new(1, 25)),
            picture: noisy(&picture, &mut random),
        })?;
    }
    writer.finish()?;
    Ok(place)
}

fn noisy(picture: &Picture, random: &mut ChaCha8Rng) -> Picture {
    let mut picture = picture.clone();
    for value in picture.pixels_mut() {
        // The sum of four even numbers is close enough to a normal one.
        let sum: f32 = (0..4).map(|_| random.random_range(-1.0..1.0_f32)).sum();
        let noise = NOISE_LEVELS * sum / (4.0_f32 / 3.0).sqrt();
        *value = (f32::from(*value) + noise).round() as u8;
    }
    picture
}

/// The seconds in which the face moves least and most; the first half second is left out.
fn calm_and_fast(path: &Path3, second: usize) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    let centre = |points: &Vec<Point3>| {
        Rect::around(points.iter().map(|p| p.xy())).map_or_else(Default::default, Rect::centre)
    };
    let centres: Vec<_> = path.smoothed.iter().map(centre).collect();
    let way = |from: usize| -> f32 {
        let pairs = centres[from..from + second].windows(2);
        pairs.map(|pair| pair[0].distance(pair[1])).sum()
    };
    let starts = || WARM_UP..path.seen.len().saturating_sub(second).max(WARM_UP + 1);
    let least = starts().min_by(|&a, &b| way(a).total_cmp(&way(b)));
    let most = starts().max_by(|&a, &b| way(a).total_cmp(&way(b)));
    let from = |start: Option<usize>| {
        let start = start.unwrap_or(WARM_UP);
        start..start + second
    };
    (from(least), from(most))
}

/// Root mean square distance of each point from its own mean place.
fn spread(path: &[Vec<Point3>]) -> f64 {
    let n = path.len() as f64;
    let of = |i: usize, axis: fn(&Point3) -> f32| {
        let values = || path.iter().map(|points| f64::from(axis(&points[i])));
        let mean = values().sum::<f64>() / n;
        values().map(|v| (v - mean).powi(2)).sum::<f64>() / n
    };
    mean_root(path[0].len(), |i| of(i, |p| p.x) + of(i, |p| p.y))
}

/// Root mean square distance of each point from a parabola through the 9 frames around it.
fn tremble(path: &[Vec<Point3>]) -> f64 {
    // What a least-squares parabola takes from each of the frames (Savitzky and Golay, 1964),
    // and the share of independent noise that is left of a point after it is taken out.
    const WEIGHTS: [f64; 9] = [-21.0, 14.0, 39.0, 54.0, 59.0, 54.0, 39.0, 14.0, -21.0];
    const SUM: f64 = 231.0;
    let left = 1.0 - WEIGHTS[4] / SUM;
    let of = |i: usize, axis: fn(&Point3) -> f32| {
        let residual = |window: &[Vec<Point3>]| {
            let value = |k: usize| f64::from(axis(&window[k][i]));
            let fitted = (0..9).map(|k| WEIGHTS[k] * value(k)).sum::<f64>() / SUM;
            (value(4) - fitted).powi(2) / left
        };
        let windows = path.windows(9);
        let n = windows.len() as f64;
        windows.map(residual).sum::<f64>() / n
    };
    mean_root(path[0].len(), |i| of(i, |p| p.x) + of(i, |p| p.y))
}

fn mean_root(n_points: usize, square: impl Fn(usize) -> f64) -> f64 {
    (0..n_points).map(|i| square(i).sqrt()).sum::<f64>() / n_points as f64
}

/// The delay in seconds that best explains how the smoothed points differ from those seen, and the
/// mean speed in distances between the eyes a second.
fn lag(path: &Path3, range: std::ops::Range<usize>) -> (f64, f64) {
    let (mut along, mut squares, mut speed, mut n) = (0.0, 0.0, 0.0, 0.0);
    for t in range.start.max(2)..range.end.min(path.seen.len() - 2) {
        let secs = path.times[t + 2] - path.times[t - 2];
        for i in 0..path.seen[t].len() {
            let axes: [fn(&Point3) -> f32; 2] = [|p| p.x, |p| p.y];
            let [vx, vy] = axes.map(|axis| {
                let at = |t: usize| f64::from(axis(&path.seen[t][i]));
                let velocity = (at(t + 2) - at(t - 2)) / secs;
                along += velocity * (at(t) - f64::from(axis(&path.smoothed[t][i])));
                squares += velocity * velocity;
                velocity
            });
            speed += vx.hypot(vy);
            n += 1.0;
        }
    }
    (along / squares.max(1e-9), speed / n / path.eyes_px)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(x: impl Fn(usize) -> f32) -> Vec<Vec<Point3>> {
        (0..40)
            .map(|t| vec![Point3::new(x(t), 5.0, 0.0); 3])
            .collect()
    }

    #[test]
    fn a_parabola_does_not_tremble_and_noise_does() {
        assert!(tremble(&path(|t| 3.0 + 2.0 * t as f32 - 0.1 * (t * t) as f32)) < 1e-3);
        let noise = |t: usize| {
            if (t * t * 7 + 3 * t) % 5 < 2 {
                1.0
            } else {
                -1.0
            }
        };
        let (left, spread) = (tremble(&path(noise)), spread(&path(noise)));
        assert!((0.8..1.2).contains(&(left / spread)), "{left} of {spread}");
    }

    #[test]
    fn a_delay_is_measured() {
        let at = |t: f32| 100.0 * (0.2 * t).sin();
        let path = Path3 {
            seen: path(|t| at(t as f32)),
            smoothed: path(|t| at(t as f32 - 0.5)),
            times: (0..40).map(|t| t as f64 / 25.0).collect(),
            eyes_px: 50.0,
        };
        let (secs, _) = lag(&path, 5..35);
        assert!((secs - 0.02).abs() < 0.002, "{secs}"); // half a frame
    }
}
