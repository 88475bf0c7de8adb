//! Reads the one network that we take from dlib: `dlib_face_recognition_resnet_model_v1.dat`.
//!
//! dlib writes a network from its input to its last layer. Integers are a byte with the sign and
//! the number of bytes, then those bytes, least first; real numbers are two integers, mantissa and
//! exponent of two; a tensor is a version, four sizes and its `f32`. Nothing else than this network
//! is understood: names, order and sizes must be the expected ones, and every size is compared
//! with what is left of the file before anything is taken.

use anyhow::{Context as _, Result, bail, ensure};

/// A convolution with the scale and shift of its batch normalisation folded in.
pub(super) struct Conv {
    /// `[output, input, row, column]`
    pub(super) shape: [usize; 4],
    pub(super) weights: Vec<f32>,
    /// One per output.
    pub(super) biases: Vec<f32>,
}

/// All that the network has learned.
pub(super) struct Network {
    /// In the order in which they are worked out.
    pub(super) convs: Vec<Conv>,
    /// `[input, output]`: sums without biases.
    pub(super) to_identity: Vec<f32>,
}

/// Convolution layers of the network.
const N_CONVS: usize = 29;
/// Inputs and outputs of its last layer.
pub(super) const N_FEATURES: usize = 256;
pub(super) const N_IDENTITY: usize = 128;

/// Reads the network.
pub(super) fn read(bytes: &[u8]) -> Result<Network> {
    let mut reader = Reader { left: bytes };
    reader.skip_versions()?;
    let mut convs: Vec<Conv> = Vec::with_capacity(N_CONVS);
    let mut is_first = true;
    loop {
        let name = reader.text()?;
        match name.as_str() {
            "con_4" => convs.push(reader.conv()?),
            "affine_" => {
                let conv = convs.last_mut().context("an affine layer comes first")?;
                reader.fold_into(conv)?;
            }
            "max_pool_2" | "avg_pool_2" => reader.integers(6)?,
            "relu_" | "add_prev_" => {}
            "fc_2" => {
                let to_identity = reader.linear()?;
                ensure!(
                    convs.len() == N_CONVS,
                    "it has {} convolutions",
                    convs.len()
                );
                return Ok(Network { convs, to_identity });
            }
            other => bail!("a layer {other:?} is not part of the network"),
        }
        reader.layer_state()?;
        if is_first {
            // How many pictures a sample has is written with the layer next to the input.
            ensure!(reader.integer()? == 1, "it takes more than one picture");
            is_first = false;
        }
    }
}

/// What is left of the file.
struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let (taken, left) = self
            .left
            .split_at_checked(n)
            .context("the file ends in the middle of the network")?;
        self.left = left;
        Ok(taken)
    }

    fn integer(&mut self) -> Result<i64> {
        const NEGATIVE: u8 = 0x80;
        let control = self.take(1)?[0];
        let n_bytes = usize::from(control & 0x0f);
        ensure!(n_bytes <= 7, "an integer of {n_bytes} bytes");
        let bytes = self.take(n_bytes)?;
        let value = bytes
            .iter()
            .rev()
            .fold(0_i64, |value, &byte| value << 8 | i64::from(byte));
        Ok(if control & NEGATIVE == 0 {
            value
        } else {
            -value
        })
    }

    fn size(&mut self) -> Result<usize> {
        let value = self.integer()?;
        usize::try_from(value).with_context(|| format!("{value} is no size"))
    }

    fn integers(&mut self, n: usize) -> Result<()> {
        (0..n).try_for_each(|_| self.integer().map(drop))
    }

    /// A real number: mantissa and exponent of two.
    fn real(&mut self) -> Result<f64> {
        let (mantissa, exponent) = (self.integer()?, self.integer()?);
        Ok(mantissa as f64 * (exponent as f64).exp2())
    }

    fn reals(&mut self, n: usize) -> Result<()> {
        (0..n).try_for_each(|_| self.real().map(drop))
    }

    fn text(&mut self) -> Result<String> {
        let n = self.size()?;
        ensure!(n <= 64, "a name of {n} bytes");
        Ok(String::from_utf8_lossy(self.take(n)?).into_owned())
    }

    fn tensor(&mut self) -> Result<Vec<f32>> {
        ensure!(self.integer()? == 2, "a tensor of another version");
        let mut n = 1_usize;
        for _ in 0..4 {
            n = n
                .checked_mul(self.size()?)
                .context("a tensor is too large")?;
        }
        let n_bytes = n.checked_mul(4).context("a tensor is too large")?;
        let bytes = self.take(n_bytes)?;
        let value = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
        Ok(bytes.chunks_exact(4).map(value).collect())
    }

    /// Sizes of a part of a tensor: a version, then four.
    fn part(&mut self) -> Result<[usize; 4]> {
        ensure!(
            self.integer()? == 1,
            "a part of a tensor of another version"
        );
        Ok([self.size()?, self.size()?, self.size()?, self.size()?])
    }

    /// The loss, the versions of all nested layers, and the input with its mean colour and side.
    fn skip_versions(&mut self) -> Result<()> {
        ensure!(self.integer()? == 1, "a network of another version");
        let loss = self.text()?;
        ensure!(
            loss == "loss_metric_2",
            "the loss {loss:?} is another network's"
        );
        self.reals(2)?;
        const INPUT_FOLLOWS: i64 = 3;
        while self.integer()? != INPUT_FOLLOWS {}
        let input = self.text()?;
        ensure!(
            input == "input_rgb_image_sized",
            "the input {input:?} is another network's"
        );
        self.reals(3)?;
        self.integers(2)
    }

    fn conv(&mut self) -> Result<Conv> {
        let mut weights = self.tensor()?;
        self.integers(7)?; // outputs, rows, columns, strides and paddings: known
        let shape = self.part()?;
        let [n_outputs, ..] = shape;
        self.part()?;
        self.reals(4)?; // learning rates
        let n_weights = shape.iter().product::<usize>();
        ensure!(
            weights.len() == n_weights + n_outputs,
            "a convolution without biases"
        );
        let biases = weights.split_off(n_weights);
        Ok(Conv {
            shape,
            weights,
            biases,
        })
    }

    /// Folds `y · scale + shift` of each output into the convolution before it.
    fn fold_into(&mut self, conv: &mut Conv) -> Result<()> {
        let values = self.tensor()?;
        self.part()?;
        self.part()?;
        self.integer()?; // after a convolution
        let [n_outputs, ..] = conv.shape;
        ensure!(
            values.len() == 2 * n_outputs,
            "scales that fit no convolution"
        );
        let (scales, shifts) = values.split_at(n_outputs);
        let n_each = conv.weights.len() / n_outputs;
        let outputs = conv.weights.chunks_exact_mut(n_each).zip(&mut conv.biases);
        for ((weights, bias), (scale, shift)) in outputs.zip(scales.iter().zip(shifts)) {
            weights.iter_mut().for_each(|weight| *weight *= scale);
            *bias = *bias * scale + shift;
        }
        Ok(())
    }

    fn linear(&mut self) -> Result<Vec<f32>> {
        let (n_outputs, n_inputs) = (self.size()?, self.size()?);
        ensure!(
            (n_inputs, n_outputs) == (N_FEATURES, N_IDENTITY),
            "the last layer is {n_inputs} × {n_outputs}"
        );
        let weights = self.tensor()?;
        ensure!(
            weights.len() == N_FEATURES * N_IDENTITY,
            "the last layer has biases"
        );
        Ok(weights)
    }

    /// Three flags of a layer, and what training kept: empty tensors.
    fn layer_state(&mut self) -> Result<()> {
        let flags = self.take(3)?;
        ensure!(
            flags.iter().all(|flag| b"01".contains(flag)),
            "a layer's flags are damaged"
        );
        (0..3).try_for_each(|_| self.tensor().map(drop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &[u8]) -> Reader<'_> {
        Reader { left: bytes }
    }

    #[test]
    fn integers_have_a_sign_and_a_length() {
        assert_eq!(reader(&[1, 7]).integer().unwrap(), 7);
        assert_eq!(reader(&[0x82, 0x10, 0x01]).integer().unwrap(), -272);
        assert!(reader(&[2, 1]).integer().is_err(), "it ends too soon");
        assert!(reader(&[15; 16]).integer().is_err(), "it is too long");
    }

    #[test]
    fn real_numbers_are_mantissa_and_exponent() {
        let margin = [0x03, 0x0a, 0xd7, 0xa3, 0x81, 0x1c];
        assert!((reader(&margin).real().unwrap() - 0.04).abs() < 1e-8); // single precision
    }

    #[test]
    fn a_tensor_that_claims_more_than_there_is_is_refused() {
        let one = [1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0x80, 0x3f];
        assert_eq!(reader(&one).tensor().unwrap(), [1.0]);
        assert!(reader(&one[..12]).tensor().is_err());
        let huge = [
            1, 2, 4, 255, 255, 255, 127, 4, 255, 255, 255, 127, 1, 9, 1, 9,
        ];
        assert!(reader(&huge).tensor().is_err());
        let endless = [
            &[1, 2][..],
            &[7, 255, 255, 255, 255, 255, 255, 127].repeat(4),
        ]
        .concat();
        assert!(reader(&endless).tensor().is_err());
    }

    #[test]
    fn another_file_is_refused() {
        for bytes in [&b""[..], b"\x01\x01\x01\x04fc_2", &[1; 4000], &[0xff; 300]] {
            assert!(read(bytes).is_err());
        }
    }

    #[test]
    fn scales_are_folded_into_the_convolution() {
        let mut conv = Conv {
            shape: [2, 1, 1, 1],
            weights: vec![3.0, 5.0],
            biases: vec![1.0, 2.0],
        };
        let mut bytes = vec![1, 2, 1, 4, 1, 1, 1, 1, 1, 1];
        for value in [10.0_f32, 100.0, 0.5, 0.25] {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend([1, 1, 1, 2, 1, 1, 1, 1, 1, 1].repeat(2)); // scales and shifts
        bytes.extend([1, 0]);
        reader(&bytes).fold_into(&mut conv).unwrap();
        assert_eq!(
            (conv.weights, conv.biases),
            (vec![30.0, 500.0], vec![10.5, 200.25])
        );
    }
}
