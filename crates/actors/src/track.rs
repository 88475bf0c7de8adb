//! Gathers the truth of a clip, shot by shot.

use super::clips::{FPS, Light, Role};
use super::perform::Performance;
use super::person::Moment;
use super::set::{Set, Shot};
use super::truth::{Detail, Flow, Level, LightRecord, Masks, Played, Points, Record, Truth};

const NOTICE: &str = "Synthetic: nobody is depicted. Head geometry: ICT-FaceKit light model, \
    MIT, (c) 2020 USC Institute for Creative Technologies.";

/// What has been filmed so far.
pub(crate) struct Track {
    side: usize,
    detail: Detail,
    points: Points,
    /// By frame, then person.
    moments: Vec<Vec<Moment>>,
    masks: Masks,
    flow: Flow,
}

impl Track {
    pub(crate) fn new(side: usize, detail: Detail) -> Self {
        Self {
            side,
            detail,
            points: Points::default(),
            moments: Vec::new(),
            masks: Masks::new(side / detail.mask_step()),
            flow: Flow::new(side / detail.flow_step()),
        }
    }

    /// Takes in the next shot.
    pub(crate) fn add(&mut self, shot: &Shot) {
        let side = self.side;
        let step = self.detail.mask_step();
        for y in (0..side).step_by(step) {
            for x in (0..side).step_by(step) {
                self.masks.push(level(shot, y * side + x));
            }
        }
        let step = self.detail.flow_step();
        for y in (0..side).step_by(step) {
            for axis in 0..2 {
                for x in (0..side).step_by(step) {
                    // The pixel in the middle speaks for those around it.
                    let at = (y + step / 2) * side + x + step / 2;
                    self.flow.push(shot.flow[at][axis]);
                }
            }
        }
        self.points.points.push(shot.points.clone());
        self.points.visible.push(shot.visible.clone());
        self.moments.push(shot.moments.clone());
    }

    /// Gives the truth of the whole clip.
    pub(crate) fn finish(self, set: &Set<'_>) -> Truth {
        Truth {
            record: self.record(set),
            points: self.points,
            masks: self.masks,
            flow: self.flow,
        }
    }

    fn record(&self, set: &Set<'_>) -> Record {
        let scene = &set.scene;
        let cast = set.clip.roles.iter().zip(&set.actors).enumerate();
        Record {
            version: Record::VERSION,
            notice: NOTICE.to_owned(),
            frames_per_sec: FPS,
            frames: self.moments.len(),
            side: self.side,
            people: cast
                .map(|(k, (role, actor))| self.played(set, k, role, &actor.performance))
                .collect(),
            light: LightRecord {
                towards: scene.lamp.towards.to_array(),
                lamp: scene.lamp.colour.to_array(),
                lamp_radius_radians: scene.lamp.radius,
                sky: scene.sky.coefficients(),
                agrees_with_room: set.clip.light != Light::Contradicting,
            },
        }
    }

    /// What person `k` does.
    fn played(&self, set: &Set<'_>, k: usize, role: &Role, performance: &Performance) -> Played {
        let tenths = |radians: f32| (10.0 * radians.to_degrees()).round() as i32;
        let names = &set.head.names;
        let moments = || self.moments.iter().map(|m| &m[k]);
        let secs = |n: usize| n as f32 / FPS as f32;
        let is_used = |i: &usize| moments().any(|m| m.weights[*i] >= 0.005);
        let column = |i: usize| {
            let percent = moments().map(|m| (100.0 * m.weights[i]).round() as i32);
            (names[i].clone(), percent.collect())
        };
        let says = if role.speaks { set.clip.text } else { "" };
        Played {
            looks: role.looks.to_owned(),
            costume: role.costume.to_owned(),
            seed: role.seed,
            says: says.to_owned(),
            pose: moments()
                .map(|m| [tenths(m.yaw), tenths(m.pitch), tenths(-m.roll)])
                .collect(),
            gaze: moments().map(|m| m.gaze.map(tenths)).collect(),
            viseme: (0..self.moments.len())
                .map(|n| format!("{:?}", performance.line.viseme(secs(n))))
                .collect(),
            expression: (0..names.len()).filter(is_used).map(column).collect(),
        }
    }
}

/// What most of a pixel shows.
fn level(shot: &Shot, pixel: usize) -> Level {
    let shares = &shot.exposure;
    if shares.occluder[pixel] > 0.5 {
        Level::Occluder
    } else if shares.face[pixel] > 0.5 {
        Level::Face
    } else if shares.person[pixel] > 0.5 {
        Level::Person
    } else {
        Level::Room
    }
}
