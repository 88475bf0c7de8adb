//! Looking at jobs, and forgetting old ones.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Row as _};

use crate::database::Care;
use crate::error::Result;
use crate::job::{Job, State, Tenant};
use crate::queue::Queue;
use crate::row::{COLUMNS, damaged, inputs_of, job_of, outputs_of};
use crate::store::Sha256;

/// A part of a list, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// Where the next page begins, if there is more: give it as `before`.
    pub next: Option<i64>,
}

/// How many jobs are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; 5]);

impl Counts {
    /// How many are in this state.
    pub fn of(&self, state: State) -> u64 {
        self.0[state as usize]
    }
}

/// Jobs on one page at most.
const MOST_ON_A_PAGE: u32 = 200;

impl Queue {
    /// The job of this name, if the tenant has it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn get(&self, tenant: &Tenant, id: &str) -> Result<Option<Job>> {
        let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id = $1 AND tenant = $2");
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(id)
            .bind(tenant.as_str())
            .fetch_optional(self.database.pool())
            .await?;
        row.as_ref().map(job_of).transpose()
    }

    /// Up to `n` jobs of a tenant that were pushed before `before`, newest first, without their logs.
    ///
    /// # Errors
    /// What the database says.
    pub async fn list(
        &self,
        tenant: &Tenant,
        state: Option<State>,
        before: Option<i64>,
        n: u32,
    ) -> Result<Page> {
        let n = n.clamp(1, MOST_ON_A_PAGE);
        let columns = COLUMNS.replace(" log,", " NULL AS log,");
        let sql = format!(
            "SELECT {columns} FROM jobs WHERE tenant = $1 AND seq < $2 \
             AND ($3 = '' OR state = $4) ORDER BY seq DESC LIMIT $5"
        );
        let state = state.map_or("", State::as_str);
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(tenant.as_str())
            .bind(before.unwrap_or(i64::MAX))
            .bind(state)
            .bind(state)
            .bind(i64::from(n) + 1)
            .fetch_all(self.database.pool())
            .await?;
        let jobs: Result<Vec<Job>> = rows.iter().map(job_of).collect();
        let mut jobs = jobs?;
        let has_more = n as usize != jobs.len() && jobs.len() == n as usize + 1;
        jobs.truncate(n as usize);
        let next = jobs.last().filter(|_| has_more).map(|last| last.seq);
        Ok(Page { jobs, next })
    }

    /// How many jobs of a tenant are in each state.
    ///
    /// # Errors
    /// What the database says.
    pub async fn count(&self, tenant: &Tenant) -> Result<Counts> {
        let rows = sqlx::query("SELECT state, COUNT(*) FROM jobs WHERE tenant = $1 GROUP BY state")
            .bind(tenant.as_str())
            .fetch_all(self.database.pool())
            .await?;
        let mut counts = Counts::default();
        for row in rows {
            let state: String = row.try_get(0)?;
            let n: i64 = row.try_get(1)?;
            let state: State = state.parse().map_err(|why| damaged("?", why))?;
            counts.0[state as usize] = u64::try_from(n).unwrap_or(0);
        }
        Ok(counts)
    }

    /// Forgets jobs that were over before `age` ago; says how many. Their files go with the next sweep of
    /// the store.
    ///
    /// # Errors
    /// What the database says.
    pub async fn forget(&self, age: Duration) -> Result<u64> {
        let mut turn = self.database.beside(Care::Lasting).await?;
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let deleted = sqlx::query(
            "DELETE FROM jobs WHERE state IN ('done', 'dead', 'cancelled') AND ended <= $1",
        )
        .bind(turn.now.saturating_sub(age))
        .execute(turn.connection())
        .await?;
        turn.commit().await?;
        Ok(deleted.rows_affected())
    }

    /// All stored files that some job reads or wrote, of every tenant.
    ///
    /// # Errors
    /// What the database says.
    pub async fn files_in_use(&self) -> Result<BTreeSet<Sha256>> {
        let rows = sqlx::query("SELECT id, inputs, outputs FROM jobs")
            .fetch_all(self.database.pool())
            .await?;
        let mut in_use = BTreeSet::new();
        for row in rows {
            let id: String = row.try_get(0)?;
            in_use.extend(inputs_of(&id, row.try_get(1)?)?);
            let outputs: Option<String> = row.try_get(2)?;
            in_use.extend(outputs_of(&id, outputs)?.into_values());
        }
        Ok(in_use)
    }
}
