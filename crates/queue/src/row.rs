//! Jobs as rows of the database.

use std::collections::BTreeMap;

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::error::{Error, Result};
use crate::job::{Done, Job, NewJob, State, Tenant};
use crate::store::Sha256;

/// What [`job_of`] reads.
pub(crate) const COLUMNS: &str = "id, seq, tenant, kind, inputs, settings, priority, state, \
    attempts, max_attempts, progress, log, summary, outputs, reason, created, started, ended";

/// Reads a row of [`COLUMNS`].
pub(crate) fn job_of(row: &AnyRow) -> Result<Job> {
    let id: String = row.try_get(0)?;
    let state: String = row.try_get(7)?;
    let state: State = state.parse().map_err(|why| damaged(&id, why))?;
    let settings: String = row.try_get(5)?;
    let settings = serde_json::from_str(&settings).map_err(|err| damaged(&id, err.to_string()))?;
    let asked = NewJob {
        tenant: Tenant::new(&row.try_get::<String, _>(2)?)?,
        kind: row.try_get(3)?,
        inputs: inputs_of(&id, row.try_get(4)?)?,
        settings,
        priority: row.try_get(6)?,
        max_attempts: row.try_get(9)?,
    };
    let done = match state {
        State::Done => Some(Done {
            summary: row.try_get::<Option<String>, _>(12)?.unwrap_or_default(),
            outputs: outputs_of(&id, row.try_get(13)?)?,
        }),
        _ => None,
    };
    Ok(Job {
        seq: row.try_get(1)?,
        asked,
        state,
        attempts: row.try_get(8)?,
        progress: row.try_get(10)?,
        log: row.try_get(11)?,
        done,
        reason: row.try_get(14)?,
        created_millis: row.try_get(15)?,
        started_millis: row.try_get(16)?,
        ended_millis: row.try_get(17)?,
        id,
    })
}

pub(crate) fn inputs_of(id: &str, json: String) -> Result<Vec<Sha256>> {
    let hashes: Vec<String> =
        serde_json::from_str(&json).map_err(|err| damaged(id, err.to_string()))?;
    hashes.iter().map(|hash| Sha256::parse(hash)).collect()
}

pub(crate) fn outputs_of(id: &str, json: Option<String>) -> Result<BTreeMap<String, Sha256>> {
    let json = json.unwrap_or_else(|| "{}".to_owned());
    let hashes: BTreeMap<String, String> =
        serde_json::from_str(&json).map_err(|err| damaged(id, err.to_string()))?;
    let pairs = hashes.into_iter();
    let pairs = pairs.map(|(name, hash)| Ok((name, Sha256::parse(&hash)?)));
    pairs.collect()
}

pub(crate) fn damaged(id: &str, why: String) -> Error {
    Error::Damaged {
        id: id.to_owned(),
        why,
    }
}
