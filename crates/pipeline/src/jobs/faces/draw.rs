//! Drawing a mesh onto a frame: thin lines, a colour per track, a pointer where the face looks.

use effigy_face::landmarks::NOSE_TIP;
use effigy_face::mesh_edges::MeshEdge;
use effigy_face::{Face, Pose};
use effigy_frame::{Picture, Point2};

/// Which lines are drawn.
pub(crate) struct Look {
    /// The net over the whole face, drawn faintly.
    pub(crate) net: Vec<MeshEdge>,
    /// Outline, eyes, irises and lips, drawn clearly.
    pub(crate) features: Vec<MeshEdge>,
}

/// Colours of the tracks, in turn; colour-blind readers can distinguish them (Okabe and Ito, 2008).
const COLOURS: [[u8; 3]; 7] = [
    [86, 180, 233],
    [230, 159, 0],
    [0, 158, 115],
    [240, 228, 66],
    [204, 121, 167],
    [213, 94, 0],
    [0, 114, 178],
];
const NET_OPACITY: f32 = 0.35;
const FEATURE_OPACITY: f32 = 0.9;
const POINTER: [u8; 3] = [255, 255, 255];

/// Draws one face.
pub(crate) fn draw_face(picture: &mut Picture, face: &Face, pose: Pose, look: &Look) {
    let colour = COLOURS[face.track as usize % COLOURS.len()];
    let at = |i: usize| face.points[i].xy();
    for &(a, b) in &look.net {
        draw_line(picture, at(a), at(b), colour, NET_OPACITY);
    }
    for &(a, b) in &look.features {
        draw_line(picture, at(a), at(b), colour, FEATURE_OPACITY);
    }
    let nose = at(NOSE_TIP);
    let reach = 0.5 * face.rect.width.max(face.rect.height);
    draw_line(picture, nose, look_point(nose, pose, reach), POINTER, 1.0);
}

/// Where a rod of length `reach`, standing on the nose, would end in the picture.
fn look_point(nose: Point2, pose: Pose, reach: f32) -> Point2 {
    let (yaw, pitch) = (pose.yaw.to_radians(), pose.pitch.to_radians());
    Point2::new(
        nose.x + reach * yaw.sin() * pitch.cos(),
        nose.y - reach * pitch.sin(),
    )
}

/// Draws a line one pixel wide with soft edges (Wu, SIGGRAPH 1991).
fn draw_line(picture: &mut Picture, from: Point2, to: Point2, colour: [u8; 3], opacity: f32) {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let steep = dy.abs() > dx.abs();
    let along = if steep { dy } else { dx };
    let slope = if along.abs() > 0.0 {
        (if steep { dx } else { dy }) / along
    } else {
        0.0
    };
    let (start, end) = if steep {
        (from.y, to.y)
    } else {
        (from.x, to.x)
    };
    let (low, high) = (start.min(end), start.max(end));
    let last = if steep {
        picture.height()
    } else {
        picture.width()
    };
    let first = low.floor().clamp(0.0, last as f32) as u32;
    let beyond = high.ceil().clamp(0.0, last as f32) as u32;
    for step in first..beyond {
        let middle = step as f32 + 0.5;
        let covered = (high.min(middle + 0.5) - low.max(middle - 0.5)).clamp(0.0, 1.0);
        let across = (if steep { from.x } else { from.y }) + slope * (middle - start) - 0.5;
        let share = across - across.floor();
        for (place, weight) in [(across.floor(), 1.0 - share), (across.floor() + 1.0, share)] {
            let (x, y) = if steep {
                (place, step as f32)
            } else {
                (step as f32, place)
            };
            let at = Point2::new(x, y);
            tint(picture, at, colour, opacity * weight * covered);
        }
    }
}

fn tint(picture: &mut Picture, at: Point2, colour: [u8; 3], opacity: f32) {
    let Point2 { x, y } = at;
    let inside = x >= 0.0 && y >= 0.0 && x < picture.width() as f32 && y < picture.height() as f32;
    if !inside {
        return;
    }
    let (x, y) = (x as u32, y as u32);
    let old = picture.get(x, y);
    let mix = |i: usize| {
        let (old, new) = (f32::from(old[i]), f32::from(colour[i]));
        (old + opacity * (new - old)).round() as u8
    };
    picture.set(x, y, std::array::from_fn(mix));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(from: (f32, f32), to: (f32, f32)) -> Picture {
        let mut picture = Picture::filled(20, 20, [0; 3]);
        let [from, to] = [from, to].map(|(x, y)| Point2::new(x, y));
        draw_line(&mut picture, from, to, [200; 3], 1.0);
        picture
    }

    #[test]
    fn a_level_line_through_pixel_centres_is_one_pixel_wide() {
        let picture = drawn((2.0, 5.5), (8.0, 5.5));
        for x in 2..8 {
            assert_eq!(picture.get(x, 5), [200; 3], "{x}");
            assert_eq!(picture.get(x, 4), [0; 3]);
            assert_eq!(picture.get(x, 6), [0; 3]);
        }
        assert_eq!((picture.get(1, 5), picture.get(8, 5)), ([0; 3], [0; 3]));
    }

    #[test]
    fn a_slanting_line_carries_as_much_paint_as_a_level_one() {
        let paint = |p: &Picture| p.pixels().iter().map(|&v| u32::from(v)).sum::<u32>();
        let level = paint(&drawn((2.0, 5.5), (14.0, 5.5)));
        let steep = paint(&drawn((5.0, 2.0), (9.0, 14.0)));
        assert!(level.abs_diff(steep) < level / 20, "{level} {steep}");
    }

    #[test]
    fn a_line_may_leave_the_picture() {
        let picture = drawn((-50.0, -50.0), (70.0, 70.0));
        assert_eq!(picture.get(10, 10), [200; 3]);
    }

    #[test]
    fn the_pointer_follows_the_pose() {
        let pose = Pose {
            yaw: 90.0,
            pitch: 0.0,
            roll: 0.0,
        };
        let end = look_point(Point2::new(10.0, 10.0), pose, 5.0);
        assert!((end.x - 15.0).abs() < 1e-4 && (end.y - 10.0).abs() < 1e-4);
    }
}
