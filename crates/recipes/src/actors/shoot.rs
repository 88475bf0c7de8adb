//! One frame: people in a room, from vertices to linear light with everything known about it.

use super::light::{Lamp, Sky};
use super::person::{Person, Posed, Surface};
use super::prop::Prop;
use super::raster::{DepthMap, Grid, NOTHING, Spot, line, weights};
use super::room::Room;
use super::shade::{Eye, Lights, Lit};
use super::space::{V3, mix3, smooth, v3};
use super::wear;

/// Where the camera stands and what it sees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Camera {
    /// Width and height of the picture in pixels.
    pub(crate) side: usize,
    /// Of the lens, in cm from the origin.
    pub(crate) eye: V3,
    /// Focal length in widths of the picture.
    pub(crate) focal: f32,
}

/// Everything that does not move.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) camera: Camera,
    pub(crate) lamp: Lamp,
    pub(crate) sky: Sky,
    pub(crate) room: Room,
}

/// Samples along each side of a pixel.
pub(crate) const SAMPLES: usize = 3;

/// Marks points of hair among what is seen.
const HAIR: u32 = 1 << 27;
/// Numbers of people begin here.
const PERSON: u32 = 28;
/// Marks triangles of a prop.
const PROP: u32 = 1 << 31;

impl Camera {
    /// Gives the place of a point in pixels, and 1 / depth.
    pub(crate) fn project(&self, p: V3) -> Spot {
        let d = p - self.eye;
        let near = -1.0 / d.z;
        let scale = self.focal * self.side as f32 * near;
        let half = 0.5 * self.side as f32;
        [half + d.x * scale, half - d.y * scale, near]
    }

    fn on_grid(&self, p: V3) -> Spot {
        let [x, y, near] = self.project(p);
        [x * SAMPLES as f32, y * SAMPLES as f32, near]
    }
}

/// The samples of a frame while it is being drawn.
pub(crate) struct Canvas {
    side: usize,
    near: Vec<f32>,
    colour: Vec<[f32; 3]>,
    /// A [`Layer`].
    layer: Vec<u8>,
    /// Triangle or point of hair, and above bit 28 the person.
    source: Vec<u32>,
    grid: Grid,
}

/// What a sample shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Layer {
    Room,
    Face,
    Other,
    Hair,
    Occluder,
}

impl Canvas {
    pub(crate) fn new(side: usize) -> Self {
        let side = side * SAMPLES;
        Self {
            side,
            near: vec![0.0; side * side],
            colour: vec![[0.0; 3]; side * side],
            layer: vec![0; side * side],
            source: vec![NOTHING; side * side],
            grid: Grid::new(side, side),
        }
    }

    /// Says whether a point on a face, in pixels, is seen: it is in the picture and nothing is
    /// nearer by more than the skin is uneven.
    pub(crate) fn shows(&self, [x, y, near]: Spot) -> bool {
        const UNEVEN_CM: f32 = 0.7;
        let (x, y) = (x * SAMPLES as f32, y * SAMPLES as f32);
        let side = self.side as f32;
        if !(0.0..side).contains(&x) || !(0.0..side).contains(&y) {
            return false;
        }
        let i = y as usize * self.side + x as usize;
        self.near[i] < near + UNEVEN_CM * near * near
    }

    fn clear(&mut self) {
        self.near.fill(0.0);
        self.layer.fill(Layer::Room as u8);
        self.source.fill(NOTHING);
    }

    fn put(&mut self, i: usize, near: f32, colour: V3, (layer, source): (Layer, u32)) {
        self.near[i] = near;
        self.colour[i] = colour.to_array();
        self.layer[i] = layer as u8;
        self.source[i] = source;
    }
}

/// Draws everybody of `people` as they stand, and a prop before them.
pub(crate) fn shoot(
    canvas: &mut Canvas,
    scene: &Scene,
    people: &[(&Person, &Posed)],
    prop: Option<&Prop>,
) {
    canvas.clear();
    for (k, (person, posed)) in people.iter().enumerate() {
        draw(canvas, scene, (person, posed, (k as u32) << PERSON), prop);
    }
    if let Some(prop) = prop {
        draw_prop(canvas, scene, prop);
    }
}

const N_SHADOWS: usize = 4;
const SHADOW_SIDE: usize = 256;

fn draw(
    canvas: &mut Canvas,
    scene: &Scene,
    (person, posed, number): (&Person, &Posed, u32),
    prop: Option<&Prop>,
) {
    let lights = Lights {
        lamp: scene.lamp,
        sky: scene.sky,
        eye: scene.camera.eye,
    };
    let maps = shadows(scene, person, posed, prop);
    let lit = light(&lights, &maps, person, posed);
    let spots: Vec<Spot> = posed
        .vertices
        .iter()
        .map(|&p| scene.camera.on_grid(p))
        .collect();
    canvas.grid.clear();
    for (id, piece) in person.pieces.iter().enumerate() {
        let corners = piece.corners.map(|c| spots[c as usize]);
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

fn shadows(scene: &Scene, person: &Person, posed: &Posed, prop: Option<&Prop>) -> Vec<DepthMap> {
    let middle = posed.vertices[..person.n_skin]
        .iter()
        .step_by(64)
        .fold((V3::ZERO, 0.0), |(sum, n), &p| (sum + p, n + 1.0));
    let middle = middle.0 * (1.0 / middle.1);
    let shadow = |towards: &V3| {
        let mut map = DepthMap::new(*towards, middle, 24.0, SHADOW_SIDE);
        let placed: Vec<Spot> = posed.vertices.iter().map(|&p| map.place(p)).collect();
        for piece in &person.pieces {
            if !matches!(piece.surface, Surface::Mouth | Surface::Teeth) {
                map.triangle(piece.corners.map(|c| placed[c as usize]));
            }
        }
        for &p in posed.hair.iter().step_by(2) {
            let placed = map.place(p);
            map.dot(placed);
        }
        if let Some(prop) = prop {
            for triangle in &prop.triangles {
                let placed = triangle.map(|c| map.place(prop.vertices[c as usize]));
                map.triangle(placed);
            }
        }
        map
    };
    scene
        .lamp
        .points::<N_SHADOWS>()
        .iter()
        .map(shadow)
        .collect()
}

/// Finds the light on each vertex of skin and cloth.
fn light(lights: &Lights, maps: &[DepthMap], person: &Person, posed: &Posed) -> Vec<Lit> {
    let sky = lights.sky.seen_from(&posed.turn);
    let mut lit: Vec<Lit> = Vec::with_capacity(posed.vertices.len());
    for (i, (&p, &normal)) in posed.vertices.iter().zip(&posed.normals).enumerate() {
        let is_inside = (person.n_skin..person.n_head).contains(&i);
        let sight = &person.sights[i];
        let lamp = if !is_inside && normal.dot(lights.lamp.towards) > -0.35 {
            let raised = p + normal * 0.22;
            let seen = maps.iter().map(|map| map.lit(raised, 0.12)).sum::<f32>();
            seen / maps.len() as f32
        } else {
            0.0
        };
        let around = if i < person.n_head {
            sky.onto(sight)
        } else {
            lights.sky.onto(sight)
        };
        let direct = lights.wrapped(normal) * lamp;
        lit.push(Lit {
            soft: direct + around,
            lamp,
            open: sight.openness(),
        });
    }
    soften(person, &mut lit);
    lit
}

/// Spreads light under the skin: red furthest.
fn soften(person: &Person, lit: &mut [Lit]) {
    for round in 0..5 {
        let old: Vec<V3> = lit[..person.n_skin].iter().map(|l| l.soft).collect();
        for (i, around) in person.neighbours.iter().enumerate() {
            if around.is_empty() {
                continue;
            }
            let sum = around.iter().fold(V3::ZERO, |s, &j| s + old[j as usize]);
            let mean = sum * (1.0 / around.len() as f32);
            let mixed = mix3(old[i], mean, 0.6);
            lit[i].soft.x = mixed.x;
            if round < 2 {
                lit[i].soft.y = mixed.y;
            }
            if round < 1 {
                lit[i].soft.z = mixed.z;
            }
        }
    }
}

struct Painter<'a> {
    lights: &'a Lights,
    person: &'a Person,
    posed: &'a Posed,
    /// In place for [`Canvas::source`].
    number: u32,
    lit: &'a [Lit],
    spots: &'a [Spot],
    /// Undoes the turn of the head.
    from_room: super::space::Turn,
    samples_per_cm: f32,
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
                canvas.put(i, near, colour, (layer, id | self.number));
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
                let texel = self.person.skin.at(uv);
                let slope = self.posed.turn.apply(texel.slope());
                let rough = (normal - (slope - normal * slope.dot(normal))).unit();
                let paint = (texel.colour(), texel.gloss());
                let colour = self.lights.skin((rough, normal), view, paint, &lit());
                let layer = match piece.surface {
                    Surface::Face => Layer::Face,
                    _ => Layer::Other,
                };
                (colour, layer)
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
                let at = (p, normal, view);
                (self.inner(grid, inner, (column, row), at), Layer::Face)
            }
        }
    }

    /// Teeth, mouth and eyes: what lies behind lips and lids.
    fn inner(
        &self,
        grid: &Grid,
        surface: Surface,
        sample: (usize, usize),
        (p, normal, view): (V3, V3, V3),
    ) -> V3 {
        if matches!(surface, Surface::Teeth | Surface::Mouth) {
            let open = self.mouth_open(grid, sample, p);
            let paint = if surface == Surface::Teeth {
                (v3(0.58, 0.53, 0.45), 0.8)
            } else {
                (v3(0.34, 0.10, 0.09), 0.9)
            };
            return self.lights.wet(normal, view, paint, open);
        }
        let k = usize::from(surface == Surface::EyeLeft);
        let eye = Eye {
            turn: &self.posed.eye_turns[k],
            middle: self.posed.eye_middles[k],
            radius: self.person.eyes[k].radius,
            iris: self.person.looks.iris,
            seed: self.person.looks.seed,
        };
        let open = self.eye_open(grid, surface, sample);
        let seen = (smooth(0.25, 0.8, open), 0.25 + 0.75 * open);
        self.lights.eyeball(&eye, p, normal, seen)
    }

    /// How far from the lids a place on an eye lies, the upper lid counting most.
    fn eye_open(&self, grid: &Grid, surface: Surface, (column, row): (usize, usize)) -> f32 {
        let reach = 0.42 * self.samples_per_cm;
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
            (column, row),
            |s| s == surface,
        )
    }

    /// How much light reaches a place in the mouth, by the gap between the lips and its depth.
    fn mouth_open(&self, grid: &Grid, (column, row): (usize, usize), p: V3) -> f32 {
        let reach = 0.75 * self.samples_per_cm;
        let ring: [(f32, f32, f32); 9] = std::array::from_fn(|i| {
            let (sin, cos) = (0.698 * i as f32).sin_cos();
            let far = if i % 2 == 0 { 1.0 } else { 0.5 };
            (cos * reach * far, sin * reach * far, 1.0)
        });
        let gap = self.share(grid, ring, (column, row), |s| {
            matches!(s, Surface::Mouth | Surface::Teeth)
        });
        let in_head = self.from_room.apply(p - self.posed.eye_middles[0]);
        let depth = smooth(-5.0, 2.6, in_head.z);
        (0.10 + 0.90 * gap) * (0.06 + 0.94 * depth * depth)
    }

    fn share(
        &self,
        grid: &Grid,
        around: [(f32, f32, f32); 9],
        (column, row): (usize, usize),
        counts: impl Fn(Surface) -> bool,
    ) -> f32 {
        let last = grid.width as f32 - 1.0;
        let (mut sum, mut all) = (0.0, 0.0);
        for (x, y, w) in around {
            let x = (column as f32 + x).clamp(0.0, last) as usize;
            let y = (row as f32 + y).clamp(0.0, last) as usize;
            let id = grid.what[y * grid.width + x];
            all += w;
            if id != NOTHING && counts(self.person.pieces[id as usize].surface) {
                sum += w;
            }
        }
        sum / all
    }

    fn bristles(&self, canvas: &mut Canvas, scene: &Scene) {
        for bristle in &self.person.brows {
            let parts = bristle.corners.iter().zip(bristle.weights);
            let at = |of: &dyn Fn(usize) -> V3| {
                parts
                    .clone()
                    .fold(V3::ZERO, |sum, (&c, w)| sum + of(c as usize) * w)
            };
            let root = at(&|c| self.posed.vertices[c]);
            let normal = at(&|c| self.posed.normals[c]).unit();
            let soft = at(&|c| self.lit[c].soft);
            let points = bristle
                .offsets
                .map(|offset| root + self.posed.turn.apply(offset));
            let view = (self.lights.eye - root).unit();
            if normal.dot(view) < 0.05 {
                continue;
            }
            let along = (points[2] - points[0]).unit();
            let colour = bristle.colour.tint(soft) * (0.5 + 0.5 * along.cross(view).length());
            for pair in points.windows(2) {
                let spots = [pair[0], pair[1]].map(|p| scene.camera.on_grid(p));
                stroke(canvas, spots, (colour, 0.42, 0.35));
            }
        }
    }

    fn lashes(&self, canvas: &mut Canvas, scene: &Scene) {
        let colour = self.person.looks.brow * 0.35 + V3::all(0.004);
        for lash in &self.person.lashes {
            let points = lash.0.map(|(corners, weights)| {
                let parts = corners.iter().zip(weights);
                parts.fold(V3::ZERO, |sum, (&c, w)| {
                    sum + self.posed.vertices[c as usize] * w
                })
            });
            for (j, pair) in points.windows(2).enumerate() {
                let spots = [pair[0], pair[1]].map(|p| scene.camera.on_grid(p));
                let cover = [0.85, 0.7, 0.45][j];
                stroke(canvas, spots, (colour, cover, 0.12));
            }
        }
    }

    fn hair(&self, canvas: &mut Canvas, scene: &Scene, maps: &[DepthMap]) {
        let hair = &self.person.hair;
        let n = super::hair::N_POINTS;
        let size = (canvas.side, canvas.side);
        for (k, colour) in hair.colours.iter().enumerate() {
            let points = &self.posed.hair[k * n..(k + 1) * n];
            let mut before: Option<(Spot, V3)> = None;
            for j in 0..n {
                let spot = scene.camera.on_grid(points[j]);
                let shade = self.strand(k * n + j, points, *colour, maps);
                if let Some((from, first)) = before {
                    let source = HAIR | self.number | (k * n + j) as u32;
                    line(size, from, spot, |i, t, near| {
                        if near > canvas.near[i] {
                            let colour = mix3(first, shade, t);
                            canvas.put(i, near, colour, (Layer::Hair, source));
                        }
                    });
                }
                before = Some((spot, shade));
            }
        }
    }

    fn strand(&self, at: usize, points: &[V3], colour: V3, maps: &[DepthMap]) -> V3 {
        let j = at % super::hair::N_POINTS;
        let p = points[j];
        let along = (points[(j + 1).min(points.len() - 1)] - points[j.max(1) - 1]).unit();
        let normal = self.posed.turn.apply(self.person.hair.normals[at]);
        let view = (self.lights.eye - p).unit();
        let shadow = maps[at % maps.len()].lit(p + normal * 0.5, 0.7);
        let root = smooth(0.0, 0.35, j as f32 / points.len() as f32);
        let open = 0.30 + 0.55 * root;
        self.lights.hair(
            (along, normal),
            view,
            colour,
            (shadow * (0.35 + 0.65 * root), open),
        )
    }
}

/// Draws part of a short hair over what is there: of a colour, covering so much, and lifted so many cm.
fn stroke(canvas: &mut Canvas, [from, to]: [Spot; 2], (colour, cover, lift): (V3, f32, f32)) {
    let size = (canvas.side, canvas.side);
    line(size, from, to, |i, _, near| {
        if near + lift * near * near > canvas.near[i] && canvas.near[i] > 0.0 {
            let [r, g, b] = canvas.colour[i];
            canvas.colour[i] = mix3(v3(r, g, b), colour, cover).to_array();
        }
    });
}

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
        let colour = V3::all(if is_grille { 0.10 } else { 0.02 }) * mesh;
        let lit = lights.wet(flat, view, (colour, 0.6), 1.0);
        canvas.put(i, near, lit, (Layer::Occluder, PROP | id));
    }
}

/// A person, as they are now and as they will be a frame later.
pub(crate) type Moving<'a> = (&'a Person, &'a Posed, &'a Posed);

/// Gives the movement of what each pixel shows until the next frame, in pixels.
pub(crate) fn flow(
    canvas: &Canvas,
    camera: &Camera,
    people: &[Moving<'_>],
    prop: Option<(&Prop, &Prop)>,
) -> Vec<[f32; 2]> {
    let side = canvas.side / SAMPLES;
    let move_of = |a: Spot, b: Spot| [b[0] - a[0], b[1] - a[1]];
    let of_triangle = |corners: [usize; 3], now: &[V3], next: &[V3], (x, y): (f32, f32)| {
        let spots = corners.map(|c| camera.project(now[c]));
        let w = weights(spots, x, y);
        let there = corners.map(|c| next[c]);
        let p = there[0] * w[0] + there[1] * w[1] + there[2] * w[2];
        move_of([x, y, 0.0], camera.project(p))
    };
    let of_pixel = |pixel: usize| {
        let (x, y) = (pixel % side, pixel / side);
        let middle = SAMPLES / 2;
        let source = canvas.source[(y * SAMPLES + middle) * canvas.side + x * SAMPLES + middle];
        let at = (x as f32 + 0.5, y as f32 + 0.5);
        if source == NOTHING {
            return [0.0; 2];
        }
        if source & PROP != 0 {
            let id = (source & !PROP) as usize;
            return prop.map_or([0.0; 2], |(now, next)| {
                let corners = now.triangles[id].map(|c| c as usize);
                of_triangle(corners, &now.vertices, &next.vertices, at)
            });
        }
        let (person, now, next) = people[(source >> PERSON) as usize];
        let id = (source & (HAIR - 1)) as usize;
        if source & HAIR != 0 {
            return move_of(camera.project(now.hair[id]), camera.project(next.hair[id]));
        }
        let corners = person.pieces[id].corners.map(|c| c as usize);
        of_triangle(corners, &now.vertices, &next.vertices, at)
    };
    (0..side * side).map(of_pixel).collect()
}

/// A frame in linear light, before the lens.
pub(crate) struct Exposure {
    pub(crate) side: usize,
    pub(crate) colour: Vec<V3>,
    /// Mean 1 / depth of what is in front of the room; 0 for the room.
    pub(crate) near: Vec<f32>,
    /// Share of each pixel that is face, person of any kind, or something before the face.
    pub(crate) face: Vec<f32>,
    pub(crate) person: Vec<f32>,
    pub(crate) occluder: Vec<f32>,
}

/// Averages the samples of each pixel, the room behind.
pub(crate) fn expose(canvas: &Canvas, backdrop: &[V3]) -> Exposure {
    let side = canvas.side / SAMPLES;
    let n = side * side;
    let mut out = Exposure {
        side,
        colour: vec![V3::ZERO; n],
        near: vec![0.0; n],
        face: vec![0.0; n],
        person: vec![0.0; n],
        occluder: vec![0.0; n],
    };
    let share = 1.0 / (SAMPLES * SAMPLES) as f32;
    for y in 0..side {
        for x in 0..side {
            let pixel = y * side + x;
            for k in 0..SAMPLES * SAMPLES {
                let (row, column) = (y * SAMPLES + k / SAMPLES, x * SAMPLES + k % SAMPLES);
                let i = row * canvas.side + column;
                let layer = canvas.layer[i];
                if layer == Layer::Room as u8 {
                    out.colour[pixel] += backdrop[pixel] * share;
                    continue;
                }
                let [r, g, b] = canvas.colour[i];
                // One mirror-bright sample must not outshine the pixel.
                out.colour[pixel] += v3(r, g, b).map(|c| c.min(6.0)) * share;
                out.near[pixel] += canvas.near[i] * share;
                out.person[pixel] += share;
                if layer == Layer::Face as u8 {
                    out.face[pixel] += share;
                } else if layer == Layer::Occluder as u8 {
                    out.occluder[pixel] += share;
                }
            }
        }
    }
    out
}
