//! Where jobs are kept in tests: files, and a PostgreSQL server that a test starts for itself.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub(crate) struct Place {
    /// Ends before its folder goes.
    server: Option<Server>,
    folder: TempDir,
    n_made: AtomicU32,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            server: None,
            n_made: AtomicU32::new(0),
        }
    }

    /// A server of this test's own; `None`, said aloud, where PostgreSQL is not installed.
    pub(crate) fn postgres(test: &str) -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("skipped: {test}: PostgreSQL is not installed (apt-get install postgresql)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(&programs, folder.path());
        Some(Self {
            folder,
            server: Some(server),
            n_made: AtomicU32::new(0),
        })
    }

    pub(crate) fn name(&self) -> &'static str {
        if self.server.is_some() {
            "postgres"
        } else {
            "sqlite"
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address of a database in which nothing is.
    pub(crate) fn fresh(&self) -> String {
        let n = self.n_made.fetch_add(1, Ordering::Relaxed);
        match &self.server {
            Some(server) => server.database(&format!("jobs{n}")),
            None => format!("sqlite:{}/jobs{n}.db", self.folder().display()),
        }
    }

    /// Ends the server at once, and starts it again.
    pub(crate) fn restart(&mut self) {
        if let Some(server) = &mut self.server {
            server.restart();
        }
    }

    pub(crate) fn run<T>(&self, claim: impl Future<Output = T>) -> T {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(claim)
    }
}

/// The folder of PostgreSQL's programs, where there is one.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    folders.filter(|bin| bin.join("initdb").exists()).max()
}

struct Server {
    programs: PathBuf,
    folder: PathBuf,
    /// Whose server it is: it refuses to be root's.
    owner: Option<(u32, u32)>,
    process: Child,
}

impl Server {
    fn start(programs: &Path, folder: &Path) -> Self {
        let (programs, folder) = (programs.to_owned(), folder.to_owned());
        let owner = (fs::metadata(&folder).unwrap().uid() == 0).then(nobody);
        if let Some((user, group)) = owner {
            chown(&folder, Some(user), Some(group)).unwrap();
        }
        let made = as_owner(&programs.join("initdb"), owner)
            .args([
                "--auth=trust",
                "--username=effigy",
                "--encoding=UTF8",
                "--locale=C",
                "-D",
            ])
            .arg(folder.join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let process = serve(&programs, &folder, owner);
        Self {
            programs,
            folder,
            owner,
            process,
        }
    }

    fn database(&self, name: &str) -> String {
        let made = as_owner(&self.programs.join("createdb"), self.owner)
            .arg("-h")
            .arg(&self.folder)
            .args(["-U", "effigy", name])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let folder = self.folder.display();
        format!("postgres://effigy@localhost/{name}?host={folder}")
    }

    fn restart(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        fs::remove_file(self.folder.join("data/postmaster.pid")).unwrap();
        self.process = serve(&self.programs, &self.folder, self.owner);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stopped = as_owner(&self.programs.join("pg_ctl"), self.owner)
            .args(["stop", "-m", "immediate", "-D"])
            .arg(self.folder.join("data"))
            .output();
        drop(stopped);
        self.process.wait().unwrap();
    }
}

#[expect(clippy::zombie_processes, reason = "whoever it is given to waits")]
fn serve(programs: &Path, folder: &Path, owner: Option<(u32, u32)>) -> Child {
    let log = fs::File::create(folder.join("log")).unwrap();
    let process = as_owner(&programs.join("postgres"), owner)
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-c", "listen_addresses=", "-k"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let began = Instant::now();
    loop {
        let ready = as_owner(&programs.join("pg_isready"), owner)
            .args(["-q", "-U", "effigy", "-d", "postgres", "-h"])
            .arg(folder)
            .status()
            .unwrap();
        if ready.success() {
            return process;
        }
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{:?}",
            fs::read_to_string(folder.join("log"))
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn as_owner(program: &Path, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/");
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command
}

/// The user of PostgreSQL's package, or nobody.
fn nobody() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let postgres = users.lines().find(|line| line.starts_with("postgres:"));
    let ids = postgres.and_then(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    });
    ids.unwrap_or((65534, 65534))
}
