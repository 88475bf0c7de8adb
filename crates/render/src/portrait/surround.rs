//! What is around a head and moves along with it: hair, and the background that it drags.
//!
//! Where a head is drawn, it is known where in the portrait each place comes from. Around it that
//! is continued as smoothly as a membrane that is held at the head and at the rim of the picture.

/// How far apart the nodes of the membrane are, in pixels.
const STEP_PX: usize = 8;
/// The membrane is at rest when no node moves further than this in a round, in pixels.
const AT_REST_PX: f32 = 0.02;
/// Most rounds a frame; each begins from the frame before.
const MOST_ROUNDS: usize = 400;
/// How far each round goes beyond the mean of the neighbours.
const OVER: f32 = 1.85;

/// Where in the portrait each place of the picture comes from, relative to itself.
#[derive(Clone, Debug)]
pub(super) struct Surround {
    columns: usize,
    rows: usize,
    offsets: Vec<[f32; 2]>,
    held: Vec<bool>,
}

impl Surround {
    /// Nothing moves.
    pub(super) fn new(width: u32, height: u32) -> Self {
        let nodes = |side: u32| (side as usize).div_ceil(STEP_PX) + 1;
        let (columns, rows) = (nodes(width), nodes(height));
        Self {
            columns,
            rows,
            offsets: vec![[0.0; 2]; columns * rows],
            held: vec![false; columns * rows],
        }
    }

    /// Settles around a head: `head` gives the offset at a place that it covers.
    pub(super) fn settle(&mut self, head: impl Fn(f32, f32) -> Option<[f32; 2]>) {
        for row in 0..self.rows {
            for column in 0..self.columns {
                let at = row * self.columns + column;
                let is_rim =
                    row == 0 || column == 0 || row + 1 == self.rows || column + 1 == self.columns;
                let covered = head((column * STEP_PX) as f32, (row * STEP_PX) as f32);
                self.held[at] = covered.is_some() || is_rim;
                match covered {
                    Some(offset) => self.offsets[at] = offset,
                    None if is_rim => self.offsets[at] = [0.0; 2],
                    None => {}
                }
            }
        }
        for _ in 0..MOST_ROUNDS {
            if self.relax() < AT_REST_PX {
                break;
            }
        }
    }

    /// Draws each free node towards its neighbours; gives how far the one went that went furthest.
    fn relax(&mut self) -> f32 {
        let mut furthest = 0.0_f32;
        for row in 1..self.rows - 1 {
            for column in 1..self.columns - 1 {
                let at = row * self.columns + column;
                if self.held[at] {
                    continue;
                }
                let near = [at - 1, at + 1, at - self.columns, at + self.columns];
                for k in 0..2 {
                    let mean = 0.25 * near.iter().map(|&n| self.offsets[n][k]).sum::<f32>();
                    let by = OVER * (mean - self.offsets[at][k]);
                    self.offsets[at][k] += by;
                    furthest = furthest.max(by.abs());
                }
            }
        }
        furthest
    }

    /// The offsets along a row of the picture.
    pub(super) fn line(&self, y: f32) -> Line {
        let (row, below) = place(y, self.rows);
        let [above, under] =
            [row, row + 1].map(|row| &self.offsets[row * self.columns..][..self.columns]);
        let pairs = above.iter().zip(under);
        Line(
            pairs
                .map(|(a, u)| [0, 1].map(|i| a[i] + below * (u[i] - a[i])))
                .collect(),
        )
    }
}

/// The offsets along a row of the picture, a node each.
#[derive(Clone, Debug)]
pub(super) struct Line(Vec<[f32; 2]>);

impl Line {
    /// The offset at a place of the row.
    pub(super) fn at(&self, x: f32) -> [f32; 2] {
        let (column, right) = place(x, self.0.len());
        let (a, b) = (self.0[column], self.0[column + 1]);
        [0, 1].map(|i| a[i] + right * (b[i] - a[i]))
    }
}

/// The node before a place among `n`, and how far it is from there to the next, `0..1`.
fn place(at: f32, n: usize) -> (usize, f32) {
    let at = (at * (1.0 / STEP_PX as f32)).clamp(0.0, n as f32 - 1.001);
    let node = at as usize;
    (node, at - node as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_membrane_falls_off_from_head_to_rim() {
        let mut surround = Surround::new(320, 320);
        let head = |x: f32, y: f32| {
            let is_head = (x - 160.0).hypot(y - 160.0) < 50.0;
            is_head.then_some([10.0, 0.0])
        };
        surround.settle(head);
        let along: Vec<f32> = [160.0, 230.0, 270.0, 310.0]
            .iter()
            .map(|&x| surround.line(160.0).at(x)[0])
            .collect();
        assert!((along[0] - 10.0).abs() < 1e-3);
        assert!(along.windows(2).all(|pair| pair[1] < pair[0]), "{along:?}");
        assert!(surround.line(0.0).at(0.0)[0].abs() < 1e-3);
        // What is settled stays.
        let before = surround.offsets.clone();
        surround.settle(head);
        let moved = before.iter().zip(&surround.offsets);
        assert!(moved.map(|(a, b)| (a[0] - b[0]).abs()).fold(0.0, f32::max) < 0.2);
    }
}
