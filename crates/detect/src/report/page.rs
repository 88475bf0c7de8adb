//! The report as one HTML page that needs nothing else: styles, charts and pictures are inside.

mod chart;
mod picture;

use std::fmt::Write as _;

use super::{FaceReport, Report};
use crate::kind::CueKind;
use crate::note::{Note, Role};
use crate::verdict::Verdict;

/// Faces that are shown in full; of a crowd the others get a line each.
const MOST_FACES: usize = 12;

/// Draws the page.
pub fn page(report: &Report) -> String {
    let mut html = String::from("<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">");
    let name = report.file.file_name().unwrap_or(report.file.as_os_str());
    let name = escaped(&name.to_string_lossy());
    add(
        &mut html,
        format_args!("<title>{name}: {}</title>", report.verdict.in_words()),
    );
    html.push_str("<meta name=\"viewport\" content=\"width=device-width\"><style>");
    html.push_str(STYLE);
    html.push_str("</style><main>");
    head(&mut html, report, &name);
    let mut faces: Vec<&FaceReport> = report.faces.iter().collect();
    faces.sort_by(|a, b| {
        b.verdict
            .cmp(&a.verdict)
            .then_with(|| super::probability_order(b, a))
    });
    for face in faces.iter().take(MOST_FACES) {
        show_face(&mut html, face, report);
    }
    if MOST_FACES < faces.len() {
        let more = faces.len() - MOST_FACES;
        add(
            &mut html,
            format_args!(
                "<p>{more} more faces, none more suspicious than these, are in the JSON report.</p>"
            ),
        );
    }
    sound(&mut html, report);
    unjudged(&mut html, report);
    file(&mut html, report);
    html.push_str("</main></html>\n");
    html
}

fn head(html: &mut String, report: &Report, name: &str) {
    let class = class(report.verdict);
    add(
        html,
        format_args!(
            "<header class=\"{class}\"><p>{name}</p><h1>{}</h1>",
            title(report)
        ),
    );
    add(html, format_args!("<p>{}</p>", meaning(report)));
    // Missing traces of known makers say little of the others: no number for that.
    let probability = report
        .fake_probability
        .filter(|_| report.verdict != Verdict::NoSigns);
    if let Some(probability) = probability {
        let percent = 100.0 * probability;
        let prevalence = 100.0 * report.prevalence;
        html.push_str(&chart::gauge(
            probability,
            report.no_signs_to,
            report.signs_from,
        ));
        add(
            html,
            format_args!(
                "<p class=\"small\">Probability of manipulation of the likeliest face: \
                 <b>{percent:.0} %</b>, where {prevalence:.0} of 100 faces are manipulated. \
                 Where fewer are, it is lower.</p>"
            ),
        );
    }
    if !report.reasons.is_empty() {
        html.push_str("<ul>");
        for reason in report.reasons.iter().take(4) {
            add(html, format_args!("<li>{}</li>", escaped(&plain(reason))));
        }
        html.push_str("</ul>");
    }
    html.push_str("</header>");
}

/// A reason without the numbers behind it, which stand further down.
fn plain(reason: &str) -> String {
    let words = reason.strip_suffix(").").and_then(|r| r.rsplit_once(" ("));
    words.map_or_else(|| reason.to_owned(), |(words, _)| format!("{words}."))
}

fn title(report: &Report) -> &'static str {
    match report.verdict {
        _ if report.marked_as_synthetic => "Marked as synthetic",
        Verdict::NotJudged => "Not judged",
        Verdict::NoSigns => "No signs of a known maker",
        Verdict::Inconclusive => "Inconclusive",
        Verdict::Signs => "Signs of manipulation",
    }
}

fn meaning(report: &Report) -> &'static str {
    if report.marked_as_synthetic {
        "The file itself says that a machine made or changed it."
    } else {
        report.verdict.meaning()
    }
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NotJudged => "none",
        Verdict::NoSigns => "good",
        Verdict::Inconclusive => "open",
        Verdict::Signs => "bad",
    }
}

fn show_face(html: &mut String, face: &FaceReport, report: &Report) {
    let number = face.track + 1;
    add(
        html,
        format_args!(
            "<section><h2><span class=\"dot {}\"></span>Face {number}: {}</h2>",
            class(face.verdict),
            face.verdict.in_words()
        ),
    );
    if 1 < report.n_frames {
        add(
            html,
            format_args!(
                "<p class=\"small\">Seen from {:.1} s to {:.1} s, in {} frames.</p>",
                face.from_secs, face.to_secs, face.n_frames
            ),
        );
    }
    if 1 < face.timeline.len() {
        html.push_str(&chart::timeline(&face.timeline, report.duration_secs));
    }
    if !face.evidence.is_empty() && face.verdict != Verdict::NotJudged {
        html.push_str("<div class=\"row\">");
        for frame in &face.evidence {
            html.push_str(&picture::figure(frame));
        }
        html.push_str("</div><p class=\"small\">The most suspicious moments. Right: the same with what looks out of place in red. Real faces have some too; look whether it follows the edge of the face.</p>");
    }
    cues(html, &face.cues);
    html.push_str("</section>");
}

/// What counts comes first, then what is only noted; what could not be judged is folded away.
fn cues(html: &mut String, cues: &[Note]) {
    let of = |role: Role| cues.iter().filter(move |cue| cue.role == role);
    html.push_str("<table>");
    for cue in of(Role::Counts) {
        row(html, cue, &cue.score.map_or(String::new(), chart::bar));
    }
    if of(Role::Noted).next().is_some() {
        html.push_str("<tr class=\"told\"><td colspan=\"3\">For information only; these do not count in the verdict:</td></tr>");
    }
    for cue in of(Role::Noted) {
        row(html, cue, &cue.score.map_or(String::new(), chart::mark));
    }
    html.push_str("</table>");
    let names: Vec<&str> = of(Role::NotJudged).map(|cue| cue.name).collect();
    if names.is_empty() {
        return;
    }
    add(
        html,
        format_args!(
            "<details><summary>Not judged: {}</summary><table>",
            names.join(", ")
        ),
    );
    for cue in of(Role::NotJudged) {
        row(html, cue, "–");
    }
    html.push_str("</table></details>");
}

fn row(html: &mut String, cue: &Note, bar: &str) {
    let when: Vec<String> = cue
        .when
        .iter()
        .map(|[from, to]| format!("{from:.1}–{to:.1} s"))
        .collect();
    let when = if when.is_empty() {
        String::new()
    } else {
        format!(
            "<br><span class=\"small\">Strongest at {}.</span>",
            when.join(", ")
        )
    };
    add(
        html,
        format_args!(
            "<tr><th>{}</th><td>{bar}</td><td>{}{when}</td></tr>",
            cue.name,
            escaped(&cue.sentence)
        ),
    );
}

/// Voices that are drawn.
const MOST_VOICES: usize = 12;

/// Who speaks when, where somebody listened.
fn sound(html: &mut String, report: &Report) {
    let Some(voices) = &report.voices else { return };
    let counted = match voices.len() {
        1 => "1 voice".to_owned(),
        n => format!("{n} voices"),
    };
    add(
        html,
        format_args!(
            "<section><h2>Who speaks</h2><p class=\"small\">{:.1} s of speech in {:.1} s, {counted}. Voices are told \
             apart by how they sound, and numbered by how long they speak.</p>",
            report.speech_secs.unwrap_or(0.0),
            report.duration_secs
        ),
    );
    let drawn = &voices[..voices.len().min(MOST_VOICES)];
    if !drawn.is_empty() {
        html.push_str(&chart::voices(drawn, report.duration_secs));
    }
    if MOST_VOICES < voices.len() {
        let more = voices.len() - MOST_VOICES;
        add(
            html,
            format_args!("<p>{more} more voices, which speak less, are in the JSON report.</p>"),
        );
    }
    cues(html, &of_voices(report));
    html.push_str("</section>");
}

/// What is told beside the voices, if they are.
fn of_voices(report: &Report) -> Vec<Note> {
    let is_voice = |cue: &&Note| report.voices.is_some() && cue.name == CueKind::Voice.name();
    report.cues.iter().filter(is_voice).cloned().collect()
}

fn unjudged(html: &mut String, report: &Report) {
    if report.not_judged.is_empty() {
        return;
    }
    html.push_str("<section><h2>What could not be judged</h2><ul>");
    for sentence in &report.not_judged {
        add(html, format_args!("<li>{}</li>", escaped(sentence)));
    }
    html.push_str("</ul></section>");
}

fn file(html: &mut String, report: &Report) {
    html.push_str("<section><h2>The file</h2>");
    let heard = of_voices(report);
    let mut told = report.cues.clone();
    told.retain(|cue| !heard.contains(cue));
    cues(html, &told);
    if !report.claims.is_empty() {
        html.push_str("<p>It says of itself, which is easily forged:</p><ul>");
        for claim in &report.claims {
            add(html, format_args!("<li>{}</li>", escaped(claim)));
        }
        html.push_str("</ul>");
    }
    add(
        html,
        format_args!("<p class=\"small\">{}<br>", seen(report)),
    );
    if let Some(sha256) = &report.sha256 {
        add(html, format_args!("SHA-256 <code>{sha256}</code><br>"));
    }
    add(
        html,
        format_args!(
            "Judged by {}</p><details><summary>Weights of its networks</summary><p class=\"small\">",
            escaped(&report.made_by.program)
        ),
    );
    for (name, sha256) in &report.made_by.weights {
        add(
            html,
            format_args!("<br>{} <code>{sha256}</code>", escaped(name)),
        );
    }
    html.push_str("</p></details></section>");
}

/// How much there was to look at.
fn seen(report: &Report) -> String {
    let secs = report.duration_secs;
    match report.n_frames {
        0 => format!("No picture, {secs:.1} s of sound."),
        n => format!(
            "{n} frames, {secs:.1} s; {} looked at closely each second.",
            report.samples_per_sec
        ),
    }
}

/// Appends; writing into a string cannot fail.
fn add(html: &mut String, words: std::fmt::Arguments<'_>) {
    let written = html.write_fmt(words);
    debug_assert!(written.is_ok(), "a string takes everything");
}

/// Makes text from outside harmless in HTML: names of files are chosen by others.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

const STYLE: &str = "
body{margin:0;font:16px/1.5 system-ui,sans-serif;color:#1c2430;background:#f3f4f6}
main{max-width:860px;margin:auto;padding:16px}
header,section{background:#fff;border-radius:8px;padding:16px 20px;margin:0 0 16px}
header{border-left:12px solid #8a94a3}
header.bad{border-color:#c0392b}header.open{border-color:#d79b00}header.good{border-color:#2e8b57}
h1{margin:0;font-size:2rem;line-height:1.2}h2{margin:0 0 8px;font-size:1.2rem}
header>p:first-child{margin:0;color:#566}
.small{font-size:.85rem;color:#566}
.dot{display:inline-block;width:.7em;height:.7em;border-radius:50%;margin-right:.4em;background:#8a94a3}
.dot.bad{background:#c0392b}.dot.open{background:#d79b00}.dot.good{background:#2e8b57}
.row{display:flex;gap:12px;flex-wrap:wrap}figure{margin:0}figure img{height:150px;border-radius:4px}
figcaption{font-size:.8rem;color:#566}
table{border-collapse:collapse;width:100%}td,th{padding:6px 8px 6px 0;text-align:left;vertical-align:top;border-top:1px solid #e3e6ea}
th{font-weight:600;white-space:nowrap}td:nth-child(2){width:110px}
tr.told td{font-size:.85rem;color:#566;padding-top:14px}summary{cursor:pointer;font-size:.85rem;color:#566;padding-top:8px}
code{font-size:.75rem;word-break:break-all}svg{max-width:100%;height:auto}
";

#[cfg(test)]
mod tests;
