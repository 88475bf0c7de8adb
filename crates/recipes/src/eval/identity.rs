//! How well the identity network tells whether two faces are one person's.
//!
//! People of whom no picture went into anything that was learned, parted by a hash of their names: on
//! one half thresholds are chosen, on the other everything is reported. Where groups of people differ,
//! a threshold is chosen for the group that is confused most.

pub(super) mod faces;
mod rates;
mod several;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use effigy_face::recognise::TooLittle;
use effigy_frame::Picture;
use effigy_model::{FaceEmbedder, OcclusionSegmenter, PictureNet, Weights};

pub(crate) use crate::data::people::is_tuning;
use crate::device::DeviceArgs;
use faces::{KnownFace, known_faces};
use rates::{Pairs, likelihood_ratio, threshold_with_interval};

/// Where to compute, and what to write.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
    /// Write the pairs that are judged most wrongly as one picture: above, different people who
    /// look alike; below, one person who does not
    #[arg(long, value_name = "PNG")]
    sheet: Option<PathBuf>,
}

/// The rates of false matches that thresholds are chosen for.
const RATES: [f64; 3] = [0.01, 0.001, 0.0001];
/// A group of fewer people says nothing.
const LEAST_PEOPLE: usize = 25;

/// Prints accuracy, thresholds with their intervals, and the rates of each group of people.
pub(crate) fn measure(data: &Path, args: &Args) -> Result<()> {
    let weights = Weights::from_source_tree()?;
    let device = args.device.open()?;
    let face_embedder = FaceEmbedder::load(&weights, &device)?;
    let pictures = PictureNet::load(&weights, &device)?;
    let segmenter = OcclusionSegmenter::load(&weights, pictures, &device)?;
    let all = known_faces(data, &face_embedder, &segmenter)?;
    for why in TooLittle::ALL {
        let lacking = all.iter().filter(|face| face.too_little == Some(why));
        println!("{} of {} pictures: {why}", lacking.count(), all.len());
    }
    let tells = |face: &KnownFace| face.too_little.is_none();
    let told = |face: &KnownFace| tells(face) && face.has_one_owner();
    println!("\nchosen on one half of people, reported on the other:");
    accuracy("all pictures", &all, |_| true);
    accuracy("those that tell who it is", &all, tells);
    accuracy("of them, names of one person", &all, told);
    teacher(&all);
    let thresholds = choose(&half(&all, true, told))?;
    let reported = half(&all, false, told);
    groups(&reported, &thresholds);
    several::report(&half(&all, true, told), &reported);
    let (at, slope) = likelihood_ratio(&Pairs::by_similarity(&half(&all, true, told)))
        .context("there are too few pairs")?;
    println!("\nlikelihood_ratio = {{ at = {at:.4}, slope = {slope:.1} }}");
    if let Some(path) = &args.sheet {
        sheet(&reported).save(path)?;
    }
    Ok(())
}

/// The faces of one half of people that pass.
fn half(
    all: &[KnownFace],
    is_for_choice: bool,
    passes: impl Fn(&KnownFace) -> bool,
) -> Vec<&KnownFace> {
    let faces = all.iter();
    faces
        .filter(|face| is_tuning(&face.person) == is_for_choice && passes(face))
        .collect()
}

/// Prints how well pairs are told apart at thresholds of the other half of people.
fn accuracy(name: &str, all: &[KnownFace], passes: impl Fn(&KnownFace) -> bool) {
    let chosen_on = Pairs::by_similarity(&half(all, true, &passes));
    let pairs = Pairs::by_similarity(&half(all, false, &passes));
    report(name, &chosen_on, &pairs);
}

fn report(name: &str, chosen_on: &Pairs, pairs: &Pairs) {
    let rates = RATES.iter().filter_map(|&rate| {
        let threshold = chosen_on.threshold_at(rate)?;
        Some(format!(
            "; FMR {:.5} TAR {:.3}",
            pairs.false_rate(threshold),
            pairs.true_rate(threshold)
        ))
    });
    println!(
        "{name} ({} same, {} different): balanced accuracy {:.4}{}",
        pairs.same.len(),
        pairs.different.len(),
        pairs.accuracy(chosen_on.best_threshold()),
        rates.collect::<String>()
    );
}

/// Prints the same for what dlib's own program made of the pictures.
fn teacher(all: &[KnownFace]) {
    let [chosen_on, pairs] = [true, false].map(|is_for_choice| {
        let faces = half(all, is_for_choice, |face| face.teacher.is_some());
        Pairs::of(&faces, |a, b| {
            let both = a.teacher.iter().flatten().zip(b.teacher.iter().flatten());
            let squared: f32 = both.map(|(a, b)| (a - b).powi(2)).sum();
            Some(-squared.sqrt())
        })
    });
    report("dlib's own vectors, all pictures", &chosen_on, &pairs);
}

/// A group of people, by name.
type Group<'a> = (String, Vec<&'a KnownFace>);

/// The groups that hold enough people: everyone first.
fn grouped<'a>(faces: &[&'a KnownFace]) -> Vec<Group<'a>> {
    /// Lower limits of lightness of the cheeks, in degrees: very light and light, intermediate, tan,
    /// brown, dark.
    const TONES: [(&str, f32, f32); 5] = [
        ("light skin", 41.0, 90.0),
        ("intermediate skin", 28.0, 41.0),
        ("tan skin", 10.0, 28.0),
        ("brown skin", -10.0, 10.0),
        ("dark skin", -90.0, -10.0),
    ];
    let pick = |name: &str, passes: &dyn Fn(&KnownFace) -> bool| -> Group<'a> {
        let members = faces.iter().copied().filter(|face| passes(face));
        (name.to_owned(), members.collect())
    };
    let mut groups = vec![pick("everyone", &|_| true)];
    for (name, low, high) in TONES {
        groups.push(pick(name, &|face| {
            face.tone.is_some_and(|tone| low < tone && tone <= high)
        }));
    }
    for source in ["ytf", "lfw-grey", "voteview"] {
        groups.push(pick(source, &|face| face.source.starts_with(source)));
    }
    for (name, sex) in [("women", "f"), ("men", "m")] {
        groups.push(pick(name, &|face| face.sex == sex));
    }
    let n_people = |group: &Group<'_>| {
        let people: BTreeSet<&str> = group.1.iter().map(|face| face.person.as_str()).collect();
        people.len()
    };
    groups.retain(|group| LEAST_PEOPLE <= n_people(group));
    groups
}

/// Chooses the threshold for each rate: that of the group which needs the highest.
fn choose(faces: &[&KnownFace]) -> Result<Vec<f32>> {
    let groups = grouped(faces);
    println!("\nthresholds = [");
    let mut chosen = Vec::new();
    for rate in RATES {
        let of_group = |group: &Group<'_>| {
            let [value, low, high] = threshold_with_interval(&group.1, rate)?;
            Some((value, low, high, group.0.clone()))
        };
        let worst = groups.iter().filter_map(of_group);
        let (value, low, high, name) = worst
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .with_context(|| format!("there are too few pairs for a rate of {rate}"))?;
        println!(
            "    {{ false_match_rate = {rate}, similarity = {value:.3} }}, \
             # [{low:.3}, {high:.3}], chosen for {name}"
        );
        chosen.push(value);
    }
    println!("]");
    Ok(chosen)
}

/// Prints how often strangers within each group pass the thresholds.
fn groups(faces: &[&KnownFace], thresholds: &[f32]) {
    println!("\nfalse matches within groups, and same pairs that pass, at these thresholds:");
    for (name, members) in grouped(faces) {
        let pairs = Pairs::by_similarity(&members);
        let rates: Vec<String> = thresholds
            .iter()
            .map(|&threshold| {
                format!(
                    "{:.5} / {:.3}",
                    pairs.false_rate(threshold),
                    pairs.true_rate(threshold)
                )
            })
            .collect();
        println!(
            "{name}: {} ({} different, {} same)",
            rates.join(", "),
            pairs.different.len(),
            pairs.same.len()
        );
    }
}

/// The pairs that are judged most wrongly.
fn sheet(faces: &[&KnownFace]) -> image::RgbImage {
    const COLUMNS: u32 = 12;
    const ROWS: u32 = 6;
    let half = (COLUMNS / 2 * ROWS / 2) as usize;
    let mut pairs: Vec<(f32, &KnownFace, &KnownFace)> = Vec::new();
    for (i, a) in faces.iter().enumerate() {
        pairs.extend(
            faces[..i]
                .iter()
                .map(|b| (a.identity.similarity(&b.identity), *a, *b)),
        );
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let is_same = |pair: &&(f32, &KnownFace, &KnownFace)| pair.1.person == pair.2.person;
    let alike = pairs.iter().filter(|pair| !is_same(pair)).take(half);
    let unlike = pairs.iter().rev().filter(is_same).take(half);
    let shown: Vec<&Picture> = alike
        .chain(unlike)
        .flat_map(|(_, a, b)| [&a.crop, &b.crop])
        .collect();
    super::sheet(&shown, COLUMNS, ROWS)
}
