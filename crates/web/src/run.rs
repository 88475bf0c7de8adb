//! A whole studio in one process: the pages, workers that do the jobs, and the tidying.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use effigy_queue::{Employment, Queue, SCAN, Scan, Store, Tenant, work};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::serve;
use crate::studio::Studio;

/// Where a studio keeps its things, and how much it takes on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its folder, which is made where there is none.
    pub folder: PathBuf,
    /// The port on this machine; 0 for any that is free.
    pub port: u16,
    /// The program `effigy`, which does the jobs.
    pub program: PathBuf,
    /// Jobs that are done at once.
    pub n_workers: usize,
    /// The largest file that is taken, in bytes.
    pub most_file_bytes: u64,
    /// How long results are kept.
    pub keep: Duration,
}

/// Why there is no studio.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The jobs or their files cannot be had.
    #[error("{0}")]
    Queue(#[from] effigy_queue::Error),

    /// The port is taken, most often by another studio.
    #[error("cannot listen on {address}; if another program does, choose another port: {source}")]
    Listen {
        /// What the system says.
        source: io::Error,
        /// Where it was to listen.
        address: SocketAddr,
    },

    /// The system refuses.
    #[error("{what}: {source}")]
    System {
        /// What the system says.
        source: io::Error,
        /// What was to be done.
        what: String,
    },
}

/// How often old results are looked for.
const TIDY_EVERY: Duration = Duration::from_secs(3600);
/// How long an upload waits for its job before it counts as given up.
const UPLOAD_AGE: Duration = Duration::from_secs(24 * 3600);

/// Runs a studio until `is_stopped`; tells `ready` its address once it can be reached.
///
/// # Errors
/// When it cannot be started, or its queue is served by another version.
pub fn run(
    settings: &Settings,
    ready: impl FnOnce(&str),
    is_stopped: impl Fn() -> bool + Send + 'static,
) -> Result<(), Error> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|source| system(source, "cannot start threads"))?;
    runtime.block_on(run_here(settings, ready, is_stopped))
}

async fn run_here(
    settings: &Settings,
    ready: impl FnOnce(&str),
    is_stopped: impl Fn() -> bool + Send + 'static,
) -> Result<(), Error> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, settings.port));
    let unheard = |source| Error::Listen { source, address };
    let listener = TcpListener::bind(address).await.map_err(unheard)?;
    let address = listener.local_addr().map_err(unheard)?;
    private_folder(&settings.folder)?;
    let studio = Studio {
        queue: Queue::open_file(&settings.folder.join("jobs.db")).await?,
        store: Store::open_folder(&settings.folder.join("store"))?,
        tenant: Tenant::new("local")?,
        most_file_bytes: settings.most_file_bytes,
    };
    let scan = Arc::new(Scan {
        program: settings.program.clone(),
        store: studio.store.clone(),
        folder: work_folder(&settings.folder)?,
    });
    let (stop, stopped) = watch::channel(false);
    let workers: Vec<_> = (0..settings.n_workers)
        .map(|n| {
            let (queue, stopped, scan) = (studio.queue.clone(), stopped.clone(), Arc::clone(&scan));
            tokio::spawn(async move {
                let employment = Employment::new(&format!("studio-{n}"), &[SCAN]);
                let task = |task| {
                    let scan = Arc::clone(&scan);
                    async move { scan.run(task).await }
                };
                work(&queue, &employment, stopped, task).await
            })
        })
        .collect();
    tokio::spawn(tidy(studio.clone(), settings.keep));
    ready(&format!("http://{address}"));
    let until_stopped = async move {
        while !is_stopped() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let served = serve(listener, studio, until_stopped).await;
    // Jobs are handed back, so that the next studio goes on with them at once.
    stop.send(true).ok();
    for worker in workers {
        match worker.await {
            Ok(worked) => worked?,
            Err(err) => return Err(system(io::Error::other(err), "a worker failed")),
        }
    }
    fs::remove_dir_all(&scan.folder).ok();
    served.map_err(|source| system(source, "cannot serve the pages"))
}

fn system(source: io::Error, what: impl Into<String>) -> Error {
    Error::System {
        source,
        what: what.into(),
    }
}

/// Makes a folder in which others on this machine read nothing: people's files lie there.
fn private_folder(folder: &Path) -> Result<(), Error> {
    let made = fs::create_dir_all(folder);
    #[cfg(unix)]
    let made = made.and_then(|()| {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
    });
    made.map_err(|source| system(source, format!("cannot make the folder {folder:?}")))
}

/// A folder for this process alone. What processes left that are gone is removed.
fn work_folder(folder: &Path) -> Result<PathBuf, Error> {
    let work = folder.join("work");
    let mine = work.join(std::process::id().to_string());
    let made = fs::create_dir_all(&mine);
    made.map_err(|source| system(source, format!("cannot make the folder {mine:?}")))?;
    for entry in fs::read_dir(&work).into_iter().flatten().flatten() {
        let is_there = Path::new("/proc").join(entry.file_name()).exists();
        if Path::new("/proc/self").exists() && !is_there {
            // Somebody else may remove it at the same time.
            fs::remove_dir_all(entry.path()).ok();
        }
    }
    Ok(mine)
}

/// Forgets old jobs, and removes files that nobody needs any more.
async fn tidy(studio: Studio, keep: Duration) {
    loop {
        // Where the database or the disk refuses, the next hour is as good.
        if studio.queue.forget(keep).await.is_ok()
            && let Ok(in_use) = studio.queue.files_in_use().await
        {
            studio.store.sweep(&in_use, UPLOAD_AGE).await.ok();
        }
        tokio::time::sleep(TIDY_EVERY).await;
    }
}
