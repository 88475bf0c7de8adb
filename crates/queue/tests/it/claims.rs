//! What the queue promises, whatever database it is in.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use effigy_queue::{
    Beat, Done, Error, Lease, NewJob, PROTOCOL, Queue, Retry, Sha256, State, Tenant,
};

type Claim = fn(String) -> Pin<Box<dyn Future<Output = ()>>>;

pub(crate) const ALL: [(&str, Claim); 15] = [
    ("a job is pushed, taken, done and seen", |at| {
        Box::pin(whole_life(at))
    }),
    (
        "results are kept, and what they are made of is in use",
        |at| Box::pin(results(at)),
    ),
    ("the same job is one job", |at| Box::pin(idempotent(at))),
    (
        "a job that failed or was called off is begun anew by a push",
        |at| Box::pin(anew(at)),
    ),
    (
        "a lease that ran out is given to another, and the first cannot finish",
        |at| Box::pin(lost_lease(at)),
    ),
    ("beats keep a lease", |at| Box::pin(kept_lease(at))),
    (
        "a job whose workers are lost again and again is dead, with a reason",
        |at| Box::pin(buried(at)),
    ),
    (
        "a failure is tried again after a pause, and then dead",
        |at| Box::pin(retried(at)),
    ),
    ("a job handed back is next, as if never begun", |at| {
        Box::pin(handed_back(at))
    }),
    ("a cancelled job is stopped by its next beat", |at| {
        Box::pin(cancelled(at))
    }),
    ("priority decides among the jobs of one tenant", |at| {
        Box::pin(priority(at))
    }),
    ("tenants take turns", |at| Box::pin(fairness(at))),
    ("one tenant never sees another's jobs", |at| {
        Box::pin(separate(at))
    }),
    ("lists come in pages, and old jobs are forgotten", |at| {
        Box::pin(pages(at))
    }),
    (
        "another protocol is refused, when opened and when running",
        |at| Box::pin(protocol(at)),
    ),
];

const LONG: Duration = Duration::from_secs(60);
/// Long enough for a few statements on a busy machine.
const SHORT: Duration = Duration::from_millis(600);

pub(crate) fn tenant(name: &str) -> Tenant {
    Tenant::new(name).unwrap()
}

pub(crate) fn sha(n: u64) -> Sha256 {
    Sha256::parse(&format!("{n:064x}")).unwrap()
}

pub(crate) fn job(n: u64) -> NewJob {
    NewJob::new(tenant("ada"), "scan", vec![sha(n)])
}

async fn open(at: &str) -> Queue {
    Queue::open(at).await.unwrap()
}

async fn take(queue: &Queue, lasts: Duration) -> Option<Lease> {
    queue.take("tester", &["scan"], lasts).await.unwrap()
}

async fn state(queue: &Queue, id: &str) -> State {
    queue.get(&tenant("ada"), id).await.unwrap().unwrap().state
}

async fn whole_life(at: String) {
    let queue = open(&at).await;
    let mut asked = job(1);
    asked
        .settings
        .insert("name".to_owned(), "a \"clip\" ü.mp4".to_owned());
    let pushed = queue.push(&asked).await.unwrap();
    assert!(pushed.is_new);
    assert!(
        queue
            .take("tester", &["train"], LONG)
            .await
            .unwrap()
            .is_none()
    );
    let lease = take(&queue, LONG).await.unwrap();
    assert_eq!((&lease.job.id, &lease.job.asked), (&pushed.id, &asked));
    assert!(take(&queue, LONG).await.is_none(), "taken twice");
    assert_eq!(
        queue.beat(&lease, Some("1/2"), "x\0y").await.unwrap(),
        Beat::Held
    );
    let seen = queue
        .get(&tenant("ada"), &pushed.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (seen.state, seen.progress.as_deref()),
        (State::Running, Some("1/2"))
    );
    assert_eq!(
        seen.log.as_deref(),
        Some("xy"),
        "no database keeps a zero byte"
    );
    queue.finish(&lease, &Done::default(), "").await.unwrap();
    let again = queue.finish(&lease, &Done::default(), "").await.unwrap();
    assert_eq!(again, Beat::Lost, "done twice");
}

async fn results(at: String) {
    let queue = open(&at).await;
    let pushed = queue.push(&job(1)).await.unwrap();
    let lease = take(&queue, LONG).await.unwrap();
    let done = Done {
        summary: "ü".repeat(20_000),
        outputs: BTreeMap::from([("page".to_owned(), sha(7))]),
    };
    assert_eq!(
        queue.finish(&lease, &done, "log").await.unwrap(),
        Beat::Held
    );
    // From here on a new connection sees what the first wrote.
    let queue = open(&at).await;
    let seen = queue
        .get(&tenant("ada"), &pushed.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((seen.state, seen.attempts), (State::Done, 1));
    let kept = seen.done.unwrap();
    assert_eq!(
        (kept.summary.len(), kept.outputs),
        (16 * 1024, done.outputs)
    );
    assert!(seen.created_millis <= seen.started_millis.unwrap());
    assert!(seen.started_millis <= seen.ended_millis);
    let in_use = queue.files_in_use().await.unwrap();
    assert_eq!(in_use.into_iter().collect::<Vec<_>>(), [sha(1), sha(7)]);
}

async fn idempotent(at: String) {
    let queue = open(&at).await;
    let first = queue.push(&job(1)).await.unwrap();
    let again = queue.push(&job(1)).await.unwrap();
    assert_eq!(
        (again.id.as_str(), again.is_new),
        (first.id.as_str(), false)
    );
    let mut other = job(1);
    other.settings.insert("name".to_owned(), "b".to_owned());
    assert_ne!(queue.push(&other).await.unwrap().id, first.id);
    // How soon and how often it is tried changes no result.
    let hurried = NewJob {
        priority: 9,
        max_attempts: 1,
        ..job(1)
    };
    assert_eq!(queue.push(&hurried).await.unwrap().id, first.id);
    // Pushed by several at once it is one job as well.
    let others = [
        queue.clone(),
        open(&at).await,
        open(&at).await,
        open(&at).await,
    ];
    let pushes =
        others.map(|queue| tokio::spawn(async move { queue.push(&job(2)).await.unwrap() }));
    let mut pushed = Vec::new();
    for push in pushes {
        pushed.push(push.await.unwrap());
    }
    assert_eq!(pushed.iter().filter(|one| one.is_new).count(), 1);
    assert!(pushed.iter().all(|one| one.id == pushed[0].id));
}

async fn anew(at: String) {
    let queue = open(&at).await;
    let pushed = queue.push(&job(1)).await.unwrap();
    queue
        .cancel(&tenant("ada"), &pushed.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(state(&queue, &pushed.id).await, State::Cancelled);
    assert!(take(&queue, LONG).await.is_none());
    let again = queue.push(&job(1)).await.unwrap();
    assert_eq!((&again.id, again.is_new), (&pushed.id, true));
    let lease = take(&queue, LONG).await.unwrap();
    queue.fail(&lease, "no", Retry::Never, "").await.unwrap();
    assert_eq!(state(&queue, &pushed.id).await, State::Dead);
    assert!(queue.push(&job(1)).await.unwrap().is_new);
    let lease = take(&queue, LONG).await.unwrap();
    assert_eq!((lease.job.attempts, lease.job.reason), (1, None));
}

async fn lost_lease(at: String) {
    let queue = open(&at).await;
    queue.push(&job(1)).await.unwrap();
    let first = take(&queue, SHORT).await.unwrap();
    assert!(take(&queue, LONG).await.is_none());
    tokio::time::sleep(2 * SHORT).await;
    let second = take(&queue, LONG).await.unwrap();
    assert_eq!(
        (second.job.id.as_str(), second.job.attempts),
        (first.job.id.as_str(), 2)
    );
    assert_eq!(queue.beat(&first, None, "").await.unwrap(), Beat::Lost);
    assert_eq!(
        queue.finish(&first, &Done::default(), "").await.unwrap(),
        Beat::Lost
    );
    assert_eq!(
        queue.fail(&first, "x", Retry::Never, "").await.unwrap(),
        Beat::Lost
    );
    assert_eq!(state(&queue, &first.job.id).await, State::Running);
    assert_eq!(
        queue.finish(&second, &Done::default(), "").await.unwrap(),
        Beat::Held
    );
}

async fn kept_lease(at: String) {
    let queue = open(&at).await;
    queue.push(&job(1)).await.unwrap();
    let lease = take(&queue, 4 * SHORT).await.unwrap();
    for _ in 0..6 {
        tokio::time::sleep(SHORT).await;
        assert_eq!(queue.beat(&lease, None, "").await.unwrap(), Beat::Held);
        assert!(take(&queue, LONG).await.is_none());
    }
}

async fn buried(at: String) {
    let queue = open(&at).await;
    let pushed = queue.push(&job(1)).await.unwrap();
    for attempt in 1..=3 {
        let lease = take(&queue, Duration::from_millis(1)).await.unwrap();
        assert_eq!(lease.job.attempts, attempt);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(take(&queue, LONG).await.is_none());
    let dead = queue
        .get(&tenant("ada"), &pushed.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(dead.state, State::Dead);
    assert!(dead.reason.unwrap().contains("worker was lost"));
}

async fn retried(at: String) {
    let queue = open(&at).await;
    let pushed = queue
        .push(&NewJob {
            max_attempts: 2,
            ..job(1)
        })
        .await
        .unwrap();
    let lease = take(&queue, LONG).await.unwrap();
    assert_eq!(
        queue.fail(&lease, "once", Retry::Later, "").await.unwrap(),
        Beat::Held
    );
    assert!(take(&queue, LONG).await.is_none(), "without a pause");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let lease = take(&queue, LONG).await.unwrap();
    queue.fail(&lease, "twice", Retry::Later, "").await.unwrap();
    let dead = queue
        .get(&tenant("ada"), &pushed.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (dead.state, dead.reason.as_deref()),
        (State::Dead, Some("twice"))
    );
}

async fn handed_back(at: String) {
    let queue = open(&at).await;
    queue.push(&job(1)).await.unwrap();
    for _ in 0..5 {
        let lease = take(&queue, LONG).await.unwrap();
        assert_eq!(lease.job.attempts, 1);
        queue
            .fail(&lease, "stopped", Retry::HandedBack, "")
            .await
            .unwrap();
    }
}

async fn cancelled(at: String) {
    let queue = open(&at).await;
    let pushed = queue.push(&job(1)).await.unwrap();
    let lease = take(&queue, LONG).await.unwrap();
    let seen = queue
        .cancel(&tenant("ada"), &pushed.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(seen.state, State::Cancelled);
    assert_eq!(queue.beat(&lease, None, "").await.unwrap(), Beat::Lost);
    assert_eq!(
        queue.finish(&lease, &Done::default(), "").await.unwrap(),
        Beat::Lost
    );
    assert_eq!(state(&queue, &pushed.id).await, State::Cancelled);
    // What is done stays done.
    let pushed = queue.push(&job(2)).await.unwrap();
    let lease = take(&queue, LONG).await.unwrap();
    queue.finish(&lease, &Done::default(), "").await.unwrap();
    let seen = queue
        .cancel(&tenant("ada"), &pushed.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(seen.state, State::Done);
}

async fn priority(at: String) {
    let queue = open(&at).await;
    for (n, priority) in [(1, 0), (2, 5), (3, -1), (4, 5)] {
        queue.push(&NewJob { priority, ..job(n) }).await.unwrap();
    }
    let mut order = Vec::new();
    while let Some(lease) = take(&queue, LONG).await {
        order.push(lease.job.asked.inputs[0].clone());
    }
    assert_eq!(order, [2, 4, 1, 3].map(sha));
}

async fn fairness(at: String) {
    let queue = open(&at).await;
    let of = |name: &str, n: u64, priority: i64| NewJob {
        tenant: tenant(name),
        priority,
        ..job(n)
    };
    for n in 0..40 {
        queue.push(&of("greedy", n, 100)).await.unwrap();
    }
    // Has been served alone for a while when the other comes, who has not saved up turns meanwhile.
    for _ in 0..10 {
        take(&queue, LONG).await.unwrap();
    }
    for n in 0..10 {
        queue.push(&of("modest", n, 0)).await.unwrap();
    }
    let mut n_of: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..16 {
        let lease = take(&queue, LONG).await.unwrap();
        *n_of
            .entry(lease.job.asked.tenant.as_str().to_owned())
            .or_default() += 1;
    }
    assert_eq!(n_of.into_values().collect::<Vec<_>>(), [8, 8]);
}

async fn separate(at: String) {
    let queue = open(&at).await;
    let pushed = queue.push(&job(1)).await.unwrap();
    let other = tenant("ben");
    assert_eq!(queue.get(&other, &pushed.id).await.unwrap(), None);
    assert_eq!(queue.cancel(&other, &pushed.id).await.unwrap(), None);
    assert_eq!(state(&queue, &pushed.id).await, State::Queued);
    assert!(
        queue
            .list(&other, None, None, 10)
            .await
            .unwrap()
            .jobs
            .is_empty()
    );
    assert_eq!(queue.count(&other).await.unwrap().of(State::Queued), 0);
    let same = NewJob {
        tenant: other,
        ..job(1)
    };
    assert_ne!(queue.push(&same).await.unwrap().id, pushed.id);
}

async fn pages(at: String) {
    let queue = open(&at).await;
    let ada = tenant("ada");
    for n in 0..25 {
        queue.push(&job(n)).await.unwrap();
    }
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = queue.list(&ada, None, before, 10).await.unwrap();
        seen.extend(page.jobs.into_iter().map(|job| job.asked.inputs[0].clone()));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..25).rev().map(sha).collect::<Vec<_>>());
    let lease = take(&queue, LONG).await.unwrap();
    queue.finish(&lease, &Done::default(), "").await.unwrap();
    let counts = queue.count(&ada).await.unwrap();
    assert_eq!((counts.of(State::Queued), counts.of(State::Done)), (24, 1));
    let done = queue.list(&ada, Some(State::Done), None, 10).await.unwrap();
    assert_eq!((done.jobs.len(), done.next), (1, None));
    assert_eq!(queue.forget(LONG).await.unwrap(), 0);
    assert_eq!(queue.forget(Duration::ZERO).await.unwrap(), 1);
    assert_eq!(queue.count(&ada).await.unwrap().of(State::Done), 0);
    assert!(matches!(Tenant::new("a/b"), Err(Error::NoJob { .. })));
    let odd = NewJob::new(ada, "%", vec![]);
    assert!(matches!(queue.push(&odd).await, Err(Error::NoJob { .. })));
}

async fn protocol(at: String) {
    let queue = open(&at).await;
    queue.push(&job(1)).await.unwrap();
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&at).await.unwrap();
    let later = PROTOCOL + 1;
    sqlx::query("UPDATE queue_state SET protocol = $1")
        .bind(later)
        .execute(&pool)
        .await
        .unwrap();
    for refused in [
        Queue::open(&at).await.map(drop),
        queue.take("tester", &["scan"], LONG).await.map(drop),
        queue.push(&job(2)).await.map(drop),
    ] {
        let is_told =
            matches!(refused, Err(Error::Protocol { found, ours: PROTOCOL }) if found == later);
        assert!(is_told, "{refused:?}");
    }
}
