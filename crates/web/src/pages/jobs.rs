//! The page **Jobs**: what waits, what is being done, what became of the rest.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{Redirect, Response};
use effigy_queue::{Counts, Job, Page as JobPage, State as JobState, scanned_name};
use maud::{Markup, html};

use super::check::{answer, buttons, progress};
use super::layout::{Id, Page, Part, moment, standing};
use crate::problem::Problem;
use crate::studio::{App, Shared};
use crate::words::Words;

/// Jobs on a page.
const N_JOBS: u32 = 50;

pub(crate) async fn list(State(app): State<Shared>, part: Part, headers: HeaderMap) -> Response {
    let page = list_page(&app, app.library.of(&headers), part.before).await;
    answer(&app, &headers, page)
}

async fn list_page(app: &App, words: &Words, before: Option<i64>) -> Result<Markup, Problem> {
    let studio = &app.studio;
    let counts = studio.queue.count(&studio.tenant).await?;
    let page = studio
        .queue
        .list(&studio.tenant, None, before, N_JOBS)
        .await?;
    let n_open = counts.of(JobState::Queued) + counts.of(JobState::Running);
    let page = Page {
        words,
        title: words.say("jobs-title"),
        is_live: 0 < n_open && before.is_none(),
        main: table(words, &counts, &page),
    };
    Ok(page.render())
}

fn table(words: &Words, counts: &Counts, page: &JobPage) -> Markup {
    html! {
        h1 { (words.say("jobs-title")) }
        p {
            @for state in JobState::ALL {
                @if 0 < counts.of(state) {
                    span.count { (words.say(state.as_str())) ": " (counts.of(state)) } " "
                }
            }
        }
        @if page.jobs.is_empty() { p { (words.say("none-yet")) } } @else {
            div.wide tabindex="0" role="region" aria-label=(words.say("jobs-title")) {
                table {
                    thead { tr {
                        @for name in ["file", "state", "result", "when"] { th scope="col" { (words.say(name)) } }
                        th scope="col" { (words.say("details")) }
                    } }
                    tbody { @for job in &page.jobs { (row(words, job)) } }
                }
            }
        }
        @if let Some(next) = page.next {
            p { a href={ "/jobs?before=" (next) } { (words.say("older")) } }
        }
    }
}

fn row(words: &Words, job: &Job) -> Markup {
    let (word, class) = standing(job);
    html! {
        tr {
            th scope="row" { a href={ "/check/" (job.id) } { (scanned_name(&job.asked)) } }
            td {
                (words.say(job.state.as_str()))
                @if job.state == JobState::Running { " " (progress(words, job)) }
            }
            td { @if matches!(job.state, JobState::Done | JobState::Dead) {
                span class={ "badge " (class) } { (words.say(word)) }
            } }
            td { (moment(job.created_millis)) }
            td { a href={ "/jobs/" (job.id) } aria-label={ (words.say("details")) ": " (scanned_name(&job.asked)) } { (words.say("details")) } }
        }
    }
}

pub(crate) async fn one(State(app): State<Shared>, id: Id, headers: HeaderMap) -> Response {
    let page = one_page(&app, app.library.of(&headers), &id).await;
    answer(&app, &headers, page)
}

async fn one_page(app: &App, words: &Words, id: &str) -> Result<Markup, Problem> {
    let job = app.job(id).await?;
    let name = scanned_name(&job.asked);
    let main = html! {
        h1 { (words.say("job")) ": " (name) }
        dl {
            dt { (words.say("state")) } dd { (words.say(job.state.as_str())) }
            dt { (words.say("when")) } dd {
                (moment(job.created_millis))
                @if let Some(ended) = job.ended_millis { " – " (moment(ended)) }
            }
            dt { (words.say("attempts")) } dd { (job.attempts) " / " (job.asked.max_attempts) }
            @if let Some(reason) = &job.reason { dt { (words.say("reason")) } dd { (reason) } }
        }
        @if !job.state.is_over() { (progress(words, &job)) }
        (buttons(words, &job))
        h2 { (words.say("log")) }
        pre tabindex="0" { (job.log.as_deref().unwrap_or("–")) }
        p { a href={ "/check/" (job.id) } { (words.say("result")) } }
    };
    let page = Page {
        words,
        title: format!("{}: {name}", words.say("job")),
        is_live: !job.state.is_over(),
        main,
    };
    Ok(page.render())
}

pub(crate) async fn cancel(State(app): State<Shared>, id: Id, headers: HeaderMap) -> Response {
    let studio = &app.studio;
    let cancelled = studio.queue.cancel(&studio.tenant, &id).await;
    let cancelled = match cancelled {
        Ok(Some(job)) => Ok(Redirect::to(&format!("/jobs/{}", job.id))),
        Ok(None) => Err(Problem::not_found()),
        Err(error) => Err(error.into()),
    };
    answer(&app, &headers, cancelled)
}

pub(crate) async fn retry(State(app): State<Shared>, id: Id, headers: HeaderMap) -> Response {
    let pushed = async {
        let job = app.job(&id).await?;
        let pushed = app.studio.queue.push(&job.asked).await?;
        Ok(Redirect::to(&format!("/check/{}", pushed.id)))
    };
    let pushed = pushed.await;
    answer(&app, &headers, pushed)
}
