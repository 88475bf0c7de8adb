//! What is best kept of a person of whom there are several pictures: one mean, or several templates.

use std::collections::BTreeMap;

use effigy_model::Identity;
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use super::faces::KnownFace;
use super::rates::Pairs;

/// Pictures that are kept of a person, and of whoever claims to be them.
const N_PICTURES: usize = 4;
/// How often the pictures are drawn.
const N_DRAWS: u64 = 10;
/// Rates of false matches; there are too few people for rarer ones.
const RATES: [f64; 2] = [0.01, 0.001];

/// How alike the pictures kept of a person are to the mean of others.
type Likeness = fn(&[Identity], &Identity) -> f32;

/// What may be kept.
const KEPT: [(&str, Likeness); 4] = [
    ("their mean", to_mean),
    ("all four, the nearest counts", to_nearest),
    ("all four, on average", on_average),
    ("two means, the nearer counts", to_nearer_mean),
];

/// Prints how many people are known again by four pictures from four others.
pub(super) fn report(chosen_on: &[&KnownFace], reported: &[&KnownFace]) {
    println!("\nof {N_PICTURES} pictures kept, against the mean of {N_PICTURES} others:");
    for (name, likeness) in KEPT {
        let [chosen_on, pairs] = [chosen_on, reported].map(|faces| pairs(faces, likeness));
        let rates = RATES.iter().filter_map(|&rate| {
            let threshold = chosen_on.threshold_at(rate)?;
            let (wrong, right) = (pairs.false_rate(threshold), pairs.true_rate(threshold));
            Some(format!("; FMR {wrong:.5} TAR {right:.3}"))
        });
        let (same, different) = (pairs.same.len(), pairs.different.len());
        let rates: String = rates.collect();
        println!("{name} ({same} same, {different} different){rates}");
    }
}

fn pairs(faces: &[&KnownFace], likeness: Likeness) -> Pairs {
    let mut people: BTreeMap<&str, Vec<Identity>> = BTreeMap::new();
    for face in faces {
        let theirs = people.entry(&face.person).or_default();
        theirs.push(face.identity.clone());
    }
    people.retain(|_, faces| 2 * N_PICTURES <= faces.len());
    let (mut same, mut different) = (Vec::new(), Vec::new());
    for seed in 0..N_DRAWS {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        people
            .values_mut()
            .for_each(|faces| faces.shuffle(&mut random));
        let asked = people.iter().filter_map(|(name, faces)| {
            let mean = Identity::mean(&faces[N_PICTURES..2 * N_PICTURES])?;
            Some((name, mean))
        });
        for (asked, mean) in asked {
            for (kept, faces) in &people {
                let alike = likeness(&faces[..N_PICTURES], &mean);
                let to = if kept == asked {
                    &mut same
                } else {
                    &mut different
                };
                to.push(alike);
            }
        }
    }
    same.sort_by(f32::total_cmp);
    different.sort_by(f32::total_cmp);
    Pairs { same, different }
}

fn to_mean(kept: &[Identity], asked: &Identity) -> f32 {
    Identity::mean(kept).map_or(f32::MIN, |mean| mean.similarity(asked))
}

fn to_nearest(kept: &[Identity], asked: &Identity) -> f32 {
    let alike = kept.iter().map(|one| one.similarity(asked));
    alike.fold(f32::MIN, f32::max)
}

fn on_average(kept: &[Identity], asked: &Identity) -> f32 {
    let alike = kept.iter().map(|one| one.similarity(asked));
    alike.sum::<f32>() / kept.len() as f32
}

/// The two that are least alike lead a group each, and the others join the one they are nearer to.
fn to_nearer_mean(kept: &[Identity], asked: &Identity) -> f32 {
    let pairs = kept.iter().flat_map(|a| kept.iter().map(move |b| (a, b)));
    let farthest = pairs.min_by(|(a, b), (c, d)| a.similarity(b).total_cmp(&c.similarity(d)));
    let Some((one, other)) = farthest else {
        return f32::MIN;
    };
    let (some, others): (Vec<Identity>, Vec<Identity>) = kept
        .iter()
        .cloned()
        .partition(|face| other.similarity(face) < one.similarity(face));
    to_mean(&some, asked).max(to_mean(&others, asked))
}
