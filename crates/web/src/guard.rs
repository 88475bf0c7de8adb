//! Who may ask, and what browsers are told to do with the answers.
//!
//! A page of another site can make a browser send requests here, and a name that its owner lets point here
//! makes them look like its own (DNS rebinding). So only our own names are answered, and what
//! changes something only when our own pages ask, or no browser.

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::problem::Problem;
use crate::studio::Shared;

/// What every answer says, unless it says something stricter itself.
const HEADERS: [(&str, &str); 8] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    // Browsers then say of our own forms where they come from, and others learn nothing.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), microphone=(), geolocation=()",
    ),
    ("cache-control", "no-store"),
];

/// What a report says that came out of a file of somebody else: it may style itself, and show the
/// pictures that it holds, and nothing else.
pub(crate) const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
    img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";

/// Refuses what does not come from here, and adds the headers.
pub(crate) async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let refused = refusal(&shared.hosts, &request);
    let mut response = match refused {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        let name = HeaderName::from_static(name);
        let set = response.headers_mut().entry(name);
        set.or_insert(HeaderValue::from_static(value));
    }
    response
}

fn refusal(hosts: &[String], request: &Request) -> Option<Problem> {
    let headers = request.headers();
    let host = one(headers, HOST).unwrap_or_default();
    if !hosts.iter().any(|ours| ours == host) {
        return Some(Problem::wrong_host());
    }
    if request.method().is_safe() || is_from_here(headers, hosts) {
        return None;
    }
    Some(Problem::wrong_origin())
}

/// Whether our own page, or a program that is no browser, made the request.
fn is_from_here(headers: &HeaderMap, hosts: &[String]) -> bool {
    let is_ours = |origin: &str| {
        let host = origin.strip_prefix("http://");
        host.is_some_and(|host| hosts.iter().any(|ours| ours == host))
    };
    if headers.contains_key(ORIGIN) {
        return one(headers, ORIGIN).is_some_and(is_ours);
    }
    let site = HeaderName::from_static("sec-fetch-site");
    match headers.get(&site) {
        Some(site) => site == "same-origin" || site == "none",
        None => true,
    }
}

/// The value of a header that is there once.
fn one(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}
