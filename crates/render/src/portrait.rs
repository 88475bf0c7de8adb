//! One portrait, moved: its own pixels, carried by the rig.
//!
//! The rig is fitted to the picture, so that each of its vertices knows where in the picture its
//! colour is. Posed otherwise, it tells where each place of the new picture comes from; around the
//! head that is continued as by a membrane ([`surround`]). What the portrait does not show is made up:
//! the inside of a mouth that was closed ([`mouth`]). The head of the
//! rig is one whole mesh; nothing is drawn in parts that would have to be put together.

mod eyes;
mod light;
mod lips;
mod mouth;
mod raster;
mod rim;
mod sheet;
mod smile;
mod surround;
mod teeth;
mod view;

use effigy_face::landmarks::{CHIN, EARS};
use effigy_face::pose::{Rotation, times};
use effigy_face::rig::{
    Gaze, N_EXPRESSIONS, Part, Person, Placement, Pose, Rig, Solver, SolverSettings, Vec3,
};
use effigy_frame::{Picture, Point2, Point3, Rect};

use crate::sample::Sampler;
use eyes::Openings;
use light::{Light, normals};
use lips::Lips;
use mouth::{Mouth, Opening};
use raster::{Hit, Raster, whole_pixels};
use rim::Rim;
use sheet::Sheet;
use surround::Surround;
use view::View;

/// How a portrait is to differ from what it shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Movement {
    /// What is added to the weight of each expression, in the order of
    /// [`effigy_face::rig::EXPRESSIONS`].
    pub weights: [f32; N_EXPRESSIONS],
    /// How far the eyes turn, the right one first, in degrees.
    pub gaze: [Gaze; 2],
    /// How the head turns, as the camera sees it.
    pub turn: Rotation,
    /// How far the head goes to the right and down, in centimetres.
    pub shift: [f32; 2],
    /// By how much the head comes nearer: 1 where it was.
    pub scale: f32,
}

impl Default for Movement {
    /// None.
    fn default() -> Self {
        Self {
            weights: [0.0; N_EXPRESSIONS],
            gaze: [Gaze::default(); 2],
            turn: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            shift: [0.0; 2],
            scale: 1.0,
        }
    }
}

/// A picture of one person that can be moved.
#[derive(Debug)]
pub struct Portrait<'a> {
    rig: &'a Rig,
    person: Person,
    /// What the face does in the picture.
    pose: Pose,
    colours: Sampler,
    width: u32,
    height: u32,
    /// Where the colour of each vertex lies in the picture.
    source: Vec<Vec3>,
    /// How far each vertex goes along with the head, `0..=1`: shoulders stay.
    follows: Vec<f32>,
    rim: Rim,
    /// How deep the ears lie, in centimetres on the head.
    ear_depth: f32,
    light: Light,
    mouth: Mouth,
    openings: Openings,
    surround: Surround,
    /// What the frame before showed, whose memory is used again.
    raster: Raster,
}

/// What a portrait shows, and where.
#[derive(Clone, Copy)]
struct Shown<'s> {
    /// Where the vertices of the rig are.
    source: &'s [Vec3],
    /// Which of its triangles are seen.
    raster: &'s Raster,
    colours: &'s Sampler,
}

/// The neck begins to stay behind this far below the chin, and stays where it is from there on, in
/// centimetres.
const NECK_CM: [f32; 2] = [0.5, 6.5];
/// Hair and ears reach so far beyond the points of a face, in centimetres.
const AROUND_CM: f32 = 3.0;
/// Points of the mesh on each iris.
const IRIS_POINTS: usize = 5;
/// Samples a pixel, each way, where eyes and mouth are drawn.
const FINE: u32 = 2;

impl<'a> Portrait<'a> {
    /// Takes a picture and the 478 mesh points of the face in it, in pixels.
    ///
    /// # Panics
    /// If `points` is not a whole mesh.
    pub fn new(rig: &'a Rig, picture: &Picture, points: &[Point3]) -> Self {
        let person = Person::fit(rig, &[points]);
        let pose = Solver::new(SolverSettings::default()).solve(rig, &person, points, 0.0);
        let shaped = rig.shaped(&person, &pose.weights, pose.gaze);
        let source: Vec<Vec3> = shaped.iter().map(|&p| pose.head.apply(p)).collect();
        let colours = Sampler::new(picture);
        let (width, height) = (picture.width(), picture.height());
        let all = Raster::draw(rig.triangles(), &source, [0, 0, width, height], 1);
        let shown = Shown {
            source: &source,
            raster: &all,
            colours: &colours,
        };
        let points_at_rest = rig.skin_points(&person, &[0.0; N_EXPRESSIONS]);
        let chin = points_at_rest[CHIN][1];
        let ears = EARS.map(|i| points_at_rest[i][2]);
        let at_rest = person.at_rest();
        let follows = at_rest.iter().map(|p| {
            let share = (p[1] - chin - NECK_CM[0]) / (NECK_CM[1] - NECK_CM[0]);
            1.0 - smooth_step(share)
        });
        let flat: Vec<Point2> = points.iter().map(|p| p.xy()).collect();
        Self {
            follows: follows.collect(),
            ear_depth: 0.5 * (ears[0] + ears[1]),
            rim: Rim::look(rig, &person, shown),
            light: Light::fit(rig, shown),
            mouth: Mouth::look(rig, &person, &shaped, &colours, (&flat, pose.head.scale)),
            openings: Openings::of(&flat),
            surround: Surround::new(width, height),
            raster: all,
            rig,
            person,
            pose,
            colours,
            width,
            height,
            source,
        }
    }

    /// What the face does in the picture.
    pub fn pose(&self) -> &Pose {
        &self.pose
    }

    /// How far the head can go before it leaves the picture, in centimetres: left and right, up and down.
    pub fn room(&self) -> [[f32; 2]; 2] {
        let points = self.points(&Movement::default());
        let rect = Rect::around(points.iter().map(|p| p.xy()));
        let Some(Rect {
            x,
            y,
            width,
            height,
        }) = rect
        else {
            return [[0.0; 2]; 2];
        };
        let right = self.width as f32 - x - width;
        let below = self.height as f32 - y - height;
        [[x, right], [y, below]]
            .map(|way| way.map(|px| (px / self.pose.head.scale - AROUND_CM).max(0.0)))
    }

    /// What the face does when it is moved.
    pub fn posed(&self, movement: &Movement) -> Pose {
        Pose {
            weights: self.weights(movement),
            gaze: self.gaze(movement),
            head: self.head(movement),
            residual: self.pose.residual,
        }
    }

    /// Where the 478 mesh points of the face are when it is moved, in pixels.
    pub fn points(&self, movement: &Movement) -> Vec<Point3> {
        let head = self.head(movement);
        let at = |place: Vec3| {
            let [x, y, z] = head.apply(place);
            Point3 { x, y, z }
        };
        let skin = self.rig.skin_points(&self.person, &self.weights(movement));
        let mut points: Vec<Point3> = skin.into_iter().map(at).collect();
        for (eye, gaze) in self.person.eyes().iter().zip(self.gaze(movement)) {
            let (yaw, pitch) = (gaze.yaw.to_radians(), gaze.pitch.to_radians());
            let towards = [
                yaw.sin() * pitch.cos(),
                -pitch.sin(),
                -yaw.cos() * pitch.cos(),
            ];
            let iris = at([0, 1, 2].map(|i| eye.middle[i] + eye.radius * towards[i]));
            points.extend([iris; IRIS_POINTS]);
        }
        points
    }

    /// Draws the portrait moved.
    ///
    /// Frames come in order: what is around the head follows it from one to the next.
    pub fn draw(&mut self, movement: &Movement) -> Picture {
        let target = self.moved(movement);
        let normals = normals(self.rig, &target);
        let bright = self.light.ratios(&normals);
        let made_up = self.rim.made_up(&normals);
        self.raster.redraw(self.rig.triangles(), &target);
        let raster = &self.raster;
        let (rig, follows) = (self.rig, &self.follows);
        let sheet = Sheet::of(&self.pose.head, &self.head(movement), self.ear_depth);
        self.surround.settle(|x, y| {
            let (hit, _) = raster.at(x, y)?;
            let corners = rig.triangles()[usize::from(hit.triangle)].corners;
            let [follows] = hit.of(corners.map(|c| [follows[usize::from(c)]]));
            let at = sheet.back(Point2::new(x, y));
            Some([follows * (at.x - x), follows * (at.y - y)])
        });
        let view = View {
            portrait: self,
            bright: &bright,
            made_up: &made_up,
            opening: self.opening(movement, &target),
        };
        let pixels = view.all();
        let mut picture = Picture::new(self.width, self.height, pixels);
        for eye in [Part::EyeRight, Part::EyeLeft] {
            if let Some(part) = self.fine_part(self.bounds(eye, &target)) {
                view.refine(&mut picture, (&target, part), |shown, line| {
                    view.colour(shown, line, || 1.0)
                });
            }
        }
        if let Some(part) = self.fine_part(view.opening.lips.bounds()) {
            view.refine(&mut picture, (&target, part), |shown, line| {
                view.mouth(shown, line)
            });
        }
        picture
    }

    /// Where each vertex goes.
    fn moved(&self, movement: &Movement) -> Vec<Vec3> {
        let weights = self.weights(movement);
        let head = self.head(movement);
        let shaped = self.rig.shaped(&self.person, &weights, self.gaze(movement));
        let all = shaped.iter().zip(&self.source).zip(&self.follows);
        let moved = all.map(|((&place, source), &follows)| {
            let target = head.apply(place);
            std::array::from_fn(|i| source[i] + follows * (target[i] - source[i]))
        });
        moved.collect()
    }

    fn weights(&self, movement: &Movement) -> [f32; N_EXPRESSIONS] {
        std::array::from_fn(|i| (self.pose.weights[i] + movement.weights[i]).clamp(0.0, 1.0))
    }

    fn gaze(&self, movement: &Movement) -> [Gaze; 2] {
        std::array::from_fn(|eye| Gaze {
            yaw: self.pose.gaze[eye].yaw + movement.gaze[eye].yaw,
            pitch: self.pose.gaze[eye].pitch + movement.gaze[eye].pitch,
        })
    }

    fn head(&self, movement: &Movement) -> Placement {
        let Placement {
            rotation,
            scale,
            shift,
        } = self.pose.head;
        Placement {
            rotation: times(&movement.turn, &rotation),
            scale: scale * movement.scale,
            shift: [
                shift[0] + scale * movement.shift[0],
                shift[1] + scale * movement.shift[1],
                shift[2],
            ],
        }
    }

    /// The mouth as it is drawn, with the vertices at `target`.
    fn opening(&self, movement: &Movement, target: &[Vec3]) -> Opening {
        let head = self.head(movement);
        let points = self.rig.skin_points(&self.person, &self.weights(movement));
        let point = |i: usize| {
            let [x, y, _] = head.apply(points[i]);
            Point2::new(x, y)
        };
        let lips = Lips::of(point, head.scale);
        Opening::of(&self.mouth, lips, target, [&self.pose.head, &head])
    }

    /// The box around a part of the rig.
    fn bounds(&self, part: Part, target: &[Vec3]) -> Option<Rect> {
        let triangles = self.rig.triangles().iter().filter(|t| t.part == part);
        let corners = triangles.flat_map(|t| t.corners);
        Rect::around(corners.map(|c| {
            let [x, y, _] = target[usize::from(c)];
            Point2::new(x, y)
        }))
    }

    /// The part of the picture that is drawn finely around an eye or the mouth.
    fn fine_part(&self, rect: Option<Rect>) -> Option<[u32; 4]> {
        let rect = rect?;
        let part = whole_pixels(rect, 0.1 * rect.width, self.width, self.height);
        (part[2] > 0 && part[3] > 0).then_some(part)
    }
}

/// Where in the picture the corners of what a sample shows have their colour.
fn flat_corners(rig: &Rig, source: &[Vec3], hit: Hit) -> [[f32; 2]; 3] {
    let corners = rig.triangles()[usize::from(hit.triangle)].corners;
    corners.map(|c| {
        let [x, y, _] = source[usize::from(c)];
        [x, y]
    })
}

/// 0 up to 0, 1 from 1 on, smooth in between.
fn smooth_step(t: f32) -> f32 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

fn brightness([r, g, b]: [f32; 3]) -> f32 {
    0.3 * r + 0.59 * g + 0.11 * b
}

fn to_byte(value: f32) -> u8 {
    (value + 0.5).clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests;
