//! The command that films people who don't exist.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use effigy_actors::truth::Detail;
use effigy_actors::{Clip, FilmSettings, Head, Line, Phoneme, Set, committed, film};
use serde::Deserialize;

/// What to film.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Folder for the clips
    #[arg(short, long, default_value = "testdata/actors")]
    output: PathBuf,
    /// Only clips whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Width and height in pixels
    #[arg(long, default_value_t = 320)]
    side: usize,
    /// Keep masks and flow of every pixel
    #[arg(long)]
    full: bool,
    /// Write one picture of each clip, of this frame, and no clip
    #[arg(long, value_name = "FRAME")]
    still: Option<u32>,
    /// Measure frames per second on one processor core, and write nothing
    #[arg(long)]
    bench: bool,
}

/// Films the actors.
pub(crate) fn run(data: &Path, args: &Args) -> Result<()> {
    let head = Head::open(&data.join("head/head.safetensors"))?;
    let mut clips = committed();
    clips.retain(|clip| {
        args.only
            .as_ref()
            .is_none_or(|part| clip.name.contains(part))
    });
    ensure!(!clips.is_empty(), "no clip has such a name");
    if args.bench {
        return bench(&head, &clips[0], args.side);
    }
    fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot make the folder {:?}", args.output))?;
    let stopped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stopped);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed))
        .context("cannot listen for Ctrl-C")?;
    for clip in &clips {
        let started = Instant::now();
        make(&head, clip, args, &|_| stopped.load(Ordering::Relaxed))?;
        println!("{} in {:.0} s", clip.name, started.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Films one clip, or draws one frame of it.
fn make(head: &Head, clip: &Clip, args: &Args, stop: &dyn Fn(u32) -> bool) -> Result<()> {
    let scratch =
        tempfile::tempdir_in(&args.output).context("cannot make a folder for the sound")?;
    let sound = scratch.path().join("voice.m4a");
    let line = speak(clip, &sound)?;
    let set = Set::new(head, clip, &line, args.side)?;
    let Some(frame) = args.still else {
        let detail = if args.full {
            Detail::Full
        } else {
            Detail::Small
        };
        let settings = FilmSettings {
            folder: &args.output,
            detail,
            sound: Some(&sound),
        };
        return Ok(film(&set, &settings, stop)?);
    };
    let shot = set.shot(&mut set.canvas(), frame)?;
    let path = args.output.join(format!("{}-{frame}.png", clip.name));
    #[expect(
        clippy::disallowed_methods,
        reason = "nobody is depicted: a drawn person is what the marks are tested with"
    )]
    effigy_media::write_picture(&path, &shot.picture)?;
    Ok(())
}

fn bench(head: &Head, clip: &Clip, side: usize) -> Result<()> {
    const N_FRAMES: u32 = 25;
    let set = Set::new(head, clip, &Line::default(), side)?;
    let mut canvas = set.canvas();
    let started = Instant::now();
    for n in 0..N_FRAMES {
        set.shot(&mut canvas, n)?;
    }
    let fps = f64::from(N_FRAMES) / started.elapsed().as_secs_f64();
    println!("{} at {side} px: {fps:.1} frames/s on one core", clip.name);
    println!("{{\"actors_fps\":{fps:.2},\"side\":{side}}}");
    Ok(())
}

/// What `scripts/speak.py` writes.
#[derive(Deserialize)]
struct Spoken {
    secs: f32,
    phonemes: Vec<(f32, String)>,
}

/// Lets espeak-ng say the text of a clip; the sound goes to `sound`, as AAC and as long as the clip.
fn speak(clip: &Clip, sound: &Path) -> Result<Line> {
    let wave = sound.with_extension("wav");
    let times = sound.with_extension("times");
    let voice = clip.voice;
    let script = Command::new("python3")
        .arg("scripts/speak.py")
        .args([
            voice.name,
            &voice.rate.to_string(),
            &voice.pitch.to_string(),
        ])
        .arg(clip.text)
        .args([&wave, &times])
        .status()
        .context("cannot run python3 for scripts/speak.py; start from the repository's folder")?;
    ensure!(
        script.success(),
        "scripts/speak.py failed; start from the repository's folder, with espeak-ng installed"
    );
    let spoken: Spoken = serde_json::from_slice(&fs::read(&times)?)
        .context("scripts/speak.py wrote times that cannot be read")?;
    let delay = format!("adelay={:.0},apad", Line::PAUSE_SECS * 1000.0);
    let coded = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(&wave)
        .args(["-af", &delay, "-t", &clip.secs.to_string()])
        .args(["-c:a", "aac", "-b:a", "40k", "-map_metadata", "-1"])
        .args(["-fflags", "+bitexact", "-flags:a", "+bitexact"])
        .arg(sound)
        .status()
        .context("cannot run ffmpeg to code the voice; install the package ffmpeg")?;
    ensure!(coded.success(), "ffmpeg could not code the voice");
    fs::remove_file(wave)?;
    fs::remove_file(times)?;
    let phoneme = |(from_secs, name)| Phoneme { from_secs, name };
    let phonemes: Vec<Phoneme> = spoken.phonemes.into_iter().map(phoneme).collect();
    Ok(Line::spoken(&phonemes, spoken.secs))
}
