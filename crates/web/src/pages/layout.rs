//! What every page has: head, navigation, and how a problem is shown.

use axum::extract::{Path, Query, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use effigy_queue::{Job, State as JobState};
use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

use crate::problem::Problem;
use crate::studio::Shared;
use crate::words::Words;

/// A page: what is special about it.
pub(crate) struct Page<'a> {
    pub(crate) words: &'a Words,
    pub(crate) title: String,
    /// Whether it is loaded again, since something on it is still going on.
    pub(crate) is_live: bool,
    pub(crate) main: Markup,
}

impl Page<'_> {
    pub(crate) fn render(self) -> Markup {
        let say = |name: &str| self.words.say(name);
        html! {
            (DOCTYPE)
            html lang=(self.words.language()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    @if self.is_live { meta http-equiv="refresh" content="2"; }
                    title { (self.title) " · " (say("studio")) }
                    link rel="stylesheet" href="/style.css";
                }
                body {
                    a.skip href="#main" { (say("skip")) }
                    header {
                        nav aria-label=(say("studio")) {
                            span.brand { (say("studio")) }
                            a href="/" { (say("nav-check")) }
                            a href="/jobs" { (say("nav-jobs")) }
                        }
                    }
                    main id="main" { (self.main) }
                    footer { (say("local")) }
                }
            }
        }
    }
}

pub(crate) async fn style() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "max-age=600"),
    ];
    (headers, include_str!("../../style.css")).into_response()
}

/// Whatever no page is at.
pub(crate) async fn nothing_here(State(app): State<Shared>, request: Request) -> Response {
    let problem = Problem::not_found();
    if request.uri().path().starts_with("/v1") {
        return problem.into_response();
    }
    show(&app, request.headers(), &problem)
}

/// A problem as a page.
pub(crate) fn show(app: &Shared, headers: &HeaderMap, problem: &Problem) -> Response {
    let words = app.library.of(headers);
    let most = [("size", size(app.studio.most_file_bytes))];
    let page = Page {
        words,
        title: words.say("error-title"),
        is_live: false,
        main: html! {
            h1 { (words.say("error-title")) }
            p role="alert" { (words.fill(problem.name, &most)) }
            @if problem.name == "error-internal" { p.small { (problem.detail) } }
            p { a href="/" { (words.say("back")) } }
        },
    };
    (problem.status(), page.render()).into_response()
}

/// A size in words.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        1_000_000..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{} GB", bytes / 1_000_000_000),
    }
}

/// How a job stands in one word, and the class of that word.
pub(crate) fn standing(job: &Job) -> (&'static str, &'static str) {
    match job.state {
        JobState::Done => verdict(&summary(job)),
        JobState::Dead => ("verdict-unreadable", "open"),
        JobState::Queued => ("queued", ""),
        JobState::Running => ("running", ""),
        JobState::Cancelled => ("cancelled", ""),
    }
}

/// The verdict of a report in one word, and the class of that word.
pub(crate) fn verdict(report: &Value) -> (&'static str, &'static str) {
    match report["verdict"].as_str() {
        _ if report["error"].is_string() => ("verdict-unreadable", "open"),
        _ if report["marked_as_synthetic"] == true => ("verdict-synthetic", "bad"),
        Some("signs") => ("verdict-signs", "bad"),
        Some("inconclusive") => ("verdict-inconclusive", "open"),
        // Not green: that a maker's traces are missing proves nothing.
        Some("no_signs") => ("verdict-no-signs", "calm"),
        _ => ("verdict-not-judged", "open"),
    }
}

fn summary(job: &Job) -> Value {
    let json = job.done.as_ref().map(|done| done.summary.as_str());
    serde_json::from_str(json.unwrap_or_default()).unwrap_or_default()
}

/// A moment, by the clock of the database.
pub(crate) fn moment(millis: i64) -> String {
    let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60);
    // Days to a date, after Howard Hinnant's civil_from_days.
    let z = days + 719_468;
    let (era, day_of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let leap = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, late) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = year_of_era + era * 400 + late;
    format!("{year}-{month:02}-{day:02} {hours:02}:{minutes:02} UTC")
}

/// The word of a path, and the rest that handlers need.
pub(crate) type Id = Path<String>;
/// A part of a list.
pub(crate) type Part = Query<Before>;

/// Where a part of a list begins.
#[derive(serde::Deserialize)]
pub(crate) struct Before {
    pub(crate) before: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        for (millis, wanted) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_400_000, "2000-02-29 00:00 UTC"),
            (1_796_131_440_000, "2026-12-01 13:24 UTC"),
            (-1, "1969-12-31 23:59 UTC"),
        ] {
            assert_eq!(moment(millis), wanted);
        }
    }
}
