//! The six verbs. Each is one transaction: a process that is killed in the middle has said nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Row as _;
use tokio::sync::Notify;

use crate::database::{Care, Database, Turn, sqlite_address};
use crate::error::Result;
use crate::id::random_id;
use crate::job::{Done, Job, NewJob, State, Tenant, json_of_texts};
use crate::row::{COLUMNS, job_of};
use crate::store::Sha256;

/// Durable jobs, in SQLite or PostgreSQL.
#[derive(Clone, Debug)]
pub struct Queue {
    pub(crate) database: Database,
    /// Told of jobs that this program pushes; other programs are asked now and then.
    pub(crate) pushed: Arc<Notify>,
}

/// What a push gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The job that does what was asked for.
    pub id: String,
    /// Whether it is to be done now, since nobody asked for it before, or it had failed.
    pub is_new: bool,
}

/// The right to do a job, until the database's clock says otherwise.
#[derive(Clone, Debug)]
pub struct Lease {
    /// What is to be done.
    pub job: Job,
    token: String,
    lasts_millis: i64,
}

/// What a beat is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// The lease lasts on.
    Held,
    /// The job was called off, or given to another: stop.
    Lost,
}

/// Whether a job that failed is begun again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// After a while, unless it was begun often enough.
    Later,
    /// At once, and as if it had not been begun: whoever did it was stopped.
    HandedBack,
    /// It would fail in the same way.
    Never,
}

/// What stays of a text: its end is what happened last.
const MOST_TEXT_BYTES: usize = 16 * 1024;
/// The first pause before a job is begun again; each is twice the one before.
const FIRST_PAUSE_MILLIS: i64 = 1000;

impl Queue {
    /// Opens the jobs in `sqlite:FILE`, made where there is none, or `postgres://…`.
    ///
    /// # Errors
    /// [`crate::Error::Protocol`] when another version serves them; otherwise what the database says.
    pub async fn open(address: &str) -> Result<Self> {
        Ok(Self {
            database: Database::open(address).await?,
            pushed: Arc::new(Notify::new()),
        })
    }

    /// Opens the jobs in a file, which is made where there is none.
    ///
    /// # Errors
    /// As [`Queue::open`].
    pub async fn open_file(path: &Path) -> Result<Self> {
        Self::open(&sqlite_address(path)).await
    }

    /// Asks for a job. One that was asked for before is not made twice; one that failed or was called
    /// off is begun anew.
    ///
    /// # Errors
    /// [`crate::Error::NoJob`] for one that cannot be; otherwise what the database says.
    pub async fn push(&self, asked: &NewJob) -> Result<Pushed> {
        asked.check()?;
        let mut turn = self.database.alone(Care::Lasting).await?;
        let found = sqlx::query("SELECT id, state FROM jobs WHERE tenant = $1 AND key = $2")
            .bind(asked.tenant.as_str())
            .bind(asked.key())
            .fetch_optional(turn.connection())
            .await?;
        let known = match found {
            Some(row) => Some((row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?)),
            None => None,
        };
        let id = match known {
            Some((id, state)) if state == "dead" || state == "cancelled" => {
                begin_anew(&mut turn, &id, asked).await?;
                id
            }
            Some((id, _)) => return Ok(Pushed { id, is_new: false }),
            None => insert(&mut turn, asked).await?,
        };
        join_in(&mut turn, asked).await?;
        sqlx::query("UPDATE queue_state SET next_seq = next_seq + 1")
            .execute(turn.connection())
            .await?;
        turn.commit().await?;
        self.pushed.notify_one();
        Ok(Pushed { id, is_new: true })
    }

    /// Gives the next job of one of `kinds` to `worker`, for `lasts`; `None` when none waits.
    ///
    /// Tenants take turns; among the jobs of one, priority decides, then age. Jobs whose lease ran
    /// out are given again, or given up when they were begun often enough.
    ///
    /// # Errors
    /// [`crate::Error::Protocol`] when another version took over; otherwise what the database says.
    pub async fn take(
        &self,
        worker: &str,
        kinds: &[&str],
        lasts: Duration,
    ) -> Result<Option<Lease>> {
        let mut turn = self.database.alone(Care::Passing).await?;
        end_leases(&mut turn).await?;
        let Some((id, theirs)) = next(&mut turn, kinds).await? else {
            turn.commit().await?;
            return Ok(None);
        };
        let (token, lasts_millis) = (random_id()?, millis(lasts));
        sqlx::query(
            "UPDATE jobs SET state = 'running', attempts = attempts + 1, lease = $1, \
             lease_until = $2, worker = $3, started = $4, progress = NULL WHERE id = $5",
        )
        .bind(&token)
        .bind(turn.now + lasts_millis)
        .bind(worker)
        .bind(turn.now)
        .bind(&id)
        .execute(turn.connection())
        .await?;
        sqlx::query("UPDATE queue_state SET turn = $1")
            .bind(theirs)
            .execute(turn.connection())
            .await?;
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM jobs WHERE id = $1"
        )))
        .bind(&id)
        .fetch_one(turn.connection())
        .await?;
        let job = job_of(&row)?;
        sqlx::query("UPDATE tenants SET turn = $1 WHERE tenant = $2")
            .bind(theirs + 1)
            .bind(job.asked.tenant.as_str())
            .execute(turn.connection())
            .await?;
        turn.commit().await?;
        Ok(Some(Lease {
            job,
            token,
            lasts_millis,
        }))
    }

    /// Says that the work goes on, and how far it is; the lease then lasts as long again.
    ///
    /// # Errors
    /// What the database says.
    pub async fn beat(&self, lease: &Lease, progress: Option<&str>, log: &str) -> Result<Beat> {
        let mut turn = self.database.beside(Care::Passing).await?;
        let updated = sqlx::query(
            "UPDATE jobs SET lease_until = $1, progress = $2, log = $3 \
             WHERE id = $4 AND lease = $5 AND state = 'running'",
        )
        .bind(turn.now + lease.lasts_millis)
        .bind(progress.map(end_of))
        .bind(end_of(log))
        .bind(&lease.job.id)
        .bind(&lease.token)
        .execute(turn.connection())
        .await?;
        turn.commit().await?;
        Ok(held(updated.rows_affected()))
    }

    /// Hands in the results. [`Beat::Lost`] when the lease is no longer held: they are then not taken,
    /// and another does, or did, the same.
    ///
    /// # Errors
    /// What the database says.
    pub async fn finish(&self, lease: &Lease, done: &Done, log: &str) -> Result<Beat> {
        let outputs = done.outputs.iter();
        let outputs = outputs.map(|(name, sha256)| (name.clone(), sha256.as_str().to_owned()));
        let mut turn = self.database.beside(Care::Lasting).await?;
        let updated = sqlx::query(
            "UPDATE jobs SET state = 'done', lease = NULL, lease_until = NULL, ended = $1, \
             summary = $2, outputs = $3, log = $4, reason = NULL, progress = NULL \
             WHERE id = $5 AND lease = $6 AND state = 'running'",
        )
        .bind(turn.now)
        .bind(end_of(&done.summary))
        .bind(json_of_texts(&outputs.collect()))
        .bind(end_of(log))
        .bind(&lease.job.id)
        .bind(&lease.token)
        .execute(turn.connection())
        .await?;
        turn.commit().await?;
        Ok(held(updated.rows_affected()))
    }

    /// Says that it cannot be done, and why. [`Beat::Lost`] when the lease is no longer held.
    ///
    /// # Errors
    /// What the database says.
    pub async fn fail(&self, lease: &Lease, reason: &str, retry: Retry, log: &str) -> Result<Beat> {
        let mut turn = self.database.beside(Care::Lasting).await?;
        let job = &lease.job;
        let begun_often = job.asked.max_attempts <= job.attempts;
        let is_over = retry == Retry::Never || (retry == Retry::Later && begun_often);
        let is_handed_back = retry == Retry::HandedBack;
        let pause = if is_handed_back {
            0
        } else {
            pause_after(job.attempts)
        };
        let state = if is_over { State::Dead } else { State::Queued };
        let updated = sqlx::query(
            "UPDATE jobs SET state = $1, lease = NULL, lease_until = NULL, ended = $2, \
             reason = $3, log = $4, not_before = $5, attempts = attempts - $6, progress = NULL \
             WHERE id = $7 AND lease = $8 AND state = 'running'",
        )
        .bind(state.as_str())
        .bind(is_over.then_some(turn.now))
        .bind(end_of(reason))
        .bind(end_of(log))
        .bind(turn.now + pause)
        .bind(i64::from(is_handed_back))
        .bind(&job.id)
        .bind(&lease.token)
        .execute(turn.connection())
        .await?;
        turn.commit().await?;
        Ok(held(updated.rows_affected()))
    }

    /// Calls a job off, and gives it as it is then; `None` when the tenant has no such job. What is over
    /// stays as it is.
    ///
    /// # Errors
    /// What the database says.
    pub async fn cancel(&self, tenant: &Tenant, id: &str) -> Result<Option<Job>> {
        let mut turn = self.database.beside(Care::Lasting).await?;
        sqlx::query(
            "UPDATE jobs SET state = 'cancelled', lease = NULL, lease_until = NULL, ended = $1, \
             progress = NULL \
             WHERE id = $2 AND tenant = $3 AND state IN ('queued', 'running')",
        )
        .bind(turn.now)
        .bind(id)
        .bind(tenant.as_str())
        .execute(turn.connection())
        .await?;
        turn.commit().await?;
        self.get(tenant, id).await
    }
}

/// Writes a job that nobody asked for before.
async fn insert(turn: &mut Turn, asked: &NewJob) -> Result<String> {
    let id = random_id()?;
    let inputs: Vec<&str> = asked.inputs.iter().map(Sha256::as_str).collect();
    sqlx::query(
        "INSERT INTO jobs (id, seq, tenant, key, kind, inputs, settings, priority, state, \
         attempts, max_attempts, not_before, created) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'queued', 0, $9, $10, $11)",
    )
    .bind(&id)
    .bind(turn.next_seq)
    .bind(asked.tenant.as_str())
    .bind(asked.key())
    .bind(&asked.kind)
    .bind(serde_json::json!(inputs).to_string())
    .bind(asked.settings_json())
    .bind(asked.priority)
    .bind(asked.max_attempts)
    .bind(turn.now)
    .bind(turn.now)
    .execute(turn.connection())
    .await?;
    Ok(id)
}

/// Queues a job again that had failed or was called off.
async fn begin_anew(turn: &mut Turn, id: &str, asked: &NewJob) -> Result<()> {
    sqlx::query(
        "UPDATE jobs SET state = 'queued', seq = $1, priority = $2, attempts = 0, \
         max_attempts = $3, not_before = $4, created = $5, started = NULL, ended = NULL, \
         reason = NULL, log = NULL, progress = NULL WHERE id = $6",
    )
    .bind(turn.next_seq)
    .bind(asked.priority)
    .bind(asked.max_attempts)
    .bind(turn.now)
    .bind(turn.now)
    .bind(id)
    .execute(turn.connection())
    .await?;
    Ok(())
}

/// Lets a tenant take turns. Who had nothing to do saved up no turns.
async fn join_in(turn: &mut Turn, asked: &NewJob) -> Result<()> {
    sqlx::query("INSERT INTO lanes (kind, tenant) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(&asked.kind)
        .bind(asked.tenant.as_str())
        .execute(turn.connection())
        .await?;
    sqlx::query(
        "INSERT INTO tenants (tenant, turn) VALUES ($1, $2) \
         ON CONFLICT (tenant) DO UPDATE SET turn = excluded.turn \
         WHERE tenants.turn < excluded.turn",
    )
    .bind(asked.tenant.as_str())
    .bind(turn.served)
    .execute(turn.connection())
    .await?;
    Ok(())
}

/// Takes jobs back from workers that were not heard of.
async fn end_leases(turn: &mut Turn) -> Result<()> {
    let now = turn.now;
    sqlx::query(
        "UPDATE jobs SET state = 'dead', lease = NULL, lease_until = NULL, ended = $1, \
         reason = 'its worker was lost, as often as it was begun' \
         WHERE state = 'running' AND lease_until < $2 AND max_attempts <= attempts",
    )
    .bind(now)
    .bind(now)
    .execute(turn.connection())
    .await?;
    sqlx::query(
        "UPDATE jobs SET state = 'queued', lease = NULL, lease_until = NULL, \
         reason = 'its worker was lost' WHERE state = 'running' AND lease_until < $1",
    )
    .bind(now)
    .execute(turn.connection())
    .await?;
    Ok(())
}

/// The job that is next, and the turn it is.
async fn next(turn: &mut Turn, kinds: &[&str]) -> Result<Option<(String, i64)>> {
    let found = sqlx::query(
        "SELECT j.id, t.turn FROM ( \
           SELECT (SELECT id FROM jobs \
             WHERE kind = l.kind AND tenant = l.tenant AND state = 'queued' AND not_before <= $1 \
             ORDER BY priority DESC, seq LIMIT 1) AS id \
           FROM lanes l WHERE $2 LIKE '%,' || l.kind || ',%' \
         ) AS first JOIN jobs j ON j.id = first.id JOIN tenants t ON t.tenant = j.tenant \
         ORDER BY t.turn, j.priority DESC, j.seq LIMIT 1",
    )
    .bind(turn.now)
    .bind(format!(",{},", kinds.join(",")))
    .fetch_optional(turn.connection())
    .await?;
    match found {
        Some(row) => Ok(Some((row.try_get(0)?, row.try_get(1)?))),
        None => Ok(None),
    }
}

/// How long a job that failed waits.
fn pause_after(attempts: i64) -> i64 {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(10);
    FIRST_PAUSE_MILLIS << doublings
}

fn held(n_rows: u64) -> Beat {
    if n_rows == 1 { Beat::Held } else { Beat::Lost }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

/// The end of a text, without what no database takes.
fn end_of(text: &str) -> String {
    let mut from = text.len().saturating_sub(MOST_TEXT_BYTES);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    text[from..].replace('\0', "")
}
