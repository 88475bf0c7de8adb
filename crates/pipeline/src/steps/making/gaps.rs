//! Bridging short gaps in a track: a face that is lost for a moment was there in between.
//!
//! Frames wait while a wanted face is missing. When it comes back on the same track, its points
//! are interpolated linearly; when it stays away, the frames are passed on as they are.

use effigy_frame::{Frame, Point3};

use crate::steps::people::FacePoints;

/// Most frames that wait.
const MOST_FRAMES: usize = 10;

/// A frame with its wanted faces.
pub(super) type Ready = (Frame, Vec<FacePoints>);

/// Frames that wait for a face to come back.
#[derive(Default)]
pub(super) struct Gaps {
    /// The wanted faces of the frame before those that wait.
    before: Vec<FacePoints>,
    waiting: Vec<Ready>,
}

impl Gaps {
    /// Takes the next frame; gives those that need not wait any longer, in their order.
    pub(super) fn take(&mut self, frame: Frame, faces: Vec<FacePoints>) -> Vec<Ready> {
        let is_there = |face: &FacePoints| faces.iter().any(|other| other.track == face.track);
        let is_complete = self.before.iter().all(is_there);
        self.waiting.push((frame, faces));
        if is_complete {
            self.bridge();
        } else if self.waiting.len() < MOST_FRAMES {
            return Vec::new();
        }
        self.rest()
    }

    /// Gives the frames that still wait.
    pub(super) fn rest(&mut self) -> Vec<Ready> {
        if let Some((_, faces)) = self.waiting.last() {
            self.before.clone_from(faces);
        }
        std::mem::take(&mut self.waiting)
    }

    /// Puts the faces before and after the gap into the frames between.
    fn bridge(&mut self) {
        let Some(((_, after), between)) = self.waiting.split_last_mut() else {
            return;
        };
        let n = between.len() + 1;
        for face in &self.before {
            let Some(later) = after.iter().find(|other| other.track == face.track) else {
                continue;
            };
            for (i, (_, faces)) in between.iter_mut().enumerate() {
                if faces.iter().all(|other| other.track != face.track) {
                    faces.push(face.towards(later, (i + 1) as f32 / n as f32));
                }
            }
        }
    }
}

impl FacePoints {
    fn towards(&self, later: &Self, share: f32) -> Self {
        let pairs = self.points.iter().zip(&later.points);
        let between = |(a, b): (&Point3, &Point3)| {
            let mix = |a: f32, b: f32| a + share * (b - a);
            Point3::new(mix(a.x, b.x), mix(a.y, b.y), mix(a.z, b.z))
        };
        Self {
            track: self.track,
            points: pairs.map(between).collect(),
        }
    }
}

/// The faces on some tracks.
pub(super) fn wanted(mut faces: Vec<FacePoints>, tracks: &[u32]) -> Vec<FacePoints> {
    faces.retain(|face| tracks.contains(&face.track));
    faces
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_frame::{Picture, Rational, Timestamp};

    fn frame(index: u64) -> Frame {
        Frame {
            index,
            time: Timestamp {
                ticks: index as i64,
                base: Rational::new(1, 25),
            },
            picture: Picture::filled(2, 2, [0; 3]),
        }
    }

    fn at(track: u32, x: f32) -> FacePoints {
        FacePoints {
            track,
            points: vec![Point3::new(x, 0.0, 0.0)],
        }
    }

    /// Takes frames with these faces; gives the index and the faces of what comes out, and how
    /// much came out at each.
    fn run(frames: &[Vec<FacePoints>]) -> (Vec<(u64, Vec<FacePoints>)>, Vec<usize>) {
        let (mut gaps, mut all, mut counts) = (Gaps::default(), Vec::new(), Vec::new());
        for (i, faces) in frames.iter().enumerate() {
            let ready = gaps.take(frame(i as u64), faces.clone());
            counts.push(ready.len());
            all.extend(ready);
        }
        all.extend(gaps.rest());
        let plain = all.into_iter().map(|(frame, faces)| (frame.index, faces));
        (plain.collect(), counts)
    }

    #[test]
    fn short_gap_is_bridged_on_a_straight_line() {
        let frames = [vec![at(1, 0.0)], vec![], vec![], vec![at(1, 9.0)]];
        let (all, counts) = run(&frames);
        assert_eq!(counts, [1, 0, 0, 3]);
        let x: Vec<f32> = all.iter().map(|(_, faces)| faces[0].points[0].x).collect();
        assert_eq!(x, [0.0, 3.0, 6.0, 9.0]);
    }

    #[test]
    fn another_face_is_no_bridge_and_nothing_waits_for_long() {
        let mut frames = vec![vec![at(1, 0.0)]];
        frames.extend(std::iter::repeat_n(vec![at(2, 5.0)], 14));
        let (all, counts) = run(&frames);
        assert_eq!(counts.iter().filter(|&&n| n == 0).count(), MOST_FRAMES - 1);
        assert!(all[1..].iter().all(|(_, faces)| faces == &[at(2, 5.0)]));
        let order: Vec<u64> = all.iter().map(|(index, _)| *index).collect();
        assert_eq!(order, (0..15).collect::<Vec<_>>());
    }

    #[test]
    fn frames_without_anybody_pass_at_once() {
        let (_, counts) = run(&[vec![], vec![], vec![at(3, 1.0)], vec![at(3, 1.0)]]);
        assert_eq!(counts, [1; 4]);
    }
}
