//! The summary of `faces`, for people and for programs.

use effigy_pipeline::faces::{AngleRange, PersonReport};
use effigy_pipeline::{DamagedPlace, FacesReport};

use crate::output::named;

/// Lays the summary out as a table.
pub(crate) fn faces_text(report: &FacesReport) -> String {
    let mut lines = vec![overview(report)];
    if !report.people.is_empty() || report.strangers.is_some() {
        lines.push(String::new());
        lines.push(row([
            "person",
            "on screen",
            "frames",
            "turn",
            "nod",
            "size",
            "sharpness",
        ]));
    }
    for (i, person) in report.people.iter().enumerate() {
        lines.push(person_row(&(i + 1).to_string(), person));
    }
    if let Some(strangers) = &report.strangers {
        lines.push(person_row("unknown", strangers));
        lines.push("unknown: too small to tell whose faces they are".to_owned());
    }
    if 1 < report.inputs.len() {
        lines.push(String::new());
        let people = report.people.iter().enumerate();
        lines.extend(people.map(|(i, p)| format!("person {}: {}", i + 1, files_of(p, report))));
        let strangers = report.strangers.iter();
        lines.extend(strangers.map(|p| format!("unknown: {}", files_of(p, report))));
    }
    lines.join("\n")
}

/// Gives the summary as one JSON object.
pub(crate) fn faces_json(report: &FacesReport) -> serde_json::Value {
    let failed = report
        .failed
        .iter()
        .map(|f| serde_json::json!({ "input": f.path.to_string_lossy(), "reason": f.reason }));
    let people = report.people.iter().enumerate();
    serde_json::json!({
        "inputs": report.inputs.len(),
        "frames": report.n_frames,
        "secs": report.took_secs,
        "damaged": report.damaged.iter().map(damaged_json).collect::<Vec<_>>(),
        "people": people.map(|(i, p)| person_json(Some(i + 1), p, report)).collect::<Vec<_>>(),
        "unknown": report.strangers.as_ref().map(|p| person_json(None, p, report)),
        "failed": failed.collect::<Vec<_>>(),
    })
}

fn damaged_json(place: &DamagedPlace) -> serde_json::Value {
    serde_json::json!({
        "input": place.path.to_string_lossy(),
        "frame": place.frame,
        "from_secs": place.from_secs,
        "until_secs": place.until.map(|(_, secs)| secs),
        "n_frames": place.n_frames,
        "reason": place.why,
    })
}

fn overview(report: &FacesReport) -> String {
    let count = |n: usize, one: &str, many: &str| match n {
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    };
    let who = match (report.people.len(), report.strangers.is_some()) {
        (0, false) => "no face".to_owned(),
        (0, true) => "only faces too small to tell apart".to_owned(),
        (n, _) => count(n, "person", "people"),
    };
    let read = report.inputs.len().saturating_sub(report.failed.len());
    let inputs = count(read, "input", "inputs");
    let frames = count(report.n_frames as usize, "frame", "frames");
    let speed = report.n_frames as f64 / report.took_secs.max(1e-3);
    let frames = format!("{frames}, {:.1} s, {speed:.0} frames/s", report.took_secs);
    let damaged = match report.damaged.len() {
        0 => String::new(),
        n => format!("; {} left out", count(n, "damaged place", "damaged places")),
    };
    match report.failed.len() {
        _ if report.n_frames == 0 => "nothing could be read".to_owned(),
        0 => format!("{who} in {inputs}, {frames}{damaged}"),
        n => format!("{who} in {inputs}, {frames}; {n} could not be read{damaged}"),
    }
}

fn person_row(name: &str, person: &PersonReport) -> String {
    let on_screen = if person.secs > 0.0 {
        format!("{:.1} s", person.secs)
    } else {
        "-".to_owned()
    };
    row([
        name,
        &on_screen,
        &person.n_frames.to_string(),
        &degrees(person.yaw),
        &degrees(person.pitch),
        &format!("{:.0} px", person.size_px),
        &format!("{:.2}", person.sharpness),
    ])
}

/// Most files that are named of each person; `--json` names all.
const MOST_FILES: usize = 8;

fn files_of(person: &PersonReport, report: &FacesReport) -> String {
    let name = |&i: &usize| named(&report.inputs[i]);
    let mut names: Vec<String> = person.inputs.iter().take(MOST_FILES).map(name).collect();
    if let Some(n) = person
        .inputs
        .len()
        .checked_sub(MOST_FILES)
        .filter(|&n| 0 < n)
    {
        names.push(format!("and {n} more"));
    }
    names.join(", ")
}

fn degrees(range: AngleRange) -> String {
    let (low, high) = (range.low.round(), range.high.round());
    if (high - low).abs() < 1.0 {
        return format!("{low:+.0}°");
    }
    format!("{:+.0}° to {:+.0}°", range.low, range.high)
}

fn row(cells: [&str; 7]) -> String {
    let [name, on_screen, frames, turn, nod, size, sharpness] = cells;
    format!("{name:<9}{on_screen:>10}{frames:>9}{turn:>17}{nod:>17}{size:>9}{sharpness:>11}")
}

fn person_json(
    number: Option<usize>,
    person: &PersonReport,
    report: &FacesReport,
) -> serde_json::Value {
    let files = person
        .inputs
        .iter()
        .map(|&i| report.inputs[i].to_string_lossy());
    let range = |r: AngleRange| serde_json::json!([r.low, r.high]);
    serde_json::json!({
        "person": number,
        "tracks": person.n_tracks,
        "inputs": person.inputs.len(),
        "files": files.collect::<Vec<_>>(),
        "frames": person.n_frames,
        "secs": person.secs,
        "first_secs": person.first_secs,
        "yaw": range(person.yaw),
        "pitch": range(person.pitch),
        "sharpness": person.sharpness,
        "size_px": person.size_px,
    })
}
