//! The pixels of a face and of what is around it, split into bands of detail.
//!
//! Nothing is turned or enlarged, so that traces of what was done to the pixels stay; large faces
//! are shrunk by a whole factor, so that bands mean the same for faces of all sizes. Bands are
//! differences of ever wider blurs by [1 2 1] / 4 with holes (the "à trous" wavelet of
//! Holschneider et al., 1989): `bands[0]` is the finest.

mod parts;

use effigy_frame::colour::luma;
use effigy_frame::{Picture, Point2, Point3};

use parts::Shape;

/// How many bands of detail a patch has.
pub(crate) const N_BANDS: usize = 3;

/// A face and its surroundings, split into bands.
#[derive(Clone, Debug)]
pub struct Patch {
    /// Pixels a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Where the patch's first pixel lies in the frame, and how many pixels of the frame are one
    /// of the patch.
    pub origin: (u32, u32),
    /// See `origin`.
    pub factor: u32,
    /// Detail of brightness, in levels.
    pub bands: [Vec<f32>; N_BANDS],
    /// The finest detail of colour: blue and red against brightness, in levels.
    pub colour: [Vec<f32>; 2],
    /// Which part of the face each pixel is.
    pub parts: Vec<Part>,
}

/// Which part of the face a pixel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Skin well inside the contour, without eyes and lips.
    Inner,
    /// The lips.
    Lips,
    /// The eyes with their lids.
    Eyes,
    /// Around the contour, where a face would be blended in.
    Edge,
    /// Hair, neck and whatever is behind.
    Around,
    /// Too far away, between two parts, or too near the frame's edge.
    None,
}

/// Longer side of the face's box that a patch aims at, in its pixels.
const FACE_PX: f32 = 170.0;
/// How far a patch reaches, in the contour's distance from the middle.
const REACH: f32 = 1.7;

impl Patch {
    /// Cuts out the face whose mesh is `points` and whose box is `size_px` long.
    ///
    /// `None` when it lies outside the frame or is too small.
    pub fn around(picture: &Picture, points: &[Point3], size_px: f32) -> Option<Self> {
        let points: Vec<Point2> = points.iter().map(|p| p.xy()).collect();
        let shape = Shape::of(&points)?;
        let factor = (size_px / FACE_PX).round().max(1.0) as u32;
        let reach = REACH * shape.longest;
        let clip = |v: f32, most: u32| v.clamp(0.0, most as f32) as u32;
        let left = clip(shape.middle.x - reach, picture.width());
        let top = clip(shape.middle.y - reach, picture.height());
        let right = clip(shape.middle.x + reach, picture.width());
        let bottom = clip(shape.middle.y + reach, picture.height());
        let window = Window {
            left,
            top,
            width: (right - left) / factor,
            height: (bottom - top) / factor,
            factor,
        };
        if window.width < LEAST_SIDE_PX || window.height < LEAST_SIDE_PX {
            return None;
        }
        let [brightness, blue, red] = window.read(picture);
        let size = (window.width as usize, window.height as usize);
        // Cameras and codecs store colour at half the resolution, so its finest band is twice as
        // wide as that of brightness.
        let finest = |plane: Vec<f32>| {
            let soft = blurred(&plane, size, 1);
            let soft = blurred(&soft, size, 2);
            difference(&plane, &soft)
        };
        let mut patch = Self {
            width: size.0,
            height: size.1,
            origin: (left, top),
            factor,
            bands: split(brightness, size),
            colour: [finest(blue), finest(red)],
            parts: Vec::new(),
        };
        let frame = (picture.width(), picture.height());
        patch.parts = patch.tell_parts(&shape, frame);
        Some(patch)
    }

    /// Which part of the face a pixel of the frame is.
    pub fn part_at(&self, x: u32, y: u32) -> Part {
        let (left, top) = self.origin;
        let column = x.checked_sub(left).map(|x| (x / self.factor) as usize);
        let row = y.checked_sub(top).map(|y| (y / self.factor) as usize);
        match (column, row) {
            (Some(column), Some(row)) if column < self.width && row < self.height => {
                self.parts[row * self.width + column]
            }
            _ => Part::None,
        }
    }

    /// How strong `plane` is in `part`: the root of its mean square. `None` for too few pixels.
    pub fn strength(&self, plane: &[f32], part: Part) -> Option<f32> {
        let (mut sum, mut n) = (0.0_f64, 0_u32);
        for (v, p) in plane.iter().zip(&self.parts) {
            if *p == part {
                sum += f64::from(v * v);
                n += 1;
            }
        }
        (LEAST_PIXELS <= n).then(|| ((sum / f64::from(n)) as f32 + FLOOR).sqrt())
    }

    /// How strong `plane` is in `part` by its median size, which edges hardly move. `None` for too
    /// few pixels.
    pub fn median_strength(&self, plane: &[f32], part: Part) -> Option<f32> {
        let mut counts = [0_u32; 512];
        let mut n = 0;
        for (v, p) in plane.iter().zip(&self.parts) {
            if *p == part {
                counts[((v.abs() * 32.0) as usize).min(511)] += 1;
                n += 1;
            }
        }
        if n < LEAST_PIXELS {
            return None;
        }
        let mut below = 0;
        let middle = counts.iter().position(|count| {
            below += count;
            n <= 2 * below
        });
        middle.map(|bin| (bin as f32 + 0.5) / 32.0)
    }
}

/// Sides of a patch under this hold no face worth the name.
const LEAST_SIDE_PX: u32 = 48;
/// Fewer pixels than this give no statistics.
const LEAST_PIXELS: u32 = 60;
/// A tenth of a level squared: what rounding to whole levels leaves anyway.
const FLOOR: f32 = 0.01;

/// A part of the frame that is shrunk by a whole factor.
#[derive(Clone, Copy)]
struct Window {
    /// Its first pixel in the frame.
    left: u32,
    top: u32,
    /// Its size once it is shrunk.
    width: u32,
    height: u32,
    /// Pixels of the frame, a side, that become one.
    factor: u32,
}

impl Window {
    /// Reads brightness, and blue and red against it.
    fn read(&self, picture: &Picture) -> [Vec<f32>; 3] {
        let n = self.width as usize * self.height as usize;
        let mut planes = [(); 3].map(|()| Vec::with_capacity(n));
        for y in 0..self.height {
            for x in 0..self.width {
                for (plane, v) in planes.iter_mut().zip(self.mean_at(picture, x, y)) {
                    plane.push(v);
                }
            }
        }
        planes
    }

    /// The mean of the square of pixels that becomes one: plain averaging adds no detail of its
    /// own, as sharper kernels would.
    fn mean_at(&self, picture: &Picture, x: u32, y: u32) -> [f32; 3] {
        let share = 1.0 / (self.factor * self.factor) as f32;
        let (from_x, from_y) = (self.left + x * self.factor, self.top + y * self.factor);
        let mut sum = [0.0_f32; 3];
        for dy in 0..self.factor {
            for dx in 0..self.factor {
                let rgb = picture.get(from_x + dx, from_y + dy);
                let bright = luma(rgb);
                sum[0] += bright;
                sum[1] += f32::from(rgb[2]) - bright;
                sum[2] += f32::from(rgb[0]) - bright;
            }
        }
        sum.map(|v| v * share)
    }
}

/// Splits a plane of this size into bands of detail, the finest first.
fn split(plane: Vec<f32>, size: (usize, usize)) -> [Vec<f32>; N_BANDS] {
    let mut sharp = plane;
    std::array::from_fn(|k| {
        // Each blur is twice as wide as the one before, by holes between its taps.
        let soft = blurred(&sharp, size, 1 << k);
        let band = difference(&sharp, &soft);
        sharp = soft;
        band
    })
}

fn difference(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// Blurs by [1 2 1] / 4 in both directions, with holes of `hole - 1` pixels; edges repeat.
fn blurred(plane: &[f32], (width, height): (usize, usize), hole: usize) -> Vec<f32> {
    let mut along = Vec::with_capacity(plane.len());
    for row in plane.chunks_exact(width) {
        along.extend((0..width).map(|x| {
            let (left, right) = (x.saturating_sub(hole), (x + hole).min(width - 1));
            0.25 * (row[left] + row[right]) + 0.5 * row[x]
        }));
    }
    let mut both = Vec::with_capacity(plane.len());
    for y in 0..height {
        let (above, below) = (y.saturating_sub(hole), (y + hole).min(height - 1));
        let rows = [above, y, below].map(|y| &along[y * width..(y + 1) * width]);
        let column = |x: usize| 0.25 * (rows[0][x] + rows[2][x]) + 0.5 * rows[1][x];
        both.extend((0..width).map(column));
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_of_a_single_dot_get_weaker_and_add_up() {
        let size = (33, 33);
        let mut dot = vec![0.0; 33 * 33];
        dot[16 * 33 + 16] = 1.0;
        let bands = split(dot, size);
        let energy = bands.clone().map(|b| b.iter().map(|v| v * v).sum::<f32>());
        assert!(energy[1] < energy[0] && energy[2] < energy[1], "{energy:?}");
        assert!((bands[0][16 * 33 + 16] - 0.75).abs() < 1e-6); // 1 − (1/2)²
    }

    #[test]
    fn a_flat_plane_has_no_detail() {
        let bands = split(vec![7.0; 40 * 20], (40, 20));
        assert!(bands.iter().flatten().all(|v| v.abs() < 1e-5));
    }
}
