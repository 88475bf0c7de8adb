//! The phones of pocketsphinx's acoustic model of US English, from its package (BSD): what does not depend on the phones
//! around.

use anyhow::{Context as _, Result, ensure};
use effigy_files::write_atomically;
use effigy_model::phone_scorer::{N_PHONES, N_STATES, N_STREAM, PHONES};

use super::Args;
use super::package::{Format, Package, unpack_wheel};
use super::tensors::Tensors;

const PACKAGE: Package = Package {
    name: "pocketsphinx",
    version: "5.1.1",
    sha256: "bb8fd0fc7fb08dd8f85da21f5121f34ebf4186a5bee91ce85e2d358e69a448bf",
    format: Format::Wheel {
        python: "3.11",
        platform: "manylinux_2_28_x86_64",
    },
};
const FOLDER: &str = "pocketsphinx/model/en-us/en-us/";
const FILE: &str = "phones.safetensors";
const N_STREAMS: usize = 3;
const N_GAUSSIANS: usize = 128;
/// Narrower Gaussians are widened, as where they are used.
const LEAST_VARIANCE: f32 = 1e-4;

/// Fetches, checks and converts the model, and prints the entry for the table of weights.
pub(super) fn import(args: &Args) -> Result<()> {
    let package = PACKAGE.bytes(args.package.as_deref())?;
    let part = |name: &str| unpack_wheel(&package, &format!("{FOLDER}{name}"));
    check_phones(&part("mdef")?)?;
    let mut tensors = Tensors::default();
    let shape = [N_PHONES, N_STREAMS, N_GAUSSIANS, N_STREAM];
    tensors.keep("means", &shape, &gaussians(&part("means")?)?);
    let variances = gaussians(&part("variances")?)?.into_iter();
    let variances: Vec<f32> = variances.map(|v| v.max(LEAST_VARIANCE)).collect();
    tensors.keep("variances", &shape, &variances);
    let shape = [N_PHONES, N_STREAMS, N_STATES, N_GAUSSIANS];
    tensors.keep("weights", &shape, &log_weights(&part("sendump")?)?);
    let bytes = tensors.to_file()?;
    let path = args.output.join(FILE);
    write_atomically(&path, &bytes).with_context(|| format!("cannot write {path:?}"))?;
    println!("{}", PACKAGE.entry("phones", &path, &bytes));
    Ok(())
}

/// Checks that the definition of the model names our phones in our order.
fn check_phones(definition: &[u8]) -> Result<()> {
    let n_words = int(definition, 8)?;
    // Behind the description are ten counts.
    let names = definition.get(12 + n_words + 40..).context("it is short")?;
    let names: Vec<&[u8]> = names.split(|&byte| byte == 0).take(N_PHONES).collect();
    let ours = PHONES.map(str::as_bytes);
    ensure!(names == ours, "it has other phones");
    Ok(())
}

/// The numbers of a file of means or variances, `[phone][stream][Gaussian][number]`.
fn gaussians(file: &[u8]) -> Result<Vec<f32>> {
    const HEADER: &[u8] = b"endhdr\n";
    let header = file.windows(HEADER.len()).position(|word| word == HEADER);
    // Behind the header come a number that tells the order of bytes, and counts.
    let counts = header.context("no header")? + HEADER.len() + 4;
    let wanted = [N_PHONES, N_STREAMS, N_GAUSSIANS];
    for (i, &wanted) in wanted.iter().chain(&[N_STREAM; N_STREAMS]).enumerate() {
        let found = int(file, counts + 4 * i)?;
        ensure!(found == wanted, "{found} where {wanted} was expected");
    }
    let numbers = counts + 4 * (wanted.len() + N_STREAMS + 1);
    let n = wanted.iter().product::<usize>() * N_STREAM;
    let bytes = file.get(numbers..numbers + 4 * n).context("it is short")?;
    let (numbers, _) = bytes.as_chunks();
    Ok(numbers.iter().map(|b| f32::from_le_bytes(*b)).collect())
}

/// Logarithms of the weights of Gaussians, `[phone][stream][state][Gaussian]`.
fn log_weights(file: &[u8]) -> Result<Vec<f32>> {
    // Steps of a byte: 1024 powers of 1.0001.
    let step = 1024.0 * 1.0001_f64.ln();
    let mut at = 0;
    // Words that describe the file, each behind its length; a length of 0 ends them.
    loop {
        let n = int(file, at)?;
        at += 4 + n;
        if n == 0 {
            break;
        }
    }
    let (n_gaussians, n_all) = (int(file, at)?, int(file, at + 4)?);
    ensure!(n_gaussians == N_GAUSSIANS, "{n_gaussians} Gaussians");
    ensure!(N_PHONES * N_STATES <= n_all, "{n_all} states");
    let bytes = file.get(at + 8..).context("it is short")?;
    ensure!(
        bytes.len() == N_STREAMS * N_GAUSSIANS * n_all,
        "another size"
    );
    let mut weights = Vec::new();
    for phone in 0..N_PHONES {
        for stream in 0..N_STREAMS {
            for state in phone * N_STATES..(phone + 1) * N_STATES {
                let of = |g: usize| bytes[(stream * N_GAUSSIANS + g) * n_all + state];
                let log = |g: usize| (-step * f64::from(of(g))) as f32;
                weights.extend((0..N_GAUSSIANS).map(log));
            }
        }
    }
    Ok(weights)
}

fn int(bytes: &[u8], at: usize) -> Result<usize> {
    let found = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    let found = u32::from_le_bytes(*found.context("it is short")?);
    Ok(found as usize)
}
