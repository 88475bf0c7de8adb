//! Who does the jobs: takes one, says again and again that it is at work, and hands in what came of it.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::child::Said;
use crate::error::Result;
use crate::job::{Done, Job};
use crate::queue::{Beat, Lease, Queue, Retry};

/// What a worker does, and how.
#[derive(Clone, Debug)]
pub struct Employment {
    /// Its name, for whoever looks at the queue.
    pub worker: String,
    /// The kinds of jobs that it takes.
    pub kinds: Vec<String>,
    /// How long a lease lasts without a beat. There are four beats in that time.
    pub lease: Duration,
    /// How often it looks for jobs that other programs pushed.
    pub look_every: Duration,
}

impl Employment {
    /// Takes jobs of `kinds`, with leases of half a minute.
    pub fn new(worker: &str, kinds: &[&str]) -> Self {
        Self {
            worker: worker.to_owned(),
            kinds: kinds.iter().map(|&kind| kind.to_owned()).collect(),
            lease: Duration::from_secs(30),
            look_every: Duration::from_secs(1),
        }
    }
}

/// A job to be done, and where to say how far it is.
#[derive(Clone, Debug)]
pub struct Task {
    /// What is to be done.
    pub job: Job,
    /// What was said of it.
    pub said: Arc<Said>,
}

/// What came of a job.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is done.
    Done(Done),
    /// It failed.
    Failed {
        /// Why, in words for whoever asked for it.
        reason: String,
        /// Whether another attempt may succeed.
        retry: Retry,
    },
}

/// Does jobs, one at a time, until `stopped` is true or nobody can say so any more.
///
/// `task` must do the same for the same job, and leave nothing behind when its future is dropped: that
/// happens when the job is called off, given to another, or when the worker is stopped.
///
/// # Errors
/// When the queue speaks another protocol. A database that does not answer is asked again.
pub async fn work<F, Fut>(
    queue: &Queue,
    employment: &Employment,
    mut stopped: watch::Receiver<bool>,
    task: F,
) -> Result<()>
where
    F: Fn(Task) -> Fut,
    Fut: Future<Output = Outcome>,
{
    let kinds: Vec<&str> = employment.kinds.iter().map(String::as_str).collect();
    while !*stopped.borrow() {
        let taken = queue
            .take(&employment.worker, &kinds, employment.lease)
            .await;
        match taken {
            Ok(Some(lease)) => do_one(queue, employment, &mut stopped, lease, &task).await,
            Err(err @ crate::Error::Protocol { .. }) => return Err(err),
            Ok(None) | Err(_) => {
                tokio::select! {
                    () = queue.pushed.notified() => {}
                    () = tokio::time::sleep(employment.look_every) => {}
                    () = until(&mut stopped) => {}
                }
            }
        }
    }
    Ok(())
}

/// Waits until the worker is told to stop.
async fn until(stopped: &mut watch::Receiver<bool>) {
    // An error: whoever could say so is gone, which says it too.
    stopped.wait_for(|&stopped| stopped).await.ok();
}

async fn do_one<F, Fut>(
    queue: &Queue,
    employment: &Employment,
    stopped: &mut watch::Receiver<bool>,
    lease: Lease,
    task: &F,
) where
    F: Fn(Task) -> Fut,
    Fut: Future<Output = Outcome>,
{
    let said = Arc::new(Said::default());
    let given = Task {
        job: lease.job.clone(),
        said: Arc::clone(&said),
    };
    let outcome = tokio::select! {
        outcome = task(given) => outcome,
        () = beat(queue, employment, &lease, &said) => return,
        () = until(stopped) => Outcome::Failed {
            reason: "the worker was stopped".to_owned(),
            retry: Retry::HandedBack,
        },
    };
    hand_in(queue, employment, &lease, &outcome, &said.log()).await;
}

/// Beats until the lease is lost.
async fn beat(queue: &Queue, employment: &Employment, lease: &Lease, said: &Said) {
    let mut held = Instant::now();
    let mut sent = None;
    // The first words come soon after the first line, so that whoever looks sees something.
    let mut pause = (employment.lease / 4).min(Duration::from_millis(300));
    loop {
        tokio::time::sleep(pause).await;
        pause = (employment.lease / 4).min(Duration::from_secs(1));
        let words = (said.progress(), said.log());
        let is_news = sent.as_ref() != Some(&words);
        if !is_news && held.elapsed() < employment.lease / 4 {
            continue;
        }
        match queue.beat(lease, words.0.as_deref(), &words.1).await {
            Ok(Beat::Held) => (held, sent) = (Instant::now(), Some(words)),
            Ok(Beat::Lost) => return,
            // By the time of this machine, of which only the length counts.
            Err(_) if employment.lease <= held.elapsed() => return,
            Err(_) => {}
        }
    }
}

/// Says what came of it. Where the database does not answer, for as long as the lease may last.
async fn hand_in(
    queue: &Queue,
    employment: &Employment,
    lease: &Lease,
    outcome: &Outcome,
    log: &str,
) {
    let began = Instant::now();
    loop {
        let said = match outcome {
            Outcome::Done(done) => queue.finish(lease, done, log).await,
            Outcome::Failed { reason, retry } => queue.fail(lease, reason, *retry, log).await,
        };
        // Lost: another does it, or it was called off. Without an answer in time, another will.
        if said.is_ok() || employment.lease <= began.elapsed() {
            return;
        }
        tokio::time::sleep(employment.look_every).await;
    }
}
