//! Which point of the mesh mirrors which.

use anyhow::{Result, ensure};
use effigy_frame::Point3;

const FIRST_IRIS: usize = 468;

/// Finds for each point of a nearly symmetric mesh the one it becomes in a mirror.
pub(crate) fn mirror_of(mesh: &[Point3]) -> Result<Vec<usize>> {
    let flipped = |p: &Point3| Point3::new(-p.x, p.y, p.z);
    let distance = |a: &Point3, b: &Point3| (a.x - b.x).hypot(a.y - b.y).hypot(a.z - b.z);
    let nearest = |i: usize| {
        let here = flipped(&mesh[i]);
        (0..mesh.len())
            .filter(|&j| (j < FIRST_IRIS) == (i < FIRST_IRIS))
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
    use effigy_model::{N_MESH_POINTS, mean_mesh};

    use super::*;

    #[test]
    fn mirroring_twice_is_the_identity_and_swaps_the_eyes() {
        let mirror = mirror_of(mean_mesh()).unwrap();
        assert!((0..N_MESH_POINTS).all(|i| mirror[mirror[i]] == i));
        assert_eq!(
            (mirror[33], mirror[61], mirror[468], mirror[1]),
            (263, 291, 473, 1)
        );
    }
}
