//! The parametric head: neutral mesh, identity modes and expressions, read from one file.
//!
//! Geometry: ICT-FaceKit light model, MIT, © 2020 USC Institute for Creative Technologies.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};

use super::error::{Error, Result};
use super::space::{V3, v3};

/// What a part of the head is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    /// Scalp, back of the neck and shoulders.
    Back,
    Face,
    Mouth,
    Teeth,
    EyeLeft,
    EyeRight,
    Lash,
    /// What is drawn by other means: iris discs, tear films, shadows of the lids.
    Hidden,
}

/// A triangle of the mesh.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Triangle {
    pub(crate) corners: [u32; 3],
    pub(crate) uv: [[f32; 2]; 3],
    pub(crate) material: Material,
}

/// A head file's contents: the neutral mesh, identity modes and expressions.
pub struct Head {
    pub(crate) neutral: Vec<V3>,
    pub(crate) identity: Vec<Vec<V3>>,
    pub(crate) expressions: Vec<Vec<(u32, V3)>>,
    pub(crate) names: Vec<String>,
    pub(crate) triangles: Vec<Triangle>,
    pub(crate) landmarks: Vec<u32>,
    /// Vertices of the skin come first.
    pub(crate) n_skin: usize,
    /// Of each vertex, by the first triangle that uses it.
    pub(crate) material: Vec<Material>,
}

/// Furthest identity weight, in standard deviations.
pub(crate) const MOST_IDENTITY: f32 = 3.0;
/// Larger files are not heads.
const MOST_BYTES: u64 = 64 << 20;
const MOST_VERTICES: usize = 200_000;

impl Head {
    /// Reads the head.
    ///
    /// # Errors
    /// When the file is missing, too large or damaged.
    pub fn open(path: &Path) -> Result<Self> {
        let open = |source| Error::NoHead {
            source,
            path: path.to_owned(),
        };
        let damaged = |why: String| Error::DamagedHead {
            why,
            path: path.to_owned(),
        };
        let size = fs::metadata(path).map_err(open)?.len();
        if size > MOST_BYTES {
            return Err(damaged(format!("{size} bytes are too many")));
        }
        let bytes = fs::read(path).map_err(open)?;
        parse(&bytes).map_err(damaged)
    }

    /// How many modes of identity there are.
    pub(crate) fn n_modes(&self) -> usize {
        self.identity.len()
    }

    /// Gives the place of an expression by name.
    pub(crate) fn expression(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n == name)
    }

    /// Gives how far each vertex falls at the full weight of an expression.
    pub(crate) fn drop_of(&self, expression: usize) -> Vec<f32> {
        let mut drops = vec![0.0; self.neutral.len()];
        for &(v, d) in &self.expressions[expression] {
            drops[v as usize] = -d.y;
        }
        drops
    }

    /// Gives the vertices of a person at rest.
    pub(crate) fn person(&self, weights: &[f32]) -> Result<Vec<V3>> {
        let mut vertices = self.neutral.clone();
        for (i, &weight) in weights.iter().enumerate() {
            check(
                &format!("identity weight {i}"),
                weight,
                -MOST_IDENTITY..=MOST_IDENTITY,
            )?;
            let Some(mode) = self.identity.get(i) else {
                return Err(Error::Weight {
                    what: "the number of identity weights".to_owned(),
                    weight: weights.len() as f32,
                    least: 0.0,
                    most: self.identity.len() as f32,
                });
            };
            for (v, d) in vertices.iter_mut().zip(mode) {
                *v += *d * weight;
            }
        }
        Ok(vertices)
    }

    /// Adds expressions to the vertices of a person; eyeballs are left to be turned.
    pub(crate) fn express(&self, vertices: &mut [V3], weights: &[f32]) -> Result<()> {
        for (i, &weight) in weights.iter().enumerate().take(self.expressions.len()) {
            check(&self.names[i], weight, 0.0..=1.0)?;
            if weight <= 0.0 {
                continue;
            }
            for &(v, d) in &self.expressions[i] {
                vertices[v as usize] += d * weight;
            }
        }
        Ok(())
    }
}

fn check(what: &str, weight: f32, allowed: RangeInclusive<f32>) -> Result<()> {
    // A NaN lies nowhere.
    if allowed.contains(&weight) {
        return Ok(());
    }
    Err(Error::Weight {
        what: what.to_owned(),
        weight,
        least: *allowed.start(),
        most: *allowed.end(),
    })
}

fn parse(bytes: &[u8]) -> Result<Head, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|err| err.to_string())?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|err| err.to_string())?;
    let said = header.metadata().clone().unwrap_or_default();
    let list = |key: &str| -> Result<Vec<String>, String> {
        let text = said.get(key).ok_or(format!("it does not say {key}"))?;
        serde_json::from_str(text).map_err(|err| format!("{key}: {err}"))
    };
    let (names, materials) = (list("expressions")?, list("materials")?);
    let neutral = vectors(&floats(&file, "neutral")?);
    let n = neutral.len();
    if n == 0 || n > MOST_VERTICES {
        return Err(format!("{n} vertices"));
    }
    let triangles = triangles(&file, &materials, n)?;
    let mut material = vec![Material::Hidden; n];
    for triangle in triangles.iter().rev() {
        for &corner in &triangle.corners {
            material[corner as usize] = triangle.material;
        }
    }
    let is_skin = |m: &Material| matches!(m, Material::Back | Material::Face);
    let n_skin = material.iter().take_while(|m| is_skin(m)).count();
    let landmarks = indices(&file, "landmarks68", n)?;
    if n_skin == 0 || landmarks.len() != 68 {
        return Err("skin or landmarks are missing".to_owned());
    }
    let eyeball = |v: usize| matches!(material[v], Material::EyeLeft | Material::EyeRight);
    let shapes = modes(&file, "expression", n)?;
    if shapes.len() != names.len() {
        return Err("expressions and their names differ in number".to_owned());
    }
    let sparse = |shape: &Vec<V3>| {
        let moved = shape.iter().enumerate();
        let moved = moved.filter(|(v, d)| d.length() > 1e-4 && !eyeball(*v));
        moved.map(|(v, d)| (v as u32, *d)).collect()
    };
    Ok(Head {
        expressions: shapes.iter().map(sparse).collect(),
        identity: modes(&file, "identity", n)?,
        neutral,
        names,
        triangles,
        landmarks,
        n_skin,
        material,
    })
}

fn triangles(
    file: &SafeTensors<'_>,
    materials: &[String],
    n_vertices: usize,
) -> Result<Vec<Triangle>, String> {
    let uv = floats(file, "uv")?;
    let quads = indices(file, "quads", n_vertices)?;
    let quad_uv = indices(file, "quad_uv", uv.len() / 2)?;
    let tensor = file
        .tensor("quad_material")
        .map_err(|err| err.to_string())?;
    let of_quad = tensor.data();
    if quads.len() != 4 * of_quad.len() || quad_uv.len() != quads.len() {
        return Err("its lists of faces differ in length".to_owned());
    }
    let mut all = Vec::with_capacity(2 * of_quad.len());
    for (i, &kind) in of_quad.iter().enumerate() {
        let name = materials.get(usize::from(kind));
        let name = name.ok_or_else(|| format!("no material {kind}"))?;
        let material = material_of(name);
        for [a, b, c] in [[0, 1, 2], [0, 2, 3]].map(|t| t.map(|j| 4 * i + j)) {
            let corners = [quads[a], quads[b], quads[c]];
            if corners[0] == corners[1] || corners[1] == corners[2] || corners[0] == corners[2] {
                continue; // A triangle is stored as a quad with a corner twice.
            }
            let uv = [a, b, c].map(|j| {
                let at = 2 * quad_uv[j] as usize;
                [uv[at], uv[at + 1]]
            });
            all.push(Triangle {
                corners,
                uv,
                material,
            });
        }
    }
    Ok(all)
}

fn material_of(name: &str) -> Material {
    match name {
        "M_BackHead" => Material::Back,
        "M_Face" => Material::Face,
        "M_GumsTongue" => Material::Mouth,
        "M_Teeth" => Material::Teeth,
        "M_ScleraLeft" => Material::EyeLeft,
        "M_ScleraRight" => Material::EyeRight,
        "M_EyeLashes" => Material::Lash,
        _ => Material::Hidden,
    }
}

fn floats(file: &SafeTensors<'_>, name: &str) -> Result<Vec<f32>, String> {
    let tensor = file.tensor(name).map_err(|err| format!("{name}: {err}"))?;
    let values: Vec<f32> = match tensor.dtype() {
        Dtype::F32 => tensor
            .data()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect(),
        Dtype::F16 => tensor
            .data()
            .chunks_exact(2)
            .map(|b| half(u16::from_le_bytes([b[0], b[1]])))
            .collect(),
        other => return Err(format!("{name} holds {other:?}")),
    };
    if values.iter().any(|v| !v.is_finite()) {
        return Err(format!("{name} holds what is no number"));
    }
    Ok(values)
}

/// Widens a half-precision number.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from((bits >> 10) & 31);
    let fraction = f32::from(bits & 1023) / 1024.0;
    let size = match exponent {
        0 => fraction * 2.0_f32.powi(-14),
        31 => f32::NAN,
        _ => (1.0 + fraction) * 2.0_f32.powi(exponent - 15),
    };
    sign * size
}

fn indices(file: &SafeTensors<'_>, name: &str, below: usize) -> Result<Vec<u32>, String> {
    let tensor = file.tensor(name).map_err(|err| format!("{name}: {err}"))?;
    if tensor.dtype() != Dtype::I32 {
        return Err(format!("{name} holds {:?}", tensor.dtype()));
    }
    let number = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    let all: Vec<u32> = tensor.data().chunks_exact(4).map(number).collect();
    match all.iter().find(|&&i| i as usize >= below) {
        Some(i) => Err(format!("{name} points to {i} of {below}")),
        None => Ok(all),
    }
}

fn vectors(numbers: &[f32]) -> Vec<V3> {
    let vector = |c: &[f32]| v3(c[0], c[1], c[2]);
    numbers.chunks_exact(3).map(vector).collect()
}

fn modes(file: &SafeTensors<'_>, name: &str, n_vertices: usize) -> Result<Vec<Vec<V3>>, String> {
    let all = vectors(&floats(file, name)?);
    if !all.len().is_multiple_of(n_vertices) {
        return Err(format!("{name} does not fit the mesh"));
    }
    Ok(all.chunks_exact(n_vertices).map(<[V3]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::{TensorView, serialize};

    use super::*;

    /// A head of one square of skin, one identity mode and one expression.
    fn tiny(neutral: [f32; 12], corner: u32) -> Vec<u8> {
        let bytes =
            |numbers: &[f32]| -> Vec<u8> { numbers.iter().flat_map(|n| n.to_le_bytes()).collect() };
        let whole =
            |numbers: &[u32]| -> Vec<u8> { numbers.iter().flat_map(|n| n.to_le_bytes()).collect() };
        let uv = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0];
        let tensors = [
            ("neutral", Dtype::F32, vec![4, 3], bytes(&neutral)),
            ("uv", Dtype::F32, vec![4, 2], bytes(&uv)),
            ("quads", Dtype::I32, vec![1, 4], whole(&[0, 1, 2, corner])),
            ("quad_uv", Dtype::I32, vec![1, 4], whole(&[0, 1, 2, 3])),
            ("quad_material", Dtype::U8, vec![1], vec![0]),
            ("landmarks68", Dtype::I32, vec![68], whole(&[0; 68])),
            ("identity", Dtype::F32, vec![1, 4, 3], bytes(&[0.5; 12])),
            ("expression", Dtype::F32, vec![1, 4, 3], bytes(&[1.0; 12])),
        ];
        let said = [
            ("expressions", "[\"jawOpen\"]"),
            ("materials", "[\"M_Face\"]"),
        ];
        let said = said.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let views = tensors.iter().map(|(name, kind, shape, data)| {
            (*name, TensorView::new(*kind, shape.clone(), data).unwrap())
        });
        serialize(views, Some(said)).unwrap()
    }

    const SQUARE: [f32; 12] = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0];

    #[test]
    fn a_head_comes_back_with_its_modes_and_expressions() {
        let head = parse(&tiny(SQUARE, 3)).unwrap();
        assert_eq!((head.triangles.len(), head.n_skin), (2, 4));
        let mut vertices = head.person(&[2.0]).unwrap();
        head.express(&mut vertices, &[0.5]).unwrap();
        assert_eq!(vertices[1], v3(2.5, 1.5, 1.5));
    }

    #[test]
    fn weights_out_of_range_are_refused_with_the_range() {
        let head = parse(&tiny(SQUARE, 3)).unwrap();
        let too_far = head.person(&[3.5]).unwrap_err().to_string();
        assert_eq!(
            too_far,
            "identity weight 0 is 3.5; it must lie between -3 and 3"
        );
        let mut vertices = head.neutral.clone();
        for weight in [1.2, -0.1, f32::NAN] {
            let refused = head.express(&mut vertices, &[weight]).unwrap_err();
            assert!(refused.to_string().starts_with("jawOpen is"), "{refused}");
        }
        assert!(head.person(&[0.0, 0.0]).is_err(), "one mode, two weights");
    }

    #[test]
    fn damage_is_found_and_the_file_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("head.safetensors");
        let missing = Head::open(&path).err().unwrap().to_string();
        assert!(missing.contains("head.safetensors") && missing.contains("--data"));
        let whole = tiny(SQUARE, 3);
        let mut nan = SQUARE;
        nan[4] = f32::NAN;
        let bad = [
            whole[..whole.len() / 2].to_vec(),
            tiny(nan, 3),
            tiny(SQUARE, 77),
        ];
        for bytes in bad {
            fs::write(&path, bytes).unwrap();
            let damaged = Head::open(&path).err().unwrap().to_string();
            assert!(damaged.contains("damaged") && damaged.contains("head.safetensors"));
        }
    }
}
