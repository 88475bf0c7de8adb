//! What an actor does over time: turns, looks, blinks, smiles and speaks.

use super::head::Head;
use super::noise::{bumps, chance};
use super::person::Moment;
use super::space::{V3, smooth, v3};
use super::speech::{Line, Viseme};

/// A performance that anybody can play.
#[derive(Clone, Debug)]
pub(crate) struct Performance {
    pub(crate) seed: u32,
    pub(crate) line: Line,
    /// Where the actor stands, in cm.
    pub(crate) place: V3,
    /// Turn of the whole actor, to the right of the picture.
    pub(crate) facing: f32,
    /// How lively: 1 is a talk among friends.
    pub(crate) spirit: f32,
}

impl Performance {
    /// Gives the moment at a time.
    pub(crate) fn at(&self, head: &Head, secs: f32) -> Moment {
        let drift =
            |speed: f32, what: u32| bumps(v3(secs * speed, what as f32 * 7.3, 0.5), self.seed);
        let beat = self.beat(secs);
        let s = self.spirit;
        let turn = self.facing
            + s * (0.17 * drift(0.45, 1) + 0.05 * drift(1.3, 2))
            + self.look_aside(secs);
        let pitch = s * (0.075 * drift(0.6, 3) + 0.02 * drift(1.9, 4) - 0.05 * beat);
        let roll = s * (0.065 * drift(0.5, 5) + 0.015 * drift(1.7, 6));
        let shift = v3(
            1.1 * drift(0.35, 7),
            0.4 * drift(0.5, 8),
            0.8 * drift(0.3, 9),
        ) * s;
        Moment {
            yaw: turn,
            pitch,
            roll,
            shift: shift + self.place,
            gaze: self.gaze(secs, [turn, pitch]),
            weights: self.weights(head, secs),
        }
    }

    /// Once in the clip the actor turns further away for a while.
    fn look_aside(&self, secs: f32) -> f32 {
        let start = 3.0 + 1.8 * chance(1, self.seed);
        let side = if chance(2, self.seed) < 0.5 {
            -1.0
        } else {
            1.0
        };
        let there = smooth(start, start + 0.7, secs) * smooth(start + 2.1, start + 1.4, secs);
        side * 0.42 * self.spirit * there
    }

    /// Stress of the speech: open vowels nod the head.
    fn beat(&self, secs: f32) -> f32 {
        let mouth = self.line.mouth(secs - 0.05);
        mouth[Viseme::Aa as usize] + 0.6 * mouth[Viseme::O as usize]
    }

    /// Eyes stay on the camera while the head turns, and jump aside now and then.
    fn gaze(&self, secs: f32, [yaw, pitch]: [f32; 2]) -> [f32; 2] {
        let step = 0.9;
        let target = |n: u32| {
            let is_aside = chance(3 * n, self.seed + 60) < 0.28;
            let reach = if is_aside { 0.26 } else { 0.035 };
            let part = |k: u32| 2.0 * chance(3 * n + k, self.seed + 60) - 1.0;
            [reach * part(1), 0.6 * reach * part(2)]
        };
        let at = (secs / step + 10.0).max(0.0);
        let n = at as u32;
        let begun = (at - n as f32) * step;
        let jump = smooth(0.0, 0.06, begun);
        let (before, after) = (target(n - 1), target(n));
        let look = [0, 1].map(|k| before[k] + (after[k] - before[k]) * jump);
        [
            (look[0] - 0.92 * yaw).clamp(-0.55, 0.55),
            (look[1] - 0.85 * pitch - 0.02).clamp(-0.35, 0.35),
        ]
    }

    /// How far the lids are closed.
    fn blink(&self, secs: f32) -> f32 {
        let mut closed = 0.0_f32;
        let mut at = 0.4 + 1.6 * chance(0, self.seed + 70);
        for n in 1..40 {
            let since = secs - at;
            let lid = smooth(-0.02, 0.07, since) * smooth(0.27, 0.11, since);
            closed = closed.max(lid);
            at += 1.2 + 2.6 * chance(n, self.seed + 70);
        }
        closed
    }

    fn weights(&self, head: &Head, secs: f32) -> Vec<f32> {
        let mut weights = vec![0.0; head.names.len()];
        let drift = |speed: f32, what: u32| {
            let wave = bumps(v3(secs * speed, what as f32 * 5.1, 3.5), self.seed);
            (0.5 + 0.9 * wave).clamp(0.0, 1.0)
        };
        let mut add = |name: &str, amount: f32| {
            for side in ["", "_L", "_R"] {
                if let Some(i) = head.expression(&format!("{name}{side}")) {
                    weights[i] = (weights[i] + amount).clamp(0.0, 1.0);
                }
            }
        };
        let smile = self.spirit * drift(0.35, 1);
        let raise = self.spirit * (drift(0.7, 2) - 0.45).max(0.0) * 1.5;
        let frown = (drift(0.5, 3) - 0.6).max(0.0);
        add("mouthSmile", 0.34 * smile);
        add("cheekSquint", 0.30 * smile);
        add("eyeSquint", 0.22 * smile);
        add("mouthDimple", 0.10 * smile);
        add("browOuterUp", 0.40 * raise);
        add("browInnerUp", 0.45 * raise);
        add("eyeWide", 0.04 + 0.20 * raise);
        add("browDown", 0.45 * frown);
        add("noseSneer", 0.10 * frown);
        let blink = self.blink(secs);
        add("eyeBlink", 0.97 * blink);
        for (viseme, share) in Viseme::ALL.into_iter().zip(self.line.mouth(secs)) {
            for &(name, amount) in viseme.shapes() {
                add(name, amount * share);
            }
        }
        weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn performance() -> Performance {
        Performance {
            seed: 5,
            line: Line::default(),
            place: V3::ZERO,
            facing: 0.0,
            spirit: 1.0,
        }
    }

    #[test]
    fn the_actor_blinks_now_and_then_and_mostly_looks() {
        let play = performance();
        let closed: Vec<f32> = (0..200).map(|i| play.blink(i as f32 / 25.0)).collect();
        let n_closed = closed.iter().filter(|c| **c > 0.5).count();
        assert!((4..60).contains(&n_closed), "{n_closed} of 200 frames");
    }

    #[test]
    fn eyes_turn_against_the_head() {
        let play = performance();
        let straight: f32 = (0..40)
            .map(|i| play.gaze(i as f32 * 0.2, [0.0, 0.0])[0])
            .sum();
        let turned: f32 = (0..40)
            .map(|i| play.gaze(i as f32 * 0.2, [0.3, 0.0])[0])
            .sum();
        assert!(turned < straight - 8.0, "{turned} {straight}");
    }
}
