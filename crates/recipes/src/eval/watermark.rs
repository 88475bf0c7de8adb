//! Measures the watermark: identifiers recovered after each attack, change in decibels, false
//! alarms, and speed, on portraits and clips of the data folder.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use effigy_frame::{Frame, Picture, Rational, Timestamp, resample};
use effigy_mark::watermark::{Detector, Embedder};
use effigy_media::{Limits, VideoReader, VideoWriter, WriteSettings};
use image::codecs::jpeg::JpegEncoder;

/// What is measured.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Portraits that are marked and attacked
    #[arg(long, default_value_t = 120)]
    pictures: usize,
    /// Clips of two seconds that are marked and attacked
    #[arg(long, default_value_t = 16)]
    clips: usize,
    /// Unmarked pictures that must read as nothing
    #[arg(long, default_value_t = 500)]
    unmarked: usize,
}

/// Portraits come from these, the same number from each.
const SOURCES: [&str; 4] = ["interfaces", "senate", "congress", "voteview-wiki"];
/// Frames of a clip of two seconds.
const CLIP_FRAMES: usize = 50;

/// How often an attack was survived.
struct Row {
    attack: String,
    recovered: usize,
    tried: usize,
}

#[derive(Default)]
struct Table(Vec<Row>);

impl Table {
    fn count(&mut self, attack: &str, recovered: bool) {
        let found = self.0.iter().position(|row| row.attack == attack);
        let at = found.unwrap_or_else(|| {
            self.0.push(Row {
                attack: attack.to_owned(),
                recovered: 0,
                tried: 0,
            });
            self.0.len() - 1
        });
        self.0[at].tried += 1;
        self.0[at].recovered += usize::from(recovered);
    }

    fn print(&self) {
        println!("| attack | identifier recovered |\n|---|---|");
        for row in &self.0 {
            let share = 100.0 * row.recovered as f64 / row.tried as f64;
            println!(
                "| {} | {}/{} = {share:.1} % |",
                row.attack, row.recovered, row.tried
            );
        }
    }
}

/// Prints the table, then one JSON line.
pub(crate) fn evaluate(data: &Path, args: &Args) -> Result<()> {
    let mut table = Table::default();
    let mut decibels = Vec::new();
    for (number, path) in portraits(data, args.pictures)?.iter().enumerate() {
        let plain = effigy_media::read_picture(path, &Limits::default())?;
        let identifier = identifier(number);
        let mut marked = plain.clone();
        Embedder::new(identifier).embed(&mut marked);
        decibels.push(psnr(&plain, &marked));
        for (attack, changed) in attacks(&marked)? {
            table.count(&attack, read(&changed) == Some(identifier));
        }
    }
    let speed = clips(data, args.clips, &mut table)?;
    let (looked, alarms) = false_alarms(data, args.unmarked)?;
    table.print();
    let mean = decibels.iter().sum::<f64>() / decibels.len().max(1) as f64;
    let least = decibels.iter().copied().fold(f64::INFINITY, f64::min);
    println!(
        "\nPSNR {mean:.2} dB on average, {least:.2} dB at least; {alarms} false alarms in {looked} unmarked pictures"
    );
    println!(
        "embedding {:.0}, detecting {:.0} frames/s at 1080p",
        speed.embed, speed.detect
    );
    println!(
        "{}",
        serde_json::json!({
            "psnr_mean": mean, "psnr_least": least, "unmarked": looked, "false_alarms": alarms,
            "embed_fps_1080p": speed.embed, "detect_fps_1080p": speed.detect,
            "attacks": table.0.iter().map(|row| {
                serde_json::json!({ "attack": row.attack, "recovered": row.recovered, "tried": row.tried })
            }).collect::<Vec<_>>(),
        })
    );
    Ok(())
}

fn identifier(number: usize) -> u64 {
    (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn read(picture: &Picture) -> Option<u64> {
    let mut detector = Detector::new();
    detector.look(picture);
    detector.finish().map(|found| found.identifier)
}

/// Spread evenly over each source, in the order of the names.
fn portraits(data: &Path, n: usize) -> Result<Vec<PathBuf>> {
    let mut chosen = Vec::new();
    for source in SOURCES {
        let files = files(&data.join("people").join(source), "jpg")?;
        let wanted = n / SOURCES.len();
        let step = (files.len() / wanted.max(1)).max(1);
        chosen.extend(files.into_iter().step_by(step).take(wanted));
    }
    Ok(chosen)
}

fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {folder:?}"))?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    let mut paths = paths.collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|e| e == extension));
    paths.sort();
    Ok(paths)
}

fn attacks(marked: &Picture) -> Result<Vec<(String, Picture)>> {
    let mut attacked = vec![("none".to_owned(), marked.clone())];
    for quality in [80, 50, 30] {
        attacked.push((format!("JPEG {quality}"), jpeg(marked, quality)?));
    }
    for percent in [50, 75, 150] {
        attacked.push((format!("scale {percent} %"), scaled(marked, percent)));
    }
    // A side of 0.8944 leaves 80 % of the area.
    attacked.push((
        "crop to 80 %, off-centre".to_owned(),
        cropped(marked, (0.07, 0.02), 0.8944),
    ));
    type Tone = fn(f32) -> f32;
    let tones: [(&str, Tone); 6] = [
        ("brightness +20 %", |v| v * 1.2),
        ("brightness -20 %", |v| v * 0.8),
        ("contrast +20 %", |v| (v - 128.0) * 1.2 + 128.0),
        ("contrast -20 %", |v| (v - 128.0) * 0.8 + 128.0),
        ("gamma 1.2", |v| 255.0 * (v / 255.0).powf(1.2)),
        ("gamma 0.8", |v| 255.0 * (v / 255.0).powf(0.8)),
    ];
    for (name, tone) in tones {
        attacked.push((name.to_owned(), toned(marked, tone)));
    }
    attacked.push(("saturation -20 %".to_owned(), less_colour(marked)));
    attacked.push(("slight blur".to_owned(), blurred(marked)));
    attacked.push(("noise, 5 levels".to_owned(), noisy(marked)));
    let shot = cropped(&jpeg(&scaled(marked, 70), 70)?, (0.01, 0.02), 0.9747);
    attacked.push(("screenshot chain".to_owned(), shot));
    Ok(attacked)
}

fn jpeg(picture: &Picture, quality: u8) -> Result<Picture> {
    let mut bytes = Vec::new();
    let (width, height) = (picture.width(), picture.height());
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    encoder.encode(
        picture.pixels(),
        width,
        height,
        image::ExtendedColorType::Rgb8,
    )?;
    let decoded = image::load_from_memory(&bytes)?.to_rgb8();
    Ok(Picture::new(width, height, decoded.into_raw()))
}

fn scaled(picture: &Picture, percent: u32) -> Picture {
    let side = |length: u32| (length * percent / 100).max(1);
    resample::resize(picture, side(picture.width()), side(picture.height()))
}

fn cropped(picture: &Picture, (left, top): (f32, f32), side: f32) -> Picture {
    let part = |length: u32, share: f32| (length as f32 * share) as u32;
    let (x, y) = (part(picture.width(), left), part(picture.height(), top));
    let (width, height) = (part(picture.width(), side), part(picture.height(), side));
    let rows = (y..y + height).flat_map(|row| {
        let from = (row * picture.width() + x) as usize * 3;
        &picture.pixels()[from..from + width as usize * 3]
    });
    Picture::new(width, height, rows.copied().collect())
}

fn toned(picture: &Picture, tone: fn(f32) -> f32) -> Picture {
    let pixels = picture.pixels().iter();
    let pixels = pixels.map(|&v| tone(f32::from(v)).round().clamp(0.0, 255.0) as u8);
    Picture::new(picture.width(), picture.height(), pixels.collect())
}

fn less_colour(picture: &Picture) -> Picture {
    let pixels = picture.pixels().chunks_exact(3).flat_map(|p| {
        let grey = effigy_frame::colour::luma([p[0], p[1], p[2]]);
        [p[0], p[1], p[2]].map(|v| (grey + 0.8 * (f32::from(v) - grey)).round() as u8)
    });
    Picture::new(picture.width(), picture.height(), pixels.collect())
}

/// The average of each pixel and its neighbours, weighted 1 2 1 both ways.
fn blurred(picture: &Picture) -> Picture {
    let (width, height) = (picture.width() as i64, picture.height() as i64);
    let mut pixels = Vec::with_capacity(picture.pixels().len());
    for y in 0..height {
        for x in 0..width {
            let mut sums = [8_u32; 3];
            for (dy, wy) in [(-1, 1), (0, 2), (1, 1)] {
                for (dx, wx) in [(-1, 1), (0, 2), (1, 1)] {
                    let (nx, ny) = ((x + dx).clamp(0, width - 1), (y + dy).clamp(0, height - 1));
                    let near = picture.get(nx as u32, ny as u32);
                    sums.iter_mut()
                        .zip(near)
                        .for_each(|(s, v)| *s += wx * wy * u32::from(v));
                }
            }
            pixels.extend(sums.map(|sum| (sum / 16) as u8));
        }
    }
    Picture::new(picture.width(), picture.height(), pixels)
}

fn noisy(picture: &Picture) -> Picture {
    let mut state = 1_u64;
    let pixels = picture.pixels().iter().map(|&value| {
        // The sum of three uniform numbers in ±5 has a deviation of 5.
        let noise: f32 = (0..3)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                ((state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5) * 10.0
            })
            .sum();
        (f32::from(value) + noise).round().clamp(0.0, 255.0) as u8
    });
    Picture::new(picture.width(), picture.height(), pixels.collect())
}

fn psnr(a: &Picture, b: &Picture) -> f64 {
    let squares = a.pixels().iter().zip(b.pixels()).map(|(a, b)| {
        let gap = f64::from(*a) - f64::from(*b);
        gap * gap
    });
    let mean = squares.sum::<f64>() / a.pixels().len() as f64;
    10.0 * (255.0 * 255.0 / mean).log10()
}

/// Frames per second.
struct Speed {
    embed: f64,
    detect: f64,
}

fn clips(data: &Path, n: usize, table: &mut Table) -> Result<Speed> {
    let folder = tempfile::tempdir()?;
    for (number, path) in files(&data.join("video"), "mp4")?
        .iter()
        .take(n)
        .enumerate()
    {
        let identifier = identifier(1000 + number);
        let embedder = Embedder::new(identifier);
        let reader = VideoReader::open(path, &Limits::default())?;
        let mut frames = reader.take(CLIP_FRAMES).collect::<Result<Vec<_>, _>>()?;
        frames
            .iter_mut()
            .for_each(|frame| embedder.embed(&mut frame.picture));
        for crf in [23, 28, 33] {
            let seen = encoded(&frames, crf, folder.path())?;
            table.count(&format!("H.264 CRF {crf}, 2 s"), seen == Some(identifier));
        }
        // 30 to 25 frames a second leaves out every sixth frame.
        let fewer: Vec<Frame> = frames
            .iter()
            .filter(|frame| frame.index % 6 != 5)
            .cloned()
            .collect();
        let seen = encoded(&fewer, 23, folder.path())?;
        table.count("30 to 25 frames/s, 2 s, CRF 23", seen == Some(identifier));
    }
    Ok(speed())
}

fn encoded(frames: &[Frame], crf: u8, folder: &Path) -> Result<Option<u64>> {
    let path = folder.join("clip.mp4");
    let first = frames.first().context("a clip without frames")?;
    let rate = Rational::new(25, 1);
    let mut settings = WriteSettings::new(first.picture.width(), first.picture.height(), rate);
    settings.crf = Some(crf);
    #[expect(
        clippy::disallowed_methods,
        reason = "measures a mark that it drew itself"
    )]
    let mut writer = VideoWriter::create(&path, &settings)?;
    for (index, frame) in frames.iter().enumerate() {
        let time = Timestamp::new(index as i64, Rational::new(1, 25));
        writer.write(&Frame {
            time,
            ..frame.clone()
        })?;
    }
    writer.finish()?;
    let mut detector = Detector::new();
    for frame in VideoReader::open(&path, &Limits::default())? {
        detector.look(&frame?.picture);
    }
    Ok(detector.finish().map(|found| found.identifier))
}

fn speed() -> Speed {
    let pixels = (0..1920 * 1080 * 3).map(|i| (i / 97 % 251) as u8).collect();
    let mut picture = Picture::new(1920, 1080, pixels);
    let embedder = Embedder::new(1);
    let per_second = |n: u32, mut work: Box<dyn FnMut() + '_>| {
        let start = Instant::now();
        (0..n).for_each(|_| work());
        f64::from(n) / start.elapsed().as_secs_f64()
    };
    let embed = per_second(60, Box::new(|| embedder.embed(&mut picture)));
    let mut detector = Detector::new();
    let detect = per_second(60, Box::new(|| detector.look(&picture)));
    Speed { embed, detect }
}

/// Pictures that nobody marked: faces, no faces, and those that others faked.
fn false_alarms(data: &Path, n: usize) -> Result<(usize, usize)> {
    let mut paths = files(&data.join("no-face"), "jpg")?;
    for source in SOURCES {
        paths.extend(files(&data.join("people").join(source), "jpg")?);
    }
    let step = (paths.len() / n.max(1)).max(1);
    let (mut looked, mut alarms) = (0, 0);
    for path in paths.iter().step_by(step) {
        let picture = effigy_media::read_picture(path, &Limits::default())?;
        looked += 1;
        alarms += usize::from(read(&picture).is_some());
    }
    Ok((looked, alarms))
}
