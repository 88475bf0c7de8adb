//! What the weights of fusion are fitted on.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use effigy_media::{Limits, probe};
use effigy_pipeline::scan::Window;
use serde::{Deserialize, Serialize};

/// What a clip is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Truth {
    /// From a camera.
    Real,
    /// A face put onto another person.
    Swap,
    /// Drawn as a whole by a generator.
    Generated,
    /// From a camera, with the sound moved away from the lips.
    Dubbed,
    /// Drawn by us.
    Own,
}

/// One clip or picture, or half of one.
pub(crate) struct Footage {
    /// Its source and file.
    pub(crate) name: String,
    /// Whoever is judged together: the person before the camera.
    pub(crate) group: String,
    pub(crate) truth: Truth,
    pub(crate) path: PathBuf,
    pub(crate) window: Option<Window>,
}

/// Clips of one performer have one name here; every other clip shows a person of its own.
const SAME_DRIVER: [(&str, &str); 4] = [
    ("Matilda_Bobbie_2", "Ava_de_Addario_1"),
    ("Matilda_Bobbie_0", "David_Kovalniy_1"),
    ("Natasha_Former_2", "Emily_Winston_1"),
    ("Yohanna_Coralson_1", "Emily_Winston_3"),
];
/// Pictures taken of each source of portraits.
const N_PICTURES: usize = 24;

/// Lists all development footage.
pub(crate) fn footage(data: &Path) -> Result<Vec<Footage>> {
    let mut all = Vec::new();
    for path in files(&data.join("fakes-dev/dfl-pairs"))? {
        all.extend(halves(&path)?);
    }
    for folder in ["video", "video/grid"] {
        for path in files(&data.join(folder))? {
            if probe(&path, &Limits::default())?.audio.is_some() {
                all.push(whole("dubbed", path.clone(), Truth::Dubbed));
            }
            all.push(whole("video", path, Truth::Real));
        }
    }
    for path in files(&data.join("fakes-dev"))? {
        let is_swap = stem(&path).starts_with("uadfv");
        let truth = if is_swap {
            Truth::Swap
        } else {
            Truth::Generated
        };
        all.push(whole("fakes-dev", path, truth));
    }
    for source in ["interfaces", "congress", "ytf"] {
        let pictures = files(&data.join("people").join(source))?;
        let step = (pictures.len() / N_PICTURES).max(1);
        let some = pictures.into_iter().step_by(step).take(N_PICTURES);
        all.extend(some.map(|path| whole(source, path, Truth::Real)));
    }
    let drawn = files(&data.join("fakes-dev/stylegan2"))?;
    let drawn = drawn.into_iter().take(N_PICTURES);
    all.extend(drawn.map(|path| whole("stylegan2", path, Truth::Generated)));
    Ok(all)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {folder:?}"))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

fn whole(source: &str, path: PathBuf, truth: Truth) -> Footage {
    Footage {
        name: format!("{source}/{}", stem(&path)),
        group: stem(&path),
        truth,
        path,
        window: None,
    }
}

/// Side of the largest blocks that the clips were compressed in.
const BLOCK_PX: u32 = 16;

/// The original is the left half, the swap the right one.
fn halves(path: &Path) -> Result<[Footage; 2]> {
    let info = probe(path, &Limits::default())?;
    let video = info.video.context("a clip without a picture")?;
    let width = video.width / 2;
    // What is cut off keeps the grid on which the file's blocks lie.
    let right = width.next_multiple_of(BLOCK_PX);
    let stem = stem(path);
    let driver = SAME_DRIVER.iter().find(|(clip, _)| *clip == stem);
    let half = |x: u32, width: u32, side: &str, truth: Truth| Footage {
        name: format!("dfl-pairs/{stem}/{side}"),
        group: driver
            .map_or(stem.as_str(), |(_, driver)| driver)
            .to_owned(),
        truth,
        path: path.to_owned(),
        window: Some(Window {
            x,
            y: 0,
            width,
            height: video.height,
        }),
    };
    Ok([
        half(0, width, "original", Truth::Real),
        half(right, video.width - right, "swap", Truth::Swap),
    ])
}
