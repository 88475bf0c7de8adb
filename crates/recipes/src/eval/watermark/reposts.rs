//! Where people repost pictures: mirrored, turned, between bars, cropped, in a window of a screen.

use effigy_frame::{Picture, Point2, Similarity, resample};

/// Changes a marked picture; the second one is what a screen shows besides.
pub(super) type Repost = fn(&Picture, &Picture) -> Picture;

/// What is done to pictures.
pub(super) const OF_PICTURES: [(&str, Repost); 15] = [
    ("mirrored", |marked, _| marked.mirrored()),
    ("quarter turn", |marked, _| marked.turned(1)),
    ("bars to 9:16", |marked, _| {
        between_bars(marked, [9, 16], black)
    }),
    ("bars to 16:9", |marked, _| {
        between_bars(marked, [16, 9], black)
    }),
    ("bars to 1:1", |marked, _| {
        between_bars(marked, [1, 1], black)
    }),
    ("mirrored, blurred bars to 9:16", |marked, _| {
        between_bars(&marked.mirrored(), [9, 16], blurred)
    }),
    ("crop to 60 % of the area", |marked, _| {
        cropped(marked, (0.13, 0.06), 0.7746)
    }),
    ("crop to 60 % of each side", |marked, _| {
        cropped(marked, (0.23, 0.11), 0.6)
    }),
    ("turned by 3°", |marked, _| tilted(marked, 3.0)),
    ("turned by -1°", |marked, _| tilted(marked, -1.0)),
    ("mirrored, turned by 2°", |marked, _| {
        tilted(&marked.mirrored(), 2.0)
    }),
    ("window of 70 % of a 720p screen", |marked, over| {
        in_window(marked, over, 0.7)
    }),
    ("window of 50 %", |marked, over| {
        in_window(marked, over, 0.5)
    }),
    ("mirrored, window of 50 %", |marked, over| {
        in_window(&marked.mirrored(), over, 0.5)
    }),
    ("window of 33 %", |marked, over| {
        in_window(marked, over, 0.33)
    }),
];

/// What is done to clips, which are then encoded anew.
pub(super) const OF_CLIPS: [(&str, Repost); 6] = [
    ("mirrored", |marked, _| marked.mirrored()),
    ("bars to 9:16", |marked, _| {
        between_bars(marked, [9, 16], black)
    }),
    ("crop to 60 % of each side", |marked, _| {
        cropped(marked, (0.23, 0.11), 0.6)
    }),
    ("turned by 3°", |marked, _| tilted(marked, 3.0)),
    ("window of 50 % of a 720p screen", |marked, over| {
        in_window(marked, over, 0.5)
    }),
    ("window of 33 %", |marked, over| {
        in_window(marked, over, 0.33)
    }),
];

/// Surrounds a picture so that its sides have the ratio `[across, down]`.
fn between_bars(
    picture: &Picture,
    [across, down]: [u32; 2],
    ground: fn(&Picture, [u32; 2]) -> Picture,
) -> Picture {
    let (width, height) = (picture.width(), picture.height());
    let size = [
        width.max(height * across / down),
        height.max(width * down / across),
    ];
    let corner = [(size[0] - width) / 2, (size[1] - height) / 2];
    laid_over(ground(picture, size), picture, corner)
}

fn black(_: &Picture, [width, height]: [u32; 2]) -> Picture {
    Picture::filled(width, height, [0; 3])
}

/// The picture itself, stretched over all and blurred, as many apps fill bars.
fn blurred(picture: &Picture, [width, height]: [u32; 2]) -> Picture {
    let tiny = resample::resize(picture, 16, 16);
    resample::resize(&tiny, width, height)
}

/// What is left of a crop that begins at these shares of the sides and keeps this share of each.
pub(super) fn cropped(picture: &Picture, (left, top): (f32, f32), side: f32) -> Picture {
    let part = |length: u32, share: f32| (length as f32 * share) as u32;
    let (x, y) = (part(picture.width(), left), part(picture.height(), top));
    let (width, height) = (part(picture.width(), side), part(picture.height(), side));
    let rows = (y..y + height).flat_map(|row| {
        let from = (row * picture.width() + x) as usize * 3;
        &picture.pixels()[from..from + width as usize * 3]
    });
    Picture::new(width, height, rows.copied().collect())
}

/// Turned about the middle, with empty corners.
fn tilted(picture: &Picture, degrees: f32) -> Picture {
    let (width, height) = (picture.width(), picture.height());
    let middle = Point2::new(0.5 * width as f32, 0.5 * height as f32);
    let turn = Similarity::about(middle, middle, 1.0, degrees.to_radians());
    resample::warp(picture, turn, width, height)
}

/// In the upper right of a screen of 1280 × 720 that shows something else, as large as fits into
/// this share of both sides.
fn in_window(picture: &Picture, over: &Picture, share: f32) -> Picture {
    const SCREEN: [u32; 2] = [1280, 720];
    let size = [picture.width(), picture.height()].map(|side| side as f32);
    let scale = share * (SCREEN[0] as f32 / size[0]).min(SCREEN[1] as f32 / size[1]);
    let [width, height] = size.map(|side| (side * scale) as u32);
    let small = resample::resize(picture, width, height);
    let screen = resample::resize(over, SCREEN[0], SCREEN[1]);
    let margin = [SCREEN[0] - width, SCREEN[1] - height].map(|free| free.min(30));
    laid_over(screen, &small, [SCREEN[0] - width - margin[0], margin[1]])
}

fn laid_over(mut ground: Picture, picture: &Picture, [x, y]: [u32; 2]) -> Picture {
    for row in 0..picture.height() {
        for column in 0..picture.width() {
            ground.set(x + column, y + row, picture.get(column, row));
        }
    }
    ground
}
