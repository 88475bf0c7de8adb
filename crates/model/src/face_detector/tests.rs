//! The network against burn's, and against ONNX Runtime's.

use super::*;
use crate::tensors::noise;

fn loaded() -> FaceDetector {
    FaceDetector::load(&Weights::from_source_tree().unwrap(), &Device::flex()).unwrap()
}

/// Rings and stripes of every colour.
fn pattern() -> Picture {
    let mut picture = Picture::filled(160, 96, [0; 3]);
    for (x, y) in (0..96).flat_map(|y| (0..160).map(move |x| (x, y))) {
        let colours = [x * x / 50 + y * 3, x * y / 40, x * 2 + y * y / 60];
        picture.set(x, y, colours.map(|colour| (colour % 256) as u8));
    }
    picture
}

/// What ONNX Runtime makes of [`pattern`] with the weights in single precision: row, column, the
/// first seven values of the cell.
const OF_ONNX_RUNTIME: [(usize, usize, [f32; 7]); 4] = [
    (0, 0, [-6.389, 1.798, 1.654, 0.062, -0.027, 0.548, 0.281]),
    (23, 39, [-6.173, 1.889, 1.421, -0.108, -0.124, 0.531, 0.360]),
    (12, 20, [-5.668, 2.932, 3.000, 0.007, -0.027, 0.593, 0.255]),
    (5, 30, [-7.111, 2.568, 2.496, 0.014, -0.028, 0.354, 0.373]),
];

#[test]
fn cells_are_those_of_onnx_runtime() {
    let cells = loaded().cpu.unwrap().cells(&pattern());
    for (row, column, theirs) in OF_ONNX_RUNTIME {
        for (ours, theirs) in cells.cell(row, column).iter().zip(theirs) {
            // Weights in half precision.
            assert!(
                (ours - theirs).abs() < 0.05,
                "{row}, {column}: {ours}, not {theirs}"
            );
        }
    }
}

#[test]
fn the_packed_network_agrees_with_burn() {
    let packed = loaded();
    let plain = FaceDetector {
        cpu: None,
        ..packed.clone()
    };
    let picture = [noise(96, 64)];
    let map = plain.forward(planes(&picture, &Device::flex()));
    let [_, n, rows, columns] = map.dims();
    let plain = values(map.permute([0, 2, 3, 1]));
    let packed = packed.cpu.unwrap().cells(&picture[0]);
    assert_eq!((n, rows, columns), (N_VALUES, packed.rows, packed.columns));
    for (a, b) in packed.values.iter().zip(&plain) {
        assert!((a - b).abs() < 2e-3 * (1.0 + b.abs()), "{a}, not {b}"); // another order of adding
    }
}

#[test]
fn a_peak_gives_one_face_where_the_cell_says() {
    let mut cells = Cells {
        rows: 8,
        columns: 8,
        values: vec![-9.0; 8 * 8 * N_VALUES],
    };
    let mut set = |row: usize, column: usize, values: [f32; N_VALUES]| {
        cells.values[(row * 8 + column) * N_VALUES..][..N_VALUES].copy_from_slice(&values);
    };
    let (height, width) = (6_f32.ln(), 4_f32.ln()); // 24 px and 16 px
    let mut values = [0.0; N_VALUES];
    values[..5].copy_from_slice(&[2.0, height, width, 0.25, -0.5]);
    // Down and right, in shares of the box.
    let points = [
        [0.3, 0.2],
        [0.35, 0.8],
        [0.55, 0.5],
        [0.75, 0.3],
        [0.8, 0.7],
    ];
    values[5..].copy_from_slice(points.as_flattened());
    set(4, 3, values);
    values[0] = 1.0; // a weaker neighbour
    set(4, 4, values);
    let faces = cells.faces(0.5);
    assert_eq!(faces.len(), 1);
    let Rect {
        x,
        y,
        width,
        height,
    } = faces[0].rect;
    let corner = Point2::new(4.0 * 3.0 - 8.0, 4.0 * 4.75 - 12.0);
    assert!(Point2::new(x, y).distance(corner) < 1e-3, "{faces:?}");
    assert!((width - 16.0).abs() < 1e-3 && (height - 24.0).abs() < 1e-3);
    for (ours, [down, right]) in faces[0].points.iter().zip(points) {
        let there = Point2::new(x + 16.0 * right, y + 24.0 * down);
        assert!(ours.distance(there) < 1e-3, "{ours:?}, not {there:?}");
    }
    assert!((faces[0].score - 0.881).abs() < 1e-3);
}
