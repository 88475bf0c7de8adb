//! Where a face ends, and what is around it begins; and what a turn brings into sight there.

use effigy_face::landmarks::FACE_RIM;
use effigy_face::rig::{N_EXPRESSIONS, Part, Person, Rig, Vec3};

use super::light::{face_vertices, normals};
use super::{Shown, smooth_step};
use effigy_frame::Point2;

/// How squarely a place must face the camera to be seen surely at all, and fully: the part of its
/// normal that points there.
const FACING: [f32; 2] = [0.0, 0.3];
/// Where the face ends: so far from the points of its mesh it is hair, ear or neck, in centimetres.
const BEYOND_CM: [f32; 2] = [0.5, 1.5];
/// How far inside the rim of the face everything is drawn as the mesh says, in centimetres.
const INNER_CM: [f32; 2] = [0.4, 1.2];
/// How squarely a place must face the camera for its colour to be skin and not what is behind, as the mesh is a
/// little off: not at all, and surely.
const KNOWN: [f32; 2] = [0.25, 0.5];
/// The same for its colour to be that of skin elsewhere; which lies so near to the points of the mesh, and so far
/// from its rim, in centimetres.
const SKIN: [f32; 2] = [0.45, 0.65];
const SKIN_ENDS_CM: [f32; 2] = [0.5, 0.8];
const SKIN_INNER_CM: [f32; 2] = [0.8, 1.6];
/// How much more squarely than in the portrait a place must face the camera to show a colour that is made up: not
/// at all, and fully.
const TURNED: [f32; 2] = [0.05, 0.25];
/// Rounds in which colours spread over the mesh.
const ROUNDS: usize = 200;
/// How much the colour of its own counts at a vertex that is known, against those of its neighbours together.
const OWN: f32 = 4.0;

/// The rim of a face in a portrait.
#[derive(Clone, Debug)]
pub(super) struct Rim {
    /// Share in which each vertex is drawn where the mesh says, `0..=1`; the rest goes along with what is
    /// around. The face itself is, up to its rim where that faces the camera. Ears, scalp and neck are under
    /// hair or collars as often as not.
    pub(super) sure: Vec<f32>,
    /// The colour of the skin around each vertex, red, green and blue.
    pub(super) skin: Vec<[f32; 3]>,
    /// How squarely each vertex faces the camera.
    facing: Vec<f32>,
    /// Share in which the colour at each vertex is made up when it turns to the camera.
    hidden: Vec<f32>,
}

impl Rim {
    /// Looks at the rim of a face, of a person who is `shown` so.
    pub(super) fn look(rig: &Rig, person: &Person, shown: Shown<'_>) -> Self {
        let normals = normals(rig, shown.source);
        let points = rig.skin_points(person, &[0.0; N_EXPRESSIONS]);
        let rim: Vec<Vec3> = FACE_RIM.iter().map(|&i| points[i]).collect();
        let nearest = |points: &[Vec3], at: &Vec3| {
            let squares = points.iter().map(|p| {
                let gap = [p[0] - at[0], p[1] - at[1], p[2] - at[2]];
                gap.iter().map(|d| d * d).sum::<f32>()
            });
            squares.fold(f32::MAX, f32::min).sqrt()
        };
        let at_rest = person.at_rest();
        let facing: Vec<f32> = normals.iter().map(|normal| -normal[2]).collect();
        let on_face: Vec<f32> = at_rest
            .iter()
            .map(|place| 1.0 - between(nearest(&points, place), BEYOND_CM))
            .collect();
        let sure = at_rest.iter().zip(&facing).zip(&on_face);
        let sure = sure.map(|((place, &facing), on_face)| {
            let inner = between(nearest(&rim, place), INNER_CM);
            on_face * inner.max(between(facing, FACING))
        });
        let known: Vec<f32> = facing.iter().map(|&f| between(f, KNOWN)).collect();
        let hidden = known.iter().zip(&on_face).map(|(k, on)| on * (1.0 - k));
        let skin = at_rest.iter().zip(&facing).map(|(place, &facing)| {
            let on_face = 1.0 - between(nearest(&points, place), SKIN_ENDS_CM);
            // Hair may hang over the rim of a forehead that faces the camera.
            on_face * between(nearest(&rim, place), SKIN_INNER_CM) * between(facing, SKIN)
        });
        let skin: Vec<f32> = skin.collect();
        Self {
            sure: sure.collect(),
            skin: spread(rig, shown, &skin),
            hidden: hidden.collect(),
            facing,
        }
    }

    /// Share in which the colour at each vertex is made up, `0..=1`, now that it has the normal in `normals`: what
    /// the portrait shows from the side only, or not at all, and what has turned to the camera since.
    pub(super) fn made_up(&self, normals: &[Vec3]) -> Vec<f32> {
        let then = self.facing.iter().zip(&self.hidden);
        let one = |(normal, (then, hidden)): (&Vec3, (&f32, &f32))| {
            hidden * between(-normal[2] - then.max(0.0), TURNED)
        };
        normals.iter().zip(then).map(one).collect()
    }
}

#[cfg(test)]
impl Rim {
    /// Shows every place as the portrait does, whatever that is.
    pub(super) fn show_as_it_is(&mut self) {
        self.hidden.fill(0.0);
    }
}

fn between(value: f32, [from, to]: [f32; 2]) -> f32 {
    smooth_step((value - from) / (to - from))
}

/// Colours of the face where they are `known`, `0..=1`, spread over the mesh to where they are not.
fn spread(rig: &Rig, shown: Shown<'_>, known: &[f32]) -> Vec<[f32; 3]> {
    let is_face = face_vertices(rig);
    // Just behind the rim a turn brings the side of the head into sight.
    let is_skin = |part| matches!(part, Part::Face | Part::Back);
    let triangles = rig.triangles().iter().filter(|t| is_skin(t.part));
    let edges: Vec<[usize; 2]> = triangles
        .flat_map(|t| {
            let [a, b, c] = t.corners.map(usize::from);
            [[a, b], [b, c], [c, a]]
        })
        .collect();
    let own: Vec<[f32; 4]> = (shown.source.iter().zip(known).zip(&is_face))
        .map(|((&[x, y, _], known), is_face)| {
            let weight = if *is_face { OWN * known } else { 0.0 };
            let [r, g, b, _] = shown.colours.colour_at(Point2::new(x, y));
            [weight * r, weight * g, weight * b, weight]
        })
        .collect();
    let mut colours = vec![[0.0; 4]; own.len()];
    for _ in 0..ROUNDS {
        let mut sums = own.clone();
        for &[a, b] in &edges {
            for (to, from) in [(a, b), (b, a)] {
                for i in 0..4 {
                    sums[to][i] += colours[from][i];
                }
            }
        }
        for (colour, sum) in colours.iter_mut().zip(&sums) {
            // Each colour is kept at a weight of 1 once it is known at all.
            if 1e-6 < sum[3] {
                *colour = sum.map(|v| v / sum[3]);
            }
        }
    }
    colours.into_iter().map(|[r, g, b, _]| [r, g, b]).collect()
}
