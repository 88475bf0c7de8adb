//! Exact time: ticks of a rational time base, as media files count it.

/// An exact fraction. The denominator is never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rational {
    /// Upper part.
    pub num: i32,
    /// Lower part, positive.
    pub den: i32,
}

impl Rational {
    /// Makes a fraction.
    ///
    /// # Panics
    /// If `den` is not positive: the reader of a file checks what the file says first.
    pub fn new(num: i32, den: i32) -> Self {
        assert!(
            den > 0,
            "a fraction needs a positive denominator, got {num}/{den}"
        );
        Self { num, den }
    }

    /// Gives the nearest floating-point value.
    pub fn to_f64(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }
}

/// A moment in a stream, exact to the tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// Ticks since the start of the stream's clock.
    pub ticks: i64,
    /// Seconds per tick.
    pub base: Rational,
}

impl Timestamp {
    /// Makes a moment from ticks of `base` seconds each.
    pub fn new(ticks: i64, base: Rational) -> Self {
        Self { ticks, base }
    }

    /// Gives the moment in seconds.
    pub fn secs(self) -> f64 {
        self.ticks as f64 * self.base.to_f64()
    }
}

/// A part of a stream, in seconds from its start; all of it by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TimeRange {
    /// Where it begins.
    pub from_secs: f64,
    /// Where it ends; `None` is the end of the stream.
    pub to_secs: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntsc_frame_times_do_not_drift() {
        let base = Rational::new(1001, 30_000);
        let hour_in = Timestamp::new(107_892, base);
        assert!((hour_in.secs() - 3599.9964).abs() < 1e-9);
    }
}
