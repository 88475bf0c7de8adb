//! Training a driver: from what the rig measured on a person's faces to the latents of their model.
//!
//! What counts are differences. A latent also holds the light of its clip and how its crop lies, which
//! no expression tells; so pairs of faces of one clip are drawn, and the way from the latent of the one to
//! that of the other is learned. First the latents themselves are the target, which is fast and takes the
//! driver most of the way; then what is drawn from them, which is what counts, and a copy of the person's
//! decoder goes on learning along with it.

use std::ops::ControlFlow;

use burn::prelude::*;
use burn::tensor::TensorData;
use effigy_frame::{Picture, Point2, Similarity};
use effigy_mark::consent::{Token, Use};
use effigy_model::face_model::driver::store::Learned;
use effigy_model::face_model::driver::{
    DriverInput, DriverNet, FaceDriver, N_INPUTS, Range, as_tensor,
};
use effigy_model::face_model::weights::{Weight, weights_of, with_weights};
use effigy_model::face_model::{Decoder, FaceModel};
use effigy_model::tensors::values;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::adam::State;
use crate::augment::{Batch, append_pairs, append_plain};
use crate::error::{Error, Result};
use crate::faces::{FEWEST_FACES, Face};
use crate::gradients::gradients_of;
use crate::judge::{encode, wanted};
use crate::loss::loss;
use crate::normal::normal;

/// What one person does in their clips: faces as a model sees them, and what the rig measured on each.
#[derive(Debug)]
pub struct Moves {
    side: u32,
    moments: Vec<Moment>,
}

/// One face.
#[derive(Debug)]
struct Moment {
    face: Face,
    /// Number of the clip.
    clip: usize,
    input: DriverInput,
}

impl Moves {
    /// Starts an empty set for a model of `side` pixels.
    pub fn new(side: u32) -> Self {
        Self {
            side,
            moments: Vec::new(),
        }
    }

    /// Adds the face of clip number `clip` that the model would see through `picture_from_crop`, whose
    /// mesh is `points`; gives whether there is one. What it does is told later, by [`Self::set_inputs`].
    pub fn add(
        &mut self,
        clip: usize,
        picture: &Picture,
        picture_from_crop: Similarity,
        points: &[Point2],
    ) -> bool {
        let cut = Face::cut(picture, picture_from_crop, points, self.side);
        let moment = cut.map(|(face, _)| Moment {
            face,
            clip,
            input: [0.0; N_INPUTS],
        });
        let is_there = moment.is_some();
        self.moments.extend(moment);
        is_there
    }

    /// Tells what each face does, in the order in which they were added.
    ///
    /// # Panics
    /// If there is not one for each face.
    pub fn set_inputs(&mut self, inputs: &[DriverInput]) {
        assert_eq!(inputs.len(), self.moments.len(), "one for each face");
        for (moment, input) in self.moments.iter_mut().zip(inputs) {
            moment.input = *input;
        }
    }

    /// How many faces there are.
    pub fn len(&self) -> usize {
        self.moments.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.moments.is_empty()
    }

    /// How far each number goes in them.
    fn range(&self) -> Range {
        let each = |f: fn(f32, f32) -> f32, first: f32| {
            std::array::from_fn(|i| self.moments.iter().map(|m| m.input[i]).fold(first, f))
        };
        Range {
            least: each(f32::min, f32::INFINITY),
            most: each(f32::max, f32::NEG_INFINITY),
        }
    }
}

/// How long is learned, and from which random numbers.
#[derive(Clone, Copy, Debug)]
pub struct DriverSettings {
    /// Where all randomness starts.
    pub seed: u64,
    /// Steps in latents, which take a moment each.
    pub n_in_latents: u64,
    /// Steps as drawn.
    pub n_as_drawn: u64,
}

impl Default for DriverSettings {
    /// What takes a few minutes on two processor cores.
    fn default() -> Self {
        Self {
            seed: 1,
            n_in_latents: 1500,
            n_as_drawn: 600,
        }
    }
}

/// Whose movement is learned, and the proof that they agreed.
#[derive(Clone, Copy, Debug)]
pub struct ConsentedMoves<'a> {
    /// The consent of the person, checked against their faces.
    pub token: &'a Token,
    /// What they do.
    pub moves: &'a Moves,
}

/// Faces in a step, in latents and as drawn.
const N_FACES: [usize; 2] = [64, 8];
const LEARNING_RATES: [f64; 2] = [2e-3, 5e-4];
/// One face in so many is held back to measure on, in runs of [`RUN`] that follow one another: a neighbour
/// in time would tell.
const HELD_BACK: usize = 8;
const RUN: usize = 12;
/// Faces the error is measured on.
const N_MEASURED: usize = 16;
/// Faces that are encoded at once.
const N_ENCODED: usize = 32;
/// How much the numbers of a face are blurred in training, as a share of a whole expression: those measured on
/// somebody else are no better.
const BLUR: f32 = 0.02;

/// Learns to drive `person` of `model`.
///
/// `watch` gets the share that is done after each step and may end the run, of which nothing is kept.
/// `None` is given then. The same faces, model and settings give the same driver on the CPU.
///
/// # Errors
/// If the consent is not to puppets, the faces are too few, or the training diverges.
pub fn train_driver(
    model: &FaceModel,
    person: usize,
    consented: &ConsentedMoves<'_>,
    settings: DriverSettings,
    watch: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Result<Option<Learned>> {
    let ConsentedMoves { token, moves } = *consented;
    if token.usage() != Use::Puppet {
        return Err(Error::OtherUse {
            usage: token.usage(),
        });
    }
    let name = &model.manifest().people[person].name;
    if moves.len() < FEWEST_FACES {
        return Err(Error::TooFewFaces {
            found: moves.len(),
            needed: FEWEST_FACES,
            person: name.clone(),
        });
    }
    let consent = token.consents().first().map(|record| record.id.to_string());
    let consent = consent.ok_or_else(|| Error::NotCovered {
        person: name.clone(),
    })?;
    let mut run = Run::new(model, person, moves, settings);
    let n_steps = [settings.n_in_latents, settings.n_as_drawn];
    for (phase, n_steps) in n_steps.into_iter().enumerate() {
        if phase == 1 {
            run.begin_drawing();
        }
        for step in 0..n_steps {
            // Down to nothing along a half wave (Loshchilov and Hutter, ICLR 2017).
            let done = step as f64 / n_steps as f64;
            let rate = LEARNING_RATES[phase] * 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
            let length = if phase == 0 {
                run.step_in_latents(rate)
            } else {
                run.step_as_drawn(rate)
            };
            if !length.is_finite() {
                return Err(Error::Diverged {
                    step,
                    learning_rate: LEARNING_RATES[phase],
                });
            }
            if watch(run.n_done / run.cost()).is_break() {
                return Ok(None);
            }
        }
    }
    Ok(Some(Learned {
        errors: run.errors(),
        driver: run.driver(model.device()),
        consent,
        n_faces: moves.len(),
    }))
}

/// A training under way.
struct Run<'a> {
    moves: &'a Moves,
    model: &'a FaceModel,
    person: usize,
    driver: DriverNet,
    /// Begins as the person's.
    decoder: Decoder,
    /// Of the driver, then also of the decoder.
    state: State,
    device: Device,
    /// The latent of each face, `z` numbers each, one after the other.
    latents: Vec<f32>,
    width: usize,
    learned: Vec<usize>,
    held_back: Vec<usize>,
    generator: ChaCha8Rng,
    settings: DriverSettings,
    /// Work done, in steps as drawn.
    n_done: f64,
}

/// A step in latents costs so much of one as drawn.
const CHEAP: f64 = 0.02;

impl<'a> Run<'a> {
    fn new(
        model: &'a FaceModel,
        person: usize,
        moves: &'a Moves,
        settings: DriverSettings,
    ) -> Self {
        let device = model.device().clone().autodiff();
        let shape = model.manifest().shape;
        let mut generator = ChaCha8Rng::seed_from_u64(settings.seed);
        let driver = DriverNet::new(shape.latent, &device);
        let mut weights = weights_of(&driver);
        start(&mut weights, &mut generator);
        let theirs = weights_of(model.net().decoder(person));
        let is_held_back = |i: &usize| (i / RUN) % HELD_BACK == HELD_BACK - 1;
        let (held_back, learned) = (0..moves.len()).partition(is_held_back);
        let mut run = Self {
            moves,
            model,
            person,
            driver: with_weights(driver, &weights),
            decoder: with_weights(Decoder::new(shape, &device), &theirs),
            state: State::new(weights),
            device,
            latents: Vec::new(),
            width: shape.latent,
            learned,
            held_back,
            generator,
            settings,
            n_done: 0.0,
        };
        for first in (0..moves.len()).step_by(N_ENCODED) {
            let some: Vec<usize> = (first..moves.len().min(first + N_ENCODED)).collect();
            let latents = run.encoded(&run.plain(&some));
            run.latents.extend(latents);
        }
        run
    }

    fn cost(&self) -> f64 {
        CHEAP * self.settings.n_in_latents as f64 + self.settings.n_as_drawn as f64
    }

    /// Begins to learn what is drawn. What the gradients of latents were tells nothing of these.
    fn begin_drawing(&mut self) {
        let mut weights = self.state.weights.clone();
        weights.extend(weights_of(&self.decoder));
        self.state = State::new(weights);
    }

    /// A step in latents; gives the length of the gradient.
    fn step_in_latents(&mut self, rate: f64) -> f64 {
        let pairs = self.pairs(N_FACES[0]);
        let [from, to] = [0, 1].map(|i| pairs.iter().map(|pair| pair[i]).collect::<Vec<_>>());
        let moved = self.moved(self.known(&from), &pairs, BLUR); // [n, z]
        let gap = moved - self.tensor(self.known(&to));
        let error = (gap.clone() * gap).mean_dim(1).mean_dim(0).reshape([1]);
        self.n_done += CHEAP;
        self.descend(&error, rate)
    }

    /// A step as drawn; gives the length of the gradient.
    fn step_as_drawn(&mut self, rate: f64) -> f64 {
        let pairs = self.pairs(N_FACES[1]);
        let [mut from, mut to] = [Batch::default(), Batch::default()];
        let moments = &self.moves.moments;
        let faces: Vec<[&Face; 2]> = pairs
            .iter()
            .map(|pair| pair.map(|i| &moments[i].face))
            .collect();
        let side = self.moves.side;
        append_pairs([&mut from, &mut to], &faces, side, &mut self.generator);
        let latent = self.moved(self.encoded(&from), &pairs, BLUR); // [n, z]
        let drawn = self.decoder.forward(latent);
        let error = loss(drawn, &wanted(&to, &self.device));
        self.n_done += 1.0;
        self.descend(&error, rate)
    }

    fn descend(&mut self, error: &Tensor<1>, rate: f64) -> f64 {
        let mut gradients = error.backward();
        let mut lists = gradients_of(&self.driver, &mut gradients);
        let n_driver = lists.len();
        let is_drawing = n_driver < self.state.weights.len();
        if is_drawing {
            lists.extend(gradients_of(&self.decoder, &mut gradients));
        }
        let length = self.state.descend(&lists, rate);
        let (of_driver, of_decoder) = self.state.weights.split_at(n_driver);
        self.driver = with_weights(self.driver.clone(), of_driver);
        if is_drawing {
            self.decoder = with_weights(self.decoder.clone(), of_decoder);
        }
        length
    }

    /// Pairs of faces, each of one clip.
    fn pairs(&mut self, n: usize) -> Vec<[usize; 2]> {
        let mut draw = |among: &[usize]| among[self.generator.random_range(0..among.len())];
        let mut pairs = Vec::new();
        while pairs.len() < n {
            let pair = [draw(&self.learned), draw(&self.learned)];
            let [from, to] = pair.map(|i| self.moves.moments[i].clip);
            if from == to {
                pairs.push(pair);
            }
        }
        pairs
    }

    /// The latents of the first face of each pair, moved to what the second does: `[n, z]`.
    fn moved(&mut self, first: Vec<f32>, pairs: &[[usize; 2]], blur: f32) -> Tensor<2> {
        let mut inputs = |which: usize| {
            let blurred = |pair: &[usize; 2]| {
                let input = self.moves.moments[pair[which]].input;
                input.map(|v| v + blur * normal(&mut self.generator))
            };
            pairs.iter().map(blurred).collect::<Vec<DriverInput>>()
        };
        let (from, to) = (inputs(0), inputs(1));
        let [from, to] = [from, to].map(|i| self.driver.forward(as_tensor(&i, &self.device)));
        self.tensor(first) + to - from
    }

    /// The latents of some faces, one after the other.
    fn known(&self, faces: &[usize]) -> Vec<f32> {
        let latent = |&i: &usize| &self.latents[i * self.width..(i + 1) * self.width];
        faces.iter().flat_map(latent).copied().collect()
    }

    /// Latents as `[n, z]`.
    fn tensor(&self, latents: Vec<f32>) -> Tensor<2> {
        let shape = [latents.len() / self.width, self.width];
        Tensor::from_data(TensorData::new(latents, shape), &self.device)
    }

    /// The latents that the model has of a batch.
    fn encoded(&self, batch: &Batch) -> Vec<f32> {
        values(encode(self.model.net(), batch, self.model.device()))
    }

    /// Faces as they are.
    fn plain(&self, faces: &[usize]) -> Batch {
        let faces: Vec<&Face> = faces.iter().map(|&i| &self.moves.moments[i].face).collect();
        let mut batch = Batch::default();
        append_plain(&mut batch, &faces, self.moves.side);
        batch
    }

    /// How wrong faces held back are drawn: driven from another, and by the model from their own pictures.
    fn errors(&mut self) -> [f64; 2] {
        let held = if self.held_back.is_empty() {
            self.learned.clone()
        } else {
            self.held_back.clone()
        };
        let step = held.len().div_ceil(N_MEASURED).max(1);
        let to: Vec<usize> = held.iter().copied().step_by(step).collect();
        let from = |&i: &usize| {
            let clip = self.moves.moments[i].clip;
            let mut same = self.learned.iter().copied();
            same.find(|&j| self.moves.moments[j].clip == clip)
                .unwrap_or(i)
        };
        let from: Vec<usize> = to.iter().map(from).collect();
        let pairs: Vec<[usize; 2]> = from.iter().zip(&to).map(|(&a, &b)| [a, b]).collect();
        let driven = self.moved(self.known(&from), &pairs, 0.0);
        let drawn = self.decoder.forward(driven);
        let wanted = wanted(&self.plain(&to), &self.device);
        let own = self.tensor(self.known(&to)).inner();
        let own = self.model.net().decode(own, self.person);
        let own = Tensor::from_data(own.into_data(), &self.device);
        [drawn, own].map(|drawn| f64::from(values(loss(drawn, &wanted))[0]))
    }

    fn driver(&self, device: &Device) -> FaceDriver {
        let shape = self.model.manifest().shape;
        let net = with_weights(
            DriverNet::new(self.width, device),
            &weights_of(&self.driver),
        );
        let decoder = with_weights(Decoder::new(shape, device), &weights_of(&self.decoder));
        FaceDriver::new(net, decoder, self.moves.range(), device)
    }
}

/// Fills the weights of a new driver: matrices small, after He et al., ICCV 2015; what comes out nothing.
fn start(weights: &mut [Weight], generator: &mut ChaCha8Rng) {
    for weight in weights {
        let is_out = weight.name.starts_with("direct") || weight.name.starts_with("to_latent");
        match weight.shape[..] {
            [from, _] if !is_out => {
                let spread = (2.0 / from as f32).sqrt();
                weight.values.fill_with(|| normal(generator) * spread);
            }
            _ => weight.values.fill(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::cartoon;

    /// Faces whose mouth and place follow two numbers.
    fn moves(n: u32) -> Moves {
        let mut moves = Moves::new(32);
        let picture_from_crop = Similarity {
            a: 3.0,
            ..Similarity::IDENTITY
        };
        let mut inputs = Vec::new();
        for number in 0..n {
            let (picture, points) = cartoon(1, number);
            assert!(moves.add(0, &picture, picture_from_crop, &points));
            let phase = number as f32 * 0.7;
            let mut input = [0.0; N_INPUTS];
            input[..3].copy_from_slice(&[phase.sin(), phase.cos(), (phase * 1.3).sin()]);
            inputs.push(input);
        }
        moves.set_inputs(&inputs);
        moves
    }

    #[test]
    fn range_is_what_was_shown() {
        let range = moves(40).range();
        assert!(range.least[0] < -0.9 && 0.9 < range.most[0]);
        assert_eq!((range.least[5], range.most[5]), (0.0, 0.0));
    }
}
