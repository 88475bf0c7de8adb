//! What went wrong, as RFC 9457 has it, or as a page for people.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// A problem: `application/problem+json`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// What kind it is: `about:blank`, the status says it all.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What happened, and what to do next.
    pub(crate) detail: String,
    /// Which words a page says it with.
    #[serde(skip)]
    pub(crate) name: &'static str,
}

impl Problem {
    fn new(status: StatusCode, name: &'static str, detail: String) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail,
            name,
        }
    }

    pub(crate) fn not_found() -> Self {
        let detail = "there is nothing at this address".to_owned();
        Self::new(StatusCode::NOT_FOUND, "error-not-found", detail)
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "error-bad-request", detail.into())
    }

    pub(crate) fn no_file() -> Self {
        let detail = "the request holds no file".to_owned();
        Self::new(StatusCode::BAD_REQUEST, "error-no-file", detail)
    }

    pub(crate) fn interrupted(why: impl std::fmt::Display) -> Self {
        let detail = format!("the upload was interrupted, and nothing of it was kept: {why}");
        Self::new(StatusCode::BAD_REQUEST, "error-interrupted", detail)
    }

    pub(crate) fn too_large(most: u64) -> Self {
        let detail = format!("a file may have {most} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "error-too-large", detail)
    }

    pub(crate) fn wrong_host() -> Self {
        let detail = "the request names a host that is not this one's".to_owned();
        Self::new(StatusCode::MISDIRECTED_REQUEST, "error-host", detail)
    }

    pub(crate) fn wrong_origin() -> Self {
        let detail = "the request was made by a page of another site".to_owned();
        Self::new(StatusCode::FORBIDDEN, "error-origin", detail)
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "error-bad-request", detail.into())
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<effigy_queue::Error> for Problem {
    fn from(error: effigy_queue::Error) -> Self {
        use effigy_queue::Error;
        match error {
            Error::TooLarge { most } => Self::too_large(most),
            Error::NotStored { .. } => Self::not_found(),
            Error::NoJob { why } => Self::bad_request(why),
            other => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "error-internal",
                other.to_string(),
            ),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let json = serde_json::to_string(&self).unwrap_or_default();
        let kind = [(CONTENT_TYPE, "application/problem+json")];
        (self.status(), kind, json).into_response()
    }
}
