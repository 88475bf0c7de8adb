//! Which of the faces in a frame is followed.

use std::collections::BTreeSet;

use effigy_face::Face;

/// Follows the face that is the largest at first, and the largest again where it is lost.
#[derive(Clone, Debug, Default)]
pub(super) struct Following {
    track: Option<u32>,
    last_seen_secs: f64,
    others: BTreeSet<u32>,
    taken_up_secs: Vec<f64>,
}

/// More often is not told.
const MOST_TOLD: usize = 100;

impl Following {
    /// The face that was followed before, else the largest.
    pub(super) fn choose<'f>(&mut self, faces: &'f [Face], secs: f64) -> Option<&'f Face> {
        let again = faces.iter().find(|face| Some(face.track) == self.track);
        let largest = || {
            let by_size = |a: &&Face, b: &&Face| a.rect.area().total_cmp(&b.rect.area());
            faces.iter().max_by(by_size)
        };
        let face = again.or_else(largest)?;
        self.follow(face.track, secs);
        let others = faces.iter().filter(|other| other.track != face.track);
        self.others.extend(others.map(|other| other.track));
        Some(face)
    }

    fn follow(&mut self, track: u32, secs: f64) {
        let is_another = self.track.is_some_and(|before| before != track);
        if is_another && self.taken_up_secs.len() < MOST_TOLD {
            self.taken_up_secs.push(secs);
        }
        // Who was beside the face before and is followed now is no other.
        self.others.remove(&track);
        self.track = Some(track);
        self.last_seen_secs = secs;
    }

    /// How long the face was not seen, in seconds.
    pub(super) fn gone_secs(&self, secs: f64) -> f64 {
        secs - self.last_seen_secs
    }

    /// How many other faces were seen beside it.
    pub(super) fn n_others(&self) -> usize {
        self.others.len()
    }

    /// When one was taken up anew.
    pub(super) fn taken_up_secs(&self) -> &[f64] {
        &self.taken_up_secs
    }
}

#[cfg(test)]
mod tests {
    use effigy_frame::{Picture, Rect, Similarity};

    use super::*;

    fn face(track: u32, side: f32) -> Face {
        Face {
            track,
            points: Vec::new(),
            rect: Rect {
                x: 0.0,
                y: 0.0,
                width: side,
                height: side,
            },
            score: 1.0,
            crop: Picture::filled(1, 1, [0; 3]),
            frame_from_crop: Similarity::IDENTITY,
        }
    }

    #[test]
    fn the_largest_is_followed_until_it_is_lost() {
        let mut following = Following::default();
        let mut choose = |faces: &[Face], secs| {
            let chosen = following.choose(faces, secs).map(|face| face.track);
            (chosen, following.n_others(), following.taken_up_secs.len())
        };
        assert_eq!(choose(&[], 0.0), (None, 0, 0));
        assert_eq!(
            choose(&[face(0, 40.0), face(1, 90.0)], 1.0),
            (Some(1), 1, 0)
        );
        assert_eq!(
            choose(&[face(0, 95.0), face(1, 60.0)], 2.0),
            (Some(1), 1, 0)
        );
        assert_eq!(choose(&[face(0, 95.0)], 3.0), (Some(0), 0, 1));
        assert_eq!(choose(&[face(2, 50.0)], 4.0), (Some(2), 0, 2));
        assert_eq!(following.taken_up_secs(), [3.0, 4.0]);
        assert!((following.gone_secs(4.5) - 0.5).abs() < 1e-9);
    }
}
