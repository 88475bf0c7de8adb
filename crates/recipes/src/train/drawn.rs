//! Acts of strangers, filmed once and kept in a folder as packed numbers: the points that the mesh network finds, and
//! what is known.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use effigy_actors::{Acts, N_ACTS};
use effigy_face::rig::N_EXPRESSIONS;
use effigy_files::{read_bounded, write_atomically};
use effigy_frame::Point3;
use effigy_model::{FaceMesh, N_MESH_POINTS, Weights};

use super::acts::{self, Act};
use crate::device::DeviceArgs;

/// Whom to film.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
    /// The number of the first stranger
    #[arg(long, default_value_t = 100)]
    from: u32,
    /// How many strangers are filmed, each in 16 acts apart and 16 in talk
    #[arg(long, default_value_t = 100)]
    strangers: u32,
    /// In how many versions, most of them spoilt, each act is kept
    #[arg(long, default_value_t = 3)]
    versions: u32,
    /// Folder to keep them in; who is there already is not filmed again
    #[arg(short, long, default_value = "target/strangers")]
    output: PathBuf,
}

/// What is kept of an act.
pub(crate) struct Drawn {
    pub(crate) found: Vec<Point3>,
    pub(crate) weights: [f32; N_EXPRESSIONS],
}

/// Numbers of an act, single precision, least byte first.
const N_FLOATS: usize = 3 * N_MESH_POINTS + N_EXPRESSIONS;
const N_BYTES: usize = 4 * N_FLOATS;
const KINDS: [(Acts, &str); 2] = [(Acts::Apart, "apart"), (Acts::InTalk, "talk")];
/// No stranger has more.
const MOST_BYTES: u64 = (N_BYTES * N_ACTS as usize * 16) as u64;

/// Films strangers into the folder.
pub(crate) fn make(data: &Path, args: &Args) -> Result<()> {
    let face_mesh = FaceMesh::load(&Weights::from_source_tree()?, &args.device.open()?)?;
    let head = acts::open_head(data)?;
    fs::create_dir_all(&args.output).with_context(|| format!("cannot make {:?}", args.output))?;
    for seed in args.from..args.from + args.strangers {
        for (kind, name) in KINDS {
            let path = args.output.join(format!("{seed}-{name}.acts"));
            if path.exists() {
                continue;
            }
            let acts = acts::film_one(&head, seed, kind, args.versions, &face_mesh)?;
            let bytes: Vec<u8> = acts.iter().flat_map(packed).collect();
            write_atomically(&path, &bytes).with_context(|| format!("cannot write {path:?}"))?;
        }
        println!("stranger {seed}");
    }
    Ok(())
}

/// Reads all strangers in a folder, by their numbers: each one's acts of both kinds.
pub(crate) fn read(folder: &Path) -> Result<Vec<(u32, Vec<Drawn>)>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {folder:?}"))?;
    let mut seeds = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(seed) = name.strip_suffix("-talk.acts").and_then(|s| s.parse().ok()) {
            seeds.push(seed);
        }
    }
    seeds.sort_unstable();
    let stranger = |seed: u32| {
        let mut acts = Vec::new();
        for (_, name) in KINDS {
            let path = folder.join(format!("{seed}-{name}.acts"));
            let bytes =
                read_bounded(&path, MOST_BYTES).with_context(|| format!("cannot read {path:?}"))?;
            ensure!(
                bytes.len().is_multiple_of(N_BYTES),
                "{path:?} holds no whole acts; delete it and film again"
            );
            acts.extend(bytes.chunks_exact(N_BYTES).map(unpacked));
        }
        Ok((seed, acts))
    };
    seeds.into_iter().map(stranger).collect()
}

fn packed(act: &Act) -> Vec<u8> {
    let points = act.found.iter().flat_map(|p| [p.x, p.y, p.z]);
    points
        .chain(act.weights())
        .flat_map(f32::to_le_bytes)
        .collect()
}

fn unpacked(bytes: &[u8]) -> Drawn {
    let (floats, _) = bytes.as_chunks::<4>();
    let floats: Vec<f32> = floats.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let (points, weights) = floats.split_at(3 * N_MESH_POINTS);
    let points = points.chunks_exact(3);
    Drawn {
        found: points.map(|p| Point3::new(p[0], p[1], p[2])).collect(),
        weights: std::array::from_fn(|k| weights[k]),
    }
}
