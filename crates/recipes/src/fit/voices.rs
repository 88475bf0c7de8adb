//! Finds what recordings do to voices, so that it can be left out when voices are compared.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use burn::tensor::f16;
use effigy_files::write_atomically;
use effigy_model::{N_NUISANCES, N_VOICE, Voice, VoiceSpace, Weights};
use effigy_sound::{Listener, Networks};
use nalgebra::DMatrix;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::data::speech::{Condition, Reader, readers};

/// Where to write it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where to write it
    #[arg(
        short,
        long,
        default_value = "crates/model/weights/voice-space.safetensors"
    )]
    output: PathBuf,
}

/// Writes the space that the readers who are not for reporting give.
pub(crate) fn make(data: &Path, args: &Args) -> Result<()> {
    let networks = networks()?;
    let readers = readers(data)?;
    let readers = readers.iter().filter(|reader| !reader.is_for_reporting());
    let voices: Vec<Vec<Voice>> = readers
        .map(|reader| voices(reader, &networks))
        .collect::<Result<_>>()?;
    let space = Space::of(&voices.iter().collect::<Vec<_>>());
    write_atomically(&args.output, &space.to_file()?)?;
    println!(
        "{} readers; the {N_NUISANCES} directions hold {:.0} % of what differs within them",
        voices.len(),
        100.0 * space.share,
    );
    Ok(())
}

/// The networks, with voices as they come.
pub(crate) fn networks() -> Result<Networks> {
    let weights = Weights::from_source_tree()?;
    Ok(Networks {
        activity: effigy_model::VoiceActivity::load(&weights)?,
        encoder: effigy_model::SpeakerEncoder::load(&weights)?,
        space: VoiceSpace::unchanged(),
    })
}

/// Both halves of a reader's sentence in every condition that is fitted on.
pub(crate) fn voices(reader: &Reader, networks: &Networks) -> Result<Vec<Voice>> {
    let mut voices = Vec::new();
    for condition in Condition::FITTED {
        for half in reader.halves() {
            let samples = condition.of(half, u64::from(reader.number));
            voices.extend(leading_voice(&samples, networks)?);
        }
    }
    Ok(voices)
}

/// The voice that speaks most.
pub(crate) fn leading_voice(samples: &[f32], networks: &Networks) -> Result<Option<Voice>> {
    let mut listener = Listener::new(networks);
    listener.hear(samples)?;
    let speakers = listener.finish().speakers.into_iter();
    Ok(speakers.map(|speaker| speaker.voice).next())
}

/// A space as it is fitted.
pub(crate) struct Space {
    mean: Vec<f32>,
    directions: Vec<Vec<f32>>,
    /// Of what differs within people, what the directions hold.
    share: f64,
}

impl Space {
    /// Fits a space on the voices of some people.
    pub(crate) fn of(people: &[&Vec<Voice>]) -> Self {
        let all: Vec<&Voice> = people.iter().copied().flatten().collect();
        let mean = mean_of(&all);
        let mut within = DMatrix::<f64>::zeros(N_VOICE, N_VOICE);
        for voices in people {
            let middle = mean_of(&voices.iter().collect::<Vec<_>>());
            for voice in *voices {
                let from_middle = voice.values().iter().zip(&middle);
                let from_middle = from_middle.map(|(v, m)| f64::from(v - m));
                let column = DMatrix::from_iterator(N_VOICE, 1, from_middle);
                within += &column * column.transpose();
            }
        }
        let eigen = within.symmetric_eigen();
        let mut order: Vec<usize> = (0..N_VOICE).collect();
        order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
        let largest = &order[..N_NUISANCES];
        let held: f64 = largest.iter().map(|&i| eigen.eigenvalues[i]).sum();
        let direction = |&i: &usize| {
            let column = eigen.eigenvectors.column(i);
            column.iter().map(|&v| v as f32).collect()
        };
        Self {
            mean,
            directions: largest.iter().map(direction).collect(),
            share: held / eigen.eigenvalues.sum(),
        }
    }

    pub(crate) fn space(&self) -> VoiceSpace {
        VoiceSpace::new(self.mean.clone(), self.directions.clone())
    }

    fn to_file(&self) -> Result<Vec<u8>> {
        let halved = |values: &[f32]| -> Vec<u8> {
            let half = |&value: &f32| f16::from_f32(value).to_le_bytes();
            values.iter().flat_map(half).collect()
        };
        let (mean, directions) = (halved(&self.mean), halved(&self.directions.concat()));
        let shape = vec![self.directions.len(), N_VOICE];
        let views = [
            ("mean", TensorView::new(Dtype::F16, vec![N_VOICE], &mean)?),
            (
                "directions",
                TensorView::new(Dtype::F16, shape, &directions)?,
            ),
        ];
        safetensors::serialize(views, None).context("the space cannot be written")
    }
}

fn mean_of(voices: &[&Voice]) -> Vec<f32> {
    let mean = |i: usize| {
        let sum: f64 = voices
            .iter()
            .map(|voice| f64::from(voice.values()[i]))
            .sum();
        (sum / voices.len().max(1) as f64) as f32
    };
    (0..N_VOICE).map(mean).collect()
}
