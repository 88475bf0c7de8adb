//! A microphone that passes before the face.

use super::space::{V3, smooth, v3};

/// Mesh of a microphone in the room.
pub(crate) struct Prop {
    pub(crate) vertices: Vec<V3>,
    pub(crate) triangles: Vec<[u32; 3]>,
    /// Vertices before this one are the grille, the rest the handle.
    pub(crate) n_grille: usize,
}

const N_AROUND: usize = 28;
const N_ALONG: usize = 26;

/// Gives the microphone at a time: it comes from below, crosses the mouth and goes down again.
pub(crate) fn microphone(secs: f32) -> Prop {
    let there = smooth(0.9, 1.8, secs) * smooth(4.4, 3.5, secs);
    let tip = v3(
        7.5 - 9.0 * smooth(1.4, 3.9, secs) + 0.5 * (2.3 * secs).sin(),
        -24.0 + 21.5 * there + 0.4 * (3.1 * secs).sin(),
        18.5,
    );
    let down = v3(0.22 + 0.10 * secs.sin(), -1.0, 0.30).unit();
    let right = v3(0.0, 0.0, 1.0).cross(down).unit();
    let front = down.cross(right);
    let mut vertices = Vec::new();
    let mut n_grille = 0;
    for i in 0..N_ALONG {
        let t = i as f32 / (N_ALONG - 1) as f32;
        // A ball of 2.4 cm, then a cone of 20 cm.
        let (along, radius) = if t < 0.5 {
            let turn = t / 0.5 * 2.6;
            (2.4 - 2.4 * turn.cos(), 2.4 * turn.sin())
        } else {
            let s = (t - 0.5) / 0.5;
            (4.45 + 20.0 * s, 1.55 - 0.5 * s)
        };
        for j in 0..N_AROUND {
            let (sin, cos) = (std::f32::consts::TAU * j as f32 / N_AROUND as f32).sin_cos();
            vertices.push(tip + down * along + (right * cos + front * sin) * radius);
        }
        if t < 0.5 {
            n_grille = vertices.len();
        }
    }
    let mut triangles = Vec::new();
    for i in 0..N_ALONG - 1 {
        for j in 0..N_AROUND {
            let [a, b] = [j, (j + 1) % N_AROUND].map(|j| (i * N_AROUND + j) as u32);
            let [c, d] = [a, b].map(|v| v + N_AROUND as u32);
            triangles.push([a, c, b]);
            triangles.push([b, c, d]);
        }
    }
    Prop {
        vertices,
        triangles,
        n_grille,
    }
}
