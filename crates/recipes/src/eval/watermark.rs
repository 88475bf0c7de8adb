//! Measures the watermark: identifiers recovered after each attack, change in decibels, false
//! alarms, and speed, on portraits and clips of the data folder.

mod attacks;
mod peer;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use effigy_frame::{Frame, Picture, Rational, Timestamp};
use effigy_mark::watermark::{Detector, Embedder};
use effigy_media::{Limits, VideoReader, VideoWriter, WriteSettings};

use attacks::attacks;
use peer::{MODES, Peer, majority};

/// What is measured.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Portraits that are marked and attacked
    #[arg(long, default_value_t = 120)]
    pictures: usize,
    /// Portraits of each source to leave out first: what is tuned is tuned on others than those
    /// that are reported
    #[arg(long, default_value_t = 0)]
    offset: usize,
    /// Clips of two seconds that are marked and attacked
    #[arg(long, default_value_t = 16)]
    clips: usize,
    /// Unmarked pictures that must read as nothing, besides all clips; all of them by default, none
    /// at all with 0
    #[arg(long, value_name = "N")]
    unmarked: Option<usize>,
    /// Python with PyPI invisible-watermark, to measure it on the same files
    #[arg(long, value_name = "FILE")]
    peer: Option<PathBuf>,
}

/// Portraits come from these, the same number from each.
const SOURCES: [&str; 4] = ["interfaces", "senate", "congress", "voteview-wiki"];
/// Where unmarked pictures are besides.
const OTHERS: [&str; 6] = [
    "no-face",
    "fakes-dev/stylegan2",
    "people/voteview-bio_guide",
    "people/voteview-manual",
    "people/lfw-grey",
    "people/ytf",
];
/// Where unmarked clips are.
const CLIPS: [&str; 4] = ["video", "video/grid", "fakes-dev", "fakes-dev/dfl-pairs"];
/// Frames of a clip of two seconds.
const CLIP_FRAMES: usize = 50;
/// Every so many frames of a clip the peer reads one: it reads each alone, and slowly.
const PEER_EVERY: usize = 5;

/// How often each method survived an attack.
struct Row {
    attack: String,
    /// Recovered and tried: ours, then each mode of the peer.
    counts: [[usize; 2]; 1 + MODES.len()],
}

#[derive(Default)]
struct Table(Vec<Row>);

impl Table {
    fn count(&mut self, attack: &str, method: usize, recovered: bool) {
        let found = self.0.iter().position(|row| row.attack == attack);
        let at = found.unwrap_or_else(|| {
            self.0.push(Row {
                attack: attack.to_owned(),
                counts: Default::default(),
            });
            self.0.len() - 1
        });
        let [count, tried] = &mut self.0[at].counts[method];
        *tried += 1;
        *count += usize::from(recovered);
    }

    fn print(&self, n_methods: usize) {
        let names = ["effigy"].into_iter().chain(MODES).take(n_methods);
        let names: Vec<&str> = names.collect();
        println!("| attack | {} |", names.join(" | "));
        println!("|---|{}", "---|".repeat(n_methods));
        for row in &self.0 {
            let cells = row.counts[..n_methods].iter().map(|[recovered, tried]| {
                let share = 100.0 * *recovered as f64 / (*tried).max(1) as f64;
                format!("{recovered}/{tried} = {share:.1} %")
            });
            println!(
                "| {} | {} |",
                row.attack,
                cells.collect::<Vec<_>>().join(" | ")
            );
        }
    }

    fn json(&self) -> serde_json::Value {
        let rows = self.0.iter().map(
            |row| serde_json::json!({ "attack": row.attack, "recovered_of_tried": row.counts }),
        );
        rows.collect()
    }
}

/// Prints the table, then one JSON line.
pub(crate) fn evaluate(data: &Path, args: &Args) -> Result<()> {
    let mut peer = args.peer.as_deref().map(Peer::start).transpose()?;
    let mut table = Table::default();
    let mut decibels: [Vec<f64>; 1 + MODES.len()] = Default::default();
    for (number, path) in portraits(data, args)?.iter().enumerate() {
        let plain = effigy_media::read_picture(path, &Limits::default())?;
        let identifier = identifier(number);
        let mut marked = plain.clone();
        Embedder::new(identifier).embed(&mut marked);
        decibels[0].push(psnr(&plain, &marked));
        for attacked in attacks(&marked)? {
            let recovered = read(&attacked.picture) == Some(identifier);
            table.count(&attacked.attack, 0, recovered);
        }
        if let Some(peer) = &mut peer {
            measure_peer(peer, (&plain, identifier), &mut table, &mut decibels)?;
        }
    }
    clips(data, args, &mut table, peer.as_mut())?;
    let alarms = false_alarms(data, args.unmarked)?;
    let n_methods = if peer.is_some() { 1 + MODES.len() } else { 1 };
    table.print(n_methods);
    report(&table, &decibels[..n_methods], &alarms, &speed());
    Ok(())
}

fn report(table: &Table, decibels: &[Vec<f64>], alarms: &Alarms, speed: &Speed) {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    println!();
    for (name, values) in ["effigy"].iter().chain(&MODES).zip(decibels) {
        println!(
            "PSNR {name}: {:.2} dB on average, {:.2} dB at least, {} pictures",
            mean(values),
            least(values),
            values.len(),
        );
    }
    println!(
        "{} false alarms in {} unmarked pictures and frames and {} clips",
        alarms.alarms, alarms.pictures, alarms.clips
    );
    for (what, [per_sec, millis]) in [("embedding", speed.embed), ("detecting", speed.detect)] {
        println!("{what}: {per_sec:.0} frames/s at 1080p, {millis:.1} ms of processor time each");
    }
    println!(
        "{}",
        serde_json::json!({
            "psnr_mean": mean(&decibels[0]), "psnr_least": least(&decibels[0]),
            "unmarked": alarms.pictures, "unmarked_clips": alarms.clips,
            "false_alarms": alarms.alarms,
            "embed_fps_1080p": speed.embed[0], "detect_fps_1080p": speed.detect[0],
            "attacks": table.json(),
        })
    );
}

fn measure_peer(
    peer: &mut Peer,
    (plain, identifier): (&Picture, u64),
    table: &mut Table,
    decibels: &mut [Vec<f64>],
) -> Result<()> {
    for (method, mode) in MODES.iter().enumerate() {
        let Some(marked) = peer.embed(mode, plain, identifier)? else {
            continue;
        };
        decibels[1 + method].push(psnr(plain, &marked));
        for attacked in attacks(&marked)? {
            let recovered = peer.read(mode, &attacked.picture)? == identifier;
            table.count(&attacked.attack, 1 + method, recovered);
        }
    }
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
fn portraits(data: &Path, args: &Args) -> Result<Vec<PathBuf>> {
    let mut chosen = Vec::new();
    for source in SOURCES {
        let files = files(&data.join("people").join(source), "jpg")?;
        let wanted = args.pictures / SOURCES.len();
        let step = (files.len() / wanted.max(1)).max(1);
        let files = files.into_iter().skip(args.offset);
        chosen.extend(files.step_by(step).take(wanted));
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

fn psnr(a: &Picture, b: &Picture) -> f64 {
    let squares = a.pixels().iter().zip(b.pixels()).map(|(a, b)| {
        let gap = f64::from(*a) - f64::from(*b);
        gap * gap
    });
    let mean = squares.sum::<f64>() / a.pixels().len() as f64;
    10.0 * (255.0 * 255.0 / mean).log10()
}

fn clips(data: &Path, args: &Args, table: &mut Table, mut peer: Option<&mut Peer>) -> Result<()> {
    let clips = files(&data.join("video"), "mp4")?;
    for (number, path) in clips.iter().skip(args.offset).take(args.clips).enumerate() {
        let identifier = identifier(1000 + number);
        let embedder = Embedder::new(identifier);
        let reader = VideoReader::open(path, &Limits::default())?;
        let plain = reader.take(CLIP_FRAMES).collect::<Result<Vec<_>, _>>()?;
        let mut frames = plain.clone();
        frames
            .iter_mut()
            .for_each(|frame| embedder.embed(&mut frame.picture));
        attack_clip(&frames, |attack, seen| {
            let mut detector = Detector::new();
            seen.iter().for_each(|picture| detector.look(picture));
            let read = detector.finish().map(|found| found.identifier);
            table.count(attack, 0, read == Some(identifier));
            Ok(())
        })?;
        let Some(peer) = &mut peer else { continue };
        for (method, mode) in MODES.iter().enumerate() {
            let mut frames = plain.clone();
            for frame in &mut frames {
                if let Some(marked) = peer.embed(mode, &frame.picture, identifier)? {
                    frame.picture = marked;
                }
            }
            attack_clip(&frames, |attack, seen| {
                let some = seen.iter().step_by(PEER_EVERY);
                let read = some
                    .map(|picture| peer.read(mode, picture))
                    .collect::<Result<Vec<_>>>()?;
                table.count(attack, 1 + method, majority(&read) == identifier);
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Encodes the clip in every way that is measured, and shows what comes out.
fn attack_clip(
    frames: &[Frame],
    mut look: impl FnMut(&str, &[Picture]) -> Result<()>,
) -> Result<()> {
    for crf in [23, 28, 33] {
        look(&format!("H.264 CRF {crf}, 2 s"), &encoded(frames, crf)?)?;
    }
    // 30 to 25 frames a second leaves out every sixth frame.
    let fewer = frames.iter().filter(|frame| frame.index % 6 != 5);
    let fewer: Vec<Frame> = fewer.cloned().collect();
    look("30 to 25 frames/s, 2 s, CRF 23", &encoded(&fewer, 23)?)
}

fn encoded(frames: &[Frame], crf: u8) -> Result<Vec<Picture>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("clip.mp4");
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
    let reader = VideoReader::open(&path, &Limits::default())?;
    reader.map(|frame| Ok(frame?.picture)).collect()
}

/// Frames per second, and milliseconds of processor time for one.
struct Speed {
    embed: [f64; 2],
    detect: [f64; 2],
}

fn speed() -> Speed {
    let pixels = (0..1920 * 1080 * 3).map(|i| (i / 97 % 251) as u8).collect();
    let mut picture = Picture::new(1920, 1080, pixels);
    let embedder = Embedder::new(1);
    let measured = |work: &mut dyn FnMut()| {
        const N: u32 = 100;
        let (start, cpu) = (Instant::now(), processor_millis());
        (0..N).for_each(|_| work());
        let per_sec = f64::from(N) / start.elapsed().as_secs_f64();
        [per_sec, (processor_millis() - cpu) / f64::from(N)]
    };
    let embed = measured(&mut || embedder.embed(&mut picture));
    let mut detector = Detector::new();
    let detect = measured(&mut || detector.look(&picture));
    Speed { embed, detect }
}

/// Processor time of all threads so far; 0 where the system does not tell. Other work on the
/// machine lengthens the clock on the wall, but hardly this one.
fn processor_millis() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15 of proc(5), in hundredths of a second; the second field ends with `)`.
    let fields = stat
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_whitespace();
    let ticks = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() * 10.0
}

/// What was read where nothing is.
struct Alarms {
    pictures: usize,
    clips: usize,
    alarms: usize,
}

/// Looks at what nobody marked: faces, no faces, and what others faked.
fn false_alarms(data: &Path, n: Option<usize>) -> Result<Alarms> {
    let people = SOURCES.map(|source| format!("people/{source}"));
    let folders = OTHERS.into_iter().chain(people.iter().map(String::as_str));
    let mut paths = Vec::new();
    for folder in folders {
        for extension in ["jpg", "png"] {
            paths.extend(files(&data.join(folder), extension)?);
        }
    }
    let n = n.unwrap_or(paths.len());
    let step = paths.len().div_ceil(n.max(1)).max(1);
    let mut seen = Alarms {
        pictures: 0,
        clips: 0,
        alarms: 0,
    };
    for path in paths.iter().step_by(step).take(n) {
        let picture = effigy_media::read_picture(path, &Limits::default())?;
        seen.pictures += 1;
        if let Some(identifier) = read(&picture) {
            println!("false alarm: {identifier:016x} in {path:?}");
            seen.alarms += 1;
        }
    }
    if 0 < n {
        for folder in CLIPS {
            for path in files(&data.join(folder), "mp4")? {
                false_alarms_in_clip(&path, &mut seen)?;
            }
        }
    }
    Ok(seen)
}

/// Looks at two seconds of a clip at a time, and at the first frame of each alone.
fn false_alarms_in_clip(path: &Path, seen: &mut Alarms) -> Result<()> {
    seen.clips += 1;
    let mut detector = Detector::new();
    for (number, frame) in VideoReader::open(path, &Limits::default())?.enumerate() {
        let picture = frame?.picture;
        if number % CLIP_FRAMES == 0 {
            seen.pictures += 1;
            let found = [
                read(&picture),
                detector.finish().map(|found| found.identifier),
            ];
            seen.alarms += found.iter().flatten().count();
            detector = Detector::new();
        }
        detector.look(&picture);
    }
    seen.alarms += usize::from(detector.finish().is_some());
    Ok(())
}
