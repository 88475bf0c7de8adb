//! How often `effigy scan` finds a face that was put into a picture or copied in it, and how often
//! it says so of an untouched picture.
//!
//! The portraits of the development footage are spoiled here: the face is put back three pixels
//! across and two down, or drawn a second time elsewhere.

mod camera;

use std::path::Path;

use anyhow::Result;
use effigy_detect::Sound;
use effigy_detect::note::Role;
use effigy_detect::{CueKind, Report};
use effigy_frame::{Frame, Picture, Rational, Timestamp};
use effigy_media::{Limits, read_picture};
use effigy_pipeline::{Networks, Quiet, ScanJob, scan, scan_footage};

use crate::data::footage::footage;
use crate::device::DeviceArgs;
use crate::train::augment::compress;

/// Where to compute.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
}

/// Where portraits come from.
const SOURCES: [&str; 4] = ["interfaces", "congress", "ytf", "stylegan2"];
/// What is done to each, in this order.
const CHANGES: [&str; 10] = [
    "untouched",
    "untouched, JPEG 90",
    "put in",
    "put in, JPEG 90",
    "stands twice, JPEG 90",
    "filmed",
    "filmed, JPEG 98",
    "filmed and put in",
    "filmed and put in, JPEG 98",
    "face not filmed (noted)",
];
/// Where a face that is put in comes to lie, off the grid on which it was.
const SHIFT: (u32, u32) = (3, 2);

/// Prints a row per source.
pub(crate) fn measure(data: &Path, args: &Args) -> Result<()> {
    let networks = args.device.networks()?;
    let pieces = footage(data)?;
    for source in SOURCES {
        let mut counts = [(0_u32, 0_u32); CHANGES.len()];
        let of_source = |name: &str| name.split('/').next() == Some(source);
        for piece in pieces.iter().filter(|piece| of_source(&piece.name)) {
            let picture = read_picture(&piece.path, &Limits::default())?;
            let first = judged(&picture, &networks)?;
            let Some(face) = first
                .faces
                .iter()
                .max_by(|a, b| a.rect[2].total_cmp(&b.rect[2]))
            else {
                continue;
            };
            let saved = |mut picture: Picture| {
                compress(&mut picture, 90);
                picture
            };
            let put_in = with_face(&picture, face.rect, SHIFT, (0, 0));
            let half = face.rect.map(|v| 0.5 * v);
            let [scene, filmed] = camera::filmed(&picture);
            let refilmed = with_face(&filmed, half, SHIFT, (0, 0));
            let drawn = laid_over(&filmed, &scene, half);
            let finely = |mut picture: Picture| {
                compress(&mut picture, 98);
                picture
            };
            let variants = [
                Some(picture.clone()),
                Some(saved(picture.clone())),
                Some(put_in.clone()),
                Some(saved(put_in)),
                twice(&picture, face.rect).map(saved),
                Some(filmed.clone()),
                Some(finely(filmed)),
                Some(refilmed.clone()),
                Some(finely(refilmed)),
                Some(drawn),
            ];
            for ((count, variant), name) in counts.iter_mut().zip(variants).zip(CHANGES) {
                if let Some(found) = variant.map(|v| judged(&v, &networks)).transpose()? {
                    let is_noted = name.ends_with("(noted)");
                    count.0 += u32::from(if is_noted {
                        is_noted_of(&found)
                    } else {
                        is_found(&found)
                    });
                    count.1 += 1;
                }
            }
        }
        let counted = CHANGES.iter().zip(counts);
        let counted = counted.map(|(change, (found, n))| format!("{change} {found} of {n}"));
        println!("{source}: {}", counted.collect::<Vec<_>>().join("; "));
    }
    Ok(())
}

fn judged(picture: &Picture, networks: &Networks) -> Result<Report> {
    let frame = Frame {
        index: 0,
        time: Timestamp::new(0, Rational::new(1, 25)),
        picture: picture.clone(),
    };
    let footage = scan::Footage {
        n_frames: Some(1),
        frames: Box::new(std::iter::once(Ok(frame))),
        sound: Sound::Unusable("a picture has none".to_owned()),
    };
    let job = ScanJob::new("picture".into());
    Ok(scan_footage(&job, footage, networks, &mut Quiet)?)
}

fn is_found(report: &Report) -> bool {
    let mut cues = report.faces.iter().flat_map(|face| &face.cues);
    cues.any(|cue| cue.name == CueKind::Splice.name() && cue.score == Some(1.0))
}

/// Whether the report notes that the face lacks its camera's mosaic.
fn is_noted_of(report: &Report) -> bool {
    let mut cues = report.faces.iter().flat_map(|face| &face.cues);
    cues.any(|cue| cue.name == CueKind::Splice.name() && cue.role == Role::Noted)
}

/// `under` with the ellipse in the face's box taken from `over`.
fn laid_over(under: &Picture, over: &Picture, rect: [f32; 4]) -> Picture {
    let mut both = under.clone();
    for y in 0..under.height() {
        for x in 0..under.width() {
            let u = (x as f32 + 0.5 - rect[0]) / rect[2] * 2.0 - 1.0;
            let v = (y as f32 + 0.5 - rect[1]) / rect[3] * 2.0 - 1.0;
            if u * u + v * v <= 1.0 {
                both.set(x, y, over.get(x, y));
            }
        }
    }
    both
}

/// Draws the ellipse in the face's box once more, `to` away from where it is, from pixels that
/// lie `from` away from it.
fn with_face(picture: &Picture, rect: [f32; 4], from: (u32, u32), to: (i64, i64)) -> Picture {
    let mut changed = picture.clone();
    let (width, height) = (i64::from(picture.width()), i64::from(picture.height()));
    let [left, top, box_width, box_height] = rect;
    for y in 0..height {
        for x in 0..width {
            let u = (x as f32 + 0.5 - left) / box_width * 2.0 - 1.0;
            let v = (y as f32 + 0.5 - top) / box_height * 2.0 - 1.0;
            let source = (x + i64::from(from.0), y + i64::from(from.1));
            let target = (x + to.0, y + to.1);
            let inside = |(x, y): (i64, i64)| (0..width).contains(&x) && (0..height).contains(&y);
            if u * u + v * v <= 1.0 && inside(source) && inside(target) {
                let pixel = picture.get(source.0 as u32, source.1 as u32);
                changed.set(target.0 as u32, target.1 as u32, pixel);
            }
        }
    }
    changed
}

/// Draws the face beside itself, on the side that has more room; `None` where there is too little.
fn twice(picture: &Picture, rect: [f32; 4]) -> Option<Picture> {
    let [left, _, width, _] = rect;
    let right = picture.width() as f32 - left - width;
    // Half a face is enough to be one.
    let by = (0.75 * width).round() as i64;
    let to = if left < right { by } else { -by };
    let room = left.max(right);
    (0.5 * width < room).then(|| with_face(picture, rect, (0, 0), (to, 0)))
}
