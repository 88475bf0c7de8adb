//! What the bank does on what it was not fitted on: by kind, by known and unknown maker, by page.

use std::collections::BTreeMap;

use super::Clip;
use super::filters::{Scale, is_real_video};
use crate::data::footage::Kind;
use crate::statistics::{Interval, Judged, auc, with_interval};

const KINDS: [(Kind, &str); 4] = [
    (Kind::Swap, "swap"),
    (Kind::LipSync, "lip-sync"),
    (Kind::Talking, "talking head"),
    (Kind::Reenacted, "reenacted"),
];

/// Prints the tables: makers that other pages show too, and makers never met.
pub(super) fn print(clips: &[Clip], known: &[Vec<f32>], unknown: &[Vec<f32>]) {
    for (scores, name) in [
        (known, "Pages left out; their makers may stand on others"),
        (unknown, "Pages left out with all that their makers made"),
    ] {
        let scale = Scale::of(clips, scores);
        let loudest: Vec<f32> = scores
            .iter()
            .map(|scores| scale.apply(scores).into_iter().fold(f32::MIN, f32::max))
            .collect();
        println!("{name}");
        print_half(clips, &loudest, "all pages", &|_| true);
        print_half(clips, &loudest, "the half without the last choices", &|g| {
            !is_chosen_on(g)
        });
    }
}

/// Whether settings were chosen by what this page shows.
pub(crate) fn is_chosen_on(group: &str) -> bool {
    group
        .bytes()
        .map(usize::from)
        .sum::<usize>()
        .is_multiple_of(2)
}

fn print_half(clips: &[Clip], scores: &[f32], name: &str, wanted: &dyn Fn(&str) -> bool) {
    let chosen: Vec<(&Clip, f32)> = clips
        .iter()
        .zip(scores.iter().copied())
        .filter(|(clip, _)| wanted(&clip.group))
        .collect();
    println!("  {name}");
    let is_dfl = |clip: &Clip| clip.name.starts_with("dfl-pairs");
    for (kind, word) in KINDS {
        print_row(word, &chosen, &|clip| {
            let of_kind = clip.fake.as_ref().is_none_or(|fake| fake.kind == kind);
            of_kind && !is_dfl(clip)
        });
    }
    print_row("all but DeepFaceLab", &chosen, &|clip| !is_dfl(clip));
    print_row("DeepFaceLab, originals", &chosen, &is_dfl);
    print_row("DeepFaceLab, all real", &chosen, &|clip| {
        clip.fake.is_none() || is_dfl(clip)
    });
}

fn print_row(name: &str, clips: &[(&Clip, f32)], wanted: &dyn Fn(&Clip) -> bool) {
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    let mut judged = Vec::new();
    for (clip, score) in clips.iter().filter(|(clip, _)| wanted(clip)) {
        if clip.fake.is_none() && !is_real_video(clip) {
            continue;
        }
        let next = groups.len();
        judged.push(Judged {
            score: f64::from(*score),
            fake: clip.fake.is_some(),
            group: *groups.entry(&clip.group).or_insert(next),
        });
    }
    let (n_higher, n_pairs) = order(clips, wanted);
    let n_fake = judged.iter().filter(|j| j.fake).count();
    if let Some(Interval { value, low, high }) = with_interval(&judged, auc) {
        println!(
            "    {name:<24} AUC {value:.3} [{low:.3}, {high:.3}], {n_fake} fakes and {} real; order \
             right in {n_higher} of {n_pairs} pairs",
            judged.len() - n_fake
        );
    }
}

/// In how many pairs a fake scores higher than what it was made of.
fn order(clips: &[(&Clip, f32)], wanted: &dyn Fn(&Clip) -> bool) -> (usize, usize) {
    let (mut n_higher, mut n_pairs) = (0, 0);
    for (clip, score) in clips.iter().filter(|(clip, _)| wanted(clip)) {
        let original = clip.fake.as_ref().and_then(|fake| fake.original.as_deref());
        let original = clips
            .iter()
            .find(|(other, _)| Some(other.name.as_str()) == original);
        if let Some((_, of_original)) = original {
            n_pairs += 1;
            n_higher += usize::from(of_original < score);
        }
    }
    (n_higher, n_pairs)
}
