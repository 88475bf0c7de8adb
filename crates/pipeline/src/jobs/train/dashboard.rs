//! The progress of a training for people to watch: curves, speed and time left, as lines for a
//! terminal and as a drawing for a page.

use effigy_train::Report;

/// Places of a curve in a terminal.
const N_PLACES: usize = 32;
/// Points of a curve that are kept before every second one is dropped.
const MOST_MOMENTS: usize = 512;
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What has been reported so far.
#[derive(Debug, Default)]
pub(crate) struct Dashboard {
    training: Curve,
    held_back: Curve,
    saved_step: Option<u64>,
    last: Option<Report>,
}

/// Values over time, thinned as they grow.
#[derive(Debug, Default)]
struct Curve {
    values: Vec<f64>,
    every: usize,
    n: usize,
}

impl Dashboard {
    /// Takes in a report; says whether something was saved since the last.
    pub(crate) fn take(&mut self, report: &Report) -> bool {
        self.training.add(report.training_error);
        let is_new = self.saved_step != Some(report.saved_step);
        if is_new {
            self.saved_step = Some(report.saved_step);
            self.held_back.add(report.validation_error);
        }
        self.last = Some(*report);
        is_new
    }

    /// Three lines for a terminal.
    pub(crate) fn lines(&self) -> String {
        let Some(report) = self.last else {
            return String::new();
        };
        let curve = |name: &str, curve: &Curve, value: f64| {
            format!("{name:<16}{:<N_PLACES$} {value:.3}\n", curve.sparkline())
        };
        curve("error", &self.training, report.training_error)
            + &curve("  on new faces", &self.held_back, report.validation_error)
            + &progress_in_words(&report)
    }

    /// The curves as a drawing in a page, with the same words.
    pub(crate) fn html(&self) -> String {
        let Some(report) = self.last else {
            return String::new();
        };
        let curves = [("error", &self.training), ("new", &self.held_back)];
        let most = curves.iter().flat_map(|(_, curve)| &curve.values);
        let most = most.copied().fold(1e-9, f64::max);
        let line = |(class, curve): (&str, &Curve)| {
            let last = curve.values.len().saturating_sub(1).max(1) as f64;
            let place = |(i, value): (usize, &f64)| {
                format!(
                    "{:.1},{:.1}",
                    900.0 * i as f64 / last,
                    120.0 * (1.0 - value / most)
                )
            };
            let points: Vec<String> = curve.values.iter().enumerate().map(place).collect();
            format!(
                "<polyline class=\"{class}\" points=\"{}\"/>",
                points.join(" ")
            )
        };
        format!(
            "<svg viewBox=\"0 -4 900 128\">{}{}</svg><p>error {:.3}, on faces held back {:.3}</p><p>{}</p>",
            line(curves[0]),
            line(curves[1]),
            report.training_error,
            report.validation_error,
            progress_in_words(&report),
        )
    }
}

/// How far it is, in one line.
fn progress_in_words(report: &Report) -> String {
    let left = match report.done {
        Some(done) if 0.0 < done => {
            let left = report.spent_secs / done * (1.0 - done).max(0.0);
            let percent = 100.0 * done.min(1.0);
            format!(" · {percent:.0} % · {} left", duration(left))
        }
        _ => " · until the error stops falling".to_owned(),
    };
    format!(
        "step {} · {:.0} faces/s · {}{left}",
        report.step,
        report.faces_per_sec,
        duration(report.spent_secs)
    )
}

fn duration(secs: f64) -> String {
    if secs < 90.0 {
        format!("{secs:.0} s")
    } else {
        format!("{:.0} min", secs / 60.0)
    }
}

impl Curve {
    fn add(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        self.every = self.every.max(1);
        if self.n.is_multiple_of(self.every) {
            self.values.push(value);
        }
        self.n += 1;
        if MOST_MOMENTS <= self.values.len() {
            let mut i = 0;
            self.values.retain(|_| {
                i += 1;
                i % 2 == 1
            });
            self.every *= 2;
        }
    }

    /// One block a place, the highest value as a full one.
    fn sparkline(&self) -> String {
        let n = self.values.len();
        let n_places = n.min(N_PLACES);
        let average = |place: usize| {
            let part = &self.values[place * n / n_places..(place + 1) * n / n_places];
            part.iter().sum::<f64>() / part.len() as f64
        };
        let places: Vec<f64> = (0..n_places).map(average).collect();
        let most = places.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let block = |value: &f64| {
            let height = (value / most * BLOCKS.len() as f64).ceil() as usize;
            BLOCKS[height.clamp(1, BLOCKS.len()) - 1]
        };
        places.iter().map(block).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(step: u64, error: f64) -> Report {
        Report {
            step,
            done: Some(step as f64 / 2000.0),
            spent_secs: step as f64 * 0.5,
            training_error: error,
            saved_step: step / 100 * 100,
            validation_error: error + 0.1,
            faces_per_sec: 32.0,
        }
    }

    #[test]
    fn falling_error_falls_in_the_curve_and_memory_stays_small() {
        let mut dashboard = Dashboard::default();
        let saves = (0..1500_u64)
            .filter(|&step| dashboard.take(&report(step, 1.0 / (1.0 + step as f64 / 100.0))));
        assert_eq!(saves.count(), 15);
        assert!(dashboard.training.values.len() < MOST_MOMENTS);
        let lines = dashboard.lines();
        let curve: Vec<char> = lines.lines().next().unwrap().chars().skip(16).collect();
        assert_eq!((curve[0], curve[N_PLACES - 1]), ('█', '▁'), "{lines}");
        assert!(
            lines.ends_with("step 1499 · 32 faces/s · 12 min · 75 % · 4 min left"),
            "{lines}"
        );
        assert!(
            dashboard
                .html()
                .contains("<polyline class=\"new\" points=\"0.0,")
        );
    }

    #[test]
    fn nothing_reported_shows_nothing() {
        assert_eq!(Dashboard::default().lines(), "");
        assert_eq!(Curve::default().sparkline(), "");
    }
}
