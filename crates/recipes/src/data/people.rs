//! Reads the annotated people: pictures, mesh points, identity vectors and the split.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use effigy_frame::resample::resize;
use effigy_frame::{Picture, Point3};
use effigy_model::N_MESH_POINTS;
use safetensors::SafeTensors;
use sha2::{Digest as _, Sha256};

/// Pictures are shrunk to this long side when read: beyond it no network sees the difference.
const MOST_SIDE_PX: u32 = 512;
/// Annotations count in eighths of a pixel.
const UNITS_PER_PX: f32 = 8.0;

/// Which part of the people: the split is by person and fixed in the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Split {
    Train,
    Validation,
}

/// One annotated face in its picture.
pub(crate) struct Sample {
    pub(crate) picture: Picture,
    /// 478 points in pixels of `picture`.
    pub(crate) points: Vec<Point3>,
    /// The teacher's identity vector, where it gave one.
    pub(crate) identity: Option<Vec<f32>>,
    pub(crate) person: String,
    pub(crate) source: String,
    /// `m` or `f`, guessed from the first name; empty where it is not known.
    pub(crate) sex: String,
}

/// Reads all samples of a split whose source passes `wanted`.
pub(crate) fn read(
    data: &Path,
    split: Split,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Sample>> {
    let folder = data.join("people");
    let annotations = fs::read(folder.join("faces.safetensors"))
        .with_context(|| format!("cannot read the annotations in {folder:?}"))?;
    let annotations = Annotations::new(&annotations)?;
    let index = fs::read_to_string(folder.join("index.csv"))
        .with_context(|| format!("cannot read the index in {folder:?}"))?;
    let wanted_split = if split == Split::Train {
        "train"
    } else {
        "val"
    };
    let mut samples = Vec::new();
    for line in index.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [file, _, _, face, person, source, split, _, _, _, sex] = fields[..] else {
            bail!("the index has a line with too few fields: {line:?}");
        };
        if split == wanted_split && wanted(source) {
            let picture = read_picture(&folder.join(file))
                .with_context(|| format!("cannot read {file:?}"))?;
            let sample = annotations.sample(picture, face.parse()?, person, source);
            samples.push(Sample {
                sex: sex.to_owned(),
                ..sample
            });
        }
    }
    ensure!(
        !samples.is_empty(),
        "no samples of split {wanted_split} in {folder:?}"
    );
    Ok(samples)
}

/// Reads a JPEG picture.
pub(crate) fn read_picture(path: &Path) -> Result<Picture> {
    let picture = image::open(path)?.into_rgb8();
    Ok(Picture::new(
        picture.width(),
        picture.height(),
        picture.into_raw(),
    ))
}

/// Names under which the pictures plainly show several people, found by looking at all of a
/// person's pictures side by side: interviewers, relatives, actors in a role, other people of that
/// name. They say nothing of how well people are told apart.
pub(crate) const SEVERAL_PEOPLE: [&str; 29] = [
    "name-Abdel_Aziz_Al-Hakim",
    "name-Ahmad_Masood",
    "name-Alejandro_Toledo",
    "name-Ali_Abbas",
    "name-Alvaro_Silva_Calderon",
    "name-Charlotte_Casiraghi",
    "name-Chuck_Woolery",
    "name-Ed_Smart",
    "name-Edie_Falco",
    "name-Florecita_Cobian",
    "name-Gary_Condit",
    "name-Hanan_Ashrawi",
    "name-JK_Rowling",
    "name-Jane_Pauley",
    "name-Jane_Rooney",
    "name-Katharine_Hepburn",
    "name-Kevin_Satterfield",
    "name-Kristy_Curry",
    "name-Kyle_Shewfelt",
    "name-Laura_Elena_Harring",
    "name-Leticia_Van_de_Putte",
    "name-Mary_Robinson",
    "name-Philippe_Noiret",
    "name-Rocco_Buttiglione",
    "name-Tina_Brown",
    "name-Wesley_Clark",
    "name-William_Donaldson",
    "name-Yuri_Fedotov",
    "name-Zhang_Ziyi",
];

/// Whether choices are made on this person; figures are reported on the others.
pub(crate) fn is_tuning(person: &str) -> bool {
    Sha256::digest(person.as_bytes())[0] % 2 == 0
}

struct Annotations {
    points_delta: Vec<i16>,
    identity: Vec<f32>,
    n_faces: usize,
}

impl Annotations {
    fn new(bytes: &[u8]) -> Result<Self> {
        let tensors = SafeTensors::deserialize(bytes)?;
        let points = tensors.tensor("points_delta")?;
        let n_faces = points.shape()[2];
        ensure!(
            points.shape() == [3, N_MESH_POINTS, n_faces],
            "points have an unknown shape"
        );
        let identity = tensors.tensor("identity")?;
        ensure!(
            identity.shape() == [n_faces, 128],
            "identities have an unknown shape"
        );
        Ok(Self {
            points_delta: points
                .data()
                .chunks_exact(2)
                .map(|b| i16::from_le_bytes([b[0], b[1]]))
                .collect(),
            identity: identity
                .data()
                .chunks_exact(2)
                .map(|b| f32_from_half([b[0], b[1]]))
                .collect(),
            n_faces,
        })
    }

    fn sample(&self, picture: Picture, face: usize, person: &str, source: &str) -> Sample {
        let long_side = picture.width().max(picture.height());
        let scale = (MOST_SIDE_PX as f32 / long_side as f32).min(1.0);
        let shrunk = |side: u32| ((side as f32 * scale).round() as u32).max(1);
        let picture = resize(&picture, shrunk(picture.width()), shrunk(picture.height()));
        let identity = &self.identity[face * 128..(face + 1) * 128];
        Sample {
            picture,
            points: self.points(face, scale),
            identity: identity
                .iter()
                .all(|v| v.is_finite())
                .then(|| identity.to_vec()),
            person: person.to_owned(),
            source: source.to_owned(),
            sex: String::new(),
        }
    }

    fn points(&self, face: usize, scale: f32) -> Vec<Point3> {
        let axis = |axis: usize| {
            let at = move |i: usize| (axis * N_MESH_POINTS + i) * self.n_faces + face;
            let running = (0..N_MESH_POINTS).scan(0_i32, move |sum, i| {
                *sum += i32::from(self.points_delta[at(i)]);
                Some(*sum as f32 / UNITS_PER_PX * scale)
            });
            running.collect::<Vec<f32>>()
        };
        let (x, y, z) = (axis(0), axis(1), axis(2));
        (0..N_MESH_POINTS)
            .map(|i| Point3::new(x[i], y[i], z[i]))
            .collect()
    }
}

/// IEEE 754 half precision, as the annotations keep identities.
fn f32_from_half(bytes: [u8; 2]) -> f32 {
    let bits = u16::from_le_bytes(bytes);
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    match exponent {
        0 => sign * fraction * 2.0_f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2.0_f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read_exactly() {
        for (bits, value) in [
            (0x3C00_u16, 1.0),
            (0xC000, -2.0),
            (0x3555, 0.333_251_95),
            (1, 5.960_464_5e-8),
        ] {
            assert_eq!(f32_from_half(bits.to_le_bytes()), value);
        }
        assert!(f32_from_half([0, 0x7E]).is_nan());
    }
}
