//! The mesh points of a clip: `NAME.points.png`, a row for each person of each frame.
//!
//! 1434 numbers (x y z of 478 points, in 1/8 pixel) as second differences over time, zigzag, low
//! bytes then high bytes; then 478 times 255 for seen or 0.

use std::path::Path;

use effigy_frame::Point3;
use effigy_model::N_MESH_POINTS;

use super::grey;
use crate::error::{Error, Result};

const N_NUMBERS: usize = 3 * N_MESH_POINTS;
/// Bytes of a row.
const ROW: usize = 2 * N_NUMBERS + N_MESH_POINTS;

/// The points of a clip.
#[derive(Default)]
pub struct Points {
    /// By frame, then person: 478 points in pixels.
    pub points: Vec<Vec<Vec<Point3>>>,
    /// By frame, then person: whether each point is seen.
    pub visible: Vec<Vec<Vec<bool>>>,
}

impl Points {
    pub(super) fn write(&self, clip: &Path) -> Result<()> {
        grey::write(&clip.with_extension("points.png"), ROW, &self.pack())
    }

    /// Reads the points beside `clip`, in which there are `n_people`.
    ///
    /// # Errors
    /// When they are missing, damaged or too large.
    pub fn read(clip: &Path, n_people: usize) -> Result<Self> {
        let path = clip.with_extension("points.png");
        let (width, bytes) = grey::read(&path)?;
        if width != ROW || n_people == 0 {
            let why = "it holds no mesh points".to_owned();
            return Err(Error::Damaged { why, path });
        }
        Ok(Self::unpack(&bytes, n_people))
    }

    fn pack(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (n, people) in self.points.iter().enumerate() {
            for (k, person) in people.iter().enumerate() {
                let before = |back: usize| n.checked_sub(back).map(|m| eighths(&self.points[m][k]));
                let (now, last, older) = (eighths(person), before(1), before(2));
                let zigzag = |i: usize| {
                    // What moves evenly leaves nothing, so that the PNG stays small.
                    let second = match (&last, &older) {
                        (Some(last), Some(older)) => now[i] - 2 * last[i] + older[i],
                        (Some(last), None) => now[i] - last[i],
                        _ => now[i],
                    };
                    (((second << 1) ^ (second >> 31)) as u32).min(0xffff)
                };
                let coded: Vec<u32> = (0..N_NUMBERS).map(zigzag).collect();
                bytes.extend(coded.iter().map(|c| (c & 255) as u8));
                bytes.extend(coded.iter().map(|c| (c >> 8) as u8));
                let seen = self.visible[n][k].iter();
                bytes.extend(seen.map(|&seen| if seen { 255 } else { 0 }));
            }
        }
        bytes
    }

    fn unpack(bytes: &[u8], n_people: usize) -> Self {
        let mut found = Self::default();
        let mut last = vec![vec![0_i32; N_NUMBERS]; n_people];
        let mut older = last.clone();
        for (n, rows) in bytes.chunks_exact(ROW * n_people).enumerate() {
            let (mut points, mut visible) = (Vec::new(), Vec::new());
            for (k, row) in rows.chunks_exact(ROW).enumerate() {
                let (low, rest) = row.split_at(N_NUMBERS);
                let (high, seen) = rest.split_at(N_NUMBERS);
                let number = |i: usize| {
                    let coded = u32::from(low[i]) | (u32::from(high[i]) << 8);
                    let second = (coded >> 1) as i32 ^ -((coded & 1) as i32);
                    // A damaged file may hold any numbers: they wrap rather than end the program.
                    match n {
                        0 => second,
                        1 => second.wrapping_add(last[k][i]),
                        _ => second
                            .wrapping_add(last[k][i].wrapping_mul(2))
                            .wrapping_sub(older[k][i]),
                    }
                };
                let now: Vec<i32> = (0..N_NUMBERS).map(number).collect();
                let point = |c: &[i32]| {
                    let [x, y, z] = [c[0], c[1], c[2]].map(|c| c as f32 / 8.0);
                    Point3::new(x, y, z)
                };
                points.push(now.chunks_exact(3).map(point).collect());
                visible.push(seen.iter().map(|&s| s > 127).collect());
                older[k] = std::mem::replace(&mut last[k], now);
            }
            found.points.push(points);
            found.visible.push(visible);
        }
        found
    }
}

fn eighths(points: &[Point3]) -> Vec<i32> {
    let numbers = points.iter().flat_map(|p| [p.x, p.y, p.z]);
    numbers.map(|c| (8.0 * c).round() as i32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_come_back_to_an_eighth_of_a_pixel() {
        let place = |n: usize, i: usize| {
            let t = n as f32 * 0.7 + i as f32;
            Point3::new(
                160.0 + 100.0 * t.sin(),
                90.0 * t.cos(),
                -40.0 * (2.0 * t).sin(),
            )
        };
        let frame = |n: usize| vec![(0..N_MESH_POINTS).map(|i| place(n, i)).collect()];
        let seen: Vec<bool> = (0..N_MESH_POINTS).map(|i| i % 3 == 0).collect();
        let known = Points {
            points: (0..6).map(frame).collect(),
            visible: vec![vec![seen]; 6],
        };
        let back = Points::unpack(&known.pack(), 1);
        assert_eq!(back.visible, known.visible);
        let there = known.points.iter().flatten();
        for (a, b) in there.zip(back.points.iter().flatten()) {
            for (p, q) in a.iter().zip(b) {
                assert!((p.x - q.x).abs() <= 0.0625 && (p.z - q.z).abs() <= 0.0625);
            }
        }
    }
}
