//! One drawn face into one frame: warp, mask, colour, blend.

use effigy_frame::{Picture, Plane, Point2, Rect, Similarity, resample};
use effigy_model::face_model::Drawn;

use crate::blend::blended;
use crate::detail::Fine;
use crate::fill::extended;
use crate::grid::Grid;
use crate::interior::interiors;
use crate::iris::{Tint, irises, open_eyes, share};
use crate::light::{self, Light};
use crate::mask::crop_mask;
use crate::occlusion::{Occlusion, without_background};
use crate::outline::Outline;
use crate::placement::{Drawings, Placement};
use crate::region::{Layer, Region};
use crate::sample::fitted;
use crate::texture::texture;
use crate::warp::ExpressionWarp;

/// Whose skin tone the result has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SkinTone {
    /// That of the performer in the target clip, so that the face matches neck and ears.
    #[default]
    Target,
    /// That of the source, the person who is drawn.
    Source,
}

/// What is smoothed over time; one for each face that is followed.
#[derive(Clone, Debug, Default)]
pub struct Steady {
    skin_tone: SkinTone,
    warp: ExpressionWarp,
    tint: Tint,
    light: Option<Light>,
    detail_gain: Option<f32>,
    occlusion: Occlusion,
    last_secs: f64,
}

/// What an overlay changed.
#[derive(Clone, Debug)]
pub struct Change {
    /// The box that was computed, in pixels of the frame.
    pub rect: Rect,
    /// How much of each pixel of the box was replaced; everything outside is untouched.
    pub mask: Plane,
    /// How much of the drawing is seen, `0..=1`: less where the head is turned too far.
    pub opacity: f32,
}

/// Lays a drawn face over the one at `placement`.
///
/// Pixels where the mask is 0 are not touched. Gives `None`, and changes nothing, when no pixel of
/// the frame is under the mask.
///
/// # Panics
/// If pictures and masks of `drawings` differ in size, or points are not those of a mesh.
pub fn overlay(
    frame: &mut Picture,
    placement: &Placement,
    drawings: &Drawings<'_>,
    time_secs: f64,
    steady: &mut Steady,
) -> Option<Change> {
    let scene = Scene::new(frame, placement, drawings)?;
    let secs = steady.pass(time_secs);
    // The tint compares both drawings as the network made them, before the warp moves one of them.
    if let Some(target) = drawings.target {
        let source = &drawings.source.picture;
        steady
            .tint
            .update(source, &target.picture, drawings.points, secs);
    }
    // From here on, what is drawn has the performer's expression to the pixel, so that one outline
    // serves both.
    let warped = steady
        .warp
        .apply(drawings.source, drawings.points, &scene.points, secs);
    let drawings = &Drawings {
        source: &warped,
        ..*drawings
    };
    let (picture, mask) = scene.coloured(drawings, steady, secs);
    // A crop with more pixels than the face has in the frame would alias: it is made smaller first.
    let (picture, mask, small_from_frame) = fitted(picture, mask, scene.crop_from_frame);
    let mut weights = scene.region.weights(&mask, small_from_frame);
    let irises = scene.leave_open(&mut weights);
    let difference = scene.region.difference(frame, &picture, small_from_frame);
    scene.blend_in(frame, difference, &weights);
    Some(scene.tint_irises(frame, &steady.tint, &weights, &irises))
}

/// A face to be drawn over: where it is, in the frame and in its crop.
struct Scene {
    /// How much of the drawing is seen.
    opacity: f32,
    crop_from_frame: Similarity,
    /// Frame pixels to a crop pixel.
    scale: f32,
    /// The performer's mesh, in pixels of the crop.
    points: Vec<Point2>,
    outline: Outline,
    region: Region,
    /// The crop of the frame as it was before.
    target: Picture,
}

/// The part of an iris in one pixel of a region.
struct IrisPixel {
    index: usize,
    share: f32,
}

impl Scene {
    /// `None` where the face covers no pixel of the frame.
    fn new(frame: &Picture, placement: &Placement, drawings: &Drawings<'_>) -> Option<Self> {
        let side = drawings.source.picture.width();
        for drawn in std::iter::once(drawings.source).chain(drawings.target) {
            let sides = (drawn.picture.width(), drawn.mask.width());
            assert_eq!(sides, (side, side as usize), "pictures and masks differ");
        }
        let frame_from_crop = placement.frame_from_crop;
        let crop_from_frame = frame_from_crop.inverse()?;
        let in_crop = |&point: &Point2| crop_from_frame.apply(point);
        let points: Vec<Point2> = placement.points.iter().map(in_crop).collect();
        let outline = Outline::new(&points, side as usize);
        let region = Region::covered(frame, &outline, frame_from_crop)?;
        Some(Self {
            opacity: placement.opacity,
            crop_from_frame,
            scale: frame_from_crop.scale(),
            points,
            outline,
            region,
            target: resample::crop(frame, frame_from_crop, side),
        })
    }

    /// What is drawn, in the light and the sharpness of the frame, and the mask it is blended
    /// under; both in pixels of the crop.
    fn coloured(
        &self,
        drawings: &Drawings<'_>,
        steady: &mut Steady,
        secs: f32,
    ) -> (Picture, Plane) {
        let Drawn { picture, mask } = drawings.source;
        let occluded = steady
            .occlusion
            .update(&self.target, drawings, &self.outline, secs);
        let blend_mask = crop_mask(&self.outline, mask, Some(&occluded));
        // The mask reaches a little beyond what the network learned to draw; there the face's own
        // colours go on, not the background of the clips it learned from.
        let face = without_background(drawings.source, &self.outline);
        let mut coloured = extended(picture, &face);
        steady.harmonise(&mut coloured, &self.target, &blend_mask, secs);
        (coloured, blend_mask)
    }

    /// Leaves what is seen through mouth and lids as it is; gives which pixels belong to irises,
    /// and how much.
    fn leave_open(&self, weights: &mut Grid<1>) -> Vec<IrisPixel> {
        let (interiors, irises) = (interiors(&self.points), irises(&self.points));
        // Lids that close over an iris must not be tinted.
        let openness = open_eyes(&self.target, &self.points);
        let mut inside = Vec::new();
        let centres = self.region.centres();
        for (index, ([weight], centre)) in weights.values.iter_mut().zip(centres).enumerate() {
            let at = self.crop_from_frame.apply(centre);
            let open: f32 = interiors.iter().map(|interior| interior.share(at)).sum();
            let open = open.min(1.0);
            if 0.0 < open {
                let share = openness * open * *weight * share(&irises, at);
                *weight *= 1.0 - open;
                if 0.0 < share {
                    inside.push(IrisPixel { index, share });
                }
            }
        }
        inside
    }

    /// Adds `difference` to the frame by bands, and puts the frame's own texture back on top.
    fn blend_in(&self, frame: &mut Picture, difference: Grid<3>, weights: &Grid<1>) {
        let region = self.region;
        let around_eyes = region.weights(&self.outline.around_eyes, self.crop_from_frame);
        // Read before anything is written: pores and grain are those of the target.
        let luma = region.luma_of(frame);
        let texture = texture(luma, self.scale, &weights.values, &around_eyes.values);
        let layer = Layer {
            change: &blended(difference, weights),
            weights,
            texture: &texture,
            opacity: self.opacity,
        };
        region.add(frame, &layer);
    }

    /// Tints the irises, which were left as they are until now; gives all that changed.
    fn tint_irises(
        &self,
        frame: &mut Picture,
        tint: &Tint,
        weights: &Grid<1>,
        irises: &[IrisPixel],
    ) -> Change {
        let region = self.region;
        let opaque = |[weight]: &[f32; 1]| self.opacity * weight;
        let mut values: Vec<f32> = weights.values.iter().map(opaque).collect();
        for &IrisPixel { index, share } in irises {
            let share = self.opacity * share;
            region.change(frame, index, |colour| tint.change(colour, share));
            values[index] = values[index].max(share);
        }
        Change {
            rect: region.as_rect(),
            mask: Plane::new(region.width, region.height, values),
            opacity: self.opacity,
        }
    }
}

/// Time constant of the sharpness, in seconds.
const DETAIL_MEMORY_SECS: f32 = 1.0;
/// More time between two frames of a face counts as this.
const LONGEST_PAUSE_SECS: f64 = 0.5;

impl Steady {
    /// Nothing seen yet; the results will have this skin tone.
    pub fn new(skin_tone: SkinTone) -> Self {
        Self {
            skin_tone,
            ..Self::default()
        }
    }

    /// Whether the frame of this moment should be looked at for what covers the face, and
    /// [`Self::show_occlusion`] be told.
    pub fn wants_occlusion(&self, time_secs: f64) -> bool {
        self.occlusion.wants_look(time_secs)
    }

    /// Takes in how surely each cell of this moment's crop is covered:
    /// [`effigy_model::OcclusionSegmenter::segment`].
    pub fn show_occlusion(&mut self, seen: &Plane, time_secs: f64) {
        self.occlusion.show(seen, time_secs);
    }

    /// Seconds since the last frame.
    fn pass(&mut self, time_secs: f64) -> f32 {
        let secs = (time_secs - self.last_secs).clamp(0.0, LONGEST_PAUSE_SECS) as f32;
        self.last_secs = time_secs;
        secs
    }

    /// Gives `picture` the colours and the sharpness of `target`, smoothed over time.
    fn harmonise(&mut self, picture: &mut Picture, target: &Picture, mask: &Plane, secs: f32) {
        // Light first: sharpness is measured on brightness, which light changes.
        if let Some(measured) = light::measure(picture, target, mask) {
            let measured = match self.skin_tone {
                SkinTone::Target => measured,
                SkinTone::Source => measured.without_skin_tone(mask),
            };
            let light = self.light.get_or_insert_with(|| measured.clone());
            light.follow(&measured, secs);
            light.apply(picture, mask);
        }
        let fine = Fine::of(picture);
        if let Some(measured) = fine.gain_to(&Fine::of(target), mask) {
            let gain = self.detail_gain.get_or_insert(measured);
            *gain += (1.0 - (-secs / DETAIL_MEMORY_SECS).exp()) * (measured - *gain);
            fine.scale(picture, *gain);
        }
    }
}

#[cfg(test)]
mod tests;
