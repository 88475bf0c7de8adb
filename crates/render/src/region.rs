//! The box of a frame that one face covers: what is read from it, and what is written to it.

use effigy_frame::colour::luma;
use effigy_frame::{Picture, Plane, Point2, Rect, Similarity};

use crate::grid::Grid;
use crate::outline::Outline;
use crate::sample::{Sampler, mask_at};

/// From this share of the mask on, bands are added in full; below, they fade with it.
const FULL_FROM: f32 = 0.2;

/// A box of whole pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Region {
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// What is added to a box of the frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer<'a> {
    /// What was blended: drawn minus seen.
    pub(crate) change: &'a Grid<3>,
    /// The mask.
    pub(crate) weights: &'a Grid<1>,
    /// Skin texture and grain of the frame, on top.
    pub(crate) texture: &'a Plane,
    /// How much of all of it is seen, `0..=1`.
    pub(crate) opacity: f32,
}

impl Region {
    pub(crate) fn as_rect(self) -> Rect {
        let [x, y, width, height] = [self.x, self.y, self.width, self.height].map(|v| v as f32);
        Rect {
            x,
            y,
            width,
            height,
        }
    }

    pub(crate) fn luma_of(self, frame: &Picture) -> Plane {
        let row_bytes = frame.width() as usize * 3;
        let rows = frame
            .pixels()
            .chunks_exact(row_bytes)
            .skip(self.y)
            .take(self.height);
        let pixels =
            rows.flat_map(|row| row[3 * self.x..3 * (self.x + self.width)].chunks_exact(3));
        let values = pixels.map(|rgb| luma([rgb[0], rgb[1], rgb[2]])).collect();
        Plane::new(self.width, self.height, values)
    }

    /// The centres of all pixels, in pixels of the frame, row by row.
    pub(crate) fn centres(self) -> impl Iterator<Item = Point2> {
        (0..self.width * self.height).map(move |i| {
            let (x, y) = (self.x + i % self.width, self.y + i / self.width);
            Point2::new(x as f32 + 0.5, y as f32 + 0.5)
        })
    }

    /// The part of the frame that the outline covers; `None` where there is none.
    pub(crate) fn covered(
        frame: &Picture,
        outline: &Outline,
        frame_from_crop: Similarity,
    ) -> Option<Self> {
        let side = outline.wide.width();
        let shares = outline.wide.values().iter().enumerate();
        let covered = shares.filter(|(_, share)| 0.0 < **share);
        let crop =
            Rect::around(covered.map(|(i, _)| Point2::new((i % side) as f32, (i / side) as f32)))?;
        // Sampling between pixels reaches one further.
        let (left, top) = (crop.x - 1.0, crop.y - 1.0);
        let (right, lower) = (crop.x + crop.width + 2.0, crop.y + crop.height + 2.0);
        let corners = [(left, top), (right, top), (right, lower), (left, lower)];
        let corners = corners.map(|(x, y)| frame_from_crop.apply(Point2::new(x, y)));
        let rect = Rect::around(corners)?;
        let within = |value: f32, end: u32| value.clamp(0.0, end as f32) as usize;
        let (x, y) = (
            within(rect.x.floor(), frame.width()),
            within(rect.y.floor(), frame.height()),
        );
        let width = within((rect.x + rect.width).ceil(), frame.width()) - x;
        let height = within((rect.y + rect.height).ceil(), frame.height()) - y;
        (0 < width && 0 < height).then_some(Self {
            x,
            y,
            width,
            height,
        })
    }

    /// The mask of a crop, in its pixels.
    pub(crate) fn weights(self, mask: &Plane, crop_from_frame: Similarity) -> Grid<1> {
        let weight = |centre: Point2| [mask_at(mask, crop_from_frame.apply(centre))];
        let values = self.centres().map(weight).collect();
        Grid {
            width: self.width,
            height: self.height,
            values,
        }
    }

    /// Drawn minus seen, over the box.
    pub(crate) fn difference(
        self,
        frame: &Picture,
        drawn: &Picture,
        crop_from_frame: Similarity,
    ) -> Grid<3> {
        let drawn = Sampler::new(drawn);
        let row_bytes = frame.width() as usize * 3;
        let mut values = Vec::with_capacity(self.width * self.height);
        for y in self.y..self.y + self.height {
            let first = y * row_bytes + self.x * 3;
            let row = &frame.pixels()[first..first + self.width * 3];
            values.extend(row.chunks_exact(3).enumerate().map(|(x, seen)| {
                let centre = Point2::new((self.x + x) as f32 + 0.5, y as f32 + 0.5);
                let drawn = drawn.colour_at(crop_from_frame.apply(centre));
                std::array::from_fn(|c| drawn[c] - f32::from(seen[c]))
            }));
        }
        Grid {
            width: self.width,
            height: self.height,
            values,
        }
    }

    /// The second of two crops minus the first, over the box.
    pub(crate) fn between(self, crops: [&Picture; 2], crop_from_frame: Similarity) -> Grid<3> {
        let [first, second] = crops;
        let difference = Sampler::of_difference(second, first);
        let values = self.centres().map(|centre| {
            let [red, green, blue, _] = difference.colour_at(crop_from_frame.apply(centre));
            [red, green, blue]
        });
        Grid {
            width: self.width,
            height: self.height,
            values: values.collect(),
        }
    }

    /// Adds what was blended where the mask is above 0.
    pub(crate) fn add(self, frame: &mut Picture, layer: &Layer<'_>) {
        let Layer {
            change,
            weights,
            texture,
            opacity,
        } = *layer;
        let row_bytes = frame.width() as usize * 3;
        for y in 0..self.height {
            let first = (self.y + y) * row_bytes + self.x * 3;
            let row = &mut frame.pixels_mut()[first..first + self.width * 3];
            let here = y * self.width..(y + 1) * self.width;
            let changes = change.values[here.clone()]
                .iter()
                .zip(&weights.values[here.clone()]);
            let texture = &texture.values()[here];
            let pixels = row.chunks_exact_mut(3).zip(changes);
            for ((pixel, (change, [weight])), fine) in pixels.zip(texture) {
                // The bands were weighed by the mask already. Weighing them again would fade them
                // twice, so only the outermost rim is: there cutting a band off would show.
                let share = opacity * (weight / FULL_FROM).min(1.0);
                if share <= 0.0 {
                    continue;
                }
                let fine = opacity * weight * fine;
                for (value, change) in pixel.iter_mut().zip(change) {
                    // Turning into a byte cuts off below 0 and above 255.
                    *value = (f32::from(*value) + share * change + fine + 0.5) as u8;
                }
            }
        }
    }

    /// Adds to the colour of the box's pixel `i` what `more` says.
    pub(crate) fn change(self, frame: &mut Picture, i: usize, more: impl Fn([f32; 3]) -> [f32; 3]) {
        let (x, y) = (self.x + i % self.width, self.y + i / self.width);
        let first = 3 * (y * frame.width() as usize + x);
        let pixel = &mut frame.pixels_mut()[first..first + 3];
        let more = more([pixel[0], pixel[1], pixel[2]].map(f32::from));
        for (value, more) in pixel.iter_mut().zip(more) {
            // Turning into a byte cuts off below 0 and above 255.
            *value = (f32::from(*value) + more + 0.5) as u8;
        }
    }
}
