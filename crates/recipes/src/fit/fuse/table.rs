//! How well cues tell fakes from real faces, each person judged by weights that were fitted without them.

use std::collections::{BTreeMap, BTreeSet};

use effigy_detect::CueKind;
use effigy_detect::calibration::{Calibration, sigmoid};

use super::{ClipMeasures, Truth, calibrate, probability};
use crate::statistics;

/// Prints, cross-validated, how well each cue and all together tell swaps from real faces.
pub(super) fn print(readings: &[ClipMeasures]) {
    let groups: BTreeSet<&str> = readings.iter().map(|r| r.group.as_str()).collect();
    let mut judged: Vec<(&ClipMeasures, Calibration)> = Vec::new();
    for group in groups {
        let calibration = calibrate(readings, &|other| other != group);
        let theirs = readings.iter().filter(|r| r.group == group);
        judged.extend(theirs.map(|r| (r, calibration.clone())));
    }
    for cue in CueKind::ALL.iter().map(|cue| cue.name()) {
        let score = |(r, c): &(&ClipMeasures, Calibration)| {
            let known = c.cue.iter().find(|known| known.name == cue)?;
            Some(sigmoid(known.logit(r.measures.get(cue)?)))
        };
        print_row(cue, &judged, &score);
    }
    print_row("all", &judged, &|(r, c)| probability(c, r));
    print_false_alarms(&judged);
}

type Judged<'a> = (&'a ClipMeasures, Calibration);

fn print_row(name: &str, judged: &[Judged<'_>], score: &dyn Fn(&Judged<'_>) -> Option<f32>) {
    let of = |truth: Truth, wanted: &dyn Fn(&str) -> bool| -> Vec<f32> {
        let chosen = judged
            .iter()
            .filter(|(r, _)| r.truth == truth && wanted(&r.name));
        chosen.filter_map(score).collect()
    };
    let pairs = |name: &str| name.contains("dfl-pairs");
    let (swaps, originals) = (of(Truth::Swap, &pairs), of(Truth::Real, &pairs));
    let (real, generated) = (of(Truth::Real, &|_| true), of(Truth::Generated, &|_| true));
    let dubbed = of(Truth::Dubbed, &|_| true);
    if !dubbed.is_empty() {
        println!(
            "{name:<12} dubbed against all real AUC {:.3} ({} and {})",
            auc(&dubbed, &real),
            dubbed.len(),
            real.len()
        );
    }
    if swaps.is_empty() {
        return;
    }
    println!(
        "{name:<12} swaps against originals AUC {:.3} ({} and {}), against all real {:.3} ({}), \
         generated against all real {:.3} ({})",
        auc(&swaps, &originals),
        swaps.len(),
        originals.len(),
        auc(&swaps, &real),
        real.len(),
        auc(&generated, &real),
        generated.len()
    );
}

fn print_false_alarms(judged: &[Judged<'_>]) {
    let mut by_source: BTreeMap<(String, Truth), [u32; 3]> = BTreeMap::new();
    for (reading, calibration) in judged {
        let source = reading.name.split('/').next().unwrap_or_default();
        let counts = by_source
            .entry((source.to_owned(), reading.truth))
            .or_default();
        let Some(probability) = probability(calibration, reading) else {
            continue;
        };
        counts[0] += 1;
        counts[1] += u32::from(calibration.signs_from <= probability);
        counts[2] += u32::from(probability <= calibration.no_signs_to);
    }
    for ((source, truth), [n, signs, none]) in by_source {
        println!("{source:<14} {truth:?}: {n} judged, {signs} with signs, {none} without");
    }
}

/// The chance that a positive ranks above a negative; not a number where there are none.
pub(super) fn auc(positives: &[f32], negatives: &[f32]) -> f64 {
    let judged = |fake: bool| {
        move |&score: &f32| statistics::Judged {
            score: f64::from(score),
            fake,
            group: 0,
        }
    };
    let negatives = negatives.iter().map(judged(false));
    let all: Vec<_> = positives
        .iter()
        .map(judged(true))
        .chain(negatives)
        .collect();
    statistics::auc(&all).unwrap_or(f64::NAN)
}
