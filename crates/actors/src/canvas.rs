//! The samples of a frame: where the camera puts points, what each sample shows and how it moves.

use super::light::{Lamp, Sky};
use super::person::{Person, Posed};
use super::prop::Prop;
use super::raster::{Grid, NOTHING, Spot, weights};
use super::room::Room;
use super::space::{V3, v3};

/// Where the camera stands and what it sees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Camera {
    /// Width and height of the picture in pixels.
    pub(crate) side: usize,
    /// Of the lens, in cm from the origin.
    pub(crate) eye: V3,
    /// Focal length in widths of the picture.
    pub(crate) focal: f32,
}

/// Everything that does not move.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) camera: Camera,
    pub(crate) lamp: Lamp,
    pub(crate) sky: Sky,
    pub(crate) room: Room,
}

/// Samples along each side of a pixel.
pub(crate) const SAMPLES: usize = 3;

/// Marks points of hair among what is seen.
pub(super) const HAIR: u32 = 1 << 27;
/// Numbers of people begin here.
pub(super) const PERSON: u32 = 28;
/// Marks triangles of a prop.
pub(super) const PROP: u32 = 1 << 31;

impl Camera {
    /// Gives the place of a point in pixels, and 1 / depth.
    pub(crate) fn project(&self, p: V3) -> Spot {
        let d = p - self.eye;
        let near = -1.0 / d.z;
        let scale = self.focal * self.side as f32 * near;
        let half = 0.5 * self.side as f32;
        [half + d.x * scale, half - d.y * scale, near]
    }

    pub(super) fn on_grid(&self, p: V3) -> Spot {
        let [x, y, near] = self.project(p);
        [x * SAMPLES as f32, y * SAMPLES as f32, near]
    }
}

/// The samples of a frame while it is being drawn.
pub struct Canvas {
    pub(super) side: usize,
    pub(super) near: Vec<f32>,
    pub(super) colour: Vec<[f32; 3]>,
    /// A [`Layer`].
    pub(super) layer: Vec<u8>,
    /// Triangle or point of hair, and above bit 28 the person.
    pub(super) source: Vec<u32>,
    pub(super) grid: Grid,
}

/// What a sample shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Layer {
    Room,
    Face,
    Other,
    Hair,
    Occluder,
}

impl Canvas {
    pub(crate) fn new(side: usize) -> Self {
        let side = side * SAMPLES;
        Self {
            side,
            near: vec![0.0; side * side],
            colour: vec![[0.0; 3]; side * side],
            layer: vec![0; side * side],
            source: vec![NOTHING; side * side],
            grid: Grid::new(side, side),
        }
    }

    /// Says whether a point on a face, in pixels, is seen: it is in the picture and nothing is
    /// nearer by more than the skin is uneven.
    pub(crate) fn shows(&self, [x, y, near]: Spot) -> bool {
        const UNEVEN_CM: f32 = 0.7;
        let (x, y) = (x * SAMPLES as f32, y * SAMPLES as f32);
        let side = self.side as f32;
        if !(0.0..side).contains(&x) || !(0.0..side).contains(&y) {
            return false;
        }
        let i = y as usize * self.side + x as usize;
        self.near[i] < near + UNEVEN_CM * near * near
    }

    pub(super) fn clear(&mut self) {
        self.near.fill(0.0);
        self.layer.fill(Layer::Room as u8);
        self.source.fill(NOTHING);
    }

    pub(super) fn put(&mut self, i: usize, sample: Sample) {
        self.near[i] = sample.near;
        self.colour[i] = sample.colour.to_array();
        self.layer[i] = sample.layer as u8;
        self.source[i] = sample.source;
    }
}

/// What is drawn at one sample of a canvas.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    /// 1 / depth.
    pub(super) near: f32,
    pub(super) colour: V3,
    pub(super) layer: Layer,
    /// As [`Canvas::source`].
    pub(super) source: u32,
}

/// A person, as they are now and as they will be a frame later.
pub(crate) struct MovingPerson<'a> {
    pub(crate) person: &'a Person,
    pub(crate) now: &'a Posed,
    pub(crate) next: &'a Posed,
}

/// A prop, as it is now and as it will be a frame later.
pub(crate) struct MovingProp<'a> {
    pub(crate) now: &'a Prop,
    pub(crate) next: &'a Prop,
}

/// Gives the movement of what each pixel shows until the next frame, in pixels.
pub(crate) fn flow(
    canvas: &Canvas,
    camera: &Camera,
    people: &[MovingPerson<'_>],
    prop: Option<&MovingProp<'_>>,
) -> Vec<[f32; 2]> {
    let side = canvas.side / SAMPLES;
    let move_of = |a: Spot, b: Spot| [b[0] - a[0], b[1] - a[1]];
    let of_triangle = |corners: [usize; 3], now: &[V3], next: &[V3], (x, y): (f32, f32)| {
        let spots = corners.map(|c| camera.project(now[c]));
        let w = weights(spots, x, y);
        let there = corners.map(|c| next[c]);
        let p = there[0] * w[0] + there[1] * w[1] + there[2] * w[2];
        move_of([x, y, 0.0], camera.project(p))
    };
    let of_pixel = |pixel: usize| {
        let (x, y) = (pixel % side, pixel / side);
        let middle = SAMPLES / 2;
        let source = canvas.source[(y * SAMPLES + middle) * canvas.side + x * SAMPLES + middle];
        let at = (x as f32 + 0.5, y as f32 + 0.5);
        if source == NOTHING {
            return [0.0; 2];
        }
        if source & PROP != 0 {
            let id = (source & !PROP) as usize;
            return prop.map_or([0.0; 2], |prop| {
                let corners = prop.now.triangles[id].map(|c| c as usize);
                of_triangle(corners, &prop.now.vertices, &prop.next.vertices, at)
            });
        }
        let MovingPerson { person, now, next } = people[(source >> PERSON) as usize];
        let id = (source & (HAIR - 1)) as usize;
        if source & HAIR != 0 {
            return move_of(camera.project(now.hair[id]), camera.project(next.hair[id]));
        }
        let corners = person.pieces[id].corners.map(|c| c as usize);
        of_triangle(corners, &now.vertices, &next.vertices, at)
    };
    (0..side * side).map(of_pixel).collect()
}

/// A frame in linear light, before the lens.
pub(crate) struct Exposure {
    pub(crate) side: usize,
    pub(crate) colour: Vec<V3>,
    /// Mean 1 / depth of what is in front of the room; 0 for the room.
    pub(crate) near: Vec<f32>,
    /// Share of each pixel that is face, person of any kind, or something before the face.
    pub(crate) face: Vec<f32>,
    pub(crate) person: Vec<f32>,
    pub(crate) occluder: Vec<f32>,
}

/// Averages the samples of each pixel, the room behind.
pub(crate) fn expose(canvas: &Canvas, backdrop: &[V3]) -> Exposure {
    let side = canvas.side / SAMPLES;
    let n = side * side;
    let mut out = Exposure {
        side,
        colour: vec![V3::ZERO; n],
        near: vec![0.0; n],
        face: vec![0.0; n],
        person: vec![0.0; n],
        occluder: vec![0.0; n],
    };
    let share = 1.0 / (SAMPLES * SAMPLES) as f32;
    for y in 0..side {
        for x in 0..side {
            let pixel = y * side + x;
            for k in 0..SAMPLES * SAMPLES {
                let (row, column) = (y * SAMPLES + k / SAMPLES, x * SAMPLES + k % SAMPLES);
                let i = row * canvas.side + column;
                let layer = canvas.layer[i];
                if layer == Layer::Room as u8 {
                    out.colour[pixel] += backdrop[pixel] * share;
                    continue;
                }
                let [r, g, b] = canvas.colour[i];
                // One mirror-bright sample must not outshine the pixel.
                out.colour[pixel] += v3(r, g, b).map(|c| c.min(6.0)) * share;
                out.near[pixel] += canvas.near[i] * share;
                out.person[pixel] += share;
                if layer == Layer::Face as u8 {
                    out.face[pixel] += share;
                } else if layer == Layer::Occluder as u8 {
                    out.occluder[pixel] += share;
                }
            }
        }
    }
    out
}
