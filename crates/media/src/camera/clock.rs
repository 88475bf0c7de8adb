//! When a picture was captured, by the clock of this program.

use std::time::{Duration, Instant};

use ffmpeg_next::ffi;

/// What all clocks say at one moment.
pub(super) struct Clocks {
    instant: Instant,
    /// Since the machine started: what drivers stamp pictures with.
    monotonic_micros: i64,
    /// Since 1970: what some old drivers do.
    wall_micros: i64,
}

/// A picture that seems older was stamped by another clock.
const OLDEST_MICROS: i64 = 5_000_000;

impl Clocks {
    pub(super) fn now() -> Self {
        #[expect(unsafe_code, reason = "ffmpeg-next does not show the clocks")]
        // SAFETY: they only ask the system for the time.
        let (monotonic_micros, wall_micros) =
            unsafe { (ffi::av_gettime_relative(), ffi::av_gettime()) };
        Self {
            instant: Instant::now(),
            monotonic_micros,
            wall_micros,
        }
    }
}

/// When a picture was captured that the driver stamped with so many microseconds; now, where the stamp
/// says nothing.
pub(super) fn captured_at(stamp_micros: Option<i64>, now: &Clocks) -> Instant {
    let age = |clock: i64| {
        let age = clock.checked_sub(stamp_micros?)?;
        (0..OLDEST_MICROS).contains(&age).then_some(age as u64)
    };
    let age = age(now.monotonic_micros).or_else(|| age(now.wall_micros));
    let age = Duration::from_micros(age.unwrap_or(0));
    now.instant.checked_sub(age).unwrap_or(now.instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_of_either_clock_are_understood_and_others_are_now() {
        let now = Clocks::now();
        let age = |stamp| (now.instant - captured_at(stamp, &now)).as_micros();
        assert_eq!(age(Some(now.monotonic_micros - 33_000)), 33_000);
        assert_eq!(age(Some(now.wall_micros - 33_000)), 33_000);
        for unknown in [
            None,
            Some(0),
            Some(now.monotonic_micros + 1),
            Some(i64::MIN),
        ] {
            assert_eq!(age(unknown), 0, "{unknown:?}");
        }
    }
}
