//! The clips that are committed, and how others are asked for.

use super::canvas::{Camera, Scene};
use super::light::{Lamp, Sky};
use super::room::Room;
use super::space::{V3, v3};
use super::speech::Voice;

/// Frames a second of every clip.
pub(crate) const FPS: i32 = 25;

/// Someone in a clip.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    /// Whose head.
    pub(crate) looks: &'static str,
    /// Whose hair and clothes.
    pub(crate) costume: &'static str,
    pub(crate) seed: u32,
    pub(crate) place: V3,
    pub(crate) facing: f32,
    pub(crate) spirit: f32,
    pub(crate) speaks: bool,
    /// Made up from the seed rather than one of the cast.
    pub(crate) is_stranger: bool,
}

/// A clip to be filmed.
#[derive(Clone, Debug)]
pub struct Clip {
    /// Of its files.
    pub name: &'static str,
    pub(crate) roles: Vec<Role>,
    /// Whose voice is heard.
    pub voice: Voice,
    /// What is said.
    pub text: &'static str,
    /// How long it is.
    pub secs: f32,
    pub(crate) light: Light,
    pub(crate) room: u32,
    pub(crate) has_microphone: bool,
}

impl Clip {
    /// Turns everyone in the clip by an angle in radians, to the right of the picture.
    #[must_use]
    pub fn turned(mut self, radians: f32) -> Self {
        self.roles
            .iter_mut()
            .for_each(|role| role.facing += radians);
        self
    }
}

/// How the actors and the room are lit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Light {
    /// Daylight from a window at the right.
    Day,
    /// A warm lamp at the left.
    Evening,
    /// A soft sky before the actor.
    Cloudy,
    /// The room has daylight from the right, the actor a warm lamp at the left.
    Contradicting,
}

const FEMALE: Voice = Voice {
    name: "en-us+f3",
    rate: 165,
    pitch: 55,
};
const MALE: Voice = Voice {
    name: "en-us+m3",
    rate: 160,
    pitch: 38,
};

const fn role(looks: &'static str, costume: &'static str, seed: u32) -> Role {
    Role {
        looks,
        costume,
        seed,
        place: V3::ZERO,
        facing: 0.0,
        spirit: 1.0,
        speaks: true,
        is_stranger: false,
    }
}

/// Gives the clips of `testdata/actors`.
pub fn committed() -> Vec<Clip> {
    let mut clips = Vec::new();
    for (name, other, n, counterfactual) in [
        ("ada", "ben", 1, "ada-1-as-ben"),
        ("ada", "ben", 2, "ada-2-as-ben"),
        ("ben", "ada", 1, "ben-1-as-ada"),
        ("ben", "ada", 2, "ben-2-as-ada"),
    ] {
        let clip = performance(name, n);
        let played = Clip {
            name: counterfactual,
            roles: vec![role(other, name, clip.roles[0].seed)],
            ..clip.clone()
        };
        clips.extend([clip, played]);
    }
    clips.extend([microphone(), two(), contradicting()]);
    clips
}

fn performance(name: &'static str, n: u32) -> Clip {
    let (clip, voice, text, light, room) = match (name, n) {
        ("ada", 1) => ("ada-1", FEMALE, ADA_1, Light::Day, 5),
        ("ada", _) => ("ada-2", FEMALE, ADA_2, Light::Cloudy, 6),
        (_, 1) => ("ben-1", MALE, BEN_1, Light::Evening, 7),
        _ => ("ben-2", MALE, BEN_2, Light::Day, 8),
    };
    Clip {
        name: clip,
        roles: vec![role(name, name, 100 * n + room)],
        voice,
        text,
        secs: 8.0,
        light,
        room,
        has_microphone: false,
    }
}

const ADA_1: &str = "Hello, my name is Ada. Nobody has ever met me, because I was drawn, \
    point by point, by a small program that you can read.";
const ADA_2: &str = "My mother baked five pumpkin pies for the village fair, and everybody \
    asked her how she had managed it.";
const BEN_1: &str = "Good evening. I am Ben. Whatever you see me do in this video, you know \
    exactly where every part of my face should be.";
const BEN_2: &str = "The weather was fine on Monday, foggy on Wednesday, and by the weekend we \
    were all swimming in the river.";

fn microphone() -> Clip {
    Clip {
        name: "ada-microphone",
        text: "One, two, three. Can you hear me better when I hold it closer?",
        secs: 5.0,
        has_microphone: true,
        room: 9,
        roles: vec![role("ada", "ada", 331)],
        ..performance("ada", 1)
    }
}

fn two() -> Clip {
    let left = Role {
        place: v3(-11.5, -1.0, -4.0),
        facing: 0.20,
        ..role("cleo", "cleo", 441)
    };
    let right = Role {
        place: v3(11.5, 1.0, -7.0),
        facing: -0.22,
        speaks: false,
        ..role("dan", "dan", 442)
    };
    Clip {
        name: "cleo-and-dan",
        text: "We have never been in the same room, and there is no room either.",
        secs: 5.0,
        light: Light::Cloudy,
        room: 10,
        roles: vec![left, right],
        ..performance("ada", 2)
    }
}

fn contradicting() -> Clip {
    Clip {
        name: "ben-wrong-light",
        text: "Something about the light on my face is not quite right.",
        secs: 5.0,
        light: Light::Contradicting,
        room: 11,
        roles: vec![role("ben", "ben", 551)],
        ..performance("ben", 2)
    }
}

/// Lights and furnishes a scene.
pub(crate) fn scene(light: Light, room: u32, side: usize) -> Scene {
    let camera = Camera {
        side,
        eye: v3(0.0, -0.5, 118.0),
        focal: 3.0,
    };
    let (sky, lamp, [left, right]) = lights(light);
    let window = match light {
        Light::Day => 0.97,
        Light::Contradicting => 0.95,
        Light::Evening | Light::Cloudy => -0.9,
    };
    let warm = match light {
        Light::Evening => v3(1.0, 0.86, 0.70),
        _ => v3(1.0, 0.98, 0.95),
    };
    Scene {
        camera,
        lamp,
        sky,
        room: Room {
            seed: room,
            wall: WALLS[room as usize % WALLS.len()],
            left: warm * left,
            right: warm * right,
            window,
        },
    }
}

/// The sky, the lamp, and how bright the room is at its left and right.
fn lights(light: Light) -> (Sky, Lamp, [f32; 2]) {
    let mut sky = Sky::default();
    let (lamp, left, right) = match light {
        Light::Day => {
            sky.add(v3(0.2, 1.0, 0.3), v3(0.46, 0.52, 0.60));
            sky.add(v3(-0.9, 0.1, 0.4), v3(0.36, 0.32, 0.28));
            (
                lamp([0.66, 0.36, 0.66], 0.17, v3(1.25, 1.18, 1.08)),
                0.55,
                1.2,
            )
        }
        Light::Evening | Light::Contradicting => {
            sky.add(v3(-0.4, 1.0, 0.2), v3(0.42, 0.33, 0.24));
            sky.add(v3(0.9, 0.0, 0.4), v3(0.26, 0.25, 0.27));
            let (left, right) = if light == Light::Evening {
                (1.15, 0.5)
            } else {
                (0.5, 1.25)
            };
            (
                lamp([-0.60, 0.46, 0.65], 0.13, v3(1.38, 1.12, 0.82)),
                left,
                right,
            )
        }
        Light::Cloudy => {
            sky.add(v3(0.0, 0.9, 0.6), v3(0.62, 0.66, 0.72));
            sky.add(v3(0.7, 0.0, 0.5), v3(0.24, 0.24, 0.25));
            (
                lamp([-0.30, 0.52, 0.80], 0.26, v3(0.98, 0.97, 0.96)),
                1.0,
                0.8,
            )
        }
    };
    sky.add(v3(0.0, -1.0, 0.2), v3(0.17, 0.13, 0.10));
    sky.add_everywhere(V3::all(0.07));
    (sky, lamp, [left, right])
}

const WALLS: [V3; 4] = [
    v3(0.30, 0.29, 0.27),
    v3(0.22, 0.26, 0.27),
    v3(0.33, 0.27, 0.21),
    v3(0.26, 0.27, 0.22),
];

fn lamp([x, y, z]: [f32; 3], radius: f32, colour: V3) -> Lamp {
    Lamp {
        towards: v3(x, y, z).unit(),
        radius,
        colour,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counterfactual_keeps_performance_clothes_light_and_room() {
        let clips = committed();
        for played in clips.iter().filter(|c| c.name.contains("-as-")) {
            let (original, _) = played.name.split_once("-as-").unwrap();
            let original = clips.iter().find(|c| c.name == original).unwrap();
            let (a, b) = (&original.roles[0], &played.roles[0]);
            assert_eq!((a.seed, a.costume), (b.seed, b.costume));
            assert_ne!(a.looks, b.looks);
            assert_eq!(original.text, played.text);
            assert_eq!((original.light, original.room), (played.light, played.room));
        }
        assert_eq!(clips.len(), 11);
    }
}
