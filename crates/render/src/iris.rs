//! The colour of the eyes.
//!
//! An eyeball stays the performer's ([`crate::interior`]), but its iris takes on the source's colour:
//! the mean difference between the irises that the model draws for both people is added between
//! pupil and sclera.

use effigy_face::landmarks::{CHEEK_CENTRES, EYES, eye_distance};
use effigy_frame::{Picture, Point2};

/// How far around the middles of the cheeks, in distances between the outer eye corners.
const CHEEK: f32 = 0.1;
/// How far the light on both drawings may differ.
const LIGHT: [f32; 2] = [0.6, 1.6];
/// Part of an iris that is averaged, as a share of its radius: its rim is half sclera.
const MIDDLE: f32 = 0.8;
/// Where the tint begins outside the pupil and is full, and where it begins to fade and is gone at
/// the sclera, as shares of the radius.
const RING: [f32; 4] = [0.25, 0.5, 0.85, 1.1];
/// Time constant of the difference, in seconds.
const MEMORY_SECS: f32 = 1.5;
/// No colour is changed by more levels than this.
const MOST: f32 = 90.0;
/// Sclera and reflections keep their colour: the brightness from which nothing is tinted, and up to
/// which all is.
const REFLECTIONS: [f32; 2] = [160.0, 110.0];
/// Brightness from which an iris may be a lid, and up to which it surely is none, as shares of the
/// cheeks.
const LID: [f32; 2] = [0.75, 0.6];
/// With fewer pixels the mean of an iris is noise.
const FEWEST_PIXELS: usize = 4;

/// What is added to the red, green and blue of a followed face's irises, once it is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tint(Option<[f32; 3]>);

impl Tint {
    /// Compares the irises in both drawings from one latent, of the source and of the performer:
    /// they are equally coarse, and look the same way. What the cheeks differ by is light, and not
    /// counted. `points` are the mesh of the source's drawing.
    pub(crate) fn update(
        &mut self,
        source: &Picture,
        target: &Picture,
        points: &[Point2],
        secs: f32,
    ) {
        let both = |picture| {
            let iris = mean_colour(picture, &irises(points))?;
            Some((iris, mean_colour(picture, &cheeks(points))?))
        };
        let Some(((to, to_skin), (from, from_skin))) = both(source).zip(both(target)) else {
            return;
        };
        let add: [f32; 3] = std::array::from_fn(|c| {
            let light = (from_skin[c] / to_skin[c].max(1.0)).clamp(LIGHT[0], LIGHT[1]);
            (to[c] * light - from[c]).clamp(-MOST, MOST)
        });
        let share = 1.0 - (-secs / MEMORY_SECS).exp();
        for (old, new) in self.0.get_or_insert(add).iter_mut().zip(add) {
            *old += share * (new - *old);
        }
    }

    /// What to add to `colour` at a place whose share of tint is `share`.
    pub(crate) fn change(&self, colour: [f32; 3], share: f32) -> [f32; 3] {
        let level = colour.iter().sum::<f32>() / 3.0;
        let [gone, full] = REFLECTIONS;
        let matt = ((gone - level) / (gone - full)).clamp(0.0, 1.0);
        self.0.map_or([0.0; 3], |add| add.map(|v| share * matt * v))
    }
}

/// The irises of a mesh: middle and radius of each.
pub(crate) fn irises(points: &[Point2]) -> [(Point2, f32); 2] {
    EYES.map(|eye| {
        let middle = points[eye.iris];
        let radius = eye
            .iris_rim
            .map(|i| points[i].distance(middle))
            .iter()
            .sum::<f32>()
            / 4.0;
        (middle, radius)
    })
}

/// The same of the cheeks.
fn cheeks(points: &[Point2]) -> [(Point2, f32); 2] {
    let radius = CHEEK * eye_distance(points);
    CHEEK_CENTRES.map(|i| (points[i], radius))
}

/// How surely both irises are seen, `0..=1`: a mesh hardly tells when lids close over them, but
/// lids are about as bright as the cheeks, and irises with their pupils darker.
pub(crate) fn open_eyes(seen: &Picture, points: &[Point2]) -> f32 {
    let level = |places: &[(Point2, f32)]| mean_colour(seen, places).map(|rgb| rgb.iter().sum());
    let Some(skin) = level(&cheeks(points)) else {
        return 0.0;
    };
    let skin: f32 = skin;
    let [lid, surely] = LID.map(|share| share * skin);
    let seen = irises(points).map(|iris| {
        level(&[iris]).map_or(0.0, |level: f32| {
            ((lid - level) / (lid - surely).max(1.0)).clamp(0.0, 1.0)
        })
    });
    seen[0].min(seen[1])
}

/// How much of the tint a place takes, `0..=1`.
pub(crate) fn share(irises: &[(Point2, f32); 2], at: Point2) -> f32 {
    let of = |&(middle, radius): &(Point2, f32)| {
        let away = at.distance(middle) / radius.max(0.5);
        let rise = ((away - RING[0]) / (RING[1] - RING[0])).clamp(0.0, 1.0);
        let fall = ((RING[3] - away) / (RING[3] - RING[2])).clamp(0.0, 1.0);
        rise.min(fall)
    };
    irises.iter().map(of).fold(0.0, f32::max)
}

/// The mean colour of round places.
fn mean_colour(picture: &Picture, places: &[(Point2, f32)]) -> Option<[f32; 3]> {
    let (mut sum, mut n) = ([0.0_f32; 3], 0);
    for &(middle, radius) in places {
        let reach = MIDDLE * radius.max(0.5);
        let from = |v: f32| (v - reach).max(0.0) as u32;
        let to = |v: f32, end: u32| ((v + reach).max(0.0) as u32 + 1).min(end);
        for y in from(middle.y)..to(middle.y, picture.height()) {
            for x in from(middle.x)..to(middle.x, picture.width()) {
                let at = Point2::new(x as f32 + 0.5, y as f32 + 0.5);
                if at.distance(middle) <= reach {
                    let rgb = picture.get(x, y);
                    sum.iter_mut()
                        .zip(rgb)
                        .for_each(|(s, v)| *s += f32::from(v));
                    n += 1;
                }
            }
        }
    }
    (FEWEST_PIXELS <= n).then(|| sum.map(|v| v / n as f32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_model::mean_mesh;

    const SIDE: u32 = 96;

    fn face() -> Vec<Point2> {
        let place = |p: &effigy_frame::Point3| Point2::new(48.0 + 48.0 * p.x, 31.0 + 48.0 * p.y);
        mean_mesh().iter().map(place).collect()
    }

    /// Skin with eyes of a colour.
    fn eyes(rgb: [u8; 3]) -> Picture {
        let mut picture = Picture::filled(SIDE, SIDE, [200, 160, 140]);
        for (middle, radius) in irises(&face()) {
            for y in 0..SIDE {
                for x in 0..SIDE {
                    let at = Point2::new(x as f32 + 0.5, y as f32 + 0.5);
                    if at.distance(middle) <= radius + 1.0 {
                        picture.set(x, y, rgb);
                    }
                }
            }
        }
        picture
    }

    fn tint(drawn: [u8; 3], own: [u8; 3]) -> Tint {
        let mut tint = Tint::default();
        tint.update(&eyes(drawn), &eyes(own), &face(), 0.04);
        tint
    }

    #[test]
    fn brown_eyes_become_as_blue_as_those_drawn() {
        let tint = tint([90, 130, 160], [70, 50, 40]);
        let change = tint.change([70.0, 50.0, 40.0], 1.0);
        for (change, wanted) in change.into_iter().zip([20.0, 80.0, 90.0]) {
            assert!((change - wanted).abs() < 1.5, "{change} {wanted}");
        }
    }

    #[test]
    fn eyes_of_one_colour_and_reflections_stay() {
        assert_eq!(
            tint([70, 50, 40], [70, 50, 40]).change([70.0; 3], 1.0),
            [0.0; 3]
        );
        let white = tint([90, 130, 160], [70, 50, 40]).change([250.0; 3], 1.0);
        assert_eq!(white, [0.0; 3]);
        assert_eq!(Tint::default().change([70.0; 3], 1.0), [0.0; 3]);
    }

    #[test]
    fn warmer_light_is_no_colour_of_eyes() {
        let mut tint = Tint::default();
        let lit = |picture: Picture| {
            let lamp = [1.1, 0.9, 0.7];
            let pixels = picture.pixels().iter().zip(lamp.iter().cycle());
            let pixels = pixels.map(|(&v, lamp)| (f32::from(v) * lamp + 0.5) as u8);
            Picture::new(SIDE, SIDE, pixels.collect())
        };
        let brown = || eyes([70, 50, 40]);
        tint.update(&brown(), &lit(brown()), &face(), 0.04);
        let change = tint.change([70.0, 50.0, 40.0], 1.0);
        assert!(change.iter().all(|v| v.abs() < 1.5), "{change:?}");
    }

    #[test]
    fn pupil_and_sclera_take_no_tint() {
        let irises = [
            (Point2::new(20.0, 20.0), 10.0),
            (Point2::new(60.0, 20.0), 10.0),
        ];
        let at = |x: f32| share(&irises, Point2::new(x, 20.0));
        assert!(at(20.0) <= 0.0 && at(32.0) <= 0.0);
        assert!((at(27.0) - 1.0).abs() < 1e-6 && (at(67.0) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn closed_lids_take_no_tint() {
        assert!((open_eyes(&eyes([70, 50, 40]), &face()) - 1.0).abs() < 1e-6);
        assert!(open_eyes(&eyes([160, 130, 115]), &face()) <= 0.0);
    }
}
