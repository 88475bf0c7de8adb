//! Strangers, filmed and seen by the mesh network: what they do is known exactly.

use std::path::Path;
use std::thread;

use anyhow::{Context as _, Result};
use effigy_actors::{Clip, Done, Head, Line, N_ACTS, Set};
use effigy_face::align::mesh_view;
use effigy_face::rig::N_EXPRESSIONS;
use effigy_frame::resample::crop;
use effigy_frame::{Picture, Point3};
use effigy_model::FaceMesh;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::augment::{Jitter, spoil, strayed};

/// Width and height of the pictures.
const SIDE: usize = 320;
/// Of how many pictures one is spoilt.
const SPOILT: f64 = 0.5;

/// One picture of a stranger.
pub(crate) struct Act {
    /// As the mesh network finds them.
    pub(crate) found: Vec<Point3>,
    /// As they are.
    pub(crate) truth: Vec<Point3>,
    pub(crate) done: Done,
}

impl Act {
    /// The true weights of the rig's expressions.
    pub(crate) fn weights(&self) -> [f32; N_EXPRESSIONS] {
        std::array::from_fn(|k| self.done.weights[k])
    }
}

/// A stranger with all their acts.
pub(crate) type Stranger = Vec<Act>;

/// Films the strangers with the numbers `from..from + n`, on all processors.
pub(crate) fn film(data: &Path, from: u32, n: u32, face_mesh: &FaceMesh) -> Result<Vec<Stranger>> {
    let head = Head::open(&data.join("head/head.safetensors"))?;
    let n_threads = thread::available_parallelism().map_or(1, |n| n.get() as u32);
    let film = |first: u32| -> Result<Vec<(u32, Stranger)>> {
        let mine = (from + first..from + n).step_by(n_threads as usize);
        mine.map(|seed| Ok((seed, film_one(&head, seed, face_mesh)?)))
            .collect()
    };
    let mut all = thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads)
            .map(|first| {
                let film = &film;
                scope.spawn(move || film(first))
            })
            .collect();
        let mut all = Vec::new();
        for thread in threads {
            let part = thread.join().ok().context("a thread of the film failed")?;
            all.extend(part?);
        }
        anyhow::Ok(all)
    })?;
    all.sort_by_key(|(seed, _)| *seed);
    Ok(all.into_iter().map(|(_, stranger)| stranger).collect())
}

fn film_one(head: &Head, seed: u32, face_mesh: &FaceMesh) -> Result<Stranger> {
    let clip = Clip::of_stranger(seed);
    let set = Set::new(head, &clip, &Line::default(), SIDE)?;
    let mut canvas = set.canvas();
    let mut random = ChaCha8Rng::seed_from_u64(u64::from(seed));
    let mut acts = Vec::new();
    for act in 0..N_ACTS {
        let shot = set.shot(&mut canvas, 2 * act)?;
        let done = set.done(&shot);
        let mut picture = shot.picture;
        if random.random_bool(SPOILT) {
            spoil(&mut picture, &mut random);
        }
        let truth = shot.points.into_iter().next().context("nobody in a shot")?;
        if let Some(found) = find(face_mesh, &picture, &truth, &mut random) {
            acts.push(Act { found, truth, done });
        }
    }
    Ok(acts)
}

/// The mesh in the picture, as tracking would fit it: once roughly, then again where it was.
fn find(
    face_mesh: &FaceMesh,
    picture: &Picture,
    truth: &[Point3],
    random: &mut ChaCha8Rng,
) -> Option<Vec<Point3>> {
    let view = mesh_view(truth, FaceMesh::SIDE_PX)?;
    let mut view = strayed(view, FaceMesh::SIDE_PX, Jitter::TRACKED, random);
    let mut points = Vec::new();
    for _again in 0..2 {
        let mesh = face_mesh.fit(&crop(picture, view, FaceMesh::SIDE_PX));
        points = mesh.points.iter().map(|&p| view.apply3(p)).collect();
        view = mesh_view(&points, FaceMesh::SIDE_PX)?;
    }
    Some(points)
}
