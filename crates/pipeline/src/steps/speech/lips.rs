//! Lips by phones, and what viewers see at once when it is wrong: lips meet in M, B and P, the lower lip meets the teeth in
//! F and V, and in silence the mouth rests.

use effigy_face::rig::{EXPRESSIONS, N_EXPRESSIONS};
use effigy_model::spoken_face::{LIP_MEETS_TEETH, LIPS_MEET, N_SHAPES, SHAPES};
use effigy_sound::phones::{FIRST_SECS, MOMENT_SECS};
use effigy_sound::{SpokenVisemes, Stretch, Utterance};

use super::{Heard, smooth};

/// What the lower face does in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Said {
    /// Weights of the rig; what is no mouth is 0.
    pub(crate) weights: [f32; N_EXPRESSIONS],
    /// How far lips are to meet, `0..=1`.
    pub(crate) meets: f32,
    /// Whether there is speech, `0..=1`.
    pub(crate) speaks: f32,
}

/// Tells frame by frame what lips do.
pub(crate) struct Lips<'a> {
    heard: &'a Heard,
    /// Half of a frame, in seconds.
    half_secs: f64,
    /// Visemes of a part of the sound.
    part: Option<SpokenVisemes>,
    /// When lips meet in it, and when a lip meets teeth.
    meets: Vec<Stretch>,
    bites: Vec<Stretch>,
}

/// How long lips take to meet or part, in seconds.
const MEETING_SECS: f64 = 0.07;
/// The mouth begins to move so long before speech, and rests so long behind it, in seconds.
const BEFORE_SECS: f64 = 0.05;
const BEHIND_SECS: f64 = 0.12;
/// Moments that are worked out together, and moments around them that are looked at.
const N_PART: usize = 2000;
const N_AROUND: usize = 60;
/// What opens a mouth. It is as open as is said, whatever it was in the portrait.
const OPENERS: [&str; 6] = [
    "jawOpen",
    "mouthFunnel",
    "mouthLowerDown",
    "mouthUpperUp",
    "mouthShrugUpper",
    "mouthStretch",
];
/// What keeps lips together. Somebody who speaks lets go of it, whatever the portrait does.
const CLOSERS: [&str; 5] = [
    "mouthClose",
    "mouthPress",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
];
/// Lips that meet are pressed a little.
const PRESSED: [(&str, f32); 2] = [("mouthPress", 0.2), ("mouthRollLower", 0.15)];
/// A lower lip that meets the teeth.
const BITTEN: [(&str, f32); 3] = [
    ("mouthRollLower", 0.45),
    ("mouthUpperUp", 0.2),
    ("jawOpen", 0.04),
];

impl<'a> Lips<'a> {
    /// Begins; frames follow one another every `frame_secs`.
    pub(crate) fn new(heard: &'a Heard, frame_secs: f64) -> Self {
        Self {
            heard,
            half_secs: 0.5 * frame_secs,
            part: None,
            meets: Vec::new(),
            bites: Vec::new(),
        }
    }

    /// What lips do at a time of the sound. Times come in order.
    pub(crate) fn at(&mut self, secs: f64) -> Said {
        let speaks = speaks(&self.heard.utterance, secs);
        let mut shapes = self.heard.face.shapes(&self.part_at(secs).around(secs));
        let bites = self.near(&self.bites, secs);
        let meets = self.near(&self.meets, secs);
        for (shape, name) in shapes.iter_mut().zip(SHAPES) {
            let bitten =
                wanted(&BITTEN, name).unwrap_or(if is_opener(name) { 0.0 } else { *shape });
            *shape += bites * (bitten - *shape);
            let pressed = wanted(&PRESSED, name).unwrap_or(0.0);
            let closed = if is_opener(name) {
                0.0
            } else {
                shape.max(pressed)
            };
            *shape += meets * (closed - *shape);
            *shape *= speaks;
        }
        Said {
            weights: of_rig(&shapes),
            meets: meets * speaks,
            speaks,
        }
    }

    /// The part of the sound around a time, worked out where that is not done yet.
    fn part_at(&mut self, secs: f64) -> &SpokenVisemes {
        let Heard {
            utterance, scorer, ..
        } = self.heard;
        let n = utterance.n_moments();
        let now = ((secs - FIRST_SECS) / MOMENT_SECS).max(0.0) as usize;
        let now = now.min(n.saturating_sub(1));
        let wanted = now.saturating_sub(N_AROUND)..(now + N_AROUND).min(n);
        let known = self.part.take().filter(|part| {
            let known = part.part();
            known.start <= wanted.start && wanted.end <= known.end
        });
        let part = known.unwrap_or_else(|| {
            let part = wanted.start..(now + N_PART).min(n);
            let part = SpokenVisemes::of(utterance, scorer, part);
            self.meets = part.when(LIPS_MEET);
            self.bites = part.when(LIP_MEETS_TEETH);
            part
        });
        self.part.insert(part)
    }

    /// 1 in a stretch and as far around it as a frame reaches, so that no closure falls between two frames; less around.
    fn near(&self, stretches: &[Stretch], secs: f64) -> f32 {
        let away = stretches.iter().map(|s| away(s, secs));
        let away = away.fold(f64::INFINITY, f64::min) - self.half_secs;
        smooth(1.0 - away / MEETING_SECS)
    }
}

/// How far a time is from a stretch, in seconds.
fn away(stretch: &Stretch, secs: f64) -> f64 {
    (stretch.from_secs - secs)
        .max(secs - stretch.to_secs)
        .max(0.0)
}

fn speaks(utterance: &Utterance, secs: f64) -> f32 {
    let share = |stretch: &Stretch| {
        let before = (stretch.from_secs - secs) / BEFORE_SECS;
        let behind = (secs - stretch.to_secs) / BEHIND_SECS;
        smooth(1.0 - before.max(behind))
    };
    utterance.speech.iter().map(share).fold(0.0, f32::max)
}

impl Default for Said {
    /// Nothing.
    fn default() -> Self {
        Self {
            weights: [0.0; N_EXPRESSIONS],
            meets: 0.0,
            speaks: 0.0,
        }
    }
}

impl Said {
    /// How much of what a portrait's own face does stays: nothing of what opens its mouth, so that lips can meet, and what
    /// keeps lips together only while they are to be together.
    pub(crate) fn keeps(&self, name: &str) -> f32 {
        match without_side(name) {
            name if OPENERS.contains(&name) => 0.0,
            name if CLOSERS.contains(&name) => 1.0 - self.speaks * (1.0 - self.meets),
            _ => 1.0,
        }
    }
}

fn is_opener(name: &str) -> bool {
    OPENERS.contains(&without_side(name))
}

fn wanted(of: &[(&str, f32)], name: &str) -> Option<f32> {
    let found = of.iter().find(|(known, _)| *known == name);
    found.map(|(_, weight)| *weight)
}

/// A shape's name without `_L` or `_R`.
fn without_side(name: &str) -> &str {
    let trimmed = name.strip_suffix("_L").or_else(|| name.strip_suffix("_R"));
    trimmed.unwrap_or(name)
}

/// The weights of the rig for some shapes.
fn of_rig(shapes: &[f32; N_SHAPES]) -> [f32; N_EXPRESSIONS] {
    EXPRESSIONS.map(|name| {
        let at = SHAPES.iter().position(|shape| *shape == without_side(name));
        at.map_or(0.0, |at| shapes[at])
    })
}

#[cfg(test)]
mod tests {
    use effigy_model::{PhoneScorer, SpokenFace, VoiceActivity, Weights};
    use effigy_sound::{PhoneListener, testing::vowels};

    use super::*;

    fn heard(samples: &[f32]) -> Heard {
        let weights = Weights::from_source_tree().unwrap();
        let mut listener = PhoneListener::new(&VoiceActivity::load(&weights).unwrap());
        listener.hear(samples).unwrap();
        Heard {
            utterance: listener.finish(),
            scorer: PhoneScorer::load(&weights).unwrap(),
            face: SpokenFace::load(&weights).unwrap(),
        }
    }

    /// Two seconds of vowels with silence around.
    fn spoken() -> Heard {
        let mut sound = vec![0.0; 32_000];
        sound.extend(vowels(2.0));
        sound.resize(96_000, 0.0);
        heard(&sound)
    }

    #[test]
    fn a_mouth_opens_in_vowels_and_rests_in_silence() {
        let heard = spoken();
        let mut lips = Lips::new(&heard, 0.04);
        let said: Vec<Said> = (0..150).map(|i| lips.at(f64::from(i) * 0.04)).collect();
        let jaw = effigy_face::rig::expression("jawOpen");
        let most = |part: &[Said]| part.iter().map(|s| s.weights[jaw]).fold(0.0, f32::max);
        assert!(most(&said[55..95]) > 0.1, "{}", most(&said[55..95]));
        for frame in said[..40].iter().chain(&said[115..]) {
            assert_eq!(frame.weights, [0.0; N_EXPRESSIONS]);
        }
    }

    #[test]
    fn parts_of_long_sound_join_without_a_seam() {
        let mut sound = Vec::new();
        (0..12).for_each(|_| sound.extend(vowels(2.0)));
        let heard = heard(&sound);
        let all: Vec<Said> = {
            let mut lips = Lips::new(&heard, 0.04);
            (0..600).map(|i| lips.at(f64::from(i) * 0.04)).collect()
        };
        // As if the sound began to be worked out elsewhere.
        for from in [230, 480] {
            let mut lips = Lips::new(&heard, 0.04);
            for (i, said) in all.iter().enumerate().skip(from).take(40) {
                let other = lips.at(i as f64 * 0.04);
                let gap = other.weights.iter().zip(&said.weights);
                let gap = gap.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(gap < 0.02, "frame {i}: {gap}");
            }
        }
    }

    #[test]
    fn lips_that_meet_are_closed_for_a_frame_however_short() {
        let heard = spoken();
        let lips = Lips::new(&heard, 0.04);
        let click = [Stretch {
            from_secs: 0.517,
            to_secs: 0.519,
        }];
        let frames: Vec<f32> = (0..25)
            .map(|i| lips.near(&click, f64::from(i) * 0.04))
            .collect();
        assert!(frames.contains(&1.0), "{frames:?}");
        assert_eq!(frames[..9], [0.0; 9]);
    }
}
