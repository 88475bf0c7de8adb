//! Judging a file by a program that stands in for `effigy`: what it says, and how it may die.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use effigy_queue::{
    Outcome, Queue, REPORT, REPORT_PAGE, Retry, Said, Scan, Store, Task, safe_name, scan_job,
    scanned_name,
};

use crate::claims::tenant;
use crate::place::Place;

/// Has a script judge a file called `name`, and says what came of it.
fn judged(folder: &Path, name: &str, script: &str) -> (Outcome, Store) {
    let program = folder.join("program");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let place = Place::sqlite();
    place.run(async {
        let store = Store::open_folder(&folder.join("store")).unwrap();
        let file = store.put(b"a clip").await.unwrap().sha256;
        let queue = Queue::open(&place.fresh()).await.unwrap();
        queue
            .push(&scan_job(tenant("ada"), file, name))
            .await
            .unwrap();
        let lease = queue
            .take("tester", &["scan"], std::time::Duration::from_secs(60))
            .await;
        let task = Task {
            job: lease.unwrap().unwrap().job,
            said: Said::default().into(),
        };
        let scan = Scan {
            program,
            store: store.clone(),
            folder: folder.join("work"),
        };
        (scan.run(task).await, store)
    })
}

#[test]
fn what_the_program_says_is_kept_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let script = "for last; do :; done; mkdir report; echo page > report/x.html
        test \"$(cat \"$last\")\" = 'a clip' || exit 9
        printf '{\"verdict\": \"signs\",  \"file\": \"%s\"}\\n' \"$last\"; exit 1";
    let (outcome, store) = judged(folder.path(), "../../a \"b\"/-my clip.mp4", script);
    let Outcome::Done(done) = outcome else {
        unreachable!("{outcome:?}");
    };
    assert!(
        done.summary.contains("\"verdict\":\"signs\""),
        "{}",
        done.summary
    );
    Place::sqlite().run(async {
        let report = store.get(&done.outputs[REPORT], 1000).await.unwrap();
        let wanted = "{\"verdict\": \"signs\",  \"file\": \"my clip.mp4\"}\n";
        assert_eq!(String::from_utf8(report).unwrap(), wanted);
        assert_eq!(
            store.get(&done.outputs[REPORT_PAGE], 1000).await.unwrap(),
            b"page\n"
        );
    });
    let left = fs::read_dir(folder.path().join("work")).unwrap().count();
    assert_eq!(left, 0, "the folder of the job is left");
}

#[test]
fn a_program_that_dies_never_judges() {
    for (script, wanted, retry) in [
        ("exit 0", "ended with 0", Retry::Never),
        (
            "echo '{\"verdict\": \"no_signs\"}'; exit 7",
            "ended with 7",
            Retry::Never,
        ),
        (
            "echo '{\"verdict\": \"no_signs\"}'; kill -SEGV $$",
            "died",
            Retry::Later,
        ),
        (
            "echo '{\"verdict\": \"no_si'; exit 0",
            "ended with 0",
            Retry::Never,
        ),
        (
            "echo 'error: it took all memory' >&2; exit 2",
            "it took all memory",
            Retry::Never,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (outcome, _) = judged(folder.path(), "a.mp4", script);
        let Outcome::Failed {
            reason,
            retry: told,
        } = outcome
        else {
            unreachable!("{script}: {outcome:?}");
        };
        assert!(reason.starts_with("the file cannot be read: "), "{reason}");
        assert!(reason.contains(wanted), "{script}: {reason}");
        assert_eq!(told, retry, "{script}");
    }
}

#[test]
fn names_are_never_paths() {
    for (name, wanted) in [
        ("clip.mp4", "clip.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\a b.mov", "a b.mov"),
        ("..", "file"),
        ("", "file"),
        ("--report=x.mp4", "report_x.mp4"),
        (".hidden", "hidden"),
        ("<script>\u{202e}4pm.exe", "_script__4pm.exe"),
        ("größe 你好.jpg", "größe 你好.jpg"),
        ("a\0b\nc.png", "a_b_c.png"),
    ] {
        assert_eq!(safe_name(name), wanted);
    }
    let long = format!("{}.mp4", "ü".repeat(500));
    let short = safe_name(&long);
    assert!(short.len() <= 120 && short.ends_with("ü.mp4"), "{short}");
    let file = crate::claims::sha(1);
    assert_eq!(
        scanned_name(&scan_job(tenant("ada"), file, "/x/y.png")),
        "y.png"
    );
}
