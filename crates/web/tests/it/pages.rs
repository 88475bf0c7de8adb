use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::browser::{Browser, run};

fn report() -> Value {
    json!({
        "verdict": "signs", "marked_as_synthetic": false, "fake_probability": 0.93,
        "reasons": ["The <b>mouth</b> is drawn."], "not_judged": ["too short for pulse"],
        "faces": [{
            "track": 0, "verdict": "signs", "fake_probability": 0.93, "from_secs": 0.0, "to_secs": 2.5,
            "reasons": [], "timeline": [[0.0, 0.2], [1.0, 0.9], [2.0, 2.0]],
            "cues": [{"name": "traces", "role": "counts", "score": 0.9, "sentence": "Traces of a maker."}]
        }],
        "cues": [{"name": "provenance", "role": "not_judged", "score": null, "sentence": "No mark."}],
        "claims": ["made with Lavf"], "voices": null
    })
}

#[test]
fn a_verdict_is_told_in_words_without_script() {
    run(async {
        let browser = Browser::open().await;
        let id = browser.scan("a.mp4", "clip").await;
        let waiting = browser.get(&format!("/check/{id}")).await.text;
        assert!(waiting.contains("http-equiv=\"refresh\""), "{waiting}");
        browser.finish(&report(), "<p>page").await;
        let page = browser.get(&format!("/check/{id}")).await.text;
        for wanted in [
            "<h1>Signs of manipulation</h1>",
            "manipulation: 93 %",
            "The &lt;b&gt;mouth&lt;/b&gt; is drawn.",
            "too short for pulse",
            "Face 1, 0.0 to 2.5 s",
            "<polyline class=\"line\" points=\"0.0,80.0 50.0,10.0 100.0,0.0\"",
            "No mark.",
            "made with Lavf",
            &format!("/v1/jobs/{id}/page"),
            &format!("/v1/jobs/{id}/result"),
        ] {
            assert!(page.contains(wanted), "{wanted} is not in {page}");
        }
        assert!(
            !page.contains("http-equiv") && !page.contains("<script"),
            "{page}"
        );
    });
}

#[test]
fn what_nobody_looked_at_is_never_genuine() {
    run(async {
        let browser = Browser::open().await;
        let unreadable = json!({"verdict": "not_judged", "error": "the file is empty (0 bytes)"});
        let id = browser.scan("empty.mp4", "x").await;
        browser.finish(&unreadable, "").await;
        let page = browser.get(&format!("/check/{id}")).await.text;
        assert!(
            page.contains("<h1>Cannot be read</h1>") && page.contains("(0 bytes)"),
            "{page}"
        );
        let id = browser.scan("crash.mp4", "y").await;
        browser.fail("the file cannot be read: it died").await;
        let page = browser.get(&format!("/check/{id}")).await.text;
        assert!(
            page.contains("<h1>Cannot be read</h1>") && page.contains("it died"),
            "{page}"
        );
        let id = browser.scan("odd.mp4", "z").await;
        browser
            .finish(&json!({"verdict": "something new"}), "")
            .await;
        let page = browser.get(&format!("/check/{id}")).await.text;
        assert!(page.contains("<h1>Not judged</h1>"), "{page}");
        let list = browser.get("/jobs").await.text;
        assert_eq!(list.matches("Cannot be read").count(), 2, "{list}");
    });
}

#[test]
fn jobs_are_called_off_and_begun_again() {
    run(async {
        let browser = Browser::open().await;
        let id = browser.scan("a.mp4", "clip").await;
        let gone = browser.post(&format!("/jobs/{id}/cancel"), &[], "").await;
        assert_eq!(
            (gone.status, gone.header("location")),
            (StatusCode::SEE_OTHER, &*format!("/jobs/{id}"))
        );
        let page = browser.get(&format!("/jobs/{id}")).await.text;
        assert!(
            page.contains("Cancelled") && page.contains("Begin again"),
            "{page}"
        );
        browser.post(&format!("/jobs/{id}/retry"), &[], "").await;
        browser.finish(&report(), "").await;
        let page = browser.get(&format!("/jobs/{id}")).await.text;
        assert!(
            page.contains("Done") && page.contains("it is done"),
            "{page}"
        );
        let odd = browser.post("/jobs/none/cancel", &[], "").await;
        assert_eq!(odd.status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn every_answer_has_the_headers_that_protect_it() {
    run(async {
        let browser = Browser::open().await;
        let id = browser.scan("a.mp4", "clip").await;
        browser.finish(&report(), "").await;
        let paths = [
            "/",
            "/jobs",
            "/style.css",
            "/none",
            "/v1/none",
            "/v1/jobs",
            "/v1/openapi.json",
        ];
        let mut paths = paths.map(str::to_owned).to_vec();
        paths.extend(["", "/result", "/page", "/events"].map(|end| format!("/v1/jobs/{id}{end}")));
        paths.push(format!("/check/{id}"));
        for path in paths {
            let answer = browser.get(&path).await;
            let policy = answer.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
            assert!(
                policy.contains("frame-ancestors 'none'") && !policy.contains("script"),
                "{path}"
            );
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(
                answer.header("cross-origin-resource-policy"),
                "same-origin",
                "{path}"
            );
            assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
            assert!(!answer.header("cache-control").is_empty(), "{path}");
        }
    });
}

#[test]
fn pages_speak_the_language_of_the_browser_and_can_be_found_through() {
    run(async {
        let browser = Browser::open().await;
        let request = axum::http::Request::get("/")
            .header("host", crate::browser::HOST)
            .header("accept-language", "de-AT,en;q=0.4");
        let page = browser
            .send(request.body(axum::body::Body::empty()).unwrap())
            .await
            .text;
        assert!(
            page.contains("<html lang=\"de\">") && page.contains("Bilder und Videos prüfen"),
            "{page}"
        );
        for wanted in [
            "<main id=\"main\">",
            "<nav aria-label",
            "<label for=\"files\">",
            "href=\"#main\"",
        ] {
            assert!(page.contains(wanted), "{wanted}");
        }
    });
}

#[test]
fn a_long_list_stays_a_short_page() {
    run(async {
        let browser = Browser::open().await;
        for n in 0..120 {
            let mut asked =
                effigy_queue::NewJob::new(browser.studio.tenant.clone(), "scan", vec![]);
            asked
                .settings
                .insert("name".to_owned(), format!("clip {n}.mp4"));
            browser.studio.queue.push(&asked).await.unwrap();
        }
        let page = browser.get("/jobs").await.text;
        assert!(
            page.len() < 200_000 && page.contains("clip 119.mp4"),
            "{}",
            page.len()
        );
        assert!(page.contains("/jobs?before="));
    });
}
