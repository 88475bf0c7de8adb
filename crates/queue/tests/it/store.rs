use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use effigy_queue::{Error, Sha256, Store};

fn run<T>(claim: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(claim)
}

/// All files below a folder, by their size.
fn sizes(folder: &Path) -> Vec<u64> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(sizes(&entry.path())),
            false => found.push(entry.metadata().unwrap().len()),
        }
    }
    found
}

#[test]
fn content_is_kept_once_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_folder(folder.path()).unwrap();
    run(async {
        let large: Vec<u8> = (0..20_000_000_u32)
            .map(|i| (i * 7 + i / 251) as u8)
            .collect();
        let first = store.put(&large).await.unwrap();
        assert_eq!(first.sha256.as_str(), effigy_files::sha256(&large));
        assert_eq!(store.put(&large).await.unwrap(), first);
        assert_eq!(store.get(&first.sha256, u64::MAX).await.unwrap(), large);
        assert_eq!(store.size(&first.sha256).await.unwrap(), Some(20_000_000));
        let out = folder.path().join("out");
        store.fetch(&first.sha256, &out).await.unwrap();
        assert_eq!(store.put_file(&out, u64::MAX).await.unwrap(), first);
        fs::remove_file(&out).unwrap();
        let few = store.get(&first.sha256, 100).await;
        assert!(matches!(few, Err(Error::TooLarge { most: 100 })), "{few:?}");
        let empty = store.put(b"").await.unwrap();
        assert_eq!(store.get(&empty.sha256, 0).await.unwrap(), b"");
    });
    assert_eq!(sizes(folder.path()).len(), 2);
}

#[test]
fn what_is_not_finished_has_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_folder(folder.path()).unwrap();
    run(async {
        let mut dropped = store.upload(u64::MAX).unwrap();
        dropped.write(&[1; 15_000_000]).await.unwrap();
        drop(dropped);
        let mut too_large = store.upload(10).unwrap();
        too_large.write(b"12345678").await.unwrap();
        let refused = too_large.write(b"abc").await;
        assert!(
            matches!(refused, Err(Error::TooLarge { most: 10 })),
            "{refused:?}"
        );
        drop(too_large);
        store.sweep(&BTreeSet::new(), Duration::ZERO).await.unwrap();
    });
    assert!(!folder.path().join("files").exists());
}

#[test]
fn changed_or_missing_content_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_folder(folder.path()).unwrap();
    run(async {
        let stored = store.put(b"genuine").await.unwrap();
        let name = stored.sha256.as_str();
        fs::write(
            folder.path().join("files").join(&name[..2]).join(name),
            b"altered",
        )
        .unwrap();
        let changed = store.get(&stored.sha256, 100).await;
        assert!(matches!(changed, Err(Error::Changed { .. })), "{changed:?}");
        let changed = store
            .fetch(&stored.sha256, &folder.path().join("out"))
            .await;
        assert!(matches!(changed, Err(Error::Changed { .. })), "{changed:?}");
        let none = store
            .get(&Sha256::parse(&"0".repeat(64)).unwrap(), 100)
            .await;
        assert!(matches!(none, Err(Error::NotStored { .. })), "{none:?}");
    });
    for odd in [
        "",
        "../../etc/passwd",
        &"A".repeat(64),
        &"é".repeat(32),
        &"0".repeat(65),
    ] {
        assert!(Sha256::parse(odd).is_err(), "{odd}");
    }
}

#[test]
fn sweep_takes_what_nobody_uses_and_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_folder(folder.path()).unwrap();
    run(async {
        let kept = store.put(b"kept").await.unwrap().sha256;
        let gone = store.put(b"gone").await.unwrap().sha256;
        let in_use = BTreeSet::from([kept.clone()]);
        assert_eq!(
            store.sweep(&in_use, Duration::from_secs(60)).await.unwrap(),
            0
        );
        tokio::time::sleep(Duration::from_millis(1200)).await;
        // Stored again just now, so that somebody may be about to ask for a job on it.
        let again = store.put(b"again").await.unwrap().sha256;
        assert_eq!(
            store.sweep(&in_use, Duration::from_secs(1)).await.unwrap(),
            1
        );
        assert!(store.size(&gone).await.unwrap().is_none());
        for there in [kept, again] {
            assert!(store.size(&there).await.unwrap().is_some());
        }
    });
}
