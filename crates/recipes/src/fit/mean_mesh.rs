//! Averages the training faces into our mean mesh.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use effigy_face::landmarks::{LEFT_EYE, MOUTH_LEFT, MOUTH_RIGHT, NOSE_BRIDGE, NOSE_TIP, RIGHT_EYE};
use effigy_files::write_atomically;
use effigy_frame::{Point2, Point3, Similarity};
use effigy_model::N_MESH_POINTS;

use crate::data::people::{self, Sample, Split};
use crate::mirror::mirror_of;

/// Faces turned further than this, as the share by which the nose is nearer to one eye corner,
/// do not enter the mean.
const MOST_ASYMMETRY: f32 = 0.12;

/// Makes the mean mesh and writes it to `output`.
pub(crate) fn make(data: &Path, output: &Path) -> Result<()> {
    let modern = |source: &str| ["congress", "senate", "interfaces", "ytf"].contains(&source);
    let samples = people::read(data, Split::Train, modern)?;
    let frontal: Vec<&Sample> = samples.iter().filter(|s| is_frontal(&s.points)).collect();
    ensure!(!frontal.is_empty(), "no face looks straight ahead");
    let plain = average(&frontal);
    let mirror = mirror_of(&plain)?;
    let symmetric = normalised(&symmetrised(&plain, &mirror));
    let bytes: Vec<u8> = symmetric
        .iter()
        .flat_map(|p| [p.x, p.y, p.z])
        .flat_map(f32::to_le_bytes)
        .collect();
    write_atomically(output, &bytes).with_context(|| format!("cannot write {output:?}"))?;
    println!(
        "mean of {} faces, written to {}",
        frontal.len(),
        output.display()
    );
    Ok(())
}

fn is_frontal(points: &[Point3]) -> bool {
    let nose = points[NOSE_TIP].xy();
    let to_right = nose.distance(points[RIGHT_EYE.outer].xy());
    let to_left = nose.distance(points[LEFT_EYE.outer].xy());
    (to_right - to_left).abs() < MOST_ASYMMETRY * (to_right + to_left)
}

/// Corners of the eyes and the mouth, bridge and tip of the nose.
const ANCHORS: [usize; 8] = [
    RIGHT_EYE.outer,
    RIGHT_EYE.inner,
    LEFT_EYE.inner,
    LEFT_EYE.outer,
    MOUTH_RIGHT,
    MOUTH_LEFT,
    NOSE_BRIDGE,
    NOSE_TIP,
];

/// Lays all faces on the first by their eyes and mouth, and averages.
fn average(samples: &[&Sample]) -> Vec<Point3> {
    let mut mean = normalised(&samples[0].points);
    for _round in 0..3 {
        let anchor = |points: &[Point3]| -> Vec<Point2> {
            ANCHORS.iter().map(|&i| points[i].xy()).collect()
        };
        let target = anchor(&mean);
        let mut sum = vec![[0.0_f64; 3]; N_MESH_POINTS];
        let mut n = 0.0;
        for sample in samples {
            let Some(mean_from_frame) = Similarity::fit(&anchor(&sample.points), &target) else {
                continue;
            };
            for (s, &p) in sum.iter_mut().zip(&sample.points) {
                let p = mean_from_frame.apply3(p);
                *s = [
                    s[0] + f64::from(p.x),
                    s[1] + f64::from(p.y),
                    s[2] + f64::from(p.z),
                ];
            }
            n += 1.0;
        }
        let point =
            |s: &[f64; 3]| Point3::new((s[0] / n) as f32, (s[1] / n) as f32, (s[2] / n) as f32);
        mean = normalised(&sum.iter().map(point).collect::<Vec<_>>());
    }
    mean
}

fn symmetrised(mesh: &[Point3], mirror: &[usize]) -> Vec<Point3> {
    let both = |i: usize| {
        let (a, b) = (mesh[i], mesh[mirror[i]]);
        Point3::new(0.5 * (a.x - b.x), 0.5 * (a.y + b.y), 0.5 * (a.z + b.z))
    };
    (0..mesh.len()).map(both).collect()
}

/// Puts the outer eye corners one unit apart, level, and half-way between them the origin.
fn normalised(mesh: &[Point3]) -> Vec<Point3> {
    let (right, left) = (mesh[RIGHT_EYE.outer].xy(), mesh[LEFT_EYE.outer].xy());
    let turn = (left.y - right.y).atan2(left.x - right.x);
    let scale = 1.0 / right.distance(left);
    let upright = Similarity::about(right.midpoint(left), Point2::default(), scale, -turn);
    let middle_z = 0.5 * (mesh[RIGHT_EYE.outer].z + mesh[LEFT_EYE.outer].z) * scale;
    let place = |&p: &Point3| {
        let p = upright.apply3(p);
        Point3::new(p.x, p.y, p.z - middle_z)
    };
    mesh.iter().map(place).collect()
}
