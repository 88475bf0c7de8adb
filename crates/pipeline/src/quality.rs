//! The quality card of a swap: what was reached, in numbers, measured before encoding.
//!
//! Faces are measured now and then, flicker and stray pixels on every frame. Everything compares
//! the result with the source frame it was made from.

use std::path::{Path, PathBuf};

use effigy_face::align::{IDENTITY_EXTENT, aligned_view, mesh_view};
use effigy_face::pose::pose;
use effigy_frame::colour::{lab_from_rgb, luma};
use effigy_frame::{Picture, Point3, Similarity, resample};
use effigy_mark::consent::Template;
use effigy_model::{Identifier, Mesher};
use effigy_render::Laid;
use serde::Serialize;

use crate::draft::DraftFile;
use crate::error::Result;
use crate::networks::Networks;

/// What a swap reached. Averages over the faces or frames that were measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Quality {
    /// Faces that identity, expression and seam were measured on.
    pub n_faces_measured: u64,
    /// Frames that flicker and stray pixels were measured on.
    pub n_frames_measured: u64,
    /// Cosine similarity to the person who was drawn.
    pub identity_to_intended: Option<f64>,
    /// Cosine similarity to the person whose face was replaced.
    pub identity_to_original: Option<f64>,
    /// Share of faces that are nearer to the person drawn.
    pub share_nearer_to_intended: Option<f64>,
    /// Mean distance of mouth and eye points from the source's, in % of eye distance.
    pub expression_error: Option<f64>,
    /// The same distance between two looks at the source alone: the mesh's own noise.
    pub expression_noise: Option<f64>,
    /// Mean angle between the head poses of result and source, in degrees.
    pub pose_error_degrees: Option<f64>,
    /// Mean colour difference along the rim of the mask, CIE76.
    pub seam_delta_e: Option<f64>,
    /// Change from frame to frame in the face, over the source's own.
    pub flicker_ratio: Option<f64>,
    /// Pixels changed outside the mask. Anything but 0 is a mistake of this program.
    pub pixels_changed_outside: u64,
}

/// Measures a swap while it runs.
pub(crate) struct Measuring<'a> {
    networks: &'a Networks,
    intended: Option<&'a Template>,
    original: Option<&'a Template>,
    intended_similarity: Mean,
    original_similarity: Mean,
    nearer: Mean,
    expression: Mean,
    noise: Mean,
    pose: Mean,
    seam: Mean,
    source_change: Mean,
    result_change: Mean,
    last: Vec<Still>,
    n_outside: u64,
    n_faces: u64,
    n_frames: u64,
}

/// One face that was replaced.
pub(crate) struct Replaced<'a> {
    pub(crate) track: u32,
    pub(crate) points: &'a [Point3],
    pub(crate) laid: Laid,
}

/// A face at a moment, small and grey.
struct Still {
    track: u32,
    source: Vec<f32>,
    result: Vec<f32>,
}

#[derive(Default)]
struct Mean {
    sum: f64,
    n: u64,
}

/// Frames from one measured face to the next.
const MEASURE_EVERY: u64 = 15;
/// Side of the stills that flicker is measured on, and what they cover.
const STILL_SIDE: u32 = 48;
const STILL_EXTENT: f32 = 1.9;
/// Mask values that count as the rim.
const RIM: f32 = 0.25;
/// Points of the mouth and of both eyes' edges.
const EXPRESSION_POINTS: [usize; 24] = [
    61, 291, 0, 17, 13, 14, 37, 267, 84, 314, 82, 312, 33, 133, 159, 145, 158, 153, 263, 362, 386,
    374, 385, 380,
];

impl<'a> Measuring<'a> {
    pub(crate) fn new(
        networks: &'a Networks,
        intended: Option<&'a Template>,
        original: Option<&'a Template>,
    ) -> Self {
        let mean = Mean::default;
        Self {
            networks,
            intended,
            original,
            intended_similarity: mean(),
            original_similarity: mean(),
            nearer: mean(),
            expression: mean(),
            noise: mean(),
            pose: mean(),
            seam: mean(),
            source_change: mean(),
            result_change: mean(),
            last: Vec::new(),
            n_outside: 0,
            n_faces: 0,
            n_frames: 0,
        }
    }

    /// Takes in one frame before and after its faces were replaced.
    pub(crate) fn take(&mut self, source: &Picture, result: &Picture, replaced: &[Replaced<'_>]) {
        self.n_outside += changed_outside(source, result, replaced);
        for face in replaced {
            self.seam.add(seam(source, result, &face.laid));
            self.flicker(source, result, face);
            if self.n_frames.is_multiple_of(MEASURE_EVERY) {
                self.identity(result, face);
                self.expression(source, result, face);
                self.n_faces += 1;
            }
        }
        self.n_frames += 1;
    }

    fn flicker(&mut self, source: &Picture, result: &Picture, face: &Replaced<'_>) {
        let Some(view) = aligned_view(face.points, STILL_SIDE, STILL_EXTENT) else {
            return;
        };
        let still = |picture| grey(&resample::crop(picture, view, STILL_SIDE));
        let now = Still {
            track: face.track,
            source: still(source),
            result: still(result),
        };
        if let Some(before) = self.last.iter_mut().find(|last| last.track == face.track) {
            self.source_change
                .add(Some(change(&before.source, &now.source)));
            self.result_change
                .add(Some(change(&before.result, &now.result)));
            *before = now;
        } else {
            self.last.push(now);
        }
    }

    fn identity(&mut self, result: &Picture, face: &Replaced<'_>) {
        let side = Identifier::SIDE_PX;
        let Some(view) = aligned_view(face.points, side, IDENTITY_EXTENT) else {
            return;
        };
        let crop = resample::crop(result, view, side);
        let Some(identity) = self.networks.identifier.embed(&[crop]).pop() else {
            return;
        };
        let to = |template: Option<&Template>| {
            template.map(|template| f64::from(template.similarity(&identity.0)))
        };
        let (intended, original) = (to(self.intended), to(self.original));
        self.intended_similarity.add(intended);
        self.original_similarity.add(original);
        let both = intended.zip(original);
        self.nearer.add(
            both.map(|(to_intended, to_original)| f64::from(u8::from(to_original < to_intended))),
        );
    }

    fn expression(&mut self, source: &Picture, result: &Picture, face: &Replaced<'_>) {
        let side = Mesher::SIDE_PX;
        let Some(view) = mesh_view(face.points, side) else {
            return;
        };
        // A second look, a little aside: where the two differ, it is the mesh and not the face.
        let aside = view.of(Similarity {
            a: 1.02,
            b: 0.01,
            tx: -1.0,
            ty: 1.5,
        });
        let look = |picture: &Picture, view: Similarity| {
            let mesh = self
                .networks
                .mesher
                .fit(&resample::crop(picture, view, side));
            mesh.points
                .iter()
                .map(|&point| view.apply3(point))
                .collect::<Vec<Point3>>()
        };
        let (seen, again, drawn) = (look(source, view), look(source, aside), look(result, view));
        self.noise.add(Some(gap(&seen, &again)));
        self.expression.add(Some(gap(&seen, &drawn)));
        let (from, to) = (pose(&seen), pose(&drawn));
        let angles = [
            from.yaw - to.yaw,
            from.pitch - to.pitch,
            from.roll - to.roll,
        ];
        self.pose.add(Some(f64::from(
            angles.iter().map(|a| a * a).sum::<f32>().sqrt(),
        )));
    }

    /// What was reached.
    pub(crate) fn finish(self) -> Quality {
        let ratio = self.result_change.get().zip(self.source_change.get());
        Quality {
            n_faces_measured: self.n_faces,
            n_frames_measured: self.n_frames,
            identity_to_intended: self.intended_similarity.get(),
            identity_to_original: self.original_similarity.get(),
            share_nearer_to_intended: self.nearer.get(),
            expression_error: self.expression.get(),
            expression_noise: self.noise.get(),
            pose_error_degrees: self.pose.get(),
            seam_delta_e: self.seam.get(),
            flicker_ratio: ratio.map(|(result, source)| result / source.max(1e-3)),
            pixels_changed_outside: self.n_outside,
        }
    }
}

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.sum += value;
            self.n += 1;
        }
    }

    fn get(&self) -> Option<f64> {
        (0 < self.n).then(|| self.sum / self.n as f64)
    }
}

impl Quality {
    /// The card in words, one line for each figure.
    pub fn lines(&self) -> Vec<String> {
        let line = |name: &str, value: Option<f64>, unit: &str| {
            let value = value.map_or("not measured".to_owned(), |v| format!("{v:.2}{unit}"));
            format!("{name:<34}{value}")
        };
        vec![
            line(
                "likeness to the person drawn",
                self.identity_to_intended,
                "",
            ),
            line(
                "likeness to the person replaced",
                self.identity_to_original,
                "",
            ),
            line(
                "nearer to the person drawn",
                self.share_nearer_to_intended.map(|v| 100.0 * v),
                " %",
            ),
            line(
                "mouth and eyes off by",
                self.expression_error,
                " % of eye distance",
            ),
            line(
                "  of which the mesh's own noise",
                self.expression_noise,
                " %",
            ),
            line("head pose off by", self.pose_error_degrees, "°"),
            line("colour step at the rim", self.seam_delta_e, " ΔE"),
            line("flicker against the source's own", self.flicker_ratio, "×"),
            format!(
                "{:<34}{}",
                "pixels changed outside the mask", self.pixels_changed_outside
            ),
        ]
    }

    /// Writes the card beside `output` as `NAME.quality.json`; gives its path.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_beside(&self, output: &Path) -> Result<PathBuf> {
        let path = output.with_extension("quality.json");
        let mut draft = DraftFile::create(&path)?;
        let json = serde_json::to_vec_pretty(self).unwrap_or_default();
        draft.write(&json)?;
        draft.finish()?;
        Ok(path)
    }
}

/// Pixels that differ though no mask covers them.
fn changed_outside(source: &Picture, result: &Picture, replaced: &[Replaced<'_>]) -> u64 {
    let width = source.width() as usize;
    let pairs = source
        .pixels()
        .chunks_exact(3)
        .zip(result.pixels().chunks_exact(3));
    let changed = pairs
        .enumerate()
        .filter(|(_, (before, after))| before != after);
    let is_stray = |i: usize| {
        !replaced
            .iter()
            .any(|face| 0.0 < mask_at(&face.laid, i % width, i / width))
    };
    changed.filter(|(i, _)| is_stray(*i)).count() as u64
}

fn mask_at(laid: &Laid, x: usize, y: usize) -> f32 {
    let (left, top) = (laid.rect.x as usize, laid.rect.y as usize);
    let inside =
        left <= x && top <= y && x - left < laid.mask.width() && y - top < laid.mask.height();
    if inside {
        laid.mask.get(x - left, y - top)
    } else {
        0.0
    }
}

/// Mean colour difference between source and result where the mask begins.
fn seam(source: &Picture, result: &Picture, laid: &Laid) -> Option<f64> {
    let (left, top) = (laid.rect.x as u32, laid.rect.y as u32);
    let mut mean = Mean::default();
    // Every third pixel tells as much.
    for (i, &value) in laid.mask.values().iter().enumerate().step_by(3) {
        if 0.0 < value && value <= RIM {
            let (x, y) = (
                (i % laid.mask.width()) as u32,
                (i / laid.mask.width()) as u32,
            );
            let lab = |picture: &Picture| lab_from_rgb(picture.get(left + x, top + y));
            let (before, after) = (lab(source), lab(result));
            let square: f32 = before
                .iter()
                .zip(&after)
                .map(|(a, b)| (a - b) * (a - b))
                .sum();
            mean.add(Some(f64::from(square.sqrt())));
        }
    }
    mean.get()
}

fn grey(picture: &Picture) -> Vec<f32> {
    picture
        .pixels()
        .chunks_exact(3)
        .map(|rgb| luma([rgb[0], rgb[1], rgb[2]]))
        .collect()
}

fn change(before: &[f32], after: &[f32]) -> f64 {
    let sum: f64 = before
        .iter()
        .zip(after)
        .map(|(a, b)| f64::from((a - b).abs()))
        .sum();
    sum / before.len() as f64
}

/// Mean distance between expression points once both faces lie on each other, in % of eye distance.
fn gap(a: &[Point3], b: &[Point3]) -> f64 {
    let eyes = a[33].xy().distance(a[263].xy()).max(1.0);
    let distance = |&i: &usize| f64::from(a[i].xy().distance(b[i].xy()));
    let sum: f64 = EXPRESSION_POINTS.iter().map(distance).sum();
    100.0 * sum / EXPRESSION_POINTS.len() as f64 / f64::from(eyes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_frame::{Plane, Rect};

    fn laid() -> Laid {
        let mut mask = Plane::filled(4, 4, 1.0);
        mask.values_mut()[0] = 0.0;
        mask.values_mut()[3] = 0.1;
        Laid {
            rect: Rect {
                x: 2.0,
                y: 3.0,
                width: 4.0,
                height: 4.0,
            },
            mask,
        }
    }

    fn replaced(points: &[Point3]) -> [Replaced<'_>; 1] {
        [Replaced {
            track: 0,
            points,
            laid: laid(),
        }]
    }

    #[test]
    fn stray_pixels_are_counted() {
        let source = Picture::filled(10, 10, [50; 3]);
        let mut result = source.clone();
        result.set(3, 4, [9; 3]); // under the mask
        assert_eq!(changed_outside(&source, &result, &replaced(&[])), 0);
        result.set(2, 3, [9; 3]); // in the box, but the mask is 0
        result.set(9, 9, [9; 3]);
        assert_eq!(changed_outside(&source, &result, &replaced(&[])), 2);
    }

    #[test]
    fn seam_looks_at_the_rim_alone() {
        let source = Picture::filled(10, 10, [50; 3]);
        let mut result = source.clone();
        result.set(4, 5, [255; 3]);
        assert_eq!(seam(&source, &result, &laid()), Some(0.0));
        result.set(5, 3, [255; 3]);
        assert!(50.0 < seam(&source, &result, &laid()).unwrap());
    }

    #[test]
    fn same_mesh_has_no_expression_error() {
        let mut a = vec![Point3::default(); 478];
        a[263].x = 100.0;
        let mut b = a.clone();
        assert!(gap(&a, &b) < 1e-9);
        b[61].y += 24.0;
        assert!((gap(&a, &b) - 1.0).abs() < 1e-6);
    }
}
