//! The quality card: what was reached, in numbers and pictures, measured before encoding.
//!
//! Faces are measured in some frames, flicker and pixels outside the mask in all. Everything
//! compares the result with the frame of the target clip it was made from. [`page`] shows the card to
//! people, [`card`] is what programs read.

mod card;
mod expression;
mod ground_truth;
mod likeness;
mod moved;
mod page;
mod pixels;
mod samples;
mod spoken;

use std::path::{Path, PathBuf};

use effigy_face::align::identity_crop;
use effigy_files::is_picture;
use effigy_frame::{Frame, Picture, Point3};
use effigy_mark::consent::Template;
use effigy_render::Change;

pub use card::{Figure, Quality, Target};
pub use ground_truth::{GroundTruth, Region};
pub use likeness::Likeness;
pub(crate) use moved::{MovedMeasuring, path_beside};
pub use moved::{MovedQuality, MovedTruth};
pub(crate) use spoken::SpokenMeasuring;
pub use spoken::SpokenQuality;

use crate::error::Result;
use crate::steps::consent::Authorisation;
use crate::steps::networks::Networks;
use expression::Expression;
pub(crate) use ground_truth::{Comparison, Redrawing};
use pixels::{Stills, changed_outside, seam};
use samples::{Samples, Scores};

/// Frames from one measured face to the next.
const MEASURE_EVERY: u64 = 5;

/// Measures while frames are drawn.
pub(crate) struct Measuring<'a> {
    networks: &'a Networks,
    looks: Looks<'a>,
    intended_similarity: Mean,
    original_similarity: Mean,
    nearer: Mean,
    expression: Expression,
    seam: Mean,
    stills: Stills,
    turned: Mean,
    samples: Samples,
    ground_truth: Option<Comparison<'a>>,
    n_outside: u64,
    n_faces: u64,
    n_frames: u64,
}

/// A picture, or a part of one, before and after its face was replaced.
#[derive(Clone, Copy)]
pub(crate) struct BeforeAfter<'a> {
    pub(crate) before: &'a Picture,
    pub(crate) after: &'a Picture,
}

/// The templates of the people concerned; `None` where their consents hold no pictures.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Looks<'a> {
    /// The person whose face is drawn.
    pub(crate) intended: Option<&'a Template>,
    /// The person whose face was there before.
    pub(crate) original: Option<&'a Template>,
}

/// One face that was replaced.
pub(crate) struct Replaced<'a> {
    pub(crate) track: u32,
    pub(crate) points: &'a [Point3],
    pub(crate) change: Change,
}

/// A running average.
#[derive(Clone, Copy, Default)]
struct Mean {
    sum: f64,
    n: u64,
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

impl<'a> Measuring<'a> {
    /// Begins; `ground_truth` is what the result should look like, where that is known.
    pub(crate) fn new(
        networks: &'a Networks,
        looks: Looks<'a>,
        ground_truth: Option<Comparison<'a>>,
    ) -> Self {
        Self {
            networks,
            looks,
            intended_similarity: Mean::default(),
            original_similarity: Mean::default(),
            nearer: Mean::default(),
            expression: Expression::default(),
            seam: Mean::default(),
            stills: Stills::default(),
            turned: Mean::default(),
            samples: Samples::default(),
            ground_truth,
            n_outside: 0,
            n_faces: 0,
            n_frames: 0,
        }
    }

    /// Takes in one frame before and after those of its `n_faces` were replaced that are not turned
    /// too far.
    ///
    /// # Errors
    /// When the ground truth cannot be read.
    pub(crate) fn take(
        &mut self,
        target: &Picture,
        result: &Frame,
        replaced: &[Replaced<'_>],
        n_faces: usize,
    ) -> Result<()> {
        let both = BeforeAfter {
            before: target,
            after: &result.picture,
        };
        self.n_outside += changed_outside(target, &result.picture, replaced);
        let n_whole = replaced.iter().filter(|face| 1.0 <= face.change.opacity);
        let n_whole = n_whole.count();
        (0..n_faces).for_each(|i| self.turned.add(Some(f64::from(u8::from(n_whole <= i)))));
        for face in replaced {
            let seam = seam(target, &result.picture, &face.change);
            self.seam.add(seam);
            self.stills.take(target, &result.picture, face);
            if self.n_frames.is_multiple_of(MEASURE_EVERY) {
                let scores = Scores {
                    secs: result.time.secs(),
                    likeness: self.identity(&result.picture, face),
                    expression: self
                        .expression
                        .take(&self.networks.face_mesh, both, face.points),
                    seam,
                };
                self.samples.take(both, face.points, scores);
                self.n_faces += 1;
            }
        }
        if let (Some(ground_truth), Some(face)) = (&mut self.ground_truth, replaced.first()) {
            ground_truth.take(result.index, both, face.points)?;
        }
        self.n_frames += u64::from(!replaced.is_empty());
        Ok(())
    }

    /// Measures the identity; gives how much more similar it is to the source than to the
    /// performer, or how similar where only the source is known.
    fn identity(&mut self, result: &Picture, face: &Replaced<'_>) -> Option<f64> {
        let crop = identity_crop(result, face.points)?;
        let identity = self.networks.face_embedder.embed(&[crop]).pop()?;
        let to = |template: Option<&Template>| {
            template.map(|template| f64::from(template.similarity(&identity.0)))
        };
        let (intended, original) = (to(self.looks.intended), to(self.looks.original));
        self.intended_similarity.add(intended);
        self.original_similarity.add(original);
        let margin = Some(intended? - original.unwrap_or(0.0));
        let is_nearer = |margin| f64::from(u8::from(0.0 < margin));
        self.nearer
            .add(margin.filter(|_| original.is_some()).map(is_nearer));
        margin
    }

    /// What was reached, and the pictures that show it.
    pub(crate) fn finish(self) -> (Quality, Samples) {
        let expression = self.expression.finish();
        let usual = self.networks.weights.identity_scale().usual();
        let quality = Quality {
            n_faces_measured: self.n_faces,
            n_frames_measured: self.n_frames,
            identity_to_source: self.intended_similarity.get(),
            identity_to_target: self.original_similarity.get(),
            share_nearer_to_source: self.nearer.get(),
            source_to_target_identity: self
                .looks
                .intended
                .zip(self.looks.original)
                .map(|(a, b)| a.similarity_between(b).into()),
            one_person_from: usual.similarity.into(),
            expression_error: expression.both[0],
            expression_noise: expression.both[1],
            mouth_error: expression.mouth,
            eyes_error: expression.eyes,
            shape_error: expression.shape,
            pose_error_degrees: expression.pose[0],
            pose_noise_degrees: expression.pose[1],
            seam_delta_e: self.seam.get(),
            flicker_ratio: self.stills.ratio(),
            turned_share: self.turned.get(),
            n_damaged_places: 0,
            pixels_changed_outside: self.n_outside,
            ground_truth: self.ground_truth.as_ref().map(Comparison::finish),
        };
        (quality, self.samples)
    }
}

/// Where the quality card of `output` goes: for programs, and for people. A picture of a moment has a card of
/// its own beside that of the video of the same name.
pub(crate) fn paths_beside(output: &Path) -> [PathBuf; 2] {
    ["quality.json", "quality.html"].map(|ending| {
        if is_picture(output) {
            effigy_files::beside(output, &format!("still.{ending}"))
        } else {
            effigy_files::beside(output, ending)
        }
    })
}

impl Quality {
    /// Writes the card beside `output` as `NAME.quality.json` and, with marked pictures, as
    /// `NAME.quality.html`; gives their paths.
    ///
    /// # Errors
    /// When they cannot be written, or the pictures cannot be marked.
    pub(crate) fn write_beside(
        &self,
        output: &Path,
        samples: &Samples,
        authorisation: Authorisation<'_>,
    ) -> Result<[PathBuf; 2]> {
        let [json, html] = paths_beside(output);
        card::write(self, &json)?;
        let sheet = samples
            .sheet()
            .map(|sheet| page::marked(&html, sheet, authorisation));
        page::write(&html, self, samples, sheet.transpose()?.as_deref())?;
        Ok([json, html])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_and_a_video_of_one_name_have_two_cards() {
        let names =
            |output: &str| paths_beside(Path::new(output)).map(|path| path.display().to_string());
        assert_eq!(names("a/b.mp4"), ["a/b.quality.json", "a/b.quality.html"]);
        let of_picture = ["a/b.still.quality.json", "a/b.still.quality.html"];
        assert_eq!(names("a/b.png"), of_picture);
    }
}
