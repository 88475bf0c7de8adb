//! Fits the rig to what the mesh network sees of a head.
//!
//! The network's points do not lie where they should, and show less of an expression than there is.
//! Strangers are filmed whose every weight is known; what the points are off the head, by and large
//! and for each expression, goes into the rig's file, so that weights are solved without bias.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use burn::tensor::f16;
use effigy_face::landmarks::N_SKIN_POINTS;
use effigy_face::rig::{
    EXPRESSIONS, N_EXPRESSIONS, N_MODES, Person, Rig, Solver, SolverSettings, expression, place,
};
use effigy_files::{read_bounded, sha256, write_atomically};
use effigy_model::{FaceMesh, Weights, mean_mesh};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::device::DeviceArgs;
use crate::mirror::mirror_of;
use crate::train::acts::{self, Act, Stranger};

/// What to fit on.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
    /// How many strangers are filmed, in 16 acts each
    #[arg(long, default_value_t = 60)]
    strangers: u32,
    /// The rig's file, which is changed
    #[arg(short, long, default_value = "crates/model/weights/rig.safetensors")]
    output: PathBuf,
}

const N: usize = 3 * N_SKIN_POINTS;
/// How strongly what the points are off is drawn to 0, in frames at full weight.
const PULL: f64 = 3.0;
/// The weight of a lid from which on an eye is shut, and where it looks is not seen.
const SHUT: f32 = 0.4;

/// Fits the rig and writes its file anew.
pub(crate) fn make(data: &Path, args: &Args) -> Result<()> {
    let face_mesh = FaceMesh::load(&Weights::from_source_tree()?, &args.device.open()?)?;
    let strangers = acts::film(data, 0, args.strangers, &face_mesh)?;
    println!("{} strangers filmed", strangers.len());
    let bytes = read_bounded(&args.output, 64 << 20)
        .with_context(|| format!("cannot read {:?}", args.output))?;
    let plain = with(&bytes, BTreeMap::new())?;
    let rig = Rig::from_bytes(&plain)?;
    let seen = Seen::fit(&rig, &strangers)?;
    let fitted = with(&plain, seen.tensors(&rig))?;
    let gaze = gaze(&Rig::from_bytes(&fitted)?, &strangers);
    println!("gaze {gaze:?}");
    let mut tensors = seen.tensors(&rig);
    tensors.insert("seen.gaze", single(&[2, 3], gaze.as_flattened()));
    let bytes = with(&plain, tensors)?;
    Rig::from_bytes(&bytes)?;
    write_atomically(&args.output, &bytes)?;
    println!("sha256 = {:?}", sha256(&bytes));
    Ok(())
}

type Tensor = (Dtype, Vec<usize>, Vec<u8>);

fn single(shape: &[usize], values: &[f32]) -> Tensor {
    let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    (Dtype::F32, shape.to_vec(), bytes)
}

fn half(shape: &[usize], values: &[f32]) -> Tensor {
    let half = |&value: &f32| f16::from_f32(value).to_le_bytes();
    let bytes = values.iter().flat_map(half).collect();
    (Dtype::F16, shape.to_vec(), bytes)
}

/// The file without what was fitted before, and with `more`.
fn with(bytes: &[u8], more: BTreeMap<&str, Tensor>) -> Result<Vec<u8>> {
    let file = SafeTensors::deserialize(bytes)?;
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let mut all = BTreeMap::new();
    for (name, tensor) in file.iter().filter(|(name, _)| !name.starts_with("seen.")) {
        let view = TensorView::new(tensor.dtype(), tensor.shape().to_vec(), tensor.data())?;
        all.insert(name.to_owned(), view);
    }
    for (name, (kind, shape, bytes)) in &more {
        all.insert(
            (*name).to_owned(),
            TensorView::new(*kind, shape.clone(), bytes)?,
        );
    }
    Ok(safetensors::serialize(all, header.metadata().clone())?)
}

/// How far the network's points are off those of the head.
struct Seen {
    always: Vec<f32>,
    by_expression: Vec<Vec<f32>>,
}

impl Seen {
    fn fit(rig: &Rig, strangers: &[Stranger]) -> Result<Self> {
        let strangers: Vec<&Stranger> = strangers.iter().filter(|s| s.len() > 1).collect();
        ensure!(!strangers.is_empty(), "nobody was filmed");
        let people: Vec<OnePerson> = strangers.iter().map(|s| OnePerson::new(rig, s)).collect();
        let mut seen = Self {
            by_expression: by_expression(&people),
            always: vec![0.0; N],
        };
        for person in &people {
            for (i, value) in seen.always.iter_mut().enumerate() {
                let done: f64 = (0..N_EXPRESSIONS)
                    .map(|k| person.weights[k] * f64::from(seen.by_expression[k][i]))
                    .sum();
                *value += ((person.off[i] - done) / people.len() as f64) as f32;
            }
        }
        seen.make_symmetric()?;
        Ok(seen)
    }

    /// What is true of the left is true of the right.
    fn make_symmetric(&mut self) -> Result<()> {
        let mirror = mirror_of(mean_mesh())?;
        let flip = |shape: &[f32]| -> Vec<f32> {
            let flipped = (0..N_SKIN_POINTS).flat_map(|i| {
                let at = 3 * mirror[i];
                [-shape[at], shape[at + 1], shape[at + 2]]
            });
            flipped.collect()
        };
        let mean = |a: &[f32], b: &[f32]| -> Vec<f32> {
            a.iter().zip(b).map(|(a, b)| 0.5 * (a + b)).collect()
        };
        self.always = mean(&self.always, &flip(&self.always));
        let before = self.by_expression.clone();
        for (k, name) in EXPRESSIONS.iter().enumerate() {
            let other = flip(&before[mirrored(name)]);
            self.by_expression[k] = mean(&before[k], &other);
        }
        Ok(())
    }

    fn tensors(&self, rig: &Rig) -> BTreeMap<&'static str, Tensor> {
        let zero = Person::mean(rig);
        let flat = |weights: &[f32; N_EXPRESSIONS]| -> Vec<f32> {
            rig.skin_points(&zero, weights).into_flattened()
        };
        let at_rest = flat(&[0.0; N_EXPRESSIONS]);
        let neutral: Vec<f32> = at_rest
            .iter()
            .zip(&self.always)
            .map(|(a, b)| a + b)
            .collect();
        let mut shapes = Vec::with_capacity(N_EXPRESSIONS * N);
        for k in 0..N_EXPRESSIONS {
            let mut alone = [0.0; N_EXPRESSIONS];
            alone[k] = 1.0;
            let moved = flat(&alone);
            let off = &self.by_expression[k];
            shapes.extend((0..N).map(|i| moved[i] - at_rest[i] + off[i]));
        }
        BTreeMap::from([
            ("seen.neutral", single(&[N_SKIN_POINTS, 3], &neutral)),
            (
                "seen.expression",
                half(&[N_EXPRESSIONS, N_SKIN_POINTS, 3], &shapes),
            ),
        ])
    }
}

/// The expression of the other side; that of no side is its own.
fn mirrored(name: &str) -> usize {
    let other = match (name.strip_suffix("_L"), name.strip_suffix("_R")) {
        (Some(stem), _) => format!("{stem}_R"),
        (_, Some(stem)) => format!("{stem}_L"),
        _ => match name {
            "jawLeft" => "jawRight".to_owned(),
            "jawRight" => "jawLeft".to_owned(),
            "mouthLeft" => "mouthRight".to_owned(),
            "mouthRight" => "mouthLeft".to_owned(),
            other => other.to_owned(),
        },
    };
    expression(&other)
}

/// How far a person's points are off, on average and act by act from that average.
struct OnePerson {
    off: Vec<f64>,
    weights: [f64; N_EXPRESSIONS],
    acts: Vec<(Vec<f64>, [f64; N_EXPRESSIONS])>,
}

impl OnePerson {
    fn new(rig: &Rig, stranger: &Stranger) -> Self {
        let identity = std::array::from_fn::<f32, N_MODES, _>(|k| stranger[0].done.identity[k]);
        let person = Person::new(rig, identity, vec![[0.0; 3]; N_SKIN_POINTS]);
        let mut acts: Vec<(Vec<f64>, [f64; N_EXPRESSIONS])> = stranger
            .iter()
            .map(|act| (off(rig, &person, act), act.weights().map(f64::from)))
            .collect();
        let share = 1.0 / acts.len() as f64;
        let mut mean_off = vec![0.0; N];
        let mut mean_weights = [0.0; N_EXPRESSIONS];
        for (off, weights) in &acts {
            mean_off
                .iter_mut()
                .zip(off)
                .for_each(|(m, o)| *m += share * o);
            mean_weights
                .iter_mut()
                .zip(weights)
                .for_each(|(m, w)| *m += share * w);
        }
        for (off, weights) in &mut acts {
            off.iter_mut().zip(&mean_off).for_each(|(o, m)| *o -= m);
            weights
                .iter_mut()
                .zip(&mean_weights)
                .for_each(|(w, m)| *w -= m);
        }
        Self {
            off: mean_off,
            weights: mean_weights,
            acts,
        }
    }
}

/// How far the points of an act are off, on the head.
fn off(rig: &Rig, person: &Person, act: &Act) -> Vec<f64> {
    let weights = act.weights();
    let head = place(rig, person, &weights, &act.found);
    let known = rig.skin_points(person, &weights);
    let gaps = act.found.iter().zip(known).flat_map(|(p, known)| {
        let here = head.back([p.x, p.y, p.z]);
        [0, 1, 2].map(|i| f64::from(here[i] - known[i]))
    });
    gaps.collect()
}

/// Ridge regression of what the points are off on the weights, within each person.
fn by_expression(people: &[OnePerson]) -> Vec<Vec<f32>> {
    let mut matrix = vec![vec![0.0_f64; N_EXPRESSIONS]; N_EXPRESSIONS];
    let mut wanted = vec![vec![0.0_f64; N]; N_EXPRESSIONS];
    for (off, weights) in people.iter().flat_map(|p| &p.acts) {
        for k in 0..N_EXPRESSIONS {
            if weights[k].abs() > 0.0 {
                for l in 0..N_EXPRESSIONS {
                    matrix[k][l] += weights[k] * weights[l];
                }
                for (sum, value) in wanted[k].iter_mut().zip(off) {
                    *sum += weights[k] * value;
                }
            }
        }
    }
    for (k, row) in matrix.iter_mut().enumerate() {
        row[k] += PULL;
    }
    let solved = eliminated(matrix, wanted);
    let single = |row: Vec<f64>| row.into_iter().map(|v| v as f32).collect();
    solved.into_iter().map(single).collect()
}

/// Solves positive equations by elimination.
fn eliminated(mut matrix: Vec<Vec<f64>>, mut wanted: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let n = matrix.len();
    for i in 0..n {
        let pivot = matrix[i][i];
        matrix[i].iter_mut().for_each(|v| *v /= pivot);
        wanted[i].iter_mut().for_each(|v| *v /= pivot);
        let (row, right) = (matrix[i].clone(), wanted[i].clone());
        for j in (0..n).filter(|j| *j != i) {
            let share = matrix[j][i];
            for (value, of) in matrix[j].iter_mut().zip(&row) {
                *value -= share * of;
            }
            for (value, of) in wanted[j].iter_mut().zip(&right) {
                *value -= share * of;
            }
        }
    }
    wanted
}

/// Yaw and pitch of the eyes by a constant, and by yaw and pitch as the irises tell them.
fn gaze(rig: &Rig, strangers: &[Stranger]) -> [[f32; 3]; 2] {
    let lids = ["eyeBlink_L", "eyeBlink_R"].map(expression);
    let mut matrix = vec![vec![0.0_f64; 3]; 3];
    let mut wanted = vec![vec![0.0_f64; 2]; 3];
    for stranger in strangers.iter().filter(|s| !s.is_empty()) {
        let frames: Vec<_> = stranger.iter().map(|act| &act.found[..]).collect();
        let person = Person::fit(rig, &frames);
        for act in stranger {
            let weights = act.weights();
            if lids.iter().any(|&k| weights[k] > SHUT) {
                continue;
            }
            let mut solver = Solver::new(SolverSettings::default());
            let [right, left] = solver.solve(rig, &person, &act.found, 0.0).gaze;
            let found = [
                1.0,
                f64::from(0.5 * (right.yaw + left.yaw)),
                f64::from(0.5 * (right.pitch + left.pitch)),
            ];
            for i in 0..3 {
                for k in 0..3 {
                    matrix[i][k] += found[i] * found[k];
                }
                for (sum, truth) in wanted[i].iter_mut().zip(act.done.gaze) {
                    *sum += found[i] * f64::from(truth);
                }
            }
        }
    }
    for (i, row) in matrix.iter_mut().enumerate() {
        row[i] += 1e-6;
    }
    let solved = eliminated(matrix, wanted);
    let mut gaze = [[0.0; 3]; 2];
    for (i, row) in solved.iter().enumerate() {
        gaze[0][i] = row[0] as f32;
        gaze[1][i] = row[1] as f32;
    }
    // Left and right are alike.
    gaze[0][0] = 0.0;
    gaze[0][2] = 0.0;
    gaze[1][1] = 0.0;
    gaze
}
