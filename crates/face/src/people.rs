//! Who is who: joins tracks into people by their identities.
//!
//! Tracks are taken from the surest on; each joins the person it resembles most, if it resembles
//! that person enough and the two were never seen at the same time. People that turn out alike
//! are then joined as well. The result depends on nothing but the input.

use std::collections::BTreeSet;

use effigy_model::Identity;

/// What is known about one track.
#[derive(Clone, Debug)]
pub struct TrackIdentity {
    /// The track's number.
    pub track: u32,
    /// Who it looks like: the average over a few good crops.
    pub identity: Identity,
    /// How much it counts: how often the face was seen.
    pub n_frames: u64,
}

/// One person: all tracks that show the same face.
#[derive(Clone, Debug)]
pub struct Person {
    /// The tracks, in ascending order.
    pub tracks: Vec<u32>,
    /// The average identity over the tracks.
    pub identity: Identity,
    /// Frames over all tracks.
    pub n_frames: u64,
}

/// Pairs of tracks seen in one frame, the smaller number first: they cannot be one person.
pub type SeenTogether = BTreeSet<(u32, u32)>;

/// Joins tracks into people, the most seen first.
///
/// `least_similarity` is the cosine similarity from which two faces count as one person.
pub fn join(
    tracks: &[TrackIdentity],
    together: &SeenTogether,
    least_similarity: f32,
) -> Vec<Person> {
    let mut sorted: Vec<&TrackIdentity> = tracks.iter().collect();
    sorted.sort_by_key(|t| (std::cmp::Reverse(t.n_frames), t.track));
    let mut people: Vec<Person> = Vec::new();
    for track in sorted {
        let alone = Person {
            tracks: vec![track.track],
            identity: track.identity.clone(),
            n_frames: track.n_frames,
        };
        match closest(&people, &alone, together, least_similarity) {
            Some(i) => absorb(&mut people[i], alone),
            None => people.push(alone),
        }
    }
    join_alike(&mut people, together, least_similarity);
    people.sort_by_key(|p| (std::cmp::Reverse(p.n_frames), p.tracks[0]));
    people
}

/// Joins people as long as two of them are alike.
fn join_alike(people: &mut Vec<Person>, together: &SeenTogether, least_similarity: f32) {
    let mut i = 0;
    while i < people.len() {
        let person = people[i].clone();
        match closest(&people[..i], &person, together, least_similarity) {
            Some(earlier) => {
                people.remove(i);
                absorb(&mut people[earlier], person);
                i = 0;
            }
            None => i += 1,
        }
    }
}

/// Finds whom `candidate` resembles most, among those it can be.
fn closest(
    people: &[Person],
    candidate: &Person,
    together: &SeenTogether,
    least_similarity: f32,
) -> Option<usize> {
    let similarity = |person: &Person| person.identity.similarity(&candidate.identity);
    let possible = people.iter().enumerate().filter(|(_, person)| {
        similarity(person) >= least_similarity && !met(person, candidate, together)
    });
    possible
        .max_by(|(_, a), (_, b)| similarity(a).total_cmp(&similarity(b)))
        .map(|(i, _)| i)
}

fn met(a: &Person, b: &Person, together: &SeenTogether) -> bool {
    let pair = |x: u32, y: u32| (x.min(y), x.max(y));
    let mut pairs = a
        .tracks
        .iter()
        .flat_map(|&x| b.tracks.iter().map(move |&y| pair(x, y)));
    pairs.any(|pair| together.contains(&pair))
}

fn absorb(person: &mut Person, other: Person) {
    let (a, b) = (person.n_frames as f32, other.n_frames as f32);
    let mean = |i: usize| (a * person.identity.0[i] + b * other.identity.0[i]) / (a + b);
    person.identity = Identity(std::array::from_fn(mean));
    person.n_frames += other.n_frames;
    person.tracks.extend(other.tracks);
    person.tracks.sort_unstable();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A track that looks `angle` radians away from person 0 towards person 1.
    fn track(track: u32, angle: f32, n_frames: u64) -> TrackIdentity {
        let mut values = [0.0; 128];
        (values[0], values[1]) = (angle.cos(), angle.sin());
        TrackIdentity {
            track,
            identity: Identity::from_values(values).unwrap(),
            n_frames,
        }
    }

    fn check(tracks: &[TrackIdentity], together: &[(u32, u32)], wanted: &[&[u32]]) {
        let together = together.iter().copied().collect();
        let people = join(tracks, &together, 0.8);
        let groups: Vec<&[u32]> = people.iter().map(|p| &p.tracks[..]).collect();
        assert_eq!(groups, wanted);
        let mut backwards = tracks.to_vec();
        backwards.reverse();
        let again = join(&backwards, &together, 0.8);
        let groups: Vec<&[u32]> = again.iter().map(|p| &p.tracks[..]).collect();
        assert_eq!(groups, wanted, "the order of the tracks must not matter");
    }

    #[test]
    fn alike_tracks_become_one_person_the_most_seen_first() {
        let tracks = [track(0, 0.0, 10), track(1, 1.5, 50), track(2, 0.2, 5)];
        check(&tracks, &[], &[&[1], &[0, 2]]);
    }

    #[test]
    fn twins_seen_together_stay_two() {
        let tracks = [track(0, 0.0, 10), track(1, 0.05, 9)];
        check(&tracks, &[], &[&[0, 1]]);
        check(&tracks, &[(0, 1)], &[&[0], &[1]]);
    }

    #[test]
    fn nobody_gives_nobody() {
        check(&[], &[], &[]);
    }
}
