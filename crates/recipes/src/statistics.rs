//! What a row of scores is worth: AUC, EER, true-positive rate, calibration error, and how far
//! each may be off by chance.
//!
//! Intervals are percentile bootstraps over groups (a clip with its swap, or a person), not over
//! frames: frames of one clip say nearly the same (Efron and Tibshirani, 1993, chapter 13).

use std::collections::BTreeMap;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// One judged thing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judged {
    /// Higher for what looks more like a fake.
    pub(crate) score: f64,
    /// Whether it is one.
    pub(crate) fake: bool,
    /// What it is drawn again together with.
    pub(crate) group: usize,
}

/// A value with the interval that 95 % of the bootstraps lie in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interval {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Pearson's correlation of two rows of numbers; 0 where one does not vary.
pub(crate) fn correlation<'a>(
    a: impl ExactSizeIterator<Item = &'a f64> + Clone,
    b: impl Iterator<Item = &'a f64> + Clone,
) -> f64 {
    let n = a.len().max(1) as f64;
    let (mean_a, mean_b) = (a.clone().sum::<f64>() / n, b.clone().sum::<f64>() / n);
    let (mut both, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        (both, of_a, of_b) = (both + a * b, of_a + a * a, of_b + b * b);
    }
    both / (of_a * of_b).sqrt().max(1e-12)
}

/// How often a fake scores higher than a real one; ties count half. `None` when one kind is
/// missing.
///
/// Hanley and McNeil, "The meaning and use of the area under a ROC curve", 1982.
pub(crate) fn auc(judged: &[Judged]) -> Option<f64> {
    let mut sorted: Vec<&Judged> = judged.iter().collect();
    sorted.sort_by(|a, b| a.score.total_cmp(&b.score));
    let (mut wins, mut n_real_below, mut n_fake) = (0.0, 0.0, 0.0);
    for ties in sorted.chunk_by(|a, b| a.score.total_cmp(&b.score).is_eq()) {
        let fakes = ties.iter().filter(|j| j.fake).count() as f64;
        let reals = ties.len() as f64 - fakes;
        wins += fakes * (n_real_below + 0.5 * reals);
        n_real_below += reals;
        n_fake += fakes;
    }
    let n_pairs = n_fake * n_real_below;
    (n_pairs > 0.0).then(|| wins / n_pairs)
}

/// The error rate where as many reals are called fake as fakes real. `None` when one kind is
/// missing.
pub(crate) fn equal_error_rate(judged: &[Judged]) -> Option<f64> {
    let steps = operating_points(judged)?;
    let mut before = (0.0, 1.0); // called fake: no real, no fake
    for (false_rate, true_rate) in steps {
        let missed = 1.0 - true_rate;
        if false_rate >= missed {
            // Between the two points, where the straight line through them crosses.
            let (gap_before, gap) = (before.1 - before.0, false_rate - missed);
            let share = gap_before / (gap_before + gap).max(f64::MIN_POSITIVE);
            return Some(before.0 + share * (false_rate - before.0));
        }
        before = (false_rate, missed);
    }
    Some(before.0)
}

/// The share of fakes called fake at a threshold that calls at most `most_false` of the reals
/// fake. `None` when one kind is missing.
pub(crate) fn true_rate_at(judged: &[Judged], most_false: f64) -> Option<f64> {
    let steps = operating_points(judged)?;
    let allowed = steps
        .iter()
        .filter(|(false_rate, _)| *false_rate <= most_false);
    Some(allowed.map(|(_, true_rate)| *true_rate).fold(0.0, f64::max))
}

/// How far probabilities are off on average: the expected calibration error over ten bins of equal
/// width (Naeini, Cooper and Hauskrecht, AAAI 2015).
pub(crate) fn calibration_error(judged: &[Judged]) -> f64 {
    const BINS: usize = 10;
    let mut bins = [(0.0, 0.0, 0.0); BINS]; // how many, sum of scores, how many fakes
    for j in judged {
        let bin = ((j.score * BINS as f64) as usize).min(BINS - 1);
        bins[bin].0 += 1.0;
        bins[bin].1 += j.score;
        bins[bin].2 += f64::from(u8::from(j.fake));
    }
    let gaps = bins.iter().map(|(_, scores, fakes)| (scores - fakes).abs());
    gaps.sum::<f64>() / (judged.len() as f64).max(1.0)
}

/// Gives the share that is not exceeded with 95 % certainty when `n_found` of `n` were found: the
/// exact bound of Clopper and Pearson, 1934, one-sided.
pub(crate) fn upper_bound(n_found: u32, n: u32) -> f64 {
    const DOUBT: f64 = 0.05;
    if n <= n_found {
        return 1.0;
    }
    let at_most = |share: f64| {
        let mut term = (1.0 - share).powi(n as i32);
        let mut sum = term;
        for k in 0..n_found {
            term *= f64::from(n - k) / f64::from(k + 1) * share / (1.0 - share);
            sum += term;
        }
        sum
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if DOUBT < at_most(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// A statistic with its bootstrap interval over groups. `None` when it has no value.
pub(crate) fn with_interval(
    judged: &[Judged],
    statistic: impl Fn(&[Judged]) -> Option<f64>,
) -> Option<Interval> {
    const DRAWS: usize = 2000;
    let value = statistic(judged)?;
    let mut groups: BTreeMap<usize, Vec<Judged>> = BTreeMap::new();
    for &j in judged {
        groups.entry(j.group).or_default().push(j);
    }
    let groups: Vec<Vec<Judged>> = groups.into_values().collect();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut draw = || -> Vec<Judged> {
        let picks = (0..groups.len()).map(|_| random.random_range(0..groups.len()));
        picks
            .flat_map(|pick| groups[pick].iter().copied())
            .collect()
    };
    let mut values: Vec<f64> = (0..DRAWS).filter_map(|_| statistic(&draw())).collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    Some(Interval {
        value,
        low: at(0.025),
        high: at(0.975),
    })
}

/// For each threshold from the highest score down: the shares of reals and of fakes called fake.
fn operating_points(judged: &[Judged]) -> Option<Vec<(f64, f64)>> {
    let n_fake = judged.iter().filter(|j| j.fake).count() as f64;
    let n_real = judged.len() as f64 - n_fake;
    if n_fake < 1.0 || n_real < 1.0 {
        return None;
    }
    let mut sorted: Vec<&Judged> = judged.iter().collect();
    sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
    let (mut reals, mut fakes) = (0.0, 0.0);
    let points = sorted
        .chunk_by(|a, b| a.score.total_cmp(&b.score).is_eq())
        .map(|ties| {
            let more = ties.iter().filter(|j| j.fake).count() as f64;
            fakes += more;
            reals += ties.len() as f64 - more;
            (reals / n_real, fakes / n_fake)
        });
    Some(points.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_of_149_promises_two_in_a_hundred() {
        assert!((upper_bound(0, 149) - 0.0199).abs() < 1e-4);
        assert!((upper_bound(1, 20) - 0.2161).abs() < 1e-3); // tables of the binomial
        assert!((upper_bound(3, 3) - 1.0).abs() < 1e-9);
    }

    fn judged(reals: &[f64], fakes: &[f64]) -> Vec<Judged> {
        let kind = |fake: bool| move |(group, &score): (usize, &f64)| Judged { score, fake, group };
        let reals = reals.iter().enumerate().map(kind(false));
        reals
            .chain(fakes.iter().enumerate().map(kind(true)))
            .collect()
    }

    #[test]
    fn auc_counts_pairs_in_order_and_half_of_ties() {
        // Of six pairs four are in order, one is tied, one is not: 4.5 / 6.
        let auc = auc(&judged(&[0.1, 0.4, 0.5], &[0.4, 0.9])).unwrap();
        assert!((auc - 4.5 / 6.0).abs() < 1e-12, "{auc}");
    }

    #[test]
    fn one_kind_alone_has_no_value() {
        assert_eq!(auc(&judged(&[0.1], &[])), None);
        assert_eq!(equal_error_rate(&judged(&[], &[0.4])), None);
        assert_eq!(true_rate_at(&judged(&[0.1], &[]), 0.01), None);
    }

    #[test]
    fn equal_error_rate_of_perfect_even_and_reversed_scores() {
        let rate = |reals: &[f64], fakes: &[f64]| equal_error_rate(&judged(reals, fakes)).unwrap();
        assert!(rate(&[0.1, 0.2], &[0.8, 0.9]).abs() < 1e-12);
        assert!((rate(&[0.5, 0.5], &[0.5, 0.5]) - 0.5).abs() < 1e-12);
        assert!((rate(&[0.8, 0.9], &[0.1, 0.2]) - 1.0).abs() < 1e-12);
        // One of four on each side is wrong.
        assert!((rate(&[0.1, 0.2, 0.3, 0.8], &[0.25, 0.7, 0.85, 0.9]) - 0.25).abs() < 1e-12);
    }

    #[test]
    fn true_rate_keeps_to_the_false_rate_it_is_allowed() {
        let scores = judged(&[0.1, 0.2, 0.3, 0.8], &[0.25, 0.7, 0.85, 0.9]);
        assert!((true_rate_at(&scores, 0.01).unwrap() - 0.5).abs() < 1e-12);
        assert!((true_rate_at(&scores, 0.25).unwrap() - 0.75).abs() < 1e-12);
    }

    #[test]
    fn calibration_error_is_the_gap_between_what_is_said_and_what_is() {
        // Said 0.9 ten times, true nine times: right. Said 0.9 ten times, true four times: 0.5 off.
        let said = |n_fake: usize| -> Vec<Judged> {
            let one = |i: usize| Judged {
                score: 0.9,
                fake: i < n_fake,
                group: i,
            };
            (0..10).map(one).collect()
        };
        assert!(calibration_error(&said(9)) < 1e-9);
        assert!((calibration_error(&said(4)) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn the_interval_holds_the_value_and_narrows_with_more_groups() {
        let many = |n: usize| {
            let reals: Vec<f64> = (0..n).map(|i| (i * 37 % 100) as f64).collect();
            let fakes: Vec<f64> = (0..n).map(|i| (i * 53 % 100) as f64 + 20.0).collect();
            with_interval(&judged(&reals, &fakes), auc).unwrap()
        };
        let (few, more) = (many(12), many(400));
        for interval in [few, more] {
            assert!(interval.low <= interval.value && interval.value <= interval.high);
        }
        assert!(more.high - more.low < 0.5 * (few.high - few.low));
    }
}
