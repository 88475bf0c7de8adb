//! A face with something drawn in front of it, and which pixels that covers.
//!
//! Real faces and actors are covered by drawn hands, things, clothes and hair and by parts of other
//! pictures. As many stay bare, or get what must not count as an occluder: shadows, beards,
//! make-up, frames of clear glasses.

mod bare;
mod cover;
mod hair;
mod hand;
mod layer;
mod parts;
mod things;
mod worn;

use effigy_face::align::{MODEL_EXTENT, aligned_view};
use effigy_face::landmarks::{CHEEK_CENTRES, FACE_RIM, between_eyes, eye_distance};
use effigy_face::mask::hull_mask;
use effigy_frame::resample::{crop, resize};
use effigy_frame::{Picture, Plane, Point2, Point3, Similarity};
use effigy_model::OcclusionSegmenter;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use super::augment::{Jitter, normal, spoil, strayed, to_grey};
pub(crate) use cover::cover;
use layer::Layer;

/// Side of the crop that is drawn on, in pixels.
const SIDE: u32 = 144;
/// As far as tracking lets a view stray; a covered face is followed less well.
const JITTER: Jitter = Jitter {
    turn: 0.05,
    scale: 0.05,
    shift: 0.015,
};
/// The part of a face that an occluder covers: with less it is beside the face, with more there is no
/// face to be followed.
const COVERS: std::ops::RangeInclusive<f32> = 0.01..=0.75;
/// How far the face reaches beyond the hull of its mesh, as a share.
const WIDER: f32 = 1.06;

/// A face and its surroundings.
pub(crate) struct Face {
    pub(crate) picture: Picture,
    /// The mesh, in pixels of `picture`.
    pub(crate) points: Vec<Point3>,
    /// Whether the picture has no colours.
    pub(crate) is_grey: bool,
}

/// What covers a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Nothing that counts.
    Bare,
    Hand,
    Microphone,
    /// Cups, bottles, telephones, books.
    Thing,
    Food,
    DarkGlasses,
    /// Masks and scarves.
    Cloth,
    Hair,
    /// Another person's.
    Head,
    /// Text, bars and drawings laid over the picture.
    Graphic,
    /// A patch of another picture.
    Patch,
}

/// All kinds, and how many of a hundred crops show each.
pub(crate) const KINDS: [(Kind, u32); 11] = [
    (Kind::Bare, 34),
    (Kind::Hand, 21),
    (Kind::Microphone, 6),
    (Kind::Thing, 5),
    (Kind::Food, 4),
    (Kind::DarkGlasses, 6),
    (Kind::Cloth, 7),
    (Kind::Hair, 6),
    (Kind::Head, 4),
    (Kind::Graphic, 3),
    (Kind::Patch, 4),
];

/// A crop as the network sees it, and the truth about it.
pub(crate) struct Covered {
    pub(crate) crop: Picture,
    /// How much of each cell of the network's mask is covered.
    pub(crate) cover: Plane,
    /// How much of each cell belongs to the face.
    pub(crate) face: Plane,
}

impl Covered {
    /// The part of the face that is covered.
    fn share(&self) -> f32 {
        covered_part(self.cover.values(), self.face.values())
    }
}

/// The part of a face that is covered.
pub(crate) fn covered_part(cover: &[f32], face: &[f32]) -> f32 {
    let both: f32 = cover
        .iter()
        .zip(face)
        .map(|(cover, face)| cover * face)
        .sum();
    both / face.iter().sum::<f32>().max(1.0)
}

/// The crop that is drawn on.
struct Scene<'a> {
    crop: Picture,
    points: Vec<Point2>,
    eye_distance: f32,
    /// The colour of the cheeks.
    skin: [f32; 3],
    /// Somebody else.
    other: &'a Face,
}

/// Draws a kind by chance.
pub(crate) fn any_kind(random: &mut ChaCha8Rng) -> Kind {
    let mut left = random.random_range(0..KINDS.iter().map(|(_, n)| n).sum());
    for (kind, often) in KINDS {
        if left < often {
            return kind;
        }
        left -= often;
    }
    Kind::Bare
}

/// Covers a face with something of this kind; `other` is another person.
///
/// `None` where the mesh is squeezed into a point, or what was drawn lies beside the face or over all of
/// it.
pub(crate) fn covered(
    face: &Face,
    other: &Face,
    kind: Kind,
    random: &mut ChaCha8Rng,
) -> Option<Covered> {
    let (mut scene, _) = Scene::new(face, other, random)?;
    let belongs = hull_mask(&widened(&scene.points), SIDE as usize, SIDE as usize);
    bare::alter(&mut scene, random);
    let mut cover = Plane::filled(SIDE as usize, SIDE as usize, 0.0);
    let n_layers = match kind {
        Kind::Bare => 0,
        _ => 1 + u32::from(random.random_bool(0.08)),
    };
    for _ in 0..n_layers {
        let mut layer = Layer::new(random);
        draw(kind, &mut layer, &scene, random);
        let blur = [0, 0, 0, 1, 1, 2, 3][random.random_range(0..7)];
        layer.soften(blur);
        if random.random_bool(0.5) {
            cast_shadow(&mut scene.crop, &layer.cover, random);
        }
        lay_over(&mut scene.crop, &layer, &mut cover);
    }
    if face.is_grey {
        to_grey(&mut scene.crop);
    }
    let mut crop = resize(
        &scene.crop,
        OcclusionSegmenter::SIDE_PX,
        OcclusionSegmenter::SIDE_PX,
    );
    spoil(&mut crop, random);
    let covered = Covered {
        crop,
        cover: cells(&cover),
        face: cells(&belongs),
    };
    if kind != Kind::Bare && !COVERS.contains(&covered.share()) {
        return None;
    }
    Some(if random.random_bool(0.5) {
        Covered {
            crop: covered.crop.mirrored(),
            cover: mirrored(&covered.cover),
            face: mirrored(&covered.face),
        }
    } else {
        covered
    })
}

fn draw(kind: Kind, layer: &mut Layer, scene: &Scene<'_>, random: &mut ChaCha8Rng) {
    match kind {
        Kind::Bare => {}
        Kind::Hand => hand::draw(layer, scene, random),
        Kind::Microphone => things::microphone(layer, scene, random),
        Kind::Thing => things::thing(layer, scene, random),
        Kind::Food => things::food(layer, scene, random),
        Kind::DarkGlasses => worn::dark_glasses(layer, scene, random),
        Kind::Cloth => worn::cloth(layer, scene, random),
        Kind::Hair => hair::draw(layer, scene, random),
        Kind::Head => parts::head(layer, scene, random),
        Kind::Graphic => parts::graphic(layer, scene, random),
        Kind::Patch => parts::patch(layer, scene, random),
    }
}

impl<'a> Scene<'a> {
    /// The scene, and where its pixels lie in the face's picture.
    fn new(face: &Face, other: &'a Face, random: &mut ChaCha8Rng) -> Option<(Self, Similarity)> {
        let view = strayed(
            aligned_view(&face.points, SIDE, MODEL_EXTENT)?,
            SIDE,
            JITTER,
            random,
        );
        let from_picture = view.inverse()?;
        let points: Vec<Point2> = face
            .points
            .iter()
            .map(|p| from_picture.apply(p.xy()))
            .collect();
        let crop = crop(&face.picture, view, SIDE);
        let cheeks = CHEEK_CENTRES.map(|i| mean_around(&crop, points[i]));
        let scene = Self {
            eye_distance: eye_distance(&points).max(8.0),
            skin: std::array::from_fn(|c| 0.5 * (cheeks[0][c] + cheeks[1][c])),
            crop,
            points,
            other,
        };
        Some((scene, view))
    }

    /// A place on the face, or just beside it.
    fn somewhere(&self, random: &mut ChaCha8Rng) -> Point2 {
        let eyes = between_eyes(&self.points);
        Point2::new(
            eyes.x + 0.45 * self.eye_distance * normal(random),
            eyes.y + self.eye_distance * (0.5 + 0.45 * normal(random)),
        )
    }
}

fn mean_around(picture: &Picture, at: Point2) -> [f32; 3] {
    let mut sum = [0.0; 3];
    for (dx, dy) in (-3..=3).flat_map(|dy| (-3..=3).map(move |dx| (dx as f32, dy as f32))) {
        let clamp = |v: f32| (v.max(0.0) as u32).min(SIDE - 1);
        let rgb = picture.get(clamp(at.x + dx), clamp(at.y + dy));
        for (sum, level) in sum.iter_mut().zip(rgb) {
            *sum += f32::from(level) / 49.0;
        }
    }
    sum
}

/// The rim of the face, a little further out, most of all above the brows.
fn widened(points: &[Point2]) -> Vec<Point2> {
    let middle = between_eyes(points);
    let wide = |&i: &usize| {
        let p = points[i];
        Point2::new(
            middle.x + WIDER * (p.x - middle.x),
            middle.y + WIDER * (p.y - middle.y),
        )
    };
    FACE_RIM.iter().map(wide).collect()
}

/// Lays a layer over the crop and adds to what is covered.
fn lay_over(crop: &mut Picture, layer: &Layer, cover: &mut Plane) {
    let pixels = crop.pixels_mut().chunks_exact_mut(3);
    let layers = layer.colours.iter().zip(&layer.cover);
    for ((rgb, (colour, &share)), cover) in pixels.zip(layers).zip(cover.values_mut()) {
        for (to, from) in rgb.iter_mut().zip(colour) {
            *to = (f32::from(*to) * (1.0 - share) + from * share).clamp(0.0, 255.0) as u8;
        }
        *cover = 1.0 - (1.0 - *cover) * (1.0 - share);
    }
}

/// Darkens what lies beside an occluder, away from the lamp.
fn cast_shadow(crop: &mut Picture, cover: &[f32], random: &mut ChaCha8Rng) {
    let mut shadow = Layer::new(random);
    let (dx, dy) = (5.0 * normal(random), 3.0 + 5.0 * normal(random));
    let side = SIDE as isize;
    for (i, to) in shadow.cover.iter_mut().enumerate() {
        let x = (i as isize % side - dx as isize).clamp(0, side - 1);
        let y = (i as isize / side - dy as isize).clamp(0, side - 1);
        *to = cover[(y * side + x) as usize];
    }
    shadow.soften(random.random_range(1..10));
    let strength = random.random_range(0.1..0.6);
    darken(crop, &shadow.cover, strength);
}

fn darken(crop: &mut Picture, shares: &[f32], strength: f32) {
    for (rgb, share) in crop.pixels_mut().chunks_exact_mut(3).zip(shares) {
        for level in rgb {
            *level = (f32::from(*level) * (1.0 - strength * share)) as u8;
        }
    }
}

/// The mean of each cell of the network's mask.
fn cells(plane: &Plane) -> Plane {
    let cells = OcclusionSegmenter::MASK_SIDE;
    let cell_px = SIDE as usize / cells;
    let mut sums = Plane::filled(cells, cells, 0.0);
    for (y, row) in plane.values().chunks_exact(SIDE as usize).enumerate() {
        for (x, value) in row.iter().enumerate() {
            let cell = y / cell_px * cells + x / cell_px;
            sums.values_mut()[cell] += value / (cell_px * cell_px) as f32;
        }
    }
    sums
}

fn mirrored(plane: &Plane) -> Plane {
    let rows = plane.values().chunks_exact(plane.width());
    let values = rows.flat_map(|row| row.iter().rev().copied()).collect();
    Plane::new(plane.width(), plane.height(), values)
}

/// A colour of skin: mostly near that of the face, which is the hard case.
fn skin_like(scene: &Scene<'_>, random: &mut ChaCha8Rng) -> [f32; 3] {
    const OTHERS: [[f32; 3]; 5] = [
        [236.0, 188.0, 160.0],
        [215.0, 160.0, 125.0],
        [180.0, 125.0, 95.0],
        [125.0, 82.0, 60.0],
        [80.0, 52.0, 40.0],
    ];
    let base = if random.random_bool(0.7) {
        scene.skin
    } else {
        OTHERS[random.random_range(0..OTHERS.len())]
    };
    let gain = 1.1 * (0.16 * normal(random)).exp();
    base.map(|level| (level * gain * (0.05 * normal(random)).exp()).clamp(5.0, 250.0))
}

fn any_colour(random: &mut ChaCha8Rng) -> [f32; 3] {
    let brightness = random.random_range(20.0..235.0_f32);
    let strength = random.random_range(0.0..1.0_f32).powi(2);
    std::array::from_fn(|_| {
        let other = random.random_range(0.0..255.0_f32);
        brightness + strength * (other - brightness)
    })
}

#[cfg(test)]
mod tests {
    use effigy_model::mean_mesh;
    use rand::SeedableRng as _;

    use super::*;

    fn face(rgb: [u8; 3]) -> Face {
        let frame_from_mean =
            Similarity::about(Point2::new(0.0, 0.35), Point2::new(120.0, 120.0), 90.0, 0.0);
        Face {
            picture: Picture::filled(240, 240, rgb),
            points: mean_mesh()
                .iter()
                .map(|&p| frame_from_mean.apply3(p))
                .collect(),
            is_grey: false,
        }
    }

    #[test]
    fn every_kind_but_bare_covers_part_of_most_faces() {
        let (face, other) = (face([205, 160, 130]), face([90, 60, 50]));
        for (kind, _) in KINDS {
            let is_covered = |seed: &u64| {
                let mut random = ChaCha8Rng::seed_from_u64(*seed);
                let covered = covered(&face, &other, kind, &mut random);
                covered.is_some_and(|covered| 0.01 < covered.share())
            };
            let n_covered = (0..20).filter(is_covered).count();
            if kind == Kind::Bare {
                assert_eq!(n_covered, 0);
            } else {
                assert!(12 < n_covered, "{kind:?}: {n_covered} of 20");
            }
        }
    }

    #[test]
    fn the_same_seed_covers_a_face_alike() {
        let (face, other) = (face([205, 160, 130]), face([90, 60, 50]));
        let draw = |seed: u64| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let covered = covered(&face, &other, Kind::Hand, &mut random)?;
            Some((covered.crop, covered.cover.values().to_vec()))
        };
        assert!((0..4).any(|seed| draw(seed).is_some()));
        assert!((0..4).all(|seed| draw(seed) == draw(seed)));
    }
}
