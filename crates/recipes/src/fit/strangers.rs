//! Makes faces of nobody: strangers, by which the crowding of a face's surroundings is measured.
//!
//! Each is midway between two people of the training split who look alike, so that it is no real
//! person's vector. Only people with a single picture are taken: evaluations need those with several.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use burn::tensor::f16;
use effigy_face::align::identity_crop;
use effigy_files::{sha256, write_atomically};
use effigy_model::{FaceEmbedder, Identity, N_DIRECTIONS, N_STRANGERS, Weights};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::data::people::{self, Sample, Split};
use crate::device::DeviceArgs;

/// What strangers are made of: all that there is, old portraits among it. Whoever is like nobody of
/// them is taken for others too often.
const SOURCES: [&str; 8] = [
    "congress",
    "senate",
    "interfaces",
    "lfw-grey",
    "ytf",
    "voteview-bio_guide",
    "voteview-manual",
    "voteview-wiki",
];

/// Makes the strangers and writes them to `output`.
pub(crate) fn make(data: &Path, output: &Path, device: &DeviceArgs) -> Result<()> {
    let weights = Weights::from_source_tree()?;
    let face_embedder = FaceEmbedder::load_bare(&weights, &device.open()?)?;
    let samples = people::read(data, Split::Train, |source| SOURCES.contains(&source))?;
    let singles = with_one_picture(&samples);
    let crops = singles.iter();
    let crops = crops.filter_map(|sample| identity_crop(&sample.picture, &sample.points));
    let faces: Vec<Identity> = crops
        .flat_map(|crop| face_embedder.embed(std::slice::from_ref(&crop)))
        .collect();
    let strangers = midway(&faces);
    ensure!(
        strangers.len() == N_STRANGERS,
        "{} strangers came of {} faces, and {N_STRANGERS} are expected",
        strangers.len(),
        faces.len()
    );
    let half = |value: &f32| f16::from_f32(*value).to_le_bytes();
    // A layer's weights: one row for each number, one column for each stranger.
    let row = |i: usize| strangers.iter().map(move |stranger| &stranger[i]);
    let bytes: Vec<u8> = (0..N_DIRECTIONS).flat_map(row).flat_map(half).collect();
    let view = TensorView::new(Dtype::F16, vec![N_DIRECTIONS, N_STRANGERS], &bytes)?;
    let file = safetensors::serialize([("vectors.weight", view)], None)?;
    write_atomically(output, &file).with_context(|| format!("cannot write {output:?}"))?;
    println!(
        "{N_STRANGERS} strangers of {} faces, written to {}; sha256 = \"{}\"",
        faces.len(),
        output.display(),
        sha256(&file)
    );
    Ok(())
}

fn with_one_picture(samples: &[Sample]) -> Vec<&Sample> {
    let mut n_pictures: BTreeMap<&str, usize> = BTreeMap::new();
    for sample in samples {
        *n_pictures.entry(&sample.person).or_default() += 1;
    }
    let is_single = |sample: &&Sample| n_pictures[sample.person.as_str()] == 1;
    samples.iter().filter(is_single).collect()
}

/// Pairs the faces, the most alike first, and gives the directions midway.
fn midway(faces: &[Identity]) -> Vec<Vec<f32>> {
    let mut pairs: Vec<(f32, usize, usize)> = (0..faces.len())
        .flat_map(|i| (0..i).map(move |k| (k, i)))
        .map(|(k, i)| (faces[k].similarity(&faces[i]), k, i))
        .collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut is_taken = vec![false; faces.len()];
    let mut strangers = Vec::new();
    for (_, k, i) in pairs {
        if is_taken[k] || is_taken[i] {
            continue;
        }
        (is_taken[k], is_taken[i]) = (true, true);
        let both = faces[k].direction().iter().zip(faces[i].direction());
        let sum: Vec<f32> = both.map(|(a, b)| a + b).collect();
        let length = sum.iter().map(|v| v * v).sum::<f32>().sqrt();
        strangers.push(sum.iter().map(|v| v / length).collect());
    }
    strangers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faces_that_look_alike_are_paired_and_none_twice() {
        let face = |angle: f32| {
            let mut values = [0.0; N_DIRECTIONS];
            (values[0], values[1]) = (angle.cos(), angle.sin());
            Identity::from_values(values).unwrap()
        };
        let strangers = midway(&[face(0.0), face(1.0), face(0.1), face(1.3), face(0.06)]);
        let angles: Vec<f32> = strangers.iter().map(|v| v[1].atan2(v[0])).collect();
        assert_eq!(angles.len(), 2);
        assert!((angles[0] - 0.08).abs() < 1e-3, "{angles:?}");
        assert!((angles[1] - 1.15).abs() < 1e-3, "{angles:?}");
    }
}
