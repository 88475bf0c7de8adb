use std::fs;

use super::*;

fn now() -> UtcTime {
    UtcTime::from_unix_secs(1_790_000_000)
}

/// A log of four lines, and what is left of it after `change`.
fn changed(change: impl Fn(Vec<String>) -> Vec<String>) -> Result<Vec<Checked>> {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::create(&folder.path().join("keys"), "Test Studio", now()).unwrap();
    let log = Log::of(&keys);
    let path = log.path().to_owned();
    for consent in ["a", "b", "c", "d"] {
        log.append(
            Event::Consented {
                consent: consent.to_owned(),
            },
            now(),
        )
        .unwrap();
    }
    let lines = fs::read_to_string(&path)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    fs::write(&path, change(lines).join("\n")).unwrap();
    log.verify()
}

#[track_caller]
fn check_broken_at(wanted: usize, change: impl Fn(Vec<String>) -> Vec<String>) {
    let outcome = changed(change);
    assert!(
        matches!(outcome, Err(Error::LogBroken { line, .. }) if line == wanted),
        "{outcome:?}"
    );
}

#[test]
fn untouched_log_verifies() {
    assert_eq!(changed(|lines| lines).unwrap().len(), 4);
}

#[test]
fn changed_line_is_found() {
    for line in 0..4 {
        check_broken_at(line + 1, |mut lines| {
            lines[line] = lines[line].replace("consented", "revoked");
            lines
        });
    }
}

#[test]
fn missing_and_reordered_lines_are_found() {
    check_broken_at(2, |mut lines| {
        lines.remove(1);
        lines
    });
    check_broken_at(2, |mut lines| {
        lines.swap(1, 2);
        lines
    });
}

#[test]
fn lines_cut_off_at_the_end_are_missed() {
    check_broken_at(4, |mut lines| {
        lines.truncate(3);
        lines
    });
    check_broken_at(1, |_| Vec::new());
}

#[test]
fn kill_between_line_and_length_is_forgiven_once() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::create(&folder.path().join("keys"), "Test Studio", now()).unwrap();
    let log = Log::of(&keys);
    let event = || Event::Revoked {
        consent: "a".to_owned(),
    };
    log.append(event(), now()).unwrap();
    let length = fs::read(log.length_path()).unwrap();
    log.append(event(), now()).unwrap();
    fs::write(log.length_path(), &length).unwrap();
    assert_eq!(log.verify().unwrap().len(), 2);
    log.append(event(), now()).unwrap();
    fs::write(log.length_path(), &length).unwrap();
    assert!(matches!(
        log.verify(),
        Err(Error::LogBroken { line: 2, .. })
    ));
    fs::remove_file(log.length_path()).unwrap();
    assert!(log.verify().is_err());
}

#[test]
fn processes_that_write_at_once_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::create(&folder.path().join("keys"), "Test Studio", now()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let consent = "a".to_owned();
                    Log::of(&keys)
                        .append(Event::Revoked { consent }, now())
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(Log::of(&keys).verify().unwrap().len(), 20);
}

#[test]
fn clock_behind_the_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::create(&folder.path().join("keys"), "Test Studio", now()).unwrap();
    let log = Log::of(&keys);
    let event = Event::Consented {
        consent: "a".to_owned(),
    };
    log.append(event.clone(), now()).unwrap();
    // A clock that counts whole seconds may be one behind; the log stays in order.
    log.append(event.clone(), now().plus_secs(-1)).unwrap();
    let lines = log.verify().unwrap();
    let times: Vec<UtcTime> = lines.iter().map(|line| line.entry.at).collect();
    assert_eq!(times, [now(), now()]);
    let early = log.append(event, now().plus_days(-1));
    assert!(matches!(early, Err(Error::ClockBack { .. })));
}
