//! Hair, brows and lashes: strands drawn as lines over what is there.

use super::canvas::{Canvas, HAIR, Layer, Sample, Scene};
use super::raster::{DepthMap, Spot, line};
use super::shade::{HairPlace, Reached};
use super::shoot::Painter;
use super::space::{V3, mix3, smooth, v3};

impl Painter<'_> {
    pub(super) fn bristles(&self, canvas: &mut Canvas, scene: &Scene) {
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
                let ink = Ink {
                    colour,
                    cover: 0.42,
                    lift_cm: 0.35,
                };
                stroke(canvas, spots, ink);
            }
        }
    }

    pub(super) fn lashes(&self, canvas: &mut Canvas, scene: &Scene) {
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
                let ink = Ink {
                    colour,
                    // A lash tapers.
                    cover: [0.85, 0.7, 0.45][j],
                    lift_cm: 0.12,
                };
                stroke(canvas, spots, ink);
            }
        }
    }

    pub(super) fn hair(&self, canvas: &mut Canvas, scene: &Scene, maps: &[DepthMap]) {
        let hair = &self.person.hair;
        let n = super::hair::N_POINTS;
        let side = canvas.side;
        for (k, colour) in hair.colours.iter().enumerate() {
            let points = &self.posed.hair[k * n..(k + 1) * n];
            let mut before: Option<(Spot, V3)> = None;
            for j in 0..n {
                let spot = scene.camera.on_grid(points[j]);
                let shade = self.strand(k * n + j, points, *colour, maps);
                if let Some((from, first)) = before {
                    let source = HAIR | self.number | (k * n + j) as u32;
                    line(side, from, spot, |i, t, near| {
                        if near > canvas.near[i] {
                            let sample = Sample {
                                near,
                                colour: mix3(first, shade, t),
                                layer: Layer::Hair,
                                source,
                            };
                            canvas.put(i, sample);
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
        // One map of the four for each point: neighbouring strands share the softness.
        let shadow = maps[at % maps.len()].lit(p + normal * 0.5, 0.7);
        let root = smooth(0.0, 0.35, j as f32 / points.len() as f32);
        let open = 0.30 + 0.55 * root;
        let place = HairPlace {
            along,
            normal,
            view,
        };
        let reached = Reached {
            lamp: shadow * (0.35 + 0.65 * root),
            sky: open,
        };
        self.lights.hair(&place, colour, reached)
    }
}

/// What a short hair is drawn with.
struct Ink {
    colour: V3,
    /// How much it hides of what is behind it.
    cover: f32,
    /// How far before its own place it still counts as before the skin, which is uneven.
    lift_cm: f32,
}

/// Draws part of a short hair over what is there.
fn stroke(canvas: &mut Canvas, [from, to]: [Spot; 2], ink: Ink) {
    line(canvas.side, from, to, |i, _, near| {
        // A step of so many cm towards the camera changes 1 / depth by its square.
        let lifted = near + ink.lift_cm * near * near;
        if lifted > canvas.near[i] && canvas.near[i] > 0.0 {
            let [r, g, b] = canvas.colour[i];
            canvas.colour[i] = mix3(v3(r, g, b), ink.colour, ink.cover).to_array();
        }
    });
}
