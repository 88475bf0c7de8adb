//! Hostile files end in an error or a report, never in a crash or a hang, and ask for no more
//! memory than the file is worth.
//!
//! `EFFIGY_FUZZ_SECS=300 cargo test --release -p effigy-mark hostile` goes on for five minutes,
//! `EFFIGY_SEED=7` makes other changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use effigy_frame::{Frame, Picture, Rational, Timestamp};
use effigy_mark::label::{Language, Profiles, Source};
use effigy_mark::{
    Clock, Keys, Policy, State, Trust, UtcTime, mark_file, read_credentials, verify,
};
use effigy_media::{VideoWriter, WriteSettings};

use crate::proof;

/// A marked PNG, JPEG, WebP and MP4.
fn corpus(folder: &Path) -> Vec<PathBuf> {
    let since_epoch = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let now = UtcTime::from_unix_secs(since_epoch.as_secs() as i64);
    let keys = Keys::create(&folder.join("keys"), "Test Studio", now).unwrap();
    let policy = Policy {
        keys: &keys,
        profiles: Profiles::all(),
        language: Language::En,
        source: Source::Generated,
        provider: "Test Studio".to_owned(),
        parent: None,
        inputs: Vec::new(),
        model: None,
        clock: Clock::set(now),
    };
    let value = |i: u32| (i / 3 % 240 / 3 + i / 720 % 180 / 2 + 30) as u8;
    let picture = Picture::new(240, 180, (0..240 * 180 * 3).map(value).collect());
    let (still, clip) = (folder.join("plain.png"), folder.join("plain.mp4"));
    #[expect(clippy::disallowed_methods, reason = "a test picture of nobody")]
    effigy_media::write_picture(&still, &picture).unwrap();
    let settings = WriteSettings::new(240, 180, Rational::new(25, 1));
    #[expect(clippy::disallowed_methods, reason = "a test clip of nobody")]
    let mut writer = VideoWriter::create(&clip, &settings).unwrap();
    for index in 0..6 {
        let time = Timestamp::new(index, Rational::new(1, 25));
        writer
            .write(&Frame {
                index: index as u64,
                time,
                picture: picture.clone(),
            })
            .unwrap();
    }
    writer.finish().unwrap();
    let marked = |name: &str, from: &Path| {
        let path = folder.join(name);
        let mut go_on = || std::ops::ControlFlow::Continue(());
        mark_file(from, &path, &policy, &mut go_on).unwrap();
        path
    };
    vec![
        marked("a.png", &still),
        marked("a.jpg", &still),
        marked("a.webp", &still),
        marked("a.mp4", &clip),
    ]
}

/// SplitMix64: the same changes on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit.max(1) as u64) as usize
    }
}

/// Numbers that sizes and counts are compared with, or overflow at.
const SIZES: [u32; 6] = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff];

fn mutant(whole: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=random.below(4) {
        let n = bytes.len();
        if n < 8 {
            break;
        }
        // Half of the changes fall where the manifest and the headers are.
        let reach = if random.below(2) == 0 { n.min(4096) } else { n };
        let at = random.below(reach);
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.below(256) as u8,
            2 => bytes.truncate(at),
            3 => {
                let size = SIZES[random.below(SIZES.len())].to_be_bytes();
                let at = at.min(n - 4);
                bytes[at..at + 4].copy_from_slice(&size);
            }
            4 => {
                let (from, length) = (random.below(n), random.below(64));
                let piece = bytes[from..n.min(from + length)].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {
                let end = n.min(at + random.below(64));
                bytes.drain(at..end);
            }
        }
    }
    bytes
}

/// Verifies on a thread of its own, so that a hang is noticed.
fn verify_or_hang(path: &Path, bytes: Vec<u8>, what: &str) {
    fs::write(path, bytes).unwrap();
    let (sender, receiver) = sync_channel(1);
    let at = path.to_owned();
    std::thread::spawn(move || {
        let outcome = std::panic::catch_unwind(|| drop(verify(&at, &Trust::default())));
        sender.send(outcome.is_ok()).unwrap();
    });
    // Far longer than any file takes, on a machine that does much else.
    let is_whole = receiver.recv_timeout(Duration::from_secs(240)).ok();
    assert!(is_whole.is_some(), "{what}: the verifier hangs");
    assert_eq!(is_whole, Some(true), "{what}: the verifier panicked");
}

#[test]
fn changed_files_end_in_an_error_or_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<(PathBuf, Vec<u8>)> = corpus(folder.path())
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    let secs = std::env::var("EFFIGY_FUZZ_SECS").ok();
    let secs = secs.map(|secs| secs.parse::<u64>().unwrap());
    let started = Instant::now();
    let n_enough = proof::amount(24, 2400);
    let mut n = 0;
    loop {
        let (path, whole) = &files[n % files.len()];
        let bytes = mutant(whole, &mut Random((proof::seed() + n) as u64));
        verify_or_hang(path, bytes, &format!("{path:?}, change {n}"));
        n += 1;
        let is_enough = match secs {
            Some(secs) => Duration::from_secs(secs) <= started.elapsed(),
            None => n_enough <= n,
        };
        if is_enough {
            break;
        }
    }
    println!("{n} changed files");
}

/// Most memory that this process ever held.
fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

#[test]
fn claims_of_four_gigabytes_are_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    for path in corpus(folder.path()) {
        let whole = fs::read(&path).unwrap();
        // Every box of the manifest in turn, its chunk included, claims to be 4 GB long.
        let names = [
            b"jumb", b"jumd", b"cbor", b"json", b"bfdb", b"bidb", b"caBX", b"C2PA", b"uuid",
        ];
        let places =
            (4..whole.len() - 4).filter(|&at| names.iter().any(|n| whole[at..].starts_with(*n)));
        for at in places {
            let mut bytes = whole.clone();
            let length = at - 4..at;
            if whole[at..].starts_with(b"C2PA") {
                bytes[at + 4..at + 8].copy_from_slice(&[0xf0, 0xff, 0xff, 0xff]);
            } else {
                bytes[length].copy_from_slice(&0xffff_fff0_u32.to_be_bytes());
            }
            fs::write(&path, bytes).unwrap();
            let read = read_credentials(&path, &Trust::default());
            let state = read.ok().flatten().map(|credentials| credentials.state);
            assert!(
                matches!(state, None | Some(State::Broken)),
                "{path:?}, box at {at}: {state:?}"
            );
        }
    }
    if let Some(peak) = peak_bytes() {
        assert!(peak < 1 << 30, "{peak} bytes were held");
    }
}
