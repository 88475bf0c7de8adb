//! The colours of one frame: each sample from the surface that it shows, or from what is around.

use effigy_face::rig::{Part, Vec3};
use effigy_frame::{Picture, Point2};

use super::mouth::Opening;
use super::raster::{Hit, Raster};
use super::surround::Line;
use super::{FINE, Portrait, flat_corners, smooth_step, to_byte};

/// How soft the edge of an opened mouth is, in pixels.
const EDGE_PX: f32 = 1.5;
/// So far from an opened mouth a gap in the mesh is lip, in centimetres.
const LIP_CM: f32 = 0.6;

/// A picture is drawn by no more threads than this.
const MOST_THREADS: usize = 8;

fn n_threads() -> usize {
    let at_hand = std::thread::available_parallelism().map_or(1, usize::from);
    at_hand.min(MOST_THREADS)
}

/// What is drawn in one frame.
pub(super) struct View<'p, 'a> {
    pub(super) portrait: &'p Portrait<'a>,
    /// How much brighter each vertex is than in the portrait.
    pub(super) bright: &'p [f32],
    /// Share in which the colour at each vertex is made up.
    pub(super) made_up: &'p [f32],
    pub(super) opening: Opening,
}

impl View<'_, '_> {
    /// Red, green and blue of the whole picture, row by row.
    pub(super) fn all(&self) -> Vec<u8> {
        let raster = &self.portrait.raster;
        let mut pixels = vec![0; 3 * raster.columns * raster.rows];
        let n_rows = raster.rows.div_ceil(n_threads());
        std::thread::scope(|scope| {
            let bands = pixels.chunks_mut(3 * raster.columns * n_rows.max(1));
            for (band, pixels) in bands.enumerate() {
                scope.spawn(move || self.rows(band * n_rows, pixels));
            }
        });
        pixels
    }

    /// Draws whole rows of the picture, from `first` on.
    fn rows(&self, first: usize, pixels: &mut [u8]) {
        let raster = &self.portrait.raster;
        let rows = pixels.chunks_exact_mut(3 * raster.columns.max(1));
        for (row, pixels) in (first..).zip(rows) {
            let y = row as f32 + 0.5;
            let line = self.portrait.surround.line(y);
            for (column, pixel) in pixels.chunks_exact_mut(3).enumerate() {
                let at = Point2::new(column as f32 + 0.5, y);
                let hit = raster.hit(column, row);
                let covered = || raster.covered(column, row);
                let colour = self.colour((hit, at), &line, covered);
                pixel.copy_from_slice(&colour.map(to_byte));
            }
        }
    }

    /// The colour at a place whose sample shows `hit`, in a row whose surroundings come from `line`, and whose own are
    /// `covered`, `0..=1`.
    pub(super) fn colour(
        &self,
        (hit, at): (Option<Hit>, Point2),
        line: &Line,
        covered: impl FnOnce() -> f32,
    ) -> [f32; 3] {
        let portrait = self.portrait;
        let around = || {
            let offset = line.at(at.x);
            Point2::new(at.x + offset[0], at.y + offset[1])
        };
        let Some(hit) = hit else {
            return self.sampled(around());
        };
        let triangle = &portrait.rig.triangles()[usize::from(hit.triangle)];
        let place = || {
            let [x, y] = hit.of(flat_corners(portrait.rig, &portrait.source, hit));
            Point2::new(x, y)
        };
        match triangle.part {
            Part::Face | Part::Back => {
                let corners = triangle.corners.map(usize::from);
                let rim = &portrait.rim;
                let [sure, bright, made_up] =
                    hit.of(corners.map(|c| [rim.sure[c], self.bright[c], self.made_up[c]]));
                if sure.max(made_up) <= 0.0 {
                    return self.sampled(around());
                }
                let covered = covered();
                let inside = sure * covered;
                let mut from = place();
                if inside < 1.0 {
                    let around = around();
                    from = Point2::new(
                        around.x + inside * (from.x - around.x),
                        around.y + inside * (from.y - around.y),
                    );
                }
                let lit = 1.0 + inside * (bright - 1.0);
                let shown = self.sampled(from).map(|v| v * lit);
                let made_up = made_up * covered;
                if made_up <= 0.0 {
                    return shown;
                }
                let skin = hit.of(corners.map(|c| rim.skin[c]));
                std::array::from_fn(|i| shown[i] + made_up * (bright * skin[i] - shown[i]))
            }
            Part::EyeRight => self.sampled(portrait.openings.within(0, place())),
            Part::EyeLeft => self.sampled(portrait.openings.within(1, place())),
            Part::Teeth | Part::Mouth => self.sampled(around()),
        }
    }

    /// The colour at a place of the mouth whose sample shows `hit`.
    pub(super) fn mouth(&self, (hit, at): (Option<Hit>, Point2), line: &Line) -> [f32; 3] {
        let Opening { lips, open, .. } = &self.opening;
        let colour = self.colour((hit, at), line, || 1.0);
        if *open <= 0.0 {
            return colour;
        }
        let between = lips.between(at);
        let mix = |colour: [f32; 3], share: f32, over: [f32; 3]| {
            std::array::from_fn(|i| colour[i] + share * (over[i] - colour[i]))
        };
        // Beside the opening, gaps in the mesh are lip.
        let away = -between.inside() / (LIP_CM * lips.scale());
        let is_gap = hit.is_none() && away < 1.0;
        let mouth = &self.portrait.mouth;
        let colour = match is_gap {
            true => mix(colour, open * smooth_step(2.0 * (1.0 - away)), mouth.red),
            false => colour,
        };
        let share = open * smooth_step(between.inside() / EDGE_PX + 0.5);
        if share <= 0.0 {
            return colour;
        }
        let inner = mouth.colour(&self.opening, (at, &between), &self.portrait.colours);
        mix(colour, share, inner)
    }

    fn sampled(&self, at: Point2) -> [f32; 3] {
        let [r, g, b, _] = self.portrait.colours.colour_at(at);
        [r, g, b]
    }

    /// Draws a part of the picture again, finely; `colour` gives that of a sample.
    pub(super) fn refine(
        &self,
        picture: &mut Picture,
        (target, part): (&[Vec3], [u32; 4]),
        colour: impl Fn((Option<Hit>, Point2), &Line) -> [f32; 3],
    ) {
        let raster = Raster::draw(self.portrait.rig.triangles(), target, part, FINE);
        let [left, top, width, height] = part;
        let share = 1.0 / (FINE * FINE) as f32;
        let place = |pixel: u32, sample: u32| pixel as f32 + (sample as f32 + 0.5) / FINE as f32;
        let samples = 0..FINE;
        for y in 0..height {
            let lines: Vec<Line> = samples
                .clone()
                .map(|j| self.portrait.surround.line(place(top + y, j)))
                .collect();
            for x in 0..width {
                let mut sum = [0.0; 3];
                for (j, line) in samples.clone().zip(&lines) {
                    for i in samples.clone() {
                        let (column, row) = (x * FINE + i, y * FINE + j);
                        let hit = raster.hit(column as usize, row as usize);
                        let at = Point2::new(place(left + x, i), place(top + y, j));
                        for (s, v) in sum.iter_mut().zip(colour((hit, at), line)) {
                            *s += share * v;
                        }
                    }
                }
                picture.set(left + x, top + y, sum.map(to_byte));
            }
        }
    }
}
