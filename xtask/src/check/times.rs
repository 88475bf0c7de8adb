//! How long each test took, worked out from when it ended.
//!
//! A stable compiler's tests do not say how long they took. They start in the order of their
//! names, the next one whenever one ends, so the moments at which they end tell when they began.

use std::time::Duration;

/// How many tests the list of the slowest names.
const N_SLOWEST: usize = 20;

/// A test and how long it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Timed {
    /// The test program and the test.
    pub(super) name: String,
    pub(super) took: Duration,
}

/// The tests of one program that have ended, in the order in which they did.
#[derive(Default)]
pub(super) struct Ended(Vec<(String, Duration)>);

impl Ended {
    /// Reads `test name ... ok`, printed `at` this time after the first test began.
    pub(super) fn read(&mut self, line: &str, at: Duration) {
        let Some((name, outcome)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.split_once(" ... "))
        else {
            return;
        };
        if ["ok", "FAILED", "ignored"]
            .iter()
            .any(|word| outcome.starts_with(word))
        {
            let name = name.split(" - ").next().unwrap_or(name);
            self.0.push((name.to_owned(), at));
        }
    }

    /// What each test took, in a program that ran `n_threads` at once.
    pub(super) fn times(self, program: &str, n_threads: usize) -> Vec<Timed> {
        let mut in_order: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        in_order.sort_unstable();
        let began = |name: &str| {
            let position = in_order.binary_search(&name).unwrap_or(0);
            position
                .checked_sub(n_threads)
                .map_or(Duration::ZERO, |previous| self.0[previous].1)
        };
        let timed = self.0.iter().map(|(name, at)| Timed {
            name: format!("{program} {name}"),
            took: at.saturating_sub(began(name)),
        });
        timed.collect()
    }
}

/// The slowest tests, slowest first, one a line.
pub(super) fn slowest(mut all: Vec<Timed>) -> String {
    let n_tests = all.len();
    all.sort_by(|a, b| b.took.cmp(&a.took).then_with(|| a.name.cmp(&b.name)));
    all.truncate(N_SLOWEST);
    let lines = all
        .iter()
        .map(|test| format!("{:>7.1} s  {}\n", test.took.as_secs_f64(), test.name));
    format!(
        "the slowest {} of {n_tests} tests:\n{}",
        all.len(),
        lines.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn test_begins_when_the_one_two_before_it_ends() {
        let mut ended = Ended::default();
        // On two threads: a from 0 to 4, b from 0 to 1, c from 1 to 2, d from 2 to 7.
        for (line, at) in [
            ("running 4 tests", 0),
            ("test b ... ok", 1),
            ("test c - should panic ... ok", 2),
            ("test a ... FAILED", 4),
            ("test d ... ignored, it needs a camera", 7),
            ("test result: FAILED. 2 passed; 1 failed", 7),
        ] {
            ended.read(line, at * SECOND);
        }
        let took = [("b", 1), ("c", 1), ("a", 4), ("d", 5)];
        let timed = took.map(|(name, secs)| Timed {
            name: format!("media {name}"),
            took: secs * SECOND,
        });
        assert_eq!(ended.times("media", 2), timed);
    }

    #[test]
    fn slowest_tests_come_first() {
        let timed = |i: u32| Timed {
            name: format!("media test_{i}"),
            took: i * SECOND,
        };
        let said = slowest((0..30).map(timed).collect());
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 1 + N_SLOWEST);
        assert_eq!(lines[0], "the slowest 20 of 30 tests:");
        assert_eq!(lines[1], "   29.0 s  media test_29");
    }
}
