//! What is behind the actor: a room out of focus, in linear light.

use super::noise::{chance, cloud};
use super::space::{V3, mix3, smooth, v3};

/// Which room, and how it is lit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) seed: u32,
    pub(crate) wall: V3,
    /// Light on the wall at the left and the right edge.
    pub(crate) left: V3,
    pub(crate) right: V3,
    /// Where a window is, from the left edge; outside `0..1` there is none.
    pub(crate) window: f32,
}

impl Room {
    /// Gives the colour at a place: 0 to 1 from the left and from the top.
    pub(crate) fn colour(&self, x: f32, y: f32) -> V3 {
        let light = mix3(self.left, self.right, smooth(-0.1, 1.1, x));
        let uneven = 1.0 + 0.10 * cloud(v3(x * 2.5, y * 2.5, 0.0), 3, self.seed);
        let corner =
            1.0 - 0.22 * smooth(0.06, 0.0, (x - 0.80).abs()) * 0.6 - 0.25 * smooth(0.79, 0.83, x);
        let fall = 1.05 - 0.25 * y;
        let mut colour = self.wall * (uneven * corner * fall);
        colour = self.with_shelf(colour, x, y);
        colour = self.with_picture(colour, x, y);
        let mut lit = colour.tint(light);
        let pane = soft_box(
            x,
            y,
            [self.window - 0.10, 0.05, self.window + 0.10, 0.62],
            0.022,
        );
        let bars = 1.0
            - 0.8
                * smooth(0.022, 0.006, (x - self.window).abs()).max(smooth(
                    0.022,
                    0.006,
                    (y - 0.3).abs(),
                ));
        let sky = mix3(
            v3(1.5, 1.75, 2.1),
            v3(0.9, 1.1, 0.75),
            smooth(
                0.3,
                0.6,
                y + 0.05 * cloud(v3(x * 20.0, y * 20.0, 0.0), 2, self.seed),
            ),
        );
        lit = mix3(
            lit,
            sky * (1.3 * bars),
            pane * if self.window > -0.2 { 1.0 } else { 0.0 },
        );
        lit
    }

    fn with_shelf(&self, colour: V3, x: f32, y: f32) -> V3 {
        let mut colour = colour;
        let first = 0.02 + 0.10 * chance(1, self.seed);
        for row in 0..3 {
            let board = 0.30 + 0.21 * row as f32;
            let plank = soft_box(
                x,
                y,
                [first - 0.2, board, first + 0.24, board + 0.018],
                0.010,
            );
            for i in 0..9 {
                let n = i + 20 * row;
                let width = 0.018 + 0.018 * chance(n, self.seed + 1);
                let left = first - 0.17 + 0.042 * i as f32;
                let tall = 0.09 + 0.06 * chance(n, self.seed + 2);
                let tint = chance(n, self.seed + 3);
                let book = mix3(v3(0.35, 0.10, 0.07), v3(0.06, 0.12, 0.20), tint)
                    + v3(0.3, 0.28, 0.2) * (0.8 * smooth(0.75, 1.0, chance(n, self.seed + 4)));
                let is_there = chance(n, self.seed + 5) > 0.25;
                let cover = soft_box(x, y, [left, board - tall, left + width, board], 0.011);
                colour = mix3(colour, book, if is_there { 0.9 * cover } else { 0.0 });
            }
            colour = mix3(colour, v3(0.16, 0.10, 0.06), 0.9 * plank);
        }
        colour
    }

    fn with_picture(&self, colour: V3, x: f32, y: f32) -> V3 {
        let left = 0.70 + 0.10 * chance(9, self.seed);
        let frame = soft_box(x, y, [left, 0.10, left + 0.20, 0.36], 0.009);
        let inner = soft_box(x, y, [left + 0.022, 0.125, left + 0.178, 0.335], 0.009);
        let paint = mix3(
            v3(0.45, 0.42, 0.36),
            v3(0.12, 0.20, 0.24),
            smooth(
                0.20,
                0.28,
                y + 0.04 * cloud(v3(x * 9.0, y * 9.0, 2.0), 2, self.seed),
            ),
        );
        mix3(
            mix3(colour, v3(0.05, 0.04, 0.035), 0.9 * frame),
            paint,
            inner,
        )
    }
}

/// A box whose edges are as blurred as the lens leaves them.
fn soft_box(x: f32, y: f32, [left, top, right, bottom]: [f32; 4], blur: f32) -> f32 {
    smooth(left - blur, left + blur, x)
        * smooth(right + blur, right - blur, x)
        * smooth(top - blur, top + blur, y)
        * smooth(bottom + blur, bottom - blur, y)
}
