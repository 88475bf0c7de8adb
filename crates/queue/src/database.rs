//! The database behind the queue: opened, brought up to date, and entered one transaction at a time.

use std::path::Path;
use std::time::Duration;

use sqlx::any::{AnyPoolOptions, AnyRow, install_default_drivers};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Any, AnyConnection, AnyPool, Executor as _, Row as _, SqlSafeStr as _, Transaction};

use crate::error::{Error, Result};

/// The version of what programs that serve one queue say to each other through it. Another one is refused.
pub const PROTOCOL: i64 = 1;

/// All steps to the tables of today, in order. What was released is never changed.
const MIGRATIONS: [(&str, &str); 1] = [("jobs", include_str!("../migrations/1-jobs.sql"))];

/// Connections of one program in each of two pools. A worker needs two at once, pages a few more.
const MOST_CONNECTIONS: u32 = 8;

/// How long a connection waits for others. Takes are short; this is for a disk that stalls.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Brand {
    Sqlite,
    Postgres,
}

/// A database with the tables of today.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    /// What it answers outlives a power cut.
    lasting: AnyPool,
    /// What it answers outlives every process, but perhaps not a power cut. Nobody misses it then: a job
    /// whose taking is forgotten waits again.
    passing: AnyPool,
    brand: Brand,
}

/// Whether a change must outlive a power cut, which takes a disk its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    /// What somebody was promised: that a job is done, or its result kept.
    Lasting,
    /// Who does a job now, and how far it is.
    Passing,
}

/// A transaction, and the time at its beginning.
pub(crate) struct Turn {
    pub(crate) transaction: Transaction<'static, Any>,
    /// Milliseconds since 1970 by the clock of the database: those of workers may be wrong.
    pub(crate) now: i64,
    /// The next number for a job. Only true in a turn that is entered alone.
    pub(crate) next_seq: i64,
    /// Whose turn was last. Only true in a turn that is entered alone.
    pub(crate) served: i64,
}

impl Turn {
    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }

    pub(crate) async fn commit(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }
}

impl Database {
    /// Opens `sqlite:FILE`, which is made where there is none, or `postgres://…`.
    pub(crate) async fn open(address: &str) -> Result<Self> {
        install_default_drivers();
        let scheme = address.split(':').next().unwrap_or_default();
        let (brand, address) = match scheme {
            "sqlite" if address.contains('?') => (Brand::Sqlite, address.to_owned()),
            "sqlite" => (Brand::Sqlite, format!("{address}?mode=rwc")),
            "postgres" | "postgresql" => (Brand::Postgres, address.to_owned()),
            _ => {
                return Err(Error::Address {
                    scheme: scheme.to_owned(),
                });
            }
        };
        let database = Self {
            lasting: connect(&address, brand, Care::Lasting).await?,
            passing: connect(&address, brand, Care::Passing).await?,
            brand,
        };
        database.migrate().await?;
        database.beside(Care::Passing).await?;
        Ok(database)
    }

    async fn migrate(&self) -> Result<()> {
        let migrations = MIGRATIONS.iter().zip(1..);
        let migrations = migrations.map(|((name, sql), version)| {
            let name = (*name).into();
            Migration::new(
                version,
                name,
                MigrationType::Simple,
                sql.into_sql_str(),
                false,
            )
        });
        let mut migrator = Migrator::with_migrations(migrations.collect());
        // A newer program's tables are told by the protocol, in words.
        migrator.set_ignore_missing(true);
        Ok(migrator.run(&self.lasting).await?)
    }

    /// Begins a turn that others wait for: what it reads stays true until it is committed.
    pub(crate) async fn alone(&self, care: Care) -> Result<Turn> {
        const LOCKED: &str = "SELECT protocol, next_seq, turn, \
            CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS now \
            FROM queue_state FOR UPDATE";
        self.enter(LOCKED, care).await
    }

    /// Begins a turn for single statements that are right whatever happens beside them.
    pub(crate) async fn beside(&self, care: Care) -> Result<Turn> {
        const PLAIN: &str = "SELECT protocol, next_seq, turn, \
            CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS now \
            FROM queue_state";
        self.enter(PLAIN, care).await
    }

    async fn enter(&self, in_postgres: &'static str, care: Care) -> Result<Turn> {
        const IN_SQLITE: &str = "SELECT protocol, next_seq, turn, \
            CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER) AS now FROM queue_state";
        let (begin, look) = match self.brand {
            // Immediate: who reads first and then writes could otherwise be refused halfway.
            Brand::Sqlite => ("BEGIN IMMEDIATE", IN_SQLITE),
            Brand::Postgres => ("BEGIN", in_postgres),
        };
        let pool = match care {
            Care::Lasting => &self.lasting,
            Care::Passing => &self.passing,
        };
        let mut transaction = pool.begin_with(begin).await?;
        let row: AnyRow = sqlx::query(look).fetch_one(&mut *transaction).await?;
        let found: i64 = row.try_get("protocol")?;
        if found != PROTOCOL {
            return Err(Error::Protocol {
                found,
                ours: PROTOCOL,
            });
        }
        Ok(Turn {
            now: row.try_get("now")?,
            next_seq: row.try_get("next_seq")?,
            served: row.try_get("turn")?,
            transaction,
        })
    }

    /// For reading.
    pub(crate) fn pool(&self) -> &AnyPool {
        &self.passing
    }
}

async fn connect(address: &str, brand: Brand, care: Care) -> Result<AnyPool> {
    let settings = match (brand, care) {
        (Brand::Sqlite, Care::Lasting) => {
            "PRAGMA busy_timeout = 20000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"
        }
        (Brand::Sqlite, Care::Passing) => {
            "PRAGMA busy_timeout = 20000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL"
        }
        (Brand::Postgres, Care::Lasting) => "SET synchronous_commit = on",
        (Brand::Postgres, Care::Passing) => "SET synchronous_commit = off",
    };
    let options = AnyPoolOptions::new()
        .max_connections(MOST_CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .after_connect(move |connection, _| {
            Box::pin(async move { connection.execute(settings).await.map(drop) })
        });
    Ok(options.connect(address).await?)
}

/// The address of an SQLite database in a file.
pub(crate) fn sqlite_address(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}
