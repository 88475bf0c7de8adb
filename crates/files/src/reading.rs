//! Which files of others are being read, for whoever watches this process: when it ends in the
//! middle of one, that file is to blame.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

/// A file of others while it is read.
#[derive(Debug)]
pub struct Reading(PathBuf);

/// A file that is not read again, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// The file, as it was named when it was read.
    pub path: PathBuf,
    /// What its reader did.
    pub why: String,
}

/// The files that are being read, and those that never will be.
#[derive(Debug)]
struct Registry {
    read: Vec<PathBuf>,
    given_up: Vec<GivenUp>,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    read: Vec::new(),
    given_up: Vec::new(),
});

/// Told of every change of what is read and of what is unfinished.
static LISTENER: OnceLock<fn()> = OnceLock::new();

impl Reading {
    /// Notes that `path` is read until this goes out of scope.
    ///
    /// # Errors
    /// If it was given up.
    pub fn begin(path: &Path) -> Result<Self, GivenUp> {
        let mut registry = registry();
        if let Some(given_up) = registry.given_up.iter().find(|file| file.path == path) {
            return Err(given_up.clone());
        }
        registry.read.push(path.to_owned());
        drop(registry);
        tell_of_change();
        Ok(Self(path.to_owned()))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut registry = registry();
        if let Some(at) = registry.read.iter().position(|path| *path == self.0) {
            registry.read.remove(at);
        }
        drop(registry);
        tell_of_change();
    }
}

/// The files that are being read now, each once, in the order in which they were begun.
pub fn being_read() -> Vec<PathBuf> {
    let mut read: Vec<PathBuf> = Vec::new();
    for path in &registry().read {
        if !read.contains(path) {
            read.push(path.clone());
        }
    }
    read
}

/// From now on nobody in this process reads `file`.
pub fn give_up(file: GivenUp) {
    registry().given_up.push(file);
}

/// Calls `listener` whenever what is read, or what is unfinished, changes. Only the first is called.
pub fn listen(listener: fn()) {
    // A second one would be a mistake, and is not worth ending the program for.
    LISTENER.set(listener).ok();
}

pub(crate) fn tell_of_change() {
    if let Some(listener) = LISTENER.get() {
        listener();
    }
}

fn registry() -> std::sync::MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_known_until_it_ends() {
        let (a, b) = (Path::new("read/a.mp4"), Path::new("read/b.mp4"));
        let ours = || {
            let mut read = being_read();
            read.retain(|path| path.starts_with("read"));
            read
        };
        let first = Reading::begin(a).unwrap();
        let again = Reading::begin(a).unwrap();
        let other = Reading::begin(b).unwrap();
        assert_eq!(ours(), [a, b]);
        drop(first);
        assert_eq!(ours(), [a, b]);
        drop((again, other));
        assert!(ours().is_empty());
    }

    #[test]
    fn what_was_given_up_is_not_read_again() {
        let file = GivenUp {
            path: PathBuf::from("given-up.mp4"),
            why: "its reader crashed".to_owned(),
        };
        give_up(file.clone());
        assert_eq!(Reading::begin(&file.path).unwrap_err(), file);
        assert!(Reading::begin(Path::new("other.mp4")).is_ok());
    }
}
