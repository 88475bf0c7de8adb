//! The quality card of a puppet: whether it is still the person in the portrait, whether it does what
//! it was asked to, and how it compares with the truth where that is known.

use std::path::{Path, PathBuf};

use effigy_face::align::{MODEL_EXTENT, aligned_view, identity_crop, mesh_view};
use effigy_face::ibug68::IBUG_68;
use effigy_face::landmarks::{EXPRESSION_POINTS, eye_distance};
use effigy_face::mask::hull_mask;
use effigy_frame::{Picture, Point2, Point3, resample};
use effigy_mark::consent::Template;
use effigy_media::{Limits, VideoReader};
use effigy_model::FaceMesh;
use serde::Serialize;

use super::card::{self, Figure};
use super::ground_truth::{REGIONS, Region, named_regions, part_at, parts};
use super::likeness::{Likeness, Sums, square};
use super::{MEASURE_EVERY, Mean};
use crate::error::Result;
use crate::steps::networks::Networks;

/// What a puppet reached: averages over the frames that were measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MovedQuality {
    /// Frames that were measured: every fifth.
    pub n_frames_measured: u64,
    /// Similarity to the person in the portrait, by their consent.
    pub identity_to_portrait: Option<f64>,
    /// Similarity to the driver.
    pub identity_to_driver: Option<f64>,
    /// Share of frames more similar to the person in the portrait than to the driver; `None` where the
    /// identity network takes both for one person.
    pub share_nearer_to_portrait: Option<f64>,
    /// How far mouth, eyes and brows lie from where they were asked to be, in % of eye distance.
    pub expression_error: Option<f64>,
    /// Against the truth, where there is one.
    pub truth: Option<MovedTruth>,
}

/// A puppet against what it should look like.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MovedTruth {
    /// Frames that were compared; 0 where the truth is shorter, or shows no face.
    pub n_frames_compared: u64,
    /// Mean distance of 68 points from the truth's, in place, in % of eye distance.
    pub points_error: Option<f64>,
    /// Inside the face, in place.
    pub in_place: Option<Likeness>,
    /// Inside the face, both faces aligned.
    pub aligned: Option<Likeness>,
    /// The same by part of the face.
    pub regions: Vec<Region>,
}

/// Measures while a puppet is drawn.
pub(crate) struct MovedMeasuring<'a> {
    networks: &'a Networks,
    portrait: Template,
    driver: Option<Template>,
    truth: Option<Truth>,
    to_portrait: Mean,
    to_driver: Mean,
    nearer: Mean,
    expression: Mean,
    n_frames: u64,
    n_measured: u64,
}

struct Truth {
    frames: VideoReader,
    points: Mean,
    in_place: Sums,
    aligned: Sums,
    regions: [Mean; REGIONS.len()],
}

/// Side of the crops that are compared, in pixels.
const SIDE_PX: u32 = 160;

impl<'a> MovedMeasuring<'a> {
    /// Begins; `truth` is a clip of what the result should look like, frame by frame from a moment on, in
    /// seconds.
    ///
    /// # Errors
    /// When the truth cannot be opened.
    pub(crate) fn new(
        networks: &'a Networks,
        portrait: Template,
        driver: Option<Template>,
        truth: Option<(&Path, f64)>,
    ) -> Result<Self> {
        let open = |(path, from_secs): (&Path, f64)| -> Result<Truth> {
            let mut frames = VideoReader::open(path, &Limits::default())?;
            if 0.0 < from_secs {
                frames.seek(from_secs)?;
            }
            Ok(Truth {
                frames,
                points: Mean::default(),
                in_place: Sums::default(),
                aligned: Sums::default(),
                regions: Default::default(),
            })
        };
        Ok(Self {
            networks,
            portrait,
            driver,
            truth: truth.map(open).transpose()?,
            to_portrait: Mean::default(),
            to_driver: Mean::default(),
            nearer: Mean::default(),
            expression: Mean::default(),
            n_frames: 0,
            n_measured: 0,
        })
    }

    /// Takes in a drawn frame, and the mesh points that its face was asked to have.
    ///
    /// # Errors
    /// When the truth cannot be read.
    pub(crate) fn take(&mut self, drawn: &Picture, asked: &[Point3]) -> Result<()> {
        let is_due = self.n_frames.is_multiple_of(MEASURE_EVERY);
        self.n_frames += 1;
        let truth = match &mut self.truth {
            Some(truth) => truth.frames.next().transpose()?,
            None => None,
        };
        if !is_due {
            return Ok(());
        }
        let face_mesh = &self.networks.face_mesh;
        let Some(found) = look(face_mesh, drawn, asked) else {
            return Ok(());
        };
        self.n_measured += 1;
        let unit = eye_distance(asked).max(1.0);
        let off = EXPRESSION_POINTS.map(|i| found[i].xy().distance(asked[i].xy()));
        let mean = off.iter().sum::<f32>() / off.len() as f32;
        self.expression.add(Some(f64::from(100.0 * mean / unit)));
        self.identity(drawn, &found);
        if let (Some(frame), Some(truth)) = (truth, &mut self.truth) {
            truth.compare(face_mesh, drawn, &frame.picture, &found);
        }
        Ok(())
    }

    fn identity(&mut self, drawn: &Picture, found: &[Point3]) {
        let crop = identity_crop(drawn, found);
        let identity = crop.and_then(|crop| self.networks.face_embedder.embed(&[crop]).pop());
        let Some(identity) = identity else {
            return;
        };
        let to = |template: &Template| f64::from(template.similarity(&identity.0));
        let to_portrait = to(&self.portrait);
        self.to_portrait.add(Some(to_portrait));
        let Some(driver) = &self.driver else {
            return;
        };
        let to_driver = to(driver);
        self.to_driver.add(Some(to_driver));
        // Where both are taken for one person, which of them is nearer is chance.
        let usual = self.networks.weights.identity_scale().usual();
        if self.portrait.similarity_between(driver) < usual.similarity {
            let is_nearer = to_driver < to_portrait;
            self.nearer.add(Some(f64::from(u8::from(is_nearer))));
        }
    }

    /// What was reached.
    pub(crate) fn finish(self) -> MovedQuality {
        MovedQuality {
            n_frames_measured: self.n_measured,
            identity_to_portrait: self.to_portrait.get(),
            identity_to_driver: self.to_driver.get(),
            share_nearer_to_portrait: self.nearer.get(),
            expression_error: self.expression.get(),
            truth: self.truth.map(|truth| MovedTruth {
                n_frames_compared: truth.points.n,
                points_error: truth.points.get(),
                in_place: (0 < truth.points.n).then(|| truth.in_place.likeness()),
                aligned: (0 < truth.points.n).then(|| truth.aligned.likeness()),
                regions: named_regions(&truth.regions),
            }),
        }
    }
}

impl Truth {
    fn compare(
        &mut self,
        face_mesh: &FaceMesh,
        drawn: &Picture,
        frame: &Picture,
        found: &[Point3],
    ) {
        let (width, height) = (drawn.width(), drawn.height());
        let frame = if (frame.width(), frame.height()) == (width, height) {
            frame.clone()
        } else {
            resample::resize(frame, width, height)
        };
        let Some(right) = look(face_mesh, &frame, found) else {
            return;
        };
        let unit = eye_distance(&right).max(1.0);
        let off = IBUG_68.map(|i| found[i].xy().distance(right[i].xy()));
        let mean = off.iter().sum::<f32>() / off.len() as f32;
        self.points.add(Some(f64::from(100.0 * mean / unit)));
        let flat: Vec<Point2> = right.iter().map(|p| p.xy()).collect();
        self.in_place
            .add(drawn, &frame, &inside(&flat, width, height));
        let views = [found, &right].map(|points| aligned_view(points, SIDE_PX, MODEL_EXTENT));
        let [Some(ours), Some(theirs)] = views else {
            return;
        };
        let Some(crop_from_frame) = theirs.inverse() else {
            return;
        };
        let in_crop: Vec<Point2> = flat.iter().map(|&p| crop_from_frame.apply(p)).collect();
        let crops = [(drawn, ours), (&frame, theirs)];
        let [ours, theirs] = crops.map(|(picture, view)| resample::crop(picture, view, SIDE_PX));
        let face = inside(&in_crop, SIDE_PX, SIDE_PX);
        self.aligned.add(&ours, &theirs, &face);
        let right: Vec<Point3> = right.iter().map(|&p| crop_from_frame.apply3(p)).collect();
        let parts = parts(&right);
        for i in (0..SIDE_PX * SIDE_PX).filter(|&i| face[i as usize]) {
            let (x, y) = (i % SIDE_PX, i / SIDE_PX);
            let square = square(&ours, &theirs, x, y);
            self.regions[part_at(&parts, x, y)].add(Some(square));
        }
    }
}

/// Which pixels lie inside the hull of some points.
fn inside(points: &[Point2], width: u32, height: u32) -> Vec<bool> {
    let mask = hull_mask(points, width as usize, height as usize);
    mask.values().iter().map(|v| 0.5 < *v).collect()
}

/// Fits the mesh to a face near `points`.
pub(super) fn look(
    face_mesh: &FaceMesh,
    picture: &Picture,
    points: &[Point3],
) -> Option<Vec<Point3>> {
    let mut found = points.to_vec();
    for _ in 0..2 {
        let view = mesh_view(&found, FaceMesh::SIDE_PX)?;
        let mesh = face_mesh.fit(&resample::crop(picture, view, FaceMesh::SIDE_PX));
        found = mesh.points.iter().map(|&p| view.apply3(p)).collect();
    }
    Some(found)
}

impl MovedQuality {
    /// All figures, in the order in which they matter.
    pub fn figures(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        // Nobody is seen in movement that is written down.
        if self.identity_to_driver.is_some() {
            let percent = self.share_nearer_to_portrait.map(|share| 100.0 * share);
            let nearer = Figure::new("more similar to the portrait", percent, " %");
            figures.push(match percent {
                Some(_) => nearer.at_least(95.0),
                None => nearer.not_judged(),
            });
        }
        let identity = |name, value| Figure::new(name, value, "");
        figures.push(identity(
            "identity similarity to the portrait",
            self.identity_to_portrait,
        ));
        if self.identity_to_driver.is_some() {
            figures.push(identity(
                "identity similarity to the driver",
                self.identity_to_driver,
            ));
        }
        figures.push(Figure::new(
            "mouth, eyes and brows off what was asked",
            self.expression_error,
            " % of eye distance",
        ));
        if let Some(truth) = &self.truth {
            figures.extend([
                Figure::new(
                    "68 points off the truth",
                    truth.points_error,
                    " % of eye distance",
                )
                .at_most(5.0),
                Figure::new(
                    "face against the truth, in place",
                    truth.in_place.map(|l| l.psnr_db),
                    " dB",
                ),
                Figure::new(
                    "  structural similarity",
                    truth.in_place.map(|l| l.ssim),
                    "",
                ),
                Figure::new("the same, aligned", truth.aligned.map(|l| l.psnr_db), " dB")
                    .at_least(24.0),
                Figure::new("  structural similarity", truth.aligned.map(|l| l.ssim), "")
                    .at_least(0.85),
            ]);
            let of_part = |r: &Region| Figure::new(r.name, Some(r.psnr_db), " dB");
            figures.extend(truth.regions.iter().map(of_part));
        }
        figures
    }

    /// The figures in words, one line for each.
    pub fn lines(&self) -> Vec<String> {
        self.figures().iter().map(Figure::line).collect()
    }

    /// Writes the figures beside `output` as `NAME.quality.json`; gives the path.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn write_beside(&self, output: &Path) -> Result<PathBuf> {
        let path = path_beside(output);
        card::write(self, &path)?;
        Ok(path)
    }
}

/// Where the figures of `output` go.
pub(crate) fn path_beside(output: &Path) -> PathBuf {
    let [json, _] = super::paths_beside(output);
    json
}
