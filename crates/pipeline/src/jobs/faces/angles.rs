//! The usual range of an angle: what most frames lie within.

/// The lowest and highest usual value, in degrees.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AngleRange {
    /// One frame in twenty lies below.
    pub low: f32,
    /// One frame in twenty lies above.
    pub high: f32,
}

/// Counts angles by whole degrees.
#[derive(Clone, Debug)]
pub(crate) struct AngleCounts {
    counts: [u32; N_DEGREES],
}

const N_DEGREES: usize = 361;
const OFFSET: f32 = 180.0;
/// Share of frames left out at each end: a single wrong frame must not make the range.
const TAIL: f64 = 0.05;

impl AngleCounts {
    pub(crate) fn new() -> Self {
        Self {
            counts: [0; N_DEGREES],
        }
    }

    pub(crate) fn add(&mut self, degrees: f32) {
        let place = (degrees + OFFSET)
            .round()
            .clamp(0.0, (N_DEGREES - 1) as f32);
        self.counts[place as usize] += 1;
    }

    pub(crate) fn add_all(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }

    /// Gives the range without its tails; zero when nothing was counted.
    pub(crate) fn range(&self) -> AngleRange {
        let total: u64 = self.counts.iter().map(|&n| u64::from(n)).sum();
        if total == 0 {
            return AngleRange::default();
        }
        let tail = (TAIL * total as f64) as u64;
        let counts = || self.counts.iter().enumerate();
        AngleRange {
            low: beyond_tail(counts(), tail),
            high: beyond_tail(counts().rev(), tail),
        }
    }
}

/// The first angle with more than `tail` frames up to it.
fn beyond_tail<'a>(counts: impl Iterator<Item = (usize, &'a u32)>, tail: u64) -> f32 {
    let mut passed = 0;
    for (i, &n) in counts {
        passed += u64::from(n);
        if passed > tail {
            return i as f32 - OFFSET;
        }
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_wrong_frame_does_not_make_the_range() {
        let mut counts = AngleCounts::new();
        (-20..=20).for_each(|d| counts.add(d as f32));
        counts.add(90.0);
        let range = counts.range();
        assert!(
            (range.low - -18.0).abs() < 1.1 && (range.high - 19.0).abs() < 1.1,
            "{range:?}"
        );
    }

    #[test]
    fn nothing_has_no_range() {
        assert_eq!(AngleCounts::new().range(), AngleRange::default());
    }
}
