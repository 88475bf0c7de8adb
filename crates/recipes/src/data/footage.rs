//! What the weights of fusion are fitted on.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
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

/// How a fake was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// A face put onto another person.
    Swap,
    /// A mouth that follows a sound.
    LipSync,
    /// A talking head, drawn from a picture and a sound.
    Talking,
    /// A head that moves as another one does.
    Reenacted,
}

/// Who made a fake, and of what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fake {
    pub(crate) kind: Kind,
    pub(crate) maker: String,
    /// The name of the footage that it was made of, where that is there.
    pub(crate) original: Option<String>,
}

/// One clip or picture, or half of one.
pub(crate) struct Footage {
    /// Its source and file.
    pub(crate) name: String,
    /// What is judged together, since it shares people or an encoder: the person before the camera,
    /// or the page on which it was published.
    pub(crate) group: String,
    pub(crate) truth: Truth,
    /// `None` of real footage, and where nothing is known.
    pub(crate) fake: Option<Fake>,
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
        all.push(made_elsewhere(path));
    }
    all.extend(many(&data.join(MANY))?);
    for source in ["interfaces", "congress", "ytf"] {
        let pictures = of_unknown_people(&data.join("people"), source)?;
        let step = (pictures.len() / N_PICTURES).max(1);
        let some = pictures.into_iter().step_by(step).take(N_PICTURES);
        all.extend(some.map(|path| whole(source, path, Truth::Real)));
    }
    let drawn = files(&data.join("fakes-dev/stylegan2"))?;
    let drawn = drawn.into_iter().take(N_PICTURES);
    all.extend(drawn.map(|path| whole("stylegan2", path, Truth::Generated)));
    Ok(all)
}

/// Pictures of one source, of people that no filter is fitted to.
fn of_unknown_people(folder: &Path, source: &str) -> Result<Vec<PathBuf>> {
    let index = fs::read_to_string(folder.join("index.csv"))
        .with_context(|| format!("cannot read the index in {folder:?}"))?;
    let mut pictures = Vec::new();
    for line in index.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [file, _, _, _, _, of, split, ..] = fields[..] else {
            bail!("the index has a line with too few fields: {line:?}");
        };
        let is_fitted_to = split == "train" && source != "congress";
        if of == source && !is_fitted_to {
            pictures.push(folder.join(file));
        }
    }
    Ok(pictures)
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
        fake: None,
        path,
        window: None,
    }
}

/// Those of `fakes-dev` are named after their makers; the swaps among them have no originals.
fn made_elsewhere(path: PathBuf) -> Footage {
    let stem = stem(&path);
    let maker = stem.split('-').next().unwrap_or_default().to_owned();
    let (truth, kind) = if maker == "uadfv" {
        (Truth::Swap, Kind::Swap)
    } else {
        (Truth::Generated, Kind::Talking)
    };
    Footage {
        group: maker.clone(),
        fake: Some(Fake {
            kind,
            maker,
            original: None,
        }),
        ..whole("fakes-dev", path, truth)
    }
}

/// Clips of many makers, by the page that published them.
fn many(folder: &Path) -> Result<Vec<Footage>> {
    let index = fs::read_to_string(folder.join("index.csv"))
        .with_context(|| format!("cannot read the index in {folder:?}"))?;
    let mut all = Vec::new();
    for line in index.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [file, maker, kind, page, original, ..] = fields[..] else {
            bail!("the index has a line with too few fields: {line:?}");
        };
        let (truth, kind) = match kind {
            "real" => (Truth::Real, None),
            "swap" => (Truth::Swap, Some(Kind::Swap)),
            "lipsync" => (Truth::Generated, Some(Kind::LipSync)),
            "talking" => (Truth::Generated, Some(Kind::Talking)),
            "reenact" => (Truth::Generated, Some(Kind::Reenacted)),
            other => bail!("{file} is of an unknown kind, {other:?}"),
        };
        let original = original.strip_suffix(".mp4");
        all.push(Footage {
            group: page.to_owned(),
            fake: kind.map(|kind| Fake {
                kind,
                maker: maker.to_owned(),
                original: original.map(|stem| format!("{MANY}/{stem}")),
            }),
            ..whole(MANY, folder.join(file), truth)
        });
    }
    Ok(all)
}

/// Folder of clips of many makers.
const MANY: &str = "fakes-many";

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
    let swap = Fake {
        kind: Kind::Swap,
        maker: "deepfacelab".to_owned(),
        original: Some(format!("dfl-pairs/{stem}/original")),
    };
    let half = |x: u32, width: u32, side: &str, truth: Truth| Footage {
        fake: (truth == Truth::Swap).then(|| swap.clone()),
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
