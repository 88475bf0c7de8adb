//! A head that moves as the take says: glTF 2.0 in one binary file, metres, y up, facing +z.
//!
//! The head is the rig's mean one, whoever was tracked: what is handed on is the movement, not the
//! face. Its morph targets have ARKit's names; eyes are nodes of their own.

use std::collections::BTreeMap;

use effigy_face::pose::Rotation;
use effigy_face::rig::{ARKIT, N_EXPRESSIONS, Part, Person, Rig, Vec3, arkit};
use serde_json::{Value, json};

use super::take::{Take, eye_rotation, quaternion, upright};

/// Of the geometry; glTF has a place for it.
const COPYRIGHT: &str = "Head: ICT-FaceKit light model, MIT, (c) 2020 USC Institute for Creative \
    Technologies";

/// The whole file.
pub(super) fn bytes(rig: &Rig, take: &Take) -> Vec<u8> {
    let person = Person::mean(rig);
    let mut file = Buffers::default();
    let skin = file.head(rig, &person);
    let eyes = [Part::EyeRight, Part::EyeLeft].map(|part| file.eye(rig, &person, part));
    let animation = file.animation(take);
    let middles = person.eyes().map(|eye| metres(eye.middle));
    let document = json!({
        "asset": { "version": "2.0", "generator": "effigy track", "copyright": COPYRIGHT },
        "scene": 0,
        "scenes": [{ "nodes": [0] }],
        "nodes": [
            { "name": "Head", "children": [1, 2, 3] },
            { "name": "Face", "mesh": 0 },
            { "name": "RightEye", "mesh": 1, "translation": middles[0] },
            { "name": "LeftEye", "mesh": 2, "translation": middles[1] },
        ],
        "meshes": [
            {
                "name": "Face",
                "primitives": skin,
                "weights": vec![0.0; targets().len()],
                "extras": { "targetNames": targets() },
            },
            { "name": "RightEye", "primitives": [eyes[0]] },
            { "name": "LeftEye", "primitives": [eyes[1]] },
        ],
        "materials": MATERIALS.map(material).to_vec(),
        "animations": [animation],
        "accessors": file.accessors,
        "bufferViews": file.views,
        "buffers": [{ "byteLength": file.bytes.len() }],
    });
    binary(&document, file.bytes)
}

const MATERIALS: [(&str, [f32; 4]); 4] = [
    ("Skin", [0.72, 0.52, 0.43, 1.0]),
    ("Mouth", [0.45, 0.13, 0.13, 1.0]),
    ("Teeth", [0.85, 0.83, 0.76, 1.0]),
    ("Eye", [0.90, 0.90, 0.90, 1.0]),
];

fn material((name, colour): (&str, [f32; 4])) -> Value {
    json!({
        "name": name,
        "pbrMetallicRoughness": {
            "baseColorFactor": colour, "metallicFactor": 0.0, "roughnessFactor": 0.6,
        },
    })
}

/// The coefficients for which the head has a shape.
fn targets() -> Vec<&'static str> {
    ARKIT
        .into_iter()
        .filter(|name| *name != "tongueOut")
        .collect()
}

/// The rig's axes and centimetres as glTF's.
fn metres([x, y, z]: Vec3) -> [f32; 3] {
    [0.01 * x, -0.01 * y, -0.01 * z]
}

/// How far each vertex moves for a coefficient.
fn target(rig: &Rig, name: &str) -> Vec<Vec3> {
    let mut moved = vec![[0.0; 3]; rig.n_vertices()];
    let k = ARKIT.iter().position(|n| *n == name);
    for expression in 0..N_EXPRESSIONS {
        let mut alone = [0.0; N_EXPRESSIONS];
        alone[expression] = 1.0;
        // A coefficient of both sides moves both.
        if k.is_some_and(|k| arkit(&alone)[k] > 0.0) {
            for (sum, d) in moved.iter_mut().zip(rig.shape(expression)) {
                *sum = [0, 1, 2].map(|i| sum[i] + d[i]);
            }
        }
    }
    moved
}

/// The binary part of the file, and what lies where in it.
#[derive(Default)]
struct Buffers {
    bytes: Vec<u8>,
    views: Vec<Value>,
    accessors: Vec<Value>,
}

/// What a view is for.
const VERTICES: u32 = 34962;
const INDICES: u32 = 34963;
/// Kinds of numbers.
const FLOAT: u32 = 5126;
const SHORT: u32 = 5123;

impl Buffers {
    fn view(&mut self, bytes: impl IntoIterator<Item = u8>, target: Option<u32>) -> usize {
        let at = self.bytes.len();
        self.bytes.extend(bytes);
        let length = self.bytes.len() - at;
        while !self.bytes.len().is_multiple_of(4) {
            self.bytes.push(0);
        }
        let mut view = json!({ "buffer": 0, "byteOffset": at, "byteLength": length });
        if let Some(target) = target {
            view["target"] = target.into();
        }
        self.views.push(view);
        self.views.len() - 1
    }

    fn accessor(&mut self, accessor: Value) -> usize {
        self.accessors.push(accessor);
        self.accessors.len() - 1
    }

    /// Numbers in groups of `N`, with their bounds.
    fn floats<const N: usize>(&mut self, values: &[[f32; N]], target: Option<u32>) -> usize {
        let view = self.view(
            values.iter().flatten().flat_map(|v| v.to_le_bytes()),
            target,
        );
        let bound = |pick: fn(f32, f32) -> f32, start: f32| -> [f32; N] {
            std::array::from_fn(|i| values.iter().map(|v| v[i]).fold(start, pick))
        };
        let kind = ["SCALAR", "VEC2", "VEC3", "VEC4"][N - 1];
        self.accessor(json!({
            "bufferView": view,
            "componentType": FLOAT,
            "count": values.len(),
            "type": kind,
            "min": bound(f32::min, f32::MAX).to_vec(),
            "max": bound(f32::max, f32::MIN).to_vec(),
        }))
    }

    fn indices(&mut self, corners: &[[u16; 3]]) -> usize {
        let bytes = corners.iter().flatten().flat_map(|c| c.to_le_bytes());
        let view = self.view(bytes, Some(INDICES));
        self.accessor(json!({
            "bufferView": view,
            "componentType": SHORT,
            "count": 3 * corners.len(),
            "type": "SCALAR",
        }))
    }

    /// Skin, mouth and teeth: one set of vertices with its targets, a primitive for each.
    fn head(&mut self, rig: &Rig, person: &Person) -> Vec<Value> {
        let is_head = |part: Part| !matches!(part, Part::EyeRight | Part::EyeLeft);
        let kept = Kept::new(rig, is_head);
        let places = kept.pick(&person.at_rest());
        let attributes = self.attributes(rig, &kept, &places);
        let mut shapes = Vec::new();
        for name in targets() {
            let moved = kept.pick(&target(rig, name));
            shapes.push(json!({ "POSITION": self.floats(&moved, Some(VERTICES)) }));
        }
        let primitive = |(material, parts): (usize, &[Part])| {
            let corners = kept.triangles(rig, |part| parts.contains(&part));
            json!({
                "attributes": attributes,
                "indices": self.indices(&corners),
                "material": material,
                "targets": shapes,
            })
        };
        let primitives: [(usize, &[Part]); 3] = [
            (0, &[Part::Face, Part::Back]),
            (1, &[Part::Mouth]),
            (2, &[Part::Teeth]),
        ];
        primitives.into_iter().map(primitive).collect()
    }

    /// An eyeball about its middle.
    fn eye(&mut self, rig: &Rig, person: &Person, eye: Part) -> Value {
        let kept = Kept::new(rig, |part| part == eye);
        let middle = metres(person.eyes()[usize::from(eye == Part::EyeLeft)].middle);
        let mut places = kept.pick(&person.at_rest());
        for place in &mut places {
            *place = [0, 1, 2].map(|i| place[i] - middle[i]);
        }
        let attributes = self.attributes(rig, &kept, &places);
        let corners = kept.triangles(rig, |part| part == eye);
        json!({ "attributes": attributes, "indices": self.indices(&corners), "material": 3 })
    }

    fn attributes(&mut self, rig: &Rig, kept: &Kept, places: &[[f32; 3]]) -> Value {
        let normals = normals(places, &kept.triangles(rig, |_| true));
        let uv: Vec<[f32; 2]> = kept
            .vertices
            .iter()
            .map(|&v| {
                let [u, v] = rig.uv()[v];
                // Their rows count from above.
                [u, 1.0 - v]
            })
            .collect();
        json!({
            "POSITION": self.floats(places, Some(VERTICES)),
            "NORMAL": self.floats(&normals, Some(VERTICES)),
            "TEXCOORD_0": self.floats(&uv, Some(VERTICES)),
        })
    }

    fn animation(&mut self, take: &Take) -> Value {
        let mut times: Vec<[f32; 1]> = take.frames.iter().map(|f| [f.time_secs as f32]).collect();
        // Times must grow.
        for i in 1..times.len() {
            times[i][0] = times[i][0].max(times[i - 1][0] + 1e-4);
        }
        let input = self.floats(&times, None);
        let k = targets().into_iter();
        let k: Vec<usize> = k
            .filter_map(|name| ARKIT.iter().position(|n| *n == name))
            .collect();
        let weights = take
            .frames
            .iter()
            .flat_map(|f| k.iter().map(|&k| [f.weights[k]]));
        let weights: Vec<[f32; 1]> = weights.collect();
        let turn = |r: &Rotation| quaternion(&upright(r));
        let head: Vec<[f32; 4]> = take.frames.iter().map(|f| turn(&f.rotation)).collect();
        let first = take.frames.first().map_or([0.0; 3], |f| f.position);
        let place = |f: &super::take::Moved| [0, 1, 2].map(|i| 0.01 * (f.position[i] - first[i]));
        let places: Vec<[f32; 3]> = take.frames.iter().map(place).collect();
        let eyes = [0, 1].map(|eye| -> Vec<[f32; 4]> {
            take.frames
                .iter()
                .map(|f| turn(&eye_rotation(f.gaze[eye])))
                .collect()
        });
        let outputs = [
            (1, "weights", self.floats(&weights, None)),
            (0, "rotation", self.floats(&head, None)),
            (0, "translation", self.floats(&places, None)),
            (2, "rotation", self.floats(&eyes[0], None)),
            (3, "rotation", self.floats(&eyes[1], None)),
        ];
        let sampler = |output: usize| json!({ "input": input, "output": output });
        let channel = |(i, &(node, path, _)): (usize, &(u32, &str, usize))| json!({ "sampler": i, "target": { "node": node, "path": path } });
        let samplers: Vec<Value> = outputs.iter().map(|o| sampler(o.2)).collect();
        let channels: Vec<Value> = outputs.iter().enumerate().map(channel).collect();
        json!({ "name": "Take", "samplers": samplers, "channels": channels })
    }
}

/// Some of the vertices, with new numbers.
struct Kept {
    vertices: Vec<usize>,
    number: BTreeMap<usize, u16>,
    is_kept: Vec<bool>,
}

impl Kept {
    fn new(rig: &Rig, is_wanted: impl Fn(Part) -> bool) -> Self {
        let is_kept: Vec<bool> = rig.triangles().iter().map(|t| is_wanted(t.part)).collect();
        let wanted = rig
            .triangles()
            .iter()
            .zip(&is_kept)
            .filter(|(_, kept)| **kept);
        let mut vertices: Vec<usize> = wanted
            .flat_map(|(t, _)| t.corners.map(usize::from))
            .collect();
        vertices.sort_unstable();
        vertices.dedup();
        let number = vertices.iter().enumerate();
        Self {
            number: number.map(|(n, &v)| (v, n as u16)).collect(),
            vertices,
            is_kept,
        }
    }

    fn pick(&self, places: &[Vec3]) -> Vec<[f32; 3]> {
        self.vertices.iter().map(|&v| metres(places[v])).collect()
    }

    fn triangles(&self, rig: &Rig, is_wanted: impl Fn(Part) -> bool) -> Vec<[u16; 3]> {
        let all = rig.triangles().iter().zip(&self.is_kept);
        all.filter(|(t, kept)| **kept && is_wanted(t.part))
            .map(|(t, _)| t.corners.map(|c| self.number[&usize::from(c)]))
            .collect()
    }
}

/// The normal of each vertex: the mean of the triangles around its place, also across seams of the
/// texture.
fn normals(places: &[[f32; 3]], triangles: &[[u16; 3]]) -> Vec<[f32; 3]> {
    let key = |p: &[f32; 3]| p.map(f32::to_bits);
    let mut sums: BTreeMap<[u32; 3], [f32; 3]> = BTreeMap::new();
    for corners in triangles {
        let [a, b, c] = corners.map(|i| places[usize::from(i)]);
        let (u, v) = (
            [0, 1, 2].map(|i| b[i] - a[i]),
            [0, 1, 2].map(|i| c[i] - a[i]),
        );
        let normal = [
            u[1] * v[2] - u[2] * v[1],
            u[2] * v[0] - u[0] * v[2],
            u[0] * v[1] - u[1] * v[0],
        ];
        for place in [a, b, c] {
            let sum = sums.entry(key(&place)).or_default();
            *sum = [0, 1, 2].map(|i| sum[i] + normal[i]);
        }
    }
    let unit = |place: &[f32; 3]| {
        let sum = sums.get(&key(place)).copied().unwrap_or_default();
        let length = sum.iter().map(|c| c * c).sum::<f32>().sqrt();
        match length > 0.0 {
            true => sum.map(|c| c / length),
            false => [0.0, 0.0, 1.0],
        }
    };
    places.iter().map(unit).collect()
}

/// Header, JSON and binary part, each padded to four bytes.
fn binary(document: &Value, bytes: Vec<u8>) -> Vec<u8> {
    let mut json = document.to_string().into_bytes();
    while !json.len().is_multiple_of(4) {
        json.push(b' ');
    }
    let length = 12 + 8 + json.len() + 8 + bytes.len();
    let mut file = b"glTF".to_vec();
    file.extend(2_u32.to_le_bytes());
    file.extend((length as u32).to_le_bytes());
    for (kind, chunk) in [(b"JSON", json), (b"BIN\0", bytes)] {
        file.extend((chunk.len() as u32).to_le_bytes());
        file.extend(kind);
        file.extend(chunk);
    }
    file
}

#[cfg(test)]
mod tests {
    use effigy_model::Weights;

    use super::*;
    use crate::jobs::track::take::tests::take;

    #[test]
    fn the_file_says_how_long_it_is_and_holds_what_it_says() {
        let rig = Rig::load(&Weights::from_source_tree().unwrap()).unwrap();
        let bytes = bytes(&rig, &take(5));
        let number = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
        };
        assert_eq!(&bytes[..4], b"glTF");
        assert_eq!((number(4), number(8)), (2, bytes.len()));
        let document: Value = serde_json::from_slice(&bytes[20..20 + number(12)]).unwrap();
        let names = document["meshes"][0]["extras"]["targetNames"]
            .as_array()
            .unwrap();
        assert_eq!(names.len(), 51);
        let targets = document["meshes"][0]["primitives"][0]["targets"]
            .as_array()
            .unwrap();
        assert_eq!(targets.len(), 51);
        let weights = &document["animations"][0]["samplers"][0]["output"];
        let accessor = &document["accessors"][weights.as_u64().unwrap() as usize];
        assert_eq!(accessor["count"], 5 * 51);
        assert_eq!(accessor["max"][0], 0.5);
        for view in document["bufferViews"].as_array().unwrap() {
            let end = view["byteOffset"].as_u64().unwrap() + view["byteLength"].as_u64().unwrap();
            assert!(end <= document["buffers"][0]["byteLength"].as_u64().unwrap());
        }
    }

    #[test]
    fn the_jaw_of_the_head_goes_down() {
        let rig = Rig::load(&Weights::from_source_tree().unwrap()).unwrap();
        let moved = target(&rig, "jawOpen");
        let lowest = moved.iter().map(|&d| metres(d)[1]).fold(0.0, f32::min);
        assert!(lowest < -0.03, "{lowest} m");
        let both = target(&rig, "browInnerUp");
        let of_one = rig.shape(effigy_face::rig::expression("browInnerUp_L"));
        assert!(both.iter().zip(&of_one).any(|(a, b)| a[1] < b[1] - 0.1));
    }
}
