//! The expression of a face: where the head points, how far the mouth is open, and what the eyes do.
//!
//! Everything is in shares of the distance between the outer corners of the eyes.

use effigy_face::landmarks::{
    EYES, NOSE_TIP, between_eyes, eye_distance, eye_openness, mouth_openness,
};
use effigy_frame::Point2;

/// What a face does, by where points of its mesh lie.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Expression {
    /// Tip of the nose from between the eyes, which moves as the head turns and nods.
    pub(crate) head: [f32; 2],
    /// Gap between the lips.
    pub(crate) mouth: f32,
    /// How far the irises look aside, and how far the lids are open.
    pub(crate) eyes: [f32; 2],
}

/// The same, coarsely, in three ways that are balanced each for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ExpressionBin {
    head: [i8; 2],
    mouth: i8,
    eyes: [i8; 2],
}

impl Expression {
    /// From the mesh of a face, in pixels.
    pub(crate) fn of(points: &[Point2]) -> Self {
        let (nose, middle) = (points[NOSE_TIP], between_eyes(points));
        let unit = eye_distance(points).max(1.0);
        let [right, left] = EYES.map(|eye| points[eye.iris].x - eye.centre(points).x);
        Self {
            head: [(nose.x - middle.x) / unit, (nose.y - middle.y) / unit],
            mouth: mouth_openness(points),
            eyes: [0.5 * (right + left) / unit, eye_openness(points)],
        }
    }

    /// The same, coarsely.
    pub(crate) fn bin(&self) -> ExpressionBin {
        let coarse = |value: f32, steps: f32| (value * steps).round().clamp(-100.0, 100.0) as i8;
        ExpressionBin {
            head: self.head.map(|value| coarse(value, 10.0)),
            mouth: coarse(self.mouth, 16.0),
            // An eye is a third of the unit wide, and the iris moves by a third of that.
            eyes: [coarse(self.eyes[0], 25.0), coarse(self.eyes[1], 20.0)],
        }
    }
}

impl ExpressionBin {
    /// Grows with how seldom the head, the mouth and the eyes do among `all` what they do here.
    pub(crate) fn rarity_among(&self, all: &[Self]) -> f32 {
        let rare = |is_same: &dyn Fn(&Self) -> bool| {
            let n = all.iter().filter(|other| is_same(other)).count();
            (all.len() as f32 / n.max(1) as f32).sqrt()
        };
        rare(&|other| other.head == self.head)
            * rare(&|other| other.mouth == self.mouth)
            * rare(&|other| other.eyes == self.eyes)
    }
}

#[cfg(test)]
mod tests {
    use effigy_face::landmarks::{LEFT_EYE, LOWER_LIP_INNER, RIGHT_EYE};

    use super::*;
    use crate::testing::cartoon;

    #[test]
    fn open_mouth_and_turned_gaze_are_told_apart() {
        let (_, points) = cartoon(1, 1);
        let usual = Expression::of(&points).bin();
        let unit = eye_distance(&points);
        let mut open = points.clone();
        open[LOWER_LIP_INNER].y += 0.2 * unit;
        let open = Expression::of(&open).bin();
        assert_ne!(open.mouth, usual.mouth);
        assert_eq!((open.head, open.eyes), (usual.head, usual.eyes));
        let mut aside = points.clone();
        aside[RIGHT_EYE.iris].x += 0.1 * unit;
        aside[LEFT_EYE.iris].x += 0.1 * unit;
        let aside = Expression::of(&aside).bin();
        assert_ne!(aside.eyes, usual.eyes);
        assert_eq!((aside.head, aside.mouth), (usual.head, usual.mouth));
    }

    #[test]
    fn what_few_faces_do_is_rarer() {
        let (_, points) = cartoon(1, 1);
        let usual = Expression::of(&points);
        let rares = [
            Expression {
                head: [0.5 + usual.head[0], usual.head[1]],
                ..usual
            },
            Expression {
                mouth: 0.5 + usual.mouth,
                ..usual
            },
            Expression {
                eyes: [usual.eyes[0], 0.2 + usual.eyes[1]],
                ..usual
            },
        ];
        for rare in rares {
            let mut bins = vec![usual.bin(); 32];
            bins[7] = rare.bin();
            let [rare, often] = [7, 8].map(|i: usize| bins[i].rarity_among(&bins));
            assert!(
                (rare / often - 31_f32.sqrt()).abs() < 1e-3,
                "{rare} {often}"
            );
        }
    }
}
