use effigy_face::landmarks::N_SKIN_POINTS;
use effigy_face::mask::hull_mask;
use effigy_face::rig::expression;
use effigy_model::Weights;

use super::*;

/// A head of the mean person in the middle of a picture, its points as the mesh would give them, and a
/// picture whose colours tell the places apart.
fn scene(rig: &Rig) -> (Picture, Vec<Point3>) {
    let side = 256;
    let colour = |x: u32, y: u32| {
        let wave = |v: u32, period: f32| (110.0 + 60.0 * (v as f32 / period).sin()) as u8;
        [wave(x, 9.0), wave(y, 11.0), wave(x + y, 17.0)]
    };
    let pixels = (0..side * side).flat_map(|i| colour(i % side, i / side));
    let picture = Picture::new(side, side, pixels.collect());
    let person = Person::mean(rig);
    let head = Placement {
        scale: 6.0,
        shift: [128.0, 128.0, 0.0],
        ..Placement::default()
    };
    let mut points: Vec<Point3> = rig
        .skin_points(&person, &[0.0; N_EXPRESSIONS])
        .into_iter()
        .map(|p| {
            let [x, y, z] = head.apply(p);
            Point3 { x, y, z }
        })
        .collect();
    let eyes = person.eyes().map(|eye| {
        let [x, y, z] = eye.middle;
        let [x, y, z] = head.apply([x, y, z - eye.radius]);
        Point3 { x, y, z }
    });
    points.extend(eyes.iter().flat_map(|eye| [*eye; 5]));
    assert_eq!(points.len(), N_SKIN_POINTS + 10);
    (picture, points)
}

fn rig() -> Rig {
    Rig::load(&Weights::from_source_tree().unwrap()).unwrap()
}

fn mean_difference(a: &Picture, b: &Picture) -> f64 {
    let sum: u64 = a
        .pixels()
        .iter()
        .zip(b.pixels())
        .map(|(x, y)| u64::from(x.abs_diff(*y)))
        .sum();
    sum as f64 / a.pixels().len() as f64
}

#[test]
fn what_does_not_move_stays_as_it_is() {
    let rig = rig();
    let (picture, points) = scene(&rig);
    let drawn = Portrait::new(&rig, &picture, &points).draw(&Movement::default());
    let off = mean_difference(&picture, &drawn);
    assert!(off < 0.6, "{off}");
}

#[test]
fn the_rim_of_the_picture_stays_while_the_head_turns() {
    let rig = rig();
    let (picture, points) = scene(&rig);
    let (sin, cos) = 12.0_f32.to_radians().sin_cos();
    let turned = Movement {
        turn: [[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]],
        ..Movement::default()
    };
    let drawn = Portrait::new(&rig, &picture, &points).draw(&turned);
    for i in 0..256 {
        for (x, y) in [(i, 0), (0, i), (255, i)] {
            let (before, after) = (picture.get(x, y), drawn.get(x, y));
            let off = (0..3).map(|c| before[c].abs_diff(after[c])).max();
            assert!(off < Some(25), "{x} {y}: {before:?} {after:?}");
        }
    }
    assert!(3.0 < mean_difference(&picture, &drawn));
}

#[test]
fn a_turned_head_shows_skin_where_it_was_seen_from_the_side() {
    let rig = rig();
    let (mut picture, points) = scene(&rig);
    let flat = |points: &[Point3]| -> Vec<Point2> { points.iter().map(|p| p.xy()).collect() };
    let shrunk = |points: &[Point2], by: f32| -> Vec<Point2> {
        let share = 1.0 / points.len() as f32;
        let middle = points.iter().fold(Point2::new(0.0, 0.0), |sum, p| {
            Point2::new(sum.x + share * p.x, sum.y + share * p.y)
        });
        let towards = |p: &Point2| {
            Point2::new(
                middle.x + by * (p.x - middle.x),
                middle.y + by * (p.y - middle.y),
            )
        };
        points.iter().map(towards).collect()
    };
    // The mesh is a little larger than the face: its rim lies on what is behind.
    let face = hull_mask(&shrunk(&flat(&points), 0.97), 256, 256);
    for (x, y) in (0..256).flat_map(|y| (0..256).map(move |x| (x, y))) {
        let is_face = 0.5 < face.values()[(256 * y + x) as usize];
        picture.set(
            x,
            y,
            if is_face {
                [200, 150, 120]
            } else {
                [20, 200, 20]
            },
        );
    }
    let (sin, cos) = 25.0_f32.to_radians().sin_cos();
    let turned = Movement {
        turn: [[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]],
        ..Movement::default()
    };
    let mut portrait = Portrait::new(&rig, &picture, &points);
    let within = shrunk(&flat(&portrait.points(&turned)), 0.94);
    let within = hull_mask(&within, 256, 256);
    let mut n_green = || {
        let drawn = portrait.draw(&turned);
        let pixels = drawn.pixels().chunks_exact(3).zip(within.values());
        let n = pixels
            .filter(|(rgb, within)| 0.5 < **within && rgb[0] < rgb[1])
            .count();
        portrait.rim.show_as_it_is();
        n
    };
    let (made_up, as_it_is) = (n_green(), n_green());
    assert!(
        made_up < 30 && 4 * made_up < as_it_is,
        "{made_up} {as_it_is}"
    );
}

#[test]
fn an_opened_jaw_shows_the_inside_of_the_mouth() {
    let rig = rig();
    let (picture, points) = scene(&rig);
    let mut portrait = Portrait::new(&rig, &picture, &points);
    let mut open = Movement::default();
    open.weights[expression("jawOpen")] = 0.8;
    let drawn = portrait.draw(&open);
    let opening = portrait.opening(&open, &portrait.moved(&open));
    assert!(0.99 < opening.open);
    let gap = opening.lips.gap_cm() * portrait.pose.head.scale;
    assert!(4.0 < gap, "{gap}");
    // Nothing of the picture is as dark as the inside of a mouth.
    let level = |down: f32| {
        let at = opening.lips.place(0.0, down);
        let rgb = drawn.get(at.x as u32, at.y as u32);
        rgb.into_iter().map(u32::from).sum::<u32>()
    };
    let darkest = (1..10).map(|i| level(0.1 * i as f32)).min();
    assert!(darkest < Some(130), "{darkest:?}");
}

#[test]
fn teeth_of_a_portrait_stay_on_the_skull_while_the_jaw_opens() {
    let rig = rig();
    let (mut picture, points) = scene(&rig);
    // An open mouth: white down to the middle of it, black below.
    let person = Person::mean(&rig);
    let mut weights = [0.0; N_EXPRESSIONS];
    weights[expression("jawOpen")] = 0.3;
    let head = Portrait::new(&rig, &picture, &points).pose().head;
    let skin = rig.skin_points(&person, &weights);
    let mut opened = points.clone();
    for (point, place) in opened.iter_mut().zip(skin) {
        let [x, y, z] = head.apply(place);
        *point = Point3 { x, y, z };
    }
    let lips = Lips::of(|i| opened[i].xy(), head.scale);
    for (x, y) in (0..256).flat_map(|y| (0..256).map(move |x| (x, y))) {
        let between = lips.between(Point2::new(x as f32 + 0.5, y as f32 + 0.5));
        if 0.0 < between.inside() {
            let level = if between.down() < 0.5 { 230 } else { 20 };
            picture.set(x, y, [level; 3]);
        }
    }
    let mut portrait = Portrait::new(&rig, &picture, &opened);
    let at = lips.place(0.0, 0.3);
    let mut more = Movement::default();
    more.weights[expression("jawOpen")] = 0.4;
    for movement in [Movement::default(), more] {
        let drawn = portrait.draw(&movement);
        let level = drawn.get(at.x as u32, at.y as u32)[0];
        assert!(180 < level, "{level}");
    }
}

#[test]
fn closed_lids_hide_the_eyes() {
    let rig = rig();
    let (picture, points) = scene(&rig);
    let portrait = Portrait::new(&rig, &picture, &points);
    let seen = |weight: f32| {
        let mut movement = Movement::default();
        for name in ["eyeBlink_L", "eyeBlink_R"] {
            movement.weights[expression(name)] = weight;
        }
        let vertices = portrait.moved(&movement);
        let raster = Raster::draw(rig.triangles(), &vertices, [0, 0, 256, 256], 1);
        let shows_eye = |&(column, row): &(usize, usize)| {
            raster.hit(column, row).is_some_and(|hit| {
                let part = rig.triangles()[usize::from(hit.triangle)].part;
                matches!(part, Part::EyeLeft | Part::EyeRight)
            })
        };
        let all = (0..256).flat_map(|row| (0..256).map(move |column| (column, row)));
        all.filter(shows_eye).count()
    };
    let (open, closed) = (seen(0.0), seen(1.0));
    assert!(50 < open && closed * 5 < open, "{open} {closed}");
}

#[test]
fn a_sheet_leads_back_to_where_it_came_from() {
    let (sin, cos) = 0.3_f32.sin_cos();
    let then = Placement {
        scale: 8.0,
        shift: [100.0, 90.0, 0.0],
        ..Placement::default()
    };
    let now = Placement {
        rotation: [[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]],
        scale: 9.0,
        shift: [110.0, 95.0, 0.0],
    };
    let place = [2.0, -3.0, 1.5];
    let [x, y, _] = now.apply(place);
    let [wanted_x, wanted_y, _] = then.apply(place);
    let back = Sheet::of(&then, &now, place[2]).back(Point2::new(x, y));
    assert!((back.x - wanted_x).abs() < 1e-3 && (back.y - wanted_y).abs() < 1e-3);
}

#[test]
fn eyes_are_found_in_a_face_that_is_upside_down() {
    let rig = rig();
    let (_, points) = scene(&rig);
    let turned: Vec<Point2> = points
        .iter()
        .map(|p| Point2::new(256.0 - p.x, 256.0 - p.y))
        .collect();
    let flat: Vec<Point2> = points.iter().map(|p| p.xy()).collect();
    let (upright, turned) = (Openings::of(&flat), Openings::of(&turned));
    for (eye, away) in [(0, 4.0), (1, -30.0), (0, 0.0)] {
        let iris = flat[N_SKIN_POINTS + 5 * eye];
        let at = Point2::new(iris.x + 3.0, iris.y + away);
        let within = upright.within(eye, at);
        let same = turned.within(eye, Point2::new(256.0 - at.x, 256.0 - at.y));
        assert!(
            (256.0 - same.x - within.x).abs() < 0.01,
            "{same:?} {within:?}"
        );
        assert!(
            (256.0 - same.y - within.y).abs() < 0.01,
            "{same:?} {within:?}"
        );
    }
}
