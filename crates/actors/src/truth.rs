//! The truth of a clip in small files, and back.
//!
//! Beside `NAME.mp4` lie: `NAME.json` (pose, gaze, expressions, visemes, light), `NAME.points.png`
//! (all mesh points and whether they are seen), `NAME.masks.png` and `NAME.flow.png`. Pictures are
//! 8-bit grey, one row or block of rows a frame:
//!
//! - points: a row for each person of each frame. 1434 numbers (x y z of 478 points, in 1/8 pixel)
//!   as second differences over time, zigzag, low bytes then high bytes; then 478 times 255 for
//!   seen or 0.
//! - masks: a square for each frame: 0 room, 85 hair, clothes and neck, 170 face, 255 what is
//!   before the face.
//! - flow: a square for each frame, x beside y: 128 + movement to the next frame in 1/8 pixel.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use effigy_frame::Point3;
use effigy_model::N_MESH_POINTS;
use image::{GrayImage, ImageFormat};
use serde::{Deserialize, Serialize};

use super::clips::Clip;
use super::film::{FPS, Set, Shot};
use super::head::Head;
use super::person::Moment;

/// How finely masks and flow are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Every second pixel of masks, every sixteenth of flow.
    Small,
    /// Every pixel.
    Full,
}

impl Detail {
    fn steps(self) -> (usize, usize) {
        match self {
            Self::Small => (2, 16),
            Self::Full => (1, 1),
        }
    }
}

/// What has been filmed so far.
pub(crate) struct Track {
    side: usize,
    detail: Detail,
    /// By frame, then person.
    points: Vec<Vec<Vec<Point3>>>,
    visible: Vec<Vec<Vec<bool>>>,
    moments: Vec<Vec<Moment>>,
    masks: Vec<u8>,
    flow: Vec<u8>,
}

impl Track {
    pub(crate) fn new(side: usize, detail: Detail) -> Self {
        Self {
            side,
            detail,
            points: Vec::new(),
            visible: Vec::new(),
            moments: Vec::new(),
            masks: Vec::new(),
            flow: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, shot: &Shot) {
        let (mask_step, flow_step) = self.detail.steps();
        let side = self.side;
        let light = &shot.exposure;
        for y in (0..side).step_by(mask_step) {
            for x in (0..side).step_by(mask_step) {
                let i = y * side + x;
                let level = if light.occluder[i] > 0.5 {
                    255
                } else if light.face[i] > 0.5 {
                    170
                } else if light.person[i] > 0.5 {
                    85
                } else {
                    0
                };
                self.masks.push(level);
            }
        }
        for y in (0..side).step_by(flow_step) {
            for k in 0..2 {
                for x in (0..side).step_by(flow_step) {
                    let at = (y + flow_step / 2) * side + x + flow_step / 2;
                    let moved = 128.0 + 8.0 * shot.flow[at][k];
                    self.flow.push(moved.round().clamp(0.0, 255.0) as u8);
                }
            }
        }
        self.points.push(shot.points.clone());
        self.visible.push(shot.visible.clone());
        self.moments.push(shot.moments.clone());
    }
}

/// What `NAME.json` says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Of this format.
    pub version: u32,
    pub notice: String,
    pub frames_per_sec: i32,
    pub frames: usize,
    pub side: usize,
    pub people: Vec<Played>,
    pub light: LightRecord,
}

/// What one person does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Played {
    pub looks: String,
    pub costume: String,
    pub seed: u32,
    pub says: String,
    /// Yaw, pitch and roll of each frame as `effigy faces` gives them, in tenths of a degree.
    pub pose: Vec<[i32; 3]>,
    /// Of the eyes in the head, to the picture's right and up, in tenths of a degree.
    pub gaze: Vec<[i32; 2]>,
    pub viseme: Vec<String>,
    /// Percent of each expression that is used, frame by frame.
    pub expression: std::collections::BTreeMap<String, Vec<i32>>,
}

/// The light of a clip; axes x right, y up, z to the camera.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LightRecord {
    /// Direction to the lamp.
    pub towards: [f32; 3],
    pub lamp: [f32; 3],
    pub lamp_radius_radians: f32,
    /// Nine spherical-harmonic coefficients of the sky for red, green and blue.
    pub sky: [[f32; 9]; 3],
    /// Whether the room is lit like the people.
    pub agrees_with_room: bool,
}

const NOTICE: &str = "Synthetic: nobody is depicted. Head geometry: ICT-FaceKit light model, \
    MIT, (c) 2020 USC Institute for Creative Technologies.";

/// Writes the truth of a clip beside it.
pub(crate) fn write(
    track: &Track,
    head: &Head,
    clip: &Clip,
    set: &Set,
    folder: &Path,
) -> Result<()> {
    let record = record(track, head, clip, set);
    let path = |ending: &str| folder.join(format!("{}.{ending}", clip.name));
    write_whole(&path("json"), &serde_json::to_vec(&record)?)?;
    let (mask_step, flow_step) = track.detail.steps();
    let (mask_side, flow_side) = (track.side / mask_step, track.side / flow_step);
    write_grey(&path("masks.png"), mask_side, track.masks.clone())?;
    write_grey(&path("flow.png"), 2 * flow_side, track.flow.clone())?;
    write_grey(
        &path("points.png"),
        ROW,
        pack(&track.points, &track.visible),
    )
}

fn record(track: &Track, head: &Head, clip: &Clip, set: &Set) -> Record {
    let tenths = |radians: f32| (10.0 * radians.to_degrees()).round() as i32;
    let played = |(k, (role, performance)): (usize, (&super::clips::Role, _))| {
        let performance: &super::perform::Performance = performance;
        let moments = || track.moments.iter().map(|m| &m[k]);
        let secs = |n: usize| n as f32 / FPS as f32;
        let used = |i: &usize| moments().any(|m| m.weights[*i] >= 0.005);
        let column = |i: usize| {
            let percent = moments().map(|m| (100.0 * m.weights[i]).round() as i32);
            (head.names[i].clone(), percent.collect())
        };
        let says = if role.speaks { clip.text } else { "" };
        Played {
            looks: role.looks.to_owned(),
            costume: role.costume.to_owned(),
            seed: role.seed,
            says: says.to_owned(),
            pose: moments()
                .map(|m| [tenths(m.yaw), tenths(m.pitch), tenths(-m.roll)])
                .collect(),
            gaze: moments().map(|m| m.gaze.map(tenths)).collect(),
            viseme: (0..track.moments.len())
                .map(|n| format!("{:?}", performance.line.viseme(secs(n))))
                .collect(),
            expression: (0..head.names.len()).filter(used).map(column).collect(),
        }
    };
    let scene = &set.scene;
    let roles = clip.roles.iter().zip(set.performances());
    Record {
        version: 1,
        notice: NOTICE.to_owned(),
        frames_per_sec: FPS,
        frames: track.moments.len(),
        side: track.side,
        people: roles.enumerate().map(played).collect(),
        light: LightRecord {
            towards: scene.lamp.towards.to_array(),
            lamp: scene.lamp.colour.to_array(),
            lamp_radius_radians: scene.lamp.radius,
            sky: scene.sky.coefficients(),
            agrees_with_room: clip.light != super::clips::Light::Contradicting,
        },
    }
}

const N_NUMBERS: usize = 3 * N_MESH_POINTS;
const ROW: usize = 2 * N_NUMBERS + N_MESH_POINTS;

fn eighths(points: &[Point3]) -> Vec<i32> {
    let numbers = points.iter().flat_map(|p| [p.x, p.y, p.z]);
    numbers.map(|c| (8.0 * c).round() as i32).collect()
}

fn pack(points: &[Vec<Vec<Point3>>], visible: &[Vec<Vec<bool>>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (n, people) in points.iter().enumerate() {
        for (k, person) in people.iter().enumerate() {
            let before = |back: usize| n.checked_sub(back).map(|m| eighths(&points[m][k]));
            let (now, last, older) = (eighths(person), before(1), before(2));
            let zigzag = |i: usize| {
                let second = match (&last, &older) {
                    (Some(last), Some(older)) => now[i] - 2 * last[i] + older[i],
                    (Some(last), None) => now[i] - last[i],
                    _ => now[i],
                };
                (((second << 1) ^ (second >> 31)) as u32).min(0xffff)
            };
            let coded: Vec<u32> = (0..N_NUMBERS).map(zigzag).collect();
            bytes.extend(coded.iter().map(|c| (c & 255) as u8));
            bytes.extend(coded.iter().map(|c| (c >> 8) as u8));
            bytes.extend(visible[n][k].iter().map(|&seen| if seen { 255 } else { 0 }));
        }
    }
    bytes
}

/// The points of a clip as they were written.
pub struct Points {
    /// By frame, then person.
    pub points: Vec<Vec<Vec<Point3>>>,
    pub visible: Vec<Vec<Vec<bool>>>,
}

/// Reads the record of a clip.
pub fn read(folder: &Path, name: &str) -> Result<Record> {
    let path = folder.join(format!("{name}.json"));
    let bytes = fs::read(&path).with_context(|| format!("cannot read {path:?}"))?;
    let record: Record =
        serde_json::from_slice(&bytes).with_context(|| format!("damaged: {path:?}"))?;
    ensure!(
        record.version == 1,
        "{path:?} has version {}",
        record.version
    );
    Ok(record)
}

/// Reads the points of a clip.
pub fn read_points(folder: &Path, name: &str, n_people: usize) -> Result<Points> {
    let path = folder.join(format!("{name}.points.png"));
    let bytes = fs::read(&path).with_context(|| format!("cannot read {path:?}"))?;
    let picture = image::load_from_memory_with_format(&bytes, ImageFormat::Png)
        .with_context(|| format!("damaged: {path:?}"))?
        .into_luma8();
    ensure!(
        picture.width() as usize == ROW && n_people > 0,
        "{path:?} holds no mesh points"
    );
    Ok(unpack(picture.as_raw(), n_people))
}

fn unpack(bytes: &[u8], n_people: usize) -> Points {
    let mut found = Points {
        points: Vec::new(),
        visible: Vec::new(),
    };
    let mut last = vec![vec![0_i32; N_NUMBERS]; n_people];
    let mut older = last.clone();
    for (n, rows) in bytes.chunks_exact(ROW * n_people).enumerate() {
        let (mut points, mut visible) = (Vec::new(), Vec::new());
        for (k, row) in rows.chunks_exact(ROW).enumerate() {
            let (low, rest) = row.split_at(N_NUMBERS);
            let (high, seen) = rest.split_at(N_NUMBERS);
            let number = |i: usize| {
                let coded = u32::from(low[i]) | (u32::from(high[i]) << 8);
                let second = (coded >> 1) as i32 ^ -((coded & 1) as i32);
                match n {
                    0 => second,
                    1 => second + last[k][i],
                    _ => second + 2 * last[k][i] - older[k][i],
                }
            };
            let now: Vec<i32> = (0..N_NUMBERS).map(number).collect();
            let point = |c: &[i32]| {
                let [x, y, z] = [c[0], c[1], c[2]].map(|c| c as f32 / 8.0);
                Point3::new(x, y, z)
            };
            points.push(now.chunks_exact(3).map(point).collect());
            visible.push(seen.iter().map(|&s| s > 127).collect());
            older[k] = std::mem::replace(&mut last[k], now);
        }
        found.points.push(points);
        found.visible.push(visible);
    }
    found
}

fn write_grey(path: &Path, width: usize, bytes: Vec<u8>) -> Result<()> {
    let height = bytes.len() / width;
    let picture = GrayImage::from_raw(width as u32, height as u32, bytes);
    let picture = picture.context("a picture of the truth has a wrong size")?;
    let mut coded = std::io::Cursor::new(Vec::new());
    let encoder = image::codecs::png::PngEncoder::new_with_quality(
        &mut coded,
        image::codecs::png::CompressionType::Best,
        image::codecs::png::FilterType::Adaptive,
    );
    picture.write_with_encoder(encoder)?;
    write_whole(path, coded.get_ref())
}

/// Writes under a temporary name in the same folder and then renames.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().context("a file needs a folder")?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)
        .with_context(|| format!("cannot write {path:?}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_come_back_to_an_eighth_of_a_pixel() {
        let place = |n: usize, i: usize| {
            let t = n as f32 * 0.7 + i as f32;
            Point3::new(
                160.0 + 100.0 * t.sin(),
                90.0 * t.cos(),
                -40.0 * (2.0 * t).sin(),
            )
        };
        let frame = |n: usize| vec![(0..N_MESH_POINTS).map(|i| place(n, i)).collect()];
        let points: Vec<Vec<Vec<Point3>>> = (0..6).map(frame).collect();
        let seen: Vec<bool> = (0..N_MESH_POINTS).map(|i| i % 3 == 0).collect();
        let visible = vec![vec![seen]; 6];
        let back = unpack(&pack(&points, &visible), 1);
        assert_eq!(back.visible, visible);
        for (a, b) in points.iter().flatten().zip(back.points.iter().flatten()) {
            for (p, q) in a.iter().zip(b) {
                assert!((p.x - q.x).abs() <= 0.0625 && (p.z - q.z).abs() <= 0.0625);
            }
        }
    }
}
