//! Blending by bands: coarse differences fade over a wide rim, fine ones over a narrow one.
//!
//! Burt and Adelson, "A multiresolution spline with application to image mosaics", ACM TOG 1983.
//! The pyramid is linear, so it is enough to take the difference between the two pictures apart:
//! each band of it is weighed by the mask at that band's size, and the sum is what to add.

/// A grid of colours or weights, rows from the top; `C` values for each place.
#[derive(Clone, Debug)]
pub(crate) struct Grid<const C: usize> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) values: Vec<[f32; C]>,
}

/// No band is coarser than this many halvings.
const MOST_BANDS: usize = 4;
/// Grids are not halved below this side.
const SMALLEST_SIDE: usize = 12;

/// Weighs each band of `difference` by `mask`; both are of one size.
pub(crate) fn blended(difference: Grid<3>, mask: &Grid<1>) -> Grid<3> {
    let mut masks = vec![mask.clone()];
    let mut bands = vec![difference];
    while masks.len() <= MOST_BANDS {
        let last = masks.len() - 1;
        if masks[last].width.min(masks[last].height) < 2 * SMALLEST_SIDE {
            break;
        }
        masks.push(masks[last].halved());
        let coarse = bands[last].halved();
        let (width, height) = (bands[last].width, bands[last].height);
        bands[last].subtract(&coarse.doubled(width, height));
        bands.push(coarse);
    }
    let mut sum: Option<Grid<3>> = None;
    for (mut band, mask) in bands.into_iter().zip(&masks).rev() {
        band.weigh(mask);
        if let Some(coarser) = sum {
            band.add(&coarser.doubled(band.width, band.height));
        }
        sum = Some(band);
    }
    match sum {
        Some(sum) => sum,
        None => unreachable!("there is always one band"),
    }
}

impl<const C: usize> Grid<C> {
    /// Half the size, after the binomial filter 1 4 6 4 1 along both axes; rims are repeated.
    fn halved(&self) -> Self {
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
    fn doubled(&self, width: usize, height: usize) -> Self {
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

    fn subtract(&mut self, other: &Self) {
        for (a, b) in self
            .values
            .iter_mut()
            .flatten()
            .zip(other.values.iter().flatten())
        {
            *a -= b;
        }
    }

    fn add(&mut self, other: &Self) {
        for (a, b) in self
            .values
            .iter_mut()
            .flatten()
            .zip(other.values.iter().flatten())
        {
            *a += b;
        }
    }

    fn weigh(&mut self, mask: &Grid<1>) {
        for (value, [weight]) in self.values.iter_mut().zip(&mask.values) {
            value.iter_mut().for_each(|v| *v *= weight);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(width: usize, height: usize) -> Grid<3> {
        let value = |i: usize| [0, 1, 2].map(|c| ((i * 37 + c * 101) % 97) as f32 - 48.0);
        Grid {
            width,
            height,
            values: (0..width * height).map(value).collect(),
        }
    }

    fn even(width: usize, height: usize, value: f32) -> Grid<1> {
        Grid {
            width,
            height,
            values: vec![[value]; width * height],
        }
    }

    #[test]
    fn full_mask_keeps_the_difference_and_empty_mask_drops_it() {
        for (width, height) in [(64, 48), (51, 97), (7, 5)] {
            let whole = blended(noise(width, height), &even(width, height, 1.0));
            for (got, wanted) in whole.values.iter().zip(noise(width, height).values) {
                assert!((got[1] - wanted[1]).abs() < 1e-3, "{width}x{height}");
            }
            let none = blended(noise(width, height), &even(width, height, 0.0));
            assert!(none.values.iter().flatten().all(|v| v.abs() < 1e-6));
        }
    }

    #[test]
    fn even_difference_fades_wider_than_its_mask() {
        let (width, height) = (96, 96);
        let step = (0..width * height)
            .map(|i| [f32::from(u8::from(i % width < 48))])
            .collect();
        let mask = Grid {
            width,
            height,
            values: step,
        };
        let flat = Grid {
            width,
            height,
            values: vec![[80.0; 3]; width * height],
        };
        let result = blended(flat, &mask);
        let at = |x: usize| result.values[48 * width + x][0];
        assert!(75.0 < at(20) && at(75) < 5.0);
        assert!(10.0 < at(44) - at(52) && at(44) - at(52) < 60.0); // a hard mask would give 80
    }
}
