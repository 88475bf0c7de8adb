//! The API: `/v1`, in JSON. Its description is made from this file, and committed.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use effigy_queue::{
    Job, MOST_REPORT_BYTES, REPORT, REPORT_PAGE, SCAN, Sha256, State as JobState, scan_job,
    scanned_name,
};
use futures_util::stream::{Stream, unfold};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use crate::guard::REPORT_POLICY;
use crate::problem::Problem;
use crate::receive;
use crate::studio::{App, Shared};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "effigy",
        description = "Files come in, jobs are asked for, results are fetched. A job is known by what it is asked to do: \
                       asked for twice, it is one job, and done once.",
        license(name = "MIT OR Apache-2.0")
    ),
    paths(upload, create, list, one, cancel, events, result, page)
)]
struct Description;

/// The description of the API, as OpenAPI 3.1 in JSON.
pub fn openapi_json() -> String {
    Description::openapi().to_pretty_json().unwrap_or_default()
}

pub(crate) async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], openapi_json()).into_response()
}

/// A file that arrived whole.
#[derive(Serialize, ToSchema)]
pub(crate) struct UploadedFile {
    /// SHA-256 of its content: what jobs name it by.
    sha256: String,
    /// Its size in bytes.
    bytes: u64,
    /// Its name, made harmless.
    name: String,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadAs {
    /// What the file is called.
    #[serde(default)]
    name: String,
}

/// What is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// The kind of job: `scan`.
    kind: String,
    /// SHA-256 of the file, as the upload answered.
    file: String,
    /// What the file is called in the results.
    #[serde(default)]
    name: String,
}

/// A job as it stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobStatus {
    id: String,
    kind: String,
    /// `queued`, `running`, `done`, `dead` or `cancelled`.
    state: String,
    /// What the file is called.
    name: String,
    /// SHA-256 of the file.
    file: String,
    /// How far it is, in the program's words.
    progress: Option<String>,
    /// The verdict and what goes with it, once done.
    #[schema(value_type = Option<Object>)]
    summary: Option<serde_json::Value>,
    /// Why it failed, or its last attempt did.
    reason: Option<String>,
    /// How often it was begun.
    attempts: i64,
    /// When it was asked for: milliseconds since 1970.
    created_millis: i64,
    started_millis: Option<i64>,
    ended_millis: Option<i64>,
}

/// A part of the list, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobPage {
    jobs: Vec<JobStatus>,
    /// Give it as `before` to have the next part; null when this is the last.
    next: Option<i64>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only jobs in this state.
    state: Option<String>,
    /// Only jobs before this point, as `next` named it.
    before: Option<i64>,
    /// How many: 50, or up to 200.
    limit: Option<u32>,
}

impl From<Job> for JobStatus {
    fn from(job: Job) -> Self {
        let summary = job.done.as_ref().map(|done| done.summary.as_str());
        Self {
            name: scanned_name(&job.asked).to_owned(),
            file: job
                .asked
                .inputs
                .first()
                .map_or("", Sha256::as_str)
                .to_owned(),
            summary: summary.and_then(|json| serde_json::from_str(json).ok()),
            kind: job.asked.kind,
            state: job.state.to_string(),
            id: job.id,
            progress: job.progress,
            reason: job.reason,
            attempts: job.attempts,
            created_millis: job.created_millis,
            started_millis: job.started_millis,
            ended_millis: job.ended_millis,
        }
    }
}

/// Takes a file.
#[utoipa::path(post, path = "/v1/files", params(UploadAs),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = UploadedFile), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn upload(
    State(app): State<Shared>,
    named: Result<Query<UploadAs>, QueryRejection>,
    bytes: Body,
) -> Result<Response, Problem> {
    let Query(named) = named.map_err(|err| Problem::bad_request(err.body_text()))?;
    let received = receive::body(&app.studio, &named.name, bytes).await?;
    let file = UploadedFile {
        sha256: received.stored.sha256.as_str().to_owned(),
        bytes: received.stored.n_bytes,
        name: received.name,
    };
    Ok((StatusCode::CREATED, Json(file)).into_response())
}

/// Asks for a job: 201 when it is new or begun anew, 200 when it was asked for before.
#[utoipa::path(post, path = "/v1/jobs", request_body = Asked,
    responses((status = 201, body = JobStatus), (status = 200, body = JobStatus), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn create(
    State(app): State<Shared>,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(asked) = asked.map_err(|err| Problem::bad_request(err.body_text()))?;
    if asked.kind != SCAN {
        let why = format!("no job is of the kind {:?}; {SCAN:?} is one", asked.kind);
        return Err(Problem::bad_request(why));
    }
    let studio = &app.studio;
    let file = Sha256::parse(&asked.file)?;
    if studio.store.size(&file).await?.is_none() {
        let why = "no such file was uploaded: send it to /v1/files first";
        return Err(Problem::bad_request(why));
    }
    let job = scan_job(studio.tenant.clone(), file, &asked.name);
    let pushed = studio.queue.push(&job).await?;
    let status = if pushed.is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let job: JobStatus = app.job(&pushed.id).await?.into();
    let place = [(LOCATION, format!("/v1/jobs/{}", pushed.id))];
    Ok((status, place, Json(job)).into_response())
}

/// Lists jobs, newest first.
#[utoipa::path(get, path = "/v1/jobs", params(Which),
    responses((status = 200, body = JobPage), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(app): State<Shared>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<JobPage>, Problem> {
    let Query(which) = which.map_err(|err| Problem::bad_request(err.body_text()))?;
    let state = which.state.as_deref().map(str::parse::<JobState>);
    let state = state.transpose().map_err(Problem::bad_request)?;
    let (studio, n) = (&app.studio, which.limit.unwrap_or(50));
    let page = studio
        .queue
        .list(&studio.tenant, state, which.before, n)
        .await?;
    Ok(Json(JobPage {
        jobs: page.jobs.into_iter().map(JobStatus::from).collect(),
        next: page.next,
    }))
}

/// Says how a job stands.
#[utoipa::path(get, path = "/v1/jobs/{id}", params(("id" = String, Path)),
    responses((status = 200, body = JobStatus), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn one(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<JobStatus>, Problem> {
    Ok(Json(app.job(&id).await?.into()))
}

/// Calls a job off. What is over stays as it is.
#[utoipa::path(post, path = "/v1/jobs/{id}/cancel", params(("id" = String, Path)),
    responses((status = 200, body = JobStatus), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn cancel(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<JobStatus>, Problem> {
    let studio = &app.studio;
    let job = studio.queue.cancel(&studio.tenant, &id).await?;
    Ok(Json(job.ok_or_else(Problem::not_found)?.into()))
}

/// How often whoever listens is told of a change.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Tells of every change of a job, as server-sent events, until it is over.
#[utoipa::path(get, path = "/v1/jobs/{id}/events", params(("id" = String, Path)),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn events(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    app.job(&id).await?;
    let told = unfold(
        (app, id, String::new(), false),
        async |(app, id, last, is_over)| {
            if is_over {
                return None;
            }
            loop {
                let job = app.job(&id).await.ok()?;
                let is_over = job.state.is_over();
                let json = serde_json::to_string(&JobStatus::from(job)).ok()?;
                if json != last {
                    let event = Event::default().event("job").data(&json);
                    return Some((Ok(event), (app, id, json, is_over)));
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        },
    );
    Ok(Sse::new(told).keep_alive(KeepAlive::default()))
}

/// Gives what `effigy scan --json` printed, to the byte.
#[utoipa::path(get, path = "/v1/jobs/{id}/result", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/json", body = Object), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn result(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let json = app.output(&id, REPORT).await?;
    Ok(([(CONTENT_TYPE, "application/json")], json).into_response())
}

/// Gives the page of `effigy scan --report`.
#[utoipa::path(get, path = "/v1/jobs/{id}/page", params(("id" = String, Path)),
    responses((status = 200, content_type = "text/html", body = String), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn page(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let html = app.output(&id, REPORT_PAGE).await?;
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, REPORT_POLICY),
    ];
    Ok((headers, html).into_response())
}

impl App {
    /// The job of this name.
    pub(crate) async fn job(&self, id: &str) -> Result<Job, Problem> {
        let studio = &self.studio;
        let job = studio.queue.get(&studio.tenant, id).await?;
        job.ok_or_else(Problem::not_found)
    }

    /// One of the results of a job that is done.
    pub(crate) async fn output(&self, id: &str, name: &str) -> Result<Vec<u8>, Problem> {
        let job = self.job(id).await?;
        let Some(done) = job.done else {
            let why = format!("the job is {}, and has no results", job.state);
            return Err(Problem::conflict(why));
        };
        let output = done.outputs.get(name).ok_or_else(Problem::not_found)?;
        Ok(self.studio.store.get(output, MOST_REPORT_BYTES).await?)
    }
}
