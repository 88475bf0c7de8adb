//! The tables of `eval scan`: judged across people, with intervals.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use effigy_detect::CueKind;
use effigy_detect::calibration::{Calibration, sigmoid};
use serde::Serialize;

use super::Scanned;
use super::tone::Tone;
use crate::data::footage::Truth;
use crate::fit::fuse::{ClipMeasures, calibrate, probability};
use crate::fit::traces::{N_FOLDS, fold_of};
use crate::statistics::{
    Interval, Judged, auc, calibration_error, equal_error_rate, true_rate_at, with_interval,
};

/// Everything that was scanned, each with the calibration that never saw its person.
pub(super) struct Table<'a> {
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    change: &'a str,
    reading: &'a ClipMeasures,
    calibration: Calibration,
    group: usize,
}

/// Which real footage swaps are told from.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
enum Against {
    /// What they were made of.
    #[serde(rename = "originals")]
    Originals,
    /// All of it.
    #[serde(rename = "all real")]
    AllReal,
}

/// One line of the table, as JSON.
#[derive(Serialize)]
struct Line {
    cue: String,
    change: String,
    against: Against,
    n_fake: usize,
    n_real: usize,
    auc: [f64; 3],
    eer: f64,
    tpr_at_fmr_1: f64,
    calibration_error: Option<f64>,
}

/// How real or generated footage of one source is called.
#[derive(Serialize)]
struct Calls {
    source: String,
    truth: Truth,
    n_judged: usize,
    n_not_judged: usize,
    n_signs: usize,
    n_inconclusive: usize,
    n_no_signs: usize,
}

const CLEAN: &str = "clean";
const ALL_CUES: &str = "all cues";

impl<'a> Table<'a> {
    pub(super) fn new(scanned: &[&'a Scanned]) -> Self {
        let clean: Vec<ClipMeasures> = scanned
            .iter()
            .filter(|s| s.change == CLEAN && s.reading.truth != Truth::Own)
            .map(|s| s.reading.clone())
            .collect();
        let groups: BTreeSet<&str> = scanned.iter().map(|s| s.reading.group.as_str()).collect();
        let numbers: BTreeMap<&str, usize> = groups.into_iter().zip(0..).collect();
        let mut rows = Vec::new();
        for fold in 0..N_FOLDS {
            let calibration = calibrate(&clean, &|group| fold_of(group) != fold);
            let theirs = scanned.iter().filter(|s| fold_of(&s.reading.group) == fold);
            rows.extend(theirs.map(|s| Row {
                change: &s.change,
                reading: &s.reading,
                calibration: calibration.clone(),
                group: numbers[s.reading.group.as_str()],
            }));
        }
        Self { rows }
    }

    pub(super) fn print(&self) -> Result<()> {
        let mut lines = Vec::new();
        println!("Swaps against their originals, by cue");
        let cues = CueKind::ALL.iter().map(|cue| cue.name()).chain([ALL_CUES]);
        for cue in cues.clone() {
            lines.extend(self.line(cue, CLEAN, Against::Originals));
        }
        println!("Swaps against all real footage");
        for cue in cues {
            lines.extend(self.line(cue, CLEAN, Against::AllReal));
        }
        println!("Swaps against their originals, all cues and blending alone, after a change");
        let changes: BTreeSet<&str> = self.rows.iter().map(|row| row.change).collect();
        for change in changes {
            for cue in [ALL_CUES, CueKind::Blending.name(), CueKind::Noise.name()] {
                lines.extend(self.line(cue, change, Against::Originals));
            }
        }
        self.print_own();
        let calls = self.calls();
        println!("What is said of each source, unchanged");
        for c in &calls {
            println!(
                "{:<12} {:<9} {:3} judged ({} not): {} signs, {} inconclusive, {} no signs",
                c.source,
                format!("{:?}", c.truth).to_lowercase(),
                c.n_judged,
                c.n_not_judged,
                c.n_signs,
                c.n_inconclusive,
                c.n_no_signs
            );
        }
        println!("{}", serde_json::json!({ "scan": lines, "calls": calls }));
        Ok(())
    }

    /// Prints errors by how light skin looks. A swap counts with its original: the performer's head
    /// is around it.
    pub(super) fn print_tones(&self, tones: &BTreeMap<&str, Option<Tone>>) {
        println!("By tone of skin, as it looks in the light of the clip; sex is not annotated");
        let tone_of = |reading: &ClipMeasures| {
            let original = reading.name.replace("/swap", "/original");
            tones.get(original.as_str()).copied().flatten()
        };
        for tone in Tone::ALL {
            let rows = self.rows.iter().filter(|row| row.change == CLEAN);
            let rows: Vec<&Row<'_>> = rows.filter(|r| tone_of(r.reading) == Some(tone)).collect();
            let judged = |against: Against| -> Vec<Judged> {
                let rows = rows.iter().filter(|row| row.is_wanted(against));
                rows.filter_map(|row| row.judged(ALL_CUES)).collect()
            };
            let real = rows.iter().filter(|row| row.reading.truth == Truth::Real);
            let probabilities = real.filter_map(|row| {
                let from = row.calibration.signs_from;
                probability(&row.calibration, row.reading).map(|p| from <= p)
            });
            let (mut n, mut n_signs) = (0, 0);
            for has_signs in probabilities {
                n += 1;
                n_signs += u32::from(has_signs);
            }
            println!("{tone:?}: {n_signs} of {n} real ones show signs");
            for (against, name) in [
                (Against::Originals, "originals"),
                (Against::AllReal, "all real ones"),
            ] {
                let judged = judged(against);
                let n_swaps = judged.iter().filter(|j| j.fake).count();
                if let Some(area) = with_interval(&judged, auc) {
                    let Interval { value, low, high } = area;
                    println!(
                        "  {n_swaps} swaps against {name}: AUC {value:.2} [{low:.2}, {high:.2}]"
                    );
                }
            }
        }
    }

    /// Prints how well swaps of our own are distinguished from real footage by their pixels alone.
    fn print_own(&self) {
        let rows = self.rows.iter().filter(|row| row.change == CLEAN);
        let wanted = rows.filter(|r| matches!(r.reading.truth, Truth::Own | Truth::Real));
        let judged: Vec<Judged> = wanted.filter_map(|row| row.judged(ALL_CUES)).collect();
        let n_own = judged.iter().filter(|j| j.fake).count();
        if let Some(area) = with_interval(&judged, auc) {
            let Interval { value, low, high } = area;
            println!(
                "{n_own} swaps of our own, marks not looked at, against {} real: AUC {value:.2} \
                 [{low:.2}, {high:.2}]",
                judged.len() - n_own
            );
        }
    }

    /// Prints and gives one line; `None` where there is nothing to tell apart.
    fn line(&self, cue: &str, change: &str, against: Against) -> Option<Line> {
        let judged = self.judged(cue, change, against);
        let area = with_interval(&judged, auc)?;
        let eer = equal_error_rate(&judged)?;
        let found = true_rate_at(&judged, 0.01)?;
        let error = (cue == ALL_CUES).then(|| calibration_error(&judged));
        let n_fake = judged.iter().filter(|j| j.fake).count();
        let Interval { value, low, high } = area;
        let calibrated = error.map_or_else(String::new, |e| format!("  calibration off by {e:.3}"));
        println!(
            "{cue:<12} {change:<12} AUC {value:.3} [{low:.3}, {high:.3}]  EER {eer:.3}  \
             TPR at FMR 1 % {found:.3}{calibrated}  ({n_fake} and {})",
            judged.len() - n_fake
        );
        Some(Line {
            cue: cue.to_owned(),
            change: change.to_owned(),
            against,
            n_fake,
            n_real: judged.len() - n_fake,
            auc: [value, low, high],
            eer,
            tpr_at_fmr_1: found,
            calibration_error: error,
        })
    }

    fn judged(&self, cue: &str, change: &str, against: Against) -> Vec<Judged> {
        let wanted = |row: &&Row<'_>| row.change == change && row.is_wanted(against);
        let wanted = self.rows.iter().filter(wanted);
        wanted.filter_map(|row| row.judged(cue)).collect()
    }

    fn calls(&self) -> Vec<Calls> {
        let mut calls: BTreeMap<(String, Truth), Calls> = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.change == CLEAN) {
            let source = row.reading.name.split('/').next().unwrap_or_default();
            let key = (source.to_owned(), row.reading.truth);
            let calls = calls.entry(key).or_insert_with(|| Calls {
                source: source.to_owned(),
                truth: row.reading.truth,
                n_judged: 0,
                n_not_judged: 0,
                n_signs: 0,
                n_inconclusive: 0,
                n_no_signs: 0,
            });
            let Some(probability) = probability(&row.calibration, row.reading) else {
                calls.n_not_judged += 1;
                continue;
            };
            calls.n_judged += 1;
            if row.calibration.signs_from <= probability {
                calls.n_signs += 1;
            } else if probability <= row.calibration.no_signs_to {
                calls.n_no_signs += 1;
            } else {
                calls.n_inconclusive += 1;
            }
        }
        calls.into_values().collect()
    }
}

impl Row<'_> {
    /// Swaps beside their originals, with all other real footage or without.
    fn is_wanted(&self, against: Against) -> bool {
        let of_pair = self.reading.name.starts_with("dfl-pairs");
        match self.reading.truth {
            Truth::Swap => of_pair,
            Truth::Real => of_pair || against == Against::AllReal,
            Truth::Generated | Truth::Dubbed | Truth::Own => false,
        }
    }

    fn judged(&self, cue: &str) -> Option<Judged> {
        Some(Judged {
            score: f64::from(self.score(cue)?),
            fake: matches!(self.reading.truth, Truth::Swap | Truth::Own),
            group: self.group,
        })
    }

    fn score(&self, cue: &str) -> Option<f32> {
        if cue == ALL_CUES {
            return probability(&self.calibration, self.reading);
        }
        let known = self
            .calibration
            .cue
            .iter()
            .find(|known| known.name == cue)?;
        Some(sigmoid(known.logit(self.reading.measures.get(cue)?)))
    }
}
