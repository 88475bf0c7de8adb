//! The inside of a mouth: taken from the portrait where it shows it, made up where it does not.

use effigy_face::landmarks::CHEEK_CENTRES;
use effigy_face::rig::{Person, Placement, Rig, Vec3};
use effigy_frame::Point2;

use super::lips::{Between, Lips};
use super::sheet::Sheet;
use super::smile::{Bone, Smile};
use super::teeth::{Drawn, Row, Seen, rows};
use super::{brightness, smooth_step};
use crate::interior::LIDS;
use crate::sample::Sampler;

/// The mouth of a portrait.
#[derive(Clone, Debug)]
pub(super) struct Mouth {
    enamel: [f32; 3],
    flesh: [f32; 3],
    throat: [f32; 3],
    /// The red of the lips.
    pub(super) red: [f32; 3],
    rows: [Row; 2],
    /// Where the lower front teeth are on the head in the portrait, in centimetres.
    lower_front: Vec3,
    /// How deep the upper front teeth lie, in centimetres on the head.
    depth: f32,
    /// What the portrait shows itself.
    own: Smile,
}

/// The mouth in one frame.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    pub(super) lips: Lips,
    /// Share in which the inside of the mouth shows, `0..=1`.
    pub(super) open: f32,
    /// How wide the gap is, `0..=1`.
    wide: f32,
    rows: [Drawn; 2],
    /// The ways back to the portrait for what moves with the jaw, and with the skull.
    back: [Sheet; 2],
}

/// Teeth of a brightness of 1, and the share of their colour that is light from the lips around them.
const ENAMEL: [f32; 3] = [1.06, 0.99, 0.90];
const FROM_LIPS: f32 = 0.2;
/// Their brightness against the white of an eye, and the least of it against the cheeks.
const BRIGHT: [f32; 2] = [1.0, 0.95];
/// Gums and tongue against the brightness of the lips, and the throat.
const FLESH: [f32; 3] = [1.42, 0.92, 0.90];
const THROAT: [f32; 3] = [0.36, 0.16, 0.17];
/// Where a tongue begins in the middle of a mouth, how much further down at its corners, and over
/// how much it comes into sight, as shares of the gap.
const TONGUE_AT: f32 = 0.45;
const TONGUE_BENDS: f32 = 0.35;
const TONGUE_SOFT: f32 = 0.55;
/// In a narrow gap the inside has this share of its light, and in one of so many centimetres all.
const NARROW_LIT: f32 = 0.6;
const WIDE_CM: f32 = 1.6;
/// From which gap between the lips on the inside of the mouth is drawn, and from which on wholly, in
/// centimetres.
const OPEN_CM: [f32; 2] = [0.06, 0.2];
/// In a coloured picture lips are redder than the whites of the eyes by this, as red against green.
const COLOURED: f32 = 0.15;
/// Least and most brightness of the white of an eye, in 8-bit levels.
const WHITES: [f32; 2] = [70.0, 225.0];
/// Points on the red of the lips: 12, 38, 268 on the upper, 15 on the lower.
const LIP_MIDDLES: [usize; 4] = [12, 15, 38, 268];

impl Mouth {
    /// Looks at the mouth of a portrait, whose vertices are `shaped` on the head, and whose mesh `points` in
    /// the picture, at `scale` pixels a centimetre.
    pub(super) fn look(
        rig: &Rig,
        person: &Person,
        shaped: &[Vec3],
        colours: &Sampler,
        (points, scale): (&[Point2], f32),
    ) -> Self {
        let lips = mean(colours, &LIP_MIDDLES.map(|i| points[i]));
        let cheeks = brightness(mean(colours, &CHEEK_CENTRES.map(|i| points[i])));
        let whites = white_of_eyes(colours, points);
        let white = brightness(whites).clamp(WHITES[0], WHITES[1]);
        let white = (BRIGHT[0] * white).max(BRIGHT[1] * cheeks);
        let lips_bright = brightness(lips).max(1.0);
        let own = Smile::look(colours, (points, scale), lips_bright);
        // A picture without colours of its own gives its tint to what is made up.
        let redder = (lips[0] / lips[1].max(1.0) - whites[0] / whites[1].max(1.0)).abs();
        let coloured = smooth_step(redder / COLOURED);
        let tinted = |natural: [f32; 3]| -> [f32; 3] {
            let bright = brightness(natural);
            std::array::from_fn(|i| {
                let tint = bright * lips[i] / lips_bright;
                tint + coloured * (natural[i] - tint)
            })
        };
        let natural = tinted(ENAMEL);
        let enamel: [f32; 3] = std::array::from_fn(|i| {
            let made_up = white * (natural[i] + FROM_LIPS * (lips[i] / lips_bright - natural[i]));
            made_up + own.shows_teeth * (own.bright[i] - made_up)
        });
        let rows = rows(rig, person);
        Self {
            enamel,
            flesh: tinted(FLESH).map(|v| v * lips_bright),
            throat: tinted(THROAT).map(|v| v * lips_bright),
            red: lips,
            lower_front: rows[1].front(shaped),
            depth: rows[0].front(shaped)[2],
            rows,
            own,
        }
    }
}

impl Opening {
    /// The mouth when the lips' points are at `point` and the vertices at `target`; `then` and `now` are where
    /// the head was in the portrait, and is.
    pub(super) fn of(
        mouth: &Mouth,
        lips: Lips,
        target: &[Vec3],
        [then, now]: [&Placement; 2],
    ) -> Self {
        let front = now.back(mouth.rows[1].front(target));
        let origin = now.apply([0.0; 3]);
        let by: Vec3 = std::array::from_fn(|i| front[i] - mouth.lower_front[i]);
        let by = now.apply(by);
        let with_jaw = Placement {
            shift: std::array::from_fn(|i| now.shift[i] + by[i] - origin[i]),
            ..*now
        };
        let gap = lips.gap_cm();
        Self {
            open: smooth_step((gap - OPEN_CM[0]) / (OPEN_CM[1] - OPEN_CM[0])),
            wide: smooth_step(gap / WIDE_CM),
            rows: std::array::from_fn(|i| mouth.rows[i].drawn(target, &lips)),
            back: [
                Sheet::of(then, &with_jaw, mouth.lower_front[2]),
                Sheet::of(then, now, mouth.depth),
            ],
            lips,
        }
    }
}

impl Mouth {
    /// The colour of a place inside an opened mouth.
    pub(super) fn colour(
        &self,
        opening: &Opening,
        (at, between): (Point2, &Between),
        colours: &Sampler,
    ) -> [f32; 3] {
        let mut colour = self.made_up(opening, between);
        if self.own.open <= 0.0 {
            return colour;
        }
        for (back, bone) in opening.back.iter().zip([Bone::Jaw, Bone::Skull]) {
            let source = back.back(at);
            let share = self.own.share(source, bone);
            if 0.0 < share {
                let shown = colours.colour_at(source);
                colour = std::array::from_fn(|i| colour[i] + share * (shown[i] - colour[i]));
            }
        }
        colour
    }

    fn made_up(&self, opening: &Opening, between: &Between) -> [f32; 3] {
        let begins = TONGUE_AT + TONGUE_BENDS * between.across * between.across;
        let tongue = smooth_step((between.down() - begins) / TONGUE_SOFT + 0.5);
        let lit = NARROW_LIT + opening.wide * (1.0 - NARROW_LIT);
        let mut colour: [f32; 3] = std::array::from_fn(|i| {
            lit * (self.throat[i] + tongue * (self.flesh[i] - self.throat[i]))
        });
        // The upper teeth bite over the lower ones.
        for row in opening.rows.iter().rev() {
            let Seen { cover, gum, lit } = row.at(between);
            // Of a portrait that shows its teeth, those are used.
            let cover = cover * (1.0 - self.own.shows_teeth);
            let row = |i: usize| lit * (self.enamel[i] + gum * (self.flesh[i] - self.enamel[i]));
            colour = std::array::from_fn(|i| colour[i] + cover * (row(i) - colour[i]));
        }
        let light = opening.lips.light(between);
        colour.map(|v| light * v)
    }
}

fn mean(colours: &Sampler, places: &[Point2]) -> [f32; 3] {
    let share = 1.0 / places.len() as f32;
    let sum = places.iter().fold([0.0; 3], |sum: [f32; 3], &place| {
        let colour = colours.colour_at(place);
        [0, 1, 2].map(|i| sum[i] + share * colour[i])
    });
    sum.map(|v| v.clamp(0.0, 255.0))
}

/// The colour of the whites of the eyes: that of a high quantile of brightness between the lids.
fn white_of_eyes(colours: &Sampler, points: &[Point2]) -> [f32; 3] {
    const ACROSS: usize = 8;
    let mut seen = Vec::new();
    for [upper, lower] in LIDS {
        for (&u, &l) in upper.iter().zip(lower) {
            for k in 1..ACROSS {
                let t = k as f32 / ACROSS as f32;
                let at = Point2::new(
                    points[u].x + t * (points[l].x - points[u].x),
                    points[u].y + t * (points[l].y - points[u].y),
                );
                let [r, g, b, _] = colours.colour_at(at);
                seen.push([r, g, b]);
            }
        }
    }
    seen.sort_by(|a, b| brightness(*a).total_cmp(&brightness(*b)));
    seen.get(seen.len() * 9 / 10).copied().unwrap_or([180.0; 3])
}

#[cfg(test)]
mod tests {
    use effigy_face::rig::{Person, Rig};
    use effigy_frame::Picture;
    use effigy_model::{Weights, mean_mesh};

    use super::*;

    #[test]
    fn a_grey_portrait_has_a_grey_mouth() {
        let rig = Rig::load(&Weights::from_source_tree().unwrap()).unwrap();
        let person = Person::mean(&rig);
        let place = |p: &effigy_frame::Point3| Point2::new(64.0 + 50.0 * p.x, 40.0 + 50.0 * p.y);
        let points: Vec<Point2> = mean_mesh().iter().map(place).collect();
        let look = |rgb: [u8; 3]| {
            let mut picture = Picture::filled(128, 128, [150; 3]);
            for i in LIP_MIDDLES {
                let at = points[i];
                for (dx, dy) in (0..25).map(|k| (k % 5, k / 5)) {
                    picture.set(at.x as u32 + dx - 2, at.y as u32 + dy - 2, rgb);
                }
            }
            let colours = Sampler::new(&picture);
            let at_rest = person.at_rest();
            Mouth::look(&rig, &person, &at_rest, &colours, (&points, 10.0)).flesh
        };
        let [r, g, b] = look([120; 3]);
        assert!((r - g).abs() < 1.0 && (g - b).abs() < 1.0, "{r} {g} {b}");
        let [r, g, _] = look([170, 100, 100]);
        assert!(1.3 * g < r, "{r} {g}");
    }
}
