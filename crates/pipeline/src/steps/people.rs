//! Who appears in clips: a first pass that clusters the faces by identity, before anything is learned
//! or changed.
//!
//! A second pass over the same clips meets the same tracks: where the first kept what it followed,
//! the clips are only read again, not followed.

use std::collections::BTreeMap;
use std::sync::Arc;

use effigy_face::Observation;
use effigy_face::align::identity_crop;
use effigy_face::people::{self, SeenTogether, TrackIdentity};
use effigy_face::recognise::TooLittle;
use effigy_frame::{Frame, Point2, Point3};
use effigy_mark::consent::Template;
use effigy_model::weights::IdentityScale;
use effigy_model::{FaceEmbedder, Identity, OcclusionSegmenter};

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
    /// The middle of the face then, in pixels.
    pub(crate) place: Point2,
    pub(crate) n_frames: u64,
    /// Of crops spread over the track: those that tell who it is, or where there is none, others.
    pub(crate) identities: Vec<Identity>,
    /// Why none of its crops tells who it is, if so.
    pub(crate) too_little: Option<TooLittle>,
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
/// Most of those that are asked for of faces that hardly tell who it is, as long as no other is.
const MOST_POOR: usize = 4;
/// Aligned crops identified at once.
const BATCH: usize = 16;

/// Follows all faces in `clips` and identifies some of each track.
pub(crate) fn cluster_identities(
    clips: &Clips,
    networks: &Networks,
    progress: &mut dyn Progress,
) -> Result<IdentityClusters> {
    let segmenter = networks.segmenter()?;
    let mut notes = Notes::default();
    let (mut kept, mut n_kept, mut n_frames) = (Vec::new(), 0, 0);
    follow(clips, networks, progress, &mut |clip, frame, faces| {
        notes.take(clip, &frame, &faces, (&networks.face_embedder, &segmenter));
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
    /// How many crops of each track were kept so far.
    n_crops: BTreeMap<u32, usize>,
    /// When each track is to be looked at next, in its frames.
    due: BTreeMap<u32, u64>,
}

impl Notes {
    fn take(
        &mut self,
        clip: usize,
        frame: &Frame,
        faces: &[FacePoints],
        (face_embedder, segmenter): (&FaceEmbedder, &OcclusionSegmenter),
    ) {
        for face in faces {
            let number = face.track;
            let seen = Observation::of_points(frame, number, &face.points);
            let new = || Track {
                number,
                clip,
                from_secs: frame.time.secs(),
                place: seen.rect.centre(),
                n_frames: 0,
                identities: Vec::new(),
                too_little: None,
            };
            let track = self.tracks.entry(number).or_insert_with(new);
            track.n_frames += 1;
            self.look(number, &seen, segmenter);
            for other in faces.iter().filter(|other| number < other.track) {
                self.together.insert((number, other.track));
            }
        }
        if BATCH <= self.waiting.len() {
            self.identify(face_embedder);
        }
    }

    /// Keeps a crop of the face where one is due. While a track has none that tells who it is, poorer
    /// ones stand in.
    fn look(&mut self, number: u32, seen: &Observation<'_>, segmenter: &OcclusionSegmenter) {
        let Some(track) = self.tracks.get_mut(&number) else {
            return;
        };
        let n_crops = self.n_crops.entry(number).or_default();
        let due = self.due.entry(number).or_insert(1);
        if track.n_frames < *due || MOST_IDENTITIES <= *n_crops {
            return;
        }
        *due = track.n_frames + IDENTIFY_EVERY;
        let too_little = TooLittle::of(seen, segmenter);
        let is_first = *n_crops == 0;
        if too_little.is_some() {
            let is_poor = is_first || track.too_little.is_some();
            if !is_poor || MOST_POOR <= *n_crops {
                return;
            }
        } else if track.too_little.is_some() {
            // The first that tells who it is: the poorer ones are not needed any more.
            track.identities.clear();
            self.waiting.retain(|(other, _)| *other != number);
            *n_crops = 0;
        }
        if let Some(crop) = identity_crop(&seen.frame.picture, seen.points) {
            track.too_little = too_little;
            *n_crops += 1;
            self.waiting.push((number, crop));
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
    /// Why none of the crops tells who it is, if so.
    pub(crate) too_little: Option<TooLittle>,
    /// Who they are among the people seen.
    pub(crate) sight: Sight,
    /// The other people who were seen.
    pub(crate) others: Vec<Sight>,
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

/// Where a person is seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sight {
    /// Number of the clip they are first seen in, when, and where in the frame.
    pub(crate) clip: usize,
    pub(crate) from_secs: f64,
    pub(crate) place: Point2,
    /// In how many frames they are seen.
    pub(crate) n_frames: u64,
    /// Similarity to the template that was asked for.
    pub(crate) similarity: Option<f32>,
}

impl IdentityClusters {
    /// The person most similar to `template`, or the one seen most where there is none.
    ///
    /// Of a person with a template only those tracks are theirs that are themselves alike to it.
    pub(crate) fn choose(
        &self,
        template: Option<&Template>,
        scale: &IdentityScale,
    ) -> Option<Chosen> {
        let named = |track: &Track| {
            Some(TrackIdentity {
                track: track.number,
                identity: Identity::mean(&track.identities)?,
                n_frames: track.n_frames,
            })
        };
        let tracks: Vec<TrackIdentity> = self.tracks.iter().filter_map(named).collect();
        let people = people::join(&tracks, &self.together, scale.usual().similarity);
        let worth = |person: &people::Person| {
            template.map_or(person.n_frames as f32, |template| {
                template.similarity(&person.identity.0)
            })
        };
        let best = people.iter().max_by(|a, b| worth(a).total_cmp(&worth(b)))?;
        let is_alike = |track: &&TrackIdentity| {
            let alike = |template: &Template| template.similarity(&track.identity.0);
            template.is_none_or(|template| scale.lenient().similarity <= alike(template))
        };
        // Tracks that were not joined are theirs too where they are surely alike and never met.
        let mut all = best.tracks.clone();
        for other in people.iter().filter(|other| other.tracks != best.tracks) {
            let is_sure = template.is_some() && scale.strict().similarity <= worth(other);
            if is_sure && !self.met(&all, &other.tracks) {
                all.extend(&other.tracks);
            }
        }
        let theirs = tracks.iter().filter(|t| all.contains(&t.track));
        let mut numbers: Vec<u32> = theirs.filter(is_alike).map(|t| t.track).collect();
        if numbers.is_empty() {
            numbers.clone_from(&all);
        }
        let theirs = self.tracks.iter().filter(|t| numbers.contains(&t.number));
        let theirs: Vec<&Track> = theirs.collect();
        let others = people
            .iter()
            .filter(|other| !all.contains(&other.tracks[0]) && is_seen_long_enough(other, best));
        Some(Chosen {
            identities: told(&theirs),
            too_little: theirs.iter().map(|track| track.too_little).min().flatten(),
            sight: self.sight(best, template)?,
            others: others
                .filter_map(|other| self.sight(other, template))
                .collect(),
            tracks: numbers,
            kept: self.kept.clone(),
        })
    }

    /// Whether any of some tracks was seen at the same time as any of others.
    fn met(&self, some: &[u32], others: &[u32]) -> bool {
        let pairs = some
            .iter()
            .flat_map(|&a| others.iter().map(move |&b| (a, b)));
        let mut ordered = pairs.map(|(a, b)| (a.min(b), a.max(b)));
        ordered.any(|pair| self.together.contains(&pair))
    }

    /// Where and when a person is first seen.
    fn sight(&self, person: &people::Person, template: Option<&Template>) -> Option<Sight> {
        let theirs = |track: &&Track| person.tracks.contains(&track.number);
        let first = self.tracks.iter().find(theirs)?;
        Some(Sight {
            clip: first.clip,
            from_secs: first.from_secs,
            place: first.place,
            n_frames: person.n_frames,
            similarity: template.map(|template| template.similarity(&person.identity.0)),
        })
    }
}

/// The identities of one person's tracks: of those that tell who it is, where any does.
fn told(tracks: &[&Track]) -> Vec<Identity> {
    let tell = tracks.iter().filter(|track| track.too_little.is_none());
    let identities: Vec<Identity> = tell.flat_map(|track| track.identities.clone()).collect();
    if !identities.is_empty() {
        return identities;
    }
    let all = tracks.iter();
    all.flat_map(|track| track.identities.clone()).collect()
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
        Identity::from_values(values).unwrap()
    }

    fn cluster_identities(tracks: &[(u64, usize)]) -> IdentityClusters {
        let track = |(number, &(n_frames, axis)): (usize, &(u64, usize))| Track {
            number: number as u32,
            clip: number,
            from_secs: 1.5,
            place: Point2::new(40.0, 30.0),
            n_frames,
            identities: vec![along(axis); 3],
            too_little: None,
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
        let most_seen = seen.choose(None, &scale()).unwrap();
        assert_eq!(most_seen.tracks, [0]);
        let other = Sight {
            clip: 1,
            from_secs: 1.5,
            place: Point2::new(40.0, 30.0),
            n_frames: 60,
            similarity: None,
        };
        assert_eq!(most_seen.others, [other]);
        let template = Template::from_faces(&[along(1).0]).unwrap();
        let meant = seen.choose(Some(&template), &scale()).unwrap();
        assert_eq!((meant.tracks, meant.identities.len()), (vec![1, 3], 6));
        assert_eq!(meant.sight.similarity, Some(1.0));
        assert!(cluster_identities(&[]).choose(None, &scale()).is_none());
    }

    #[test]
    fn two_who_are_alike_are_one_person_unless_they_met() {
        // As alike to the template as the strict threshold asks, and less alike to each other.
        let between = |axis: usize| {
            let mut values = [0.0; 128];
            (values[0], values[axis]) = (0.95, (1.0_f32 - 0.95 * 0.95).sqrt());
            Identity::from_values(values).unwrap()
        };
        let mut seen = cluster_identities(&[(100, 0), (90, 0)]);
        for (track, axis) in seen.tracks.iter_mut().zip([1, 2]) {
            track.identities = vec![between(axis); 3];
        }
        let template = Template::from_faces(&[along(0).0]).unwrap();
        let chosen = seen.choose(Some(&template), &scale()).unwrap();
        assert_eq!((chosen.tracks.len(), chosen.others.len()), (2, 0));
        seen.together.insert((0, 1));
        let chosen = seen.choose(Some(&template), &scale()).unwrap();
        assert_eq!((chosen.tracks.len(), chosen.others.len()), (1, 1));
        assert!(scale().usual().similarity < chosen.others[0].similarity.unwrap());
    }

    #[test]
    fn faces_that_tell_who_it_is_come_before_those_that_do_not() {
        let mut seen = cluster_identities(&[(100, 0), (40, 0)]);
        seen.tracks[0].too_little = Some(TooLittle::Small);
        let chosen = seen.choose(None, &scale()).unwrap();
        assert_eq!((chosen.identities.len(), chosen.too_little), (3, None));
        seen.tracks[1].too_little = Some(TooLittle::Turned);
        let chosen = seen.choose(None, &scale()).unwrap();
        assert_eq!(chosen.identities.len(), 6);
        assert!(chosen.too_little.is_some());
    }

    fn scale() -> IdentityScale {
        Weights::from_source_tree().unwrap().identity_scale()
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
        let kept = kept.choose(None, &scale()).unwrap();
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
