//! Fits lips to phones, and picks how heads move while people talk.
//!
//! Each shape of the lower face is a weighed sum of the visemes within 200 ms (ridge regression). Beside it stands what is
//! usual without learning over time: each viseme pulls towards its own shape, the less the farther away it is (Cohen and
//! Massaro, "Modeling coarticulation in synthetic visual speech", 1993).

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use burn::tensor::f16;
use effigy_files::write_atomically;
use effigy_model::spoken_face::{
    HeadPlace, N_SHAPES, N_TAKE, N_TAKES, N_TAPS, N_VISEMES, SHAPES, TAKE_RATE_HZ, TAP_SECS,
};
use effigy_model::{PhoneScorer, Weights};
use effigy_sound::SpokenVisemes;
use nalgebra::{DMatrix, DVector};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::data::talkers::{Talker, heads, talkers};
use crate::statistics::correlation;

/// What is read and written.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of what is seen of each clip, as `effigy track` writes it; what is missing is made
    #[arg(long, default_value = "target/takes", value_name = "FOLDER")]
    takes: PathBuf,
    /// Where to write the model
    #[arg(short, long, default_value = "crates/model/weights/speech.safetensors")]
    output: PathBuf,
}

/// How lips are told from visemes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// A weighed sum over 200 ms, with this penalty.
    Sum { penalty: f64 },
    /// Visemes that pull, the less the farther away: by this much a second.
    Dominance { a_second: f64 },
}

impl Way {
    /// How what a way looks at is made of the visemes of all taps: `[tap and viseme][input]`. Visemes are shares that add up to 1,
    /// and so do their pulls, so that pulling is a weighed sum too.
    fn looks_at(self) -> DMatrix<f64> {
        let n = N_TAPS * N_VISEMES;
        let a_second = match self {
            Self::Sum { .. } => return DMatrix::identity(n, n),
            Self::Dominance { a_second } => a_second,
        };
        let pull = |tap: usize| {
            let away = (tap as f64 - (N_TAPS / 2) as f64).abs() * TAP_SECS;
            (-a_second * away).exp()
        };
        let all: f64 = (0..N_TAPS).map(pull).sum();
        DMatrix::from_fn(n, N_VISEMES, |row, viseme| {
            let is_it = row % N_VISEMES == viseme;
            f64::from(u8::from(is_it)) * pull(row / N_VISEMES) / all
        })
    }
}

/// What is tried.
const WAYS: [Way; 8] = [
    Way::Sum { penalty: 5.0 },
    Way::Sum { penalty: 20.0 },
    Way::Sum { penalty: 80.0 },
    Way::Sum { penalty: 320.0 },
    Way::Dominance { a_second: 6.0 },
    Way::Dominance { a_second: 10.0 },
    Way::Dominance { a_second: 16.0 },
    Way::Dominance { a_second: 25.0 },
];
/// Shares of a viseme that all targets are drawn to 0 by, where visemes pull.
const PULL: f64 = 0.5;
/// A sum that is known from few examples moves less than people do: it is moved more, at most by so much.
const MOST_GAIN: f64 = 2.0;

/// Chooses, fits and writes the model.
pub(crate) fn make(data: &Path, args: &Args) -> Result<()> {
    let talkers = talkers(data, &args.takes)?;
    let scorer = PhoneScorer::load(&Weights::from_source_tree()?)?;
    let examples: Vec<Examples> = talkers.iter().map(|t| Examples::of(t, &scorer)).collect();
    let best = choose(&examples);
    let all: Vec<&Examples> = examples.iter().collect();
    let fitted = Fitted::of(&all, best);
    let takes = pick(&heads(data, &args.takes)?)?;
    write_atomically(&args.output, &to_file(&fitted, &takes)?)?;
    println!("wrote {:?}", args.output);
    Ok(())
}

/// Prints how well each way does on people to choose on, each left out in turn, and on those for reporting; gives the best.
fn choose(examples: &[Examples]) -> Way {
    let (report, choose): (Vec<&Examples>, Vec<&Examples>) =
        examples.iter().partition(|one| one.is_for_reporting);
    println!(
        "{} people to choose on, {} for reporting; {} ways tried",
        choose.len(),
        report.len(),
        WAYS.len()
    );
    println!(
        "correlation with what the rig sees     chosen on: jaw, all shapes   reported: jaw, all shapes"
    );
    let mut best = (f64::MIN, WAYS[0]);
    for way in WAYS {
        let left_out = choose.iter().enumerate().map(|(i, one)| {
            let others = choose.iter().enumerate().filter(|(k, _)| *k != i);
            let others: Vec<&Examples> = others.map(|(_, other)| *other).collect();
            Fitted::of(&others, way).correlations(one)
        });
        let inside = mean(&left_out.collect::<Vec<_>>());
        let fitted = Fitted::of(&choose, way);
        let outside: Vec<[f64; 2]> = report.iter().map(|one| fitted.correlations(one)).collect();
        let outside = mean(&outside);
        println!(
            "{:<40} {:.3}  {:.3}                  {:.3}  {:.3}",
            format!("{way:?}"),
            inside[0],
            inside[1],
            outside[0],
            outside[1]
        );
        // The jaw is what viewers see most.
        let worth = inside[0] + inside[1];
        if best.0 < worth {
            best = (worth, way);
        }
    }
    println!("best on people to choose on: {:?}", best.1);
    best.1
}

fn mean(pairs: &[[f64; 2]]) -> [f64; 2] {
    [0, 1].map(|k| pairs.iter().map(|pair| pair[k]).sum::<f64>() / pairs.len().max(1) as f64)
}

/// What one person shows and says, frame by frame.
struct Examples {
    is_for_reporting: bool,
    /// `[frame][tap and viseme]`
    inputs: DMatrix<f64>,
    /// `[frame][shape]`
    shapes: DMatrix<f64>,
}

impl Examples {
    fn of(talker: &Talker, scorer: &PhoneScorer) -> Self {
        let all = 0..talker.utterance.n_moments();
        let visemes = SpokenVisemes::of(&talker.utterance, scorer, all);
        let frames = &talker.frames;
        let rows: Vec<f64> = frames
            .iter()
            .flat_map(|frame| visemes.around(frame.secs).into_iter().flatten())
            .map(f64::from)
            .collect();
        let shapes = frames.iter().flat_map(|frame| frame.shapes).map(f64::from);
        let shapes: Vec<f64> = shapes.collect();
        let mut shapes = DMatrix::from_row_slice(frames.len(), N_SHAPES, &shapes);
        // What a face does at rest is the person, not the phone.
        for mut column in shapes.column_iter_mut() {
            let mut sorted: Vec<f64> = column.iter().copied().collect();
            sorted.sort_by(f64::total_cmp);
            column.add_scalar_mut(-sorted[sorted.len() / 10]);
        }
        Self {
            is_for_reporting: talker.is_for_reporting,
            inputs: DMatrix::from_row_slice(frames.len(), N_TAPS * N_VISEMES, &rows),
            shapes,
        }
    }
}

/// Weights and biases of a way.
struct Fitted {
    /// `[tap and viseme][shape]`
    weights: DMatrix<f64>,
    biases: DVector<f64>,
}

impl Fitted {
    fn of(examples: &[&Examples], way: Way) -> Self {
        let inputs: Vec<DMatrix<f64>> = examples
            .iter()
            .map(|one| &one.inputs * way.looks_at())
            .collect();
        let shapes: Vec<DMatrix<f64>> = examples.iter().map(|one| one.shapes.clone()).collect();
        let penalty = match way {
            Way::Sum { penalty } => penalty,
            Way::Dominance { .. } => PULL,
        };
        let (middle, target) = (stacked(&inputs).row_mean(), stacked(&shapes).row_mean());
        // How one person differs from another is not told by phones.
        let centred = |parts: &[DMatrix<f64>]| {
            let part = |part: &DMatrix<f64>| {
                let mean = part.row_mean();
                DMatrix::from_fn(part.nrows(), part.ncols(), |i, k| part[(i, k)] - mean[k])
            };
            stacked(&parts.iter().map(part).collect::<Vec<_>>())
        };
        let (x, y) = (centred(&inputs), centred(&shapes));
        let n = x.ncols();
        let square = x.transpose() * &x + DMatrix::identity(n, n) * penalty;
        let solved = square.lu().solve(&(x.transpose() * &y));
        let mut weights = solved.unwrap_or_else(|| DMatrix::zeros(n, N_SHAPES));
        // As lively as people are.
        let told = &x * &weights;
        for shape in 0..N_SHAPES {
            let spread = |values: &DMatrix<f64>| values.column(shape).norm();
            let gain = (spread(&y) / spread(&told).max(1e-9)).clamp(1.0, MOST_GAIN);
            weights.column_mut(shape).scale_mut(gain);
        }
        let biases = (target - middle * &weights).transpose();
        Self {
            weights: way.looks_at() * weights,
            biases,
        }
    }

    /// Correlations with what the rig sees: of the jaw, and of all shapes that move, in the mean.
    fn correlations(&self, one: &Examples) -> [f64; 2] {
        let told = &one.inputs * &self.weights;
        let of = |shape: usize| {
            let (a, b) = (told.column(shape), one.shapes.column(shape));
            (correlation(a.iter(), b.iter()), b.variance().sqrt())
        };
        const MOVES: f64 = 0.02;
        let moving: Vec<f64> = (0..N_SHAPES)
            .map(of)
            .filter(|(_, spread)| MOVES < *spread)
            .map(|(correlation, _)| correlation)
            .collect();
        [
            of(0).0,
            moving.iter().sum::<f64>() / moving.len().max(1) as f64,
        ]
    }
}

fn stacked(parts: &[DMatrix<f64>]) -> DMatrix<f64> {
    let n_columns = parts.first().map_or(0, DMatrix::ncols);
    let rows = parts.iter().flat_map(|part| part.row_iter());
    let rows: Vec<_> = rows.map(|row| row.into_owned()).collect();
    if rows.is_empty() {
        return DMatrix::zeros(0, n_columns);
    }
    DMatrix::from_rows(&rows)
}

/// A head in a take turns at least so much, at most so far from where it mostly is, and never faster, in degrees.
const LEAST_DEGREES: f32 = 0.7;
const MOST_DEGREES: f32 = 9.0;
const MOST_DEGREES_A_SECOND: f32 = 40.0;
/// It goes no further, in centimetres: necks are not that long where shoulders stay.
const MOST_CM: f32 = 2.0;
/// Takes of one clip at most.
const MOST_OF_CLIP: usize = 4;

/// Picks takes of calm heads out of clips.
fn pick(clips: &[Vec<(f64, HeadPlace)>]) -> Result<Vec<Vec<HeadPlace>>> {
    let mut takes = Vec::new();
    for clip in clips {
        let end = clip.last().map_or(0.0, |(secs, _)| *secs);
        let secs = N_TAKE as f64 / TAKE_RATE_HZ;
        let starts = (0..)
            .map(|n| n as f64 * secs)
            .take_while(|start| start + secs <= end);
        let good = starts
            .filter_map(|start| take(clip, start))
            .take(MOST_OF_CLIP);
        takes.extend(good);
    }
    println!("{} takes of heads; {N_TAKES} are kept", takes.len());
    ensure!(N_TAKES <= takes.len(), "too few heads move calmly");
    takes.truncate(N_TAKES);
    Ok(takes)
}

/// The head from `start` on, from where it mostly is; `None` where it moves too little or too much.
fn take(clip: &[(f64, HeadPlace)], start: f64) -> Option<Vec<HeadPlace>> {
    let at = |secs: f64| -> HeadPlace {
        let next = clip
            .partition_point(|(known, _)| *known < secs)
            .clamp(1, clip.len() - 1);
        let ((before, a), (behind, b)) = (clip[next - 1], clip[next]);
        let share = ((secs - before) / (behind - before)).clamp(0.0, 1.0) as f32;
        std::array::from_fn(|k| a[k] + share * (b[k] - a[k]))
    };
    // The mean of moments around takes away what trembles.
    let calm = |secs: f64| -> HeadPlace {
        let near = [-0.08, -0.04, 0.0, 0.04, 0.08].map(|by| at(secs + by));
        std::array::from_fn(|k| near.iter().map(|place| place[k]).sum::<f32>() / 5.0)
    };
    let mut places: Vec<HeadPlace> = (0..N_TAKE)
        .map(|i| calm(start + i as f64 / TAKE_RATE_HZ))
        .collect();
    let middle: HeadPlace =
        std::array::from_fn(|k| places.iter().map(|p| p[k]).sum::<f32>() / N_TAKE as f32);
    for place in &mut places {
        for (value, middle) in place.iter_mut().zip(middle) {
            *value -= middle;
        }
    }
    let turned = |k: usize| places.iter().map(move |place| place[k].abs());
    let most = (0..3).flat_map(turned).fold(0.0, f32::max);
    let fastest = places.windows(2).flat_map(|two| {
        let turned = two[0].iter().zip(&two[1]).take(3);
        turned.map(|(a, b)| (a - b).abs() * TAKE_RATE_HZ as f32)
    });
    let gone = places.iter().flat_map(|place| &place[3..]);
    let furthest = gone.fold(0.0, |most: f32, cm| most.max(cm.abs()));
    let is_calm = most < MOST_DEGREES
        && furthest < MOST_CM
        && fastest.fold(0.0, f32::max) < MOST_DEGREES_A_SECOND;
    (LEAST_DEGREES < most && is_calm).then_some(places)
}

fn to_file(fitted: &Fitted, takes: &[Vec<HeadPlace>]) -> Result<Vec<u8>> {
    let halved = |values: &mut dyn Iterator<Item = f32>| -> Vec<u8> {
        values
            .flat_map(|value| f16::from_f32(value).to_le_bytes())
            .collect()
    };
    // Columns are shapes, so that shapes come one after the other.
    let weights = halved(&mut fitted.weights.iter().map(|w| *w as f32));
    let biases = halved(&mut fitted.biases.iter().map(|b| *b as f32));
    let heads = halved(&mut takes.iter().flatten().flatten().copied());
    let view = |shape: &[usize], bytes| TensorView::new(Dtype::F16, shape.to_vec(), bytes);
    let views = [
        (
            "lips.weight",
            view(&[N_SHAPES, N_TAPS, N_VISEMES], &weights)?,
        ),
        ("lips.bias", view(&[SHAPES.len()], &biases)?),
        ("heads", view(&[N_TAKES, N_TAKE, 5], &heads)?),
    ];
    Ok(safetensors::serialize(views, None)?)
}
