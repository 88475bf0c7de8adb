//! The rig: how a face is built, what it does, where it looks and where the head is, as few numbers.
//!
//! A light head (ICT-FaceKit light model, MIT, © 2020 USC Institute for Creative Technologies) is
//! bent by 30 modes of identity and 57 expressions with ARKit's names. [`Person::fit`] finds who it
//! is, once, over the calmest frames of a clip; [`Solver`] then gives a [`Pose`] for each frame.
//! Places on the head are centimetres, x to the picture's right, y down, z away from the camera;
//! [`Placement`] carries them into the picture. *Right* and *left* are the person's own.

mod arkit;
mod driver_input;
mod equations;
mod eyes;
mod names;
mod person;
mod placement;
mod read;
mod rest;
mod solve;

pub use arkit::{ARKIT, arkit, from_arkit};
pub use driver_input::driver_input;
pub use eyes::{Eyeball, Gaze};
pub use names::{EXPRESSIONS, N_EXPRESSIONS, expression};
pub use person::{Acquaintance, Person};
pub use placement::Placement;
pub use rest::{Rest, relative};
pub use solve::{Pose, Solver, SolverSettings, place};

use effigy_model::Weights;

use crate::error::Result;
use crate::landmarks::N_SKIN_POINTS;
use equations::Gram;

/// Modes of identity.
pub const N_MODES: usize = 30;

/// A place on the head or a movement of one, in centimetres.
pub type Vec3 = [f32; 3];

/// What a triangle of the light head shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Face, ears and the front of the neck.
    Face,
    /// Scalp, back of the neck and shoulders.
    Back,
    /// Gums and tongue.
    Mouth,
    /// Teeth.
    Teeth,
    /// White of the right eye.
    EyeRight,
    /// White of the left eye.
    EyeLeft,
}

/// A triangle of the light head.
#[derive(Clone, Copy, Debug)]
pub struct Triangle {
    /// Its vertices, counter-clockwise in the picture when it is seen from outside.
    pub corners: [u16; 3],
    /// What it shows.
    pub part: Part,
}

/// Shapes over a number of places: at rest, by identity, by expression.
#[derive(Clone, Debug)]
pub(crate) struct Shapes {
    pub(crate) neutral: Vec<f32>,
    /// Of each mode, for one standard deviation.
    pub(crate) identity: Vec<Vec<f32>>,
    /// Of each expression, at its full weight.
    pub(crate) expression: Vec<Vec<f32>>,
}

impl Shapes {
    fn add(to: &mut [f32], shapes: &[Vec<f32>], weights: &[f32]) {
        for (shape, &weight) in shapes.iter().zip(weights) {
            if weight.abs() > 0.0 {
                for (p, d) in to.iter_mut().zip(shape) {
                    *p += weight * d;
                }
            }
        }
    }

    /// The places of somebody with these weights of identity, at rest.
    pub(crate) fn at_rest(&self, identity: &[f32; N_MODES]) -> Vec<f32> {
        let mut places = self.neutral.clone();
        Self::add(&mut places, &self.identity, identity);
        places
    }

    /// Adds expressions to places.
    pub(crate) fn express(&self, places: &mut [f32], weights: &[f32; N_EXPRESSIONS]) {
        Self::add(places, &self.expression, weights);
    }
}

/// The light head with its shapes, and where the points of the face mesh lie on it.
#[derive(Clone, Debug)]
pub struct Rig {
    pub(crate) mesh: Shapes,
    /// Where the points of the face mesh lie.
    pub(crate) points: Shapes,
    pub(crate) eyes: eyes::EyeShapes,
    pub(crate) gram: Gram,
    /// Of each vertex: the points that carry it along, and by how much.
    carried_by: Vec<[(u16, f32); N_CARRIERS]>,
    triangles: Vec<Triangle>,
    uv: Vec<[f32; 2]>,
}

/// How many points of the face mesh a vertex follows.
const N_CARRIERS: usize = 5;

impl Rig {
    /// Reads the rig.
    ///
    /// # Errors
    /// When its file is missing or damaged.
    pub fn load(weights: &Weights) -> Result<Self> {
        Ok(Self::from_bytes(&weights.bytes("rig")?)?)
    }

    /// The same rig for points that are known, not found by the mesh network: irises and lids are where they seem to
    /// be.
    #[must_use]
    pub fn for_true_points(mut self) -> Self {
        self.eyes.seen = eyes::IRISES_AT_THEIR_WORD;
        self.eyes.lids = eyes::LIDS_AT_THEIR_WORD;
        self
    }

    /// Reads the rig from the bytes of its file.
    ///
    /// # Errors
    /// When they are damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, effigy_model::Error> {
        read::parse(bytes).map_err(|reason| effigy_model::Error::Weights {
            network: "rig",
            reason,
        })
    }

    /// How many vertices the light head has.
    pub fn n_vertices(&self) -> usize {
        self.uv.len()
    }

    /// The triangles of the light head. A vertex on a seam of the texture is there twice.
    pub fn triangles(&self) -> &[Triangle] {
        &self.triangles
    }

    /// Where each vertex lies in the texture of its part, `0..=1` each way.
    pub fn uv(&self) -> &[[f32; 2]] {
        &self.uv
    }

    /// Gives how far the vertices move at the full weight of an expression, in centimetres.
    pub fn shape(&self, expression: usize) -> Vec<Vec3> {
        triples(&self.mesh.expression[expression])
    }

    /// Gives the vertices of a person with these weights, in centimetres on the head. Eyeballs are
    /// turned by `gaze`.
    pub fn shaped(
        &self,
        person: &Person,
        weights: &[f32; N_EXPRESSIONS],
        gaze: [Gaze; 2],
    ) -> Vec<Vec3> {
        let mut places = person.vertices.clone();
        self.mesh.express(&mut places, weights);
        let mut places = triples(&places);
        for triangle in &self.triangles {
            let eye = match triangle.part {
                Part::EyeRight => 0,
                Part::EyeLeft => 1,
                _ => continue,
            };
            for corner in triangle.corners.map(usize::from) {
                let at_rest = &person.vertices[3 * corner..3 * corner + 3];
                let at_rest = [at_rest[0], at_rest[1], at_rest[2]];
                places[corner] = person.eyes[eye].turned(at_rest, gaze[eye]);
            }
        }
        places
    }

    /// Gives where the 468 skin points of the face mesh lie on a person with these weights, in
    /// centimetres on the head.
    pub fn skin_points(&self, person: &Person, weights: &[f32; N_EXPRESSIONS]) -> Vec<Vec3> {
        let mut places = self.points.at_rest(&person.identity);
        for (p, offset) in places.iter_mut().zip(person.offsets.iter().flatten()) {
            *p += offset;
        }
        self.points.express(&mut places, weights);
        triples(&places)
    }

    /// Spreads what the points of a person are off the modes over the vertices.
    pub(crate) fn carry(&self, offsets: &[Vec3]) -> Vec<f32> {
        let carried = self.carried_by.iter().flat_map(|carriers| {
            carriers.iter().fold([0.0; 3], |sum: Vec3, &(i, w)| {
                let offset = offsets[usize::from(i)];
                [0, 1, 2].map(|k| sum[k] + w * offset[k])
            })
        });
        carried.collect()
    }
}

/// Beyond this many centimetres from the face mesh, vertices follow it less and less.
const REACH_CM: f32 = 4.0;
/// How far the pull of a point goes where they are dense, in centimetres.
const PULL_CM: f32 = 0.9;

/// Which points of the face mesh each vertex follows: the nearest, where near is also how alike
/// they move when the mouth opens and the eyes close, so that lips and lids are told apart.
fn carriers(mesh: &Shapes, points: &Shapes) -> Vec<[(u16, f32); N_CARRIERS]> {
    let telling = ["jawOpen", "eyeBlink_L", "eyeBlink_R"].map(expression);
    let place = |of: &Shapes, i: usize| {
        let mut place = [0.0; 6];
        place[..3].copy_from_slice(&of.neutral[3 * i..3 * i + 3]);
        for (slot, &e) in place[3..].iter_mut().zip(&telling) {
            *slot = of.expression[e][3 * i + 1];
        }
        place
    };
    let all_points: Vec<[f32; 6]> = (0..N_SKIN_POINTS).map(|i| place(points, i)).collect();
    let n_vertices = mesh.neutral.len() / 3;
    let carriers = (0..n_vertices).map(|v| {
        let here = place(mesh, v);
        let mut near: Vec<(f32, u16)> = all_points
            .iter()
            .enumerate()
            .map(|(i, p)| {
                let squares = here.iter().zip(p).map(|(a, b)| (a - b) * (a - b));
                (squares.sum::<f32>().sqrt(), i as u16)
            })
            .collect();
        near.select_nth_unstable_by(N_CARRIERS, |a, b| a.0.total_cmp(&b.0));
        near.truncate(N_CARRIERS);
        let least = near.iter().map(|n| n.0).fold(f32::MAX, f32::min);
        let pull = |gap: f32| (-((gap - least) / PULL_CM)).exp() / (gap + 0.02);
        let all: f32 = near.iter().map(|n| pull(n.0)).sum();
        let fade = (-(least / REACH_CM).powi(2)).exp();
        std::array::from_fn(|k| (near[k].1, fade * pull(near[k].0) / all))
    });
    carriers.collect()
}

/// Takes a list of coordinates apart.
pub(crate) fn triples(values: &[f32]) -> Vec<Vec3> {
    let (triples, _) = values.as_chunks::<3>();
    triples.to_vec()
}

#[cfg(test)]
mod tests;
