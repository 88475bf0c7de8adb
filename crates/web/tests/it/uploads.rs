use axum::body::Body;
use axum::http::StatusCode;
use futures_util::stream;

use crate::browser::{Browser, HOST, MOST_FILE_BYTES, run};

/// A form with these fields: name of the field, name of the file, its type, its content.
fn form(fields: &[(&str, &str, &str, &str)]) -> (String, String) {
    let boundary = "----boundary";
    let mut body = String::new();
    for (field, name, kind, content) in fields {
        body += &format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
             Content-Type: {kind}\r\n\r\n{content}\r\n"
        );
    }
    body += &format!("--{boundary}--\r\n");
    (format!("multipart/form-data; boundary={boundary}"), body)
}

async fn send(browser: &Browser, fields: &[(&str, &str, &str, &str)]) -> crate::browser::Answer {
    let (kind, body) = form(fields);
    browser
        .post("/check", &[("content-type", &kind)], body)
        .await
}

#[test]
fn a_form_makes_a_job_of_each_file() {
    run(async {
        let browser = Browser::open().await;
        let one = send(&browser, &[("files", "a.mp4", "video/mp4", "clip a")]).await;
        assert_eq!(one.status, StatusCode::SEE_OTHER, "{}", one.text);
        let place = one.header("location").to_owned();
        assert!(place.starts_with("/check/"), "{place}");
        let page = browser.get(&place).await;
        assert!(
            page.text.contains("a.mp4") && page.text.contains("Waiting"),
            "{}",
            page.text
        );
        // Two of one name are two; the same file of the same name is the same job.
        let several = [
            ("files", "b.png", "image/png", "first"),
            ("files", "b.png", "image/png", "second"),
            ("other", "c.png", "image/png", "not asked for"),
            ("files", "a.mp4", "text/html", "clip a"),
        ];
        let several = send(&browser, &several).await;
        assert_eq!(several.header("location"), "/jobs");
        let jobs = browser.get("/v1/jobs").await.json();
        assert_eq!(jobs["jobs"].as_array().unwrap().len(), 3, "{jobs}");
    });
}

#[test]
fn forms_without_a_file_and_broken_ones_are_told() {
    run(async {
        let browser = Browser::open().await;
        let none = send(&browser, &[("files", "", "application/octet-stream", "")]).await;
        assert_eq!(none.status, StatusCode::BAD_REQUEST);
        assert!(none.text.contains("No file was chosen"), "{}", none.text);
        let (kind, body) = form(&[("files", "a.mp4", "video/mp4", "clip a")]);
        let cut = body[..body.len() - 12].to_owned();
        let cut = browser
            .post("/check", &[("content-type", &kind)], cut)
            .await;
        assert_eq!(cut.status, StatusCode::BAD_REQUEST);
        assert!(cut.text.contains("interrupted"), "{}", cut.text);
        let no_form = browser
            .post("/check", &[("content-type", "text/plain")], "x")
            .await;
        assert_eq!(no_form.status, StatusCode::BAD_REQUEST);
        assert!(
            browser.get("/v1/jobs").await.json()["jobs"]
                .as_array()
                .unwrap()
                .is_empty()
        );
    });
}

#[test]
fn files_over_the_limit_leave_nothing() {
    run(async {
        let browser = Browser::open().await;
        let large = "x".repeat(MOST_FILE_BYTES as usize + 1);
        let form = send(&browser, &[("files", "a.mp4", "video/mp4", &large)]).await;
        assert_eq!(form.status, StatusCode::PAYLOAD_TOO_LARGE);
        let raw = browser.post("/v1/files?name=a.mp4", &[], large).await;
        assert_eq!(raw.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(raw.header("content-type"), "application/problem+json");
        // Whatever it says of its length: what comes is counted.
        let endless = stream::repeat_with(|| Ok::<_, std::io::Error>("x".repeat(100)));
        let endless = browser
            .post("/v1/files", &[], Body::from_stream(endless))
            .await;
        assert_eq!(endless.status, StatusCode::PAYLOAD_TOO_LARGE);
        let pieces = [Ok("abc"), Err(std::io::Error::other("cable pulled"))];
        let cut = Body::from_stream(stream::iter(pieces));
        let cut = browser.post("/v1/files", &[], cut).await;
        assert_eq!(cut.status, StatusCode::BAD_REQUEST);
        assert!(
            cut.json()["detail"]
                .as_str()
                .unwrap()
                .contains("interrupted")
        );
        assert!(!browser.folder.path().join("store/files").exists());
    });
}

#[test]
fn names_and_types_are_never_believed() {
    run(async {
        let browser = Browser::open().await;
        for name in [
            "../../../etc/cron.d/x",
            "<img src=x onerror=alert(1)>.png",
            "--report",
        ] {
            send(&browser, &[("files", name, "text/html", name)]).await;
        }
        let page = browser.get("/jobs").await.text;
        assert!(!page.contains("<img") && !page.contains(".."), "{page}");
        let jobs = browser.get("/v1/jobs").await.json();
        for job in jobs["jobs"].as_array().unwrap() {
            let name = job["name"].as_str().unwrap();
            assert!(
                !name.contains(['/', '<']) && !name.starts_with(['-', '.']),
                "{name}"
            );
        }
        // What was uploaded is never served again, whatever it is asked for as.
        let hash = jobs["jobs"][0]["file"].as_str().unwrap();
        for path in [format!("/v1/files/{hash}"), format!("/store/files/{hash}")] {
            assert_eq!(browser.get(&path).await.status, StatusCode::NOT_FOUND);
        }
    });
}

#[test]
fn only_our_own_names_and_pages_are_answered() {
    run(async {
        let browser = Browser::open().await;
        for host in [
            "evil.example",
            "127.0.0.1",
            "127.0.0.1:80",
            "localhost.evil.example:7878",
            "",
        ] {
            let request = axum::http::Request::get("/").header("host", host);
            let answer = browser.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
        }
        let none = axum::http::Request::get("/").body(Body::empty()).unwrap();
        assert_eq!(
            browser.send(none).await.status,
            StatusCode::MISDIRECTED_REQUEST
        );
        for host in [HOST, "localhost:7878", "[::1]:7878"] {
            let request = axum::http::Request::get("/").header("host", host);
            let answer = browser.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::OK, "{host}");
        }
        for (name, value, wanted) in [
            ("origin", "http://evil.example", StatusCode::FORBIDDEN),
            ("origin", "null", StatusCode::FORBIDDEN),
            ("origin", "https://127.0.0.1:7878", StatusCode::FORBIDDEN),
            ("origin", "http://127.0.0.1:80", StatusCode::FORBIDDEN),
            ("sec-fetch-site", "cross-site", StatusCode::FORBIDDEN),
            ("sec-fetch-site", "same-site", StatusCode::FORBIDDEN),
            ("origin", "http://127.0.0.1:7878", StatusCode::CREATED),
            ("sec-fetch-site", "same-origin", StatusCode::CREATED),
        ] {
            let answer = browser.post("/v1/files", &[(name, value)], "x").await;
            assert_eq!(answer.status, wanted, "{name}: {value}");
        }
        let twice = [
            ("origin", "http://127.0.0.1:7878"),
            ("origin", "http://evil.example"),
        ];
        assert_eq!(
            browser.post("/v1/files", &twice, "x").await.status,
            StatusCode::FORBIDDEN
        );
    });
}
