//! Triangles and lines onto a grid of samples, nearest first.
//!
//! Depth is kept as its inverse: larger is nearer, 0 is nothing.

use super::space::{V3, v3};

/// A vertex on the grid: column, row, 1 / depth.
pub(crate) type Spot = [f32; 3];

/// No triangle.
pub(crate) const NOTHING: u32 = u32::MAX;

/// What is nearest at each sample.
pub(crate) struct Grid {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// 1 / depth.
    pub(crate) near: Vec<f32>,
    /// Triangle, or [`NOTHING`].
    pub(crate) what: Vec<u32>,
}

impl Grid {
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            near: vec![0.0; width * height],
            what: vec![NOTHING; width * height],
        }
    }

    pub(crate) fn clear(&mut self) {
        self.near.fill(0.0);
        self.what.fill(NOTHING);
    }

    /// Draws a triangle seen from its front (anticlockwise with y up).
    pub(crate) fn triangle(&mut self, [a, b, c]: [Spot; 3], id: u32) {
        let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        if area >= -1e-9 {
            return; // Rows grow downwards, so that a front has negative area.
        }
        // Only samples whose middle lies in the triangle's box can lie in the triangle.
        let low = |k: usize| a[k].min(b[k]).min(c[k]);
        let high = |k: usize| a[k].max(b[k]).max(c[k]);
        let first = |x: f32| (x - 0.5).ceil().max(0.0) as usize;
        let (x0, y0) = (first(low(0)), first(low(1)));
        let x1 = ((high(0) + 0.5).floor().max(0.0) as usize).min(self.width);
        let y1 = ((high(1) + 0.5).floor().max(0.0) as usize).min(self.height);
        // A corner's weight grows linearly from 0 on the opposite edge to 1 at the corner.
        let scale = 1.0 / area;
        let edge = |p: Spot, q: Spot| [(p[1] - q[1]) * scale, (q[0] - p[0]) * scale];
        let (ea, eb) = (edge(b, c), edge(c, a));
        let at = |e: [f32; 2], p: Spot, x: f32, y: f32| e[0] * (x - p[0]) + e[1] * (y - p[1]);
        for row in y0..y1 {
            let y = row as f32 + 0.5;
            let mut x = x0 as f32 + 0.5;
            let line = row * self.width;
            for i in line + x0..line + x1 {
                let (wa, wb) = (at(ea, b, x, y), at(eb, c, x, y));
                x += 1.0;
                let wc = 1.0 - wa - wb;
                if wa < 0.0 || wb < 0.0 || wc < 0.0 {
                    continue;
                }
                // 1 / depth is linear in the picture, which depth itself is not.
                let near = wa * a[2] + wb * b[2] + wc * c[2];
                if near > self.near[i] {
                    self.near[i] = near;
                    self.what[i] = id;
                }
            }
        }
    }
}

/// Gives the weights of the corners of a triangle at a place on the grid, corrected for depth.
pub(crate) fn weights([a, b, c]: [Spot; 3], x: f32, y: f32) -> [f32; 3] {
    let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    let wa = ((b[1] - c[1]) * (x - b[0]) + (c[0] - b[0]) * (y - b[1])) / area;
    let wb = ((c[1] - a[1]) * (x - c[0]) + (a[0] - c[0]) * (y - c[1])) / area;
    let flat = [wa * a[2], wb * b[2], (1.0 - wa - wb) * c[2]];
    let sum = flat[0] + flat[1] + flat[2];
    flat.map(|w| w / sum)
}

/// Walks the samples of a line one sample wide on a square grid: `mark(sample, share of the way,
/// 1 / depth)`.
pub(crate) fn line(side: usize, a: Spot, b: Spot, mut mark: impl FnMut(usize, f32, f32)) {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let n_steps = dx.abs().max(dy.abs()).ceil().clamp(1.0, 4000.0);
    for step in 0..n_steps as usize {
        let t = (step as f32 + 0.5) / n_steps;
        let (x, y) = (a[0] + dx * t, a[1] + dy * t);
        if x >= 0.0 && y >= 0.0 && (x as usize) < side && (y as usize) < side {
            mark(y as usize * side + x as usize, t, a[2] + (b[2] - a[2]) * t);
        }
    }
}

/// A ball in space.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ball {
    pub(crate) middle: V3,
    pub(crate) radius: f32,
}

/// A picture of distances from far away in one direction, for shadows.
pub(crate) struct DepthMap {
    side: usize,
    /// Along the direction, larger is nearer to the light.
    height: Vec<f32>,
    axes: [V3; 3],
    middle: V3,
    samples_per_cm: f32,
}

impl DepthMap {
    /// Looks from the direction `towards` at everything inside a ball.
    pub(crate) fn new(towards: V3, ball: Ball, side: usize) -> Self {
        let up = if towards.y.abs() > 0.9 {
            v3(1.0, 0.0, 0.0)
        } else {
            v3(0.0, 1.0, 0.0)
        };
        let right = up.cross(towards).unit();
        Self {
            side,
            height: vec![f32::MIN; side * side],
            axes: [right, towards.cross(right), towards],
            middle: ball.middle,
            samples_per_cm: side as f32 / (2.0 * ball.radius),
        }
    }

    /// Gives column, row and height of a point.
    pub(crate) fn place(&self, p: V3) -> Spot {
        let d = p - self.middle;
        let half = 0.5 * self.side as f32;
        [
            half + d.dot(self.axes[0]) * self.samples_per_cm,
            half - d.dot(self.axes[1]) * self.samples_per_cm,
            d.dot(self.axes[2]),
        ]
    }

    /// Draws a triangle, whichever side it shows.
    pub(crate) fn triangle(&mut self, [a, b, c]: [Spot; 3]) {
        let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        if area.abs() < 1e-9 {
            return;
        }
        let low = |k: usize| a[k].min(b[k]).min(c[k]);
        let high = |k: usize| a[k].max(b[k]).max(c[k]);
        let first = |x: f32| (x - 0.5).ceil().max(0.0) as usize;
        let (x0, y0) = (first(low(0)), first(low(1)));
        let x1 = ((high(0) + 0.5).floor().max(0.0) as usize).min(self.side);
        let y1 = ((high(1) + 0.5).floor().max(0.0) as usize).min(self.side);
        let scale = 1.0 / area;
        for row in y0..y1 {
            let y = row as f32 + 0.5;
            for column in x0..x1 {
                let x = column as f32 + 0.5;
                let wa = ((b[1] - c[1]) * (x - b[0]) + (c[0] - b[0]) * (y - b[1])) * scale;
                let wb = ((c[1] - a[1]) * (x - c[0]) + (a[0] - c[0]) * (y - c[1])) * scale;
                let wc = 1.0 - wa - wb;
                if wa >= 0.0 && wb >= 0.0 && wc >= 0.0 {
                    let height = wa * a[2] + wb * b[2] + wc * c[2];
                    let i = row * self.side + column;
                    self.height[i] = self.height[i].max(height);
                }
            }
        }
    }

    /// Draws a point.
    pub(crate) fn dot(&mut self, [x, y, height]: Spot) {
        if x >= 0.0 && y >= 0.0 && (x as usize) < self.side && (y as usize) < self.side {
            let i = y as usize * self.side + x as usize;
            self.height[i] = self.height[i].max(height);
        }
    }

    /// Says how much of a point the light reaches, `0..=1`, from the four samples around it.
    pub(crate) fn lit(&self, p: V3, bias: f32) -> f32 {
        let [x, y, height] = self.place(p);
        let (x, y) = (x - 0.5, y - 0.5);
        let last = (self.side - 2) as f32;
        if !(0.0..=last).contains(&x) || !(0.0..=last).contains(&y) {
            return 1.0;
        }
        let (i, j) = (x as usize, y as usize);
        let (fx, fy) = (x - i as f32, y - j as f32);
        // A blocker has to be clearly above the point; how clearly fades over an eighth of a cm.
        let lit_past = |i: usize, j: usize| {
            let blocker_above = self.height[j * self.side + i] - height - bias;
            1.0 - (blocker_above * 8.0).clamp(0.0, 1.0)
        };
        // The answers are mixed, not the heights: between two blockers there is none.
        let upper = lit_past(i, j) * (1.0 - fx) + lit_past(i + 1, j) * fx;
        let lower = lit_past(i, j + 1) * (1.0 - fx) + lit_past(i + 1, j + 1) * fx;
        upper * (1.0 - fy) + lower * fy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_triangle_wins_and_backs_are_not_seen() {
        let mut grid = Grid::new(8, 8);
        let front = |near: f32| [[0.0, 8.0, near], [8.0, 8.0, near], [0.0, 0.0, near]];
        grid.triangle(front(0.5), 1);
        grid.triangle(front(0.4), 2);
        assert_eq!(grid.what[6 * 8 + 1], 1);
        let [a, b, c] = front(0.9);
        grid.triangle([b, a, c], 3);
        assert_eq!(grid.what[6 * 8 + 1], 1);
        assert_eq!(grid.what[8 + 6], NOTHING);
    }

    #[test]
    fn a_roof_shades_what_is_below_it() {
        let ball = Ball {
            middle: V3::ZERO,
            radius: 10.0,
        };
        let mut map = DepthMap::new(v3(0.0, 1.0, 0.0), ball, 64);
        let roof = [v3(-5.0, 5.0, -5.0), v3(5.0, 5.0, -5.0), v3(0.0, 5.0, 5.0)];
        map.triangle(roof.map(|p| map.place(p)));
        assert!(map.lit(V3::ZERO, 0.1) < 0.1);
        assert!(map.lit(v3(8.0, 0.0, 8.0), 0.1) > 0.9);
        assert!(map.lit(v3(0.0, 6.0, 0.0), 0.1) > 0.9);
    }
}
