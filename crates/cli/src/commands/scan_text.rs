//! What `scan` tells of one file on the terminal.

use effigy_pipeline::Scanned;
use serde_json::Value;

/// Says it in words: the verdict, then a line per cue with its bar.
pub(super) fn summary(scanned: &Scanned) -> String {
    let report = &scanned.report;
    let name = scanned.path.display();
    if let Some(why) = &scanned.failed {
        return format!("{name}: not readable: {why}");
    }
    let mut lines = vec![format!("{name}: {}", verdict(report))];
    for reason in strings(&report["cues"], "sentence") {
        lines.push(format!("  {reason}"));
    }
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
            lines.extend(face["cues"].as_array().into_iter().flatten().map(cue));
        }
    }
    let unjudged = report["not_judged"].as_array().into_iter().flatten();
    lines.extend(
        unjudged
            .filter_map(Value::as_str)
            .map(|why| format!("  {why}")),
    );
    if let Some(page) = &scanned.page {
        lines.push(format!("  report: {}", page.display()));
    }
    lines.join("\n")
}

fn verdict(of: &Value) -> String {
    let words = match of["verdict"].as_str() {
        _ if of["marked_as_synthetic"] == true => "marked as synthetic",
        Some("signs") => "signs of manipulation",
        Some("inconclusive") => "inconclusive",
        Some("no_signs") => "no signs of manipulation",
        _ => "not judged",
    };
    match of["fake_probability"].as_f64() {
        Some(probability) => format!("{words}, probability {:.0} %", 100.0 * probability),
        None => words.to_owned(),
    }
}

fn cue(cue: &Value) -> String {
    const WIDTH: usize = 10;
    let name = cue["name"].as_str().unwrap_or_default();
    let sentence = cue["sentence"].as_str().unwrap_or_default();
    let bar = match cue["score"].as_f64() {
        Some(score) => {
            let filled = (score * WIDTH as f64).round() as usize;
            let filled = filled.min(WIDTH);
            format!("{}{}", "█".repeat(filled), "░".repeat(WIDTH - filled))
        }
        None => " ".repeat(WIDTH),
    };
    format!("    {name:<12}{bar}  {sentence}")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(0.0)
}

fn strings<'a>(list: &'a Value, field: &'a str) -> impl Iterator<Item = &'a str> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(move |item| item[field].as_str())
}
