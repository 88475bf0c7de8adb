//! A real face and the same picture with that face blended onto itself, changed.
//!
//! After Shiohara and Yamasaki, "Detecting deepfakes with self-blended images", CVPR 2022,
//! sections 3.1 to 3.3, from the paper alone. The two pictures share everything but the blending:
//! source, light, size, sharpness and compression give nothing away. What differs from the paper:
//! the changes include what a face model does to a face (detail lost, light that doesn't fit,
//! features slightly elsewhere), part of the faces are drawn by one, and both pictures go through
//! a codec afterwards.

mod change;
mod codec;
mod mask;
mod redraw;

use effigy_face::align::aligned_view;
use effigy_frame::resample::{crop, resize};
use effigy_frame::{Picture, Plane, Point2, Point3, Similarity};
use effigy_model::BlendJudge;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::train::augment::{self, Jitter, compress, normal, soften, strayed};
pub(crate) use redraw::{Redrawer, Redrawn};

/// A real face, blended and not.
pub(crate) struct Twins {
    pub(crate) real: Picture,
    pub(crate) blended: Picture,
    /// Where the seam of `blended` runs: 1 where the mask is half.
    pub(crate) seam: Plane,
}

const SIDE: u32 = BlendJudge::SIDE_PX;
/// How much more than the crop the working view shows: room to stray.
const ROOM: f32 = 1.25;
/// Sides of the working view: what a face in footage has before it is cut out.
const LEAST_WORK_PX: f32 = 100.0;
const MOST_WORK_PX: f32 = 288.0;
const JITTER: Jitter = Jitter {
    turn: 0.06,
    scale: 0.06,
    shift: 0.025,
};

/// Blends the face in `picture` onto itself, changed, or as `redrawn` shows it.
///
/// `None` when the mesh is squeezed into a point, or the mask into nothing.
pub(crate) fn twins(
    picture: &Picture,
    points: &[Point3],
    redrawn: Option<&Redrawn>,
    random: &mut ChaCha8Rng,
) -> Option<Twins> {
    let work = working_view(picture, points, random)?;
    let mask = mask::mask(&work.points, work.picture.width(), random)?;
    let (target, source) = match redrawn {
        Some(redrawn) => {
            let mut source = redrawn.seen(work.picture_from_it, work.picture.width());
            change::finish_drawing(&mut source, random);
            redraw::match_colours(&mut source, &work.picture, &mask);
            (work.picture, source)
        }
        None => {
            let (target, source) = change::changed(&work.picture, random);
            (target, change::moved(&source, random))
        }
    };
    let strength = [0.4, 0.7, 1.0, 1.0, 1.0, 1.0][random.random_range(0..6)];
    let blended = blend(&target, &source, &mask, strength);
    let view = final_view(target.width(), random);
    let mirrored = random.random_bool(0.5);
    let mut same = random.clone();
    let finished = |picture: Picture, random: &mut ChaCha8Rng| {
        let cut = finish(picture, view, random);
        if mirrored { cut.mirrored() } else { cut }
    };
    let real = finished(target, &mut same);
    let blended = finished(blended, random);
    let mask = crop(&grey(&mask), view, SIDE);
    let seam = seam(&if mirrored { mask.mirrored() } else { mask });
    Some(Twins {
        real,
        blended,
        seam,
    })
}

/// The face and its surroundings at the size it has in some footage, with its points there.
struct Work {
    picture: Picture,
    points: Vec<Point2>,
    picture_from_it: Similarity,
}

fn working_view(picture: &Picture, points: &[Point3], random: &mut ChaCha8Rng) -> Option<Work> {
    let extent = BlendJudge::EXTENT * ROOM;
    let unit = aligned_view(points, 1000, extent)?;
    let own_px = 1000.0 * unit.scale();
    let wanted = own_px * random.random_range(0.55..1.1_f32);
    let side = wanted.clamp(LEAST_WORK_PX * ROOM, MOST_WORK_PX * ROOM) as u32;
    let view = strayed(aligned_view(points, side, extent)?, side, JITTER, random);
    let from_picture = view.inverse()?;
    let points = points.iter().map(|p| from_picture.apply(p.xy())).collect();
    let mut work = crop(picture, view, side);
    if random.random_bool(0.6) {
        augment::recolour(&mut work, 0.5, random);
    }
    if random.random_bool(0.05) {
        augment::to_grey(&mut work);
    }
    if random.random_bool(0.15) {
        soften(&mut work, random.random_range(0.4..0.9));
    }
    Some(Work {
        picture: work,
        points,
        picture_from_it: view,
    })
}

/// Lays `source` over `target` where the mask is.
fn blend(target: &Picture, source: &Picture, mask: &Plane, strength: f32) -> Picture {
    let mut blended = target.clone();
    let pixels = blended.pixels_mut().chunks_exact_mut(3);
    for ((to, from), &share) in pixels
        .zip(source.pixels().chunks_exact(3))
        .zip(mask.values())
    {
        let share = share * strength;
        for (to, &from) in to.iter_mut().zip(from) {
            *to = (f32::from(*to) * (1.0 - share) + f32::from(from) * share).round() as u8;
        }
    }
    blended
}

/// Where the network's crop lies in the working view.
fn final_view(side: u32, random: &mut ChaCha8Rng) -> Similarity {
    let (from, to) = (0.5 * SIDE as f32, 0.5 * side as f32);
    let scale = side as f32 / (ROOM * SIDE as f32);
    let exact = Similarity::about(Point2::new(from, from), Point2::new(to, to), scale, 0.0);
    let jitter = Jitter {
        turn: 0.02,
        scale: 0.02,
        shift: 0.01,
    };
    strayed(exact, SIDE, jitter, random)
}

/// What happens to a whole picture on its way to us, and the cut; the same for the same generator.
fn finish(mut picture: Picture, view: Similarity, random: &mut ChaCha8Rng) -> Picture {
    if random.random_bool(0.3) {
        let strength = random.random_range(0.5..4.0);
        augment::add_noise(&mut picture, strength, random);
    }
    match random.random_range(0..10) {
        0 | 1 => {}
        2..=4 => compress(&mut picture, random.random_range(45..96)),
        _ => codec::compress(&mut picture, random.random_range(18.0..33.0), random),
    }
    if random.random_bool(0.2) {
        // A copy of a copy, at another size.
        let side = (picture.width() as f32 * random.random_range(0.6..1.0)) as u32;
        let whole = picture.width();
        picture = resize(&picture, side, side);
        codec::compress(&mut picture, random.random_range(18.0..30.0), random);
        picture = resize(&picture, whole, whole);
    }
    let mut cut = crop(&picture, view, SIDE);
    if random.random_bool(0.4) {
        let gain = 1.0 + 0.1 * normal(random);
        for value in cut.pixels_mut() {
            *value = (f32::from(*value) * gain).min(255.0) as u8;
        }
    }
    cut
}

fn grey(plane: &Plane) -> Picture {
    let level = |&v: &f32| [(255.0 * v).round() as u8; 3];
    let pixels = plane.values().iter().flat_map(level).collect();
    Picture::new(plane.width() as u32, plane.height() as u32, pixels)
}

/// For each cell of the network's map, how near its most seam-like pixel is to half covered.
fn seam(mask: &Picture) -> Plane {
    let cells = BlendJudge::MAP_SIDE;
    let cell_px = SIDE as usize / cells;
    let mut seam = Plane::filled(cells, cells, 0.0);
    for (i, rgb) in mask.pixels().chunks_exact(3).enumerate() {
        let (x, y) = (i % SIDE as usize / cell_px, i / SIDE as usize / cell_px);
        let share = f32::from(rgb[0]) / 255.0;
        let cell = &mut seam.values_mut()[y * cells + x];
        *cell = cell.max(4.0 * share * (1.0 - share));
    }
    seam
}

#[cfg(test)]
mod tests {
    use effigy_model::mean_mesh;
    use rand::SeedableRng as _;

    use super::*;

    fn face() -> (Picture, Vec<Point3>) {
        let pixels = (0..240 * 240_u32).flat_map(|i| {
            let (x, y) = (i % 240, i / 240);
            [
                (x / 2 + 60) as u8,
                (y / 2 + 40) as u8,
                ((x * y / 9) % 120) as u8,
            ]
        });
        let frame_from_mean =
            Similarity::about(Point2::new(0.0, 0.35), Point2::new(120.0, 120.0), 60.0, 0.0);
        let points = mean_mesh().iter().map(|&p| frame_from_mean.apply3(p));
        (Picture::new(240, 240, pixels.collect()), points.collect())
    }

    #[test]
    fn twins_differ_inside_the_seam_and_hardly_outside() {
        let (picture, points) = face();
        let mut seen_difference = 0;
        for seed in 0..20 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let twins = twins(&picture, &points, None, &mut random).unwrap();
            let gap = |x0: u32, y0: u32| {
                let places = (0..16).flat_map(|y| (0..16).map(move |x| (x0 + x, y0 + y)));
                let gaps = places.map(|(x, y)| {
                    let (a, b) = (twins.real.get(x, y), twins.blended.get(x, y));
                    f32::from(a[0].abs_diff(b[0])) + f32::from(a[1].abs_diff(b[1]))
                });
                gaps.sum::<f32>() / 256.0
            };
            // Compression spreads a little of what differs to blocks that touch the mask.
            assert!(
                gap(0, 0) < 3.0,
                "seed {seed}: corner differs by {}",
                gap(0, 0)
            );
            seen_difference += u32::from(gap(56, 60) > 0.5);
            assert!(twins.seam.values().iter().any(|&v| v > 0.5), "seed {seed}");
        }
        assert!(seen_difference > 12, "{seen_difference} of 20");
    }

    #[test]
    fn the_same_seed_gives_the_same_twins() {
        let (picture, points) = face();
        let draw = || twins(&picture, &points, None, &mut ChaCha8Rng::seed_from_u64(3)).unwrap();
        assert_eq!(draw().blended, draw().blended);
    }
}
