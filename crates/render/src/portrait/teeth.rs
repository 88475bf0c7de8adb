//! Two rows of teeth, where the rig has them.
//!
//! The rig's teeth have few corners each, and gaps between them. What is drawn are rows: smooth bands
//! whose edges run through the tips of the teeth, with a notch where two of them meet.

use effigy_face::rig::{Part, Person, Rig, Vec3};
use effigy_frame::Point2;

use super::lips::{Between, Lips, curve_at};
use super::smooth_step;

/// The vertices of each tooth of a row, from the person's right to their left.
#[derive(Clone, Debug)]
pub(super) struct Row {
    teeth: Vec<Tooth>,
    is_upper: bool,
}

#[derive(Clone, Debug)]
struct Tooth {
    vertices: Vec<usize>,
    /// How much light reaches it, `0..=1`.
    lit: f32,
}

/// A row as it lies in a frame, upright.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    /// Middle of each tooth's tip.
    tips: Vec<Point2>,
    /// Half the width of each.
    halves: Vec<f32>,
    lit: Vec<f32>,
    /// 1 where teeth hang down, -1 where they stand.
    down: f32,
    scale: f32,
}

/// What a row shows at a place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Share of the place that teeth or gums cover, `0..=1`.
    pub(super) cover: f32,
    /// Share of that which is gum.
    pub(super) gum: f32,
    /// How bright it is, `0..=1`.
    pub(super) lit: f32,
}

/// Teeth of a row that can be seen: to the second of those behind the canine, on each side.
const MOST_TEETH: usize = 10;
/// How far teeth reach beyond where the rig has them, in centimetres: upper ones down, lower ones up.
const LONGER_CM: [f32; 2] = [0.12, 0.05];
/// Height of a crown above and below, in centimetres.
const CROWN_CM: [f32; 2] = [1.0, 0.85];
/// How far a notch between two teeth goes in, and how wide the shade is there, in centimetres.
const NOTCH_CM: f32 = 0.07;
const SHADE_CM: f32 = 0.05;
/// Light that a shade between two teeth takes away.
const SHADE: f32 = 0.16;
/// Behind the front teeth, light fails within so many centimetres.
const LIT_CM: f32 = 2.4;
/// Of a row that reaches less far beyond its lip, less is seen, in centimetres.
const LEAST_SHOWN_CM: f32 = 0.2;
/// Softness of an edge, in centimetres: it is never sharper than a pixel.
const SOFT_CM: f32 = 0.03;

/// Finds both rows of teeth of a rig on a person, the upper one first.
pub(super) fn rows(rig: &Rig, person: &Person) -> [Row; 2] {
    let at_rest = person.at_rest();
    let teeth = connected(rig, &at_rest);
    let middle = |tooth: &[usize], axis: usize| {
        let (least, most) = span(tooth.iter().map(|&v| at_rest[v][axis]));
        0.5 * (least + most)
    };
    let heights: Vec<f32> = teeth.iter().map(|t| middle(t, 1)).collect();
    let (least, most) = span(heights.iter().copied());
    let split = 0.5 * (least + most);
    [true, false].map(|is_upper| {
        let of_row = teeth.iter().zip(&heights);
        let of_row = of_row.filter(|(_, height)| (**height < split) == is_upper);
        let mut row: Vec<&Vec<usize>> = of_row.map(|(tooth, _)| tooth).collect();
        let front = row.iter().map(|t| middle(t, 2)).fold(f32::MAX, f32::min);
        row.sort_by(|a, b| middle(a, 2).total_cmp(&middle(b, 2)));
        row.truncate(MOST_TEETH);
        row.sort_by(|a, b| middle(a, 0).total_cmp(&middle(b, 0)));
        let tooth = |tooth: &Vec<usize>| Tooth {
            lit: (-(middle(tooth, 2) - front) / LIT_CM).exp(),
            vertices: tooth.clone(),
        };
        Row {
            teeth: row.into_iter().map(tooth).collect(),
            is_upper,
        }
    })
}

/// The vertices of each tooth: those that triangles join. Vertices of one place are one.
fn connected(rig: &Rig, at_rest: &[Vec3]) -> Vec<Vec<usize>> {
    let mut group: Vec<usize> = (0..at_rest.len()).collect();
    let triangles = rig.triangles().iter().filter(|t| t.part == Part::Teeth);
    let triangles: Vec<[usize; 3]> = triangles.map(|t| t.corners.map(usize::from)).collect();
    let mut vertices: Vec<usize> = triangles.iter().flatten().copied().collect();
    vertices.sort_unstable();
    vertices.dedup();
    let key = |v: usize| at_rest[v].map(f32::to_bits);
    let mut by_place = vertices.clone();
    by_place.sort_by_key(|&v| key(v));
    let twins = by_place
        .windows(2)
        .filter(|pair| key(pair[0]) == key(pair[1]));
    let twins: Vec<[usize; 2]> = twins.map(|pair| [pair[0], pair[1]]).collect();
    let joined = triangles.iter().flat_map(|&[a, b, c]| [[a, b], [b, c]]);
    for [a, b] in joined.chain(twins) {
        let (a, b) = (root(&group, a), root(&group, b));
        group[a.max(b)] = a.min(b);
    }
    let mut teeth: Vec<(usize, Vec<usize>)> = Vec::new();
    for v in vertices {
        let of = root(&group, v);
        match teeth.iter_mut().find(|(root, _)| *root == of) {
            Some((_, tooth)) => tooth.push(v),
            None => teeth.push((of, vec![v])),
        }
    }
    teeth.into_iter().map(|(_, tooth)| tooth).collect()
}

fn root(group: &[usize], mut v: usize) -> usize {
    while group[v] != v {
        v = group[v];
    }
    v
}

fn span(values: impl Iterator<Item = f32>) -> (f32, f32) {
    values.fold((f32::MAX, f32::MIN), |(least, most), v| {
        (least.min(v), most.max(v))
    })
}

impl Row {
    /// The middle of the front teeth's tips among these vertices.
    pub(super) fn front(&self, vertices: &[Vec3]) -> Vec3 {
        let middle = self.teeth.len() / 2;
        let front = self.teeth.get(middle.saturating_sub(1)..=middle);
        let corners = front.unwrap_or_default().iter().flat_map(|t| &t.vertices);
        let (mut sum, mut n) = ([0.0; 3], 0.0_f32);
        for &v in corners {
            sum = [0, 1, 2].map(|i| sum[i] + vertices[v][i]);
            n += 1.0;
        }
        sum.map(|s| s / n.max(1.0))
    }

    /// Where the row lies between `lips`, whose vertices are at `target`.
    pub(super) fn drawn(&self, target: &[Vec3], lips: &Lips) -> Drawn {
        let down = if self.is_upper { 1.0 } else { -1.0 };
        let longer = LONGER_CM[usize::from(!self.is_upper)] * lips.scale();
        let mut placed: Vec<(Point2, f32, f32)> = self
            .teeth
            .iter()
            .map(|tooth| {
                let places = tooth.vertices.iter().map(|&v| {
                    let [x, y, _] = target[v];
                    lips.level(Point2::new(x, y))
                });
                let places: Vec<Point2> = places.collect();
                let (left, right) = span(places.iter().map(|p| p.x));
                let (_, tip) = span(places.iter().map(|p| down * p.y));
                let tip = Point2::new(0.5 * (left + right), down * (tip + longer));
                (tip, 0.5 * (right - left), tooth.lit)
            })
            .collect();
        placed.sort_by(|a, b| a.0.x.total_cmp(&b.0.x));
        Drawn {
            tips: placed.iter().map(|p| p.0).collect(),
            halves: placed.iter().map(|p| p.1).collect(),
            lit: placed.iter().map(|p| p.2).collect(),
            down,
            scale: lips.scale(),
        }
    }
}

impl Drawn {
    /// What the row shows at a place between the lips.
    pub(super) fn at(&self, place: &Between) -> Seen {
        let level = place.level;
        let (Some(first), Some(last)) = (self.tips.first(), self.tips.last()) else {
            return Seen::default();
        };
        let ends = [
            first.x - self.halves[0],
            last.x + self.halves[self.halves.len() - 1],
        ];
        let soft = (SOFT_CM * self.scale).max(1.0);
        let aside = (level.x - ends[0]).min(ends[1] - level.x);
        if aside <= 0.0 {
            return Seen::default();
        }
        let next = self.tips.partition_point(|p| p.x <= level.x);
        let (left, right) = (next.saturating_sub(1), next.min(self.tips.len() - 1));
        let (a, b) = (self.tips[left], self.tips[right]);
        let share = ((level.x - a.x) / (b.x - a.x).max(0.5)).clamp(0.0, 1.0);
        let lit = self.lit[left] + share * (self.lit[right] - self.lit[left]);
        // Two teeth meet in the middle between their middles, as wide as they are.
        let whole = self.halves[left] + self.halves[right];
        let seam = a.x + (b.x - a.x) * self.halves[left] / whole.max(1e-3);
        let off_cm = if left == right {
            // Nothing is beside the outermost.
            f32::INFINITY
        } else {
            (level.x - seam).abs() / self.scale
        };
        let notch = NOTCH_CM * self.scale * (-(off_cm / NOTCH_CM).powi(2)).exp();
        let shade = SHADE * (-(off_cm / SHADE_CM).powi(2)).exp();
        let tip = curve_at(&self.tips, level.x);
        // Pixels from the tips towards the gums.
        let up = self.down * (tip - level.y) - notch;
        let crown = CROWN_CM[usize::from(self.down < 0.0)] * self.scale;
        // A sliver over the edge of a lip is no row of teeth.
        let lip = if 0.0 < self.down {
            place.below
        } else {
            place.above
        };
        let shown_cm = (up + lip) / self.scale;
        Seen {
            cover: smooth_step(shown_cm / LEAST_SHOWN_CM)
                * smooth_step(up / soft + 0.5)
                * smooth_step(aside / (4.0 * soft)),
            gum: smooth_step((up - crown) / (2.0 * soft) + 0.5),
            lit: lit * (1.0 - shade),
        }
    }
}
