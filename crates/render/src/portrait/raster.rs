//! Triangles drawn into a grid of samples, the nearest in front.

use effigy_face::rig::{Part, Triangle, Vec3};
use effigy_frame::Rect;

/// What a sample shows: a triangle, and how much its second and third corner count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hit {
    pub(super) triangle: u16,
    pub(super) second: f32,
    pub(super) third: f32,
}

impl Hit {
    /// The value of the sample, from those of the corners.
    pub(super) fn of<const N: usize>(&self, corners: [[f32; N]; 3]) -> [f32; N] {
        let first = 1.0 - self.second - self.third;
        std::array::from_fn(|i| {
            first * corners[0][i] + self.second * corners[1][i] + self.third * corners[2][i]
        })
    }
}

/// Triangles overlap by this share, so that nothing is seen between them.
const SEAM: f32 = 1e-5;

/// A part of a picture as a grid of samples.
#[derive(Clone, Debug, Default)]
pub(super) struct Raster {
    /// First column and row of the part, in pixels.
    pub(super) left: u32,
    pub(super) top: u32,
    /// Size of the part in samples.
    pub(super) columns: usize,
    pub(super) rows: usize,
    /// Samples a pixel, each way.
    pub(super) fine: u32,
    depth: Vec<f32>,
    hits: Vec<Option<Hit>>,
}

impl Raster {
    /// Draws what faces the camera into `part` (whole pixels), but for the inside of the mouth, which has no
    /// triangles of its own in a picture.
    pub(super) fn draw(
        triangles: &[Triangle],
        vertices: &[Vec3],
        part: [u32; 4],
        fine: u32,
    ) -> Self {
        let [left, top, width, height] = part;
        let (columns, rows) = ((width * fine) as usize, (height * fine) as usize);
        let mut raster = Self {
            left,
            top,
            columns,
            rows,
            fine,
            depth: vec![f32::INFINITY; columns * rows],
            hits: vec![None; columns * rows],
        };
        raster.add_all(triangles, vertices);
        raster
    }

    /// Draws other triangles, or the same elsewhere, into the same part.
    pub(super) fn redraw(&mut self, triangles: &[Triangle], vertices: &[Vec3]) {
        self.depth.fill(f32::INFINITY);
        self.hits.fill(None);
        self.add_all(triangles, vertices);
    }

    fn add_all(&mut self, triangles: &[Triangle], vertices: &[Vec3]) {
        let is_drawn = |part| !matches!(part, Part::Teeth | Part::Mouth);
        let drawn = triangles.iter().enumerate();
        for (number, triangle) in drawn.filter(|(_, t)| is_drawn(t.part)) {
            let corners = triangle.corners.map(|c| vertices[usize::from(c)]);
            self.add(number as u16, corners);
        }
    }

    fn add(&mut self, number: u16, corners: [Vec3; 3]) {
        let fine = self.fine as f32;
        let [a, b, c] = corners.map(|[x, y, z]| {
            [
                (x - self.left as f32) * fine,
                (y - self.top as f32) * fine,
                z,
            ]
        });
        let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        // With y down, what is seen from outside turns the other way round.
        if area >= -1e-6 {
            return;
        }
        let span = |i: usize, n: usize| {
            let (least, most) = (a[i].min(b[i]).min(c[i]), a[i].max(b[i]).max(c[i]));
            let first = (least - 0.5).ceil().max(0.0) as usize;
            let end = (most - 0.5).floor() + 1.0;
            first..(end.max(0.0) as usize).min(n)
        };
        // How much the second and the third corner count grows from one sample to the next, and down.
        let across = [(c[1] - a[1]) / area, -(b[1] - a[1]) / area];
        let down = [-(c[0] - a[0]) / area, (b[0] - a[0]) / area];
        let deeper = [b[2] - a[2], c[2] - a[2]];
        let columns = span(0, self.columns);
        for row in span(1, self.rows) {
            let y = row as f32 + 0.5 - a[1];
            for column in columns.clone() {
                let x = column as f32 + 0.5 - a[0];
                let second = x * across[0] + y * down[0];
                let third = x * across[1] + y * down[1];
                if second < -SEAM || third < -SEAM || 1.0 + SEAM < second + third {
                    continue;
                }
                let depth = a[2] + second * deeper[0] + third * deeper[1];
                let at = row * self.columns + column;
                if depth < self.depth[at] {
                    self.depth[at] = depth;
                    self.hits[at] = Some(Hit {
                        triangle: number,
                        second,
                        third,
                    });
                }
            }
        }
    }

    /// What a sample shows, if anything.
    pub(super) fn hit(&self, column: usize, row: usize) -> Option<Hit> {
        self.hits[row * self.columns + column]
    }

    /// How far inside what is drawn a sample lies: 0 where 3 of the 9 samples around it show anything, 1
    /// where all do.
    pub(super) fn covered(&self, column: usize, row: usize) -> f32 {
        let columns = column.saturating_sub(1)..(column + 2).min(self.columns);
        let rows = row.saturating_sub(1)..(row + 2).min(self.rows);
        let lines = rows.map(|y| &self.depth[y * self.columns..][columns.clone()]);
        let n = lines.flatten().filter(|depth| depth.is_finite()).count();
        ((n as f32 - 3.0) / 6.0).clamp(0.0, 1.0)
    }

    /// What the sample at a place in the picture shows, and how far away that is.
    pub(super) fn at(&self, x: f32, y: f32) -> Option<(Hit, f32)> {
        let fine = self.fine as f32;
        let (column, row) = ((x - self.left as f32) * fine, (y - self.top as f32) * fine);
        if column < 0.0 || row < 0.0 {
            return None;
        }
        let (column, row) = (column as usize, row as usize);
        if column >= self.columns || row >= self.rows {
            return None;
        }
        let at = row * self.columns + column;
        self.hits[at].map(|hit| (hit, self.depth[at]))
    }
}

/// The whole pixels that hold a box and `margin` around it, within a picture: left, top, width,
/// height.
pub(super) fn whole_pixels(rect: Rect, margin: f32, width: u32, height: u32) -> [u32; 4] {
    let bound = |value: f32, most: u32| value.clamp(0.0, most as f32) as u32;
    let left = bound((rect.x - margin).floor(), width);
    let top = bound((rect.y - margin).floor(), height);
    let right = bound((rect.x + rect.width + margin).ceil(), width);
    let bottom = bound((rect.y + rect.height + margin).ceil(), height);
    [left, top, right - left, bottom - top]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triangle(corners: [u16; 3]) -> Triangle {
        Triangle {
            corners,
            part: Part::Face,
        }
    }

    #[test]
    fn the_nearer_of_two_triangles_is_shown() {
        let vertices = [
            [0.0, 0.0, 5.0],
            [0.0, 8.0, 5.0],
            [8.0, 0.0, 5.0],
            [0.0, 0.0, 1.0],
            [0.0, 4.0, 1.0],
            [4.0, 0.0, 1.0],
        ];
        let triangles = [triangle([3, 4, 5]), triangle([0, 1, 2])];
        let raster = Raster::draw(&triangles, &vertices, [0, 0, 8, 8], 1);
        assert_eq!(raster.hit(0, 0).map(|h| h.triangle), Some(0));
        assert_eq!(raster.hit(5, 0).map(|h| h.triangle), Some(1));
        assert_eq!(raster.hit(7, 7), None);
    }

    #[test]
    fn what_looks_away_is_not_shown() {
        let vertices = [[0.0, 0.0, 0.0], [8.0, 0.0, 0.0], [0.0, 8.0, 0.0]];
        let raster = Raster::draw(&[triangle([0, 1, 2])], &vertices, [0, 0, 8, 8], 1);
        assert_eq!(raster.hit(1, 1), None);
    }

    #[test]
    fn a_hit_finds_its_place_again() {
        let vertices = [[1.0, 1.0, 0.0], [1.0, 7.0, 0.0], [7.0, 1.0, 0.0]];
        let raster = Raster::draw(&[triangle([0, 1, 2])], &vertices, [0, 0, 8, 8], 2);
        let hit = raster.at(2.25, 3.25).map(|(hit, _)| hit).unwrap();
        let [x, y] = hit.of(vertices.map(|[x, y, _]| [x, y]));
        assert!(
            (x - 2.25).abs() < 1e-4 && (y - 3.25).abs() < 1e-4,
            "{x} {y}"
        );
    }
}
