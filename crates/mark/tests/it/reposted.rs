//! The watermark is found where people repost pictures: mirrored, turned, between bars, cropped, in
//! a window of a screen.

use std::path::Path;

use effigy_frame::{Frame, Picture, Point2, Rational, Similarity, Timestamp, resample};
use effigy_mark::watermark::{Detector, Embedder};
use effigy_mark::{Trust, verify};
use effigy_media::{VideoWriter, WriteSettings};

const IDENTIFIER: u64 = 0xfeed_f00d_0123_4567;

/// Noise in `-1..1` that depends on the place and the seed alone.
fn noise(seed: u32, place: u32) -> f32 {
    let mixed = (place ^ seed.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b);
    let mixed = (mixed ^ mixed >> 13).wrapping_mul(0xc2b2_ae35);
    ((mixed ^ mixed >> 16) >> 8) as f32 / (1 << 23) as f32 - 1.0
}

/// Somebody before a wall: flat places, edges, a gradient, texture, and the noise of a camera.
fn scene(width: u32, height: u32, seed: u32) -> Picture {
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
            let is_face = (u - 0.5).hypot(1.3 * (v - 0.45)) < 0.24;
            let level = match (is_face, 0.75 < v) {
                (true, _) => 165.0 + 60.0 * (0.5 - u),
                (false, true) => 80.0 + 25.0 * (35.0 * u + 4.0 * (20.0 * v).sin()).sin(),
                (false, false) => 130.0 - 50.0 * v + 20.0 * u,
            };
            let level = level + 4.0 * noise(seed, y * width + x);
            pixels.extend([level + 9.0, level, level - 12.0].map(|v| v.clamp(0.0, 255.0) as u8));
        }
    }
    Picture::new(width, height, pixels)
}

fn marked(width: u32, height: u32) -> Picture {
    let mut picture = scene(width, height, 1);
    Embedder::new(IDENTIFIER).embed(&mut picture);
    picture
}

/// Lays a picture over another, its corner at `x`, `y`.
fn laid_over(mut ground: Picture, picture: &Picture, x: u32, y: u32) -> Picture {
    for row in 0..picture.height() {
        for column in 0..picture.width() {
            ground.set(x + column, y + row, picture.get(column, row));
        }
    }
    ground
}

/// Puts a picture in the middle of a larger ground.
fn framed(ground: Picture, picture: &Picture) -> Picture {
    let (x, y) = (
        (ground.width() - picture.width()) / 2,
        (ground.height() - picture.height()) / 2,
    );
    laid_over(ground, picture, x, y)
}

fn black(width: u32, height: u32) -> Picture {
    Picture::filled(width, height, [0; 3])
}

fn cropped(picture: &Picture, (x, y): (u32, u32), (width, height): (u32, u32)) -> Picture {
    let places = (0..height).flat_map(|row| (0..width).map(move |column| (column, row)));
    let pixels = places.flat_map(|(column, row)| picture.get(x + column, y + row));
    Picture::new(width, height, pixels.collect())
}

/// Turns a picture about its middle; the corners are left empty.
fn tilted(picture: &Picture, degrees: f32) -> Picture {
    let middle = Point2::new(0.5 * picture.width() as f32, 0.5 * picture.height() as f32);
    let turn = Similarity::about(middle, middle, 1.0, degrees.to_radians());
    resample::warp(picture, turn, picture.width(), picture.height())
}

/// As if compressed and filmed: noise of up to so many levels.
fn noisy(picture: &Picture, levels: f32) -> Picture {
    let values = picture.pixels().iter().zip(0..);
    let pixels = values.map(|(&v, i)| (f32::from(v) + levels * noise(2, i)).round() as u8);
    Picture::new(picture.width(), picture.height(), pixels.collect())
}

#[track_caller]
fn check(name: &str, reposted: &Picture) {
    let mut detector = Detector::new();
    detector.look(&noisy(reposted, 4.0));
    let found = detector.finish().map(|found| found.identifier);
    assert_eq!(found, Some(IDENTIFIER), "{name}");
}

#[test]
fn mirrored_pictures_are_read() {
    check("mirrored", &marked(480, 360).mirrored());
}

#[test]
fn pictures_turned_by_quarters_are_read() {
    let marked = marked(480, 360);
    for quarters in 1..4 {
        check("turned", &marked.turned(quarters));
    }
    check("turned and mirrored", &marked.turned(1).mirrored());
}

#[test]
fn pictures_between_bars_are_read() {
    let marked = marked(480, 270);
    check("9:16", &framed(black(480, 854), &marked));
    check("1:1", &framed(black(480, 480), &marked));
    let upright = self::marked(270, 480);
    check("16:9", &framed(black(854, 480), &upright));
}

#[test]
fn mirrored_pictures_between_blurred_bars_are_read() {
    let marked = marked(480, 270);
    let tiny = resample::resize(&marked, 24, 44);
    let ground = resample::resize(&tiny, 480, 854);
    check("mirrored, 9:16", &framed(ground, &marked.mirrored()));
}

#[test]
fn pictures_in_a_window_of_a_screen_are_read() {
    let marked = marked(480, 360);
    let small = resample::resize(&marked, 360, 270);
    for (name, screen) in [
        ("call", Picture::filled(800, 600, [20, 24, 60])),
        ("over another picture", scene(800, 600, 3)),
    ] {
        check(name, &laid_over(screen, &small, 417, 31));
    }
    let another = laid_over(scene(800, 600, 4), &small.mirrored(), 23, 301);
    check("mirrored", &another);
}

#[test]
fn crops_to_sixty_percent_are_read() {
    let marked = marked(640, 480);
    check("of the area", &cropped(&marked, (90, 40), (496, 372)));
    check("of each side", &cropped(&marked, (131, 77), (384, 288)));
    check("of the width", &cropped(&marked, (131, 0), (384, 480)));
}

#[test]
fn slightly_tilted_pictures_are_read() {
    let marked = marked(640, 480);
    for degrees in [-3.0, 1.0, 2.2, 4.5] {
        check("tilted", &tilted(&marked, degrees));
    }
    let inner = cropped(&tilted(&marked.mirrored(), -2.0), (30, 30), (580, 420));
    check("tilted, mirrored and cropped", &inner);
}

#[test]
fn stretched_pictures_are_read() {
    let marked = marked(640, 480);
    check("4:3 to 16:9", &resample::resize(&marked, 640, 360));
}

/// Writes a clip of five pictures a second that carries nothing but what its pictures show.
fn write_clip(path: &Path, pictures: &[Picture]) {
    let rate = Rational::new(5, 1);
    let settings = WriteSettings::new(pictures[0].width(), pictures[0].height(), rate);
    #[expect(
        clippy::disallowed_methods,
        reason = "the clip is marked here, and must carry no credentials"
    )]
    let mut writer = VideoWriter::create(path, &settings).unwrap();
    for (index, picture) in (0..).zip(pictures) {
        let frame = Frame {
            index,
            time: Timestamp::new(index as i64, Rational::new(1, 5)),
            picture: picture.clone(),
        };
        writer.write(&frame).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn mirrored_clips_between_bars_are_verified() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reposted.mp4");
    let frame = |seed| {
        let mut picture = scene(320, 180, seed);
        Embedder::new(IDENTIFIER).embed(&mut picture);
        framed(black(320, 568), &picture.mirrored())
    };
    // Long enough that the middle is looked at as well.
    let frames: Vec<Picture> = (0..22).map(frame).collect();
    write_clip(&path, &frames);
    let found = verify(&path, &Trust::default()).unwrap().watermark.unwrap();
    assert_eq!(found.identifier, IDENTIFIER);
    assert!(found.false_alarm <= 1e-6, "{}", found.false_alarm);
}

#[test]
fn unmarked_pictures_read_as_nothing_wherever_it_is_looked_for() {
    let mut detector = Detector::new();
    detector.look(&scene(640, 480, 1));
    assert_eq!(detector.finish(), None);
    // Every try is one more chance of 2^28 to read what is not there.
    let most = 1e-6 * f64::from(1 << 28);
    assert!((detector.tries().len() as f64) < most);
    assert!(detector.tries().iter().all(|t| t.fitting_bits < 28));
}
