//! What `scan` tells of one file on the terminal.

use effigy_pipeline::Scanned;
use serde_json::Value;

use crate::output::{self, named};

/// Says it in words: the verdict, then a line per cue with its bar.
pub(super) fn summary(scanned: &Scanned) -> String {
    let report = &scanned.report;
    let name = named(&scanned.path);
    if let Some(why) = &scanned.failed {
        return format!("{name}: not readable: {why}");
    }
    let mut lines = vec![format!("{name}: {}", verdict(report))];
    lines.extend(voices(report));
    let faces = report["faces"].as_array();
    for face in faces.into_iter().flatten() {
        lines.push(format!(
            "  face {}, {:.1} to {:.1} s: {}",
            face["track"].as_u64().unwrap_or(0) + 1,
            number(&face["from_secs"]),
            number(&face["to_secs"]),
            verdict(face)
        ));
        if face["verdict"] != "not_judged" {
            lines.extend(cues(&face["cues"]));
        }
    }
    lines.push("  the file".to_owned());
    lines.extend(cues(&report["cues"]));
    let unjudged = report["not_judged"].as_array().into_iter().flatten();
    lines.extend(
        unjudged
            .filter_map(Value::as_str)
            .map(|why| format!("  {why}")),
    );
    if let Some(page) = &scanned.page {
        lines.push(format!("  report: {}", named(page)));
    }
    lines.join("\n")
}

/// Voices that get a line each.
const MOST_VOICES: usize = 8;

/// Who speaks when, where somebody listened.
fn voices(report: &Value) -> Vec<String> {
    let Some(voices) = report["voices"].as_array() else {
        return Vec::new();
    };
    let speech_secs = number(&report["speech_secs"]);
    let speech = match voices.len() {
        0 if speech_secs == 0.0 => "nobody speaks".to_owned(),
        0 => format!("{speech_secs:.1} s of speech, too little to tell voices apart"),
        1 => format!("{speech_secs:.1} s of speech, 1 voice"),
        n => format!("{speech_secs:.1} s of speech, {n} voices"),
    };
    let secs = number(&report["duration_secs"]);
    let mut lines = vec![format!("  sound, {secs:.1} s: {speech}")];
    for (i, voice) in voices.iter().take(MOST_VOICES).enumerate() {
        lines.push(format!(
            "    voice {}, {:.1} s: {}",
            i + 1,
            number(&voice["secs"]),
            times(&voice["stretches"])
        ));
    }
    if MOST_VOICES < voices.len() {
        let n = voices.len() - MOST_VOICES;
        lines.push(format!("    and {n} more"));
    }
    lines
}

fn times(stretches: &Value) -> String {
    let pairs = stretches.as_array().into_iter().flatten();
    let pairs: Vec<[f64; 2]> = pairs.map(|s| [number(&s[0]), number(&s[1])]).collect();
    output::stretches(&pairs)
}

fn verdict(of: &Value) -> String {
    let words = match of["verdict"].as_str() {
        _ if of["marked_as_synthetic"] == true => "marked as synthetic",
        Some("signs") => "signs of manipulation",
        Some("inconclusive") => "inconclusive",
        Some("no_signs") => "no signs of a maker that is known here",
        _ => "not judged",
    };
    // That a known maker's traces are missing says little of the others: no number for that.
    let probability = of["fake_probability"].as_f64();
    match probability.filter(|_| of["verdict"] != "no_signs") {
        Some(probability) => format!("{words}, probability {:.0} %", 100.0 * probability),
        None => words.to_owned(),
    }
}

/// A line for each cue: what counts, what is for information only, what could not be judged.
fn cues(cues: &Value) -> Vec<String> {
    let of = |role: &str| -> Vec<&Value> {
        let cues = cues.as_array().into_iter().flatten();
        cues.filter(|cue| cue["role"] == role).collect()
    };
    let mut lines: Vec<String> = of("counts")
        .into_iter()
        .map(|cue| line(cue, &cue["score"].as_f64().map_or(String::new(), bar)))
        .collect();
    lines.extend(of("noted").into_iter().map(|cue| line(cue, "info only")));
    let unjudged = of("not_judged");
    lines.extend(unjudged.into_iter().map(|cue| line(cue, "–")));
    lines
}

const BAR_WIDTH: usize = 10;

fn bar(score: f64) -> String {
    let filled = ((score * BAR_WIDTH as f64).round() as usize).min(BAR_WIDTH);
    format!("{}{}", "█".repeat(filled), "░".repeat(BAR_WIDTH - filled))
}

fn line(cue: &Value, bar: &str) -> String {
    let name = cue["name"].as_str().unwrap_or_default();
    let sentence = cue["sentence"].as_str().unwrap_or_default();
    format!("    {name:<12}{bar:<BAR_WIDTH$}  {sentence}")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(0.0)
}
