//! Turning pictures upright, as the camera's note in the file asks.

use effigy_frame::Picture;

/// How a stored picture must be turned to stand upright: first turned, then mirrored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orientation {
    /// Clockwise quarter turns, `0..=3`.
    pub quarter_turns: u8,
    /// Whether left and right are swapped after turning.
    pub mirrored: bool,
}

impl Orientation {
    /// Whether width and height change places.
    pub(crate) fn swaps_sides(self) -> bool {
        self.quarter_turns % 2 == 1
    }

    /// Gives the size of the upright picture.
    pub(crate) fn upright_size(self, width: u32, height: u32) -> (u32, u32) {
        if self.swaps_sides() {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// Reads the 3x3 display matrix of MP4: 16.16 fixed point, `[a b u c d v x y w]`.
    ///
    /// Angles between quarter turns go to the nearest one.
    pub(crate) fn from_display_matrix(matrix: [i32; 9]) -> Self {
        let [a, b, c, d] = [matrix[0], matrix[1], matrix[3], matrix[4]].map(f64::from);
        let mirrored = a * d - b * c < 0.0;
        // The picture's x axis lands on (a, b); a mirror applied last has turned its x around.
        let clockwise = if mirrored { b.atan2(-a) } else { b.atan2(a) };
        let quarter_turns = (clockwise / std::f64::consts::FRAC_PI_2).round() as i64;
        Self {
            quarter_turns: quarter_turns.rem_euclid(4) as u8,
            mirrored,
        }
    }

    /// Reads the orientation of an EXIF header, `1..=8`. Anything else is upright.
    pub(crate) fn from_exif(value: u8) -> Self {
        let (quarter_turns, mirrored) = match value {
            2 => (0, true),
            3 => (2, false),
            4 => (2, true),
            5 => (1, true),
            6 => (1, false),
            7 => (3, true),
            8 => (3, false),
            _ => (0, false),
        };
        Self {
            quarter_turns,
            mirrored,
        }
    }

    /// Turns by `self` first and by `next` afterwards.
    pub(crate) fn then(self, next: Self) -> Self {
        // A turn behind a mirror is the opposite turn before it.
        let turns = if self.mirrored {
            4 - next.quarter_turns % 4
        } else {
            next.quarter_turns
        };
        Self {
            quarter_turns: (self.quarter_turns + turns) % 4,
            mirrored: self.mirrored != next.mirrored,
        }
    }

    /// Turns a stored picture upright.
    pub(crate) fn apply(self, picture: Picture) -> Picture {
        let turned = match self.quarter_turns {
            0 => picture,
            n => {
                let (width, height) = (picture.width(), picture.height());
                let pixels = turned::<3, _>(picture.pixels(), width, height, n);
                let (width, height) = self.upright_size(width, height);
                Picture::new(width, height, pixels)
            }
        };
        if self.mirrored {
            turned.mirrored()
        } else {
            turned
        }
    }

    /// Turns stored pixels of `N` values each upright.
    pub(crate) fn apply_to_values<const N: usize>(
        self,
        values: Vec<u16>,
        width: u32,
        height: u32,
    ) -> Vec<u16> {
        let mut turned = match self.quarter_turns {
            0 => values,
            n => turned::<N, _>(&values, width, height, n),
        };
        if self.mirrored {
            let (width, _) = self.upright_size(width, height);
            let (pixels, _) = turned.as_chunks_mut::<N>();
            for row in pixels.chunks_exact_mut(width as usize) {
                row.reverse();
            }
        }
        turned
    }
}

/// Side of the square blocks in which pixels are moved, so that both sides stay in the cache.
const BLOCK: usize = 32;

/// Gives pixels of `N` values turned clockwise. The same as `Picture::turned`, many times faster.
fn turned<const N: usize, T: Copy + Default>(
    from: &[T],
    width: u32,
    height: u32,
    quarter_turns: u8,
) -> Vec<T> {
    let (w, h) = (width as usize, height as usize);
    let mut to = vec![T::default(); from.len()];
    let out_w = if quarter_turns % 2 == 1 { h } else { w };
    let place = |x: usize, y: usize| match quarter_turns {
        1 => (h - 1 - y, x),
        2 => (w - 1 - x, h - 1 - y),
        _ => (y, w - 1 - x),
    };
    for top in (0..h).step_by(BLOCK) {
        for left in (0..w).step_by(BLOCK) {
            for y in top..(top + BLOCK).min(h) {
                for x in left..(left + BLOCK).min(w) {
                    let (to_x, to_y) = place(x, y);
                    let (a, b) = ((to_y * out_w + to_x) * N, (y * w + x) * N);
                    to[a..a + N].copy_from_slice(&from[b..b + N]);
                }
            }
        }
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: i32 = 1 << 16;

    fn numbered(width: u32, height: u32) -> Picture {
        let n = width * height * 3;
        Picture::new(width, height, (0..n).map(|v| (v % 251) as u8).collect())
    }

    #[test]
    fn turning_fast_gives_what_turning_slowly_gives() {
        let picture = numbered(67, 35);
        for quarter_turns in 1..4 {
            let orientation = Orientation {
                quarter_turns,
                mirrored: false,
            };
            let slowly = picture.turned(u32::from(quarter_turns));
            assert_eq!(orientation.apply(picture.clone()), slowly);
        }
    }

    #[test]
    fn values_are_turned_as_pictures_are() {
        let picture = numbered(7, 5);
        for note in 1..=8 {
            let orientation = Orientation::from_exif(note);
            let values = picture.pixels().iter().map(|v| u16::from(*v)).collect();
            let turned = orientation.apply_to_values::<3>(values, 7, 5);
            let turned: Vec<u8> = turned.into_iter().map(|v| v as u8).collect();
            assert_eq!(
                turned,
                orientation.apply(picture.clone()).pixels(),
                "{note}"
            );
        }
    }

    #[test]
    fn two_turns_are_one() {
        let picture = numbered(7, 5);
        for (a, b) in (1..=8).flat_map(|a| (1..=8).map(move |b| (a, b))) {
            let [first, second] = [a, b].map(Orientation::from_exif);
            let stepwise = second.apply(first.apply(picture.clone()));
            assert_eq!(
                first.then(second).apply(picture.clone()),
                stepwise,
                "{a} {b}"
            );
        }
    }

    #[test]
    fn display_matrices_of_phones_are_understood() {
        let read = |[a, b, c, d]: [i32; 4]| {
            let o = Orientation::from_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30]);
            (o.quarter_turns, o.mirrored)
        };
        assert_eq!(read([ONE, 0, 0, ONE]), (0, false));
        assert_eq!(read([0, ONE, -ONE, 0]), (1, false));
        assert_eq!(read([-ONE, 0, 0, -ONE]), (2, false));
        assert_eq!(read([0, -ONE, ONE, 0]), (3, false));
        assert_eq!(read([-ONE, 0, 0, ONE]), (0, true));
        assert_eq!(read([ONE, 0, 0, -ONE]), (2, true));
    }

    /// Where the matrix sends a corner is where the picture shows it.
    #[test]
    fn applying_an_orientation_moves_pixels_as_the_matrix_says() {
        let picture = numbered(5, 3);
        for [a, b, c, d] in [
            [1, 0, 0, 1],
            [0, 1, -1, 0],
            [-1, 0, 0, -1],
            [0, -1, 1, 0],
            [-1, 0, 0, 1],
            [1, 0, 0, -1],
            [0, 1, 1, 0],
            [0, -1, -1, 0],
        ] {
            let matrix = [a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30];
            let upright = Orientation::from_display_matrix(matrix).apply(picture.clone());
            let shift =
                |lowest: i32| if lowest < 0 { 1 - lowest } else { 0 } - i32::from(lowest < 0);
            let lowest_x = (4 * a).min(0) + (2 * c).min(0);
            let lowest_y = (4 * b).min(0) + (2 * d).min(0);
            for (x, y) in [(0, 0), (4, 0), (0, 2), (1, 2)] {
                let to_x = x * a + y * c + shift(lowest_x);
                let to_y = x * b + y * d + shift(lowest_y);
                assert_eq!(
                    upright.get(to_x as u32, to_y as u32),
                    picture.get(x as u32, y as u32),
                    "{a} {b} {c} {d} at {x} {y}"
                );
            }
        }
    }

    #[test]
    fn exif_six_is_a_quarter_turn_clockwise() {
        let picture = numbered(4, 2);
        assert_eq!(
            Orientation::from_exif(6).apply(picture.clone()),
            picture.turned(1)
        );
        assert_eq!(Orientation::from_exif(77).apply(picture.clone()), picture);
    }
}
