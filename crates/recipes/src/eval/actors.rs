//! The networks against people who don't exist: every point is known, not annotated.
//!
//! The clips beside the tests show calm heads; heads turned to the side are drawn here.

mod gaps;
mod turned;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use effigy_actors::truth::{Points, Record};
use effigy_face::align::mesh_view;
use effigy_face::ibug68::IBUG_68;
use effigy_face::landmarks::{LEFT_EYE, RIGHT_EYE};
use effigy_face::pose::pose;
use effigy_frame::resample::crop;
use effigy_frame::{Picture, Point3, Rect, Similarity};
use effigy_media::{Limits, VideoReader};
use effigy_model::finder::FindSettings;
use effigy_model::{FaceMesh, Finder};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::train::augment::{Jitter, strayed};
use gaps::Gaps;
pub(crate) use turned::measure as measure_turned;

/// Sums over the faces of a clip.
#[derive(Default)]
struct Sums {
    n_faces: f64,
    n_found: f64,
    error_68: f64,
    error_478: f64,
    presence: f64,
    yaw: f64,
    pitch: f64,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.n_faces += other.n_faces;
        self.n_found += other.n_found;
        self.error_68 += other.error_68;
        self.error_478 += other.error_478;
        self.presence += other.presence;
        self.yaw += other.yaw;
        self.pitch += other.pitch;
    }

    fn print(&self, name: &str) {
        let n = self.n_faces.max(1.0);
        println!(
            "{name:20} {:4} faces  found {:.2} %  68 points {:.2} %  478 points {:.2} %  \
             presence {:.3}  yaw {:.1}°  pitch {:.1}°",
            self.n_faces,
            100.0 * self.n_found / n,
            100.0 * self.error_68 / n,
            100.0 * self.error_478 / n,
            self.presence / n,
            self.yaw / n,
            self.pitch / n,
        );
    }
}

/// Prints, for each clip in `folder`, the share of faces that the finder finds and the mesh
/// network's mean error, as a share of the distance between the outer corners of the eyes; and how
/// well the mesh closes lids and opens lips.
pub(crate) fn measure(folder: &Path, finder: &Finder, face_mesh: &FaceMesh) -> Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {folder:?}"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "mp4") {
            names.extend(
                path.file_stem()
                    .map(|stem| stem.to_string_lossy().into_owned()),
            );
        }
    }
    names.sort();
    ensure!(
        !names.is_empty(),
        "no clips in {folder:?}; `effigy-recipes actors` makes them"
    );
    let mut all = Sums::default();
    let mut gaps = Gaps::default();
    for name in names {
        let sums = clip(folder, &name, finder, face_mesh, &mut gaps)?;
        sums.print(&name);
        all.add(&sums);
    }
    all.print("all");
    gaps.print();
    Ok(())
}

fn clip(
    folder: &Path,
    name: &str,
    finder: &Finder,
    face_mesh: &FaceMesh,
    gaps: &mut Gaps,
) -> Result<Sums> {
    let path = folder.join(format!("{name}.mp4"));
    let truth = Points::read(&path, Record::read(&path)?.people.len())?;
    let reader = VideoReader::open(&path, &Limits::default())?;
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut sums = Sums::default();
    for (frame, people) in reader.zip(&truth.points) {
        let picture = frame?.picture;
        let found = finder.find(&picture, &FindSettings::default());
        for (k, points) in people.iter().enumerate() {
            let outline = Rect::around(points.iter().map(|p| p.xy())).unwrap_or_default();
            let is_found = found.iter().any(|f| f.rect.iou(outline) > 0.5);
            sums.n_found += f64::from(u8::from(is_found));
            let Some(fitted) = fitted(face_mesh, &picture, points, &mut random) else {
                continue;
            };
            sums.add(&judged(points, &fitted));
            gaps.add(&format!("{name} {k}"), points, &fitted.points);
        }
    }
    gaps.end_of_clip();
    Ok(sums)
}

/// A mesh in the picture.
struct Fitted {
    points: Vec<Point3>,
    presence: f32,
}

/// Fits a mesh as tracking does: once roughly, then again where it was found. Of tracks that follow the actors the
/// views stray from the exact one by 0.012 radians, 2 % in size and 0.5 % of their side; a rough one by ten, three
/// and four times as much.
fn fitted(
    face_mesh: &FaceMesh,
    picture: &Picture,
    points: &[Point3],
    random: &mut ChaCha8Rng,
) -> Option<Fitted> {
    let view = mesh_view(points, FaceMesh::SIDE_PX)?;
    let rough = strayed(view, FaceMesh::SIDE_PX, Jitter::TRACKED, random);
    let fit = |view: Similarity| {
        let mesh = face_mesh.fit(&crop(picture, view, FaceMesh::SIDE_PX));
        Fitted {
            points: mesh.points.iter().map(|&p| view.apply3(p)).collect(),
            presence: mesh.presence,
        }
    };
    let closer = mesh_view(&fit(rough).points, FaceMesh::SIDE_PX)?;
    Some(fit(closer))
}

fn judged(points: &[Point3], fitted: &Fitted) -> Sums {
    let placed = &fitted.points;
    // In space, so that a turned head is not measured with a shortened ruler.
    let (right, left) = (points[RIGHT_EYE.outer], points[LEFT_EYE.outer]);
    let eyes = right.xy().distance(left.xy()).hypot(right.z - left.z);
    let gap = |i: usize| f64::from(placed[i].xy().distance(points[i].xy()) / eyes);
    let (there, here) = (pose(points), pose(placed));
    Sums {
        n_faces: 1.0,
        n_found: 0.0,
        error_68: IBUG_68.iter().map(|&i| gap(i)).sum::<f64>() / 68.0,
        error_478: (0..points.len()).map(gap).sum::<f64>() / points.len() as f64,
        presence: f64::from(fitted.presence),
        yaw: f64::from((there.yaw - here.yaw).abs()),
        pitch: f64::from((there.pitch - here.pitch).abs()),
    }
}
