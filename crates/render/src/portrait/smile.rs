//! What a portrait shows of the inside of its own mouth, when it is open: most portraits smile.
//!
//! Down to where the upper teeth end it is fixed to the skull, below that to the jaw. Lips that close
//! cover it, and are not stretched over it.

use effigy_face::landmarks::eye_distance;
use effigy_frame::Point2;

use super::lips::Lips;
use super::{brightness, smooth_step};
use crate::sample::Sampler;

/// The open mouth of a portrait.
#[derive(Clone, Debug)]
pub(super) struct Smile {
    lips: Lips,
    /// Share in which what is seen in it is used, `0..=1`.
    pub(super) open: f32,
    /// Where the upper teeth end, from the upper lip to the lower, `0..=1`.
    teeth_end: f32,
    /// The brightest in it, and the share in which that is teeth, `0..=1`.
    pub(super) bright: [f32; 3],
    pub(super) shows_teeth: f32,
}

/// What moves a place inside a mouth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bone {
    Skull,
    Jaw,
}

/// A mouth in the portrait is open from this gap on, and shows what is inside from that, in eye distances.
const OPEN: [f32; 2] = [0.03, 0.07];
/// Teeth are brighter than this against the lips, and surely teeth from that on.
const BRIGHT: [f32; 2] = [1.1, 1.3];
/// The quantile of brightness that counts as the brightest.
const BRIGHTEST: f32 = 0.8;
/// They end where it is darker than this share of the brightest above.
const DARK: f32 = 0.8;
/// Upper teeth reach at least so far down the gap, and at most.
const ENDS: [f32; 2] = [0.3, 0.95];
/// From the end of the teeth on what is seen moves with the jaw; soon after, no longer with the skull.
const JAW: [f32; 2] = [-0.02, 0.04];
const SKULL: [f32; 2] = [0.04, 0.1];
/// The inside ends softly so far beyond the edges of the lips, in pixels.
const BEYOND_PX: f32 = 1.5;
/// Columns and places down each of them that are looked at.
const COLUMNS: usize = 11;
const ROWS: usize = 30;
/// How far from the middle columns reach, as a share of the way to the corner.
const REACH: f32 = 0.5;

impl Smile {
    /// Looks at the mouth of the face whose mesh in the picture is `points`; `scale` is pixels a centimetre, `lips_bright` how
    /// bright the red of the lips is.
    pub(super) fn look(
        colours: &Sampler,
        (points, scale): (&[Point2], f32),
        lips_bright: f32,
    ) -> Self {
        let lips = Lips::of(|i| points[i], scale);
        let gap = lips.gap_cm() * scale / eye_distance(points).max(1.0);
        let (mut ends, mut seen) = (Vec::new(), Vec::new());
        for column in 0..COLUMNS {
            let across = REACH * (2.0 * column as f32 / (COLUMNS - 1) as f32 - 1.0);
            let down = (0..ROWS).map(|row| (row as f32 + 0.5) / ROWS as f32);
            let column: Vec<(f32, [f32; 3])> = down
                .map(|down| {
                    let [r, g, b, _] = colours.colour_at(lips.place(across, down));
                    (down, [r, g, b])
                })
                .collect();
            ends.push(end_of_teeth(&column));
            seen.extend(column.into_iter().map(|(_, colour)| colour));
        }
        ends.sort_by(f32::total_cmp);
        seen.sort_by(|a, b| brightness(*a).total_cmp(&brightness(*b)));
        let bright = seen[(BRIGHTEST * seen.len() as f32) as usize];
        let open = smooth_step((gap - OPEN[0]) / (OPEN[1] - OPEN[0]));
        let against_lips = brightness(bright) / lips_bright;
        let is_teeth = smooth_step((against_lips - BRIGHT[0]) / (BRIGHT[1] - BRIGHT[0]));
        Self {
            lips,
            open,
            teeth_end: ends[ends.len() / 2],
            bright,
            shows_teeth: open * is_teeth,
        }
    }

    /// Share in which a place of the portrait is used for what moves with a bone, `0..=1`.
    pub(super) fn share(&self, source: Point2, bone: Bone) -> f32 {
        let place = self.lips.between(source);
        let inside = smooth_step(1.0 + place.inside() / BEYOND_PX);
        let past = |[from, to]: [f32; 2]| {
            smooth_step((place.down() - self.teeth_end - from) / (to - from))
        };
        let of_bone = match bone {
            Bone::Skull => 1.0 - past(SKULL),
            Bone::Jaw => past(JAW),
        };
        self.open * inside * of_bone
    }
}

/// How far down a column the first teeth end.
fn end_of_teeth(column: &[(f32, [f32; 3])]) -> f32 {
    let mut brightest = 0.0_f32;
    for &(down, colour) in column {
        brightest = brightest.max(brightness(colour));
        if ENDS[0] < down && brightness(colour) < DARK * brightest {
            return down.min(ENDS[1]);
        }
    }
    ENDS[1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn teeth_end_where_it_gets_dark() {
        let column = |dark: std::ops::Range<usize>| -> Vec<(f32, [f32; 3])> {
            let level = |i: usize| if dark.contains(&i) { 60.0 } else { 200.0 };
            (0..20).map(|i| (i as f32 / 20.0, [level(i); 3])).collect()
        };
        // A dark gap between two rows, in the shade of the upper lip, and nowhere.
        assert!((end_of_teeth(&column(12..15)) - 0.6).abs() < 1e-6);
        assert!((end_of_teeth(&column(0..3)) - ENDS[1]).abs() < 1e-6);
        assert!((end_of_teeth(&column(0..0)) - ENDS[1]).abs() < 1e-6);
    }
}
