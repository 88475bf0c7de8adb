//! Measures the watermark: identifiers recovered after each attack, change in decibels, false
//! alarms, and speed, on portraits and clips of the data folder.

mod alarms;
mod attacks;
mod clips;
mod peer;
mod reposts;
mod speed;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use effigy_frame::Picture;
use effigy_mark::watermark::{Detector, Embedder};
use effigy_media::Limits;

use super::identity::is_tuning;
use alarms::{Alarms, false_alarms};
use attacks::attacks;
use clips::clips;
use peer::{MODES, Peer};
use speed::{Speed, speed};

/// What is measured.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Portraits that are marked and attacked
    #[arg(long, default_value_t = 320)]
    pictures: usize,
    /// Take portraits of the half of the people on whom the mark is tuned; they are never those
    /// that are reported
    #[arg(long)]
    tuning: bool,
    /// Clips of two seconds that are marked and attacked
    #[arg(long, default_value_t = 48)]
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
/// Frames of a clip of two seconds.
const CLIP_FRAMES: usize = 50;

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
    let portraits = portraits(data, args)?;
    for (number, path) in portraits.iter().enumerate() {
        let plain = effigy_media::read_picture(path, &Limits::default())?;
        let another = &portraits[(number + portraits.len() / 3) % portraits.len()];
        let over = effigy_media::read_picture(another, &Limits::default())?;
        let identifier = identifier(number);
        let mut marked = plain.clone();
        Embedder::new(identifier).embed(&mut marked);
        decibels[0].push(psnr(&plain, &marked));
        for attacked in attacks(&marked, &over)? {
            let recovered = read(&attacked.picture) == Some(identifier);
            table.count(&attacked.attack, 0, recovered);
            if !recovered {
                println!("not recovered: {}, {path:?}", attacked.attack);
            }
        }
        if let Some(peer) = &mut peer {
            let unmarked = Unmarked {
                picture: &plain,
                over: &over,
                identifier,
            };
            measure_peer(peer, &unmarked, &mut table, &mut decibels)?;
        }
    }
    clips(data, args.clips, &mut table, peer.as_mut())?;
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
    let measured = ["effigy"].iter().chain(&MODES).zip(decibels);
    for (name, values) in measured.filter(|(_, values)| !values.is_empty()) {
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
    let tries = &alarms.tries;
    println!(
        "{} places tried there, at most {} for one of them, scores up to {:.1}; in {} the first ten \
         bits of the checksum fit, where chance says {:.0}",
        tries.n,
        tries.most,
        tries.highest_score,
        tries.fitting_ten_bits,
        tries.n as f64 / 1024.0,
    );
    for (what, [per_sec, millis]) in [("embedding", speed.embed), ("detecting", speed.detect)] {
        println!("{what}: {per_sec:.0} frames/s at 1080p, {millis:.1} ms of processor time each");
    }
    println!(
        "{}",
        serde_json::json!({
            "psnr_mean": mean(&decibels[0]), "psnr_least": least(&decibels[0]),
            "unmarked": alarms.pictures, "unmarked_clips": alarms.clips,
            "false_alarms": alarms.alarms, "tries": tries.n, "most_tries": tries.most,
            "tries_fitting_ten_bits": tries.fitting_ten_bits,
            "highest_score_unmarked": tries.highest_score,
            "embed_fps_1080p": speed.embed[0], "detect_fps_1080p": speed.detect[0],
            "attacks": table.json(),
        })
    );
}

/// A picture, what it is to be marked with, and what screens show besides it.
struct Unmarked<'a> {
    picture: &'a Picture,
    over: &'a Picture,
    identifier: u64,
}

fn measure_peer(
    peer: &mut Peer,
    unmarked: &Unmarked<'_>,
    table: &mut Table,
    decibels: &mut [Vec<f64>],
) -> Result<()> {
    for (method, mode) in MODES.iter().enumerate() {
        let &Unmarked {
            picture,
            over,
            identifier,
        } = unmarked;
        let Some(marked) = peer.embed(mode, picture, identifier)? else {
            continue;
        };
        decibels[1 + method].push(psnr(picture, &marked));
        for attacked in attacks(&marked, over)? {
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

/// Of one half of the people, spread evenly over each source, in the order of the names. Where a
/// source has too few, the others give more.
fn portraits(data: &Path, args: &Args) -> Result<Vec<PathBuf>> {
    let people = people(data)?;
    let mut chosen = Vec::new();
    for (number, source) in SOURCES.iter().enumerate() {
        let mut files = files(&data.join("people").join(source), "jpg")?;
        files.retain(|path| {
            let person = people.get(path.strip_prefix(data.join("people")).unwrap_or(path));
            person.is_some_and(|person| is_tuning(person) == args.tuning)
        });
        let wanted = (args.pictures - chosen.len()) / (SOURCES.len() - number);
        let n = files.len();
        let taken = wanted.min(n);
        chosen.extend((0..taken).map(|i| files[i * n / taken].clone()));
    }
    Ok(chosen)
}

/// Whom each portrait shows.
fn people(data: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let index = data.join("people/index.csv");
    let index =
        std::fs::read_to_string(&index).with_context(|| format!("cannot read {index:?}"))?;
    let lines = index.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        let person = fields.get(4).context("a line of the index is cut off")?;
        Ok((PathBuf::from(fields[0]), (*person).to_owned()))
    });
    lines.collect()
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
