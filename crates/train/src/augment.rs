//! What the network is shown in one step: faces turned, shifted, mirrored and warped at random.
//!
//! The target is the face as turned and shifted; the input is warped on top of it by a random grid
//! of displacements, so that the encoder learns where things are and not which pixels they have.

use effigy_frame::{Picture, Point2, Similarity};
use effigy_model::tensors::append_space_to_depth;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::appearance::AppearanceAugmentation;
use crate::faces::{Face, FaceSet, margin, wide_side};
use crate::normal::normal;
use crate::warp::Warp;

/// How hard faces are changed, from 0 (not at all) to 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strength {
    /// Warping of the input.
    pub(crate) warp: f32,
    /// Chance of a mirror image.
    pub(crate) mirror: f32,
    /// Light and colour.
    pub(crate) colour: f32,
    /// Chance of another person's appearance.
    pub(crate) appearance: f32,
}

/// The faces of one step, laid out for tensors; `n` faces of side `s`.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    n_faces: usize,
    /// Inputs as blocks: `[n, 48, s/4, s/4]`.
    pub(crate) input_blocks: Vec<f32>,
    /// Colours to draw: `[n, 3, s, s]`.
    pub(crate) colours: Vec<f32>,
    /// Masks to draw: `[n, 1, s, s]`.
    pub(crate) masks: Vec<f32>,
    /// How much each pixel counts: `[n, 1, s, s]`.
    pub(crate) weights: Vec<f32>,
}

impl Batch {
    /// How many faces there are, and their side in pixels.
    pub(crate) fn size(&self) -> (usize, usize) {
        let side = (self.masks.len() / self.n_faces.max(1)).isqrt();
        (self.n_faces, side)
    }
}

/// What counts outside the face, so that the surroundings are not left to chance.
const OUTSIDE_WEIGHT: f32 = 0.1;
/// How much more the eyes count, and half of that the mouth.
const DETAIL_WEIGHT: f32 = 6.0;

const MOST_TURN_RADIANS: f32 = 0.14;
const MOST_ZOOM: f32 = 0.05;
/// As a share of the side.
const MOST_SHIFT: f32 = 0.04;
/// Standard deviation of the warp, as a share of the side: 5 px of 256, as in the first face swappers.
const WARP: f32 = 0.02;

/// Whose faces are drawn, and the other people whose appearance they may take on.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) set: &'a FaceSet,
    pub(crate) augmentations: &'a [AppearanceAugmentation],
}

/// Draws `n` faces of `subject` and appends them to `batch`.
pub(crate) fn append(
    batch: &mut Batch,
    subject: Subject<'_>,
    n: usize,
    strength: Strength,
    generator: &mut ChaCha8Rng,
) {
    let Subject { set, augmentations } = subject;
    for _ in 0..n {
        let face = set.draw(generator);
        let mut view = View::random(set.side_px(), strength, generator);
        let is_augmented = generator.random::<f32>() < strength.appearance;
        if is_augmented && !augmentations.is_empty() {
            let other = generator.random_range(0..augmentations.len());
            view.appearance = Some(Shown {
                augmentation: &augmentations[other],
                share: generator.random(),
            });
        }
        append_one(batch, face, &view);
    }
}

/// Appends pairs of faces of one person, both of a pair seen alike: the first ones to one batch, the second
/// ones to another.
pub(crate) fn append_pairs(
    [first, second]: [&mut Batch; 2],
    pairs: &[[&Face; 2]],
    side: u32,
    generator: &mut ChaCha8Rng,
) {
    const STRENGTH: Strength = Strength {
        warp: 0.0,
        mirror: 0.0,
        colour: 1.0,
        appearance: 0.0,
    };
    for pair in pairs {
        let view = View::random(side, STRENGTH, generator);
        append_one(first, pair[0], &view);
        append_one(second, pair[1], &view);
    }
}

/// Appends faces as they are, for measuring.
pub(crate) fn append_plain(batch: &mut Batch, faces: &[&Face], side: u32) {
    for face in faces {
        append_one(batch, face, &View::plain(side));
    }
}

/// How one face is seen.
struct View<'a> {
    side: u32,
    wide_from_crop: Similarity,
    is_mirrored: bool,
    warp: Warp<5>,
    gains: [f32; 3],
    shift: f32,
    /// As whom the input is shown.
    appearance: Option<Shown<'a>>,
}

/// Another person's appearance, taken on by `share` of the way.
#[derive(Clone, Copy)]
struct Shown<'a> {
    augmentation: &'a AppearanceAugmentation,
    share: f32,
}

impl View<'_> {
    fn plain(side: u32) -> Self {
        let first = margin(side) as f32;
        Self {
            side,
            wide_from_crop: Similarity {
                tx: first,
                ty: first,
                ..Similarity::IDENTITY
            },
            is_mirrored: false,
            warp: Warp::new(side, |_| Point2::default()),
            gains: [1.0; 3],
            shift: 0.0,
            appearance: None,
        }
    }

    fn random(side: u32, strength: Strength, generator: &mut ChaCha8Rng) -> Self {
        let mut even = |reach: f32| generator.random_range(-1.0..=1.0_f32) * reach;
        let side_px = side as f32;
        let middle = Point2::new(0.5 * side_px, 0.5 * side_px);
        let first = margin(side) as f32;
        let shift = MOST_SHIFT * side_px;
        let to = Point2::new(
            middle.x + first + even(shift),
            middle.y + first + even(shift),
        );
        let turn = even(MOST_TURN_RADIANS);
        let wide_from_crop = Similarity::about(middle, to, 1.0 + even(MOST_ZOOM), turn);
        let gain = 1.0 + even(0.15 * strength.colour);
        let gains = std::array::from_fn(|_| gain * (1.0 + even(0.06 * strength.colour)));
        let shift = even(12.0 * strength.colour);
        let is_mirrored = generator.random::<f32>() < strength.mirror;
        let reach = WARP * side_px * strength.warp;
        let warp = Warp::new(side, |_| {
            Point2::new(normal(generator) * reach, normal(generator) * reach)
        });
        Self {
            side,
            wide_from_crop,
            is_mirrored,
            warp,
            gains,
            shift,
            appearance: None,
        }
    }

    /// Where pixel `at` of the target lies in the wide crop.
    fn target_place(&self, at: Point2) -> Point2 {
        let x = if self.is_mirrored {
            self.side as f32 - at.x
        } else {
            at.x
        };
        self.wide_from_crop.apply(Point2::new(x, at.y))
    }

    /// Where pixel `at` of the input lies in the wide crop.
    fn input_place(&self, at: Point2) -> Point2 {
        let warped = self.warp.place(at, 1.0);
        self.target_place(match self.appearance {
            Some(shown) => shown.augmentation.place(warped, shown.share),
            None => warped,
        })
    }

    /// The colour of the input where the target has `rgb`.
    fn input_colour(&self, rgb: [f32; 3]) -> [f32; 3] {
        let lit = self.light(rgb);
        match self.appearance {
            Some(shown) => shown.augmentation.colour(lit, shown.share),
            None => lit,
        }
    }

    fn light(&self, rgb: [f32; 3]) -> [f32; 3] {
        std::array::from_fn(|c| (rgb[c] * self.gains[c] + self.shift).clamp(0.0, 255.0))
    }
}

fn append_one(batch: &mut Batch, face: &Face, view: &View<'_>) {
    let side = view.side;
    let n = (side * side) as usize;
    batch.n_faces += 1;
    let mut input = Vec::with_capacity(3 * n);
    let mut colours = vec![0.0; 3 * n];
    for (i, at) in pixel_centres(side).enumerate() {
        let [red, green, blue, _, _] = face.sample(view.input_place(at), side);
        input.extend(
            view.input_colour([red, green, blue])
                .map(|v| (v + 0.5) as u8),
        );
        let [red, green, blue, mask, detail] = face.sample(view.target_place(at), side);
        for (c, value) in view.light([red, green, blue]).into_iter().enumerate() {
            colours[c * n + i] = value / 255.0;
        }
        let (mask, detail) = (mask / 255.0, detail / 255.0);
        batch.masks.push(mask);
        let inside = (1.0 - OUTSIDE_WEIGHT) * mask;
        batch
            .weights
            .push(OUTSIDE_WEIGHT + inside + DETAIL_WEIGHT * detail);
    }
    append_space_to_depth(&Picture::new(side, side, input), &mut batch.input_blocks);
    batch.colours.extend(colours);
}

/// The centres of all pixels, row by row.
fn pixel_centres(side: u32) -> impl Iterator<Item = Point2> {
    (0..side * side).map(move |i| Point2::new((i % side) as f32 + 0.5, (i / side) as f32 + 0.5))
}

impl Face {
    /// Red, green, blue, face and detail at a place in the wide crop, between pixels.
    fn sample(&self, at: Point2, side: u32) -> [f32; 5] {
        let wide = wide_side(side) as usize;
        let last = (wide - 2) as f32;
        let (x, y) = ((at.x - 0.5).clamp(0.0, last), (at.y - 0.5).clamp(0.0, last));
        let (column, row) = (x as usize, y as usize);
        let (wx, wy) = (x - column as f32, y - row as f32);
        let first = row * wide + column;
        let corners = [
            (first, (1.0 - wx) * (1.0 - wy)),
            (first + 1, wx * (1.0 - wy)),
            (first + wide, (1.0 - wx) * wy),
            (first + wide + 1, wx * wy),
        ];
        let mut sum = [0.0; 5];
        let pixels = self.colours.pixels();
        for (place, weight) in corners {
            let [mask, detail] = self.inside[place];
            let rgb = &pixels[3 * place..3 * place + 3];
            for (s, v) in sum.iter_mut().zip([rgb[0], rgb[1], rgb[2], mask, detail]) {
                *s += weight * f32::from(v);
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::synthetic_set;
    use rand::SeedableRng as _;

    const FULL: Strength = Strength {
        warp: 1.0,
        mirror: 0.5,
        colour: 1.0,
        appearance: 0.5,
    };

    fn drawn(seed: u64) -> Batch {
        let mut set = synthetic_set("ada", 32, 40, 1);
        set.balance().unwrap();
        let mut batch = Batch::default();
        append(
            &mut batch,
            Subject {
                set: &set,
                augmentations: &[AppearanceAugmentation::new(
                    set.appearance(),
                    set.appearance(),
                    32,
                )],
            },
            3,
            FULL,
            &mut ChaCha8Rng::seed_from_u64(seed),
        );
        batch
    }

    #[test]
    fn same_seed_gives_the_same_faces() {
        assert_eq!(drawn(5).input_blocks, drawn(5).input_blocks);
        assert_ne!(drawn(5).input_blocks, drawn(6).input_blocks);
        assert_eq!(drawn(5).colours.len(), 3 * 3 * 32 * 32);
    }

    #[test]
    fn plain_view_is_the_middle_of_the_kept_crop() {
        let set = synthetic_set("ada", 32, 20, 1);
        let face = set.held_back(1)[0];
        let mut batch = Batch::default();
        append_plain(&mut batch, &[face], 32);
        for (i, rgbm) in face.centre(32).enumerate() {
            assert!((batch.colours[i] * 255.0 - f32::from(rgbm[0])).abs() < 1e-3);
            assert!((batch.masks[i] * 255.0 - f32::from(rgbm[3])).abs() < 1e-3);
        }
    }
}
