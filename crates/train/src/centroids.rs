//! The latent centroid of each person's faces, and shifting latents from one to another.
//!
//! What tells people apart in a latent is, on average, the way between their centroids. A decoder
//! that must draw its own person all along that way no longer draws what a latent holds of a
//! stranger. The centroids are running averages over the steps.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

/// How fast the centroids follow the latents of a step.
const FOLLOW: f32 = 0.02;

/// How a latent is shifted, as if its face were another person's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LatentShift {
    /// The other person.
    to: usize,
    /// Share of the way between the two centroids.
    share: f32,
}

/// The centroids of all people, `z` numbers each; none before the first step.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LatentCentroids(pub(crate) Vec<Vec<f32>>);

impl LatentShift {
    /// Draws whether and where a latent of `person` among `n_people` is shifted.
    pub(crate) fn draw(
        person: usize,
        n_people: usize,
        chance: f32,
        generator: &mut ChaCha8Rng,
    ) -> Option<Self> {
        let is_shifted = 1 < n_people && generator.random::<f32>() < chance;
        is_shifted.then(|| Self {
            to: (person + generator.random_range(1..n_people)) % n_people,
            share: generator.random(),
        })
    }
}

impl LatentCentroids {
    /// What is to be added to the latents of a step, `[people · faces each, z]`.
    pub(crate) fn shifts(
        &self,
        moves: &[Option<LatentShift>],
        n_each: usize,
        width: usize,
    ) -> Vec<f32> {
        let mut shifts = vec![0.0; moves.len() * width];
        for (i, row) in shifts.chunks_exact_mut(width).enumerate() {
            let Some(LatentShift { to, share }) = moves[i] else {
                continue;
            };
            let (Some(own), Some(other)) = (self.0.get(i / n_each), self.0.get(to)) else {
                continue;
            };
            for ((shift, own), other) in row.iter_mut().zip(own).zip(other) {
                *shift = share * (other - own);
            }
        }
        shifts
    }

    /// Follows the latents of a step, `[people · faces each, z]`.
    pub(crate) fn follow(&mut self, latents: &[f32], n_people: usize, n_each: usize) {
        let width = latents.len() / (n_people * n_each);
        let follow = if self.0.is_empty() { 1.0 } else { FOLLOW };
        self.0.resize(n_people, vec![0.0; width]);
        for (centroid, theirs) in self.0.iter_mut().zip(latents.chunks_exact(n_each * width)) {
            for (z, value) in centroid.iter_mut().enumerate() {
                let sum: f32 = theirs.iter().skip(z).step_by(width).sum();
                *value += follow * (sum / n_each as f32 - *value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    #[test]
    fn first_step_gives_the_centres_and_later_ones_pull_at_them() {
        let mut centroids = LatentCentroids::default();
        centroids.follow(&[1.0, 10.0, 3.0, 30.0, 5.0, 0.0, 5.0, 0.0], 2, 2);
        assert_eq!(centroids.0, [[2.0, 20.0], [5.0, 0.0]]);
        centroids.follow(&[3.0, 20.0, 3.0, 20.0, 5.0, 0.0, 5.0, 0.0], 2, 2);
        assert!((centroids.0[0][0] - 2.0 - FOLLOW).abs() < 1e-6);
    }

    #[test]
    fn whole_way_leads_from_one_centre_to_the_other() {
        let centroids = LatentCentroids(vec![vec![2.0, 20.0], vec![5.0, 0.0]]);
        let whole = Some(LatentShift { to: 1, share: 1.0 });
        assert_eq!(
            centroids.shifts(&[whole, None], 1, 2),
            [3.0, -20.0, 0.0, 0.0]
        );
        assert_eq!(
            LatentCentroids::default().shifts(&[whole], 1, 2),
            [0.0, 0.0]
        );
    }

    #[test]
    fn no_latent_is_shifted_to_its_own_person() {
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        for person in 0..3 {
            let moved = LatentShift::draw(person, 3, 1.0, &mut generator).unwrap();
            assert!(moved.to != person && moved.to < 3);
        }
        assert_eq!(LatentShift::draw(0, 1, 1.0, &mut generator), None);
    }
}
