use std::path::Path;

use axum::http::StatusCode;
use serde_json::json;

use crate::browser::{Browser, run};

#[test]
fn the_description_is_the_committed_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let made = effigy_web::openapi_json() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        made == committed,
        "crates/web/openapi.json is out of date: run with UPDATE_GOLDEN=1"
    );
    let description: serde_json::Value = serde_json::from_str(&made).unwrap();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    for path in [
        "/v1/files",
        "/v1/jobs",
        "/v1/jobs/{id}",
        "/v1/jobs/{id}/result",
    ] {
        assert!(description["paths"][path].is_object(), "{path}");
    }
    let before = &description["paths"]["/v1/jobs"]["get"]["parameters"][1];
    assert_eq!(
        (&before["name"], &before["in"]),
        (&json!("before"), &json!("query"))
    );
}

#[test]
fn a_job_is_asked_for_done_and_fetched() {
    run(async {
        let browser = Browser::open().await;
        let id = browser.scan("a.mp4", "clip").await;
        assert_eq!(
            browser.scan("a.mp4", "clip").await,
            id,
            "asked for twice, it is one job"
        );
        let path = format!("/v1/jobs/{id}");
        let job = browser.get(&path).await.json();
        assert_eq!(
            (&job["state"], &job["name"]),
            (&json!("queued"), &json!("a.mp4"))
        );
        let early = browser.get(&format!("{path}/result")).await;
        assert_eq!(early.status, StatusCode::CONFLICT);
        let report = json!({"verdict": "signs", "faces": []});
        browser.finish(&report, "<p>page").await;
        let job = browser.get(&path).await.json();
        assert_eq!(
            (&job["state"], &job["summary"]["verdict"]),
            (&json!("done"), &json!("signs"))
        );
        let result = browser.get(&format!("{path}/result")).await;
        assert_eq!(result.text, report.to_string(), "to the byte");
        assert_eq!(result.header("content-type"), "application/json");
        let page = browser.get(&format!("{path}/page")).await;
        assert_eq!(page.text, "<p>page");
        assert!(page.header("content-security-policy").contains("sandbox"));
        let events = browser.get(&format!("{path}/events")).await;
        assert!(
            events.text.contains("event: job\ndata: {\"id\":"),
            "{}",
            events.text
        );
    });
}

#[test]
fn lists_have_pages_and_jobs_can_be_called_off() {
    run(async {
        let browser = Browser::open().await;
        for name in ["a", "b", "c"] {
            browser.scan(name, "clip").await;
        }
        let first = browser.get("/v1/jobs?limit=2").await.json();
        let names = |page: &serde_json::Value| -> Vec<String> {
            let jobs = page["jobs"].as_array().unwrap().iter();
            jobs.map(|job| job["name"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(names(&first), ["c", "b"]);
        let rest = browser
            .get(&format!("/v1/jobs?limit=2&before={}", first["next"]))
            .await
            .json();
        assert_eq!(
            (names(&rest), &rest["next"]),
            (vec!["a".to_owned()], &json!(null))
        );
        let id = first["jobs"][0]["id"].as_str().unwrap();
        let cancelled = browser
            .post(&format!("/v1/jobs/{id}/cancel"), &[], "")
            .await;
        assert_eq!(cancelled.json()["state"], "cancelled");
        let only = browser.get("/v1/jobs?state=cancelled").await.json();
        assert_eq!(names(&only), ["c"]);
    });
}

#[test]
fn what_is_wrong_is_told_as_a_problem() {
    run(async {
        let browser = Browser::open().await;
        let json = [("content-type", "application/json")];
        let hash = "0".repeat(64);
        let asked = |kind: &str, file: &str| json!({"kind": kind, "file": file}).to_string();
        let bad = StatusCode::BAD_REQUEST;
        for (body, wanted) in [
            (asked("train", &hash), bad),
            (asked("scan", &hash), bad),
            (asked("scan", "../../etc/passwd"), StatusCode::NOT_FOUND),
            ("{".to_owned(), bad),
            (
                json!({"kind": "scan", "file": hash, "more": 1}).to_string(),
                bad,
            ),
        ] {
            let answer = browser.post("/v1/jobs", &json, body.clone()).await;
            assert_eq!(answer.status, wanted, "{body}");
            assert_eq!(answer.header("content-type"), "application/problem+json");
            let problem = answer.json();
            assert_eq!(problem["status"], wanted.as_u16());
            assert!(!problem["detail"].as_str().unwrap().is_empty());
        }
        for path in [
            "/v1/jobs/none",
            "/v1/none",
            "/v1/jobs/none/result",
            "/v1/jobs/..%2f..%2fx",
        ] {
            let answer = browser.get(path).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
        for path in ["/v1/jobs?state=odd", "/v1/jobs?before=x"] {
            assert_eq!(browser.get(path).await.status, bad, "{path}");
        }
        let large = format!("{{\"kind\": \"{}\"}}", "x".repeat(100_000));
        assert!(
            browser
                .post("/v1/jobs", &json, large)
                .await
                .status
                .is_client_error()
        );
    });
}
