//! The mesh network against burn's, and against MediaPipe's.

use super::*;
use crate::tensors::noise;

/// A drawn face in the middle of a crop: the network is the same function of any picture.
fn drawn() -> Picture {
    let side = FaceMesh::SIDE_PX;
    let mut face = Picture::filled(side, side, [120, 130, 140]);
    let mut oval = |[cx, cy]: [i64; 2], [rx, ry]: [i64; 2], colour: [u8; 3]| {
        for (x, y) in (0..side).flat_map(|y| (0..side).map(move |x| (x, y))) {
            let (dx, dy) = (i64::from(x) - cx, i64::from(y) - cy);
            if dx * dx * ry * ry + dy * dy * rx * rx < rx * rx * ry * ry {
                face.set(x, y, colour);
            }
        }
    };
    oval([96, 100], [52, 68], [205, 160, 140]);
    oval([96, 40], [50, 24], [70, 50, 40]);
    for eye in [96 - 22, 96 + 22] {
        oval([eye, 84], [11, 5], [240, 240, 240]);
        oval([eye, 84], [5, 5], [60, 40, 30]);
        oval([eye, 70], [13, 3], [80, 55, 45]);
    }
    oval([96, 108], [7, 12], [190, 140, 120]);
    oval([96, 134], [18, 6], [170, 70, 70]);
    oval([96, 134], [15, 2], [90, 30, 30]);
    face
}

/// What MediaPipe 0.10.14 makes of [`drawn`] with the same weights: some points of each part.
const OF_MEDIAPIPE: [(usize, [f32; 3]); 34] = [
    (1, [98.57, 114.01, -23.18]),
    (10, [97.40, 44.72, -9.77]),
    (33, [63.93, 84.37, 4.99]),
    (52, [69.00, 69.50, -6.59]),
    (61, [78.74, 134.30, 2.67]),
    (0, [97.50, 129.06, -11.53]),
    (13, [97.29, 133.13, -7.00]),
    (14, [97.34, 135.64, -5.67]),
    (17, [97.26, 141.81, -5.19]),
    (78, [80.34, 134.27, 1.30]),
    (105, [67.43, 65.89, -6.23]),
    (127, [43.09, 86.47, 40.62]),
    (133, [84.49, 86.93, 1.32]),
    (145, [73.71, 89.21, 0.03]),
    (152, [97.56, 169.16, 8.88]),
    (159, [72.61, 79.92, -1.16]),
    (168, [97.56, 81.79, -10.33]),
    (205, [67.48, 115.48, -0.93]),
    (234, [43.75, 97.00, 44.70]),
    (263, [128.32, 83.92, 6.09]),
    (291, [114.51, 134.58, 3.40]),
    (308, [112.93, 134.51, 1.95]),
    (334, [127.03, 65.84, -5.34]),
    (356, [147.47, 86.07, 42.84]),
    (362, [107.36, 86.63, 1.86]),
    (374, [118.98, 89.53, 0.86]),
    (386, [119.87, 79.92, -0.31]),
    (425, [126.86, 114.98, -0.15]),
    (454, [146.80, 96.68, 46.89]),
    (466, [127.43, 83.08, 4.04]),
    (468, [74.32, 84.37, 1.06]),
    (470, [74.41, 79.35, 1.06]),
    (473, [118.28, 83.73, 1.88]),
    (476, [113.16, 83.67, 1.88]),
];

#[test]
fn points_are_those_of_mediapipe() {
    let net = FaceMesh::load(&Weights::from_source_tree().unwrap(), &Device::flex()).unwrap();
    let mesh = net.fit(&drawn());
    assert!(mesh.presence > 0.999, "{}", mesh.presence);
    for (i, [x, y, z]) in OF_MEDIAPIPE {
        let is = mesh.points[i];
        let gap = (is.x - x).abs().max((is.y - y).abs()).max((is.z - z).abs());
        assert!(gap < 0.02, "point {i} is at {is:?}, not {:?}", [x, y, z]); // two decimals
    }
}

#[test]
fn no_face_is_none() {
    let net = FaceMesh::load(&Weights::from_source_tree().unwrap(), &Device::flex()).unwrap();
    let presence = net
        .fit(&noise(FaceMesh::SIDE_PX, FaceMesh::SIDE_PX))
        .presence;
    assert!(presence < 0.1, "{presence}");
}

#[test]
fn the_packed_network_agrees_with_burn() {
    let packed = FaceMesh::load(&Weights::from_source_tree().unwrap(), &Device::flex()).unwrap();
    let plain = FaceMesh {
        cpu: None,
        ..packed.clone()
    };
    for crop in [drawn(), noise(FaceMesh::SIDE_PX, FaceMesh::SIDE_PX)] {
        let (a, b) = (packed.fit(&crop), plain.fit(&crop));
        assert!((a.presence - b.presence).abs() < 1e-4);
        for (a, b) in a.points.iter().zip(&b.points) {
            let gap = (a.x - b.x)
                .abs()
                .max((a.y - b.y).abs())
                .max((a.z - b.z).abs());
            assert!(gap < 1e-2, "{gap} px"); // single precision, another order of adding
        }
    }
}

#[test]
fn gives_478_points_and_a_presence_for_each_crop() {
    let net = FaceMesh::new(&Device::flex());
    let meshes = net.fit_all(&[drawn(), drawn()]);
    assert_eq!(meshes.len(), 2);
    assert!(meshes.iter().all(|mesh| mesh.points.len() == N_MESH_POINTS));
    assert_eq!(meshes[0], meshes[1]);
}
