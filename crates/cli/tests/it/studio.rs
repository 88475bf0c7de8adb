//! `studio` as a program: a file goes in through its API, and comes out judged as `scan` judges it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

struct Studio {
    process: Child,
    /// `127.0.0.1:1234`.
    host: String,
}

impl Studio {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_effigy"))
            .args(["studio", "--port", "0", "--data", "data"])
            .current_dir(folder)
            .env("EFFIGY_HOME", folder.join("home"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let host = line.trim().strip_prefix("http://").unwrap().to_owned();
        Self { process, host }
    }

    /// Sends a request, and gives the status and the body of the answer.
    fn send(&self, head: &str, body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let (host, n) = (&self.host, body.len());
        let rest = format!("Host: {host}\r\nConnection: close\r\nContent-Length: {n}\r\n\r\n");
        stream
            .write_all(format!("{head}\r\n{rest}").as_bytes())
            .unwrap();
        stream.write_all(body).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.send(&format!("GET {path} HTTP/1.1"), b"")
    }

    /// Uploads a file, and gives the job that scans it.
    fn scan(&self, name: &str, content: &[u8]) -> Value {
        let (status, file) = self.send(&format!("POST /v1/files?name={name} HTTP/1.1"), content);
        assert_eq!(status, 201, "{file}");
        let file: Value = serde_json::from_str(&file).unwrap();
        let asked = serde_json::json!({"kind": "scan", "file": file["sha256"], "name": name});
        let head = "POST /v1/jobs HTTP/1.1\r\nContent-Type: application/json";
        let (_, job) = self.send(head, asked.to_string().as_bytes());
        serde_json::from_str(&job).unwrap()
    }

    fn job(&self, id: &Value) -> Value {
        let (_, job) = self.get(&format!("/v1/jobs/{}", id.as_str().unwrap()));
        serde_json::from_str(&job).unwrap()
    }

    fn until_over(&self, id: &Value) -> Value {
        let began = Instant::now();
        loop {
            let job = self.job(id);
            if job["state"] != "queued" && job["state"] != "running" {
                return job;
            }
            assert!(began.elapsed() < Duration::from_secs(300), "{job}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Asks it to end, and waits until it has.
    fn stop(mut self) -> Option<i32> {
        let id = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        self.process.wait().unwrap().code()
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        // It is gone unless a test failed.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A picture of a drawn actor.
fn picture() -> Vec<u8> {
    let actors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    fs::read(actors.join("ada-1.flow.png")).unwrap()
}

#[test]
fn what_the_studio_says_is_what_scan_says() {
    let folder = tempfile::tempdir().unwrap();
    let studio = Studio::start(folder.path());
    let job = studio.scan("ada.png", &picture());
    let over = studio.until_over(&job["id"]);
    assert_eq!(
        (&over["state"], &over["summary"]["verdict"]),
        (&"done".into(), &"not_judged".into()),
        "{over}"
    );
    let id = job["id"].as_str().unwrap();
    let (status, told) = studio.get(&format!("/v1/jobs/{id}/result"));
    assert_eq!(status, 200);
    fs::write(folder.path().join("ada.png"), picture()).unwrap();
    let scanned = Command::new(env!("CARGO_BIN_EXE_effigy"))
        .args(["scan", "--json", "ada.png"])
        .current_dir(folder.path())
        .env("EFFIGY_HOME", folder.path().join("home"))
        .output()
        .unwrap();
    assert_eq!(told, String::from_utf8(scanned.stdout).unwrap());
    assert!(
        studio
            .get(&format!("/v1/jobs/{id}/page"))
            .1
            .contains("ada.png")
    );
    let broken = studio.scan("broken.mp4", b"no clip at all");
    let over = studio.until_over(&broken["id"]);
    assert!(over["summary"]["error"].is_string(), "{over}");
    let page = studio
        .get(&format!("/check/{}", broken["id"].as_str().unwrap()))
        .1;
    assert!(page.contains("Cannot be read"), "{page}");
    assert_eq!(studio.stop(), Some(0));
}

#[test]
fn a_studio_that_is_killed_goes_on_when_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut studio = Studio::start(folder.path());
    let jobs: Vec<Value> = (0..3)
        .map(|n| studio.scan(&format!("{n}.png"), &picture()))
        .collect();
    studio.process.kill().unwrap();
    studio.process.wait().unwrap();
    let studio = Studio::start(folder.path());
    for job in jobs {
        assert_eq!(studio.until_over(&job["id"])["state"], "done");
    }
    assert_eq!(studio.stop(), Some(0));
    let left = fs::read_dir(folder.path().join("data/work"))
        .unwrap()
        .count();
    assert_eq!(left, 0, "folders of jobs are left");
}

#[test]
fn a_port_that_is_taken_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let studio = Studio::start(folder.path());
    let port = studio.host.rsplit(':').next().unwrap();
    let second = Command::new(env!("CARGO_BIN_EXE_effigy"))
        .args(["studio", "--data", "other", "--port", port])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(2));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("choose another port"), "{said}");
    assert!(!folder.path().join("other").exists());
    assert_eq!(studio.stop(), Some(0));
}
