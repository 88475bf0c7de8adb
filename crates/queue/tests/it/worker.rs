use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use effigy_queue::{Done, Employment, Outcome, Queue, Retry, State, Task, work};
use tokio::sync::watch;

use crate::claims::{job, tenant};
use crate::place::Place;

fn quick() -> Employment {
    Employment {
        lease: Duration::from_millis(400),
        look_every: Duration::from_millis(20),
        ..Employment::new("tester", &["scan"])
    }
}

async fn until(queue: &Queue, id: &str, state: State) {
    let began = Instant::now();
    while queue.get(&tenant("ada"), id).await.unwrap().unwrap().state != state {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{state} is not reached"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Is dropped with the future that holds it.
struct Alive(Arc<AtomicU32>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn long_work_keeps_its_lease_and_a_cancelled_job_is_dropped() {
    let place = Place::sqlite();
    place.run(async {
        let queue = Queue::open(&place.fresh()).await.unwrap();
        let long = queue.push(&job(1)).await.unwrap().id;
        let endless = queue.push(&job(2)).await.unwrap().id;
        let n_dropped = Arc::new(AtomicU32::new(0));
        let (stop, stopped) = watch::channel(false);
        let (at_work, dropped) = (queue.clone(), Arc::clone(&n_dropped));
        let first = long.clone();
        let worker = tokio::spawn(async move {
            let task = |task: Task| {
                let alive = Alive(Arc::clone(&dropped));
                let secs = if task.job.id == first { 1 } else { 3600 };
                async move {
                    task.said.add("progress: 1/2");
                    task.said.add("at it");
                    tokio::time::sleep(Duration::from_secs(secs)).await;
                    drop(alive);
                    Outcome::Done(Done::default())
                }
            };
            work(&at_work, &quick(), stopped, task).await
        });
        until(&queue, &long, State::Done).await;
        let seen = queue.get(&tenant("ada"), &long).await.unwrap().unwrap();
        assert_eq!((seen.attempts, seen.log.as_deref()), (1, Some("at it")));
        until(&queue, &endless, State::Running).await;
        queue.cancel(&tenant("ada"), &endless).await.unwrap();
        for _ in 0..200 {
            if n_dropped.load(Ordering::SeqCst) == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(
            n_dropped.load(Ordering::SeqCst),
            2,
            "the cancelled job goes on"
        );
        stop.send(true).unwrap();
        worker.await.unwrap().unwrap();
    });
}

#[test]
fn a_stopped_worker_hands_its_job_back() {
    let place = Place::sqlite();
    place.run(async {
        let queue = Queue::open(&place.fresh()).await.unwrap();
        let id = queue.push(&job(1)).await.unwrap().id;
        let (stop, stopped) = watch::channel(false);
        let at_work = queue.clone();
        let worker = tokio::spawn(async move {
            let endless = |_: Task| std::future::pending();
            work(&at_work, &quick(), stopped, endless).await
        });
        until(&queue, &id, State::Running).await;
        stop.send(true).unwrap();
        worker.await.unwrap().unwrap();
        let seen = queue.get(&tenant("ada"), &id).await.unwrap().unwrap();
        assert_eq!((seen.state, seen.attempts), (State::Queued, 0));
    });
}

#[test]
fn what_a_task_says_of_a_failure_is_kept() {
    let place = Place::sqlite();
    place.run(async {
        let queue = Queue::open(&place.fresh()).await.unwrap();
        let id = queue.push(&job(1)).await.unwrap().id;
        let (_stop, stopped) = watch::channel(false);
        let at_work = queue.clone();
        let task = |_: Task| async {
            Outcome::Failed {
                reason: "it is a stone".to_owned(),
                retry: Retry::Never,
            }
        };
        tokio::spawn(async move { work(&at_work, &quick(), stopped, task).await });
        until(&queue, &id, State::Dead).await;
        let seen = queue.get(&tenant("ada"), &id).await.unwrap().unwrap();
        assert_eq!(seen.reason.as_deref(), Some("it is a stone"));
    });
}
