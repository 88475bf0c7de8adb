//! Frames of two fields, each of every other line and half a frame apart in time, to whole ones.
//!
//! The lines of the first field stay. The others are put in between: where nothing moves, as the
//! second fields before and after show them; where something moves, from the lines above and below,
//! with the fine detail of the second fields (M. Weston, US patent 4 789 893, 1988). How far the
//! fields differ, from frame to frame and from line to line, bounds how far the result may leave
//! what the second fields show. It is done for each plane, whatever its samples mean, before colours
//! are converted: chroma of half the height has its fields too.

use ffmpeg_next::frame;

use crate::libav;

/// Makes whole frames. Progressive frames pass as they are.
#[derive(Default)]
pub(crate) struct Deinterlacer {
    previous: Option<frame::Video>,
    /// The frame that waits for the next one.
    waiting: Option<frame::Video>,
}

impl Deinterlacer {
    /// Takes the next decoded frame; gives those that are whole by now, at most two.
    pub(crate) fn push(&mut self, next: frame::Video) -> Vec<frame::Video> {
        if !next.is_interlaced() || !libav::is_top_down(&next) {
            let mut ready: Vec<frame::Video> = self.finish().into_iter().collect();
            self.previous = None;
            ready.push(next);
            return ready;
        }
        let Some(current) = self.waiting.take() else {
            self.waiting = Some(next);
            return Vec::new();
        };
        let is_alike = |other: &frame::Video| {
            (other.format(), other.width(), other.height())
                == (current.format(), current.width(), current.height())
        };
        let previous = self.previous.take().filter(&is_alike);
        let following = Some(&next).filter(|next| is_alike(next));
        let whole = whole(previous.as_ref(), &current, following);
        self.previous = Some(current);
        self.waiting = Some(next);
        vec![whole]
    }

    /// Whether a frame waits for the next one.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Gives the frame that still waits. There is no other.
    pub(crate) fn finish(&mut self) -> Option<frame::Video> {
        let current = self.waiting.take()?;
        Some(whole(self.previous.take().as_ref(), &current, None))
    }
}

/// Makes `current` whole. A missing neighbour is replaced by the frame itself.
fn whole(
    previous: Option<&frame::Video>,
    current: &frame::Video,
    next: Option<&frame::Video>,
) -> frame::Video {
    let mut made = current.clone();
    let is_wide = libav::describe(current.format()).is_some_and(|format| format.bit_depth > 8);
    let first_parity = usize::from(!libav::is_top_field_first(current));
    for plane in 0..current.planes() {
        let lines = Lines {
            previous: Plane::of(previous.unwrap_or(current), plane),
            current: Plane::of(current, plane),
            next: Plane::of(next.unwrap_or(current), plane),
        };
        let stride = made.stride(plane);
        let to = made.data_mut(plane);
        let n_lines = lines.current.n_lines.min(to.len() / stride.max(1));
        for y in (0..n_lines).filter(|y| y % 2 != first_parity) {
            let line = &mut to[y * stride..(y + 1) * stride];
            if is_wide {
                fill_wide(&lines, y, line);
            } else {
                fill(&lines, y, line);
            }
        }
    }
    made
}

/// One plane of a frame.
#[derive(Clone, Copy)]
struct Plane<'a> {
    bytes: &'a [u8],
    stride: usize,
    n_lines: usize,
}

impl<'a> Plane<'a> {
    fn of(frame: &'a frame::Video, plane: usize) -> Self {
        let (bytes, stride) = (frame.data(plane), frame.stride(plane).max(1));
        Self {
            bytes,
            stride,
            n_lines: bytes.len() / stride,
        }
    }

    fn line(self, y: usize) -> &'a [u8] {
        &self.bytes[y * self.stride..(y + 1) * self.stride]
    }
}

/// The same plane of three frames.
struct Lines<'a> {
    previous: Plane<'a>,
    current: Plane<'a>,
    next: Plane<'a>,
}

/// What is around a line that is missing.
struct Around<'a> {
    /// Lines of the first field: three and one above, one and three below.
    near: [&'a [u8]; 4],
    /// Those next to it, a frame before and a frame after.
    near_before: [&'a [u8]; 2],
    near_after: [&'a [u8]; 2],
    /// The line itself in the second fields half a frame before and after, amid two and four lines
    /// above and below.
    before: [&'a [u8]; 5],
    after: [&'a [u8]; 5],
}

impl<'a> Lines<'a> {
    fn around(&self, y: usize) -> Around<'a> {
        // Lines outside are the nearest ones of the same field.
        let n_lines = self.current.n_lines;
        let line = |plane: Plane<'a>, by: isize| {
            let parity = (y + by.unsigned_abs()) % 2;
            let last = n_lines - 1 - (n_lines - 1 + parity) % 2;
            let wanted = y.saturating_add_signed(by).min(last.max(parity));
            let wanted = if wanted % 2 == parity { wanted } else { parity };
            plane.line(wanted.min(n_lines - 1))
        };
        let second = [-4, -2, 0, 2, 4];
        Around {
            near: [-3, -1, 1, 3].map(|by| line(self.current, by)),
            near_before: [-1, 1].map(|by| line(self.previous, by)),
            near_after: [-1, 1].map(|by| line(self.next, by)),
            before: second.map(|by| line(self.previous, by)),
            after: second.map(|by| line(self.current, by)),
        }
    }
}

impl Around<'_> {
    /// Bytes that all lines have.
    fn n_bytes(&self) -> usize {
        let first = self
            .near
            .iter()
            .chain(&self.near_before)
            .chain(&self.near_after);
        let all = first.chain(&self.before).chain(&self.after);
        all.map(|line| line.len()).min().unwrap_or(0)
    }
}

fn fill(lines: &Lines<'_>, y: usize, to: &mut [u8]) {
    let around = lines.around(y);
    for (x, to) in to.iter_mut().enumerate().take(around.n_bytes()) {
        let at = |line: &[u8]| i32::from(line[x]);
        *to = missing(&around, at, 255) as u8;
    }
}

/// As [`fill`], for samples of two bytes.
fn fill_wide(lines: &Lines<'_>, y: usize, to: &mut [u8]) {
    let around = lines.around(y);
    for (x, to) in to
        .chunks_exact_mut(2)
        .enumerate()
        .take(around.n_bytes() / 2)
    {
        let at = |line: &[u8]| i32::from(u16::from_le_bytes([line[2 * x], line[2 * x + 1]]));
        let value = missing(&around, at, i32::from(u16::MAX)) as u16;
        to.copy_from_slice(&value.to_le_bytes());
    }
}

/// The sample that is missing; `at` reads the samples at its column.
fn missing(around: &Around<'_>, at: impl Fn(&[u8]) -> i32, most: i32) -> i32 {
    let near = around.near.map(&at);
    let [_, above, below, _] = near;
    let (before, after) = (around.before.map(&at), around.after.map(&at));
    // Both second fields together, doubled.
    let [_, upper, shown, lower, _] = std::array::from_fn(|i| before[i] + after[i]);
    let shown = shown / 2;
    // How much moves here: in the second fields, and next to the line in the first ones.
    let in_second = (before[2] - after[2]).abs();
    let in_first = |then: [&[u8]; 2]| {
        let [a, b] = then.map(&at);
        ((a - above).abs() + (b - below).abs()) / 2
    };
    let movement = (in_second / 2)
        .max(in_first(around.near_before))
        .max(in_first(around.near_after));
    // A still picture may have any detail, as long as nothing moves.
    if movement == 0 {
        return shown;
    }
    // A comb that lines of both fields agree on is one, however little moves.
    let (from_upper, from_lower) = (upper / 2 - above, lower / 2 - below);
    let over = (shown - above)
        .max(shown - below)
        .max(from_upper.min(from_lower));
    let under = (shown - above)
        .min(shown - below)
        .min(from_upper.max(from_lower));
    let bound = movement.max(under).max(-over);
    let between = if (above - below).abs() > in_second {
        detailed(near, before, after)
    } else {
        smooth(near)
    };
    between.clamp(shown - bound, shown + bound).clamp(0, most)
}

/// Coefficients are in parts of this.
const ONE: i32 = 8192;

/// The low frequencies of the field's own lines and the high ones of the fields around.
fn detailed(
    [far_above, above, below, far_below]: [i32; 4],
    before: [i32; 5],
    after: [i32; 5],
) -> i32 {
    let low = 4309 * (above + below) - 213 * (far_above + far_below);
    let fine = |[a, b, c, d, e]: [i32; 5]| 5570 * c - 3801 * (b + d) + 1016 * (a + e);
    (low + (fine(before) + fine(after)) / 4) / ONE
}

/// Through the four nearest lines of the field alone.
fn smooth([far_above, above, below, far_below]: [i32; 4]) -> i32 {
    (5077 * (above + below) - 981 * (far_above + far_below)) / ONE
}

#[cfg(test)]
mod tests {
    use super::*;
    use ffmpeg_next::format::Pixel;

    const SIDE: usize = 32;

    fn frame(value: impl Fn(usize, usize) -> u8) -> frame::Video {
        let mut made = frame::Video::new(Pixel::GRAY8, SIDE as u32, SIDE as u32);
        let stride = made.stride(0);
        for y in 0..SIDE {
            for x in 0..SIDE {
                made.data_mut(0)[y * stride + x] = value(x, y);
            }
        }
        libav::set_interlaced(&mut made);
        made
    }

    fn rows(frame: &frame::Video) -> Vec<Vec<u8>> {
        let stride = frame.stride(0);
        let row = |y: usize| frame.data(0)[y * stride..y * stride + SIDE].to_vec();
        (0..SIDE).map(row).collect()
    }

    /// Weaves a scene that is drawn at a moment, in fields, into frames.
    fn woven(scene: impl Fn(usize, usize, usize) -> u8, n: usize) -> frame::Video {
        frame(|x, y| scene(x, y, 2 * n + y % 2))
    }

    fn all(scene: impl Fn(usize, usize, usize) -> u8 + Copy, n: usize) -> Vec<frame::Video> {
        let mut deinterlacer = Deinterlacer::default();
        let mut made: Vec<frame::Video> = (0..n)
            .flat_map(|n| deinterlacer.push(woven(scene, n)))
            .collect();
        made.extend(deinterlacer.finish());
        made
    }

    #[test]
    fn a_still_scene_keeps_every_line() {
        let still = |x: usize, y: usize, _: usize| ((x * 7 + y * 40) % 251) as u8;
        let made = all(still, 4);
        assert_eq!(made.len(), 4);
        for frame in made {
            assert_eq!(rows(&frame), rows(&woven(still, 0)));
        }
    }

    #[test]
    fn an_edge_that_moves_shows_no_comb() {
        let moving = |x: usize, _: usize, field: usize| if x < 4 + 2 * field { 200 } else { 30 };
        for (n, made) in all(moving, 5).iter().enumerate() {
            for (y, row) in rows(made).iter().enumerate() {
                let edge = row.iter().filter(|v| **v > 115).count();
                assert_eq!(edge, 4 + 4 * n, "frame {n}, line {y}");
            }
        }
    }

    #[test]
    fn progressive_frames_pass_at_once() {
        let mut deinterlacer = Deinterlacer::default();
        assert_eq!(deinterlacer.push(woven(|x, _, _| x as u8, 0)).len(), 0);
        let plain = frame::Video::new(Pixel::GRAY8, SIDE as u32, SIDE as u32);
        assert_eq!(deinterlacer.push(plain).len(), 2);
        assert!(deinterlacer.finish().is_none());
    }
}
