//! How people move: what everyone shares, and how alike a person is to themselves and to strangers.
//!
//! Each real clip is split in the middle: the first half is the reference, the second halves of
//! all clips are compared with it. What everyone shares is taken from all people but the two.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use effigy_detect::Unfit;
use effigy_detect::motion::{MotionStatistics, MotionTrace, N_PAIRS, Window, signature};
use effigy_face::{Observation, TrackSettings};
use effigy_media::{Limits, VideoReader};
use effigy_pipeline::scan::cut_out;
use effigy_pipeline::{Followed, Follower, Networks};

use crate::data::footage::{Footage, Truth, footage};
use crate::statistics::Judged;

/// One real clip.
pub(crate) struct Clip {
    person: String,
    name: String,
    first: Vec<f32>,
    second: Vec<f32>,
}

/// Measures every real clip that is long enough.
pub(crate) fn clips(data: &Path, networks: &Networks) -> Result<Vec<Clip>> {
    let mut clips = Vec::new();
    for footage in footage(data)? {
        let is_video = footage.name.starts_with("video/") || footage.name.contains("dfl-pairs");
        if footage.truth == Truth::Real && is_video {
            clips.extend(halves(&footage, windows(&footage, networks)?));
        }
    }
    Ok(clips)
}

/// Names everyone in the clips.
pub(crate) fn people(clips: &[Clip]) -> BTreeSet<&str> {
    clips.iter().map(|c| c.person.as_str()).collect()
}

/// The windows of the face that is seen longest.
fn windows(footage: &Footage, networks: &Networks) -> Result<Vec<Window>> {
    let window = footage.window;
    let reader = VideoReader::open(&footage.path, &Limits::default())?;
    let frames = reader.map(move |frame| Ok(cut_out(frame?, window)));
    let mut seen: BTreeMap<u32, (u32, MotionTrace)> = BTreeMap::new();
    let mut follower = Follower::new(networks, TrackSettings::default())?;
    follower.follow(frames, &mut |followed| {
        let Followed { frame, faces } = followed?;
        for face in &faces {
            let observed = Observation::new(&frame, face);
            let (n_frames, trace) = seen.entry(face.track).or_default();
            *n_frames += 1;
            if Unfit::of(&observed).is_none() {
                trace.look(&observed);
            }
        }
        Ok(())
    })?;
    let longest = seen.into_values().max_by_key(|(n_frames, _)| *n_frames);
    Ok(longest.map_or_else(Vec::new, |(_, trace)| trace.windows()))
}

/// Splits a clip where no window reaches over. `None` for clips that are too short.
fn halves(footage: &Footage, windows: Vec<Window>) -> Option<Clip> {
    let (first, last) = (windows.first()?.from_secs, windows.last()?.from_secs);
    let middle = 0.5 * (first + last + effigy_detect::motion::WINDOW_SECS);
    let ends = |w: &&Window| w.from_secs + effigy_detect::motion::WINDOW_SECS <= middle;
    let begins = |w: &&Window| middle <= w.from_secs;
    let first: Vec<Window> = windows.iter().filter(ends).cloned().collect();
    let second: Vec<Window> = windows.iter().filter(begins).cloned().collect();
    Some(Clip {
        person: footage.group.clone(),
        name: footage.name.clone(),
        first: signature(&first)?,
        second: signature(&second)?,
    })
}

/// Who is compared with whom.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    SameClip,
    OtherClip,
    Stranger,
}

impl Kind {
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::SameClip => "second halves with the first half of the same clip",
            Self::OtherClip => "second halves with the first half of another clip of the person",
            Self::Stranger => "strangers",
        }
    }
}

/// A second half and the first half that it was compared with.
pub(crate) struct Compared {
    pub(crate) kind: Kind,
    pub(crate) judged: Judged,
}

/// Compares all second halves with all first halves.
pub(crate) fn compare(clips: &[Clip], people: &BTreeSet<&str>) -> Vec<Compared> {
    let mut compared = Vec::new();
    for reference in clips {
        let group = people.iter().position(|p| *p == reference.person);
        for probe in clips {
            let kind = if reference.name == probe.name {
                Kind::SameClip
            } else if reference.person == probe.person {
                Kind::OtherClip
            } else {
                Kind::Stranger
            };
            let others = |c: &&Clip| c.person != reference.person && c.person != probe.person;
            let statistics = MotionStatistics {
                made_from: String::new(),
                same: [0.0; 2],
                strangers: [0.0; 2],
                mean: mean_over_people(clips.iter().filter(others)),
            };
            let judged = Judged {
                score: f64::from(statistics.likeness(&reference.first, &probe.second)),
                fake: kind != Kind::Stranger,
                group: group.unwrap_or_default(),
            };
            compared.push(Compared { kind, judged });
        }
    }
    compared
}

/// The mean over people, each counting once.
fn mean_over_people<'a>(clips: impl Iterator<Item = &'a Clip>) -> Vec<f32> {
    let mut by_person: BTreeMap<&str, (Vec<f32>, f32)> = BTreeMap::new();
    for clip in clips {
        let none = || (vec![0.0; N_PAIRS], 0.0);
        let (sum, n) = by_person.entry(&clip.person).or_insert_with(none);
        *n += 2.0;
        for (k, sum) in sum.iter_mut().enumerate() {
            *sum += clip.first[k] + clip.second[k];
        }
    }
    let n = by_person.len().max(1) as f32;
    let mean = |k: usize| by_person.values().map(|(sum, n)| sum[k] / n).sum::<f32>() / n;
    (0..N_PAIRS).map(mean).collect()
}

/// Fits what is shared by all, and how alike halves of one person and of strangers are.
pub(crate) fn fit(
    clips: &[Clip],
    people: &BTreeSet<&str>,
    compared: &[Compared],
) -> MotionStatistics {
    let of = |wanted: &dyn Fn(Kind) -> bool| {
        let chosen = compared.iter().filter(|c| wanted(c.kind));
        let values: Vec<f64> = chosen.map(|c| c.judged.score).collect();
        let n = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / n;
        let square = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        [mean as f32, square.sqrt() as f32]
    };
    MotionStatistics {
        made_from: format!(
            "{} real clips of {} people in ../shared/data, dfl-pairs and video",
            clips.len(),
            people.len()
        ),
        same: of(&|kind| kind != Kind::Stranger),
        strangers: of(&|kind| kind == Kind::Stranger),
        mean: mean_over_people(clips.iter()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::auc;

    fn clip(person: &str, name: &str, own: usize) -> Clip {
        let of = |at: usize, strength: f32| {
            let mut values = vec![0.1; N_PAIRS];
            values[own] += strength;
            values[at] += 0.2;
            values
        };
        Clip {
            person: person.to_owned(),
            name: name.to_owned(),
            first: of(50, 1.0),
            second: of(60, 0.8),
        }
    }

    #[test]
    fn people_who_move_in_ways_of_their_own_are_told_apart() {
        let clips = [
            clip("a", "a1", 1),
            clip("a", "a2", 1),
            clip("b", "b", 2),
            clip("c", "c", 3),
        ];
        let people: BTreeSet<&str> = ["a", "b", "c"].into();
        let compared = compare(&clips, &people);
        assert_eq!(compared.len(), 16);
        let count = |kind| compared.iter().filter(|c| c.kind == kind).count();
        assert_eq!([count(Kind::SameClip), count(Kind::OtherClip)], [4, 2]);
        let judged: Vec<Judged> = compared.iter().map(|c| c.judged).collect();
        assert_eq!(auc(&judged), Some(1.0));
        assert!(
            (mean_over_people(clips.iter())[1] - (0.1 + 0.9 / 3.0)).abs() < 1e-6,
            "each person once"
        );
    }
}
