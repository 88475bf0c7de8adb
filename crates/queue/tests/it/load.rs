//! What a job costs beyond its work, and how evenly two tenants are served.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use effigy_queue::{Done, NewJob, Queue};

use crate::claims::{sha, tenant};
use crate::killed::proof;
use crate::place::Place;

const N_WORKERS: u32 = 8;

/// Pushes jobs of two tenants, one of whom asks for four times as much, and has eight workers do nothing for them.
fn check(place: &Place) {
    let n_jobs = proof::amount(100, 10_000) as u64;
    place.run(async {
        let at = place.fresh();
        let queue = Queue::open(&at).await.unwrap();
        let began = Instant::now();
        for n in 0..n_jobs {
            let name = if n % 5 == 0 { "modest" } else { "greedy" };
            let asked = NewJob::new(tenant(name), "test", vec![sha(n)]);
            queue.push(&asked).await.unwrap();
        }
        let pushed = began.elapsed();
        let began = Instant::now();
        let workers = (0..N_WORKERS).map(|n| tokio::spawn(work(at.clone(), n)));
        let workers: Vec<_> = workers.collect();
        let mut order = Vec::new();
        for worker in workers {
            order.extend(worker.await.unwrap());
        }
        order.sort();
        let served = began.elapsed();
        let millis = |took: Duration| 1000.0 * took.as_secs_f64() / n_jobs as f64;
        // While both have jobs waiting.
        let mut n_of: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, name) in order.iter().take(n_jobs as usize * 2 / 5) {
            *n_of.entry(name).or_default() += 1;
        }
        eprintln!(
            "{}: {n_jobs} jobs, {N_WORKERS} workers: {:.2} ms a push, {:.2} ms to take and finish; \
             first served {n_of:?}",
            place.name(),
            millis(pushed),
            millis(served)
        );
        assert_eq!(order.len() as u64, n_jobs);
        let (modest, greedy) = (n_of["modest"] as f64, n_of["greedy"] as f64);
        assert!((modest - greedy).abs() <= 0.1 * greedy, "{n_of:?}");
    });
}

/// When each job was taken, and whose it was.
async fn work(at: String, n: u32) -> Vec<(Instant, String)> {
    let queue = Queue::open(&at).await.unwrap();
    let mut served = Vec::new();
    let lasts = Duration::from_secs(60);
    while let Some(lease) = queue
        .take(&format!("worker-{n}"), &["test"], lasts)
        .await
        .unwrap()
    {
        served.push((Instant::now(), lease.job.asked.tenant.as_str().to_owned()));
        queue.finish(&lease, &Done::default(), "").await.unwrap();
    }
    served
}

#[test]
fn sqlite_serves_tenants_evenly_under_load() {
    check(&Place::sqlite());
}

#[test]
fn postgres_serves_tenants_evenly_under_load() {
    if let Some(place) = Place::postgres("postgres_serves_tenants_evenly_under_load") {
        check(&place);
    }
}
