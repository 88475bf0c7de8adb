//! How well the same voice is known again, through what recordings do to it.
//!
//! There is one sentence of each reader, so that a pair of one person is its two halves, of the same session: across
//! sessions nothing is measured. Thresholds are chosen on readers who are not for reporting, each half of
//! them in a space that was fitted on the other half, for the condition that needs the highest; the others
//! are reported on, in the space in use.

mod clips;
mod pairs;

use std::path::Path;

use anyhow::{Context as _, Result};
use effigy_model::{Voice, Weights};
use effigy_sound::{Listener, Networks, RATE_HZ};

use crate::data::speech::{Condition, Reader, readers};
use crate::fit::voices::{Space, leading_voice, networks, voices};
use crate::statistics::{Interval, equal_error_rate, with_interval};
use pairs::{Pairs, likelihood_ratio};

/// Rates of false matches that thresholds are chosen for.
const RATES: [f64; 2] = [0.01, 0.001];

/// Voices of one reader: of each condition, of both halves.
type Voices = Vec<[Option<Voice>; 2]>;

/// Some readers with their voices.
struct Heard {
    of_readers: Vec<Voices>,
}

/// Prints errors by condition and by seconds of speech, thresholds, and what clips are alike.
pub(crate) fn measure(data: &Path) -> Result<()> {
    let all = readers(data)?;
    let (reported, chosen_on): (Vec<&Reader>, Vec<&Reader>) =
        all.iter().partition(|reader| reader.is_for_reporting());
    println!(
        "{} readers to choose on, {} to report on; pairs of one person are halves of one sentence, of one session",
        chosen_on.len(),
        reported.len()
    );
    let crossed = crossed(&chosen_on)?;
    let in_use = Networks::load(&Weights::from_source_tree()?)?;
    let whole = |reader: &Reader, half: usize| reader.halves()[half].to_vec();
    let told = Heard::of(&reported, &in_use, &whole)?;
    let choosing: Vec<Heard> = crossed
        .iter()
        .map(|(readers, networks)| Heard::of(readers, networks, &whole))
        .collect::<Result<_>>()?;
    let thresholds = choose(&choosing)?;
    let clean = by_condition(&choosing, &told, &thresholds)?;
    by_seconds(&crossed, &reported, &in_use)?;
    high_shares(&chosen_on, &in_use)?;
    let two = several(&reported, &in_use)?;
    clips::measure(data, &in_use, thresholds[0])?;
    println!(
        "\nchosen by hand on readers who are not for reporting: one of 13 spaces, of 3 levels, of 10 thresholds for joining windows"
    );
    let line = serde_json::json!({
        "readers": reported.len(), "eer": clean.value, "eer_low": clean.low, "eer_high": clean.high,
        "thresholds": thresholds, "two_voices_found": two,
    });
    println!("{line}");
    Ok(())
}

/// Prints how much of the power lies above 4 kHz, which tells telephones: at the least and at the most.
fn high_shares(readers: &[&Reader], networks: &Networks) -> Result<()> {
    println!("\nshare of power above 4 kHz, of those to choose on, at the least and at the most:");
    for condition in [Condition::Clean, Condition::Telephone] {
        let (mut least, mut most) = (1.0_f32, 0.0_f32);
        for reader in readers {
            let mut listener = Listener::new(networks);
            listener.hear(&condition.of(&reader.samples, u64::from(reader.number)))?;
            let share = listener.finish().high_share;
            (least, most) = (least.min(share), most.max(share));
        }
        println!("{}: {least:.1e}, {most:.1e}", condition.name());
    }
    Ok(())
}

/// Halves of some readers, each with networks whose space was fitted on the other.
fn crossed<'a>(readers: &[&'a Reader]) -> Result<[(Vec<&'a Reader>, Networks); 2]> {
    let plain = networks()?;
    let (even, odd): (Vec<&Reader>, Vec<&Reader>) = readers
        .iter()
        .copied()
        .partition(|reader| (reader.number / 5).is_multiple_of(2));
    let fitted_on = |readers: &[&Reader]| -> Result<Networks> {
        let people = readers.iter().map(|reader| voices(reader, &plain));
        let people = people.collect::<Result<Vec<_>>>()?;
        Ok(Networks {
            space: Space::of(&people.iter().collect::<Vec<_>>()).space(),
            ..plain.clone()
        })
    };
    let (of_even, of_odd) = (fitted_on(&even)?, fitted_on(&odd)?);
    Ok([(even, of_odd), (odd, of_even)])
}

impl Heard {
    /// Listens to what `cut` gives of each half of a reader's sentence, in every condition.
    fn of(
        readers: &[&Reader],
        networks: &Networks,
        cut: &dyn Fn(&Reader, usize) -> Vec<f32>,
    ) -> Result<Self> {
        let voices_of = |reader: &&Reader| -> Result<Voices> {
            let of_condition = |condition: Condition| -> Result<[Option<Voice>; 2]> {
                let voice = |half: usize| {
                    let samples = condition.of(&cut(reader, half), u64::from(reader.number));
                    leading_voice(&samples, networks)
                };
                Ok([voice(0)?, voice(1)?])
            };
            Condition::ALL.into_iter().map(of_condition).collect()
        };
        Ok(Self {
            of_readers: readers.iter().map(voices_of).collect::<Result<_>>()?,
        })
    }

    /// Compares first halves in one condition with second halves in another.
    fn pairs(&self, conditions: [Condition; 2]) -> Pairs {
        let mut pairs = Pairs::default();
        for (i, a) in self.of_readers.iter().enumerate() {
            for (j, b) in self.of_readers.iter().enumerate() {
                let [first, second] = conditions.map(|condition| condition as usize);
                match (&a[first][0], &b[second][1]) {
                    (Some(a), Some(b)) => pairs.add(a.similarity(b), i, j),
                    _ => pairs.n_unheard += 1,
                }
            }
        }
        pairs
    }
}

/// The same condition twice, and clean sound against each.
fn compared() -> Vec<[Condition; 2]> {
    let same = Condition::ALL.into_iter().map(|condition| [condition; 2]);
    let mixed = Condition::ALL.into_iter().skip(1);
    let mixed = mixed.map(|condition| [Condition::Clean, condition]);
    same.chain(mixed).collect()
}

fn name([a, b]: [Condition; 2]) -> String {
    if a == b {
        a.name().to_owned()
    } else {
        format!("{} against {}", a.name(), b.name())
    }
}

fn joined(choosing: &[Heard], conditions: [Condition; 2]) -> Pairs {
    let mut all = Pairs::default();
    choosing
        .iter()
        .for_each(|heard| all.join(heard.pairs(conditions)));
    all
}

/// Chooses the threshold for each rate: that of the conditions which need the highest.
fn choose(choosing: &[Heard]) -> Result<Vec<f32>> {
    let mut chosen = Vec::new();
    println!("\nthresholds = [");
    for rate in RATES {
        let of_conditions = compared().into_iter().filter_map(|conditions| {
            let threshold = joined(choosing, conditions).threshold_at(rate)?;
            Some((threshold, conditions))
        });
        let worst = of_conditions.max_by(|a, b| a.0.total_cmp(&b.0));
        let (threshold, conditions) = worst.context("there are too few pairs")?;
        println!(
            "    {{ false_match_rate = {rate}, similarity = {threshold:.3} }}, # chosen for {}",
            name(conditions)
        );
        chosen.push(threshold);
    }
    println!("]");
    let mut all = Pairs::default();
    compared()
        .into_iter()
        .for_each(|conditions| all.join(joined(choosing, conditions)));
    let (at, slope) = likelihood_ratio(&all);
    println!("likelihood_ratio = {{ at = {at:.3}, slope = {slope:.1} }}");
    Ok(chosen)
}

/// Prints errors of each comparison, and gives the equal error rate of clean sound of those reported on.
fn by_condition(choosing: &[Heard], told: &Heard, thresholds: &[f32]) -> Result<Interval> {
    println!(
        "\nEER of those to choose on; of those to report on, with 95 % interval; and of these, at each threshold, \
         strangers and same pairs that pass:"
    );
    let mut clean = None;
    for conditions in compared() {
        let (chosen_on, reported) = (joined(choosing, conditions), told.pairs(conditions));
        let eer = with_interval(&reported.judged(), equal_error_rate).context("no pairs")?;
        clean.get_or_insert(eer);
        let rates = thresholds.iter().map(|&threshold| {
            format!(
                "; {:.3}: {:.4} / {:.3}",
                threshold,
                reported.false_rate(threshold),
                reported.true_rate(threshold)
            )
        });
        println!(
            "{}: {:.4}; {:.4} [{:.4}, {:.4}]{}{}",
            name(conditions),
            equal_error_rate(&chosen_on.judged()).unwrap_or(1.0),
            eer.value,
            eer.low,
            eer.high,
            rates.collect::<String>(),
            match reported.n_unheard {
                0 => String::new(),
                n => format!("; {n} pairs without speech"),
            }
        );
    }
    clean.context("nothing was compared")
}

/// Prints errors by how long somebody speaks.
fn by_seconds(
    crossed: &[(Vec<&Reader>, Networks)],
    reported: &[&Reader],
    in_use: &Networks,
) -> Result<()> {
    println!(
        "\nby seconds of speech in both cuts, clean: EER of those to choose on; of those to report on:"
    );
    for secs in [1.0, 1.6, 2.0, 3.0] {
        let of = |readers: &[&Reader], networks: &Networks| -> Result<Pairs> {
            let mut cuts = Vec::new();
            for reader in readers {
                let [a, b] = reader.halves();
                let voice = |half: &[f32]| leading_voice(&spoken(half, secs, networks)?, networks);
                cuts.push([voice(a)?, voice(b)?]);
            }
            let heard = Heard {
                of_readers: cuts.into_iter().map(|cut| vec![cut]).collect(),
            };
            Ok(heard.pairs([Condition::Clean; 2]))
        };
        let mut chosen_on = Pairs::default();
        for (readers, networks) in crossed {
            chosen_on.join(of(readers, networks)?);
        }
        let told = of(reported, in_use)?;
        println!(
            "{secs} s: {:.4}; {:.4}; {} of {} pairs without speech",
            equal_error_rate(&chosen_on.judged()).unwrap_or(1.0),
            equal_error_rate(&told.judged()).unwrap_or(1.0),
            chosen_on.n_unheard + told.n_unheard,
            chosen_on.n() + told.n(),
        );
    }
    Ok(())
}

/// The first part of some sound in which somebody speaks for so long.
fn spoken(samples: &[f32], secs: f64, networks: &Networks) -> Result<Vec<f32>> {
    let mut listener = Listener::new(networks);
    listener.hear(samples)?;
    let mut left = secs;
    let mut end_secs = 0.0;
    for stretch in listener.finish().speech {
        let length = stretch.to_secs - stretch.from_secs;
        end_secs = stretch.from_secs + length.min(left);
        left -= length;
        if left <= 0.0 {
            break;
        }
    }
    let n = (end_secs * f64::from(RATE_HZ)) as usize;
    Ok(samples[..n.min(samples.len())].to_vec())
}

/// Prints how many voices are found where one reader speaks, and two do one after the other; gives the share of the
/// latter in which it is two.
fn several(reported: &[&Reader], networks: &Networks) -> Result<f64> {
    let n_voices = |samples: &[f32]| -> Result<usize> {
        let mut listener = Listener::new(networks);
        listener.hear(samples)?;
        Ok(listener.finish().speakers.len())
    };
    let (mut of_one, mut of_two) = (0, 0);
    for (i, reader) in reported.iter().enumerate() {
        let next = reported[(i + 1) % reported.len()];
        of_one += usize::from(n_voices(&reader.samples)? == 1);
        let both = [&reader.samples[..], &next.samples[..]].concat();
        of_two += usize::from(n_voices(&both)? == 2);
    }
    let n = reported.len();
    println!(
        "\none reader is heard as one voice in {of_one} of {n}; two, one after the other, as two in {of_two}"
    );
    Ok(of_two as f64 / n as f64)
}
