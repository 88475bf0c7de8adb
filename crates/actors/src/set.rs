//! A film set: a clip with everyone dressed and ready, from which frames are shot.

use effigy_frame::{Picture, Point3};

use super::canvas::{Canvas, Exposure, MovingPerson, MovingProp, Scene, expose, flow};
use super::cast;
use super::clips::{Clip, FPS, scene};
use super::error::{Error, Result};
use super::head::Head;
use super::lens::{self, Lens};
use super::mesh_points::{Anchors, in_picture};
use super::noise::stir;
use super::perform::Performance;
use super::person::{Moment, Person, Posed, Shown};
use super::prop::microphone;
use super::shoot::shoot;
use super::space::V3;
use super::speech::Line;
use super::stranger;

/// Share of the time between frames for which the shutter is open.
const SHUTTER: f32 = 0.5;
/// Widest picture.
const LARGEST_SIDE: usize = 1024;
/// Masks and flow keep every second and every sixteenth pixel, which must come out even.
const SIDE_STEP: usize = 16;

/// A clip with everyone dressed and ready.
pub struct Set<'a> {
    pub(crate) head: &'a Head,
    pub(crate) clip: &'a Clip,
    pub(crate) scene: Scene,
    pub(crate) actors: Vec<Actor>,
    anchors: Anchors,
    backdrop: Vec<V3>,
    lens: Lens,
    seed: u32,
}

/// Someone on the set, and what they do.
pub(crate) struct Actor {
    pub(crate) person: Person,
    pub(crate) performance: Performance,
    /// What is done act by act rather than performed; none where somebody performs.
    acts: Vec<Moment>,
}

impl Actor {
    fn at(&self, head: &Head, secs: f32) -> Moment {
        if self.acts.is_empty() {
            return self.performance.at(head, secs);
        }
        let frame = (secs * FPS as f32).round() as usize;
        self.acts[frame / stranger::FRAMES_OF_ACT as usize % self.acts.len()].clone()
    }
}

/// What somebody does in a shot. Angles in degrees.
#[derive(Clone, Debug)]
pub struct Done {
    /// Weight of each expression of the head, those of lids that follow the eyes included.
    pub weights: Vec<f32>,
    /// Of the eyes in the head, to the picture's right and up.
    pub gaze: [f32; 2],
    /// Of the head: to the picture's right, up, and clockwise.
    pub pose: [f32; 3],
    /// Weights of the modes that the head is built by.
    pub identity: Vec<f32>,
}

/// A frame, and what is known of it.
pub struct Shot {
    /// What the camera records.
    pub picture: Picture,
    /// Of each person: the mesh points in pixels.
    pub points: Vec<Vec<Point3>>,
    /// Of each person: which of the points are seen.
    pub visible: Vec<Vec<bool>>,
    pub(crate) moments: Vec<Moment>,
    pub(crate) exposure: Exposure,
    pub(crate) flow: Vec<[f32; 2]>,
}

impl<'a> Set<'a> {
    /// Dresses the actors of a clip, who say `line`, and furnishes its room; pictures will be
    /// `side` pixels wide and high.
    ///
    /// # Errors
    /// When the side is not a multiple of 16 or out of range, or the clip asks for an unknown
    /// actor or for a face that the head cannot make.
    pub fn new(head: &'a Head, clip: &'a Clip, line: &Line, side: usize) -> Result<Self> {
        if !(64..=LARGEST_SIDE).contains(&side) || !side.is_multiple_of(SIDE_STEP) {
            let most = LARGEST_SIDE;
            return Err(Error::Side { side, most });
        }
        let scene = scene(clip.light, clip.room, side);
        let mut actors = Vec::new();
        for role in &clip.roles {
            let line = if role.speaks {
                line.clone()
            } else {
                Line::default()
            };
            let performance = Performance {
                seed: role.seed,
                line,
                place: role.place,
                facing: role.facing,
                spirit: role.spirit,
            };
            let (looks, costume) = match role.is_stranger {
                true => stranger::dressed(role.seed, head.n_modes()),
                false => (cast::actor(role.looks)?.0, cast::actor(role.costume)?.1),
            };
            let acts = match role.is_stranger {
                true => stranger::acts(head, role.seed),
                false => Vec::new(),
            };
            actors.push(Actor {
                person: Person::new(head, looks, costume)?,
                performance,
                acts,
            });
        }
        let backdrop = (0..side * side).map(|i| {
            let part = |k: usize| (k as f32 + 0.5) / side as f32;
            scene.room.colour(part(i % side), part(i / side))
        });
        Ok(Self {
            backdrop: backdrop.collect(),
            anchors: Anchors::lay(head),
            lens: Lens {
                focus: 1.0 / (scene.camera.eye.z - 9.0),
                blur: 9.0,
                exposure: 1.06,
                balance: lens::NEUTRAL,
                noise: 1.0,
            },
            seed: clip.roles[0].seed,
            head,
            clip,
            scene,
            actors,
        })
    }

    /// Makes a canvas of the set's size, to be used for one frame after the other.
    pub fn canvas(&self) -> Canvas {
        Canvas::new(self.scene.camera.side)
    }

    /// Shoots frame `n` on a canvas of the set's size.
    ///
    /// # Errors
    /// When the performance asks for a face that the head cannot make.
    pub fn shot(&self, canvas: &mut Canvas, n: u32) -> Result<Shot> {
        let secs = |n: u32| n as f32 / FPS as f32;
        let (now, next) = (self.pose(secs(n))?, self.pose(secs(n + 1))?);
        let props = self
            .clip
            .has_microphone
            .then(|| [n, n + 1].map(|n| microphone(secs(n))));
        let prop = props.as_ref().map(|[now, next]| MovingProp { now, next });
        let shown: Vec<Shown<'_>> = self
            .actors
            .iter()
            .zip(&now)
            .map(|(actor, now)| Shown {
                person: &actor.person,
                posed: &now.posed,
            })
            .collect();
        shoot(
            canvas,
            &self.scene,
            &shown,
            prop.as_ref().map(|prop| prop.now),
        );
        let moving: Vec<MovingPerson<'_>> = shown
            .iter()
            .zip(&next)
            .map(|(shown, next)| MovingPerson {
                person: shown.person,
                now: shown.posed,
                next: &next.posed,
            })
            .collect();
        let moves = flow(canvas, &self.scene.camera, &moving, prop.as_ref());
        let exposure = expose(canvas, &self.backdrop);
        // The shutter closes before the next frame: a picture is smeared by part of the movement.
        let open: Vec<[f32; 2]> = moves.iter().map(|m| m.map(|d| d * SHUTTER)).collect();
        let noise = stir(self.seed ^ (n << 8));
        let picture = lens::develop(&exposure, &self.lens, &open, noise);
        let (points, visible) = shown.iter().map(|shown| self.points(canvas, shown)).unzip();
        Ok(Shot {
            picture,
            points,
            visible,
            moments: now.into_iter().map(|pose| pose.moment).collect(),
            exposure,
            flow: moves,
        })
    }

    /// Says what the first person does in a shot.
    pub fn done(&self, shot: &Shot) -> Done {
        let (moment, person) = (&shot.moments[0], &self.actors[0].person);
        let mut weights = moment.weights.clone();
        person.let_lids_follow(&mut weights, moment.gaze);
        Done {
            weights,
            gaze: moment.gaze.map(f32::to_degrees),
            pose: [moment.yaw, moment.pitch, -moment.roll].map(f32::to_degrees),
            identity: person.looks.identity.clone(),
        }
    }

    fn pose(&self, secs: f32) -> Result<Vec<Pose>> {
        let pose = |actor: &Actor| {
            let moment = actor.at(self.head, secs);
            let posed = actor.person.pose(self.head, &moment)?;
            Ok(Pose { posed, moment })
        };
        self.actors.iter().map(pose).collect()
    }

    /// Where the mesh of a person lies in the picture, and which of its points are seen.
    fn points(&self, canvas: &Canvas, shown: &Shown<'_>) -> (Vec<Point3>, Vec<bool>) {
        let camera = &self.scene.camera;
        let places = self.anchors.places(shown.person, shown.posed);
        let seen = places.iter().map(|&p| canvas.shows(camera.project(p)));
        (in_picture(camera, &places), seen.collect())
    }
}

/// What an actor does, and how they stand for it.
struct Pose {
    posed: Posed,
    moment: Moment,
}
