//! How well the tracks of several people are joined into people, as `faces` does.
//!
//! Each scene puts together tracks of a few people, each of whom is seen twice: pairs of tracks that
//! are joined should be one person's, and those of one person should be joined.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use effigy_face::people::{SeenTogether, TrackIdentity, join};
use effigy_model::Identity;
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use super::identity::faces::{KnownFace, known_faces};
use crate::data::people::is_tuning;
use crate::device::DeviceArgs;

/// Where to compute.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
}

/// People in a scene, and faces that make up a track.
const N_PEOPLE: usize = 6;
const N_FACES: usize = 4;
const N_SCENES: usize = 200;

/// Prints pairwise precision and recall at each threshold.
pub(crate) fn measure(data: &Path, args: &Args) -> Result<()> {
    let networks = args.device.networks()?;
    let faces = known_faces(data, &networks.face_embedder, &networks.segmenter()?)?;
    let mut people: BTreeMap<&str, Vec<&KnownFace>> = BTreeMap::new();
    for face in faces
        .iter()
        .filter(|face| face.has_one_owner() && !is_tuning(&face.person))
    {
        people.entry(&face.person).or_default().push(face);
    }
    people.retain(|_, faces| 2 * N_FACES <= faces.len());
    let people: Vec<Vec<&KnownFace>> = people.into_values().collect();
    println!(
        "{N_SCENES} scenes of {N_PEOPLE} of {} people, each in two tracks",
        people.len()
    );
    for threshold in networks.weights.identity_scale().thresholds {
        let (mut joined, mut right, mut wanted) = (0, 0, 0);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..N_SCENES {
            let mut chosen: Vec<usize> = (0..people.len()).collect();
            chosen.shuffle(&mut random);
            let mut tracks = Vec::new();
            for (number, &i) in chosen[..N_PEOPLE].iter().enumerate() {
                let mut faces = people[i].clone();
                faces.shuffle(&mut random);
                for (half, faces) in faces.chunks_exact(N_FACES).take(2).enumerate() {
                    tracks.extend(track(2 * number + half, faces));
                }
            }
            let persons = join(&tracks, &SeenTogether::new(), threshold.similarity);
            for person in persons {
                for (k, a) in person.tracks.iter().enumerate() {
                    for b in &person.tracks[..k] {
                        joined += 1;
                        right += usize::from(a / 2 == b / 2);
                    }
                }
            }
            wanted += N_PEOPLE;
        }
        println!(
            "at one false match in {:.0}: precision {:.3}, recall {:.3}",
            1.0 / threshold.false_match_rate,
            f64::from(right as u32) / f64::from(joined as u32),
            f64::from(right as u32) / f64::from(wanted as u32),
        );
    }
    Ok(())
}

fn track(number: usize, faces: &[&KnownFace]) -> Option<TrackIdentity> {
    Some(TrackIdentity {
        track: number as u32,
        identity: Identity::mean(faces.iter().map(|face| &face.identity))?,
        n_frames: 100,
    })
}
