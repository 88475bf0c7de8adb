//! The light head of the rig, from the ICT-FaceKit light model (MIT).
//!
//! Of the head's 26,719 vertices some thousands are kept; shapes are those of the vertices that are
//! left. The 468 skin points of the face mesh lie where `effigy_actors` puts them (the mean mesh
//! bent onto the head by the landmarks that both have, then the nearest place of the skin), and
//! their shapes are taken from the whole head.

mod decimate;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use burn::tensor::f16;
use effigy_actors::Head;
use effigy_actors::geometry::{Geometry, Part};
use effigy_face::rig::EXPRESSIONS;
use effigy_files::{sha256, write_atomically};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use self::decimate::{Facet, decimate, wedges};

const FILE: &str = "rig.safetensors";
/// How many vertices each part may keep. Face and back of the head are one surface.
const SKIN_VERTICES: usize = 2600;
const MOUTH_VERTICES: usize = 260;
const TEETH_VERTICES: usize = 420;
const EYE_VERTICES: usize = 130;
/// The expressions whose shapes a lighter head must keep too.
const POSES: [&[&str]; 6] = [
    &["jawOpen"],
    &["eyeBlink_L", "eyeBlink_R"],
    &[
        "mouthSmile_L",
        "mouthSmile_R",
        "cheekSquint_L",
        "cheekSquint_R",
    ],
    &["mouthFunnel"],
    &[
        "mouthLowerDown_L",
        "mouthLowerDown_R",
        "mouthUpperUp_L",
        "mouthUpperUp_R",
    ],
    &[
        "browInnerUp_L",
        "browInnerUp_R",
        "browOuterUp_L",
        "browOuterUp_R",
    ],
];

/// Makes the light head and writes it into `output`.
pub(super) fn import(data: &Path, output: &Path) -> Result<()> {
    let source = data.join("head/head.safetensors");
    let whole = std::fs::read(&source).with_context(|| format!("cannot read {source:?}"))?;
    let head = Head::open(&source)?.geometry();
    ensure!(
        head.names == EXPRESSIONS,
        "the head's expressions are not those of this version"
    );
    let facets = lighten(&head);
    let kept = wedges(&facets);
    let bytes = to_safetensors(&head, &kept)?;
    let path = output.join(FILE);
    write_atomically(&path, &bytes).with_context(|| format!("cannot write {path:?}"))?;
    println!(
        "{} vertices, {} triangles, {} bytes, written to {}",
        kept.vertices.len(),
        kept.triangles.len(),
        bytes.len(),
        path.display()
    );
    println!("sha256 = {:?}", sha256(&bytes));
    println!("package_sha256 = {:?}", sha256(&whole));
    Ok(())
}

/// Keeps few triangles of each part.
fn lighten(head: &Geometry) -> Vec<Facet<Part>> {
    let poses = poses(head);
    let importance = importance(head);
    let groups: [(&[Part], usize); 5] = [
        (&[Part::Face, Part::Back], SKIN_VERTICES),
        (&[Part::Mouth], MOUTH_VERTICES),
        (&[Part::Teeth], TEETH_VERTICES),
        (&[Part::EyeRight], EYE_VERTICES),
        (&[Part::EyeLeft], EYE_VERTICES),
    ];
    let light = groups.into_iter().flat_map(|(parts, n)| {
        let of_group = head.facets.iter().filter(|f| parts.contains(&f.part));
        let facets: Vec<Facet<Part>> = of_group
            .map(|f| Facet {
                corners: f.corners,
                uv: f.uv,
                part: f.part,
            })
            .collect();
        decimate(&facets, &poses, &importance, n)
    });
    light.collect()
}

/// The head at rest and in a few expressions.
fn poses(head: &Geometry) -> Vec<Vec<[f32; 3]>> {
    let with = |names: &[&str]| {
        let mut pose = head.neutral.clone();
        for (name, shape) in head.names.iter().zip(&head.expressions) {
            if names.contains(&name.as_str()) {
                for (p, d) in pose.iter_mut().zip(shape) {
                    *p = [0, 1, 2].map(|i| p[i] + d[i]);
                }
            }
        }
        pose
    };
    let mut all = vec![head.neutral.clone()];
    all.extend(POSES.iter().map(|names| with(names)));
    all
}

/// What matters more is kept finer: the face before neck and scalp.
fn importance(head: &Geometry) -> Vec<f32> {
    let mut importance = vec![0.1; head.neutral.len()];
    for facet in &head.facets {
        let worth = if facet.part == Part::Back { 0.1 } else { 1.0 };
        for &c in &facet.corners {
            let [x, y, z] = head.neutral[c as usize];
            let on_face = z > 2.0 && y > -9.0 && x.abs() < 8.0;
            let worth: f32 = if on_face { worth } else { 0.3 * worth };
            importance[c as usize] = worth.max(importance[c as usize]);
        }
    }
    importance
}

/// The names, shapes and bytes of a file.
#[derive(Default)]
struct Tensors(BTreeMap<&'static str, (Dtype, Vec<usize>, Vec<u8>)>);

impl Tensors {
    fn single(&mut self, name: &'static str, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.0.insert(name, (Dtype::F32, shape.to_vec(), bytes));
    }

    fn half(&mut self, name: &'static str, shape: &[usize], values: &[f32]) {
        let half = |&value: &f32| f16::from_f32(value).to_le_bytes();
        let bytes = values.iter().flat_map(half).collect();
        self.0.insert(name, (Dtype::F16, shape.to_vec(), bytes));
    }
}

/// Our axes: x to the picture's right, y down, z away from the camera.
fn ours([x, y, z]: [f32; 3]) -> [f32; 3] {
    [x, -y, -z]
}

fn to_safetensors(head: &Geometry, kept: &decimate::Wedges<Part>) -> Result<Vec<u8>> {
    let mut tensors = Tensors::default();
    add_vertices(&mut tensors, head, kept);
    add_points(&mut tensors, head);
    add_triangles(&mut tensors, kept);
    let eyes = eyes(head);
    tensors.single("eyes.neutral", &[2, 4], &eyes.neutral);
    tensors.single(
        "eyes.identity",
        &[head.identity.len(), 2, 4],
        &eyes.identity,
    );
    let views = tensors.0.iter();
    let views = views
        .map(|(name, (kind, shape, bytes))| {
            Ok((*name, TensorView::new(*kind, shape.clone(), bytes)?))
        })
        .collect::<Result<Vec<_>>>()?;
    let said = [(
        "licence".to_owned(),
        "MIT, (c) 2020 USC Institute for Creative Technologies, ICT-FaceKit light model".to_owned(),
    )];
    Ok(safetensors::serialize(views, Some(said.into()))?)
}

fn add_vertices(tensors: &mut Tensors, head: &Geometry, kept: &decimate::Wedges<Part>) {
    let n = kept.vertices.len();
    let shape = |of: &Vec<[f32; 3]>| -> Vec<f32> {
        let kept = kept.vertices.iter();
        kept.flat_map(|&(v, _)| ours(of[v as usize])).collect()
    };
    let (identity, expressions) = (&head.identity, &head.expressions);
    tensors.single("neutral", &[n, 3], &shape(&head.neutral));
    let all: Vec<f32> = identity.iter().flat_map(shape).collect();
    tensors.half("identity", &[identity.len(), n, 3], &all);
    let all: Vec<f32> = expressions.iter().flat_map(shape).collect();
    tensors.half("expression", &[expressions.len(), n, 3], &all);
    let uv = kept.vertices.iter().flat_map(|(_, uv)| uv.map(f32::fract));
    tensors.single("uv", &[n, 2], &uv.collect::<Vec<_>>());
}

fn add_points(tensors: &mut Tensors, head: &Geometry) {
    let n = head.mesh_points.len();
    let points = |of: &Vec<[f32; 3]>| -> Vec<f32> {
        let anchors = head.mesh_points.iter();
        let on = anchors.flat_map(|anchor| {
            let on = [0, 1, 2].map(|i| {
                let corners = anchor.corners.iter().zip(anchor.weights);
                corners.map(|(&c, w)| w * of[c as usize][i]).sum()
            });
            ours(on)
        });
        on.collect()
    };
    let (identity, expressions) = (&head.identity, &head.expressions);
    tensors.single("points.neutral", &[n, 3], &points(&head.neutral));
    let all: Vec<f32> = identity.iter().flat_map(points).collect();
    tensors.half("points.identity", &[identity.len(), n, 3], &all);
    let all: Vec<f32> = expressions.iter().flat_map(points).collect();
    tensors.half("points.expression", &[expressions.len(), n, 3], &all);
}

fn add_triangles(tensors: &mut Tensors, kept: &decimate::Wedges<Part>) {
    let n = kept.triangles.len();
    let corners = kept.triangles.iter().flat_map(|(corners, _)| corners);
    let corners = corners.flat_map(|&c| (c as u16).to_le_bytes()).collect();
    let all = &mut tensors.0;
    all.insert("triangles", (Dtype::U16, vec![n, 3], corners));
    let parts = kept.triangles.iter().map(|(_, part)| *part as u8).collect();
    all.insert("parts", (Dtype::U8, vec![n], parts));
}

/// Middle and radius of both eyeballs, the right one first, and how the modes change them.
struct Eyes {
    neutral: Vec<f32>,
    identity: Vec<f32>,
}

fn eyes(head: &Geometry) -> Eyes {
    let mut eyes = Eyes {
        neutral: Vec::new(),
        identity: Vec::new(),
    };
    let extremes = [Part::EyeRight, Part::EyeLeft].map(|part| {
        let of_eye = head.facets.iter().filter(|f| f.part == part);
        let mut vertices: Vec<u32> = of_eye.flat_map(|f| f.corners).collect();
        vertices.sort_unstable();
        vertices.dedup();
        // The leftmost, rightmost, lowest, highest and hindmost: the front is hidden by the lids,
        // and not round.
        let at = |i: usize, sign: f32| {
            let by = |v: &&u32| sign * head.neutral[**v as usize][i];
            let most = vertices.iter().max_by(|a, b| by(a).total_cmp(&by(b)));
            most.map_or(0, |v| *v as usize)
        };
        [
            at(0, -1.0),
            at(0, 1.0),
            at(1, -1.0),
            at(1, 1.0),
            at(2, -1.0),
        ]
    });
    let ball = |of: &[[f32; 3]], [left, right, low, high, hind]: [usize; 5]| {
        let radius = 0.5 * (of[right][0] - of[left][0]);
        let middle = [
            0.5 * (of[left][0] + of[right][0]),
            0.5 * (of[low][1] + of[high][1]),
            of[hind][2] + radius,
        ];
        let [x, y, z] = ours(middle);
        [x, y, z, radius]
    };
    for extreme in extremes {
        eyes.neutral.extend(ball(&head.neutral, extreme));
    }
    for mode in &head.identity {
        for extreme in extremes {
            eyes.identity.extend(ball(mode, extreme));
        }
    }
    eyes
}
