//! Parts of a recording.

use crate::activity::BLOCK_SECS;

/// From when to when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// Counted from the beginning of the recording.
    pub from_secs: f64,
    /// Likewise.
    pub to_secs: f64,
}

/// How long stretches are together.
pub fn total_secs(stretches: &[Stretch]) -> f64 {
    let secs = stretches.iter().map(|s| s.to_secs - s.from_secs);
    secs.fold(0.0, |sum, secs| sum + secs) // an empty sum would be -0
}

/// Joins blocks that follow one another.
pub(crate) fn stretches(blocks: &[u32]) -> Vec<Stretch> {
    let runs = blocks.chunk_by(|a, b| a + 1 == *b);
    let stretch = |run: &[u32]| Stretch {
        from_secs: f64::from(run[0]) * BLOCK_SECS,
        to_secs: f64::from(run[run.len() - 1] + 1) * BLOCK_SECS,
    };
    runs.map(stretch).collect()
}
