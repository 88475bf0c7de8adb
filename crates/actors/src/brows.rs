//! Hair of the face: brows, bristle by bristle, and lashes.

use super::cast::Looks;
use super::hair::{Root, scatter};
use super::head::{Head, Material, Triangle};
use super::noise::chance;
use super::space::{V3, mix, smooth, v3};

/// A short hair that follows the skin: where it grows, and how its points lie from there.
pub(crate) struct Bristle {
    pub(crate) corners: [u32; 3],
    pub(crate) weights: [f32; 3],
    pub(crate) offsets: [V3; 3],
    pub(crate) colour: V3,
}

/// A lash: points on the mesh of the lashes, root first.
pub(crate) struct Lash(pub(crate) [([u32; 3], [f32; 3]); 4]);

/// Grows the two brows.
pub(crate) fn brows(head: &Head, looks: &Looks) -> Vec<Bristle> {
    let brow = Brow::of(head);
    let thickness = looks.brow_thickness;
    let n = (1500.0 * thickness) as usize;
    let fits = |t: &Triangle| t.material == Material::Face;
    let roots = scatter(head, looks.seed + 200, n, fits, |p| {
        let (along, across) = brow.place(p);
        let half = thickness * mix(0.40, 0.20, smooth(0.2, 1.0, along));
        let ends = smooth(-0.06, 0.22, along) * smooth(1.06, 0.82, along);
        if p.z < 6.0 {
            0.0
        } else {
            ends * smooth(1.5, 0.2, across.abs() / half)
        }
    });
    let bristle = |(i, root): (usize, Root)| {
        let p = root.on(&head.neutral);
        let (along, across) = brow.place(p);
        let part = |what: u32| chance(i as u32, looks.seed + 300 + what) - 0.5;
        let side = p.x.signum();
        // Upright at the nose, lying towards the temple further out.
        let rise = mix(0.75, -0.35, smooth(0.0, 0.7, along)) - 0.8 * across + 0.5 * part(0);
        let lean = v3(side, rise, -0.22 * smooth(0.3, 1.0, along)).unit();
        let length = mix(0.6, 0.5, along) * (0.7 + 0.5 * (part(1) + 0.5));
        let out = v3(0.25 * side * along, 0.05, 1.0).unit();
        let at = |t: f32| {
            lean * (length * t) + out * (0.10 * (t * 3.0).min(1.0)) - v3(0.0, 0.0, 0.06 * t * t)
        };
        Bristle {
            corners: root.corners,
            weights: root.weights,
            offsets: [at(0.0), at(0.5), at(1.0)],
            colour: looks.brow * (0.7 + 0.6 * (part(2) + 0.5)),
        }
    };
    roots.into_iter().enumerate().map(bristle).collect()
}

/// The curve of a brow, right and left alike.
struct Brow([V3; 5]);

impl Brow {
    fn of(head: &Head) -> Self {
        // Landmarks 22 to 26, from the nose outwards on the left of the subject.
        Self(std::array::from_fn(|i| {
            head.neutral[head.landmarks[22 + i] as usize]
        }))
    }

    /// Gives the share of the way along the brow, and centimetres above it.
    fn place(&self, p: V3) -> (f32, f32) {
        let (x, y) = (p.x.abs(), p.y);
        let (first, last) = (self.0[0], self.0[4]);
        let along = (x - first.x) / (last.x - first.x);
        let at = (along.clamp(0.0, 1.0) * 4.0).min(3.999);
        let (i, t) = (at as usize, at.fract());
        let middle = mix(self.0[i].y, self.0[i + 1].y, t);
        // The template's brows slope up to the nose, which looks worried: level them a little.
        let level = mix(-0.22, 0.05, smooth(0.0, 0.6, along));
        (along, y - middle - level)
    }
}

/// Finds the lashes on their mesh: twelve sheets, each on a tile of its own, from the lid (large
/// v) to the tips (small v).
pub(crate) fn lashes(head: &Head, looks: &Looks) -> Vec<Lash> {
    let is_lash = |t: &&Triangle| t.material == Material::Lash;
    let sheets: Vec<&Triangle> = head.triangles.iter().filter(is_lash).collect();
    let mut lashes = Vec::new();
    for i in 0..N_LASHES {
        let tile = i % 12;
        let first_u = if tile < 6 { 6.516 } else { 6.016 };
        let first_v = 0.014 + 0.1669 * (tile % 6) as f32;
        let part = |what: u32| chance(i, looks.seed + 400 + what);
        let (start, lean) = (part(0), 0.10 * (part(1) - 0.5));
        let reach = looks.lash_length * (0.55 + 0.42 * part(2));
        let is_lower = tile % 6 < 3;
        if is_lower && part(3) > 0.2 {
            continue; // Lower lashes are sparse.
        }
        let reach = if is_lower { 0.42 * reach } else { reach };
        let at = |j: usize| {
            let t = j as f32 / 3.0 * reach.min(0.98);
            let u = (start + lean * t).clamp(0.002, 0.998);
            [first_u + 0.468 * u, first_v + 0.136 * (0.995 - 0.99 * t)]
        };
        let places: Vec<_> = (0..4).map(|j| on_sheet(&sheets, at(j))).collect();
        if let [Some(a), Some(b), Some(c), Some(d)] = places[..] {
            lashes.push(Lash([a, b, c, d]));
        }
    }
    lashes
}

const N_LASHES: u32 = 900;

/// Finds the triangle and weights at a place of the sheets.
fn on_sheet(sheets: &[&Triangle], [u, v]: [f32; 2]) -> Option<([u32; 3], [f32; 3])> {
    sheets.iter().find_map(|t| {
        let [a, b, c] = t.uv;
        let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        let wa = ((b[1] - c[1]) * (u - b[0]) + (c[0] - b[0]) * (v - b[1])) / area;
        let wb = ((c[1] - a[1]) * (u - c[0]) + (a[0] - c[0]) * (v - c[1])) / area;
        let wc = 1.0 - wa - wb;
        (wa.min(wb).min(wc) >= -1e-3).then_some((t.corners, [wa, wb, wc]))
    })
}
