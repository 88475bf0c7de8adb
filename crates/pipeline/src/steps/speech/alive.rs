//! A head that moves a little as heads of people who talk do, and lids that blink.

use effigy_face::pose::{self, facing};
use effigy_face::rig::Placement;
use effigy_model::SpokenFace;
use effigy_model::spoken_face::{HeadPlace, N_TAKE, TAKE_RATE_HZ};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::smooth;

/// Moves head and lids, the same for the same seed.
pub(crate) struct Alive {
    random: ChaCha8Rng,
    takes: Vec<Vec<HeadPlace>>,
    /// The take that is played, mirrored or not, and when it began.
    take: usize,
    sides: f32,
    began_secs: f64,
    /// When lids close next.
    blink_secs: f64,
}

/// Seconds of a take.
const TAKE_SECS: f64 = (N_TAKE - 1) as f64 / TAKE_RATE_HZ;
/// At both ends of a take the head is where it mostly is, which it reaches within this time.
const JOIN_SECS: f64 = 1.2;
/// Somebody who is silent moves less.
const SILENT: f32 = 0.5;
/// Lids close, and open more slowly, in seconds.
const CLOSING_SECS: f64 = 0.08;
const SHUT_SECS: f64 = 0.04;
const OPENING_SECS: f64 = 0.16;
/// People who talk blink 26 times a minute, in uneven intervals (Bentivoglio et al., "Analysis of blink rate patterns in
/// normal subjects", Movement Disorders 1997): the median interval, and the spread of its logarithm.
const MEDIAN_SECS: f64 = 2.0;
const SPREAD: f64 = 0.55;
const LEAST_SECS: f64 = 0.6;

impl Alive {
    pub(crate) fn new(face: &SpokenFace, seed: u64) -> Self {
        let mut alive = Self {
            random: ChaCha8Rng::seed_from_u64(seed),
            takes: face.takes().to_vec(),
            take: 0,
            sides: 1.0,
            began_secs: f64::NEG_INFINITY,
            blink_secs: 0.0,
        };
        alive.blink_secs = alive.interval_secs();
        alive
    }

    /// Where the head is. Times come in order.
    pub(crate) fn head(&mut self, secs: f64, speaks: f32) -> Placement {
        if TAKE_SECS <= secs - self.began_secs {
            self.began_secs = secs;
            self.take = self.random.random_range(0..self.takes.len().max(1));
            self.sides = if self.random.random::<bool>() {
                1.0
            } else {
                -1.0
            };
        }
        let into_secs = secs - self.began_secs;
        let near_end = into_secs.min(TAKE_SECS - into_secs) / JOIN_SECS;
        let share = smooth(near_end) * (SILENT + (1.0 - SILENT) * speaks);
        let [yaw, pitch, roll, right, down] = self.place(into_secs).map(|value| share * value);
        let sides = self.sides;
        Placement {
            rotation: facing(pose::Pose {
                yaw: sides * yaw,
                pitch,
                roll: sides * roll,
            }),
            shift: [sides * right, down, 0.0],
            ..Placement::default()
        }
    }

    fn place(&self, into_secs: f64) -> HeadPlace {
        let Some(take) = self.takes.get(self.take) else {
            return HeadPlace::default();
        };
        let at = (into_secs * TAKE_RATE_HZ).clamp(0.0, (N_TAKE - 1) as f64);
        let (before, share) = (at as usize, at.fract() as f32);
        let (a, b) = (take[before], take[(before + 1).min(N_TAKE - 1)]);
        std::array::from_fn(|k| a[k] + share * (b[k] - a[k]))
    }

    /// How far lids are down, `0..=1`. Times come in order.
    pub(crate) fn lids(&mut self, secs: f64) -> f32 {
        let into_secs = secs - self.blink_secs;
        let opens = CLOSING_SECS + SHUT_SECS;
        if opens + OPENING_SECS <= into_secs {
            self.blink_secs += self.interval_secs().max(LEAST_SECS);
            return 0.0;
        }
        if into_secs < opens {
            smooth(into_secs / CLOSING_SECS)
        } else {
            smooth(1.0 - (into_secs - opens) / OPENING_SECS)
        }
    }

    /// How long until the next blink: logarithms are spread as a normal distribution (Box and Muller 1958).
    fn interval_secs(&mut self) -> f64 {
        let (a, b) = (self.random.random::<f64>(), self.random.random::<f64>());
        let normal = (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos();
        MEDIAN_SECS * (SPREAD * normal).exp()
    }
}

#[cfg(test)]
mod tests {
    use effigy_model::Weights;

    use super::*;

    fn alive(seed: u64) -> Alive {
        let weights = Weights::from_source_tree().unwrap();
        Alive::new(&SpokenFace::load(&weights).unwrap(), seed)
    }

    #[test]
    fn lids_blink_as_often_as_those_of_people_who_talk() {
        let mut alive = alive(1);
        let lids: Vec<f32> = (0..25 * 600)
            .map(|i| alive.lids(f64::from(i) * 0.04))
            .collect();
        let shut = lids.windows(2).filter(|two| two[0] < 0.9 && 0.9 <= two[1]);
        let a_minute = shut.count() as f64 / 10.0;
        assert!((18.0..32.0).contains(&a_minute), "{a_minute}");
    }

    #[test]
    fn heads_move_a_little_and_never_jump() {
        let mut alive = alive(3);
        let mut last = alive.head(0.0, 1.0);
        let mut most = 0.0_f32;
        for i in 1..25 * 120 {
            let head = alive.head(f64::from(i) * 0.04, 1.0);
            let turned = head.rotation.as_flattened().iter();
            let turned = turned.zip(last.rotation.as_flattened());
            let turned = turned.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            // Two degrees within a frame are a jerk.
            assert!(turned < 0.035, "frame {i}: {turned}");
            most = most.max(head.rotation[0][2].abs());
            last = head;
        }
        assert!((0.005..0.3).contains(&most), "{most}");
    }

    #[test]
    fn one_seed_is_one_movement() {
        let heads = |seed: u64| -> Vec<Placement> {
            let mut alive = alive(seed);
            (0..500)
                .map(|i| alive.head(f64::from(i) * 0.04, 1.0))
                .collect()
        };
        assert_eq!(heads(5), heads(5));
        assert_ne!(heads(5), heads(6));
    }
}
