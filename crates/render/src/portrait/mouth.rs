//! The inside of a mouth: taken from the portrait where it shows it, made up where it does not.

use effigy_face::landmarks::{LOWER_LIP_INNER_EDGE, UPPER_LIP_INNER_EDGE, eye_distance};
use effigy_face::rig::{N_EXPRESSIONS, Part, Person, Rig, Triangle};
use effigy_frame::Point2;

use super::raster::Hit;
use super::{Shown, smooth_step};
use crate::interior::LIDS;
use crate::sample::Sampler;

/// The colours of a mouth.
#[derive(Clone, Debug)]
pub(super) struct Mouth {
    teeth: [f32; 3],
    flesh: [f32; 3],
    /// How much light reaches each vertex, `0..=1`.
    lit: Vec<f32>,
    /// Share in which each vertex's own colour is seen in the portrait.
    seen: Vec<f32>,
}

/// Teeth against the white of an eye.
const ENAMEL: [f32; 3] = [0.93, 0.89, 0.80];
/// Gums and tongue against the lips.
const FLESH: [f32; 3] = [0.78, 0.58, 0.58];
/// How far behind the lips light begins to fail, and how fast, in centimetres.
const LIT_CM: [f32; 2] = [1.0, 1.6];
/// Where between the lips a tongue begins, and where it is seen wholly; how much light it gets.
const TONGUE: [f32; 2] = [0.35, 0.9];
const TONGUE_LIT: f32 = 0.62;
/// It is nowhere darker than this share.
const LEAST_LIT: f32 = 0.28;
/// A mouth is open from this gap on, and wide open from that, in eye distances.
const OPEN: [f32; 2] = [0.04, 0.09];
/// Least and most brightness of the white of an eye, in 8-bit levels.
const WHITES: [f32; 2] = [70.0, 225.0];
/// Points on the red of the lips: 12, 38, 268 on the upper, 15 on the lower.
const LIP_MIDDLES: [usize; 4] = [12, 15, 38, 268];

impl Mouth {
    /// Looks at the mouth of a portrait; `points` are the mesh of the face in it.
    pub(super) fn look(rig: &Rig, person: &Person, shown: Shown<'_>, points: &[Point2]) -> Self {
        let Shown {
            source,
            raster,
            colours,
        } = shown;
        let pairs = UPPER_LIP_INNER_EDGE.iter().zip(&LOWER_LIP_INNER_EDGE);
        let gap = pairs
            .map(|(&upper, &lower)| points[lower].y - points[upper].y)
            .fold(0.0, f32::max);
        let gap = gap / eye_distance(points).max(1.0);
        let open = smooth_step((gap - OPEN[0]) / (OPEN[1] - OPEN[0]));
        let lips = rig.skin_points(person, &[0.0; N_EXPRESSIONS]);
        let lips = LIP_MIDDLES.map(|i| lips[i][2]).iter().sum::<f32>() / 4.0;
        let at_rest = person.at_rest();
        let lit = at_rest.iter().map(|p| {
            let deep = p[2] - lips - LIT_CM[0];
            (-deep.max(0.0) / LIT_CM[1]).exp()
        });
        let mut seen = vec![0.0; source.len()];
        for triangle in rig.triangles().iter().filter(|t| is_inner(t.part)) {
            for corner in triangle.corners.map(usize::from) {
                let [x, y, z] = source[corner];
                let shows = raster.at(x, y).is_some_and(|(hit, depth)| {
                    let part = rig.triangles()[usize::from(hit.triangle)].part;
                    is_inner(part) && (depth - z).abs() < DEEP_PX
                });
                seen[corner] = if shows { open } else { 0.0 };
            }
        }
        let white = white_of_eyes(colours, points);
        let lips = mean(colours, LIP_MIDDLES.map(|i| points[i]));
        Self {
            teeth: std::array::from_fn(|i| ENAMEL[i] * white),
            flesh: std::array::from_fn(|i| FLESH[i] * lips[i]),
            lit: lit.collect(),
            seen,
        }
    }

    /// The colour where nothing is in the way of looking into the mouth; `down` is 0 at the upper lip
    /// and 1 at the lower, before which the tongue lies.
    pub(super) fn depth(&self, down: f32) -> [f32; 3] {
        let tongue = smooth_step((down - TONGUE[0]) / (TONGUE[1] - TONGUE[0]));
        let lit = LEAST_LIT + tongue * (TONGUE_LIT - LEAST_LIT);
        self.flesh.map(|v| lit * v)
    }

    /// The colour of a place inside, on which so much `light` falls; `sampled` is what the portrait shows there.
    pub(super) fn colour(
        &self,
        triangle: &Triangle,
        hit: Hit,
        light: f32,
        sampled: [f32; 3],
    ) -> [f32; 3] {
        let corners = triangle.corners.map(usize::from);
        let [lit, seen] = hit.of(corners.map(|c| [self.lit[c], self.seen[c]]));
        let own = match triangle.part {
            Part::Teeth => self.teeth,
            _ => self.flesh,
        };
        std::array::from_fn(|i| {
            let made_up = own[i] * lit.max(LEAST_LIT) * light;
            made_up + seen * (sampled[i] - made_up)
        })
    }
}

/// A place that lies further behind what is seen there is hidden, in pixels.
const DEEP_PX: f32 = 6.0;

fn is_inner(part: Part) -> bool {
    matches!(part, Part::Teeth | Part::Mouth)
}

fn mean(colours: &Sampler, places: [Point2; 4]) -> [f32; 3] {
    let sum = places.iter().fold([0.0; 3], |sum: [f32; 3], &place| {
        let colour = colours.colour_at(place);
        [0, 1, 2].map(|i| sum[i] + 0.25 * colour[i])
    });
    sum.map(|v| v.clamp(0.0, 255.0))
}

/// How bright the whites of the eyes are: a high quantile between the lids.
fn white_of_eyes(colours: &Sampler, points: &[Point2]) -> f32 {
    const ACROSS: usize = 8;
    let mut values = Vec::new();
    for [upper, lower] in LIDS {
        for (&u, &l) in upper.iter().zip(lower) {
            for k in 1..ACROSS {
                let t = k as f32 / ACROSS as f32;
                let at = Point2::new(
                    points[u].x + t * (points[l].x - points[u].x),
                    points[u].y + t * (points[l].y - points[u].y),
                );
                let [r, g, b, _] = colours.colour_at(at);
                values.push(0.3 * r + 0.59 * g + 0.11 * b);
            }
        }
    }
    values.sort_by(f32::total_cmp);
    let high = values.get(values.len() * 9 / 10).copied().unwrap_or(180.0);
    high.clamp(WHITES[0], WHITES[1])
}
