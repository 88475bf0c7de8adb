//! Training pictures for the finder: many portraits, large and small, on one canvas.

use effigy_face::landmarks::{
    LEFT_EYE, MOUTH_LEFT, MOUTH_RIGHT, N_SKIN_POINTS, NOSE_TIP, RIGHT_EYE,
};
use effigy_frame::resample::{OUTSIDE, resize};
use effigy_frame::{Picture, Point2, Point3, Rect, Similarity};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::data::people::Sample;
use crate::train::augment::{normal, spoil};
use crate::train::negatives::negative;
use crate::train::occluders::{self, Face};
use crate::train::occlusion::is_grey;
use crate::train::pose_augmentation::{Surface, Turn};

/// Side of the canvas in pixels.
pub(crate) const CANVAS: u32 = 256;
/// Faces of which less is visible are neither asked for nor punished.
const LEAST_VISIBLE: f32 = 0.6;
/// Faces smaller than this are neither asked for nor punished.
const SMALLEST_PX: f32 = 9.0;

/// A face on the canvas.
pub(crate) struct Placed {
    pub(crate) rect: Rect,
    /// Right eye, left eye, nose tip, right and left corner of the mouth.
    pub(crate) points: [Point2; 5],
    /// Whether the finder is asked for it.
    pub(crate) wanted: bool,
}

/// Part of the canvases that show no face at all.
const EMPTY: f64 = 0.25;

/// Part of the faces that are turned further than their picture shows them.
const TURNED: f64 = 0.15;
/// Part of the faces before which something is held or worn.
const COVERED: f64 = 0.25;

/// Draws a canvas and says where the faces on it are.
pub(crate) fn mosaic(
    samples: &[Sample],
    surface: &Surface,
    random: &mut ChaCha8Rng,
) -> (Picture, Vec<Placed>) {
    let mut canvas = background(samples, random);
    let mut placed = Vec::new();
    let cells = [1, 1, 1, 2, 2, 2, 3, 3, 4, 6][random.random_range(0..10)];
    let cell_px = CANVAS as f32 / cells as f32;
    let n = if random.random_bool(EMPTY) {
        0
    } else {
        cells * cells
    };
    for i in 0..n {
        if !random.random_bool(0.75) {
            continue;
        }
        let (column, row) = ((i % cells) as f32, (i / cells) as f32);
        let cell = Rect {
            x: column * cell_px,
            y: row * cell_px,
            width: cell_px,
            height: cell_px,
        };
        let sample = &samples[random.random_range(0..samples.len())];
        let turned = random
            .random_bool(TURNED)
            .then(|| turned(sample, surface, random));
        let sample = turned.as_ref().unwrap_or(sample);
        let other = &samples[random.random_range(0..samples.len())];
        let covered = random
            .random_bool(COVERED)
            .then(|| covered(sample, other, random));
        let sample = covered.as_ref().unwrap_or(sample);
        placed.extend(place(&mut canvas, cell, sample, random));
    }
    spoil(&mut canvas, random);
    (canvas, placed)
}

/// Gives the five points the finder reports.
pub(crate) fn five_points(sample: &Sample) -> [Point2; 5] {
    let points = &sample.points;
    [
        RIGHT_EYE.centre(points),
        LEFT_EYE.centre(points),
        points[NOSE_TIP].xy(),
        points[MOUTH_RIGHT].xy(),
        points[MOUTH_LEFT].xy(),
    ]
}

fn turned(sample: &Sample, surface: &Surface, random: &mut ChaCha8Rng) -> Sample {
    let turn = Turn {
        yaw: (0.45 * normal(random)).clamp(-1.0, 1.0),
        pitch: 0.2 * normal(random),
    };
    let face = shrunk(sample);
    let (picture, points) = surface.turn(&face.picture, &face.points, turn);
    nobody(picture, points)
}

/// A face with something before it.
fn covered(sample: &Sample, other: &Sample, random: &mut ChaCha8Rng) -> Sample {
    let mut face = shrunk(sample);
    occluders::cover(&mut face, &shrunk(other), random);
    nobody(face.picture, face.points)
}

/// A sample no larger than a canvas, which shows no more of it.
fn shrunk(sample: &Sample) -> Face {
    let longest = sample.picture.width().max(sample.picture.height());
    let scale = (CANVAS as f32 / longest as f32).min(1.0);
    let less = |side: u32| ((side as f32 * scale).round() as u32).max(1);
    let picture = resize(
        &sample.picture,
        less(sample.picture.width()),
        less(sample.picture.height()),
    );
    let place = |p: &Point3| Point3::new(p.x * scale, p.y * scale, p.z * scale);
    Face {
        is_grey: is_grey(&picture),
        picture,
        points: sample.points.iter().map(place).collect(),
    }
}

fn nobody(picture: Picture, points: Vec<Point3>) -> Sample {
    Sample {
        picture,
        points,
        identity: None,
        person: String::new(),
        source: String::new(),
        sex: String::new(),
    }
}

fn place(
    canvas: &mut Picture,
    cell: Rect,
    sample: &Sample,
    random: &mut ChaCha8Rng,
) -> Option<Placed> {
    let face = Rect::around(sample.points.iter().map(|p| p.xy()))?;
    let size = cell.width * 2.0_f32.powf(random.random_range(-2.4..0.1));
    let wild = if random.random_bool(0.12) { 4.0 } else { 1.0 };
    let turn = 0.15 * wild * normal(random);
    let away = |random: &mut ChaCha8Rng| cell.width * random.random_range(-0.38..0.38);
    let to = Point2::new(
        cell.centre().x + away(random),
        cell.centre().y + away(random),
    );
    let scale = size / face.width.max(face.height);
    let flip = random.random_bool(0.5);
    let (picture, centre) = if flip {
        let x = sample.picture.width() as f32 - face.centre().x;
        (sample.picture.mirrored(), Point2::new(x, face.centre().y))
    } else {
        (sample.picture.clone(), face.centre())
    };
    let canvas_from_picture = Similarity::about(centre, to, scale, turn);
    paste(canvas, cell, &picture, canvas_from_picture);
    let across = |p: Point2| {
        let x = if flip {
            sample.picture.width() as f32 - p.x
        } else {
            p.x
        };
        canvas_from_picture.apply(Point2::new(x, p.y))
    };
    let rect = Rect::around(sample.points.iter().map(|p| across(p.xy())))?;
    let mut points = five_points(sample).map(across);
    if flip {
        points = [points[1], points[0], points[2], points[4], points[3]];
    }
    let wanted = visible(rect, cell) >= LEAST_VISIBLE && rect.width.max(rect.height) >= SMALLEST_PX;
    (visible(rect, cell) > 0.15).then_some(Placed {
        rect,
        points,
        wanted,
    })
}

/// Draws `picture` onto the part of the canvas that `cell` covers.
fn paste(canvas: &mut Picture, cell: Rect, picture: &Picture, canvas_from_picture: Similarity) {
    // Shrinking first by averaging keeps small faces free of aliasing.
    let shrink = canvas_from_picture.scale().min(1.0);
    let less = |side: u32| ((side as f32 * shrink).round() as u32).max(1);
    let small = resize(picture, less(picture.width()), less(picture.height()));
    let shrink = small.width() as f32 / picture.width() as f32;
    let small_from_picture = Similarity {
        a: shrink,
        ..Similarity::IDENTITY
    };
    let Some(picture_from_canvas) = canvas_from_picture.inverse() else {
        return;
    };
    let small_from_canvas = small_from_picture.of(picture_from_canvas);
    let side =
        |from: f32, length: f32| (from.max(0.0) as u32)..(((from + length) as u32).min(CANVAS));
    for y in side(cell.y, cell.height) {
        for x in side(cell.x, cell.width) {
            let p = small_from_canvas.apply(Point2::new(x as f32 + 0.5, y as f32 + 0.5));
            if p.x >= 0.5
                && p.y >= 0.5
                && p.x < small.width() as f32 - 0.5
                && p.y < small.height() as f32 - 0.5
            {
                canvas.set(x, y, bilinear(&small, p));
            }
        }
    }
}

fn bilinear(picture: &Picture, at: Point2) -> [u8; 3] {
    let (x, y) = ((at.x - 0.5) as u32, (at.y - 0.5) as u32);
    let (wx, wy) = (at.x - 0.5 - x as f32, at.y - 0.5 - y as f32);
    let (x1, y1) = (
        (x + 1).min(picture.width() - 1),
        (y + 1).min(picture.height() - 1),
    );
    let corners = [
        picture.get(x, y),
        picture.get(x1, y),
        picture.get(x, y1),
        picture.get(x1, y1),
    ];
    let weights = [
        (1.0 - wx) * (1.0 - wy),
        wx * (1.0 - wy),
        (1.0 - wx) * wy,
        wx * wy,
    ];
    std::array::from_fn(|c| {
        corners
            .iter()
            .zip(weights)
            .map(|(rgb, w)| w * f32::from(rgb[c]))
            .sum::<f32>() as u8
    })
}

/// One colour, something that is no face, or small pieces of many pictures.
fn background(samples: &[Sample], random: &mut ChaCha8Rng) -> Picture {
    match random.random_range(0..8) {
        0 => Picture::filled(CANVAS, CANVAS, [OUTSIDE; 3]),
        1 => patchwork(samples, random),
        _ => negative(samples, CANVAS, random),
    }
}

/// Small squares from many places, too small to hold a face.
fn patchwork(samples: &[Sample], random: &mut ChaCha8Rng) -> Picture {
    let mut canvas = Picture::filled(CANVAS, CANVAS, [OUTSIDE; 3]);
    let side = [16, 32, 64][random.random_range(0..3)];
    for cell in 0..(CANVAS / side).pow(2) {
        let sample = &samples[random.random_range(0..samples.len())];
        let Some(face) = Rect::around(sample.points.iter().map(|p| p.xy())) else {
            continue;
        };
        let zoom = face.width.max(face.height) / side as f32 * 0.2;
        let at = sample.points[random.random_range(0..N_SKIN_POINTS)].xy();
        let away = 0.6 * face.width;
        let to_x = at.x + random.random_range(-away..away);
        let to_y = at.y + random.random_range(-away..away);
        let from = Point2::new(0.5 * side as f32, 0.5 * side as f32);
        let turn = random.random_range(-3.0..3.0);
        let view = Similarity::about(from, Point2::new(to_x, to_y), zoom, turn);
        let patch = effigy_frame::resample::crop(&sample.picture, view, side);
        let (column, row) = (cell % (CANVAS / side), cell / (CANVAS / side));
        for y in 0..side {
            for x in 0..side {
                canvas.set(column * side + x, row * side + y, patch.get(x, y));
            }
        }
    }
    canvas
}

fn visible(rect: Rect, cell: Rect) -> f32 {
    let width = (rect.x + rect.width).min(cell.x + cell.width) - rect.x.max(cell.x);
    let height = (rect.y + rect.height).min(cell.y + cell.height) - rect.y.max(cell.y);
    width.max(0.0) * height.max(0.0) / rect.area().max(1e-6)
}
