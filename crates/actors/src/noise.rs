//! Noise without memory: the same place and seed always give the same value.

use super::space::{V3, v3};

/// Stirs a number into another that looks unrelated.
pub(crate) fn stir(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// Gives a number in `0..1` for a counter and a seed.
pub(crate) fn chance(counter: u32, seed: u32) -> f32 {
    (stir(counter.wrapping_add(stir(seed))) >> 8) as f32 / (1 << 24) as f32
}

fn corner(x: i32, y: i32, z: i32, seed: u32) -> u32 {
    let (x, y, z) = (x as u32, y as u32, z as u32);
    stir(
        x.wrapping_mul(0x9e37_79b1)
            ^ y.wrapping_mul(0x85eb_ca77)
            ^ z.wrapping_mul(0xc2b2_ae3d)
            ^ seed,
    )
}

/// Gives smooth noise in `-1..1`, about one bump per unit.
pub(crate) fn bumps(p: V3, seed: u32) -> f32 {
    let base = p.map(f32::floor);
    let (x, y, z) = (base.x as i32, base.y as i32, base.z as i32);
    let f = (p - base).map(|t| t * t * (3.0 - 2.0 * t));
    let at = |i: i32, j: i32, k: i32| {
        (corner(x + i, y + j, z + k, seed) >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let along = |j, k| at(0, j, k) + (at(1, j, k) - at(0, j, k)) * f.x;
    let across = |k| along(0, k) + (along(1, k) - along(0, k)) * f.y;
    across(0) + (across(1) - across(0)) * f.z
}

/// Adds `octaves` of [`bumps`], each twice as fine and half as strong.
pub(crate) fn cloud(p: V3, octaves: u32, seed: u32) -> f32 {
    let mut sum = 0.0;
    let (mut scale, mut part) = (1.0, 0.5);
    for octave in 0..octaves {
        sum += part * bumps(p * scale, seed.wrapping_add(octave));
        scale *= 2.03;
        part *= 0.5;
    }
    sum
}

/// The nearest of points scattered one per unit cube.
pub(crate) struct Spot {
    /// Distance to it.
    pub(crate) distance: f32,
    /// A number in `0..1` that is its own.
    pub(crate) number: f32,
}

/// Finds the nearest of points scattered one per unit cube.
pub(crate) fn nearest_spot(p: V3, seed: u32) -> Spot {
    let base = p.map(f32::floor);
    let mut best = Spot {
        distance: f32::MAX,
        number: 0.0,
    };
    for k in -1..=1 {
        for j in -1..=1 {
            for i in -1..=1 {
                let cell = base + v3(i as f32, j as f32, k as f32);
                let h = corner(cell.x as i32, cell.y as i32, cell.z as i32, seed);
                let part = |shift: u32| ((h >> shift) & 1023) as f32 / 1024.0;
                let distance = (cell + v3(part(0), part(10), part(20)) - p).length();
                if distance < best.distance {
                    let number = (stir(h) >> 8) as f32 / (1 << 24) as f32;
                    best = Spot { distance, number };
                }
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_repeats_and_depends_on_place_and_seed() {
        let p = v3(0.3, 7.7, -2.1);
        assert_eq!(bumps(p, 1).to_bits(), bumps(p, 1).to_bits());
        assert_ne!(bumps(p, 1).to_bits(), bumps(p, 2).to_bits());
        assert_ne!(bumps(p, 1).to_bits(), bumps(p * 1.1, 1).to_bits());
    }
}
