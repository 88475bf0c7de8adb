//! Which point of the mesh mirrors which.

use anyhow::{Result, ensure};
use effigy_face::landmarks::N_SKIN_POINTS;
use effigy_frame::Point3;

/// Finds for each point of a nearly symmetric mesh the one it becomes in a mirror.
pub(crate) fn mirror_of(mesh: &[Point3]) -> Result<Vec<usize>> {
    let flipped = |p: &Point3| Point3::new(-p.x, p.y, p.z);
    let distance = |a: &Point3, b: &Point3| (a.x - b.x).hypot(a.y - b.y).hypot(a.z - b.z);
    let nearest = |i: usize| {
        let here = flipped(&mesh[i]);
        (0..mesh.len())
            .filter(|&j| (j < N_SKIN_POINTS) == (i < N_SKIN_POINTS))
            .min_by(|&a, &b| distance(&here, &mesh[a]).total_cmp(&distance(&here, &mesh[b])))
            .unwrap_or(i)
    };
    let mirror: Vec<usize> = (0..mesh.len()).map(nearest).collect();
    let lonely = (0..mesh.len()).find(|&i| mirror[mirror[i]] != i);
    ensure!(
        lonely.is_none(),
        "point {lonely:?} has no partner in the mirror"
    );
    Ok(mirror)
}

#[cfg(test)]
mod tests {
    use effigy_face::landmarks::{LEFT_EYE, MOUTH_LEFT, MOUTH_RIGHT, NOSE_TIP, RIGHT_EYE};
    use effigy_model::{N_MESH_POINTS, mean_mesh};

    use super::*;

    #[test]
    fn mirroring_twice_is_the_identity_and_swaps_the_eyes() {
        let mirror = mirror_of(mean_mesh()).unwrap();
        assert!((0..N_MESH_POINTS).all(|i| mirror[mirror[i]] == i));
        for (right, left) in [
            (RIGHT_EYE.outer, LEFT_EYE.outer),
            (MOUTH_RIGHT, MOUTH_LEFT),
            (RIGHT_EYE.iris, LEFT_EYE.iris),
            (NOSE_TIP, NOSE_TIP),
        ] {
            assert_eq!(mirror[right], left);
        }
    }
}
