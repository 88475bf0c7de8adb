use std::path::PathBuf;
use std::time::{Duration, Instant};

use effigy_queue::{Ended, Limits, Program, Said};

use crate::place::Place;

fn shell(script: &str) -> Program {
    Program {
        path: PathBuf::from("/bin/sh"),
        arguments: ["-c", script].map(Into::into).to_vec(),
        environment: vec![("WHO".into(), "me".into())],
        folder: PathBuf::from("/"),
    }
}

const LIMITS: Limits = Limits {
    wall: Duration::from_secs(20),
    most_output_bytes: 1000,
};

#[test]
fn a_program_is_heard_to_its_end() {
    Place::sqlite().run(async {
        let said = Said::default();
        let script =
            "echo to $WHO; echo 'progress: scan 1/2' >&2; echo one >&2; printf two >&2; exit 3";
        let Ended::ByItself { status, output } = shell(script).run(LIMITS, &said).await.unwrap()
        else {
            panic!("cut off");
        };
        assert_eq!((status.code(), &output[..]), (Some(3), &b"to me\n"[..]));
        assert_eq!(said.progress().as_deref(), Some("scan 1/2"));
        assert_eq!(said.log(), "one\ntwo");
        // A flood of lines, and one without an end, fill no memory.
        let flood = "i=0; while [ $i -lt 500 ]; do echo $i >&2; i=$((i+1)); done; \
                     head -c 3000000 /dev/zero | tr '\\0' x >&2";
        shell(flood).run(LIMITS, &said).await.unwrap();
        assert!(said.log().len() < 2000, "{}", said.log().len());
    });
}

#[test]
fn limits_and_missing_programs_are_told() {
    Place::sqlite().run(async {
        let said = Said::default();
        let quick = Limits {
            wall: Duration::from_millis(100),
            ..LIMITS
        };
        let ended = shell("sleep 60").run(quick, &said).await.unwrap();
        assert!(matches!(ended, Ended::TooLong), "{ended:?}");
        let ended = shell("head -c 3000 /dev/zero")
            .run(LIMITS, &said)
            .await
            .unwrap();
        assert!(matches!(ended, Ended::TooMuch), "{ended:?}");
        let none = Program {
            path: PathBuf::from("/nowhere/effigy"),
            ..shell("")
        };
        let error = none.run(LIMITS, &said).await.unwrap_err().to_string();
        assert!(error.contains("cannot run \"/nowhere/effigy\""), "{error}");
    });
}

#[test]
fn a_dropped_program_is_ended_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let script = format!(
        "echo $$ > {0}.tmp; mv {0}.tmp {0}; exec sleep 600",
        mark.display()
    );
    Place::sqlite().run(async {
        let said = Said::default();
        let program = shell(&script);
        let began = Instant::now();
        let id = tokio::select! {
            _ = program.run(Limits { wall: Duration::from_secs(600), ..LIMITS }, &said) => panic!("over"),
            id = async {
                loop {
                    if let Ok(id) = std::fs::read_to_string(&mark) {
                        break id.trim().to_owned();
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            } => id,
        };
        // A zombie until it is reaped.
        let is_gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat"));
            stat.map_or(true, |stat| stat.contains(") Z "))
        };
        while !is_gone() {
            assert!(began.elapsed() < Duration::from_secs(20), "still there");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
}
