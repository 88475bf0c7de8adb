//! The light on each vertex of a person: lamp with soft shadows, sky, and what spreads under skin.

use super::canvas::Scene;
use super::person::{Person, Shown, Surface};
use super::prop::Prop;
use super::raster::{Ball, DepthMap, Spot};
use super::shade::{Lights, Lit};
use super::space::{V3, mix3};

const N_SHADOWS: usize = 4;
const SHADOW_SIDE: usize = 256;

/// What the lamp sees from several places on its disc: all else is in shadow.
pub(crate) fn shadows(
    scene: &Scene,
    Shown { person, posed }: Shown<'_>,
    prop: Option<&Prop>,
) -> Vec<DepthMap> {
    let middle = posed.vertices[..person.n_skin]
        .iter()
        .step_by(64)
        .fold((V3::ZERO, 0.0), |(sum, n), &p| (sum + p, n + 1.0));
    let middle = middle.0 * (1.0 / middle.1);
    let shadow = |towards: &V3| {
        let ball = Ball {
            middle,
            radius: 24.0,
        };
        let mut map = DepthMap::new(*towards, ball, SHADOW_SIDE);
        let placed: Vec<Spot> = posed.vertices.iter().map(|&p| map.place(p)).collect();
        for piece in &person.pieces {
            // The mouth gets its light by how far it is open, not through the lips.
            if !matches!(piece.surface, Surface::Mouth | Surface::Teeth) {
                map.triangle(piece.corners.map(|c| placed[c as usize]));
            }
        }
        // Strands lie so close that every second point makes the same shadow.
        for &p in posed.hair.iter().step_by(2) {
            let placed = map.place(p);
            map.dot(placed);
        }
        if let Some(prop) = prop {
            for triangle in &prop.triangles {
                let placed = triangle.map(|c| map.place(prop.vertices[c as usize]));
                map.triangle(placed);
            }
        }
        map
    };
    scene
        .lamp
        .points::<N_SHADOWS>()
        .iter()
        .map(shadow)
        .collect()
}

/// Finds the light on each vertex of skin and cloth.
pub(crate) fn light(lights: &Lights, maps: &[DepthMap], shown: Shown<'_>) -> Vec<Lit> {
    let Shown { person, posed } = shown;
    // What each vertex sees of the sky was measured at rest: the sky is turned instead of the head.
    let sky = lights.sky.seen_from(&posed.turn);
    let mut lit: Vec<Lit> = Vec::with_capacity(posed.vertices.len());
    for (i, (&p, &normal)) in posed.vertices.iter().zip(&posed.normals).enumerate() {
        let is_inside = (person.n_skin..person.n_head).contains(&i);
        let view = &person.sky_views[i];
        let lamp = if !is_inside && normal.dot(lights.lamp.towards) > -0.35 {
            // Off the skin, which would shade itself where the map is coarser than the mesh.
            let raised = p + normal * 0.22;
            let seen = maps.iter().map(|map| map.lit(raised, 0.12)).sum::<f32>();
            seen / maps.len() as f32
        } else {
            0.0
        };
        // The body does not turn with the head.
        let around = if i < person.n_head {
            sky.onto(view)
        } else {
            lights.sky.onto(view)
        };
        let direct = lights.wrapped(normal) * lamp;
        lit.push(Lit {
            soft: direct + around,
            lamp,
            open: view.openness(),
        });
    }
    soften(person, &mut lit);
    lit
}

/// Spreads light under the skin by mixing each vertex with its neighbours: red, which goes
/// furthest, in every round, green in two and blue in one.
fn soften(person: &Person, lit: &mut [Lit]) {
    for round in 0..5 {
        let old: Vec<V3> = lit[..person.n_skin].iter().map(|l| l.soft).collect();
        for (i, around) in person.neighbours.iter().enumerate() {
            if around.is_empty() {
                continue; // No skin, or hidden under the clothes.
            }
            let sum = around.iter().fold(V3::ZERO, |s, &j| s + old[j as usize]);
            let mean = sum * (1.0 / around.len() as f32);
            let mixed = mix3(old[i], mean, 0.6);
            lit[i].soft.x = mixed.x;
            if round < 2 {
                lit[i].soft.y = mixed.y;
            }
            if round < 1 {
                lit[i].soft.z = mixed.z;
            }
        }
    }
}
