//! Reads the light head from its file, `rig.safetensors`.

use half::f16;
use safetensors::{Dtype, SafeTensors};

use super::equations::Gram;
use super::eyes::{EyeShapes, IRISES_AT_THEIR_WORD, LIDS_AS_FOUND};
use super::names::N_EXPRESSIONS;
use super::{N_MODES, Part, Rig, Shapes, Triangle, carriers};
use crate::landmarks::N_SKIN_POINTS;

/// More vertices are no light head.
const MOST_VERTICES: usize = 20_000;

/// Reads the rig; says in words what is wrong with the bytes.
pub(super) fn parse(bytes: &[u8]) -> Result<Rig, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|err| err.to_string())?;
    let uv = floats(&file, "uv")?;
    let n = uv.len() / 2;
    if n == 0 || n > MOST_VERTICES {
        return Err(format!("{n} vertices"));
    }
    let mesh = Shapes {
        neutral: sized(&file, "neutral", 3 * n)?,
        identity: shapes(&file, "identity", N_MODES, 3 * n)?,
        expression: shapes(&file, "expression", N_EXPRESSIONS, 3 * n)?,
    };
    let n_points = 3 * N_SKIN_POINTS;
    let points = Shapes {
        neutral: sized(&file, "points.neutral", n_points)?,
        identity: shapes(&file, "points.identity", N_MODES, n_points)?,
        expression: shapes(&file, "points.expression", N_EXPRESSIONS, n_points)?,
    };
    let pair = |values: &[f32]| -> [[f32; 4]; 2] {
        std::array::from_fn(|eye| std::array::from_fn(|i| values[4 * eye + i]))
    };
    let eyes = EyeShapes {
        neutral: pair(&sized(&file, "eyes.neutral", 8)?),
        identity: shapes(&file, "eyes.identity", N_MODES, 8)?
            .iter()
            .map(|mode| pair(mode))
            .collect(),
        // A rig that was not fitted to the mesh network takes it at its word.
        lids: LIDS_AS_FOUND,
        seen: match file.tensor("seen.gaze") {
            Ok(_) => lines(&sized(&file, "seen.gaze", 4)?),
            Err(_) => IRISES_AT_THEIR_WORD,
        },
    };
    let (pairs, _) = uv.as_chunks::<2>();
    Ok(Rig {
        gram: Gram::new(&points),
        carried_by: carriers(&mesh, &points),
        triangles: triangles(&file, n)?,
        uv: pairs.to_vec(),
        mesh,
        points,
        eyes,
    })
}

fn lines(values: &[f32]) -> [[f32; 2]; 2] {
    std::array::from_fn(|i| std::array::from_fn(|k| values[2 * i + k]))
}

fn triangles(file: &SafeTensors<'_>, n_vertices: usize) -> Result<Vec<Triangle>, String> {
    let bytes = of_type(file, "triangles", Dtype::U16)?;
    let parts = of_type(file, "parts", Dtype::U8)?;
    let (numbers, _) = bytes.as_chunks::<2>();
    let (corners, rest) = numbers.as_chunks::<3>();
    if corners.len() != parts.len() || !rest.is_empty() {
        return Err("triangles and their parts differ in number".to_owned());
    }
    let triangle = |(corners, &part): (&[[u8; 2]; 3], &u8)| {
        let corners = corners.map(u16::from_le_bytes);
        if let Some(stray) = corners.iter().find(|c| usize::from(**c) >= n_vertices) {
            return Err(format!("a triangle points to {stray} of {n_vertices}"));
        }
        let part = match part {
            0 => Part::Face,
            1 => Part::Back,
            2 => Part::Mouth,
            3 => Part::Teeth,
            4 => Part::EyeRight,
            5 => Part::EyeLeft,
            other => return Err(format!("no part has the number {other}")),
        };
        Ok(Triangle { corners, part })
    };
    corners.iter().zip(parts).map(triangle).collect()
}

fn of_type<'a>(file: &SafeTensors<'a>, name: &str, kind: Dtype) -> Result<&'a [u8], String> {
    let tensor = file.tensor(name).map_err(|err| format!("{name}: {err}"))?;
    match tensor.dtype() {
        found if found == kind => Ok(tensor.data()),
        other => Err(format!("{name} holds {other:?}")),
    }
}

fn floats(file: &SafeTensors<'_>, name: &str) -> Result<Vec<f32>, String> {
    let tensor = file.tensor(name).map_err(|err| format!("{name}: {err}"))?;
    let values: Vec<f32> = match tensor.dtype() {
        Dtype::F32 => {
            let (numbers, _) = tensor.data().as_chunks::<4>();
            numbers.iter().map(|b| f32::from_le_bytes(*b)).collect()
        }
        Dtype::F16 => {
            let (numbers, _) = tensor.data().as_chunks::<2>();
            let number = |b: &[u8; 2]| f16::from_le_bytes(*b).to_f32();
            numbers.iter().map(number).collect()
        }
        other => return Err(format!("{name} holds {other:?}")),
    };
    match values.iter().all(|v| v.is_finite()) {
        true => Ok(values),
        false => Err(format!("{name} holds what is no number")),
    }
}

fn sized(file: &SafeTensors<'_>, name: &str, n: usize) -> Result<Vec<f32>, String> {
    let values = floats(file, name)?;
    match values.len() == n {
        true => Ok(values),
        false => Err(format!("{name} has {} numbers of {n}", values.len())),
    }
}

fn shapes(
    file: &SafeTensors<'_>,
    name: &str,
    n_shapes: usize,
    n: usize,
) -> Result<Vec<Vec<f32>>, String> {
    let values = sized(file, name, n_shapes * n)?;
    Ok(values.chunks_exact(n).map(<[f32]>::to_vec).collect())
}
