//! What a job is: what is asked for, and what became of it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use effigy_files::sha256;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::store::Sha256;

/// Whose jobs they are. One never sees another's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tenant(String);

impl Tenant {
    /// Takes letters, digits and dashes, at most 64.
    ///
    /// # Errors
    /// [`Error::NoJob`] for anything else.
    pub fn new(name: &str) -> Result<Self> {
        is_name(name)
            .then(|| Self(name.to_owned()))
            .ok_or_else(|| Error::NoJob {
                why: format!("{name:?} is no tenant: 1 to 64 letters a-z, digits and dashes are"),
            })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_name(name: &str) -> bool {
    let is_plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(is_plain)
}

/// What is asked for. Two jobs that ask for the same are one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// Who asks.
    pub tenant: Tenant,
    /// Which program does it: `scan`.
    pub kind: String,
    /// The stored files that it reads.
    pub inputs: Vec<Sha256>,
    /// Everything else that its results depend on.
    pub settings: BTreeMap<String, String>,
    /// Higher comes first, among the jobs of one tenant.
    pub priority: i64,
    /// How often it is begun before it is given up. At least 1.
    pub max_attempts: i64,
}

/// How much text the settings of one job may have, as JSON.
const MOST_SETTINGS_BYTES: usize = 64 * 1024;

impl NewJob {
    /// Asks for a job of `kind` on `inputs`, with nothing set.
    pub fn new(tenant: Tenant, kind: &str, inputs: Vec<Sha256>) -> Self {
        Self {
            tenant,
            kind: kind.to_owned(),
            inputs,
            settings: BTreeMap::new(),
            priority: 0,
            max_attempts: 3,
        }
    }

    /// SHA-256 of all that the results depend on.
    pub fn key(&self) -> String {
        let inputs: Vec<&str> = self.inputs.iter().map(Sha256::as_str).collect();
        let all = serde_json::json!([self.kind, inputs]).to_string();
        sha256(format!("{all}{}", self.settings_json()).as_bytes())
    }

    pub(crate) fn settings_json(&self) -> String {
        json_of_texts(&self.settings)
    }

    pub(crate) fn check(&self) -> Result<()> {
        let no = |why: String| Err(Error::NoJob { why });
        if !is_name(&self.kind) {
            return no(format!("{:?} is no kind of job", self.kind));
        }
        if self.max_attempts < 1 {
            return no("it is never begun".to_owned());
        }
        if MOST_SETTINGS_BYTES < self.settings_json().len() {
            return no(format!(
                "its settings are longer than {MOST_SETTINGS_BYTES} bytes"
            ));
        }
        Ok(())
    }
}

/// The same text for the same map, in the order of its keys.
pub(crate) fn json_of_texts(texts: &BTreeMap<String, String>) -> String {
    let pair = |(key, value): (&String, &String)| {
        format!(
            "{}:{}",
            serde_json::Value::from(key.as_str()),
            serde_json::Value::from(value.as_str())
        )
    };
    let pairs: Vec<String> = texts.iter().map(pair).collect();
    format!("{{{}}}", pairs.join(","))
}

/// What has become of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits.
    Queued,
    /// Somebody holds its lease.
    Running,
    /// Its results are there.
    Done,
    /// It was given up; its reason says why.
    Dead,
    /// It was called off.
    Cancelled,
}

impl State {
    /// All, in the order in which a job passes them.
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Running,
        Self::Done,
        Self::Dead,
        Self::Cancelled,
    ];

    /// As it is written in databases and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more happens to it by itself.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is no state of a job"))
    }
}

/// What a finished job leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// A few words or a little JSON for lists, at most 16 KiB; more is cut off.
    pub summary: String,
    /// Its results in the store, by name.
    pub outputs: BTreeMap<String, Sha256>,
}

/// A job as it stands in the database. Times are milliseconds since 1970, by the database's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// 32 random hexadecimal digits.
    pub id: String,
    /// Rises with every push; orders lists.
    pub seq: i64,
    /// What was asked for.
    pub asked: NewJob,
    /// What has become of it.
    pub state: State,
    /// How often it was begun.
    pub attempts: i64,
    /// What its worker said last of how far it is.
    pub progress: Option<String>,
    /// The last lines that it said.
    pub log: Option<String>,
    /// Its results, once done.
    pub done: Option<Done>,
    /// Why it is dead, or why its last attempt failed.
    pub reason: Option<String>,
    /// When it was pushed.
    pub created_millis: i64,
    /// When it was last begun.
    pub started_millis: Option<i64>,
    /// When it was done, given up or called off.
    pub ended_millis: Option<i64>,
}
