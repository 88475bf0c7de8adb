//! Which way a head is turned: the rotation that lays the mean mesh on a face's mesh.
//!
//! Weak perspective: depth has the scale of the picture, so the face is a turned, scaled and
//! shifted copy of the mean mesh. The rotation is Horn's closed form ("Closed-form solution of
//! absolute orientation using unit quaternions", JOSA A 1987) over points that move with the head.

use effigy_frame::Point3;
use effigy_model::mean_mesh;

use crate::landmarks::RIGID_POINTS;

/// Where a head is turned, in degrees, as the camera sees it; all zero when it faces the camera.
///
/// The rotation is `turn(yaw) · nod(pitch) · tilt(roll)`: tilt first, then nod, then turn.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pose {
    /// Positive when the face looks towards the picture's right edge (the subject's left).
    pub yaw: f32,
    /// Positive when the face looks up.
    pub pitch: f32,
    /// Positive when the head is tilted clockwise in the picture.
    pub roll: f32,
}

/// A rotation as a matrix: `rotated[i] = Σ rotation[i][k] · v[k]`, axes x right, y down, z away.
pub type Rotation = [[f32; 3]; 3];

/// Gives the pose of the face with these mesh points, in a frame or any upright view of it.
///
/// # Panics
/// If `points` is not a whole mesh.
pub fn pose(points: &[Point3]) -> Pose {
    angles(&rotation(points))
}

/// Gives the rotation from the mean mesh to the face with these mesh points.
///
/// # Panics
/// If `points` is not a whole mesh.
pub fn rotation(points: &[Point3]) -> Rotation {
    rotation_of(points, &RIGID_POINTS)
}

/// Gives the rotation that lays these points of the mean mesh on those of the face.
///
/// # Panics
/// If `points` is not a whole mesh.
pub fn rotation_of(points: &[Point3], indices: &[usize]) -> Rotation {
    let mean = mean_mesh();
    let from: Vec<[f64; 3]> = indices.iter().map(|&i| wide(mean[i])).collect();
    let to: Vec<[f64; 3]> = indices.iter().map(|&i| wide(points[i])).collect();
    let (from_middle, to_middle) = (middle(&from), middle(&to));
    let mut spread = [[0.0_f64; 3]; 3];
    for (f, t) in from.iter().zip(&to) {
        for (i, row) in spread.iter_mut().enumerate() {
            for (k, cell) in row.iter_mut().enumerate() {
                *cell += (f[i] - from_middle[i]) * (t[k] - to_middle[k]);
            }
        }
    }
    from_quaternion(best_quaternion(&spread))
}

/// Takes a rotation apart into the angles of a [`Pose`].
pub fn angles(rotation: &Rotation) -> Pose {
    // The third column, reversed, is where the nose points.
    let [look_x, look_y, look_z] = [-rotation[0][2], -rotation[1][2], -rotation[2][2]];
    Pose {
        yaw: look_x.atan2(-look_z).to_degrees(),
        pitch: (-look_y).clamp(-1.0, 1.0).asin().to_degrees(),
        roll: rotation[1][0].atan2(rotation[1][1]).to_degrees(),
    }
}

/// Gives the rotation that has these angles: the way back from [`angles`].
pub fn facing(angles: Pose) -> Rotation {
    let (sin_yaw, cos_yaw) = angles.yaw.to_radians().sin_cos();
    let (sin_pitch, cos_pitch) = angles.pitch.to_radians().sin_cos();
    let (sin_roll, cos_roll) = angles.roll.to_radians().sin_cos();
    // First up about x, then to the right about y: what looks away from us along -z.
    let looking = [
        [cos_yaw, sin_yaw * sin_pitch, -sin_yaw * cos_pitch],
        [0.0, cos_pitch, sin_pitch],
        [sin_yaw, -cos_yaw * sin_pitch, cos_yaw * cos_pitch],
    ];
    let rolled = [
        [cos_roll, -sin_roll, 0.0],
        [sin_roll, cos_roll, 0.0],
        [0.0, 0.0, 1.0],
    ];
    times(&looking, &rolled)
}

/// The turn that first does `b`, then `a`.
pub fn times(a: &Rotation, b: &Rotation) -> Rotation {
    a.map(|row| [0, 1, 2].map(|k| row[0] * b[0][k] + row[1] * b[1][k] + row[2] * b[2][k]))
}

/// The turn back.
pub fn reversed(turn: &Rotation) -> Rotation {
    [0, 1, 2].map(|i| [0, 1, 2].map(|k| turn[k][i]))
}

/// Rodrigues' formula: the turn about an axis by its length in radians.
pub fn turn_by(axis: [f32; 3]) -> Rotation {
    let angle = axis.iter().map(|a| a * a).sum::<f32>().sqrt();
    let [x, y, z] = axis.map(|a| a / angle.max(1e-9));
    let (sin, cos) = angle.sin_cos();
    let rest = 1.0 - cos;
    [
        [
            cos + x * x * rest,
            x * y * rest - z * sin,
            x * z * rest + y * sin,
        ],
        [
            y * x * rest + z * sin,
            cos + y * y * rest,
            y * z * rest - x * sin,
        ],
        [
            z * x * rest - y * sin,
            z * y * rest + x * sin,
            cos + z * z * rest,
        ],
    ]
}

/// The axis of a turn, as long as its angle in radians: what [`turn_by`] takes. A half turn has two,
/// and gives none.
pub fn axis_of(turn: &Rotation) -> [f32; 3] {
    let axis = [
        turn[2][1] - turn[1][2],
        turn[0][2] - turn[2][0],
        turn[1][0] - turn[0][1],
    ];
    let sin = 0.5 * axis.iter().map(|a| a * a).sum::<f32>().sqrt();
    let cos = 0.5 * (turn[0][0] + turn[1][1] + turn[2][2] - 1.0);
    let angle = sin.atan2(cos);
    axis.map(|a| a * angle / (2.0 * sin).max(1e-9))
}

fn wide(point: Point3) -> [f64; 3] {
    [f64::from(point.x), f64::from(point.y), f64::from(point.z)]
}

fn middle(points: &[[f64; 3]]) -> [f64; 3] {
    let n = points.len() as f64;
    std::array::from_fn(|i| points.iter().map(|p| p[i]).sum::<f64>() / n)
}

/// Horn's symmetric 4 × 4 matrix; its eigenvector with the largest eigenvalue is the rotation.
fn best_quaternion(s: &[[f64; 3]; 3]) -> [f64; 4] {
    let [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]] = *s;
    let matrix = [
        [xx + yy + zz, yz - zy, zx - xz, xy - yx],
        [yz - zy, xx - yy - zz, xy + yx, zx + xz],
        [zx - xz, xy + yx, yy - xx - zz, yz + zy],
        [xy - yx, zx + xz, yz + zy, zz - xx - yy],
    ];
    largest_eigenvector(matrix)
}

/// Jacobi's method: turns the matrix in one plane after another until it is diagonal.
fn largest_eigenvector(mut m: [[f64; 4]; 4]) -> [f64; 4] {
    let mut vectors: [[f64; 4]; 4] =
        std::array::from_fn(|i| std::array::from_fn(|k| f64::from(u8::from(i == k))));
    for _sweep in 0..SWEEPS {
        for p in 0..3 {
            for q in p + 1..4 {
                turn_plane(&mut m, &mut vectors, p, q);
            }
        }
    }
    let largest = (0..4).fold(0, |best, i| if m[i][i] > m[best][best] { i } else { best });
    std::array::from_fn(|i| vectors[i][largest])
}

/// Convergence is quadratic; five sweeps reach machine precision for any 4 × 4 matrix.
const SWEEPS: usize = 8;

fn turn_plane(m: &mut [[f64; 4]; 4], vectors: &mut [[f64; 4]; 4], p: usize, q: usize) {
    if m[p][q].abs() < f64::MIN_POSITIVE {
        return;
    }
    let angle = 0.5 * (2.0 * m[p][q]).atan2(m[q][q] - m[p][p]);
    let (sin, cos) = angle.sin_cos();
    for row in m.iter_mut().chain(vectors.iter_mut()) {
        let (a, b) = (row[p], row[q]);
        row[p] = cos * a - sin * b;
        row[q] = sin * a + cos * b;
    }
    let (a, b) = (m[p], m[q]);
    m[p] = std::array::from_fn(|k| cos * a[k] - sin * b[k]);
    m[q] = std::array::from_fn(|k| sin * a[k] + cos * b[k]);
}

fn from_quaternion([w, x, y, z]: [f64; 4]) -> Rotation {
    [
        [
            1.0 - 2.0 * (y * y + z * z),
            2.0 * (x * y - w * z),
            2.0 * (x * z + w * y),
        ],
        [
            2.0 * (x * y + w * z),
            1.0 - 2.0 * (x * x + z * z),
            2.0 * (y * z - w * x),
        ],
        [
            2.0 * (x * z - w * y),
            2.0 * (y * z + w * x),
            1.0 - 2.0 * (x * x + y * y),
        ],
    ]
    .map(|row| row.map(|v| v as f32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landmarks::{CHIN, LOWER_LIP_OUTER, NOSE_TIP, between_eyes};

    /// The mean mesh, tilted, nodded and turned by these degrees, somewhere in a frame.
    fn posed(pose: Pose) -> Vec<Point3> {
        let [yaw, pitch, roll] = [pose.yaw, pose.pitch, pose.roll].map(f32::to_radians);
        let move_point = |p: &Point3| {
            let (x, y) = (
                p.x * roll.cos() - p.y * roll.sin(),
                p.x * roll.sin() + p.y * roll.cos(),
            );
            // Looking up carries the nose (negative z) upwards (negative y).
            let (y, z) = (
                y * pitch.cos() + p.z * pitch.sin(),
                p.z * pitch.cos() - y * pitch.sin(),
            );
            // Looking right carries the nose (negative z) to the right (positive x).
            let (x, z) = (x * yaw.cos() - z * yaw.sin(), z * yaw.cos() + x * yaw.sin());
            Point3::new(320.0 + 90.0 * x, 240.0 + 90.0 * y, 90.0 * z)
        };
        mean_mesh().iter().map(move_point).collect()
    }

    #[test]
    fn a_head_has_the_angles_it_faces() {
        for (yaw, pitch, roll) in [(0.0, 0.0, 0.0), (35.0, -20.0, 10.0), (-60.0, 40.0, 170.0)] {
            let found = angles(&facing(Pose { yaw, pitch, roll }));
            for (found, given) in [(found.yaw, yaw), (found.pitch, pitch), (found.roll, roll)] {
                assert!((found - given).abs() < 1e-3, "{found}, not {given}");
            }
        }
    }

    #[test]
    fn a_known_pose_is_recovered() {
        for (yaw, pitch, roll) in [
            (0.0, 0.0, 0.0),
            (35.0, 0.0, 0.0),
            (-60.0, 10.0, 5.0),
            (20.0, -25.0, 170.0),
            (0.0, 40.0, -45.0),
        ] {
            let known = Pose { yaw, pitch, roll };
            let found = pose(&posed(known));
            let gaps = [found.yaw - yaw, found.pitch - pitch, found.roll - roll];
            let worst = gaps.into_iter().map(f32::abs).fold(0.0, f32::max);
            assert!(worst < 0.01, "{known:?} became {found:?}"); // f32 rounding of 400 px
        }
    }

    #[test]
    fn yaw_is_positive_when_the_nose_moves_right() {
        let straight = posed(Pose::default());
        let turned = posed(Pose {
            yaw: 30.0,
            ..Pose::default()
        });
        let nose_offset = |points: &[Point3]| points[NOSE_TIP].x - between_eyes(points).x;
        assert!(nose_offset(&turned) > nose_offset(&straight) + 10.0);
        assert!(pose(&turned).yaw > 29.0);
    }

    #[test]
    fn pitch_is_positive_when_the_nose_moves_up() {
        let up = posed(Pose {
            pitch: 20.0,
            ..Pose::default()
        });
        assert!(up[NOSE_TIP].y < posed(Pose::default())[NOSE_TIP].y - 5.0);
        assert!(pose(&up).pitch > 19.0);
    }

    #[test]
    fn a_turn_has_the_axis_that_it_was_made_of() {
        let axis = [0.3, -0.5, 0.2];
        let turn = turn_by(axis);
        for (found, wanted) in axis_of(&turn).into_iter().zip(axis) {
            assert!((found - wanted).abs() < 1e-5, "{found} {wanted}");
        }
        let nothing = axis_of(&times(&turn, &reversed(&turn)));
        assert!(nothing.iter().all(|a| a.abs() < 1e-5), "{nothing:?}");
    }

    #[test]
    fn an_open_mouth_does_not_nod_the_head() {
        let mut points = posed(Pose::default());
        for i in [LOWER_LIP_OUTER, 84, 314, CHIN, 148, 377, 175, 199, 200] {
            points[i].y += 25.0;
        }
        assert!(pose(&points).pitch.abs() < 0.01);
    }
}
