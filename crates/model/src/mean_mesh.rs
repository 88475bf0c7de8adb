//! Our own mean mesh: the average face of the training set, looking straight ahead.
//!
//! Made by `recipes mean-mesh` from the training split, mirrored copies included, so that it is
//! symmetric. The unit is the distance between the outer corners of the eyes; the origin lies
//! half-way between them; x to the right of the picture, y down, z away from the camera.

use std::sync::LazyLock;

use effigy_frame::Point3;

use crate::N_MESH_POINTS;

/// Gives the mean mesh, 478 points.
pub fn mean_mesh() -> &'static [Point3] {
    &MEAN_MESH
}

/// Little-endian `f32`, x y z of each point in turn.
const BYTES: &[u8] = include_bytes!("../weights/mean-mesh.f32");

static MEAN_MESH: LazyLock<Vec<Point3>> = LazyLock::new(|| {
    assert_eq!(
        BYTES.len(),
        N_MESH_POINTS * 12,
        "the mean mesh inside the program is damaged"
    );
    let number = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    let point = |b: &[u8]| Point3::new(number(&b[..4]), number(&b[4..8]), number(&b[8..12]));
    BYTES.chunks_exact(12).map(point).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outer_eye_corners_are_one_unit_apart_and_level() {
        const RIGHT_EYE_OUTER: usize = 33;
        const LEFT_EYE_OUTER: usize = 263;
        const CHIN: usize = 152;
        const NOSE_TIP: usize = 1;
        let (right, left) = (mean_mesh()[RIGHT_EYE_OUTER], mean_mesh()[LEFT_EYE_OUTER]);
        assert!((left.x - right.x - 1.0).abs() < 1e-3);
        assert!((left.y - right.y).abs() < 1e-3);
        assert!(mean_mesh()[CHIN].y > 0.5, "the chin is below the eyes");
        assert!(
            mean_mesh()[NOSE_TIP].z < right.z,
            "the nose is nearest to the camera"
        );
    }
}
