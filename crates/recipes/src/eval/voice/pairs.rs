//! Pairs of voices, of one person and of two.

use crate::statistics::Judged;

/// Similarities of pairs.
#[derive(Default)]
pub(super) struct Pairs {
    /// With the number of the first person.
    same: Vec<(f32, usize)>,
    different: Vec<(f32, usize)>,
    n_people: usize,
    /// Pairs of which one has no speech.
    pub(super) n_unheard: usize,
}

impl Pairs {
    /// Takes the similarity of recordings of two people, who are one where the numbers are.
    pub(super) fn add(&mut self, similarity: f32, a: usize, b: usize) {
        let pairs = if a == b {
            &mut self.same
        } else {
            &mut self.different
        };
        pairs.push((similarity, a));
        self.n_people = self.n_people.max(a.max(b) + 1);
    }

    /// Takes pairs of other people, or of others in another condition.
    pub(super) fn join(&mut self, other: Self) {
        let n = self.n_people;
        let moved = |&(similarity, person): &(f32, usize)| (similarity, person + n);
        self.same.extend(other.same.iter().map(moved));
        self.different.extend(other.different.iter().map(moved));
        self.n_people += other.n_people;
        self.n_unheard += other.n_unheard;
    }

    pub(super) fn n(&self) -> usize {
        self.same.len() + self.different.len() + self.n_unheard
    }

    /// The pairs for statistics, in which the same person counts as what is to be found.
    pub(super) fn judged(&self) -> Vec<Judged> {
        let judged = |is_same: bool| {
            move |&(similarity, person): &(f32, usize)| Judged {
                score: f64::from(similarity),
                fake: is_same,
                group: person,
            }
        };
        let same = self.same.iter().map(judged(true));
        same.chain(self.different.iter().map(judged(false)))
            .collect()
    }

    /// The least similarity that no more than this share of pairs of two people reach; `None` where they
    /// are too few to know.
    pub(super) fn threshold_at(&self, rate: f64) -> Option<f32> {
        let mut similarities: Vec<f32> = self.different.iter().map(|pair| pair.0).collect();
        similarities.sort_by(|a, b| b.total_cmp(a));
        let n_above = (rate * similarities.len() as f64) as usize;
        similarities
            .get(n_above)
            .map(|similarity| similarity + 1e-4)
    }

    pub(super) fn true_rate(&self, threshold: f32) -> f64 {
        share_at_least(&self.same, threshold)
    }

    pub(super) fn false_rate(&self, threshold: f32) -> f64 {
        share_at_least(&self.different, threshold)
    }
}

fn share_at_least(pairs: &[(f32, usize)], threshold: f32) -> f64 {
    let passing = pairs.iter().filter(|pair| threshold <= pair.0).count();
    passing as f64 / pairs.len().max(1) as f64
}

/// Fits how much likelier a similarity is of one person than of two: `slope * (similarity - at)` is its
/// logarithm. Gives `at` and `slope`.
///
/// Logistic regression in which both kinds weigh as much, by Newton's method.
pub(super) fn likelihood_ratio(pairs: &Pairs) -> (f64, f64) {
    const N_STEPS: usize = 30;
    let [weight_same, weight_different] =
        [&pairs.same, &pairs.different].map(|pairs| 0.5 / pairs.len().max(1) as f64);
    let weighed =
        |pair: &(f32, usize), wanted: f64, weight: f64| (f64::from(pair.0), wanted, weight);
    let same = pairs
        .same
        .iter()
        .map(|pair| weighed(pair, 1.0, weight_same));
    let different = pairs.different.iter();
    let different = different.map(|pair| weighed(pair, 0.0, weight_different));
    let all: Vec<(f64, f64, f64)> = same.chain(different).collect();
    let (mut slope, mut offset) = (0.0_f64, 0.0_f64);
    for _ in 0..N_STEPS {
        let (mut gradient, mut curve) = ([0.0; 2], [0.0; 3]);
        for &(similarity, wanted, weight) in &all {
            let given = 1.0 / (1.0 + (-(slope * similarity + offset)).exp());
            let (gap, steep) = (weight * (wanted - given), weight * given * (1.0 - given));
            gradient[0] += gap * similarity;
            gradient[1] += gap;
            curve[0] += steep * similarity * similarity;
            curve[1] += steep * similarity;
            curve[2] += steep;
        }
        let determinant = (curve[0] * curve[2] - curve[1] * curve[1]).max(1e-12);
        slope += (curve[2] * gradient[0] - curve[1] * gradient[1]) / determinant;
        offset += (curve[0] * gradient[1] - curve[1] * gradient[0]) / determinant;
    }
    (-offset / slope, slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two bells, a tenth wide, around 0.6 and 0.2.
    fn bells() -> Pairs {
        let mut pairs = Pairs::default();
        for i in -40..=40_i32 {
            let z = f64::from(i) / 10.0;
            for _ in 0..(1000.0 * (-0.5 * z * z).exp()) as usize {
                pairs.add((0.6 + 0.1 * z) as f32, 0, 0);
                pairs.add((0.2 + 0.1 * z) as f32, 0, 1);
            }
        }
        pairs
    }

    #[test]
    fn likelihood_ratio_of_two_bells_is_that_of_their_densities() {
        let (at, slope) = likelihood_ratio(&bells());
        assert!((at - 0.4).abs() < 0.01, "{at}");
        // The ends of the bells are cut off.
        assert!((slope / 40.0 - 1.0).abs() < 0.1, "{slope}");
    }

    #[test]
    fn no_more_than_the_stated_share_of_strangers_pass() {
        let pairs = bells();
        for rate in [0.1, 0.01] {
            let threshold = pairs.threshold_at(rate).unwrap();
            assert!(pairs.false_rate(threshold) <= rate);
            assert!(pairs.true_rate(threshold) > 0.9);
        }
    }
}
