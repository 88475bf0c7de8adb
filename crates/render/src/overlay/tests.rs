use super::*;
use effigy_model::mean_mesh;

const SIDE: u32 = 96;

fn noise_frame() -> Picture {
    let pixels = (0..320 * 240 * 3_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8);
    Picture::new(320, 240, pixels.collect())
}

/// The mean face, 72 px between the eyes.
fn place(middle: Point2) -> Placement {
    let crop_middle = Point2::new(48.0, 48.0);
    let frame_from_crop = Similarity::about(crop_middle, middle, 1.5, 0.2);
    let in_crop = |x: f32, y: f32| Point2::new(48.0 + 48.0 * x, 31.0 + 48.0 * y);
    let points = mean_mesh().iter().map(|p| in_crop(p.x, p.y));
    Placement {
        frame_from_crop,
        points: points.map(|p| frame_from_crop.apply(p)).collect(),
        opacity: 1.0,
    }
}

fn drawn(rgb: [u8; 3]) -> Drawn {
    let mut picture = Picture::filled(SIDE, SIDE, rgb);
    for (i, value) in picture.pixels_mut().iter_mut().enumerate() {
        *value = value.wrapping_add((i % 13) as u8);
    }
    Drawn {
        picture,
        mask: Plane::filled(SIDE as usize, SIDE as usize, 1.0),
    }
}

/// The mesh of a drawing that lies as `place` does.
fn mesh(place: &Placement) -> Vec<Point2> {
    let crop_from_frame = place.frame_from_crop.inverse().unwrap();
    let points = place.points.iter();
    points.map(|&point| crop_from_frame.apply(point)).collect()
}

fn lay(frame: &mut Picture, place: &Placement, drawn: &Drawn) -> Option<Change> {
    let drawings = Drawings {
        source: drawn,
        points: &mesh(place),
        target: None,
    };
    overlay(frame, place, &drawings, 0.0, &mut Steady::default())
}

fn check_bits_outside(opacity: f32) -> usize {
    let (before, mut frame) = (noise_frame(), noise_frame());
    let place = Placement {
        opacity,
        ..place(Point2::new(150.0, 120.0))
    };
    let laid = lay(&mut frame, &place, &drawn([200, 120, 90])).unwrap();
    let (x0, y0) = (laid.rect.x as u32, laid.rect.y as u32);
    let mut n_changed = 0;
    for y in 0..240 {
        for x in 0..320 {
            let inside = x0 <= x && y0 <= y;
            let (mx, my) = (x.wrapping_sub(x0) as usize, y.wrapping_sub(y0) as usize);
            let inside = inside && mx < laid.mask.width() && my < laid.mask.height();
            let is_masked = inside && 0.0 < laid.mask.get(mx, my);
            if frame.get(x, y) != before.get(x, y) {
                assert!(is_masked, "({x}, {y})");
                n_changed += 1;
            }
        }
    }
    n_changed
}

#[test]
fn pixels_outside_the_mask_are_untouched_to_the_bit() {
    assert!(5000 < check_bits_outside(1.0)); // the face has 11 000 pixels
    assert!(5000 < check_bits_outside(0.4));
    assert_eq!(check_bits_outside(0.0), 0);
}

#[test]
fn rim_has_no_edge_where_drawing_and_frame_differ_evenly() {
    let grey = Picture::filled(320, 240, [120; 3]);
    let mut frame = grey.clone();
    let face = Drawn {
        picture: Picture::filled(SIDE, SIDE, [200; 3]),
        mask: Plane::filled(SIDE as usize, SIDE as usize, 1.0),
    };
    let mut steady = Steady::new(SkinTone::Source);
    let place = place(Point2::new(150.0, 120.0));
    let drawings = Drawings {
        source: &face,
        points: &mesh(&place),
        target: None,
    };
    overlay(&mut frame, &place, &drawings, 0.0, &mut steady).unwrap();
    assert!(190 < frame.get(150, 125)[0], "{:?}", frame.get(150, 125));
    let interiors = interiors(&place.points);
    let is_open = |x: u32, y: u32| {
        let at = Point2::new(x as f32 + 0.5, y as f32 + 0.5);
        interiors.iter().any(|interior| 0.0 < interior.share(at))
    };
    let places = (0..240).flat_map(|y| (1..320).map(move |x| (x, y)));
    let steps = places
        .filter(|&(x, y)| !is_open(x - 1, y) && !is_open(x, y))
        .map(|(x, y)| frame.get(x - 1, y)[0].abs_diff(frame.get(x, y)[0]));
    // 80 levels over a fade of nine pixels; cut off hard, the coarse bands gave 30.
    let largest = steps.max().unwrap();
    assert!(largest <= 20, "{largest}");
}

#[test]
fn face_laid_over_itself_changes_little() {
    let smooth =
        (0..320 * 240_u32).flat_map(|i| [150 + (i % 320 / 8) as u8, 110 + (i / 2560) as u8, 90]);
    let before = Picture::new(320, 240, smooth.collect());
    let place = place(Point2::new(150.0, 120.0));
    let picture = resample::crop(&before, place.frame_from_crop, SIDE);
    let mask = Plane::filled(SIDE as usize, SIDE as usize, 1.0);
    let mut frame = before.clone();
    lay(&mut frame, &place, &Drawn { picture, mask });
    let gaps = frame
        .pixels()
        .iter()
        .zip(before.pixels())
        .map(|(a, b)| a.abs_diff(*b));
    assert!(gaps.max().unwrap() <= 3); // two resamplings and Lab, each rounded once
}

#[test]
fn what_stands_before_the_face_stays() {
    let skin = [200, 150, 120];
    let mut before = Picture::filled(320, 240, skin);
    for y in 140..240 {
        (130..165).for_each(|x| before.set(x, y, [25, 25, 30]));
    }
    let own = Drawn {
        picture: Picture::filled(SIDE, SIDE, skin),
        mask: Plane::filled(SIDE as usize, SIDE as usize, 1.0),
    };
    let drawn = drawn([180, 150, 140]);
    let place = place(Point2::new(150.0, 120.0));
    let drawings = Drawings {
        source: &drawn,
        points: &mesh(&place),
        target: Some(&own),
    };
    let (mut steady, mut frame) = (Steady::new(SkinTone::Source), before.clone());
    for n in 0..6 {
        frame = before.clone();
        overlay(
            &mut frame,
            &place,
            &drawings,
            0.04 * f64::from(n),
            &mut steady,
        );
    }
    assert_eq!(frame.get(148, 160), before.get(148, 160));
    assert_ne!(frame.get(150, 120), before.get(150, 120));
}

#[test]
fn face_off_the_frame_or_at_its_edge_is_no_trouble() {
    let mut frame = noise_frame();
    let far = place(Point2::new(-500.0, 90.0));
    let face = drawn([10, 20, 30]);
    assert!(lay(&mut frame, &far, &face).is_none());
    assert_eq!(frame, noise_frame());
    let edge = place(Point2::new(10.0, 235.0));
    assert!(lay(&mut frame, &edge, &face).is_some());
    assert_ne!(frame, noise_frame());
}
