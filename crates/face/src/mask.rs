//! Which pixels of a crop belong to the face: the hull of its mesh.

use effigy_frame::{Plane, Point2};

/// Gives the convex hull of `points`, clockwise on the screen, without points on its edges.
///
/// Andrew's monotone chain. Fewer than three points, or points on one line, give no hull.
pub fn hull(points: &[Point2]) -> Vec<Point2> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    let mut chain = half_hull(sorted.iter().copied());
    let back = half_hull(sorted.iter().rev().copied());
    chain.pop();
    chain.extend(back);
    chain.pop();
    if chain.len() < 3 { Vec::new() } else { chain }
}

/// Gives the share of each pixel, `0..=1`, that lies inside the hull of `points`.
///
/// `points` are in pixels of a view of `width` × `height`.
pub fn hull_mask(points: &[Point2], width: usize, height: usize) -> Plane {
    let corners = hull(points);
    let mut mask = Plane::filled(width, height, 0.0);
    if corners.is_empty() || width == 0 {
        return mask;
    }
    for (y, row) in mask.values_mut().chunks_exact_mut(width).enumerate() {
        for line in 0..LINES {
            let at = y as f32 + (line as f32 + 0.5) / LINES as f32;
            if let Some((left, right)) = crossing(&corners, at) {
                cover(row, left, right);
            }
        }
    }
    mask
}

/// Scan lines per row of pixels.
const LINES: usize = 4;

fn half_hull(sorted: impl Iterator<Item = Point2>) -> Vec<Point2> {
    let mut chain: Vec<Point2> = Vec::new();
    for point in sorted {
        while let [.., a, b] = chain[..]
            && cross(a, b, point) <= 0.0
        {
            chain.pop();
        }
        chain.push(point);
    }
    chain
}

fn cross(a: Point2, b: Point2, c: Point2) -> f32 {
    (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

/// Where the line at height `y` enters and leaves a convex shape.
fn crossing(corners: &[Point2], y: f32) -> Option<(f32, f32)> {
    let mut span: Option<(f32, f32)> = None;
    for (i, &a) in corners.iter().enumerate() {
        let b = corners[(i + 1) % corners.len()];
        if (a.y <= y) == (b.y <= y) {
            continue;
        }
        let x = a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y);
        span = Some(span.map_or((x, x), |(left, right)| (left.min(x), right.max(x))));
    }
    span
}

/// Adds one scan line's share to the pixels between `left` and `right`.
fn cover(row: &mut [f32], left: f32, right: f32) {
    let first = left.floor().max(0.0) as usize;
    let last = (right.ceil().max(0.0) as usize).min(row.len());
    for (x, value) in row.iter_mut().enumerate().take(last).skip(first) {
        let inside = right.min(x as f32 + 1.0) - left.max(x as f32);
        *value += inside.clamp(0.0, 1.0) / LINES as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square() -> Vec<Point2> {
        [(2.0, 2.0), (8.0, 2.0), (8.0, 6.0), (2.0, 6.0), (5.0, 4.0)]
            .map(|(x, y)| Point2::new(x, y))
            .to_vec()
    }

    #[test]
    fn the_hull_leaves_inner_points_out() {
        let corners = hull(&square());
        assert_eq!(corners.len(), 4);
        assert!(!corners.contains(&Point2::new(5.0, 4.0)));
    }

    #[test]
    fn the_mask_of_a_box_is_the_box() {
        let mask = hull_mask(&square(), 10, 8);
        for y in 0..8 {
            for x in 0..10 {
                let inside = (2..8).contains(&x) && (2..6).contains(&y);
                let gap = (mask.get(x, y) - f32::from(u8::from(inside))).abs();
                assert!(gap < 1e-5, "({x}, {y}): {}", mask.get(x, y));
            }
        }
    }

    #[test]
    fn the_mask_of_half_a_pixel_is_a_half() {
        let corners = [(0.0, 0.0), (2.5, 0.0), (2.5, 1.0), (0.0, 1.0)];
        let mask = hull_mask(&corners.map(|(x, y)| Point2::new(x, y)), 4, 1);
        assert!((mask.get(2, 0) - 0.5).abs() < 1e-5);
    }

    #[test]
    fn a_line_and_a_face_outside_cover_nothing() {
        let line = [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)].map(|(x, y)| Point2::new(x, y));
        assert!(hull(&line).is_empty());
        let outside = square()
            .iter()
            .map(|p| Point2::new(p.x + 50.0, p.y - 90.0))
            .collect::<Vec<_>>();
        assert!(
            hull_mask(&outside, 10, 8)
                .values()
                .iter()
                .all(|&v| v <= 0.0)
        );
    }
}
