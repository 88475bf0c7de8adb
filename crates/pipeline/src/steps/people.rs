//! Who appears in clips: a first pass that clusters the faces by identity, before anything is learned
//! or changed.
//!
//! A second pass over the same clips meets the same tracks: where the first kept what it followed,
//! the clips are only read again, not followed.

use std::collections::BTreeMap;
use std::sync::Arc;

use effigy_face::align::identity_crop;
use effigy_face::people::{self, SeenTogether, TrackIdentity};
use effigy_frame::{Frame, Point3};
use effigy_mark::consent::Template;
use effigy_model::{FaceEmbedder, Identity};

use crate::error::Result;
use crate::steps::damage::DamagedPlace;
use crate::steps::footage::{Clips, Followed};
use crate::steps::networks::Networks;
use crate::steps::progress::Progress;

/// A followed face in one frame.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FacePoints {
    pub(crate) track: u32,
    /// The mesh, in pixels of the frame.
    pub(crate) points: Vec<Point3>,
}

/// Is given the index of a clip, a frame of it, and the faces in the frame.
pub(crate) type Each<'a> = dyn FnMut(usize, Frame, Vec<FacePoints>) -> Result<()> + 'a;

/// The faces of all frames of some clips, in order; nothing where there were too many to keep.
type Kept = Option<Arc<Vec<Vec<FacePoints>>>>;

/// Most faces that are kept from one pass to the next: 60 MB.
const MOST_KEPT: usize = 10_000;

/// One face followed over time.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    pub(crate) number: u32,
    /// Number of the clip it is seen in.
    pub(crate) clip: usize,
    /// When it is first seen there.
    pub(crate) from_secs: f64,
    pub(crate) n_frames: u64,
    /// Of crops spread over the track.
    pub(crate) identities: Vec<Identity>,
}

/// The tracks of some clips, to be joined into people.
#[derive(Clone, Debug)]
pub(crate) struct IdentityClusters {
    pub(crate) tracks: Vec<Track>,
    /// How many frames were looked at.
    pub(crate) n_frames: u64,
    together: SeenTogether,
    kept: Kept,
}

/// Frames from one identity of a track to the next.
const IDENTIFY_EVERY: u64 = 12;
/// Most identities of one track.
const MOST_IDENTITIES: usize = 24;
/// Aligned crops identified at once.
const BATCH: usize = 16;

/// Follows all faces in `clips` and identifies some of each track.
pub(crate) fn cluster_identities(
    clips: &Clips,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<IdentityClusters> {
    let mut notes = Notes::default();
    let (mut kept, mut n_kept, mut n_frames) = (Vec::new(), 0, 0);
    follow(clips, networks, progress, &mut |clip, frame, faces| {
        notes.take(clip, &frame, &faces, &networks.face_embedder);
        n_frames += 1;
        n_kept += faces.len();
        if n_kept <= MOST_KEPT {
            kept.push(faces);
        } else {
            kept = Vec::new();
        }
        Ok(())
    })?;
    notes.identify(&networks.face_embedder);
    let tracks = notes.tracks.into_values().collect();
    Ok(IdentityClusters {
        tracks,
        n_frames,
        together: notes.together,
        kept: (n_kept <= MOST_KEPT).then(|| Arc::new(kept)),
    })
}

#[derive(Default)]
struct Notes {
    tracks: BTreeMap<u32, Track>,
    together: SeenTogether,
    /// Crops that wait to be identified, with their tracks.
    waiting: Vec<(u32, effigy_frame::Picture)>,
}

impl Notes {
    fn take(
        &mut self,
        clip: usize,
        frame: &Frame,
        faces: &[FacePoints],
        face_embedder: &FaceEmbedder,
    ) {
        for face in faces {
            let number = face.track;
            let new = Track {
                number,
                clip,
                from_secs: frame.time.secs(),
                n_frames: 0,
                identities: Vec::new(),
            };
            let track = self.tracks.entry(number).or_insert(new);
            track.n_frames += 1;
            let looks = track.identities.len() + self.waiting.len();
            let is_due = (track.n_frames - 1).is_multiple_of(IDENTIFY_EVERY);
            if is_due
                && looks < MOST_IDENTITIES
                && let Some(crop) = identity_crop(&frame.picture, &face.points)
            {
                self.waiting.push((number, crop));
            }
            for other in faces.iter().filter(|other| number < other.track) {
                self.together.insert((number, other.track));
            }
        }
        if BATCH <= self.waiting.len() {
            self.identify(face_embedder);
        }
    }

    fn identify(&mut self, face_embedder: &FaceEmbedder) {
        let (numbers, crops): (Vec<u32>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().unzip();
        for (number, identity) in numbers.into_iter().zip(face_embedder.embed(&crops)) {
            if let Some(track) = self.tracks.get_mut(&number) {
                track.identities.push(identity);
            }
        }
    }
}

/// Follows all faces in `clips` and gives each frame with its faces to `each`; returns what was left
/// out as damaged.
fn follow(
    clips: &Clips,
    networks: &Networks,
    progress: &mut dyn Progress,
    each: &mut Each<'_>,
) -> Result<Vec<DamagedPlace>> {
    clips.follow(networks, progress, &mut |clip, followed| {
        let Followed { frame, faces } = followed;
        let posed = faces.into_iter().map(|face| FacePoints {
            track: face.track,
            points: face.points,
        });
        each(clip, frame, posed.collect())
    })
}

/// One person, chosen among those in the clips.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) tracks: Vec<u32>,
    pub(crate) identities: Vec<Identity>,
    /// Similarity to the template in the consent; `None` where it has none.
    pub(crate) similarity: Option<f32>,
    /// The other people who were seen.
    pub(crate) others: Vec<OtherPerson>,
    kept: Kept,
}

impl Chosen {
    /// Gives each frame of `clips`, which must be those of the first pass, with its faces to `each`;
    /// returns what was left out as damaged.
    pub(crate) fn again(
        &self,
        clips: &Clips,
        networks: &Networks,
        progress: &mut dyn Progress,
        each: &mut Each<'_>,
    ) -> Result<Vec<DamagedPlace>> {
        let Some(kept) = &self.kept else {
            return follow(clips, networks, progress, each);
        };
        let mut kept = kept.iter();
        clips.read(progress, &mut |clip, frame| {
            each(clip, frame, kept.next().cloned().unwrap_or_default())
        })
    }
}

/// A person who was not chosen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OtherPerson {
    /// Number of the clip they are first seen in, and when.
    pub(crate) clip: usize,
    pub(crate) from_secs: f64,
    /// In how many frames they are seen.
    pub(crate) n_frames: u64,
}

impl IdentityClusters {
    /// The person most similar to `template`, or the one seen most where there is none.
    pub(crate) fn choose(
        &self,
        template: Option<&Template>,
        least_similarity: f32,
    ) -> Option<Chosen> {
        let named = |track: &Track| {
            let identity = Identity::mean(&track.identities)?;
            Some(TrackIdentity {
                track: track.number,
                identity,
                n_frames: track.n_frames,
            })
        };
        let tracks: Vec<TrackIdentity> = self.tracks.iter().filter_map(named).collect();
        let people = people::join(&tracks, &self.together, least_similarity);
        let similarity = |person: &people::Person| {
            template.map_or(person.n_frames as f32, |template| {
                template.similarity(&person.identity.0)
            })
        };
        let best = people
            .iter()
            .max_by(|a, b| similarity(a).total_cmp(&similarity(b)))?;
        let theirs = self
            .tracks
            .iter()
            .filter(|track| best.tracks.contains(&track.number));
        let others = people
            .iter()
            .filter(|other| other.tracks != best.tracks && is_seen_long_enough(other, best));
        Some(Chosen {
            tracks: best.tracks.clone(),
            identities: theirs.flat_map(|track| track.identities.clone()).collect(),
            similarity: template.map(|_| similarity(best)),
            others: others.filter_map(|other| self.first_sight(other)).collect(),
            kept: self.kept.clone(),
        })
    }

    /// Where and when a person is first seen.
    fn first_sight(&self, person: &people::Person) -> Option<OtherPerson> {
        let theirs = |track: &&Track| person.tracks.contains(&track.number);
        let first = self.tracks.iter().find(theirs)?;
        Some(OtherPerson {
            clip: first.clip,
            from_secs: first.from_secs,
            n_frames: person.n_frames,
        })
    }
}

/// Whether a person is seen long enough, compared with `best`, to be more than a false detection.
fn is_seen_long_enough(person: &people::Person, best: &people::Person) -> bool {
    let least = (best.n_frames / SHORTEST_SHARE).clamp(1, SHORTEST_FRAMES);
    least <= person.n_frames
}

/// A person seen in fewer frames than this, or this part of the main person's, is a glimpse.
const SHORTEST_FRAMES: u64 = 12;
const SHORTEST_SHARE: u64 = 10;

#[cfg(test)]
mod tests {
    use effigy_model::Weights;

    use super::*;
    use crate::steps::progress::Quiet;

    /// An identity vector that points along one axis.
    fn along(axis: usize) -> Identity {
        let mut values = [0.0; 128];
        values[axis] = 1.0;
        Identity(values)
    }

    fn cluster_identities(tracks: &[(u64, usize)]) -> IdentityClusters {
        let track = |(number, &(n_frames, axis)): (usize, &(u64, usize))| Track {
            number: number as u32,
            clip: number,
            from_secs: 1.5,
            n_frames,
            identities: vec![along(axis); 3],
        };
        let tracks = tracks.iter().enumerate().map(track).collect();
        IdentityClusters {
            tracks,
            n_frames: 100,
            together: SeenTogether::new(),
            kept: None,
        }
    }

    #[test]
    fn template_decides_who_is_chosen_and_glimpses_do_not_count() {
        let seen = cluster_identities(&[(100, 0), (40, 1), (3, 2), (20, 1)]);
        let most_seen = seen.choose(None, 0.5).unwrap();
        assert_eq!((most_seen.tracks, most_seen.similarity), (vec![0], None));
        let other = OtherPerson {
            clip: 1,
            from_secs: 1.5,
            n_frames: 60,
        };
        assert_eq!(most_seen.others, [other]);
        let template = Template::from_faces(&[along(1).0]).unwrap();
        let meant = seen.choose(Some(&template), 0.5).unwrap();
        assert_eq!((meant.tracks, meant.identities.len()), (vec![1, 3], 6));
        assert!(cluster_identities(&[]).choose(None, 0.5).is_none());
    }

    #[test]
    fn what_was_kept_is_what_would_be_followed_again() {
        let clip = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../testdata/actors/ada-1.mp4"
        );
        let clips = Clips {
            to_secs: Some(0.4),
            ..Clips::whole(vec![clip.into(), clip.into()])
        };
        let networks = Networks::load(
            &Weights::from_source_tree().unwrap(),
            effigy_model::device::Choice::Cpu,
        )
        .unwrap();
        let kept = super::cluster_identities(&clips, &networks, &mut Quiet).unwrap();
        let kept = kept.choose(None, 0.5).unwrap();
        let lost = Chosen {
            kept: None,
            ..kept.clone()
        };
        let [kept, followed] = [kept, lost].map(|chosen| {
            let mut all = Vec::new();
            let each = &mut |clip, frame: Frame, faces| {
                all.push((clip, frame.index, faces));
                Ok(())
            };
            chosen.again(&clips, &networks, &mut Quiet, each).unwrap();
            all
        });
        assert!(
            kept.iter()
                .any(|(clip, _, faces)| *clip == 1 && !faces.is_empty())
        );
        assert_eq!(kept, followed);
    }
}
