//! How often strangers pass a threshold, and where a threshold must lie.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::faces::KnownFace;

/// Similarities of all pairs of some faces, sorted from low to high.
pub(super) struct Pairs {
    pub(super) same: Vec<f32>,
    pub(super) different: Vec<f32>,
}

impl Pairs {
    /// Compares all faces with all others; `alike` gives the similarity of two.
    pub(super) fn of(
        faces: &[&KnownFace],
        alike: impl Fn(&KnownFace, &KnownFace) -> Option<f32>,
    ) -> Self {
        let (mut same, mut different) = (Vec::new(), Vec::new());
        for (i, a) in faces.iter().enumerate() {
            for b in &faces[..i] {
                let Some(similarity) = alike(a, b) else {
                    continue;
                };
                if a.person == b.person {
                    same.push(similarity);
                } else {
                    different.push(similarity);
                }
            }
        }
        same.sort_by(f32::total_cmp);
        different.sort_by(f32::total_cmp);
        Self { same, different }
    }

    /// By the similarity that the program uses.
    pub(super) fn by_similarity(faces: &[&KnownFace]) -> Self {
        Self::of(faces, |a, b| Some(a.identity.similarity(&b.identity)))
    }

    /// Share of pairs of one person that reach a threshold.
    pub(super) fn true_rate(&self, threshold: f32) -> f64 {
        share_at_least(&self.same, threshold)
    }

    /// Share of pairs of two people that reach a threshold.
    pub(super) fn false_rate(&self, threshold: f32) -> f64 {
        share_at_least(&self.different, threshold)
    }

    /// Mean of the shares of both kinds that are called rightly.
    pub(super) fn accuracy(&self, threshold: f32) -> f64 {
        0.5 * (self.true_rate(threshold) + 1.0 - self.false_rate(threshold))
    }

    /// The threshold at which the accuracy is best.
    pub(super) fn best_threshold(&self) -> f32 {
        let candidates = self.same.iter().copied();
        candidates
            .max_by(|&a, &b| self.accuracy(a).total_cmp(&self.accuracy(b)))
            .unwrap_or(0.9)
    }

    /// The threshold that a share of pairs of two people reach; `None` where they are too few to
    /// know.
    pub(super) fn threshold_at(&self, rate: f64) -> Option<f32> {
        /// Pairs above the threshold, at least.
        const LEAST_ABOVE: f64 = 10.0;
        let above = self.different.len() as f64 * rate;
        (LEAST_ABOVE <= above).then(|| self.different[self.different.len() - 1 - above as usize])
    }
}

fn share_at_least(sorted: &[f32], threshold: f32) -> f64 {
    let below = sorted.partition_point(|&v| v < threshold);
    (sorted.len() - below) as f64 / sorted.len().max(1) as f64
}

/// The threshold at `rate`, and between which two 95 of 100 draws of people have it.
pub(super) fn threshold_with_interval(faces: &[&KnownFace], rate: f64) -> Option<[f32; 3]> {
    const DRAWS: usize = 200;
    let value = Pairs::by_similarity(faces).threshold_at(rate)?;
    let mut people: Vec<&str> = faces.iter().map(|face| face.person.as_str()).collect();
    people.sort_unstable();
    people.dedup();
    let number = |face: &&KnownFace| people.binary_search(&face.person.as_str()).unwrap_or(0);
    let numbers: Vec<usize> = faces.iter().map(number).collect();
    let mut pairs: Vec<(f32, usize, usize)> = (0..faces.len())
        .flat_map(|i| (0..i).map(move |k| (i, k)))
        .filter(|&(i, k)| numbers[i] != numbers[k])
        .map(|(i, k)| {
            let similarity = faces[i].identity.similarity(&faces[k].identity);
            (similarity, numbers[i], numbers[k])
        })
        .collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut thresholds: Vec<f32> = (0..DRAWS)
        .filter_map(|_| {
            let mut times = vec![0_u64; people.len()];
            (0..people.len()).for_each(|_| times[random.random_range(0..people.len())] += 1);
            let weight = |&(_, a, b): &(f32, usize, usize)| times[a] * times[b];
            let all: u64 = pairs.iter().map(weight).sum();
            let mut left = (all as f64 * rate) as u64;
            let passing = pairs.iter().find(|pair| {
                let weight = weight(pair);
                let is_over = left < weight;
                left = left.saturating_sub(weight);
                is_over
            });
            passing.map(|pair| pair.0)
        })
        .collect();
    thresholds.sort_by(f32::total_cmp);
    let at = |share: f64| thresholds.get(((thresholds.len().max(1) - 1) as f64 * share) as usize);
    Some([value, *at(0.025)?, *at(0.975)?])
}

/// Fits how much likelier a similarity is of one person than of two: `slope * (similarity - at)` is
/// its logarithm. Gives `at` and `slope`; `None` where there are too few pairs.
///
/// A line through the logarithms of measured ratios, over steps of 0.01 in which both kinds of pairs
/// occur often enough.
pub(super) fn likelihood_ratio(pairs: &Pairs) -> Option<(f64, f64)> {
    const LEAST_PAIRS: usize = 10;
    let within = |sorted: &[f32], low: f32, high: f32| {
        sorted.partition_point(|&v| v < high) - sorted.partition_point(|&v| v < low)
    };
    let measured: Vec<[f64; 2]> = (50..100)
        .filter_map(|step| {
            let (low, high) = (step as f32 / 100.0, (step + 1) as f32 / 100.0);
            let same = within(&pairs.same, low, high);
            let different = within(&pairs.different, low, high);
            let share = |n: usize, of: &[f32]| n as f64 / of.len() as f64;
            let ratio = share(same, &pairs.same) / share(different, &pairs.different);
            (LEAST_PAIRS <= same.min(different)).then(|| [f64::from(low + high) / 2.0, ratio.ln()])
        })
        .collect();
    let n = measured.len() as f64;
    let mean = |axis: usize| measured.iter().map(|point| point[axis]).sum::<f64>() / n;
    let (x, y) = (mean(0), mean(1));
    let both: f64 = measured.iter().map(|p| (p[0] - x) * (p[1] - y)).sum();
    let spread: f64 = measured.iter().map(|p| (p[0] - x).powi(2)).sum();
    let slope = both / spread;
    slope.is_finite().then(|| (x - y / slope, slope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likelihood_ratio_of_two_bells_is_that_of_their_densities() {
        // Bells of one width: the logarithm of the ratio is a line through their middle, as steep as
        // their distance by the variance.
        let bell = |middle: f64| -> Vec<f32> {
            (-40..=40)
                .flat_map(|i| {
                    let z = f64::from(i) / 10.0;
                    let n = (1000.0 * (-0.5 * z * z).exp()) as usize;
                    std::iter::repeat_n((middle + 0.02 * z) as f32, n)
                })
                .collect()
        };
        let pairs = Pairs {
            same: bell(0.94),
            different: bell(0.86),
        };
        let (at, slope) = likelihood_ratio(&pairs).unwrap();
        // Values lie on a grid of 0.002, so that those of a step are 0.001 below its middle.
        assert!((at - 0.90).abs() < 0.002, "{at}");
        assert!((slope / (0.08 / 0.0004) - 1.0).abs() < 0.05, "{slope}");
    }

    #[test]
    fn a_threshold_is_reached_by_the_share_it_says() {
        let pairs = Pairs {
            same: vec![0.9],
            different: (0..1000).map(|i| i as f32 / 1000.0).collect(),
        };
        let threshold = pairs.threshold_at(0.01).unwrap();
        assert!((pairs.false_rate(threshold) - 0.011).abs() < 1e-6);
        assert_eq!(pairs.threshold_at(0.001), None, "one pair says nothing");
    }
}
