//! Pictures inside the page, with the map laid over them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use effigy_frame::{Picture, Plane};

use crate::observe::evidence::EvidenceFrame;

/// A worst frame, as it is and with its map.
pub(super) fn figure(frame: &EvidenceFrame) -> String {
    let plain = data_uri(&frame.picture);
    let marked = data_uri(&overlaid(&frame.picture, &frame.map));
    format!(
        "<figure><img src=\"{plain}\" alt=\"the face\"> <img src=\"{marked}\" \
         alt=\"the face with suspicious places in red\"><figcaption>{}: {:.1} s, frame {}</figcaption>\
         </figure>",
        frame.cue.name(),
        frame.time_secs,
        frame.frame_index
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "small pictures of what was judged, not of what was made"
)]
fn data_uri(picture: &Picture) -> String {
    let bytes = effigy_media::jpeg_bytes(picture);
    format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes))
}

/// Lays the map in red over the picture, the rest paler.
pub(super) fn overlaid(picture: &Picture, map: &Plane) -> Picture {
    let (width, height) = (picture.width(), picture.height());
    let mut marked = picture.clone();
    for y in 0..height {
        for x in 0..width {
            let (u, v) = (
                (x as f32 + 0.5) / width as f32 * map.width() as f32 - 0.5,
                (y as f32 + 0.5) / height as f32 * map.height() as f32 - 0.5,
            );
            let share = 0.75 * between(map, u, v).clamp(0.0, 1.0);
            let [r, g, b] = picture.get(x, y).map(f32::from);
            let towards = |from: f32, to: f32| (from + share * (to - from)).round() as u8;
            marked.set(
                x,
                y,
                [towards(r, 230.0), towards(g, 30.0), towards(b, 30.0)],
            );
        }
    }
    marked
}

/// The map's value between its cells.
fn between(map: &Plane, u: f32, v: f32) -> f32 {
    let most = |side: usize| (side - 1) as f32;
    let (u, v) = (
        u.clamp(0.0, most(map.width())),
        v.clamp(0.0, most(map.height())),
    );
    let (x, y) = (u.floor() as usize, v.floor() as usize);
    let (right, below) = ((x + 1).min(map.width() - 1), (y + 1).min(map.height() - 1));
    let (du, dv) = (u - x as f32, v - y as f32);
    let upper = map.get(x, y) * (1.0 - du) + map.get(right, y) * du;
    let lower = map.get(x, below) * (1.0 - du) + map.get(right, below) * du;
    upper * (1.0 - dv) + lower * dv
}
