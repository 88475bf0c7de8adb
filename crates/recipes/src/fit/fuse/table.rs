//! How well cues tell fakes from real faces, each page judged by weights that were fitted without it.

use std::collections::{BTreeMap, BTreeSet};

use effigy_detect::CueKind;
use effigy_detect::calibration::{Calibration, sigmoid};

use super::{ClipMeasures, Truth, calibrate, probability};
use crate::data::footage::Kind;
use crate::fit::traces::{N_FOLDS, fold_of, is_chosen_on};
use crate::statistics::{self, Interval, calibration_error, with_interval};

/// A reading with the calibration that never saw its group.
struct Row<'a> {
    reading: &'a ClipMeasures,
    calibration: Calibration,
    group: usize,
}

/// Which groups are meant.
type Wanted = fn(&str) -> bool;

type Score<'a> = &'a dyn Fn(&Row<'_>) -> Option<f32>;

/// Prints, cross-validated, how well each cue and all together tell fakes from real faces.
pub(super) fn print(readings: &[ClipMeasures]) {
    let rows = rows(readings);
    let halves: [(&str, Wanted); 2] = [
        ("all pages", |_| true),
        ("the half without the last choices", |group| {
            !is_chosen_on(group)
        }),
    ];
    for (name, wanted) in halves {
        println!("{name}");
        let rows: Vec<&Row<'_>> = rows.iter().filter(|r| wanted(&r.reading.group)).collect();
        for cue in CueKind::ALL.iter().map(|cue| cue.name()) {
            let score = |row: &Row<'_>| {
                let known = row.calibration.cue.iter().find(|known| known.name == cue)?;
                Some(sigmoid(known.logit(row.reading.measures.get(cue)?)))
            };
            print_cue(cue, &rows, &score);
        }
        print_cue("all", &rows, &|row| {
            probability(&row.calibration, row.reading)
        });
        print_calls(&rows);
    }
}

/// Every reading with what was fitted to the other folds.
fn rows(readings: &[ClipMeasures]) -> Vec<Row<'_>> {
    let groups: BTreeSet<&str> = readings.iter().map(|r| r.group.as_str()).collect();
    let numbers: BTreeMap<&str, usize> = groups.into_iter().zip(0..).collect();
    let mut rows = Vec::new();
    for fold in 0..N_FOLDS {
        let calibration = calibrate(readings, &|group| fold_of(group) != fold);
        let theirs = readings.iter().filter(|r| fold_of(&r.group) == fold);
        rows.extend(theirs.map(|reading| Row {
            reading,
            calibration: calibration.clone(),
            group: numbers[reading.group.as_str()],
        }));
    }
    rows
}

/// Fakes of one kind.
type IsOfKind = fn(&ClipMeasures) -> bool;

const KINDS: [(&str, IsOfKind); 6] = [
    ("DeepFaceLab", |r| maker(r) == Some("deepfacelab")),
    ("other swaps", |r| {
        kind(r) == Some(Kind::Swap) && maker(r) != Some("deepfacelab")
    }),
    ("lip-sync", |r| kind(r) == Some(Kind::LipSync)),
    ("talking heads", |r| kind(r) == Some(Kind::Talking)),
    ("reenacted", |r| kind(r) == Some(Kind::Reenacted)),
    ("StyleGAN2", |r| {
        r.truth == Truth::Generated && kind(r).is_none()
    }),
];

fn kind(reading: &ClipMeasures) -> Option<Kind> {
    Some(reading.fake.as_ref()?.kind)
}

fn maker(reading: &ClipMeasures) -> Option<&str> {
    Some(reading.fake.as_ref()?.maker.as_str())
}

fn is_real(reading: &ClipMeasures) -> bool {
    reading.truth == Truth::Real
}

fn print_cue(name: &str, rows: &[&Row<'_>], score: Score<'_>) {
    let judged = |is_fake: &dyn Fn(&ClipMeasures) -> bool| -> Vec<statistics::Judged> {
        let wanted = rows
            .iter()
            .filter(|row| is_real(row.reading) || is_fake(row.reading));
        let judged = wanted.filter_map(|row| {
            Some(statistics::Judged {
                score: f64::from(score(row)?),
                fake: !is_real(row.reading),
                group: row.group,
            })
        });
        judged.collect()
    };
    let all = judged(&|r| !matches!(r.truth, Truth::Real | Truth::Dubbed));
    let Some(area) = with_interval(&all, statistics::auc) else {
        return;
    };
    let Interval { value, low, high } = area;
    let n_fakes = all.iter().filter(|j| j.fake).count();
    let (n_higher, n_pairs) = order(rows, score);
    println!(
        "  {name:<12} AUC {value:.3} [{low:.3}, {high:.3}] over {n_fakes} fakes and {} real; higher \
         than its original in {n_higher} of {n_pairs}; calibration off by {:.3}",
        all.len() - n_fakes,
        calibration_error(&all),
    );
    let mut parts = Vec::new();
    for (kind, is_of_kind) in KINDS {
        let judged = judged(&|reading| is_of_kind(reading));
        if let Some(area) = statistics::auc(&judged) {
            parts.push(format!("{kind} {area:.2}"));
        }
    }
    println!("  {:<12} {}", "", parts.join(", "));
}

/// In how many pairs a fake scores higher than what it was made of.
fn order(rows: &[&Row<'_>], score: Score<'_>) -> (usize, usize) {
    let (mut n_higher, mut n_pairs) = (0, 0);
    for row in rows {
        let original = row
            .reading
            .fake
            .as_ref()
            .and_then(|fake| fake.original.as_deref());
        let original = rows
            .iter()
            .find(|other| Some(other.reading.name.as_str()) == original);
        let both = original.and_then(|original| score(original).zip(score(row)));
        if let Some((of_original, of_fake)) = both {
            n_pairs += 1;
            n_higher += usize::from(of_original < of_fake);
        }
    }
    (n_higher, n_pairs)
}

/// What is said of each source and kind, and what no false alarm among so many proves.
fn print_calls(rows: &[&Row<'_>]) {
    let mut calls: BTreeMap<String, [u32; 4]> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.reading.truth != Truth::Dubbed) {
        let found = KINDS.iter().find(|(_, is_of_kind)| is_of_kind(row.reading));
        let source = row.reading.name.split('/').next().unwrap_or_default();
        let name = found.map_or_else(|| format!("real, {source}"), |(kind, _)| (*kind).to_owned());
        let counts = calls.entry(name).or_default();
        let Some(probability) = probability(&row.calibration, row.reading) else {
            counts[3] += 1;
            continue;
        };
        counts[0] += u32::from(row.calibration.signs_from <= probability);
        counts[1] += u32::from(probability <= row.calibration.no_signs_to);
        counts[2] += 1;
    }
    let (mut n_real, mut n_alarms) = (0, 0);
    for (name, [n_signs, n_none, n, n_not]) in calls {
        println!("  {name:<18} {n} judged ({n_not} not): {n_signs} signs, {n_none} no signs");
        if name.starts_with("real") {
            (n_real, n_alarms) = (n_real + n, n_alarms + n_signs);
        }
    }
    println!(
        "  real: {n_alarms} of {n_real} show signs; with 95 % certainty no more than {:.1} % do",
        100.0 * statistics::upper_bound(n_alarms, n_real)
    );
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
