//! Something that sends requests as a browser does, and what a studio is in tests.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use effigy_queue::{Done, Lease, Queue, Retry, Store, Tenant};
use effigy_web::{Studio, router};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

pub(crate) const HOST: &str = "127.0.0.1:7878";
pub(crate) const MOST_FILE_BYTES: u64 = 1000;

pub(crate) struct Browser {
    pub(crate) folder: TempDir,
    pub(crate) studio: Studio,
    pub(crate) router: Router,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

pub(crate) fn run<T>(claim: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(claim)
}

impl Browser {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let studio = Studio {
            queue: Queue::open_file(&folder.path().join("jobs.db"))
                .await
                .unwrap(),
            store: Store::open_folder(&folder.path().join("store")).unwrap(),
            tenant: Tenant::new("local").unwrap(),
            most_file_bytes: MOST_FILE_BYTES,
        };
        Self {
            router: router(studio.clone(), 7878),
            folder,
            studio,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 10_000_000).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header("host", HOST);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("host", HOST);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Uploads a file and asks for it to be scanned; gives the job.
    pub(crate) async fn scan(&self, name: &str, content: &'static str) -> String {
        let file = self
            .post(&format!("/v1/files?name={name}"), &[], content)
            .await;
        assert_eq!(file.status, StatusCode::CREATED, "{}", file.text);
        let asked = serde_json::json!({
            "kind": "scan", "file": file.json()["sha256"], "name": name
        });
        let json = [("content-type", "application/json")];
        let job = self.post("/v1/jobs", &json, asked.to_string()).await;
        assert!(job.status.is_success(), "{}", job.text);
        job.json()["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn take(&self) -> Lease {
        let lasts = std::time::Duration::from_secs(60);
        let taken = self.studio.queue.take("tester", &["scan"], lasts).await;
        taken.unwrap().unwrap()
    }

    /// Does the next job: its results are this report and this page.
    pub(crate) async fn finish(&self, report: &Value, page: &str) {
        let lease = self.take().await;
        let mut done = Done {
            summary: report.to_string(),
            ..Done::default()
        };
        for (name, text) in [
            ("report.json", report.to_string()),
            ("report.html", page.to_owned()),
        ] {
            let stored = self.studio.store.put(text.as_bytes()).await.unwrap();
            done.outputs.insert(name.to_owned(), stored.sha256);
        }
        self.studio
            .queue
            .finish(&lease, &done, "it is done")
            .await
            .unwrap();
    }

    /// Gives the next job up.
    pub(crate) async fn fail(&self, reason: &str) {
        let lease = self.take().await;
        self.studio
            .queue
            .fail(&lease, reason, Retry::Never, "")
            .await
            .unwrap();
    }
}
