//! A limit on the memory that reading one file may take.

use std::thread;
use std::time::Duration;

use effigy_files::being_read;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::board::note_over;

/// A thread takes about 1 GiB a second, if it fills it.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Ends this process when it takes more than `limit_bytes` for each of the files that it reads, over
/// what it had when the last was begun.
pub(super) fn watch(limit_bytes: u64) {
    thread::spawn(move || {
        let mut read = Vec::new();
        let mut before_bytes = 0;
        while let Some(taken_bytes) = taken_bytes() {
            let now = being_read();
            if now != read {
                (read, before_bytes) = (now, taken_bytes);
            }
            let most = limit_bytes.saturating_mul(read.len() as u64);
            if !read.is_empty() && before_bytes.saturating_add(most) < taken_bytes {
                give_up(limit_bytes);
            }
            thread::sleep(LOOK_EVERY);
        }
    });
}

fn give_up(limit_bytes: u64) {
    let gib = (limit_bytes as f64 / f64::from(1 << 30) * 100.0).round() / 100.0;
    note_over(format!(
        "reading it took more than {gib} GiB of memory (EFFIGY_MEMORY_GIB sets another limit)"
    ));
    // Nothing else is sure to end at once; whoever watches tells the rest.
    kill(Pid::this(), Signal::SIGKILL).ok();
}

/// Memory of this process that is its own. Pages of the program and of files do not count.
fn taken_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_taken_is_seen() {
        const BYTES: usize = 64 << 20;
        let before = taken_bytes().unwrap();
        let taken = std::hint::black_box(vec![1_u8; BYTES]);
        // Other tests run in this process and may give some back.
        assert!(before + (BYTES as u64 / 2) < taken_bytes().unwrap());
        drop(taken);
    }
}
