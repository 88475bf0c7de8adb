//! How many tests passed, failed and were skipped.

use std::collections::BTreeMap;

/// Results of tests, read from what they print.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    /// By word: passed, failed, ignored.
    counts: BTreeMap<String, u64>,
    /// Tests that ran without what they need, in their own words.
    skipped: Vec<String>,
}

impl Tally {
    /// Reads `test result: ok. 4 passed; 0 failed; 1 ignored; …` and `skipped: …`.
    pub(super) fn read(&mut self, line: &str) {
        if line.starts_with("skipped: ") {
            self.skipped.push(line.to_owned());
        }
        let Some((_, counts)) = line
            .strip_prefix("test result: ")
            .and_then(|result| result.split_once(". "))
        else {
            return;
        };
        for part in counts.split("; ") {
            if let Some((number, word @ ("passed" | "failed" | "ignored"))) = part.split_once(' ') {
                *self.counts.entry(word.to_owned()).or_default() += number.parse().unwrap_or(0);
            }
        }
    }

    /// The closing lines, which continuous integration reads; none if no test ran.
    pub(super) fn print(&self) {
        if self.counts.is_empty() {
            return;
        }
        for line in &self.skipped {
            println!("{line}");
        }
        let count = |word| self.counts.get(word).copied().unwrap_or(0);
        let skipped = count("ignored") + self.skipped.len() as u64;
        let passed = count("passed") - self.skipped.len() as u64;
        println!(
            "{passed} passed, {} failed, {skipped} skipped",
            count("failed")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_test_programs_are_added_up() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test result: ok. 4 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "skipped: swap_runs needs ../shared/data",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ] {
            tally.read(line);
        }
        let counts = [("failed", 2), ("ignored", 1), ("passed", 5)];
        assert_eq!(
            tally,
            Tally {
                counts: counts.map(|(word, n)| (word.to_owned(), n)).into(),
                skipped: vec!["skipped: swap_runs needs ../shared/data".to_owned()],
            }
        );
    }
}
