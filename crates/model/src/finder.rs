//! The finder: where the faces in a picture are.
//!
//! One pass, no anchors: three grids of cells, 8, 16 and 32 px apart, each cell telling whether a
//! face of its grid's size is centred there, its box, and five points (after Tian et al., "FCOS",
//! ICCV 2019, and Wu et al., "YuNet", MIR 2023). A picture is looked at several times: finely for
//! small faces and more and more coarsely for those that fill it.

mod cpu;

use std::sync::Arc;

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::prelude::*;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use effigy_frame::resample::{OUTSIDE, resize};
use effigy_frame::{Picture, Point2, Rect};

use crate::device;
use crate::error::Result;
use crate::layers::{Residual, conv3, downsample, leaky_relu, quiet_conv3};
use crate::tensors::{PATCH_CHANNELS, space_to_depth, values};
use crate::weights::Weights;
use cpu::CpuNet;

/// A face in a picture. Coordinates are pixels of that picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The box around the face, forehead or hairline to chin.
    pub rect: Rect,
    /// The subject's right eye, left eye, nose tip, right and left corner of the mouth.
    pub points: [Point2; 5],
    /// How sure whatever found it is, `0..=1`.
    pub score: f32,
}

/// What to look for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FindSettings {
    /// Longer side of the smallest face to look for, in pixels of the picture.
    pub smallest_px: f32,
    /// The same as a share of the picture's longer side: no smaller face is looked for than either says.
    pub smallest_share: f32,
    /// Score below which a face is not reported, `0..=1`.
    pub least_score: f32,
}

impl Default for FindSettings {
    fn default() -> Self {
        Self {
            smallest_px: 24.0,
            smallest_share: SMALLEST_SHARE,
            least_score: 0.5,
        }
    }
}

/// 24 px at 3840: a search of a larger picture, such as a telephone's portrait of 50 megapixels, takes no longer.
const SMALLEST_SHARE: f32 = 1.0 / 160.0;

impl FindSettings {
    /// What the settings mean in a picture of this size.
    pub fn in_picture(&self, width: u32, height: u32) -> Self {
        let longer = width.max(height) as f32;
        Self {
            smallest_px: self.smallest_px.max(self.smallest_share * longer),
            smallest_share: 0.0,
            ..*self
        }
    }
}

/// Distance between the cells of each grid, in pixels of the network's input.
pub const STRIDES: [usize; 3] = [8, 16, 32];
/// Values per cell: a score (logit), the centre's offset in strides, the logarithm of width and
/// height over [`UNIT_STRIDES`] strides, and five points from the cell's middle in that unit.
pub const CELL_CHANNELS: usize = 15;
/// The unit of sizes and points, in strides.
pub const UNIT_STRIDES: f32 = 4.0;

/// The network.
#[derive(Module, Debug)]
pub struct Finder {
    to_8: Conv2d,
    at_8: Residual,
    to_16: Conv2d,
    at_16: Residual,
    to_32: Conv2d,
    at_32: Residual,
    from_32: Conv2d,
    from_16: Conv2d,
    head_8: Conv2d,
    head_16: Conv2d,
    head_32: Conv2d,
    /// Its weights packed for the processor, once they are final.
    #[module(skip)]
    cpu: Option<Arc<CpuNet>>,
}

impl Finder {
    /// Makes a network with fresh weights.
    pub fn new(device: &Device) -> Self {
        Self {
            to_8: downsample(PATCH_CHANNELS, 32, device),
            at_8: Residual::new(32, device),
            to_16: downsample(32, 64, device),
            at_16: Residual::new(64, device),
            to_32: downsample(64, 96, device),
            at_32: Residual::new(96, device),
            from_32: conv3(96, 64, device),
            from_16: conv3(64, 32, device),
            head_8: quiet_conv3(32, CELL_CHANNELS, device),
            head_16: quiet_conv3(64, CELL_CHANNELS, device),
            head_32: quiet_conv3(96, CELL_CHANNELS, device),
            cpu: None,
        }
    }

    /// Loads the network from `weights`.
    ///
    /// # Errors
    /// When its file is missing, damaged or another network's.
    pub fn load(weights: &Weights, device: &Device) -> Result<Self> {
        let mut loaded = weights.fill("finder", Self::new(device))?;
        loaded.cpu = device::is_processor(device).then(|| Arc::new(CpuNet::new(&loaded)));
        Ok(loaded)
    }

    /// `[n, 48, h/4, w/4]` → one `[n, 15, h/stride, w/stride]` for each of [`STRIDES`]
    pub fn forward(&self, pictures: Tensor<4>) -> [Tensor<4>; 3] {
        let x8 = self.at_8.forward(leaky_relu(self.to_8.forward(pictures)));
        let x16 = self
            .at_16
            .forward(leaky_relu(self.to_16.forward(x8.clone())));
        let x32 = self
            .at_32
            .forward(leaky_relu(self.to_32.forward(x16.clone())));
        let x16 = leaky_relu(x16 + upsample(self.from_32.forward(x32.clone())));
        let x8 = leaky_relu(x8 + upsample(self.from_16.forward(x16.clone())));
        [
            self.head_8.forward(x8),
            self.head_16.forward(x16),
            self.head_32.forward(x32),
        ]
    }

    /// Finds the faces in a picture, the most confident first.
    pub fn find(&self, picture: &Picture, settings: &FindSettings) -> Vec<Found> {
        let settings = settings.in_picture(picture.width(), picture.height());
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        if width.min(height) < settings.smallest_px {
            return Vec::new(); // no room for a face; a strip may be very long
        }
        let long_side = width.max(height);
        let fine = (NETWORK_SMALLEST_PX / settings.smallest_px)
            .min(1.0)
            .max((FINE_SIDE / long_side).min(1.0));
        let least = (LEAST_SIDE / long_side).min(fine);
        let scales = std::iter::successors(Some(fine), |scale| Some(LOOK_STEP * scale));
        let looks = scales.take_while(|&scale| scale >= least);
        let found = looks.flat_map(|scale| self.find_at(picture, scale, settings.least_score));
        without_repeats(found.collect())
    }

    /// Looks once, with the picture scaled by `scale`.
    fn find_at(&self, picture: &Picture, scale: f32, least_score: f32) -> Vec<Found> {
        let shrunk = |side: u32| ((side as f32 * scale).round() as u32).max(1);
        let (width, height) = (shrunk(picture.width()), shrunk(picture.height()));
        let input = padded(&resize(picture, width, height));
        let mut found = Vec::new();
        for grid in self.grids(&input) {
            grid.read(least_score, &mut found);
        }
        let back = [
            picture.width() as f32 / width as f32,
            picture.height() as f32 / height as f32,
        ];
        found.iter_mut().for_each(|face| scale_up(face, back));
        found
    }

    fn grids(&self, input: &Picture) -> [Grid; 3] {
        if let Some(cpu) = &self.cpu {
            return cpu.grids(input);
        }
        let device = self.head_8.weight.device();
        let grids = self.forward(space_to_depth(std::slice::from_ref(input), &device));
        let mut strides = STRIDES.into_iter();
        grids.map(|grid| {
            let [_, _, rows, columns] = grid.dims();
            Grid {
                cells: values(grid),
                rows,
                columns,
                stride: strides.next().unwrap_or_default() as f32,
            }
        })
    }
}

/// Size a face must have in the network's input to be found reliably.
const NETWORK_SMALLEST_PX: f32 = 12.0;
/// A picture is not shrunk below this long side for the fine look.
const FINE_SIDE: f32 = 320.0;
/// How much smaller each look is than the one before.
const LOOK_STEP: f32 = 0.6;
/// Long side of the coarsest look: a face that fills the picture is still found there.
const LEAST_SIDE: f32 = 112.0;
/// Boxes that share more than this are one face.
const SAME_FACE_IOU: f32 = 0.4;

/// One grid's raw values for one picture.
struct Grid {
    cells: Vec<f32>,
    rows: usize,
    columns: usize,
    stride: f32,
}

impl Grid {
    fn read(&self, least_score: f32, found: &mut Vec<Found>) {
        let least_logit = (least_score / (1.0 - least_score).max(1e-6)).max(1e-6).ln();
        for row in 0..self.rows {
            for column in 0..self.columns {
                if self.value(0, row, column) >= least_logit {
                    found.push(self.face(row, column));
                }
            }
        }
    }

    fn value(&self, channel: usize, row: usize, column: usize) -> f32 {
        self.cells[(channel * self.rows + row) * self.columns + column]
    }

    fn face(&self, row: usize, column: usize) -> Found {
        let value = |channel| self.value(channel, row, column);
        let unit = UNIT_STRIDES * self.stride;
        let middle_x = (column as f32 + 0.5) * self.stride;
        let middle_y = (row as f32 + 0.5) * self.stride;
        let size = |channel| unit * value(channel).clamp(-4.0, 4.0).exp();
        let (width, height) = (size(3), size(4));
        let centre = Point2::new(
            middle_x + value(1) * self.stride,
            middle_y + value(2) * self.stride,
        );
        let point = |i: usize| {
            Point2::new(
                middle_x + value(5 + 2 * i) * unit,
                middle_y + value(6 + 2 * i) * unit,
            )
        };
        Found {
            rect: Rect {
                x: centre.x - 0.5 * width,
                y: centre.y - 0.5 * height,
                width,
                height,
            },
            points: std::array::from_fn(point),
            score: 1.0 / (1.0 + (-value(0)).exp()),
        }
    }
}

fn upsample(x: Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let nearest = InterpolateOptions::new(InterpolateMode::Nearest)
        .with_align_corners(false)
        .with_output_size([2 * height, 2 * width]);
    interpolate(x, nearest)
}

/// Extends a picture to the right and downwards to whole cells of the coarsest grid, of 32 px.
pub(crate) fn padded(picture: &Picture) -> Picture {
    let whole = |side: u32| side.next_multiple_of(STRIDES[2] as u32);
    let (width, height) = (whole(picture.width()), whole(picture.height()));
    let mut pixels = vec![OUTSIDE; width as usize * height as usize * 3];
    let old_row = picture.width() as usize * 3;
    let rows = pixels.chunks_exact_mut(width as usize * 3);
    for (new, old) in rows.zip(picture.pixels().chunks_exact(old_row)) {
        new[..old_row].copy_from_slice(old);
    }
    Picture::new(width, height, pixels)
}

fn scale_up(face: &mut Found, [sx, sy]: [f32; 2]) {
    let rect = face.rect;
    face.rect = Rect {
        x: rect.x * sx,
        y: rect.y * sy,
        width: rect.width * sx,
        height: rect.height * sy,
    };
    face.points = face.points.map(|p| Point2::new(p.x * sx, p.y * sy));
}

/// Keeps the most confident of each group of overlapping boxes (non-maximum suppression).
pub(crate) fn without_repeats(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Found> = Vec::new();
    for face in found {
        if kept
            .iter()
            .all(|k| k.rect.iou(face.rect) < SAME_FACE_IOU && !swallows(k.rect, face.rect))
        {
            kept.push(face);
        }
    }
    kept
}

/// Whether most of `inner` lies in `outer`: a nose taken for a small face, say.
fn swallows(outer: Rect, inner: Rect) -> bool {
    let width = (outer.x + outer.width).min(inner.x + inner.width) - outer.x.max(inner.x);
    let height = (outer.y + outer.height).min(inner.y + inner.height) - outer.y.max(inner.y);
    width.max(0.0) * height.max(0.0) > 0.8 * inner.area()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::noise;

    #[test]
    fn the_packed_network_agrees_with_burn() {
        let packed = Finder::load(&Weights::from_source_tree().unwrap(), &Device::flex()).unwrap();
        let plain = Finder {
            cpu: None,
            ..packed.clone()
        };
        let picture = noise(96, 64);
        for (a, b) in packed.grids(&picture).iter().zip(&plain.grids(&picture)) {
            assert_eq!((a.rows, a.columns), (b.rows, b.columns));
            assert_eq!((a.stride, a.cells.len()), (b.stride, b.cells.len()));
            for (a, b) in a.cells.iter().zip(&b.cells) {
                // Single precision, another order of adding.
                assert!((a - b).abs() < 1e-3 * (1.0 + b.abs()), "{a}, not {b}");
            }
        }
    }

    #[test]
    fn gives_three_grids() {
        let device = Device::flex();
        let grids = Finder::new(&device).forward(Tensor::zeros([2, 48, 16, 24], &device));
        let shapes = grids.map(|grid| grid.dims());
        assert_eq!(shapes, [[2, 15, 8, 12], [2, 15, 4, 6], [2, 15, 2, 3]]);
    }

    #[test]
    fn a_lit_cell_becomes_the_face_that_was_encoded() {
        let mut cells = vec![0.0; CELL_CHANNELS * 4];
        cells[..4].fill(-9.0);
        let mut set = |channel: usize, value: f32| cells[channel * 4 + 3] = value;
        set(0, 3.0); // score
        set(1, 0.25); // centre 2 px to the right
        set(4, 0.5_f32.ln()); // half a unit high
        set(5, -0.5); // right eye half a unit to the left
        let grid = Grid {
            cells,
            rows: 2,
            columns: 2,
            stride: 8.0,
        };
        let mut found = Vec::new();
        grid.read(0.5, &mut found);
        assert_eq!(found.len(), 1);
        let face = &found[0];
        assert!((face.rect.centre().x - 14.0).abs() < 1e-4);
        assert!((face.rect.width - 32.0).abs() < 1e-3 && (face.rect.height - 16.0).abs() < 1e-3);
        assert!((face.points[0].x - (12.0 - 16.0)).abs() < 1e-4);
        assert!((face.score - 0.9526).abs() < 1e-3);
    }

    #[test]
    fn strips_without_room_for_a_face_are_passed_over() {
        let net = Finder::load(&Weights::from_source_tree().unwrap(), &Device::flex()).unwrap();
        // Anything counts, so that looking at all shows.
        let settings = FindSettings {
            least_score: 0.0,
            ..FindSettings::default()
        };
        assert_eq!(net.find(&noise(200, 20), &settings), []);
        assert_ne!(net.find(&noise(200, 24), &settings), []);
    }

    #[test]
    fn large_pictures_are_searched_no_finer_than_4k() {
        let settings = FindSettings::default();
        let smallest = |width, height| settings.in_picture(width, height).smallest_px;
        assert_eq!(smallest(640, 480), 24.0);
        assert_eq!(smallest(3840, 2160), 24.0);
        assert_eq!(smallest(6000, 8000), 50.0);
    }

    #[test]
    fn of_two_boxes_on_one_face_the_surer_stays() {
        let rect = Rect {
            x: 0.0,
            y: 0.0,
            width: 10.0,
            height: 10.0,
        };
        let face = |x: f32, score: f32| Found {
            rect: Rect { x, ..rect },
            points: [Point2::default(); 5],
            score,
        };
        let kept = without_repeats(vec![face(0.0, 0.6), face(1.0, 0.9), face(30.0, 0.7)]);
        let scores: Vec<f32> = kept.iter().map(|f| f.score).collect();
        assert_eq!(scores, [0.9, 0.7]);
    }
}
