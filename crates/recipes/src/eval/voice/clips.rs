//! Clips with sound, of people nobody named: which of them sound alike.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use effigy_media::{Limits, probe};
use effigy_pipeline::Quiet;
use effigy_pipeline::voices::{LEAST_SECS, listen};
use effigy_sound::{Networks, Recording};

/// Prints what is heard in each clip, and which voices are as alike as the threshold says.
pub(super) fn measure(data: &Path, networks: &Networks, threshold: f32) -> Result<()> {
    let mut clips = Vec::new();
    for folder in ["video", "video/grid"] {
        let folder = data.join(folder);
        let entries = std::fs::read_dir(&folder);
        for entry in entries.with_context(|| format!("cannot list {folder:?}"))? {
            let path = entry?.path();
            let has_sound = |path: &PathBuf| {
                probe(path, &Limits::default()).is_ok_and(|info| info.audio.is_some())
            };
            if path.is_file() && has_sound(&path) {
                clips.push(path);
            }
        }
    }
    clips.sort();
    println!("\nclips with sound: seconds of speech, voices:");
    let mut heard: Vec<(String, Recording)> = Vec::new();
    for path in &clips {
        let recording = listen(path, &Limits::default(), networks, &mut Quiet)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        println!(
            "{name}: {:.1} of {:.1} s, {}",
            recording.speech_secs(),
            recording.secs,
            recording.speakers.len()
        );
        heard.push((name.into_owned(), recording));
    }
    let voices: Vec<_> = heard
        .iter()
        .filter_map(|(name, recording)| {
            let leading = recording.speakers.first()?;
            (LEAST_SECS <= leading.secs()).then_some((name, &leading.voice))
        })
        .collect();
    println!(
        "alike from {threshold:.3} on, of {} clips with {LEAST_SECS} s of speech:",
        voices.len()
    );
    for (i, (name, voice)) in voices.iter().enumerate() {
        for (other, other_voice) in &voices[..i] {
            let similarity = voice.similarity(other_voice);
            if threshold <= similarity {
                println!("{other}, {name}: {similarity:.3}");
            }
        }
    }
    Ok(())
}
