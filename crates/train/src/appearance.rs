//! Appearance augmentation: one person's face in another's shape and colours, for the encoder to see
//! through.
//!
//! A decoder only ever learns from its own person's faces, but must later draw them from another's.
//! What the encoder says of a stranger then still holds some of the stranger, and is drawn. So the
//! inputs of a training are shown with the appearance of the other people: warped by the difference
//! of the mean shapes, and with the other's mean and standard deviation of colour. What is to be
//! drawn stays as it is.

use effigy_face::landmarks::SHAPE_POINTS;
use effigy_frame::Point2;

use crate::warp::Warp;

/// How far a point warps its surroundings, as a share of the side.
const REACH: f32 = 0.1;
/// Largest displacement, as a share of the side: beyond it a face was not found well.
const LARGEST_SHIFT: f32 = 0.12;
/// Range of the change of contrast.
const GAINS: [f32; 2] = [0.5, 2.0];

/// Shape and colours of a person, gathered face by face.
#[derive(Clone, Debug)]
pub(crate) struct Appearance {
    n_faces: f64,
    points: [[f64; 2]; SHAPE_POINTS.len()],
    n_pixels: f64,
    colours: [f64; 3],
    squares: [f64; 3],
}

/// Makes one person's face look like another's.
#[derive(Clone, Debug)]
pub(crate) struct AppearanceAugmentation {
    warp: Warp<9>,
    gains: [f32; 3],
    shifts: [f32; 3],
}

impl Appearance {
    pub(crate) fn new() -> Self {
        Self {
            n_faces: 0.0,
            points: [[0.0; 2]; SHAPE_POINTS.len()],
            n_pixels: 0.0,
            colours: [0.0; 3],
            squares: [0.0; 3],
        }
    }

    /// Adds a face: its mesh in pixels of the network's crop, and its pixels with their share of
    /// face.
    pub(crate) fn add(&mut self, points: &[Point2], pixels: impl Iterator<Item = [u8; 4]>) {
        self.n_faces += 1.0;
        for (sum, &i) in self.points.iter_mut().zip(&SHAPE_POINTS) {
            sum[0] += f64::from(points[i].x);
            sum[1] += f64::from(points[i].y);
        }
        for [red, green, blue, share] in pixels {
            let share = f64::from(share) / 255.0;
            self.n_pixels += share;
            for (c, value) in [red, green, blue].map(f64::from).into_iter().enumerate() {
                self.colours[c] += share * value;
                self.squares[c] += share * value * value;
            }
        }
    }

    fn point(&self, i: usize) -> Point2 {
        let [x, y] = self.points[i].map(|sum| (sum / self.n_faces.max(1.0)) as f32);
        Point2::new(x, y)
    }

    /// Mean and standard deviation of a colour, `0..=255`.
    fn colour(&self, c: usize) -> [f32; 2] {
        let n = self.n_pixels.max(1.0);
        let mean = self.colours[c] / n;
        let std = (self.squares[c] / n - mean * mean).max(1.0).sqrt();
        [mean as f32, std as f32]
    }
}

impl AppearanceAugmentation {
    /// Of `own` as `other`, for crops of `side` pixels.
    pub(crate) fn new(own: &Appearance, other: &Appearance, side: u32) -> Self {
        let colours: [_; 3] = std::array::from_fn(|c| [own.colour(c), other.colour(c)]);
        let gain = |[[_, own], [_, other]]: [[f32; 2]; 2]| (other / own).clamp(GAINS[0], GAINS[1]);
        Self {
            warp: Warp::new(side, |at| displacement(at, own, other, side as f32)),
            gains: colours.map(gain),
            shifts: colours.map(|colour| colour[1][0] - gain(colour) * colour[0][0]),
        }
    }

    /// Where the input samples instead of `at`, going `share` of the way.
    pub(crate) fn place(&self, at: Point2, share: f32) -> Point2 {
        self.warp.place(at, share)
    }

    /// The colour as the other person has it, by `share` of the way.
    pub(crate) fn colour(&self, rgb: [f32; 3], share: f32) -> [f32; 3] {
        std::array::from_fn(|c| {
            let changed = rgb[c] * self.gains[c] + self.shifts[c];
            ((1.0 - share) * rgb[c] + share * changed).clamp(0.0, 255.0)
        })
    }
}

/// From a place on the other's face to the same part of the own one: the differences of the mean
/// shapes, weighted by how near their points are.
fn displacement(at: Point2, own: &Appearance, other: &Appearance, side: f32) -> Point2 {
    let (mut x, mut y, mut sum) = (0.0, 0.0, 1e-3);
    for i in 0..SHAPE_POINTS.len() {
        let (from, to) = (other.point(i), own.point(i));
        let weight = (-0.5 * (at.distance(from) / (REACH * side)).powi(2)).exp();
        x += weight * (to.x - from.x);
        y += weight * (to.y - from.y);
        sum += weight;
    }
    let largest = LARGEST_SHIFT * side;
    let bounded = |v: f32| (v / sum).clamp(-largest, largest);
    Point2::new(bounded(x), bounded(y))
}

#[cfg(test)]
mod tests {
    use effigy_model::N_MESH_POINTS;

    use super::*;

    fn appearance(scale: f32, colour: [u8; 2]) -> Appearance {
        let mut appearance = Appearance::new();
        let point = |i: usize| {
            let angle = i as f32;
            Point2::new(48.0 + 30.0 * scale * angle.cos(), 48.0 + 30.0 * angle.sin())
        };
        let points: Vec<Point2> = (0..N_MESH_POINTS).map(point).collect();
        let pixels = (0..100).map(|i| [colour[i % 2], 50, 50, 255]);
        appearance.add(&points, pixels);
        appearance
    }

    #[test]
    fn wider_face_is_looked_for_further_in() {
        let (own, other) = (appearance(1.0, [100, 120]), appearance(1.2, [100, 120]));
        let augmentation = AppearanceAugmentation::new(&own, &other, 96);
        let at = Point2::new(48.0 + 36.0, 48.0);
        let place = augmentation.place(at, 1.0);
        assert!((place.x - 78.0).abs() < 2.0, "{place:?}");
        assert_eq!(augmentation.place(at, 0.0), at);
        let back = AppearanceAugmentation::new(&own, &own, 96).place(at, 1.0);
        assert!(at.distance(back) < 1e-4);
    }

    #[test]
    fn colours_take_on_mean_and_spread() {
        let (own, other) = (appearance(1.0, [100, 120]), appearance(1.0, [40, 60]));
        let augmentation = AppearanceAugmentation::new(&own, &other, 96);
        let [red, ..] = augmentation.colour([120.0, 50.0, 50.0], 1.0);
        assert!((red - 60.0).abs() < 1e-3, "{red}");
        let [half, ..] = augmentation.colour([120.0, 50.0, 50.0], 0.5);
        assert!((half - 90.0).abs() < 1e-3, "{half}");
    }
}
