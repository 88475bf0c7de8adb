//! The command that films people who don't exist.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use effigy_actors::truth::Detail;
use effigy_actors::{Anchors, Canvas, Clip, Head, Line, Set, committed, film, speak};

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

const LARGEST_SIDE: usize = 1024;

/// Films the actors.
pub(crate) fn run(data: &Path, args: &Args) -> Result<()> {
    ensure!(
        (64..=LARGEST_SIDE).contains(&args.side) && args.side.is_multiple_of(16),
        "--side {} must be a multiple of 16 between 64 and {LARGEST_SIDE}",
        args.side
    );
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
        match args.still {
            Some(frame) => still(&head, clip, (&args.output, args.side), frame)?,
            None => {
                let detail = if args.full {
                    Detail::Full
                } else {
                    Detail::Small
                };
                let stop = |_| stopped.load(Ordering::Relaxed);
                film(&head, clip, (&args.output, args.side, detail), &stop)?;
            }
        }
        println!("{} in {:.0} s", clip.name, started.elapsed().as_secs_f64());
    }
    Ok(())
}

fn still(head: &Head, clip: &Clip, (folder, side): (&Path, usize), frame: u32) -> Result<()> {
    let scratch = tempfile::tempdir_in(folder)?;
    let sound = scratch.path().join("voice.m4a");
    let line = speak(clip.voice, clip.text, clip.secs, &sound)?;
    let set = Set::new(head, clip, &line, side)?;
    let shot = set.shot(head, &Anchors::lay(head), &mut Canvas::new(side), frame)?;
    let path = folder.join(format!("{}-{frame}.png", clip.name));
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
    let (anchors, mut canvas) = (Anchors::lay(head), Canvas::new(side));
    let started = Instant::now();
    for n in 0..N_FRAMES {
        set.shot(head, &anchors, &mut canvas, n)?;
    }
    let fps = f64::from(N_FRAMES) / started.elapsed().as_secs_f64();
    println!("{} at {side} px: {fps:.1} frames/s on one core", clip.name);
    println!("{{\"actors_fps\":{fps:.2},\"side\":{side}}}");
    Ok(())
}
