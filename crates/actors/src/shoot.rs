//! One frame: people, from vertices to linear light on a canvas.

use super::canvas::{Canvas, Layer, PERSON, PROP, Sample, Scene};
use super::lighting::{light, shadows};
use super::person::{Person, Posed, Shown, Surface};
use super::prop::Prop;
use super::raster::{Grid, NOTHING, Spot, weights};
use super::shade::{Eye, Lights, Lit, Paint, Reached, SkinPlace};
use super::space::{V3, smooth, v3};
use super::wear;

/// Draws all of `people` as they stand, and a prop before them.
pub(crate) fn shoot(canvas: &mut Canvas, scene: &Scene, people: &[Shown<'_>], prop: Option<&Prop>) {
    canvas.clear();
    for (k, &shown) in people.iter().enumerate() {
        draw(canvas, scene, shown, (k as u32) << PERSON, prop);
    }
    if let Some(prop) = prop {
        draw_prop(canvas, scene, prop);
    }
}

/// How much further away eyes count than they are where it is asked what hides what. The cornea stands out further
/// than the lids of the head shut, which would let the iris through.
const EYES_BEHIND_CM: f32 = 0.3;

fn draw(canvas: &mut Canvas, scene: &Scene, shown: Shown<'_>, number: u32, prop: Option<&Prop>) {
    let Shown { person, posed } = shown;
    let lights = Lights {
        lamp: scene.lamp,
        sky: scene.sky,
        eye: scene.camera.eye,
    };
    let maps = shadows(scene, shown, prop);
    let lit = light(&lights, &maps, shown);
    let spots: Vec<Spot> = posed
        .vertices
        .iter()
        .map(|&p| scene.camera.on_grid(p))
        .collect();
    canvas.grid.clear();
    for (id, piece) in person.pieces.iter().enumerate() {
        let mut corners = piece.corners.map(|c| spots[c as usize]);
        if matches!(piece.surface, Surface::EyeRight | Surface::EyeLeft) {
            corners = corners.map(|[x, y, near]| [x, y, near / (1.0 + near * EYES_BEHIND_CM)]);
        }
        canvas.grid.triangle(corners, id as u32);
    }
    let painter = Painter {
        lights: &lights,
        person,
        posed,
        number,
        lit: &lit,
        spots: &spots,
        from_room: posed.turn.inverse(),
        samples_per_cm: scene.camera.focal * canvas.side as f32 / (scene.camera.eye.z - 9.0),
    };
    painter.surfaces(canvas);
    painter.bristles(canvas, scene);
    painter.lashes(canvas, scene);
    painter.hair(canvas, scene, &maps);
}

pub(super) struct Painter<'a> {
    pub(super) lights: &'a Lights,
    pub(super) person: &'a Person,
    pub(super) posed: &'a Posed,
    /// In place for [`Canvas::source`].
    pub(super) number: u32,
    pub(super) lit: &'a [Lit],
    pub(super) spots: &'a [Spot],
    /// Undoes the turn of the head.
    pub(super) from_room: super::space::Turn,
    pub(super) samples_per_cm: f32,
}

impl Painter<'_> {
    fn surfaces(&self, canvas: &mut Canvas) {
        for row in 0..canvas.side {
            for column in 0..canvas.side {
                let i = row * canvas.side + column;
                let id = canvas.grid.what[i];
                let near = canvas.grid.near[i];
                if id == NOTHING || near <= canvas.near[i] {
                    continue;
                }
                let (colour, layer) = self.surface(&canvas.grid, id, column, row);
                canvas.put(
                    i,
                    Sample {
                        near,
                        colour,
                        layer,
                        source: id | self.number,
                    },
                );
            }
        }
    }

    fn surface(&self, grid: &Grid, id: u32, column: usize, row: usize) -> (V3, Layer) {
        let piece = &self.person.pieces[id as usize];
        let corners = piece.corners.map(|c| c as usize);
        let spots = corners.map(|c| self.spots[c]);
        let w = weights(spots, column as f32 + 0.5, row as f32 + 0.5);
        let blend = |of: &dyn Fn(usize) -> V3| {
            of(corners[0]) * w[0] + of(corners[1]) * w[1] + of(corners[2]) * w[2]
        };
        let p = blend(&|c| self.posed.vertices[c]);
        let normal = blend(&|c| self.posed.normals[c]).unit();
        let view = (self.lights.eye - p).unit();
        let scalar = |of: &dyn Fn(usize) -> f32| {
            of(corners[0]) * w[0] + of(corners[1]) * w[1] + of(corners[2]) * w[2]
        };
        let lit = || Lit {
            soft: blend(&|c| self.lit[c].soft),
            lamp: scalar(&|c| self.lit[c].lamp),
            open: scalar(&|c| self.lit[c].open),
        };
        match piece.surface {
            Surface::Face | Surface::Skin => {
                let uv = [0, 1]
                    .map(|k| piece.uv[0][k] * w[0] + piece.uv[1][k] * w[1] + piece.uv[2][k] * w[2]);
                let layer = match piece.surface {
                    Surface::Face => Layer::Face,
                    _ => Layer::Other,
                };
                (self.skin(uv, normal, view, &lit()), layer)
            }
            Surface::Cloth => {
                let at = blend(&|c| self.person.rest[c]);
                let costume = &self.person.costume;
                let colour = costume.cloth * wear::knit(at, costume.knit, costume.seed);
                (
                    self.lights.cloth(normal, view, colour, &lit()),
                    Layer::Other,
                )
            }
            inner => {
                let inner = Inner {
                    surface: inner,
                    column,
                    row,
                    place: p,
                    normal,
                    view,
                };
                (self.inner(grid, &inner), Layer::Face)
            }
        }
    }

    /// Skin at a place of its texture.
    fn skin(&self, uv: [f32; 2], normal: V3, view: V3, lit: &Lit) -> V3 {
        let texel = self.person.skin.at(uv);
        // Relief was painted on the head at rest; only its part along the skin tilts it.
        let slope = self.posed.turn.apply(texel.slope());
        let place = SkinPlace {
            normal: (normal - (slope - normal * slope.dot(normal))).unit(),
            smooth_normal: normal,
            view,
        };
        let paint = Paint {
            colour: texel.colour(),
            gloss: texel.gloss(),
        };
        self.lights.skin(&place, paint, lit)
    }

    /// Teeth, mouth and eyes: what lies behind lips and lids.
    fn inner(&self, grid: &Grid, at: &Inner) -> V3 {
        if matches!(at.surface, Surface::Teeth | Surface::Mouth) {
            let open = self.mouth_open(grid, at);
            let paint = if at.surface == Surface::Teeth {
                TEETH
            } else {
                GUMS
            };
            return self.lights.wet(at.normal, at.view, paint, open);
        }
        let k = usize::from(at.surface == Surface::EyeLeft);
        let eye = Eye {
            turn: &self.posed.eye_turns[k],
            middle: self.posed.eye_middles[k],
            radius: self.person.eyes[k].radius,
            iris: self.person.looks.iris,
            seed: self.person.looks.seed,
        };
        let open = self.eye_open(grid, at);
        let reached = Reached {
            lamp: smooth(0.25, 0.8, open),
            sky: 0.25 + 0.75 * open,
        };
        self.lights.eyeball(&eye, at.place, at.normal, reached)
    }

    /// How far from the lids a place on an eye lies, the upper lid counting most.
    fn eye_open(&self, grid: &Grid, at: &Inner) -> f32 {
        let reach = 0.42 * self.samples_per_cm;
        // To the right, down, weight.
        const AROUND: [(f32, f32, f32); 9] = [
            (0.0, -1.0, 2.0),
            (-0.5, -0.85, 1.3),
            (0.5, -0.85, 1.3),
            (0.0, -0.5, 2.0),
            (-0.9, 0.0, 0.7),
            (0.9, 0.0, 0.7),
            (0.0, 0.6, 0.8),
            (-0.6, 0.4, 0.5),
            (0.6, 0.4, 0.5),
        ];
        self.share(
            grid,
            AROUND.map(|(x, y, w)| (x * reach, y * reach, w)),
            at,
            |s| s == at.surface,
        )
    }

    /// How much light reaches a place in the mouth, by the gap between the lips and its depth.
    fn mouth_open(&self, grid: &Grid, at: &Inner) -> f32 {
        let reach = 0.75 * self.samples_per_cm;
        let ring: [(f32, f32, f32); 9] = std::array::from_fn(|i| {
            let (sin, cos) = (0.698 * i as f32).sin_cos();
            let far = if i % 2 == 0 { 1.0 } else { 0.5 };
            (cos * reach * far, sin * reach * far, 1.0)
        });
        let gap = self.share(grid, ring, at, |s| {
            matches!(s, Surface::Mouth | Surface::Teeth)
        });
        // The eyes stay where they are when the jaw drops: depth is measured from them.
        let in_head = self.from_room.apply(at.place - self.posed.eye_middles[0]);
        let depth = smooth(-5.0, 2.6, in_head.z);
        (0.10 + 0.90 * gap) * (0.06 + 0.94 * depth * depth)
    }

    /// Weighted share of the samples around a place that show a surface which `counts`.
    fn share(
        &self,
        grid: &Grid,
        around: [(f32, f32, f32); 9],
        at: &Inner,
        counts: impl Fn(Surface) -> bool,
    ) -> f32 {
        let last = grid.width as f32 - 1.0;
        let (mut sum, mut all) = (0.0, 0.0);
        for (x, y, w) in around {
            let x = (at.column as f32 + x).clamp(0.0, last) as usize;
            let y = (at.row as f32 + y).clamp(0.0, last) as usize;
            let id = grid.what[y * grid.width + x];
            all += w;
            if id != NOTHING && counts(self.person.pieces[id as usize].surface) {
                sum += w;
            }
        }
        sum / all
    }
}

/// A place behind lips or lids: in the picture, and in the room.
struct Inner {
    surface: Surface,
    /// Of the sample on the canvas.
    column: usize,
    row: usize,
    place: V3,
    normal: V3,
    view: V3,
}

const TEETH: Paint = Paint {
    colour: v3(0.58, 0.53, 0.45),
    gloss: 0.8,
};
const GUMS: Paint = Paint {
    colour: v3(0.34, 0.10, 0.09),
    gloss: 0.9,
};

fn draw_prop(canvas: &mut Canvas, scene: &Scene, prop: &Prop) {
    let spots: Vec<Spot> = prop
        .vertices
        .iter()
        .map(|&p| scene.camera.on_grid(p))
        .collect();
    canvas.grid.clear();
    for (id, triangle) in prop.triangles.iter().enumerate() {
        let corners = triangle.map(|c| spots[c as usize]);
        canvas.grid.triangle(corners, id as u32);
    }
    let lights = Lights {
        lamp: scene.lamp,
        sky: scene.sky,
        eye: scene.camera.eye,
    };
    for i in 0..canvas.near.len() {
        let (id, near) = (canvas.grid.what[i], canvas.grid.near[i]);
        if id == NOTHING || near <= canvas.near[i] {
            continue;
        }
        let corners = prop.triangles[id as usize];
        let [a, b, c] = corners.map(|c| prop.vertices[c as usize]);
        let flat = (b - a).cross(c - a).unit();
        let view = (lights.eye - a).unit();
        let is_grille = (corners[0] as usize) < prop.n_grille;
        let (column, row) = (i % canvas.side, i / canvas.side);
        let mesh = if is_grille && (column / 2 + row / 2).is_multiple_of(2) {
            0.5
        } else {
            1.0
        };
        let paint = Paint {
            colour: V3::all(if is_grille { 0.10 } else { 0.02 }) * mesh,
            gloss: 0.6,
        };
        canvas.put(
            i,
            Sample {
                near,
                colour: lights.wet(flat, view, paint, 1.0),
                layer: Layer::Occluder,
                source: PROP | id,
            },
        );
    }
}
