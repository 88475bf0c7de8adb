//! A verdict in words: what was found, where and when, and what could not be judged.

use effigy_queue::{Job, REPORT_PAGE};
use maud::{Markup, html};
use serde_json::Value;

use super::layout::verdict;
use crate::words::Words;

/// Shows what `scan --json` says of one file.
pub(super) fn report(words: &Words, job: &Job, report: &Value) -> Markup {
    let (word, _) = verdict(report);
    let has_page = job
        .done
        .as_ref()
        .is_some_and(|done| done.outputs.contains_key(REPORT_PAGE));
    html! {
        p { (words.say(&word.replace("verdict-", "about-"))) }
        @if let Some(percent) = percent(report) {
            p { (words.fill("probability", &[("percent", percent)])) }
        }
        @if let Some(why) = report["error"].as_str() {
            h3 { (words.say("why")) }
            p { (why) }
        } @else {
            (list(words, "why", &report["reasons"]))
            (list(words, "not-judged", &report["not_judged"]))
            @for face in each(&report["faces"]) { (self::face(words, face, &report["reasons"])) }
            (file(words, report))
        }
        p {
            @if has_page { a href={ "/v1/jobs/" (job.id) "/page" } { (words.say("report-page")) } " · " }
            a href={ "/v1/jobs/" (job.id) "/result" } { (words.say("as-json")) }
        }
    }
}

/// The probability in percent, where it says anything: missing traces of known makers say little of the others.
fn percent(of: &Value) -> Option<String> {
    let probability = of["fake_probability"].as_f64()?;
    (of["verdict"] != "no_signs").then(|| format!("{:.0}", 100.0 * probability))
}

fn list(words: &Words, title: &str, items: &Value) -> Markup {
    html! {
        @if each(items).next().is_some() {
            h3 { (words.say(title)) }
            ul { @for item in each(items).filter_map(Value::as_str) { li { (item) } } }
        }
    }
}

/// One face; its reasons only where they are not those of the whole file.
fn face(words: &Words, face: &Value, told: &Value) -> Markup {
    let n = (face["track"].as_u64().unwrap_or(0) + 1).to_string();
    let secs = |key: &str| format!("{:.1}", face[key].as_f64().unwrap_or(0.0));
    let named = [
        ("n", n.clone()),
        ("from", secs("from_secs")),
        ("to", secs("to_secs")),
    ];
    let (word, class) = verdict(face);
    html! {
        section {
            h2 { (words.fill("face", &named)) }
            p {
                span class={ "badge " (class) } { (words.say(word)) }
                @if let Some(percent) = percent(face) { " " (percent) " %" }
            }
            (timeline(&words.fill("timeline", &[("n", n)]), &face["timeline"]))
            @if face["reasons"] != *told { (list(words, "why", &face["reasons"])) }
            (cues(words, &face["cues"]))
        }
    }
}

fn file(words: &Words, report: &Value) -> Markup {
    let claims = &report["claims"];
    let all = || each(&report["cues"]);
    let provenance = all().find(|cue| cue["name"] == "provenance");
    html! {
        section {
            h2 { (words.say("provenance")) }
            @if let Some(sentence) = provenance.and_then(|cue| cue["sentence"].as_str()) { p { (sentence) } }
            @if each(claims).next().is_some() {
                h3 { (words.say("claims")) }
                ul { @for claim in each(claims).filter_map(Value::as_str) { li { (claim) } } }
            }
            @if let Some(voices) = report["voices"].as_array() {
                h2 { (words.say("speech")) }
                @let secs = format!("{:.1}", report["speech_secs"].as_f64().unwrap_or(0.0));
                p { (words.fill("speech-about", &[("secs", secs), ("n", voices.len().to_string())])) }
            }
            h2 { (words.say("cue-file")) }
            (cues(words, &report["cues"]))
        }
    }
}

/// A table of what was looked at: what counts first, what could not be judged last.
fn cues(words: &Words, cues: &Value) -> Markup {
    let roles = [
        ("counts", "counts"),
        ("noted", "noted"),
        ("not_judged", "role-not-judged"),
    ];
    html! {
        @if each(cues).next().is_some() {
            details {
                summary { (words.say("cues")) }
                div.wide tabindex="0" role="region" aria-label=(words.say("cues")) {
                    table {
                        thead { tr {
                            @for name in ["cue", "state", "result"] { th scope="col" { (words.say(name)) } }
                        } }
                        tbody { @for (role, word) in roles {
                            @for cue in each(cues).filter(|cue| cue["role"] == role) { tr {
                                th scope="row" { (cue["name"].as_str().unwrap_or_default()) }
                                td {
                                    (words.say(word))
                                    @if let Some(score) = cue["score"].as_f64().filter(|_| role == "counts") {
                                        " " meter min="0" max="1" value=(score) aria-label=(words.say(word)) { (format!("{score:.2}")) }
                                    }
                                }
                                td { (cue["sentence"].as_str().unwrap_or_default()) }
                            } }
                        } }
                    }
                }
            }
        }
    }
}

/// A line over time, from 0 at the bottom to 1 at the top. Its labels are text, which keeps its size.
fn timeline(label: &str, points: &Value) -> Markup {
    let points: Vec<(f64, f64)> = each(points)
        .filter_map(|point| Some((point[0].as_f64()?, point[1].as_f64()?)))
        .collect();
    let [(first, _), .., (last, _)] = points[..] else {
        return html! {};
    };
    let span = (last - first).max(0.001);
    let place = |&(secs, value): &(f64, f64)| {
        let (x, y) = ((secs - first) / span, 1.0 - value.clamp(0.0, 1.0));
        format!("{:.1},{:.1}", 100.0 * x, 100.0 * y)
    };
    let line: Vec<String> = points.iter().map(place).collect();
    html! {
        div.timeline {
            div.scale aria-hidden="true" { span { "100 %" } span { "50 %" } span { "0 %" } }
            svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label=(label) {
                @for y in [0, 50, 100] { line.grid x1="0" x2="100" y1=(y) y2=(y) {} }
                polyline.line points=(line.join(" ")) {}
            }
            div.from-to { span { (format!("{first:.1} s")) } span { (format!("{last:.1} s")) } }
        }
    }
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}
