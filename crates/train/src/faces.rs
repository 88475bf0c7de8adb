//! The faces of one person: aligned crops with masks, balanced by expression.
//!
//! A crop is kept wider than the network's, so that it can be turned and shifted without showing
//! an edge. Masks come from the mesh: the face, and its eyes and mouth, which count more.

use effigy_face::landmarks::{LEFT_EYE_RIM, OUTER_LIPS, RIGHT_EYE_RIM};
use effigy_face::mask;
use effigy_face::pose::Pose;
use effigy_frame::{Picture, Point2, Similarity, resample};
use effigy_mark::consent::Record;
use effigy_model::face_model::store::Poses;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::appearance::Appearance;
use crate::error::{Error, Result};
use crate::expression::{Expression, ExpressionBin};

/// Fewest faces that a person can be learned from.
pub(crate) const FEWEST_FACES: usize = 24;
/// Share of the poses at either end that are left out: some are mistakes of the mesh.
const STRAY: f32 = 0.02;
/// One in so many faces is held back to measure the error on.
const HELD_BACK: usize = 16;

/// The faces of one person.
#[derive(Debug)]
pub struct FaceSet {
    /// Short name of the person.
    pub person: String,
    /// Identifier of the consent that allows to learn from them.
    pub(crate) consent: String,
    side: u32,
    faces: Vec<Face>,
    held_back: Vec<Face>,
    /// Running sums of the chance to be drawn, one for each face.
    chances: Vec<f32>,
    expressions: Vec<Expression>,
    appearance: Appearance,
    poses: Vec<Pose>,
    n_seen: usize,
}

/// One face: colours and masks of a crop that is [`wide_side`] pixels wide.
#[derive(Clone, Debug)]
pub(crate) struct Face {
    pub(crate) colours: Picture,
    /// Share of each pixel inside the face and inside its eyes or mouth, `0..=255`.
    pub(crate) inside: Vec<[u8; 2]>,
}

/// A rare face is drawn at most so many times as often as the usual one.
const MOST_OFTEN: f32 = 6.0;

/// Side of the kept crop for a network of `side` pixels: a third more.
pub(crate) fn wide_side(side: u32) -> u32 {
    side + 2 * margin(side)
}

/// Pixels kept on each side beyond the network's crop.
pub(crate) fn margin(side: u32) -> u32 {
    side / 6
}

impl FaceSet {
    /// Starts an empty set of faces for a network of `side` pixels.
    pub fn new(person: &str, side: u32) -> Self {
        Self {
            person: person.to_owned(),
            consent: String::new(),
            side,
            faces: Vec::new(),
            held_back: Vec::new(),
            chances: Vec::new(),
            expressions: Vec::new(),
            appearance: Appearance::new(),
            poses: Vec::new(),
            n_seen: 0,
        }
    }

    /// Names the consent that allows to learn from this person.
    pub fn with_consent(self, record: &Record) -> Self {
        let consent = record.id.to_string();
        Self { consent, ..self }
    }

    /// Adds the face that the network would see through `picture_from_crop`.
    ///
    /// `points` is its mesh, in pixels of `picture`.
    pub fn add(&mut self, picture: &Picture, picture_from_crop: Similarity, points: &[Point2]) {
        let Some((face, points)) = Face::cut(picture, picture_from_crop, points, self.side) else {
            return;
        };
        let shift = -(margin(self.side) as f32);
        self.n_seen += 1;
        if self.n_seen.is_multiple_of(HELD_BACK) {
            self.held_back.push(face);
        } else {
            let crop_points: Vec<Point2> = points
                .iter()
                .map(|p| Point2::new(p.x + shift, p.y + shift))
                .collect();
            self.appearance.add(&crop_points, face.centre(self.side));
            self.faces.push(face);
            self.expressions.push(Expression::of(&points));
        }
    }

    /// Notes which way the head of a face that was added is turned.
    pub fn note_pose(&mut self, pose: Pose) {
        self.poses.push(pose);
    }

    /// Which way heads are turned, but for the odd one; `None` where nothing was noted.
    pub(crate) fn poses(&self) -> Option<Poses> {
        let range = |angle: fn(&Pose) -> f32| {
            let mut angles: Vec<f32> = self.poses.iter().map(angle).collect();
            angles.sort_by(f32::total_cmp);
            let n_stray = (STRAY * angles.len() as f32) as usize;
            let last = angles.len().checked_sub(1 + n_stray)?;
            Some([angles[n_stray].floor() as i16, angles[last].ceil() as i16])
        };
        Some(Poses {
            yaw: range(|pose| pose.yaw)?,
            pitch: range(|pose| pose.pitch)?,
        })
    }

    /// Weighs the faces so that rare poses, mouths and gazes are drawn more often than they appear.
    ///
    /// # Errors
    /// If there are too few to learn from; says how many are needed.
    pub fn balance(&mut self) -> Result<()> {
        if self.len() < FEWEST_FACES {
            let person = self.person.clone();
            return Err(Error::TooFewFaces {
                found: self.len(),
                needed: FEWEST_FACES,
                person,
            });
        }
        let bins: Vec<ExpressionBin> = self.expressions.iter().map(Expression::bin).collect();
        let rarities: Vec<f32> = bins.iter().map(|bin| bin.rarity_among(&bins)).collect();
        let usual = rarities.iter().copied().fold(f32::INFINITY, f32::min);
        let mut sum = 0.0;
        let add = |rarity: f32| {
            sum += rarity.min(MOST_OFTEN * usual);
            sum
        };
        self.chances = rarities.into_iter().map(add).collect();
        Ok(())
    }

    /// How many faces there are.
    pub fn len(&self) -> usize {
        self.faces.len() + self.held_back.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Side of the network's crop in pixels.
    pub fn side_px(&self) -> u32 {
        self.side
    }

    /// Up to `most` crops of faces that are held back from learning, to look at.
    pub fn samples(&self, most: usize) -> Vec<Picture> {
        let crop = |face: &Face| {
            let pixels = face
                .centre(self.side)
                .flat_map(|[red, green, blue, _]| [red, green, blue]);
            Picture::new(self.side, self.side, pixels.collect())
        };
        self.held_back(most).into_iter().map(crop).collect()
    }

    /// Mean shape and colours of the person.
    pub(crate) fn appearance(&self) -> &Appearance {
        &self.appearance
    }

    /// Draws one face.
    pub(crate) fn draw(&self, generator: &mut ChaCha8Rng) -> &Face {
        let highest = self.chances.last().copied().unwrap_or(0.0);
        let at = generator.random::<f32>() * highest;
        let place = self.chances.partition_point(|&sum| sum <= at);
        &self.faces[place.min(self.faces.len() - 1)]
    }

    /// Up to `most` of the faces that are held back, spread over all of them.
    pub(crate) fn held_back(&self, most: usize) -> Vec<&Face> {
        let step = self.held_back.len().div_ceil(most).max(1);
        let held_back = self.held_back.iter().step_by(step).collect::<Vec<_>>();
        if held_back.is_empty() {
            self.faces.iter().take(1).collect()
        } else {
            held_back
        }
    }

    /// The average of all faces: `[4, side, side]`, red, green, blue, mask, each `0..=1`.
    pub(crate) fn mean(&self) -> Vec<f32> {
        let n = (self.side * self.side) as usize;
        let mut sums = vec![0.0_f64; 4 * n];
        for face in &self.faces {
            for (i, [red, green, blue, mask]) in face.centre(self.side).enumerate() {
                for (c, value) in [red, green, blue, mask].into_iter().enumerate() {
                    sums[c * n + i] += f64::from(value);
                }
            }
        }
        let scale = 1.0 / (255.0 * self.faces.len() as f64);
        sums.iter().map(|sum| (sum * scale) as f32).collect()
    }
}

impl Face {
    /// Cuts out the face that a network of `side` pixels would see through `picture_from_crop`; gives
    /// it and its mesh, `points` of the picture, in pixels of the wide crop.
    pub(crate) fn cut(
        picture: &Picture,
        picture_from_crop: Similarity,
        points: &[Point2],
        side: u32,
    ) -> Option<(Self, Vec<Point2>)> {
        let shift = -(margin(side) as f32);
        let crop_from_wide = Similarity {
            tx: shift,
            ty: shift,
            ..Similarity::IDENTITY
        };
        let picture_from_wide = picture_from_crop.of(crop_from_wide);
        let wide_from_picture = picture_from_wide.inverse()?;
        let points: Vec<Point2> = points.iter().map(|&p| wide_from_picture.apply(p)).collect();
        let side = wide_side(side);
        let face = Self {
            colours: resample::crop(picture, picture_from_wide, side),
            inside: inside(&points, side),
        };
        Some((face, points))
    }

    /// The network's part of the kept crop: red, green, blue and mask of each pixel.
    pub(crate) fn centre(&self, side: u32) -> impl Iterator<Item = [u8; 4]> {
        let (first, wide) = (margin(side), wide_side(side));
        (first..first + side).flat_map(move |y| {
            (first..first + side).map(move |x| {
                let [red, green, blue] = self.colours.get(x, y);
                [red, green, blue, self.inside[(y * wide + x) as usize][0]]
            })
        })
    }
}

/// Outlines of the right eye, the left eye and the lips, in points of the mesh.
pub(crate) const DETAILS: [&[usize]; 3] = [&RIGHT_EYE_RIM, &LEFT_EYE_RIM, &OUTER_LIPS];
/// How much these count, as a share of the eyes: few pixels show where a face looks.
const DETAIL_LEVELS: [f32; 3] = [1.0, 1.0, 0.5];
/// How far eyes and mouth count beyond their own outline, as a share of their size.
const DETAIL_REACH: f32 = 1.35;

fn inside(points: &[Point2], side: u32) -> Vec<[u8; 2]> {
    let side = side as usize;
    let face = mask::hull_mask(points, side, side);
    let details = DETAILS.map(|outline| mask::hull_mask(&widened(points, outline), side, side));
    let byte = |value: f32| (value * 255.0).round() as u8;
    let detail = |i: usize| {
        details
            .iter()
            .zip(DETAIL_LEVELS)
            .map(|(plane, level)| level * plane.values()[i])
            .fold(0.0, f32::max)
    };
    let faces = face.values().iter().enumerate();
    faces
        .map(|(i, &value)| [byte(value.min(1.0)), byte(detail(i).min(1.0))])
        .collect()
}

/// An outline scaled about its middle.
fn widened(points: &[Point2], outline: &[usize]) -> Vec<Point2> {
    let n = outline.len() as f32;
    let x = outline.iter().map(|&i| points[i].x).sum::<f32>() / n;
    let y = outline.iter().map(|&i| points[i].y).sum::<f32>() / n;
    let away = |p: Point2| Point2::new(x + DETAIL_REACH * (p.x - x), y + DETAIL_REACH * (p.y - y));
    outline.iter().map(|&i| away(points[i])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::synthetic_set;
    use rand::SeedableRng as _;

    #[test]
    fn too_few_faces_are_counted() {
        let mut set = synthetic_set("ada", 32, 10, 1);
        let error = set.balance().unwrap_err();
        assert!(
            matches!(error, Error::TooFewFaces { found: 10, .. }),
            "{error}"
        );
    }

    #[test]
    fn rare_faces_are_drawn_more_often_than_they_appear() {
        let mut set = synthetic_set("ada", 32, 64, 1);
        set.expressions = vec![Expression::default(); set.faces.len()];
        set.expressions[7].mouth = 0.3;
        set.balance().unwrap();
        let mut generator = ChaCha8Rng::seed_from_u64(3);
        let rare: *const Face = &set.faces[7];
        let n = (0..2000)
            .filter(|_| std::ptr::eq(set.draw(&mut generator), rare))
            .count();
        assert!(100 < n, "{n}"); // 33 if every face had the same chance
        assert!(n < 300, "{n}"); // and 6 times that is the most
    }

    #[test]
    fn poses_are_what_most_faces_have() {
        let mut set = FaceSet::new("ada", 32);
        assert_eq!(set.poses(), None);
        for i in 0..100 {
            set.note_pose(Pose {
                yaw: 0.3 * i as f32 - 10.0,
                pitch: if i == 50 { 80.0 } else { 4.5 },
                roll: 0.0,
            });
        }
        let poses = set.poses().unwrap();
        assert_eq!((poses.yaw, poses.pitch), ([-10, 20], [4, 5]));
    }

    #[test]
    fn mask_is_inside_the_face_and_empty_in_the_corner() {
        let set = synthetic_set("ada", 32, 1, 1);
        let values: Vec<[u8; 4]> = set.faces[0].centre(32).collect();
        assert_eq!((values[0][3], values[16 * 32 + 16][3]), (0, 255));
    }
}
