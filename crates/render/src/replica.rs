//! A replica: a portrait that is moved, with what a face model knows of how its person moves.
//!
//! A portrait alone does not show what is behind its lips, nor how they roll and press. A model with a
//! driver does, but softly, and in the light of the clips it learned from. So the model draws the face
//! twice: as it is in the portrait, and as it is to be. The first drawing is moved as the portrait is; what
//! the second has that the first, moved, has not is added around the mouth of the moved portrait. What
//! both lack, sharpness and the portrait's own light, stays the portrait's; so does all the rest of the
//! face, to which the model adds more that is wrong than right (`docs/decisions/056-a-trained-person-moves.md`).

use effigy_face::align::{MODEL_EXTENT, aligned_view};
use effigy_face::landmarks::OUTER_LIPS;
use effigy_face::mask::hull_mask;
use effigy_face::rig::{Pose, Rig, driver_input};
use effigy_frame::{Picture, Plane, Point2, Point3, Similarity, resample};
use effigy_model::FaceModel;
use effigy_model::face_model::{Drawn, FaceDriver};

use crate::grid::Grid;
use crate::interior::{Interior, interiors};
use crate::mask::{blur, crop_mask, grown};
use crate::outline::Outline;
use crate::placement::left;
use crate::portrait::{Movement, Portrait};
use crate::region::Region;
use crate::sample::Sampler;

/// What draws a person who moves.
#[derive(Clone, Copy, Debug)]
pub struct Drawer<'a> {
    /// The model of the person.
    pub model: &'a FaceModel,
    /// Its driver for them.
    pub driver: &'a FaceDriver,
}

/// A portrait of a person whom a model draws.
#[derive(Debug)]
pub struct Replica<'a> {
    drawer: Drawer<'a>,
    portrait: Portrait<'a>,
    /// The portrait as the model draws it, in its own coarseness.
    coarse: Portrait<'a>,
    /// Pixels of the coarse one to a pixel of the portrait.
    coarse_scale: f32,
    /// What is to be added to the driver's latents for them to be this portrait's.
    offset: Vec<f32>,
}

impl<'a> Replica<'a> {
    /// Takes a picture of the person and the 478 mesh points of their face in it, in pixels.
    ///
    /// `None` where the points coincide.
    ///
    /// # Panics
    /// If `points` is not a whole mesh.
    pub fn new(
        rig: &'a Rig,
        picture: &Picture,
        points: &[Point3],
        drawer: Drawer<'a>,
    ) -> Option<Self> {
        let portrait = Portrait::new(rig, picture, points);
        let side = drawer.model.side_px();
        let view = aligned_view(points, side, MODEL_EXTENT)?;
        let coarse_scale = 1.0 / view.scale();
        let crop = resample::crop(picture, view, side);
        let known = drawer.model.encode(&[crop]);
        let told = drawer.driver.latent(&driver_input(portrait.pose()));
        let offset = known.iter().zip(&told).map(|(known, told)| known - told);
        let scaled = |length: u32| ((length as f32 * coarse_scale).ceil() as u32).max(2);
        let (width, height) = (scaled(picture.width()), scaled(picture.height()));
        let coarse_from_portrait = Similarity {
            a: coarse_scale,
            ..Similarity::IDENTITY
        };
        let mut coarse = resample::warp(picture, coarse_from_portrait.inverse()?, width, height);
        let in_coarse: Vec<Point3> = points
            .iter()
            .map(|&p| coarse_from_portrait.apply3(p))
            .collect();
        let view = aligned_view(&in_coarse, side, MODEL_EXTENT)?;
        let layer = Layer::over(&coarse, &in_coarse, view, &drawer.driver.draw(&known))?;
        let difference = layer
            .region
            .difference(&coarse, &layer.drawn, layer.crop_from_frame);
        layer.add(&mut coarse, &difference, &layer.mask);
        Some(Self {
            coarse: Portrait::new(rig, &coarse, &in_coarse),
            offset: offset.collect(),
            portrait,
            coarse_scale,
            drawer,
        })
    }

    /// What the face does in the picture.
    pub fn pose(&self) -> &Pose {
        self.portrait.pose()
    }

    /// How far the head can go before it leaves the picture, as [`Portrait::room`] says it.
    pub fn room(&self) -> [[f32; 2]; 2] {
        self.portrait.room()
    }

    /// Where the 478 mesh points of the face are when it is moved, in pixels.
    pub fn points(&self, movement: &Movement) -> Vec<Point3> {
        self.portrait.points(movement)
    }

    /// Draws the person moved.
    ///
    /// Frames come in order, as those of [`Portrait::draw`].
    pub fn draw(&mut self, movement: &Movement) -> Picture {
        let input = driver_input(&self.portrait.posed(movement));
        let mut latent = self.drawer.driver.latent(&input);
        let offset = latent.iter_mut().zip(&self.offset);
        offset.for_each(|(latent, offset)| *latent += offset);
        // Neither needs the other.
        let (portrait, coarse) = (&mut self.portrait, &mut self.coarse);
        let (mut picture, coarse, drawn) = std::thread::scope(|scope| {
            let picture = scope.spawn(|| portrait.draw(movement));
            let coarse = coarse.draw(movement);
            let drawn = self.drawer.driver.draw(&latent);
            match picture.join() {
                Ok(picture) => (picture, coarse, drawn),
                Err(cause) => std::panic::resume_unwind(cause),
            }
        });
        let points = self.portrait.points(movement);
        // A face whose points coincide has no view: it stays as the portrait is.
        if let Some(view) = aligned_view(&points, self.drawer.model.side_px(), MODEL_EXTENT) {
            let yaw = self.portrait.posed(movement).head.angles().yaw.abs();
            let sure =
                left(self.drawer.driver.beyond(&input), FADE_BEYOND) * left(yaw, FADE_YAW_DEGREES);
            self.add_known(&mut picture, &coarse, &points, (view, &drawn, sure));
        }
        picture
    }

    /// Adds what the model knows to the moved portrait, as far as it is `sure`, `0..=1`.
    fn add_known(
        &self,
        picture: &mut Picture,
        coarse: &Picture,
        points: &[Point3],
        (view, drawn, sure): (Similarity, &Drawn, f32),
    ) {
        let layer = Layer::over(picture, points, view, drawn).filter(|_| 0.0 < sure);
        let Some(layer) = layer else {
            return;
        };
        let coarse_from_portrait = Similarity {
            a: self.coarse_scale,
            ..Similarity::IDENTITY
        };
        let side = drawn.picture.width();
        let before = resample::crop(coarse, coarse_from_portrait.of(view), side);
        let difference = layer
            .region
            .between([&before, &layer.drawn], layer.crop_from_frame);
        layer.add(picture, &difference, &layer.shares(sure));
        layer.fill_mouth(picture, sure);
    }
}

/// A mouth in a head that is turned further than it learned, in thirties of degrees, or far, is drawn elsewhere than
/// it is: from here on, and up to here, the portrait's takes over.
const FADE_BEYOND: [f32; 2] = [0.1, 0.3];
const FADE_YAW_DEGREES: [f32; 2] = [18.0, 30.0];
/// Of what the model knows, the share that is added to the lips.
const SHARE: f32 = 0.8;
/// How far the mouth reaches beyond its lips, and over how much it fades, as shares of the crop's side.
const MOUTH_FADE: f32 = 0.04;

/// A drawn face over a picture.
struct Layer {
    drawn: Picture,
    region: Region,
    crop_from_frame: Similarity,
    /// Where it is seen, in pixels of the crop.
    mask: Plane,
    /// Lips and what is between them, in pixels of the crop.
    mouth: Plane,
    /// What is between them.
    interior: Option<Interior>,
}

impl Layer {
    fn over(
        picture: &Picture,
        points: &[Point3],
        frame_from_crop: Similarity,
        drawn: &Drawn,
    ) -> Option<Self> {
        let crop_from_frame = frame_from_crop.inverse()?;
        let in_crop = |p: &Point3| crop_from_frame.apply(p.xy());
        let points: Vec<Point2> = points.iter().map(in_crop).collect();
        let side = drawn.mask.width();
        let outline = Outline::new(&points, side);
        let lips: Vec<Point2> = OUTER_LIPS.iter().map(|&i| points[i]).collect();
        let fade = (MOUTH_FADE * side as f32).round().max(1.0) as usize;
        Some(Self {
            region: Region::covered(picture, &outline, frame_from_crop)?,
            mask: crop_mask(&outline, &drawn.mask, None),
            mouth: blur(&grown(&hull_mask(&lips, side, side), fade), fade),
            interior: interiors(&points).into_iter().next(),
            drawn: drawn.picture.clone(),
            crop_from_frame,
        })
    }

    /// How much of what is known is added, in pixels of the crop.
    fn shares(&self, sure: f32) -> Plane {
        let values = self.mask.values().iter().zip(self.mouth.values());
        let share = |(mask, is_mouth): (&f32, &f32)| SHARE * sure * mask * is_mouth.min(1.0);
        Plane::new(
            self.mask.width(),
            self.mask.height(),
            values.map(share).collect(),
        )
    }

    /// Draws what is between the lips as the model does: the portrait has made it up.
    fn fill_mouth(&self, picture: &mut Picture, sure: f32) {
        let Some(interior) = &self.interior else {
            return;
        };
        let drawn = Sampler::new(&self.drawn);
        for (index, centre) in self.region.centres().enumerate() {
            let at = self.crop_from_frame.apply(centre);
            let open = sure * interior.share(at);
            if 0.0 < open {
                let drawn = drawn.colour_at(at);
                self.region.change(picture, index, |seen| {
                    std::array::from_fn(|c| open * (drawn[c] - seen[c]))
                });
            }
        }
    }

    /// Adds a difference, as much of it as `shares` say.
    fn add(&self, picture: &mut Picture, difference: &Grid<3>, shares: &Plane) {
        let weights = self.region.weights(shares, self.crop_from_frame);
        let changes = difference.values.iter().zip(&weights.values);
        for (index, (change, [weight])) in changes.enumerate() {
            if 0.0 < *weight {
                let change = change.map(|change| weight * change);
                self.region.change(picture, index, |_| change);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_model::mean_mesh;

    /// The mean face in a crop of 96 px, laid over a picture of twice the size.
    fn layer(picture: &Picture, drawn: [u8; 3]) -> Layer {
        let place = |p: &Point3| Point3 {
            x: 96.0 + 96.0 * p.x,
            y: 62.0 + 96.0 * p.y,
            z: 0.0,
        };
        let points: Vec<Point3> = mean_mesh().iter().map(place).collect();
        let view = Similarity {
            a: 2.0,
            ..Similarity::IDENTITY
        };
        let drawn = Drawn {
            picture: Picture::filled(96, 96, drawn),
            mask: Plane::filled(96, 96, 1.0),
        };
        Layer::over(picture, &points, view, &drawn).unwrap()
    }

    #[test]
    fn what_is_known_is_added_to_the_mouth_alone() {
        let mut picture = Picture::filled(192, 192, [100; 3]);
        let layer = layer(&picture, [150; 3]);
        let before = Picture::filled(96, 96, [100; 3]);
        let difference = layer
            .region
            .between([&before, &layer.drawn], layer.crop_from_frame);
        layer.add(&mut picture, &difference, &layer.shares(1.0));
        let lips = mean_mesh()[OUTER_LIPS[0]];
        let mouth = picture.get(96, (62.0 + 96.0 * lips.y) as u32)[0];
        assert!((136..=141).contains(&mouth), "{mouth}"); // 0.8 of 50
        assert_eq!(picture.get(96, 70), [100; 3]);
        assert_eq!(picture.get(2, 2), [100; 3]);
    }

    #[test]
    fn what_both_drawings_have_changes_nothing() {
        let mut picture = Picture::filled(192, 192, [100; 3]);
        let layer = layer(&picture, [30, 90, 200]);
        let before = Picture::filled(96, 96, [30, 90, 200]);
        let difference = layer
            .region
            .between([&before, &layer.drawn], layer.crop_from_frame);
        layer.add(&mut picture, &difference, &layer.shares(1.0));
        assert_eq!(picture, Picture::filled(192, 192, [100; 3]));
    }
}
