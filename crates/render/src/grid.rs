//! Colours or weights on a grid, halved and upsampled as pyramids need it.

/// Rows from the top; `C` values for each place.
#[derive(Clone, Debug)]
pub(crate) struct Grid<const C: usize> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) values: Vec<[f32; C]>,
}

impl<const C: usize> Grid<C> {
    /// Half the size, after the binomial filter 1 4 6 4 1 along both axes; rims are repeated.
    pub(crate) fn halved(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let mut across = Vec::with_capacity(width * self.height);
        for row in self.values.chunks_exact(self.width) {
            across.extend((0..width).map(|x| {
                let tap = |offset: usize| row[(2 * x + offset).clamp(2, self.width + 1) - 2];
                five([tap(0), tap(1), tap(2), tap(3), tap(4)])
            }));
        }
        let mut values = Vec::with_capacity(width * height);
        for y in 0..height {
            let row = |offset: usize| {
                let y = (2 * y + offset).clamp(2, self.height + 1) - 2;
                &across[y * width..(y + 1) * width]
            };
            let rows = [row(0), row(1), row(2), row(3), row(4)];
            values.extend((0..width).map(|x| five(rows.map(|row| row[x]))));
        }
        Self {
            width,
            height,
            values,
        }
    }

    /// Back to `width` × `height`, between the places of the smaller grid.
    pub(crate) fn upsampled(&self, width: usize, height: usize) -> Self {
        let mut across = Vec::with_capacity(width * self.height);
        for row in self.values.chunks_exact(self.width) {
            across.extend((0..width).map(|x| {
                let next = (x.div_ceil(2)).min(self.width - 1);
                mean(row[x / 2], row[next])
            }));
        }
        let mut values = Vec::with_capacity(width * height);
        for y in 0..height {
            let next = y.div_ceil(2).min(self.height - 1);
            let (upper, lower) = (&across[y / 2 * width..], &across[next * width..]);
            values.extend((0..width).map(|x| mean(upper[x], lower[x])));
        }
        Self {
            width,
            height,
            values,
        }
    }

    /// Changes each value by the one of `other` at the same place.
    pub(crate) fn join(&mut self, other: &Self, change: impl Fn(&mut f32, f32)) {
        let pairs = self.values.iter_mut().zip(&other.values);
        for (here, there) in pairs {
            for (a, b) in here.iter_mut().zip(there) {
                change(a, *b);
            }
        }
    }
}

fn five<const C: usize>(taps: [[f32; C]; 5]) -> [f32; C] {
    std::array::from_fn(|c| {
        let ends = taps[0][c] + taps[4][c];
        let sides = taps[1][c] + taps[3][c];
        (ends + 4.0 * sides + 6.0 * taps[2][c]) * (1.0 / 16.0)
    })
}

fn mean<const C: usize>(a: [f32; C], b: [f32; C]) -> [f32; C] {
    std::array::from_fn(|c| 0.5 * (a[c] + b[c]))
}
