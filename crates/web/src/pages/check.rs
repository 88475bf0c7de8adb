//! The page **Check**: files go in, verdicts come out.

use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use effigy_queue::{Job, REPORT, State as JobState, scan_job, scanned_name};
use maud::{Markup, html};
use serde_json::Value;

use super::layout::{Id, Page, moment, show, size, standing};
use super::report::report;
use crate::problem::Problem;
use crate::receive;
use crate::studio::{App, Shared};
use crate::words::Words;

/// Verdicts on the page.
const N_RECENT: u32 = 20;

pub(crate) async fn home(State(app): State<Shared>, headers: HeaderMap) -> Response {
    answer(
        &app,
        &headers,
        home_page(&app, app.library.of(&headers)).await,
    )
}

/// A page, or the page of what went wrong.
pub(super) fn answer(
    app: &Shared,
    headers: &HeaderMap,
    page: Result<impl IntoResponse, Problem>,
) -> Response {
    match page {
        Ok(page) => page.into_response(),
        Err(problem) => show(app, headers, &problem),
    }
}

async fn home_page(app: &App, words: &Words) -> Result<Markup, Problem> {
    let studio = &app.studio;
    let recent = studio
        .queue
        .list(&studio.tenant, None, None, N_RECENT)
        .await?
        .jobs;
    let most = [("size", size(studio.most_file_bytes))];
    let main = html! {
        h1 { (words.say("check-title")) }
        p { (words.say("check-about")) }
        form.card action="/check" method="post" enctype="multipart/form-data" {
            label for="files" { (words.say("check-files")) }
            input id="files" type="file" name="files" multiple required aria-describedby="hint";
            p.small id="hint" { (words.fill("check-hint", &most)) }
            button { (words.say("check-go")) }
        }
        h2 { (words.say("recent")) }
        @if recent.is_empty() { p { (words.say("none-yet")) } } @else {
            ul.plain {
                @for job in &recent {
                    @let (word, class) = standing(job);
                    li {
                        a href={ "/check/" (job.id) } { (scanned_name(&job.asked)) }
                        span class={ "badge " (class) } { (words.say(word)) }
                        span.small { (moment(job.created_millis)) }
                    }
                }
            }
        }
    };
    let page = Page {
        words,
        title: words.say("check-title"),
        // While somebody chooses files nothing may be loaded again.
        is_live: false,
        main,
    };
    Ok(page.render())
}

pub(crate) async fn upload(
    State(app): State<Shared>,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    let pushed = async {
        let form = form.map_err(|err| Problem::bad_request(err.body_text()))?;
        let studio = &app.studio;
        let mut ids = Vec::new();
        for file in receive::form(studio, form).await? {
            let job = scan_job(studio.tenant.clone(), file.stored.sha256, &file.name);
            ids.push(studio.queue.push(&job).await?.id);
        }
        // Each has a page of its own; several are looked at in the list.
        Ok(match &ids[..] {
            [id] => Redirect::to(&format!("/check/{id}")),
            _ => Redirect::to("/jobs"),
        })
    };
    let pushed = pushed.await;
    answer(&app, &headers, pushed)
}

pub(crate) async fn result(State(app): State<Shared>, id: Id, headers: HeaderMap) -> Response {
    let page = result_page(&app, app.library.of(&headers), &id).await;
    answer(&app, &headers, page)
}

async fn result_page(app: &App, words: &Words, id: &str) -> Result<Markup, Problem> {
    let job = app.job(id).await?;
    let (word, class) = standing(&job);
    let body = match job.state {
        JobState::Done => {
            let json = app.output(id, REPORT).await?;
            let value: Value = serde_json::from_slice(&json).unwrap_or_default();
            report(words, &job, &value)
        }
        _ => unfinished(words, &job),
    };
    let page = Page {
        words,
        title: format!("{}: {}", scanned_name(&job.asked), words.say(word)),
        is_live: !job.state.is_over(),
        main: html! {
            section class={ "card verdict " (class) } {
                p.small { (scanned_name(&job.asked)) }
                h1 { (words.say(word)) }
                (body)
            }
            p { a href="/" { (words.say("another")) } " · " a href={ "/jobs/" (job.id) } { (words.say("details")) } }
        },
    };
    Ok(page.render())
}

fn unfinished(words: &Words, job: &Job) -> Markup {
    html! {
        @match job.state {
            JobState::Queued => p role="status" { (words.say("waiting")) },
            JobState::Running => p role="status" { (words.say("at-work")) },
            JobState::Dead => p { (words.say("about-unreadable")) },
            _ => {}
        }
        @if !job.state.is_over() { (progress(words, job)) }
        @if let Some(reason) = job.reason.as_ref().filter(|_| job.state == JobState::Dead) {
            p.small { (reason) }
        }
        (buttons(words, job))
    }
}

/// How far a job is: `scan 12/250`, or nothing yet.
pub(super) fn progress(words: &Words, job: &Job) -> Markup {
    let said = job
        .progress
        .as_deref()
        .and_then(|said| said.rsplit(' ').next());
    let parts = said.and_then(|said| {
        let (n, of) = said.split_once('/')?;
        Some((
            n.parse::<u64>().ok()?,
            of.parse::<u64>().ok().filter(|&of| 0 < of)?,
        ))
    });
    html! {
        @if let Some((n, of)) = parts {
            progress max=(of) value=(n.min(of)) aria-label=(words.say("progress")) {}
        } @else {
            progress aria-label=(words.say("progress")) {}
        }
    }
}

/// What can be done with a job.
pub(super) fn buttons(words: &Words, job: &Job) -> Markup {
    html! {
        @match job.state {
            JobState::Queued | JobState::Running => form method="post" action={ "/jobs/" (job.id) "/cancel" } {
                button { (words.say("cancel")) }
            },
            JobState::Dead | JobState::Cancelled => form method="post" action={ "/jobs/" (job.id) "/retry" } {
                button { (words.say("retry")) }
            },
            JobState::Done => {}
        }
    }
}
