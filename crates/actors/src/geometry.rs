//! The head's geometry for those who make something else of it: plain lists, and where the points
//! of the mesh lie.

pub use effigy_face::rig::Part;

use super::head::{Head, Material};
pub use super::mesh_points::Anchor;
use super::mesh_points::Anchors;

/// A triangle of the head.
#[derive(Clone, Copy, Debug)]
pub struct Facet {
    /// Its vertices.
    pub corners: [u32; 3],
    /// Where its corners lie in the texture of its part.
    pub uv: [[f32; 2]; 3],
    /// What it shows.
    pub part: Part,
}

/// The whole head, in centimetres: x to the picture's right, y up, z towards the camera.
pub struct Geometry {
    /// Each vertex at rest.
    pub neutral: Vec<[f32; 3]>,
    /// How far each vertex moves for one standard deviation of each mode.
    pub identity: Vec<Vec<[f32; 3]>>,
    /// How far each vertex moves at the full weight of each expression. Eyeballs stay.
    pub expressions: Vec<Vec<[f32; 3]>>,
    /// What the expressions are called.
    pub names: Vec<String>,
    /// All that is seen of it.
    pub facets: Vec<Facet>,
    /// Where the 468 skin points of the face mesh lie.
    pub mesh_points: Vec<Anchor>,
}

impl Head {
    /// Gives the head as plain lists.
    pub fn geometry(&self) -> Geometry {
        let n = self.neutral.len();
        let dense = |sparse: &Vec<(u32, super::space::V3)>| {
            let mut all = vec![[0.0; 3]; n];
            for &(v, d) in sparse {
                all[v as usize] = d.to_array();
            }
            all
        };
        let plain = |vectors: &Vec<super::space::V3>| -> Vec<[f32; 3]> {
            vectors.iter().map(|v| v.to_array()).collect()
        };
        let facet = |t: &super::head::Triangle| {
            let part = match t.material {
                Material::Face => Part::Face,
                Material::Back => Part::Back,
                Material::Mouth => Part::Mouth,
                Material::Teeth => Part::Teeth,
                Material::EyeRight => Part::EyeRight,
                Material::EyeLeft => Part::EyeLeft,
                Material::Lash | Material::Hidden => return None,
            };
            Some(Facet {
                corners: t.corners,
                uv: t.uv,
                part,
            })
        };
        Geometry {
            neutral: plain(&self.neutral),
            identity: self.identity.iter().map(plain).collect(),
            expressions: self.expressions.iter().map(dense).collect(),
            names: self.names.clone(),
            facets: self.triangles.iter().filter_map(facet).collect(),
            mesh_points: Anchors::lay(self).places_on_head(),
        }
    }
}
