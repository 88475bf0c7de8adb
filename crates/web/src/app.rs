//! The studio as a service: which address leads where.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tokio::net::TcpListener;

use crate::studio::{App, Studio};
use crate::words::Library;
use crate::{api, guard, pages};

/// What forms and small JSON may have.
const MOST_FORM_BYTES: usize = 64 * 1024;

/// All pages and the API, for who reaches this machine at `port` as itself.
pub fn router(studio: Studio, port: u16) -> Router {
    let hosts = ["127.0.0.1", "localhost", "[::1]"];
    let app = Arc::new(App {
        studio,
        library: Library::new(),
        hosts: hosts.map(|host| format!("{host}:{port}")).into(),
    });
    // They count the bytes themselves, as they come.
    let uploads = Router::new()
        .route("/check", post(pages::check::upload))
        .route("/v1/files", post(api::upload))
        .layer(DefaultBodyLimit::disable());
    let rest = Router::new()
        .route("/", get(pages::check::home))
        .route("/check/{id}", get(pages::check::result))
        .route("/jobs", get(pages::jobs::list))
        .route("/jobs/{id}", get(pages::jobs::one))
        .route("/jobs/{id}/cancel", post(pages::jobs::cancel))
        .route("/jobs/{id}/retry", post(pages::jobs::retry))
        .route("/style.css", get(pages::layout::style))
        .route("/v1/jobs", get(api::list).post(api::create))
        .route("/v1/jobs/{id}", get(api::one))
        .route("/v1/jobs/{id}/cancel", post(api::cancel))
        .route("/v1/jobs/{id}/events", get(api::events))
        .route("/v1/jobs/{id}/result", get(api::result))
        .route("/v1/jobs/{id}/page", get(api::page))
        .route("/v1/openapi.json", get(api::openapi))
        .layer(DefaultBodyLimit::max(MOST_FORM_BYTES));
    uploads
        .merge(rest)
        .fallback(pages::layout::nothing_here)
        .layer(from_fn_with_state(Arc::clone(&app), guard::guard))
        .with_state(app)
}

/// Serves the studio on this machine alone, until `stop` is over.
///
/// # Errors
/// When the listener is open to other machines, or the system refuses.
pub(crate) async fn serve(
    listener: TcpListener,
    studio: Studio,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let address: SocketAddr = listener.local_addr()?;
    if !address.ip().is_loopback() {
        let why =
            format!("{address} is open to other machines; a studio has no users to tell apart yet");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    // Whoever is still reading events is not waited for.
    let served = axum::serve(listener, router(studio, address.port()));
    tokio::select! {
        ended = served.into_future() => ended,
        () = stop => Ok(()),
    }
}
