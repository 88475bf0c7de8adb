//! What a face did over a clip, as everything that is written says it.

use effigy_face::pose::Rotation;
use effigy_face::rig::{Gaze, N_EXPRESSIONS, Pose, arkit, relative};

/// What a face did over a clip.
#[derive(Clone, Debug)]
pub struct Take {
    /// Frame by frame; where the face was not seen, what it did last.
    pub frames: Vec<Moved>,
    /// Frames a second, on average.
    pub fps: f64,
}

/// What a face did in a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// When.
    pub time_secs: f64,
    /// Whether the face was seen; else what follows is from the frame before.
    pub is_seen: bool,
    /// ARKit's coefficients.
    pub weights: [f32; 52],
    /// Where the eyes look, the right one first.
    pub gaze: [Gaze; 2],
    /// How the head is turned; axes x to the picture's right, y down, z away from the camera.
    pub rotation: Rotation,
    /// Where the head is, in centimetres from the camera: x to the picture's right, y up, z towards
    /// the camera.
    pub position: [f32; 3],
}

/// One frame on its way.
pub(super) struct Playing<'t> {
    pub(super) frame: &'t Moved,
    pub(super) index: usize,
    /// Frames a second, on average.
    pub(super) fps: f64,
    /// Since the first frame was played.
    pub(super) secs: f32,
}

/// The focal length that is assumed, as a share of the picture's longer side: 45° are seen.
const FOCAL: f32 = 1.2;

impl Take {
    /// Gathers solved frames; `at_rest` is what the face does when it does nothing.
    pub(super) fn new(
        solved: Vec<(f64, Option<Pose>)>,
        at_rest: &[f32; N_EXPRESSIONS],
        size: [f32; 2],
    ) -> Self {
        let first = solved.iter().find_map(|(_, pose)| pose.as_ref());
        let mut last = first.map(|pose| Moved::new(0.0, pose, at_rest, size));
        let mut frames = Vec::with_capacity(solved.len());
        for (time_secs, pose) in &solved {
            if let Some(pose) = pose {
                last = Some(Moved::new(*time_secs, pose, at_rest, size));
            }
            if let Some(last) = &last {
                frames.push(Moved {
                    time_secs: *time_secs,
                    is_seen: pose.is_some(),
                    ..last.clone()
                });
            }
        }
        let fps = match (frames.first(), frames.last()) {
            (Some(a), Some(b)) if b.time_secs > a.time_secs => {
                (frames.len() - 1) as f64 / (b.time_secs - a.time_secs)
            }
            _ => 25.0,
        };
        Self { frames, fps }
    }

    /// Nothing.
    pub(super) fn empty() -> Self {
        Self {
            frames: Vec::new(),
            fps: 0.0,
        }
    }

    /// In how many frames the face was not seen.
    pub(super) fn n_unseen(&self) -> usize {
        self.frames.iter().filter(|frame| !frame.is_seen).count()
    }
}

impl Moved {
    /// What a face does in a frame of this size, as it differs from what it does at rest.
    pub(super) fn new(
        time_secs: f64,
        pose: &Pose,
        at_rest: &[f32; N_EXPRESSIONS],
        [width, height]: [f32; 2],
    ) -> Self {
        let scale = pose.head.scale.max(1e-3);
        let [x, y, _] = pose.head.shift;
        Self {
            time_secs,
            is_seen: true,
            weights: arkit(&relative(&pose.weights, at_rest)),
            gaze: pose.gaze,
            rotation: pose.head.rotation,
            position: [
                (x - 0.5 * width) / scale,
                (0.5 * height - y) / scale,
                -FOCAL * width.max(height) / scale,
            ],
        }
    }

    /// Yaw, pitch and roll of the head in degrees: right in the picture, up, and clockwise.
    pub fn angles(&self) -> [f32; 3] {
        let pose = effigy_face::pose::angles(&self.rotation);
        [pose.yaw, pose.pitch, pose.roll]
    }
}

/// A turn as a quaternion: x, y, z, w. The largest part is found first, so that nothing is divided by
/// a small number.
pub(super) fn quaternion(r: &Rotation) -> [f32; 4] {
    let trace = r[0][0] + r[1][1] + r[2][2];
    let squares = [r[0][0], r[1][1], r[2][2], trace];
    let largest = (0..4).fold(
        0,
        |best, i| if squares[i] > squares[best] { i } else { best },
    );
    let raw = match largest {
        0 => [
            1.0 + 2.0 * r[0][0] - trace,
            r[0][1] + r[1][0],
            r[0][2] + r[2][0],
            r[2][1] - r[1][2],
        ],
        1 => [
            r[0][1] + r[1][0],
            1.0 + 2.0 * r[1][1] - trace,
            r[1][2] + r[2][1],
            r[0][2] - r[2][0],
        ],
        2 => [
            r[0][2] + r[2][0],
            r[1][2] + r[2][1],
            1.0 + 2.0 * r[2][2] - trace,
            r[1][0] - r[0][1],
        ],
        _ => [
            r[2][1] - r[1][2],
            r[0][2] - r[2][0],
            r[1][0] - r[0][1],
            1.0 + trace,
        ],
    };
    let length = raw.iter().map(|c| c * c).sum::<f32>().sqrt();
    raw.map(|c| c / length)
}

/// The turn of an eye in its head, in the axes of [`Moved::rotation`].
pub(super) fn eye_rotation(gaze: Gaze) -> Rotation {
    effigy_face::pose::facing(effigy_face::pose::Pose {
        yaw: gaze.yaw,
        pitch: gaze.pitch,
        roll: 0.0,
    })
}

/// The same turn where y points up and z towards the camera.
pub(super) fn upright(r: &Rotation) -> Rotation {
    let sign = [1.0, -1.0, -1.0];
    std::array::from_fn(|i| std::array::from_fn(|k| sign[i] * r[i][k] * sign[k]))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A face that opens its mouth: closed, half, closed, and so on.
    pub(in crate::jobs::track) fn take(n: usize) -> Take {
        let jaw = effigy_face::rig::expression("jawOpen");
        let pose = |n: usize| {
            let mut weights = [0.0; N_EXPRESSIONS];
            weights[jaw] = if n % 2 == 1 { 0.5 } else { 0.0 };
            Pose {
                weights,
                gaze: [Gaze::default(); 2],
                head: effigy_face::rig::Placement {
                    scale: 20.0,
                    shift: [320.0, 180.0, 0.0],
                    ..Default::default()
                },
                residual: 0.01,
            }
        };
        let solved = (0..n).map(|n| (n as f64 / 25.0, Some(pose(n)))).collect();
        Take::new(solved, &[0.0; N_EXPRESSIONS], [640.0, 360.0])
    }

    #[test]
    fn a_face_that_is_gone_keeps_what_it_did() {
        let seen = take(2);
        let mut solved: Vec<(f64, Option<Pose>)> = vec![(0.0, None)];
        let pose = Pose {
            weights: [0.25; N_EXPRESSIONS],
            gaze: [Gaze::default(); 2],
            head: effigy_face::rig::Placement::default(),
            residual: 0.0,
        };
        solved.push((0.04, Some(pose)));
        solved.push((0.08, None));
        let gone = Take::new(solved, &[0.0; N_EXPRESSIONS], [640.0, 360.0]);
        assert_eq!((gone.frames.len(), gone.n_unseen()), (3, 2));
        assert_eq!(gone.frames[0].weights, gone.frames[2].weights);
        assert!((seen.fps - 25.0).abs() < 1e-9);
        // Twenty pixels a centimetre in a picture of 640 pixels: 38 cm away.
        assert!((seen.frames[0].position[2] + 38.4).abs() < 0.1);
    }

    #[test]
    fn quaternions_turn_as_their_matrices_do() {
        for gaze in [(0.0, 0.0), (30.0, 0.0), (-40.0, 20.0), (170.0, -60.0)] {
            let (yaw, pitch) = gaze;
            let r = eye_rotation(Gaze { yaw, pitch });
            let [x, y, z, w] = quaternion(&r);
            let back = [
                1.0 - 2.0 * (y * y + z * z),
                2.0 * (x * y - w * z),
                2.0 * (x * z + w * y),
            ];
            for (a, b) in back.iter().zip(r[0]) {
                assert!((a - b).abs() < 1e-5, "{gaze:?}: {back:?} {:?}", r[0]);
            }
        }
    }

    #[test]
    fn an_eye_that_looks_right_and_up_points_there() {
        let r = eye_rotation(Gaze {
            yaw: 30.0,
            pitch: 10.0,
        });
        // The front of an eye is at -z.
        let front = [-r[0][2], -r[1][2], -r[2][2]];
        assert!(
            front[0] > 0.4 && front[1] < -0.1 && front[2] < -0.8,
            "{front:?}"
        );
    }
}
