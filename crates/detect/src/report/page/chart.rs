//! Charts as SVG inside the page.

use std::fmt::Write as _;

use crate::report::HeardVoice;

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 110.0;
const LEFT: f64 = 44.0;
const BOTTOM: f64 = 20.0;

/// A scale from 0 to 100 % with a pointer, in the colours and words of the verdicts.
pub(super) fn gauge(probability: f32, no_signs_to: f32, signs_from: f32) -> String {
    let x = |share: f32| 400.0 * share.clamp(0.0, 1.0);
    let zone = |from: f32, to: f32, colour: &str, words: &str| {
        let (left, width) = (x(from), x(to) - x(from));
        format!(
            "<rect x=\"{left:.0}\" y=\"10\" width=\"{width:.0}\" height=\"10\" fill=\"{colour}\"/>\
             <text x=\"{:.0}\" y=\"33\" text-anchor=\"middle\">{words}</text>",
            left + 0.5 * width
        )
    };
    let pointer = x(probability);
    format!(
        "<svg viewBox=\"-8 0 416 38\" width=\"416\" font-size=\"11\" fill=\"#566\" role=\"img\" \
         aria-label=\"{:.0} %\">{}{}{}<path d=\"M{pointer:.0} 22l-7-18h14z\" fill=\"#1c2430\"/></svg>",
        100.0 * probability,
        zone(0.0, no_signs_to, "#2e8b57", "no signs"),
        zone(no_signs_to, signs_from, "#e5c04b", "inconclusive"),
        zone(signs_from, 1.0, "#c0392b", "signs"),
    )
}

/// A short bar for a score; grey where it says nothing either way.
pub(super) fn bar(score: f32) -> String {
    let width = 100.0 * score.clamp(0.0, 1.0);
    let colour = match score {
        s if s < 0.35 => "#2e8b57",
        s if s < 0.65 => "#8a94a3",
        s if s < 0.8 => "#d79b00",
        _ => "#c0392b",
    };
    format!(
        "<svg viewBox=\"0 0 100 14\" width=\"100\" role=\"img\" aria-label=\"{width:.0} of 100\">\
         <rect width=\"100\" height=\"14\" rx=\"3\" fill=\"#e3e6ea\"/>\
         <rect width=\"{width:.0}\" height=\"14\" rx=\"3\" fill=\"{colour}\"/></svg>"
    )
}

/// A score that does not count: a thin mark without a colour that would judge.
pub(super) fn mark(score: f32) -> String {
    let x = 2.0 + 96.0 * score.clamp(0.0, 1.0);
    format!(
        "<svg viewBox=\"0 0 100 14\" width=\"100\" role=\"img\" aria-label=\"{:.0} of 100, not counted\">\
         <path d=\"M1 7H99\" stroke=\"#c5cad1\"/><circle cx=\"{x:.0}\" cy=\"7\" r=\"3\" fill=\"none\" \
         stroke=\"#8a94a3\"/></svg>",
        100.0 * score
    )
}

/// The probability over the time of the whole file.
pub(super) fn timeline(points: &[[f64; 2]], duration_secs: f64) -> String {
    let last = points.last().map_or(0.0, |p| p[0]);
    let duration = duration_secs.max(last).max(1e-3);
    let x = |secs: f64| LEFT + (WIDTH - LEFT - 8.0) * secs / duration;
    let y = |share: f64| 6.0 + (HEIGHT - BOTTOM - 6.0) * (1.0 - share.clamp(0.0, 1.0));
    let mut path = String::new();
    for [secs, probability] in points {
        let step = if path.is_empty() { 'M' } else { 'L' };
        let written = write!(path, "{step}{:.1} {:.1}", x(*secs), y(*probability));
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    let line = |share: f64| {
        let (y, label) = (y(share), 100.0 * share);
        format!(
            "<path d=\"M{LEFT} {y:.1}H{:.1}\" stroke=\"#e3e6ea\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label:.0} %</text>",
            WIDTH - 8.0,
            LEFT - 4.0,
            y + 4.0
        )
    };
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" font-size=\"11\" fill=\"#566\" \
         role=\"img\" aria-label=\"probability over time\">{}{}{}<path d=\"{path}\" fill=\"none\" \
         stroke=\"#23507e\" stroke-width=\"2\"/><text x=\"{LEFT}\" y=\"{HEIGHT}\" dy=\"-4\">0 s</text>\
         <text x=\"{:.1}\" y=\"{HEIGHT}\" dy=\"-4\" text-anchor=\"end\">{duration:.1} s</text></svg>",
        line(0.0),
        line(0.5),
        line(1.0),
        WIDTH - 8.0
    )
}

/// A line for each voice, filled where it speaks, over the time of the whole file.
pub(super) fn voices(voices: &[HeardVoice], duration_secs: f64) -> String {
    const ROW: f64 = 22.0;
    const LEFT: f64 = 120.0;
    let ends = voices.iter().flat_map(|voice| &voice.stretches);
    let last = ends.map(|[_, to]| *to).fold(duration_secs, f64::max);
    let duration = last.max(1e-3);
    let x = |secs: f64| LEFT + (WIDTH - LEFT - 8.0) * secs / duration;
    let height = ROW * voices.len() as f64 + BOTTOM;
    let mut rows = String::new();
    for (i, voice) in voices.iter().enumerate() {
        let top = ROW * i as f64 + 4.0;
        let written = write!(
            rows,
            "<text x=\"0\" y=\"{:.0}\">voice {}, {:.1} s</text><path d=\"M{LEFT} {:.0}H{:.0}\" \
             stroke=\"#e3e6ea\"/><path d=\"{}\" fill=\"#23507e\"/>",
            top + 11.0,
            i + 1,
            voice.secs,
            top + 7.0,
            WIDTH - 8.0,
            boxes(&voice.stretches, &x, top)
        );
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" font-size=\"11\" fill=\"#566\" role=\"img\" \
         aria-label=\"who speaks when\">{rows}<text x=\"{LEFT}\" y=\"{height}\" dy=\"-4\">0 s</text>\
         <text x=\"{:.0}\" y=\"{height}\" dy=\"-4\" text-anchor=\"end\">{duration:.1} s</text></svg>",
        WIDTH - 8.0
    )
}

/// A box for each stretch; what lies closer together than can be seen becomes one.
fn boxes(stretches: &[[f64; 2]], x: &dyn Fn(f64) -> f64, top: f64) -> String {
    const CLOSE: f64 = 0.5;
    let mut joined: Vec<[f64; 2]> = Vec::new();
    for [from, to] in stretches.iter().map(|[from, to]| [x(*from), x(*to)]) {
        match joined.last_mut() {
            Some([_, end]) if from - *end < CLOSE => *end = end.max(to),
            _ => joined.push([from, to]),
        }
    }
    let mut path = String::new();
    for [from, to] in joined {
        let written = write!(
            path,
            "M{from:.1} {top:.0}H{:.1}v14H{from:.1}z",
            to.max(from + 1.0)
        );
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    path
}
