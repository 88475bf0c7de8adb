//! Where a face ends, and what is around it begins.

use effigy_face::landmarks::FACE_RIM;
use effigy_face::rig::{N_EXPRESSIONS, Person, Rig, Vec3};

use super::light::normals;
use super::smooth_step;

/// How squarely a place must face the camera to be seen surely at all, and fully: the part of its
/// normal that points there.
const FACING: [f32; 2] = [0.0, 0.3];
/// Where the face ends: so far from the points of its mesh it is hair, ear or neck, in centimetres.
const BEYOND_CM: [f32; 2] = [0.5, 1.5];
/// How far inside the rim of the face everything is drawn as the mesh says, in centimetres.
const INNER_CM: [f32; 2] = [0.4, 1.2];

/// Share in which each vertex is drawn where the mesh says, `0..=1`; the rest goes along with what is
/// around. The face itself is, up to its rim where that faces the camera. Ears, scalp and neck are under
/// hair or collars as often as not.
pub(super) fn sure(rig: &Rig, person: &Person, source: &[Vec3]) -> Vec<f32> {
    let normals = normals(rig, source);
    let points = rig.skin_points(person, &[0.0; N_EXPRESSIONS]);
    let rim: Vec<Vec3> = FACE_RIM.iter().map(|&i| points[i]).collect();
    let nearest = |points: &[Vec3], at: &Vec3| {
        let squares = points.iter().map(|p| {
            let gap = [p[0] - at[0], p[1] - at[1], p[2] - at[2]];
            gap.iter().map(|d| d * d).sum::<f32>()
        });
        squares.fold(f32::MAX, f32::min).sqrt()
    };
    let between = |value: f32, [from, to]: [f32; 2]| smooth_step((value - from) / (to - from));
    let at_rest = person.at_rest();
    let one = |(place, normal): (&Vec3, &Vec3)| {
        let on_face = 1.0 - between(nearest(&points, place), BEYOND_CM);
        let inner = between(nearest(&rim, place), INNER_CM);
        on_face * inner.max(between(-normal[2], FACING))
    };
    at_rest.iter().zip(&normals).map(one).collect()
}
