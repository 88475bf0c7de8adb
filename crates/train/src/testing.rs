//! Drawn faces of no real person, for tests of this crate and of those that use it.

use effigy_face::landmarks::{LOWER_LIP_INNER, UPPER_LIP_INNER};
use effigy_frame::{Picture, Point2, Similarity};
use effigy_model::N_MESH_POINTS;

use crate::faces::{DETAILS, FaceSet};

/// Side of the pictures that [`cartoon`] draws.
pub const CARTOON_SIDE: u32 = 96;

/// Draws face number `number` of a made-up person: a disc with eyes and a mouth that opens.
///
/// Gives the picture and its 478 points; only the points that this crate looks at make sense.
pub fn cartoon(person: u32, number: u32) -> (Picture, Vec<Point2>) {
    let side = CARTOON_SIDE as f32;
    let phase = number as f32 * 0.7;
    let middle = Point2::new(
        0.5 * side + 7.0 * phase.sin(),
        0.5 * side + 5.0 * phase.cos(),
    );
    let open = 3.0 + 3.0 * (phase * 1.3).sin();
    let skin = [
        200 - 60 * (person % 3) as u8,
        150,
        90 + 60 * (person % 3) as u8,
    ];
    let mut picture = Picture::filled(CARTOON_SIDE, CARTOON_SIDE, [40, 60, 80]);
    for i in 0..CARTOON_SIDE * CARTOON_SIDE {
        let (x, y) = (i % CARTOON_SIDE, i / CARTOON_SIDE);
        let at = Point2::new(x as f32 + 0.5 - middle.x, y as f32 + 0.5 - middle.y);
        if let Some(rgb) = colour_at(at, open, skin) {
            picture.set(x, y, rgb);
        }
    }
    (picture, points(middle, open))
}

/// Makes a set of `n` such faces for a network of `side` pixels.
pub fn synthetic_set(person: &str, side: u32, n: u32, look: u32) -> FaceSet {
    let mut set = FaceSet::new(person, side);
    let scale = CARTOON_SIDE as f32 / side as f32;
    let picture_from_crop = Similarity {
        a: scale,
        ..Similarity::IDENTITY
    };
    for number in 0..n {
        let (picture, points) = cartoon(look, number);
        set.add(&picture, picture_from_crop, &points);
    }
    set
}

fn colour_at(at: Point2, open: f32, skin: [u8; 3]) -> Option<[u8; 3]> {
    let inside = |x: f32, y: f32, rx: f32, ry: f32| {
        ((at.x - x) / rx).powi(2) + ((at.y - y) / ry).powi(2) < 1.0
    };
    if inside(-11.0, -8.0, 5.0, 3.0) || inside(11.0, -8.0, 5.0, 3.0) {
        Some([240, 240, 240])
    } else if inside(0.0, 14.0, 9.0, open.max(1.0)) {
        Some([120, 20, 30])
    } else if inside(0.0, 0.0, 26.0, 32.0) {
        Some(skin)
    } else {
        None
    }
}

fn points(middle: Point2, open: f32) -> Vec<Point2> {
    let mut points = vec![middle; N_MESH_POINTS];
    let mut ring = |indices: &[usize], x: f32, y: f32, rx: f32, ry: f32| {
        for (k, &index) in indices.iter().enumerate() {
            let angle = std::f32::consts::TAU * k as f32 / indices.len() as f32;
            let (sin, cos) = angle.sin_cos();
            points[index] = Point2::new(middle.x + x + rx * cos, middle.y + y + ry * sin);
        }
    };
    ring(
        &(0..N_MESH_POINTS).collect::<Vec<_>>(),
        0.0,
        0.0,
        26.0,
        32.0,
    );
    let [right_eye, left_eye, lips] = DETAILS;
    ring(right_eye, -11.0, -8.0, 5.0, 3.0);
    ring(left_eye, 11.0, -8.0, 5.0, 3.0);
    ring(lips, 0.0, 14.0, 9.0, open.max(1.0));
    points[UPPER_LIP_INNER] = Point2::new(middle.x, middle.y + 14.0 - open);
    points[LOWER_LIP_INNER] = Point2::new(middle.x, middle.y + 14.0 + open);
    points
}
