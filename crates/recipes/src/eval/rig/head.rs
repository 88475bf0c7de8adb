//! What errors of weights amount to on the head that they move.

use effigy_face::rig::{N_EXPRESSIONS, Rig, Vec3, from_arkit};

use super::Pair;

/// How far the vertices of the light head are off that any expression moves, in millimetres, when it does the first of each
/// pair and not the second.
pub(super) fn head_off(rig: &Rig, pairs: impl Iterator<Item = Pair>) -> f64 {
    const MOVES_CM: f32 = 0.1;
    let shapes: Vec<Vec<Vec3>> = (0..N_EXPRESSIONS).map(|k| rig.shape(k)).collect();
    let length = |[x, y, z]: Vec3| (x * x + y * y + z * z).sqrt();
    let moving: Vec<usize> = (0..rig.n_vertices())
        .filter(|&v| shapes.iter().any(|shape| MOVES_CM < length(shape[v])))
        .collect();
    let (mut sum, mut n) = (0.0_f64, 0_u32);
    for (found, known) in pairs {
        let (found, known) = (from_arkit(&found), from_arkit(&known));
        let off: Vec<(f32, &Vec<Vec3>)> = (0..N_EXPRESSIONS)
            .map(|k| (found[k] - known[k], &shapes[k]))
            .filter(|(off, _)| off.abs() > 0.0)
            .collect();
        for &v in &moving {
            let place = off.iter().fold([0.0; 3], |place: Vec3, (off, shape)| {
                [0, 1, 2].map(|i| place[i] + off * shape[v][i])
            });
            sum += f64::from(length(place));
            n += 1;
        }
    }
    10.0 * sum / f64::from(n.max(1))
}
