//! How much of a slow proof a test does: a sample that the commit chooses, or all of it.
//!
//! Tests include this file by its path. `./check` sets both variables and prints the seed.

/// Whether to do all of it, as `./check --full` asks with `EFFIGY_PROOF=whole`.
pub(crate) fn is_whole() -> bool {
    std::env::var_os("EFFIGY_PROOF").is_some_and(|asked| asked == "whole")
}

/// What chooses the sample: `EFFIGY_SEED`, a number, or 0.
pub(crate) fn seed() -> usize {
    std::env::var("EFFIGY_SEED").map_or(0, |seed| seed.parse().unwrap())
}

/// `sampled`, or `whole` where all is to be done.
pub(crate) fn amount(sampled: usize, whole: usize) -> usize {
    if is_whole() { whole } else { sampled }
}
