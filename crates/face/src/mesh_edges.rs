//! Which points of the mesh to join by lines when it is drawn.
//!
//! The net is the Delaunay triangulation of the mean mesh seen from the front (Bowyer, Watson,
//! both in The Computer Journal 1981), with the eyes and the mouth left open.

use effigy_frame::Point2;
use effigy_model::mean_mesh;

use crate::landmarks::{
    FACE_RIM, INNER_LIPS, LEFT_EYE, LEFT_EYE_RIM, N_SKIN_POINTS, OUTER_LIPS, RIGHT_EYE,
    RIGHT_EYE_RIM,
};

/// Two points of the mesh, by number, that are joined by a line.
pub type MeshEdge = (usize, usize);

/// Gives the lines of the features: outline, eyes, irises and lips.
pub fn features() -> Vec<MeshEdge> {
    let rims: [&[usize]; 7] = [
        &FACE_RIM,
        &RIGHT_EYE_RIM,
        &LEFT_EYE_RIM,
        &OUTER_LIPS,
        &INNER_LIPS,
        &RIGHT_EYE.iris_rim,
        &LEFT_EYE.iris_rim,
    ];
    rims.iter().flat_map(|rim| closed(rim)).collect()
}

/// Gives the lines of the whole net, features included, irises left out.
pub fn net() -> Vec<MeshEdge> {
    let points: Vec<Point2> = mean_mesh()[..N_SKIN_POINTS]
        .iter()
        .map(|p| p.xy())
        .collect();
    let holes = [&RIGHT_EYE_RIM[..], &LEFT_EYE_RIM, &INNER_LIPS];
    let mut edges: Vec<MeshEdge> = triangles(&points)
        .iter()
        .flat_map(|&[a, b, c]| [(a, b), (b, c), (c, a)])
        .map(|(a, b)| (a.min(b), a.max(b)))
        .filter(|edge| !holes.iter().any(|rim| crosses(rim, *edge)))
        .collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}

fn closed(rim: &[usize]) -> impl Iterator<Item = MeshEdge> {
    (0..rim.len()).map(|i| (rim[i], rim[(i + 1) % rim.len()]))
}

/// Whether an edge joins two points of a rim that are not neighbours on it.
fn crosses(rim: &[usize], (a, b): MeshEdge) -> bool {
    let place = |point| rim.iter().position(|&p| p == point);
    match (place(a), place(b)) {
        (Some(a), Some(b)) => !matches!(a.abs_diff(b), 1 | 0) && a.abs_diff(b) != rim.len() - 1,
        _ => false,
    }
}

/// Triangulates points so that no triangle's circle holds another point.
fn triangles(points: &[Point2]) -> Vec<[usize; 3]> {
    let n = points.len();
    let mut all = points.to_vec();
    // A triangle around everything; its corners are taken away at the end.
    all.extend([(-100.0, -90.0), (100.0, -90.0), (0.0, 120.0)].map(|(x, y)| Point2::new(x, y)));
    let mut triangles = vec![[n, n + 1, n + 2]];
    for i in 0..n {
        let (bad, mut kept): (Vec<_>, Vec<_>) = triangles
            .into_iter()
            .partition(|&t| circle_holds(&all, t, all[i]));
        let edges: Vec<MeshEdge> = bad
            .iter()
            .flat_map(|&[a, b, c]| [(a, b), (b, c), (c, a)])
            .collect();
        let rim = edges.iter().filter(|&&(a, b)| !edges.contains(&(b, a)));
        kept.extend(rim.map(|&(a, b)| [a, b, i]));
        triangles = kept;
    }
    triangles.retain(|t| t.iter().all(|&corner| corner < n));
    triangles
}

/// Whether `p` lies within the circle through the corners of a triangle (clockwise on screen).
fn circle_holds(points: &[Point2], triangle: [usize; 3], p: Point2) -> bool {
    let rows = triangle.map(|i| {
        let (x, y) = (
            f64::from(points[i].x) - f64::from(p.x),
            f64::from(points[i].y) - f64::from(p.y),
        );
        [x, y, x * x + y * y]
    });
    let [a, b, c] = rows;
    let determinant = a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0])
        + a[2] * (b[0] * c[1] - b[1] * c[0]);
    determinant > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landmarks::{LOWER_LIP_INNER, UPPER_LIP_INNER};

    #[test]
    fn the_net_holds_the_features_and_leaves_the_mouth_open() {
        let net = net();
        let has = |a: usize, b: usize| net.contains(&(a.min(b), a.max(b)));
        // Euler: a triangulation of n points has fewer than 3n edges, and nearly that many.
        assert!((1200..1404).contains(&net.len()), "{}", net.len());
        let held = closed(&RIGHT_EYE_RIM).filter(|&(a, b)| has(a, b)).count();
        assert!(held >= 14, "{held} of 16 lines of the eye's rim");
        assert!(
            !has(UPPER_LIP_INNER, LOWER_LIP_INNER),
            "the upper lip must not be sewn to the lower"
        );
    }

    #[test]
    fn a_square_becomes_two_triangles() {
        let square = [(0.0, 0.0), (1.0, 0.1), (1.1, 1.0), (0.0, 1.0)];
        assert_eq!(triangles(&square.map(|(x, y)| Point2::new(x, y))).len(), 2);
    }
}
