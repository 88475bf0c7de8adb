//! Worker processes that are killed at random moments: no job is lost, and none is done twice.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use effigy_queue::{Beat, Done, NewJob, Queue, State, Store, random_id};

use crate::claims::{sha, tenant};
use crate::place::Place;

#[path = "../../../../testdata/proof.rs"]
pub(crate) mod proof;

const DATABASE: &str = "EFFIGY_TEST_DATABASE";
const FOLDER: &str = "EFFIGY_TEST_FOLDER";
const LEASE: Duration = Duration::from_millis(300);

/// Not a test of its own: what the others start as a process, and kill.
#[test]
fn process_that_works() {
    let Ok(database) = std::env::var(DATABASE) else {
        return;
    };
    let folder = std::path::PathBuf::from(std::env::var(FOLDER).unwrap());
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(async {
        let store = Store::open_folder(&folder.join("store")).unwrap();
        loop {
            // Whatever the database says while it restarts: once more.
            serve(&database, &store, &folder).await.ok();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}

async fn serve(
    database: &str,
    store: &Store,
    folder: &std::path::Path,
) -> effigy_queue::Result<()> {
    let queue = Queue::open(database).await?;
    let worker = random_id()?;
    loop {
        let Some(lease) = queue.take(&worker, &["test"], LEASE).await? else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        note(folder, "taken", &std::process::id().to_string());
        tokio::time::sleep(Duration::from_millis(80)).await;
        queue.beat(&lease, Some("half"), "").await?;
        tokio::time::sleep(Duration::from_millis(80)).await;
        let result = store.put(result_of(&lease.job.asked).as_bytes()).await?;
        let done = Done {
            summary: result.sha256.as_str().to_owned(),
            outputs: BTreeMap::from([("result".to_owned(), result.sha256)]),
        };
        if queue.finish(&lease, &done, "").await? == Beat::Held {
            // Killed just before this, a line is missing; there can never be one too many.
            note(folder, "done", &lease.job.id);
        }
    }
}

/// Adds a line to a file.
fn note(folder: &std::path::Path, file: &str, line: &str) {
    let file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(folder.join(file));
    writeln!(file.unwrap(), "{line}").unwrap();
}

/// The lines of a file, of which there may be none yet.
fn lines(place: &Place, file: &str) -> Vec<String> {
    let text = fs::read_to_string(place.folder().join(file)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn result_of(asked: &NewJob) -> String {
    format!("result of {:?}", asked.inputs)
}

fn asked(n: u64) -> NewJob {
    NewJob {
        max_attempts: 1000,
        ..NewJob::new(tenant("ada"), "test", vec![sha(n)])
    }
}

struct Worker(Child);

impl Worker {
    fn start(database: &str, place: &Place) -> Self {
        let program = std::env::current_exe().unwrap();
        let process = Command::new(program)
            .args(["killed::process_that_works", "--exact"])
            .env(DATABASE, database)
            .env(FOLDER, place.folder())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(process.unwrap())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Kills workers, and restarts the database once, until all is done.
fn check(mut place: Place) {
    let n_kills = proof::amount(10, 50) as u64;
    let n_jobs = 8 * n_kills;
    let database = place.fresh();
    place.run(async {
        let queue = Queue::open(&database).await.unwrap();
        for n in 0..n_jobs {
            queue.push(&asked(n)).await.unwrap();
        }
    });
    // Park and Miller's generator: the moments that the commit chooses.
    let mut random = 1 + proof::seed() as u64 % 2_147_483_646;
    let mut next = || {
        random = random * 48_271 % 2_147_483_647;
        random
    };
    let mut workers = [0, 1].map(|_| Worker::start(&database, &place));
    let began = Instant::now();
    for kill in 0..n_kills {
        let at = (next() % 2) as usize;
        let victim = workers[at].0.id().to_string();
        // Whoever still starts would be killed for nothing.
        while !lines(&place, "taken").contains(&victim)
            && (lines(&place, "done").len() as u64) < n_jobs
        {
            assert!(
                began.elapsed() < Duration::from_secs(300),
                "a worker does nothing"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(next() % 160));
        workers[at] = Worker::start(&database, &place);
        if kill == n_kills / 2 {
            place.restart();
        }
    }
    place.run(all_done(&database, n_jobs));
    drop(workers);
    place.run(nothing_lost(&database, n_jobs, &place));
    let mut n_of: BTreeMap<String, u32> = BTreeMap::new();
    for id in lines(&place, "done") {
        *n_of.entry(id).or_default() += 1;
    }
    assert!(n_of.values().all(|&n| n == 1), "done twice: {n_of:?}");
    assert!(n_jobs - n_kills <= n_of.len() as u64);
}

async fn all_done(database: &str, n_jobs: u64) {
    let began = Instant::now();
    let queue = Queue::open(database).await.unwrap();
    while queue.count(&tenant("ada")).await.unwrap().of(State::Done) < n_jobs {
        assert!(began.elapsed() < Duration::from_secs(180), "jobs are left");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Every job is there, and its result is what an undisturbed run gives.
async fn nothing_lost(database: &str, n_jobs: u64, place: &Place) {
    let queue = Queue::open(database).await.unwrap();
    let store = Store::open_folder(&place.folder().join("store")).unwrap();
    let mut n_begun_again = 0;
    for n in 0..n_jobs {
        let id = queue.push(&asked(n)).await.unwrap();
        assert!(!id.is_new, "job {n} was lost");
        let job = queue.get(&tenant("ada"), &id.id).await.unwrap().unwrap();
        n_begun_again += u64::from(1 < job.attempts);
        let result = &job.done.unwrap().outputs["result"];
        let result = store.get(result, 10_000).await.unwrap();
        assert_eq!(String::from_utf8(result).unwrap(), result_of(&asked(n)));
    }
    assert!(
        0 < n_begun_again,
        "nobody was killed at work: this proves nothing"
    );
    eprintln!(
        "{}: {n_jobs} jobs, {n_begun_again} begun again",
        place.name()
    );
}

#[test]
fn sqlite_loses_nothing_when_workers_are_killed() {
    check(Place::sqlite());
}

#[test]
fn postgres_loses_nothing_when_workers_are_killed() {
    if let Some(place) = Place::postgres("postgres_loses_nothing_when_workers_are_killed") {
        check(place);
    }
}
