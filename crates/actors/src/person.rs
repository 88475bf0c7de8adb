//! An actor in costume, made once and posed for every frame.

use super::brows::{self, Bristle, Lash};
use super::cast::{Costume, Looks};
use super::error::Result;
use super::hair::{self, Hair};
use super::head::{Head, Material};
use super::light::{SkyView, sky_views};
use super::raster::Ball;
use super::skin::Skin;
use super::space::{Turn, V3, smooth, v3};
use super::wear;

/// What a triangle shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// Skin that belongs to the face.
    Face,
    /// Ears, neck, scalp.
    Skin,
    Mouth,
    Teeth,
    EyeLeft,
    EyeRight,
    Cloth,
}

/// A triangle of a person.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) corners: [u32; 3],
    pub(crate) uv: [[f32; 2]; 3],
    pub(crate) surface: Surface,
}

/// An eyeball at rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Eyeball {
    pub(crate) middle: V3,
    pub(crate) radius: f32,
}

/// An actor in costume.
pub(crate) struct Person {
    pub(crate) looks: Looks,
    pub(crate) costume: Costume,
    /// Vertices at rest: those of the head, then those of the clothes.
    pub(crate) rest: Vec<V3>,
    pub(crate) n_head: usize,
    pub(crate) n_skin: usize,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) skin: Skin,
    pub(crate) sky_views: Vec<SkyView>,
    /// Skin vertices next to each skin vertex.
    pub(crate) neighbours: Vec<Vec<u32>>,
    /// How far each vertex follows the head: 0 for the chest, 1 for the face.
    follows: Vec<f32>,
    pub(crate) hair: Hair,
    hair_follows: Vec<f32>,
    pub(crate) brows: Vec<Bristle>,
    pub(crate) lashes: Vec<Lash>,
    /// Right, left.
    pub(crate) eyes: [Eyeball; 2],
    eye_of: Vec<u8>,
    looks_shapes: [usize; 8],
}

/// What an actor does at one moment. Angles in radians.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moment {
    /// To the right of the picture.
    pub(crate) yaw: f32,
    /// Up.
    pub(crate) pitch: f32,
    /// Anticlockwise in the picture.
    pub(crate) roll: f32,
    /// Of the head and body, in cm.
    pub(crate) shift: V3,
    /// Of the eyes in the head, to the right of the picture and up.
    pub(crate) gaze: [f32; 2],
    /// One for each expression of the head.
    pub(crate) weights: Vec<f32>,
}

/// A person at one moment, in the room.
pub(crate) struct Posed {
    pub(crate) vertices: Vec<V3>,
    pub(crate) normals: Vec<V3>,
    pub(crate) hair: Vec<V3>,
    /// The turn of the head.
    pub(crate) turn: Turn,
    /// Of each eye, right and left.
    pub(crate) eye_turns: [Turn; 2],
    pub(crate) eye_middles: [V3; 2],
}

/// A person as they stand in a frame.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) person: &'a Person,
    pub(crate) posed: &'a Posed,
}

/// Where the head turns on the neck.
const PIVOT: V3 = v3(0.0, -7.5, -1.5);
/// Eye turns at which the lids have followed all the way.
const FULL_LOOK: [f32; 2] = [0.52, 0.42];

impl Person {
    /// Dresses an actor.
    pub(crate) fn new(head: &Head, looks: Looks, costume: Costume) -> Result<Self> {
        let mut rest = head.person(&looks.identity)?;
        let n_head = rest.len();
        let hair = hair::grow(head, &rest, &costume);
        let mut pieces = pieces(head);
        for (p, template) in rest[..head.n_skin].iter_mut().zip(&head.neutral) {
            *p += wear::tucked(*template);
        }
        let owner = head.person(&costume.cut_for)?;
        let fit = wear::Fit::measure(&head.neutral[..head.n_skin], &owner);
        let wear = wear::pullover(costume.seed, &fit);
        let first = n_head as u32;
        pieces.extend(wear.triangles.iter().map(|t| Piece {
            corners: t.map(|c| c + first),
            uv: [[0.0; 2]; 3],
            surface: Surface::Cloth,
        }));
        rest.extend(wear.vertices);
        let mut eye_of = vec![0; n_head];
        for (of, material) in eye_of.iter_mut().zip(&head.material) {
            *of = match material {
                Material::EyeRight => 1,
                Material::EyeLeft => 2,
                _ => 0,
            };
        }
        let eyes = [1, 2].map(|eye| eyeball(&rest, &eye_of, eye));
        let mut person = Self {
            sky_views: Vec::new(),
            neighbours: neighbours(&pieces, head.n_skin),
            follows: rest.iter().map(|p| follows(p.y)).collect(),
            hair_follows: hair.points.iter().map(|p| follows(p.y + 3.0)).collect(),
            skin: Skin::paint(head, &looks, &costume),
            brows: brows::brows(head, &looks),
            lashes: brows::lashes(head, &looks),
            looks_shapes: look_shapes(head),
            n_skin: head.n_skin,
            looks,
            costume,
            rest,
            n_head,
            pieces,
            hair,
            eyes,
            eye_of,
        };
        for follow in &mut person.follows[n_head..] {
            *follow = 0.0;
        }
        person.sky_views = person.see_sky();
        Ok(person)
    }

    fn see_sky(&self) -> Vec<SkyView> {
        let normals = normals(&self.rest, &self.pieces);
        let points: Vec<(V3, V3)> = self.rest.iter().copied().zip(normals).collect();
        let blocks = |p: &&Piece| !matches!(p.surface, Surface::Teeth | Surface::Mouth);
        let triangles: Vec<[V3; 3]> = self
            .pieces
            .iter()
            .filter(blocks)
            .map(|p| p.corners.map(|c| self.rest[c as usize]))
            .collect();
        sky_views(
            &points,
            &triangles,
            &self.hair.points,
            Ball {
                middle: v3(0.0, -4.0, 0.0),
                radius: 30.0,
            },
        )
    }

    /// Puts the person into the room as `moment` says.
    pub(crate) fn pose(&self, head: &Head, moment: &Moment) -> Result<Posed> {
        let mut weights = moment.weights.clone();
        self.let_lids_follow(&mut weights, moment.gaze);
        let mut vertices = self.rest.clone();
        head.express(&mut vertices[..self.n_head], &weights)?;
        let gaze = Turn::new(moment.gaze[0], moment.gaze[1], 0.0);
        for (p, &eye) in vertices.iter_mut().zip(&self.eye_of) {
            if eye > 0 {
                let middle = self.eyes[usize::from(eye) - 1].middle;
                *p = middle + gaze.apply(*p - middle);
            }
        }
        let stiff = Stiff::new(moment);
        for (p, &follow) in vertices.iter_mut().zip(&self.follows) {
            *p = stiff.carry(*p, follow);
        }
        let hair = self.hair.points.iter().zip(&self.hair_follows);
        let turn = stiff.turns[STEPS];
        let eye_turn = Turn::new(moment.gaze[0], moment.gaze[1], 0.0).then(&turn);
        Ok(Posed {
            normals: normals(&vertices, &self.pieces),
            hair: hair.map(|(&p, &follow)| stiff.carry(p, follow)).collect(),
            vertices,
            turn,
            eye_turns: [eye_turn; 2],
            eye_middles: self.eyes.map(|eye| stiff.carry(eye.middle, 1.0)),
        })
    }

    /// Adds the shapes of the lids that go with a gaze.
    pub(crate) fn let_lids_follow(&self, weights: &mut [f32], gaze: [f32; 2]) {
        let share = |angle: f32, full: f32| (angle / full).clamp(0.0, 1.0);
        let [right, up] = gaze;
        // Out, in, up, down of the right eye, then of the left; the picture's right is the
        // subject's left.
        let shares = [
            share(-right, FULL_LOOK[0]),
            share(right, FULL_LOOK[0]),
            share(up, FULL_LOOK[1]),
            share(-up, FULL_LOOK[1]),
            share(right, FULL_LOOK[0]),
            share(-right, FULL_LOOK[0]),
            share(up, FULL_LOOK[1]),
            share(-up, FULL_LOOK[1]),
        ];
        for (&shape, share) in self.looks_shapes.iter().zip(shares) {
            weights[shape] = weights[shape].max(share);
        }
    }
}

/// Turns for parts that follow the head by a share.
struct Stiff {
    turns: Vec<Turn>,
    shift: V3,
}

const STEPS: usize = 32;

impl Stiff {
    fn new(moment: &Moment) -> Self {
        let turn = |i: usize| {
            let share = i as f32 / STEPS as f32;
            Turn::new(
                moment.yaw * share,
                moment.pitch * share,
                moment.roll * share,
            )
        };
        Self {
            turns: (0..=STEPS).map(turn).collect(),
            shift: moment.shift,
        }
    }

    fn carry(&self, p: V3, follow: f32) -> V3 {
        let at = follow * STEPS as f32;
        let i = (at as usize).min(STEPS - 1);
        let d = p - PIVOT;
        let (a, b) = (self.turns[i].apply(d), self.turns[i + 1].apply(d));
        PIVOT + a + (b - a) * (at - i as f32) + self.shift * (0.35 + 0.65 * follow)
    }
}

fn follows(y: f32) -> f32 {
    smooth(-15.5, -5.5, y)
}

fn look_shapes(head: &Head) -> [usize; 8] {
    [
        "eyeLookOut_R",
        "eyeLookIn_R",
        "eyeLookUp_R",
        "eyeLookDown_R",
        "eyeLookOut_L",
        "eyeLookIn_L",
        "eyeLookUp_L",
        "eyeLookDown_L",
    ]
    .map(|name| head.expression(name).unwrap_or(0))
}

fn eyeball(rest: &[V3], eye_of: &[u8], eye: u8) -> Eyeball {
    let of_eye = || rest.iter().zip(eye_of).filter(|(_, of)| **of == eye);
    let bound = |f: fn(f32, f32) -> f32, pick: fn(V3) -> f32, start: f32| {
        of_eye().fold(start, |b, (p, _)| f(b, pick(*p)))
    };
    let low = |pick| bound(f32::min, pick, f32::MAX);
    let high = |pick| bound(f32::max, pick, f32::MIN);
    let x = |p: V3| p.x;
    let y = |p: V3| p.y;
    let radius = 0.5 * (high(x) - low(x));
    Eyeball {
        middle: v3(
            0.5 * (low(x) + high(x)),
            0.5 * (low(y) + high(y)),
            low(|p| p.z) + radius,
        ),
        radius,
    }
}

fn pieces(head: &Head) -> Vec<Piece> {
    let piece = |t: &super::head::Triangle| {
        let middle = t.corners.iter().fold(V3::ZERO, |sum, &c| {
            sum + head.neutral[c as usize] * (1.0 / 3.0)
        });
        let surface = match t.material {
            Material::Face if is_face(middle) => Surface::Face,
            Material::Face | Material::Back => Surface::Skin,
            Material::Mouth => Surface::Mouth,
            Material::Teeth => Surface::Teeth,
            Material::EyeLeft => Surface::EyeLeft,
            Material::EyeRight => Surface::EyeRight,
            Material::Lash | Material::Hidden => return None,
        };
        let is_covered = surface == Surface::Skin && wear::covers(middle);
        (!is_covered).then_some(Piece {
            corners: t.corners,
            uv: t.uv,
            surface,
        })
    };
    head.triangles.iter().filter_map(piece).collect()
}

/// Says whether skin at a place of the template head is face: hairline to chin, ear to ear.
fn is_face(p: V3) -> bool {
    let chin = -8.4 + 0.045 * p.x * p.x;
    p.z > 2.6 && p.y > chin && p.y < 11.4 && p.x.abs() < 7.6
}

fn neighbours(pieces: &[Piece], n_skin: usize) -> Vec<Vec<u32>> {
    let mut all = vec![Vec::new(); n_skin];
    for piece in pieces {
        if !matches!(piece.surface, Surface::Face | Surface::Skin) {
            continue;
        }
        for (i, &corner) in piece.corners.iter().enumerate() {
            for other in [piece.corners[(i + 1) % 3], piece.corners[(i + 2) % 3]] {
                let list: &mut Vec<u32> = &mut all[corner as usize];
                if !list.contains(&other) {
                    list.push(other);
                }
            }
        }
    }
    all
}

/// Gives the normal at each vertex, the mean of the triangles around it by area.
pub(crate) fn normals(vertices: &[V3], pieces: &[Piece]) -> Vec<V3> {
    let mut all = vec![V3::ZERO; vertices.len()];
    for piece in pieces {
        let [a, b, c] = piece.corners.map(|i| vertices[i as usize]);
        let normal = (b - a).cross(c - a);
        for &corner in &piece.corners {
            all[corner as usize] += normal;
        }
    }
    all.into_iter().map(V3::unit).collect()
}
