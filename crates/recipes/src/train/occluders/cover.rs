//! One thing before a face, in the face's own picture: for the finder.

use effigy_face::mask::hull_mask;
use effigy_frame::Point2;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use super::layer::Layer;
use super::{COVERS, Face, Kind, SIDE, Scene, any_kind, covered_part, draw, widened};
use crate::train::augment::to_grey;

/// Lays one thing over a face in its own picture, where it covers part of it; `other` is another
/// person. The picture stays as it is where nothing fits.
pub(crate) fn cover(face: &mut Face, other: &Face, random: &mut ChaCha8Rng) {
    let kind = loop {
        match any_kind(random) {
            Kind::Bare => {}
            kind => break kind,
        }
    };
    let Some((scene, view)) = Scene::new(face, other, random) else {
        return;
    };
    let belongs = hull_mask(&widened(&scene.points), SIDE as usize, SIDE as usize);
    let mut layer = Layer::new(random);
    draw(kind, &mut layer, &scene, random);
    layer.soften(random.random_range(0..2));
    if !COVERS.contains(&covered_part(&layer.cover, belongs.values())) {
        return;
    }
    let Some(from_picture) = view.inverse() else {
        return;
    };
    let picture = &mut face.picture;
    let (width, height) = (picture.width(), picture.height());
    for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
        let at = from_picture.apply(Point2::new(x as f32 + 0.5, y as f32 + 0.5));
        let inside = 0.0..SIDE as f32;
        if !inside.contains(&at.x) || !inside.contains(&at.y) {
            continue;
        }
        let i = (at.y as u32 * SIDE + at.x as u32) as usize;
        let share = layer.cover[i];
        let seen = picture.get(x, y).map(f32::from);
        let mixed = |c: usize| seen[c] * (1.0 - share) + layer.colours[i][c] * share;
        let mixed: [f32; 3] = std::array::from_fn(mixed);
        picture.set(x, y, mixed.map(|level| level.clamp(0.0, 255.0) as u8));
    }
    if face.is_grey {
        to_grey(picture);
    }
}

#[cfg(test)]
mod tests {
    use effigy_frame::{Picture, Similarity};
    use effigy_model::mean_mesh;
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn most_faces_get_something_and_a_grey_one_stays_grey() {
        let frame_from_mean =
            Similarity::about(Point2::new(0.0, 0.35), Point2::new(120.0, 120.0), 90.0, 0.0);
        let face = |rgb: [u8; 3], is_grey| Face {
            picture: Picture::filled(240, 240, rgb),
            points: mean_mesh()
                .iter()
                .map(|&p| frame_from_mean.apply3(p))
                .collect(),
            is_grey,
        };
        let other = face([90, 60, 50], false);
        let mut random = ChaCha8Rng::seed_from_u64(4);
        let mut n_covered = 0;
        for _ in 0..20 {
            let mut grey = face([150, 150, 150], true);
            let before = grey.picture.clone();
            cover(&mut grey, &other, &mut random);
            n_covered += u32::from(grey.picture != before);
            let pixels = grey.picture.pixels().chunks_exact(3);
            assert!(
                pixels
                    .into_iter()
                    .all(|rgb| rgb[0] == rgb[1] && rgb[1] == rgb[2])
            );
        }
        assert!(12 <= n_covered, "{n_covered} of 20");
    }
}
