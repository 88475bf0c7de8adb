//! The colours of one frame: each sample from the surface that it shows, or from what is around.

use effigy_face::rig::{Part, Vec3};
use effigy_frame::{Picture, Point2};

use super::lips::Lips;
use super::raster::{Hit, Raster};
use super::{FINE, Portrait, flat_corners, to_byte};

/// What is drawn in one frame.
pub(super) struct View<'p, 'a> {
    pub(super) portrait: &'p Portrait<'a>,
    /// How much brighter each vertex is than in the portrait.
    pub(super) bright: &'p [f32],
    pub(super) lips: Lips,
}

impl View<'_, '_> {
    /// Red, green and blue of the whole picture, row by row.
    pub(super) fn all(&self) -> Vec<u8> {
        let raster = &self.portrait.raster;
        let mut pixels = Vec::with_capacity(3 * raster.columns * raster.rows);
        for row in 0..raster.rows {
            for column in 0..raster.columns {
                let (x, y) = (column as f32 + 0.5, row as f32 + 0.5);
                let covered = raster.covered(column, row);
                let colour = self.colour(raster.hit(column, row), covered, x, y);
                pixels.extend(colour.map(to_byte));
            }
        }
        pixels
    }

    /// The colour at a place whose sample shows `hit`, and whose surroundings are `covered`, `0..=1`.
    pub(super) fn colour(&self, hit: Option<Hit>, covered: f32, x: f32, y: f32) -> [f32; 3] {
        let portrait = self.portrait;
        let offset = portrait.surround.at(x, y);
        let around = Point2::new(x + offset[0], y + offset[1]);
        let Some(hit) = hit else {
            return match self.lips.between(Point2::new(x, y)) {
                Some(down) => portrait.mouth.depth(down),
                None => self.sampled(around),
            };
        };
        let triangle = &portrait.rig.triangles()[usize::from(hit.triangle)];
        let [sx, sy] = hit.of(flat_corners(portrait.rig, &portrait.source, hit));
        let place = Point2::new(sx, sy);
        match triangle.part {
            Part::Face | Part::Back => {
                let corners = triangle.corners.map(usize::from);
                let [sure] = hit.of(corners.map(|c| [portrait.sure[c]]));
                let inside = covered * sure;
                let at = Point2::new(
                    around.x + inside * (place.x - around.x),
                    around.y + inside * (place.y - around.y),
                );
                let [bright] = hit.of(triangle.corners.map(|c| [self.bright[usize::from(c)]]));
                let bright = 1.0 + inside * (bright - 1.0);
                self.sampled(at).map(|v| v * bright)
            }
            Part::EyeRight => self.sampled(portrait.openings.within(0, place)),
            Part::EyeLeft => self.sampled(portrait.openings.within(1, place)),
            Part::Teeth | Part::Mouth => {
                let seen = self.sampled(place);
                let light = self.lips.light(Point2::new(x, y));
                let inner = portrait.mouth.colour(triangle, hit, light, seen);
                std::array::from_fn(|i| seen[i] + self.lips.open * (inner[i] - seen[i]))
            }
        }
    }

    fn sampled(&self, at: Point2) -> [f32; 3] {
        let [r, g, b, _] = self.portrait.colours.colour_at(at);
        [r, g, b]
    }

    /// Draws a part of the picture again, finely.
    pub(super) fn refine(&self, picture: &mut Picture, target: &[Vec3], part: [u32; 4]) {
        let raster = Raster::draw(self.portrait.rig.triangles(), target, part, FINE);
        let [left, top, width, height] = part;
        let share = 1.0 / (FINE * FINE) as f32;
        for y in 0..height {
            for x in 0..width {
                let mut sum = [0.0; 3];
                for (j, i) in (0..FINE).flat_map(|j| (0..FINE).map(move |i| (j, i))) {
                    let (column, row) = (x * FINE + i, y * FINE + j);
                    let hit = raster.hit(column as usize, row as usize);
                    let at = |first: u32, sample: u32| {
                        first as f32 + (sample as f32 + 0.5) / FINE as f32
                    };
                    let colour = self.colour(hit, 1.0, at(left, column), at(top, row));
                    for (s, v) in sum.iter_mut().zip(colour) {
                        *s += share * v;
                    }
                }
                picture.set(left + x, top + y, sum.map(to_byte));
            }
        }
    }
}
