//! Times in UTC, to the second: read and written as `2026-08-02T09:30:00Z`.
//!
//! The library never reads the system's clock: callers pass the time in. A long job counts on from
//! there.

use std::fmt;
use std::str::FromStr;
use std::time::Instant;

/// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UtcTime(i64);

/// Seconds in a day.
const DAY_SECS: i64 = 86_400;
/// `9999-12-31T23:59:59Z`: the last second of a four-digit year.
const LAST_SECS: i64 = 253_402_300_799;

impl UtcTime {
    /// Makes a time; what lies outside the years 1970 to 9999 becomes the nearest inside.
    pub fn from_unix_secs(secs: i64) -> Self {
        Self(secs.clamp(0, LAST_SECS))
    }

    /// Seconds since 1970.
    pub fn unix_secs(self) -> i64 {
        self.0
    }

    /// Gives the time so many seconds later, or earlier where negative.
    pub(crate) fn plus_secs(self, secs: i64) -> Self {
        Self::from_unix_secs(self.0.saturating_add(secs))
    }

    /// Gives the time so many days later, or earlier where negative.
    pub fn plus_days(self, days: i64) -> Self {
        self.plus_secs(days.saturating_mul(DAY_SECS))
    }

    /// Gives the last second of this day.
    pub fn end_of_day(self) -> Self {
        Self(self.0 - self.0.rem_euclid(DAY_SECS) + DAY_SECS - 1)
    }

    /// The day alone, as `2026-08-02`.
    pub fn day(self) -> String {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY_SECS));
        format!("{year:04}-{month:02}-{day:02}")
    }
}

/// A clock that was set when a job began.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    set_to: UtcTime,
    since: Instant,
}

impl Clock {
    /// Sets it; from now on it goes by itself.
    pub fn set(now: UtcTime) -> Self {
        Self {
            set_to: now,
            since: Instant::now(),
        }
    }

    /// What time it is.
    pub fn now(&self) -> UtcTime {
        let secs = i64::try_from(self.since.elapsed().as_secs()).unwrap_or(i64::MAX);
        self.set_to.plus_secs(secs)
    }
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0.rem_euclid(DAY_SECS);
        let (hour, minute, second) = (secs / 3600, secs / 60 % 60, secs % 60);
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}Z", self.day())
    }
}

/// The text is neither `2026-08-02` nor `2026-08-02T09:30:00Z`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a date; write it as 2026-08-02 or 2026-08-02T09:30:00Z")]
pub struct NotADate(String);

impl FromStr for UtcTime {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        parse(text).ok_or_else(|| NotADate(text.to_owned()))
    }
}

impl serde::Serialize for UtcTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for UtcTime {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

fn parse(text: &str) -> Option<UtcTime> {
    let (day, time) = match text.split_once('T') {
        Some((day, time)) => (day, Some(time.strip_suffix('Z')?)),
        None => (text, None),
    };
    let [year, month, dom] = numbers(day, '-', [4, 2, 2])?;
    let [hour, minute, second] = match time {
        Some(time) => numbers(time, ':', [2, 2, 2])?,
        None => [0; 3],
    };
    if hour > 23 || minute > 59 || second > 59 || year < 1970 {
        return None;
    }
    let days = days_from_civil(year, month, dom);
    if civil_from_days(days) != (year, month, dom) {
        return None; // there is no such day in the calendar
    }
    Some(UtcTime(
        days * DAY_SECS + hour * 3600 + minute * 60 + second,
    ))
}

fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut out = [0; 3];
    for (number, width) in out.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(out)
}

/// Days since 1970-01-01 in the Gregorian calendar, counting years from March so that the leap
/// day comes last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_starts_where_it_is_set_and_goes_on() {
        let set_to = UtcTime::from_unix_secs(1_000);
        let ago = std::time::Duration::from_secs(90);
        let since = Instant::now().checked_sub(ago).unwrap();
        let seen = Clock { set_to, since }.now().unix_secs();
        assert!((1_090..1_190).contains(&seen), "{seen}");
        assert!(set_to <= Clock::set(set_to).now());
    }

    #[test]
    fn known_moments_are_written_as_rfc_3339() {
        for (secs, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_785_663_000, "2026-08-02T09:30:00Z"),
            (LAST_SECS, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(UtcTime::from_unix_secs(secs).to_string(), text);
            assert_eq!(text.parse(), Ok(UtcTime::from_unix_secs(secs)));
        }
    }

    #[test]
    fn every_day_leads_back() {
        for days in 0..40_000 {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2026",
            "2026-02-30",
            "2026-13-01",
            "26-01-01",
            "2026-01-01T25:00:00Z",
        ] {
            assert!(text.parse::<UtcTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_day_ends_at_midnight() {
        let noon: UtcTime = "2026-08-02T12:00:00Z".parse().unwrap();
        assert_eq!(noon.end_of_day().to_string(), "2026-08-02T23:59:59Z");
        assert_eq!(noon.plus_days(-1).day(), "2026-08-01");
    }
}
