//! What covers a face, as the network sees it, on actors: a microphone with its exact mask, drawn
//! fingers and glasses, and nothing.

use std::path::Path;

use effigy_actors::truth::{Masks, Points, Record};
use effigy_face::Observation;
use effigy_face::align::{MODEL_EXTENT, aligned_view};
use effigy_face::landmarks::{CHEEK_CENTRES, EYES, MOUTH_LEFT, MOUTH_RIGHT, eye_distance};
use effigy_face::mask::hull_mask;
use effigy_face::recognise::{MOST_COVERED, TooLittle, covered_share};
use effigy_frame::resample::{crop, resize};
use effigy_frame::{Frame, Picture, Point2, Point3, Rational, Timestamp};
use effigy_media::{Limits, VideoReader};
use effigy_model::{OcclusionSegmenter, PictureNet, Weights, device};

const SIDE: u32 = OcclusionSegmenter::SIDE_PX;
const CELLS: usize = OcclusionSegmenter::MASK_SIDE;
/// A cell is covered from this on.
const COVERED: f32 = 0.5;
/// Measured with these weights: 0.94 (microphone), 0.75 (fingers), 0.93 (glasses), and 0.0002, 0.03 and
/// 0.008 of the bare face.
const LEAST_OVERLAP: f64 = 0.6;
const MOST_WRONG: f64 = 0.05;

fn segmenter() -> OcclusionSegmenter {
    let device = device::open(device::Choice::Cpu).unwrap();
    let weights = Weights::from_source_tree().unwrap();
    let pictures = PictureNet::load(&weights, &device).unwrap();
    OcclusionSegmenter::load(&weights, pictures, &device).unwrap()
}

/// A frame, the points of the face in it, and which of its pixels something covers.
struct Shot {
    picture: Picture,
    points: Vec<Point3>,
    occluder: Picture,
}

/// Every `step`th frame of an actor's clip.
fn shots(name: &str, step: usize) -> Vec<Shot> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors");
    let path = folder.join(name).with_extension("mp4");
    let record = Record::read(&path).unwrap();
    let truth = Points::read(&path, record.people.len()).unwrap();
    let masks = Masks::read(&path).unwrap();
    let frames = VideoReader::open(&path, &Limits::default()).unwrap();
    let frames = frames.zip(truth.points).enumerate().step_by(step);
    let shot = |(i, (frame, points)): (usize, (effigy_media::Result<Frame>, _))| {
        let picture = frame.unwrap().picture;
        let points: Vec<Vec<Point3>> = points;
        let (width, height) = (picture.width(), picture.height());
        let occluder = masks.occluder(i, width as usize, height as usize);
        let pixels = occluder.iter().flat_map(|&is| [u8::from(is) * 255; 3]);
        Shot {
            occluder: Picture::new(width, height, pixels.collect()),
            picture,
            points: points.into_iter().next().unwrap(),
        }
    };
    frames.map(shot).collect()
}

impl Shot {
    /// Paints discs of one colour before the face, and notes that they cover it.
    fn paint(&mut self, discs: &[(Point2, f32)], rgb: [u8; 3]) {
        let (width, height) = (self.picture.width(), self.picture.height());
        for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
            let at = Point2::new(x as f32 + 0.5, y as f32 + 0.5);
            if discs
                .iter()
                .any(|(middle, radius)| at.distance(*middle) < *radius)
            {
                self.picture.set(x, y, rgb);
                self.occluder.set(x, y, [255; 3]);
            }
        }
    }

    /// For each cell of the face: whether the network takes it for covered, and whether it is.
    fn cells(&self, net: &OcclusionSegmenter) -> Vec<(bool, bool)> {
        let view = aligned_view(&self.points, SIDE, MODEL_EXTENT).unwrap();
        let from_picture = view.inverse().unwrap();
        let to_cells = CELLS as f32 / SIDE as f32;
        let corners: Vec<Point2> = self
            .points
            .iter()
            .map(|p| from_picture.apply(p.xy()))
            .map(|p| Point2::new(p.x * to_cells, p.y * to_cells))
            .collect();
        let face = hull_mask(&corners, CELLS, CELLS);
        let seen = net.segment(&crop(&self.picture, view, SIDE));
        let truth = resize(
            &crop(&self.occluder, view, SIDE),
            CELLS as u32,
            CELLS as u32,
        );
        let truth = truth.pixels().chunks_exact(3).map(|rgb| 127 < rgb[0]);
        let cells = seen.values().iter().map(|&seen| COVERED < seen).zip(truth);
        let cells = cells.zip(face.values()).filter(|(_, share)| 0.5 < **share);
        cells.map(|(cell, _)| cell).collect()
    }
}

/// Intersection over union, and the part of the bare face that is taken for covered.
fn judge(net: &OcclusionSegmenter, shots: &[Shot]) -> (f64, f64) {
    let cells: Vec<(bool, bool)> = shots.iter().flat_map(|shot| shot.cells(net)).collect();
    let count = |passes: &dyn Fn(bool, bool) -> bool| {
        cells
            .iter()
            .filter(|(seen, truth)| passes(*seen, *truth))
            .count() as f64
    };
    let overlap =
        count(&|seen, truth| seen && truth) / count(&|seen, truth| seen || truth).max(1.0);
    let wrong = count(&|seen, truth| seen && !truth) / count(&|_, truth| !truth).max(1.0);
    (overlap, wrong)
}

#[test]
fn a_microphone_before_an_actor_is_seen() {
    let (overlap, wrong) = judge(&segmenter(), &shots("ada-microphone", 5));
    assert!(
        LEAST_OVERLAP < overlap && wrong < MOST_WRONG,
        "IoU {overlap:.3}, {wrong:.4} of the bare face"
    );
}

#[test]
fn fingers_of_the_faces_own_colour_are_seen() {
    let mut shots = shots("ben-1", 25);
    for shot in &mut shots {
        let unit = eye_distance(&shot.points);
        let corners = [MOUTH_LEFT, MOUTH_RIGHT].map(|i| shot.points[i].xy());
        let mouth = corners[0].midpoint(corners[1]);
        let cheek = shot.points[CHEEK_CENTRES[0]];
        let skin = shot.picture.get(cheek.x as u32, cheek.y as u32);
        // Three fingers up over the mouth, from a palm below it.
        let mut discs = vec![(Point2::new(mouth.x, mouth.y + 0.7 * unit), 0.4 * unit)];
        for finger in [-0.22, 0.0, 0.22] {
            discs.extend((0..12).map(|i| {
                let up = mouth.y + unit * (0.5 - 0.065 * i as f32);
                (Point2::new(mouth.x + finger * unit, up), 0.09 * unit)
            }));
        }
        shot.paint(&discs, skin.map(|level| level.saturating_add(12)));
    }
    let (overlap, wrong) = judge(&segmenter(), &shots);
    assert!(
        LEAST_OVERLAP < overlap && wrong < MOST_WRONG,
        "IoU {overlap:.3}, {wrong:.4} of the bare face"
    );
}

#[test]
fn dark_glasses_are_seen_and_eyes_are_not_taken_for_them() {
    let net = segmenter();
    let mut shots = shots("ben-1", 25);
    let (_, wrong) = judge(&net, &shots);
    assert!(wrong < 0.01, "{wrong:.4} of the bare face");
    for shot in &mut shots {
        let unit = eye_distance(&shot.points);
        let eyes = EYES.map(|eye| (eye.centre(&shot.points), 0.22 * unit));
        shot.paint(&eyes, [28, 27, 30]);
    }
    let (overlap, wrong) = judge(&net, &shots);
    assert!(
        LEAST_OVERLAP < overlap && wrong < MOST_WRONG,
        "IoU {overlap:.3}, {wrong:.4} of the bare face"
    );
}

/// The share of the face that is covered, at the most and at the least over the shots.
fn covered(net: &OcclusionSegmenter, shots: Vec<Shot>) -> [f32; 2] {
    let shares = shots.into_iter().map(|shot| {
        let frame = Frame {
            index: 0,
            time: Timestamp::new(0, Rational::new(1, 25)),
            picture: shot.picture,
        };
        let seen = Observation::of_points(&frame, 0, &shot.points);
        let is_covered = TooLittle::of(&seen, net) == Some(TooLittle::Covered);
        let share = covered_share(&seen, net).unwrap();
        assert_eq!(is_covered, MOST_COVERED < share, "{share}");
        share
    });
    shares.fold([0.0_f32, 1.0], |[most, least], share| {
        [most.max(share), least.min(share)]
    })
}

#[test]
fn a_masked_face_tells_too_little_and_one_with_glasses_enough() {
    let net = segmenter();
    let [bare, _] = covered(&net, shots("ben-1", 50));
    let [microphone, _] = covered(&net, shots("ada-microphone", 25));
    let mut with_glasses = shots("ben-1", 50);
    let mut with_mask = shots("ben-1", 50);
    for (glasses, mask) in with_glasses.iter_mut().zip(&mut with_mask) {
        let unit = eye_distance(&glasses.points);
        let eyes = EYES.map(|eye| (eye.centre(&glasses.points), 0.22 * unit));
        glasses.paint(&eyes, [28, 27, 30]);
        // From the middle of the nose to the chin.
        let mouth = mask.points[MOUTH_LEFT]
            .xy()
            .midpoint(mask.points[MOUTH_RIGHT].xy());
        mask.paint(&[(mouth, 0.62 * unit)], [150, 190, 215]);
    }
    let [glasses, _] = covered(&net, with_glasses);
    let [_, masked] = covered(&net, with_mask);
    assert!(bare < 0.1, "{bare}");
    assert!(microphone < MOST_COVERED, "{microphone}");
    assert!(glasses < MOST_COVERED, "{glasses}");
    assert!(MOST_COVERED < masked, "{masked}");
}
