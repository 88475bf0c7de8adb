//! Normally distributed numbers, by Box and Muller (1958).

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

/// Draws one number of mean 0 and spread 1.
pub(crate) fn normal(generator: &mut ChaCha8Rng) -> f32 {
    let radius = (-2.0 * (1.0 - generator.random::<f32>()).ln()).sqrt();
    radius * (std::f32::consts::TAU * generator.random::<f32>()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    #[test]
    fn many_numbers_have_mean_zero_and_spread_one() {
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        let drawn: Vec<f32> = (0..20_000).map(|_| normal(&mut generator)).collect();
        let mean = drawn.iter().sum::<f32>() / 20_000.0;
        let square = drawn.iter().map(|v| v * v).sum::<f32>() / 20_000.0;
        assert!(
            mean.abs() < 0.03 && (square - 1.0).abs() < 0.05,
            "{mean} {square}"
        ); // 4 sigma
    }
}
