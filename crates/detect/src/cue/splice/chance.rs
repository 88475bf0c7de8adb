//! How rarely chance brings something about.

/// Logarithm of the chance that at least `k` of `n` come out where each does with probability `p`:
/// the bound of Hoeffding (1963), which is never too small.
pub(super) fn ln_tail(n: u32, k: u32, p: f64) -> f64 {
    let n = f64::from(n);
    let share = f64::from(k) / n.max(1.0);
    if share <= p {
        return 0.0;
    }
    let rest = if share < 1.0 {
        (1.0 - share) * ((1.0 - share) / (1.0 - p)).ln()
    } else {
        0.0
    };
    // What never comes out is not divided by.
    -n * (share * (share / p.max(1e-9)).ln() + rest)
}
