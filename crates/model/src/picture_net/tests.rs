//! The network against burn's, and against PyTorch's.

use super::*;
use crate::tensors::noise;

/// Rings and stripes of every colour.
fn pattern() -> Picture {
    let side = PictureNet::SIDE_PX;
    let mut picture = Picture::filled(side, side, [0; 3]);
    for (x, y) in (0..side).flat_map(|y| (0..side).map(move |x| (x, y))) {
        let colours = [x * x / 50 + y * 3, x * y / 40, x * 2 + y * y / 60];
        picture.set(x, y, colours.map(|colour| (colour % 256) as u8));
    }
    picture
}

fn loaded() -> PictureNet {
    PictureNet::load(&Weights::from_source_tree().unwrap(), &Device::flex()).unwrap()
}

/// What PyTorch makes of [`pattern`] with the weights in single precision: map, row, column,
/// channel, value. The values of a map spread by 7 to 14.
const OF_PYTORCH: [(usize, usize, usize, usize, f32); 20] = [
    (0, 0, 0, 0, 11.8456),
    (0, 111, 111, 3, -6.3874),
    (0, 56, 37, 15, -15.6429),
    (0, 22, 110, 7, -17.7348),
    (1, 0, 0, 0, -1.3913),
    (1, 55, 55, 3, -13.6772),
    (1, 28, 18, 23, 2.7948),
    (1, 11, 54, 7, -19.7776),
    (2, 0, 0, 0, -4.6118),
    (2, 27, 27, 3, -24.3712),
    (2, 14, 9, 39, 3.0228),
    (2, 5, 26, 7, -21.6711),
    (3, 0, 0, 0, 8.4685),
    (3, 13, 13, 3, -14.2314),
    (3, 7, 4, 79, -8.7629),
    (3, 2, 12, 7, -14.7899),
    (4, 0, 0, 0, 3.2679),
    (4, 13, 13, 3, -3.5092),
    (4, 7, 4, 111, -0.5547),
    (4, 2, 12, 7, 2.5684),
];

#[test]
fn maps_are_those_of_pytorch() {
    let maps = loaded().see(&pattern());
    for (level, row, column, channel, theirs) in OF_PYTORCH {
        let map = &maps[level];
        let ours = map.values[(row * map.side + column) * map.n_channels + channel];
        // Weights in half precision.
        assert!(
            (ours - theirs).abs() < 0.15,
            "map {level}, {row}, {column}, channel {channel}: {ours}, not {theirs}"
        );
    }
}

#[test]
fn the_packed_network_agrees_with_burn() {
    let packed = loaded();
    let plain = PictureNet {
        cpu: None,
        ..packed.clone()
    };
    for picture in [pattern(), noise(96, 96)] {
        for (a, b) in packed.see(&picture).iter().zip(plain.see(&picture)) {
            assert_eq!((a.side, a.n_channels), (b.side, b.n_channels));
            let gaps = a.values.iter().zip(&b.values).map(|(a, b)| (a - b).abs());
            let gap = gaps.fold(0.0, f32::max);
            assert!(gap < 5e-3, "{gap}"); // single precision, another order of adding
        }
    }
}

#[test]
fn gives_five_maps_from_fine_to_coarse() {
    let maps = PictureNet::new(&Device::flex()).see(&pattern());
    let sizes: Vec<(usize, usize)> = maps.iter().map(|m| (m.side, m.n_channels)).collect();
    let expected: Vec<(usize, usize)> = PictureNet::SIDES
        .into_iter()
        .zip(PictureNet::N_CHANNELS)
        .collect();
    assert_eq!(sizes, expected);
    assert!(
        maps.iter()
            .all(|m| m.values.len() == m.side * m.side * m.n_channels)
    );
    assert_eq!(maps[2].cells().count(), 28 * 28);
}
