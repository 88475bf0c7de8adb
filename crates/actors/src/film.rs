//! Films a clip: frames in order from several threads, the truth beside them, then the files.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use effigy_frame::{Frame, Rational, Timestamp};
use effigy_media::{Effort, VideoWriter, WriteSettings};

use super::clips::FPS;
use super::error::{Error, Result};
use super::set::{Set, Shot};
use super::track::Track;
use super::truth::Detail;

/// Enough to look at; leaves the traces of real coding.
const CRF: u8 = 23;

/// What is written of a clip, and where.
#[derive(Clone, Copy, Debug)]
pub struct FilmSettings<'a> {
    /// Where `NAME.mp4` and the truth beside it go.
    pub folder: &'a Path,
    /// How finely masks and flow are kept.
    pub detail: Detail,
    /// A file with the voice, as long as the clip.
    pub sound: Option<&'a Path>,
}

/// Films the clip of `set`: the video, its sound and the truth. Before each frame `stop` is asked
/// whether to end.
///
/// # Errors
/// When `stop` says so or something cannot be drawn or written; no clip is left behind then.
pub fn film(set: &Set<'_>, settings: &FilmSettings<'_>, stop: &dyn Fn(u32) -> bool) -> Result<()> {
    let side = set.scene.camera.side;
    let path = settings.folder.join(format!("{}.mp4", set.clip.name));
    let mut writing = WriteSettings::new(side as u32, side as u32, Rational::new(FPS, 1));
    writing.crf = Some(CRF);
    writing.effort = Effort::Thorough;
    writing.tracks_from = settings.sound.map(Path::to_owned);
    #[expect(
        clippy::disallowed_methods,
        reason = "nobody is depicted: a drawn person is what the marks are tested with"
    )]
    let mut writer = VideoWriter::create(&path, &writing)?;
    let mut track = Track::new(side, settings.detail);
    in_order(set, |n, shot| {
        if stop(n) {
            return Err(Error::Cancelled { frame: n });
        }
        let shot = shot?;
        track.add(&shot);
        writer.write(&Frame {
            index: u64::from(n),
            time: Timestamp {
                ticks: i64::from(n),
                base: Rational::new(1, FPS),
            },
            picture: shot.picture,
        })?;
        Ok(())
    })?;
    writer.finish()?;
    track.finish(set).write(&path)
}

/// Shoots all frames on all processors and hands them over in order.
fn in_order(set: &Set<'_>, mut take: impl FnMut(u32, Result<Shot>) -> Result<()>) -> Result<()> {
    let n_frames = (set.clip.secs * FPS as f32).round() as u32;
    let n_threads = thread::available_parallelism().map_or(1, |n| n.get() as u32);
    thread::scope(|scope| {
        let start = |first: u32| -> Receiver<Result<Shot>> {
            let (sender, receiver): (SyncSender<Result<Shot>>, _) = sync_channel(2);
            scope.spawn(move || {
                let mut canvas = set.canvas();
                for n in (first..n_frames).step_by(n_threads as usize) {
                    if sender.send(set.shot(&mut canvas, n)).is_err() {
                        return; // Filming was stopped.
                    }
                }
            });
            receiver
        };
        let receivers: Vec<_> = (0..n_threads).map(start).collect();
        for n in 0..n_frames {
            let shot = receivers[(n % n_threads) as usize].recv();
            take(n, shot.map_err(|_hung_up| Error::Thread)?)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::clips::{Clip, committed};
    use crate::head::Head;
    use crate::mesh_points::{Anchors, in_picture};
    use crate::speech::Line;
    use effigy_face::landmarks::{EYES, NOSE_BRIDGE, eye_distance};

    use crate::truth::{Flow, Masks, Points, Record};

    /// The head, or `None`, said aloud, where the data are not there.
    fn head(test: &str) -> Option<Head> {
        let set = std::env::var_os("EFFIGY_DATA").map(PathBuf::from);
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
        let head = Head::open(&set.unwrap_or(beside).join("head/head.safetensors"));
        if head.is_err() {
            eprintln!("skipped: {test} needs ../shared/data/head");
        }
        head.ok()
    }

    fn testdata() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors")
    }

    fn committed_clip(name: &str) -> (Clip, PathBuf) {
        let clip = committed().into_iter().find(|c| c.name == name).unwrap();
        (clip, testdata().join(format!("{name}.mp4")))
    }

    #[test]
    fn no_iris_shows_through_a_shut_lid() {
        let Some(head) = head("shutting eyes") else {
            return;
        };
        let (clip, _) = committed_clip("ben-2-as-ada");
        let set = Set::new(&head, &clip, &Line::default(), 320).unwrap();
        let shot = set.shot(&mut set.canvas(), 153).unwrap();
        let points = &shot.points[0];
        let unit = eye_distance(points);
        for eye in EYES {
            let lid = points[eye.upper_lid];
            let red = |right: f32, up: f32| {
                let (x, y) = (lid.x + right * unit, lid.y - up * unit);
                f32::from(shot.picture.get(x as u32, y as u32)[0])
            };
            // Right above the lashes, where the cornea stands out furthest, lids are as bright as further up.
            for right in [-0.02, 0.0, 0.02] {
                let (near, further) = (red(right, 0.025), red(right, 0.07));
                assert!(near > 0.8 * further, "{near} and {further} at {right}");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_stopping_leaves_nothing() {
        let Some(head) = head("filming") else {
            return;
        };
        let clip = &committed()[0];
        let set = || Set::new(&head, clip, &Line::default(), 64).unwrap();
        let shot = || {
            let set = set();
            set.shot(&mut set.canvas(), 3).unwrap()
        };
        let (first, second) = (shot(), shot());
        assert_eq!(first.picture, second.picture);
        assert_eq!(first.points, second.points);
        let middle = first.picture.get(32, 28);
        assert!(
            middle[0] > middle[2],
            "skin is redder than blue: {middle:?}"
        );

        let folder = tempfile::tempdir().unwrap();
        let settings = FilmSettings {
            folder: folder.path(),
            detail: Detail::Small,
            sound: None,
        };
        let stopped = film(&set(), &settings, &|n| n == 2);
        assert!(
            stopped
                .unwrap_err()
                .to_string()
                .contains("cancelled at frame 2")
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_side_that_masks_cannot_divide_is_refused() {
        let Some(head) = head("refusing a side") else {
            return;
        };
        let clip = &committed()[0];
        for side in [0, 48, 100, 2048] {
            let refused = Set::new(&head, clip, &Line::default(), side);
            assert!(matches!(refused, Err(Error::Side { .. })), "{side}");
        }
    }

    #[test]
    fn the_committed_truth_is_what_the_renderer_gives() {
        let Some(head) = head("comparing with the committed truth") else {
            return;
        };
        let (clip, path) = committed_clip("ben-1-as-ada");
        let set = Set::new(&head, &clip, &Line::default(), 320).unwrap();
        let actor = &set.actors[0];
        // The first frame comes before the first word.
        let moment = actor.performance.at(&head, 0.0);
        let posed = actor.person.pose(&head, &moment).unwrap();
        let places = Anchors::lay(&head).places(&actor.person, &posed);
        let here = in_picture(&set.scene.camera, &places);
        let known = Points::read(&path, 1).unwrap();
        for (a, b) in here.iter().zip(&known.points[0][0]) {
            assert!(a.xy().distance(b.xy()) < 0.2, "{a:?} {b:?}");
        }
    }

    #[test]
    fn every_committed_clip_has_its_truth_and_they_are_small() {
        let mut bytes = 0;
        for entry in fs::read_dir(testdata()).unwrap() {
            bytes += entry.unwrap().metadata().unwrap().len();
        }
        assert!(bytes < 6_000_000, "{bytes} bytes");
        for clip in committed() {
            let path = testdata().join(format!("{}.mp4", clip.name));
            let known = Record::read(&path).unwrap();
            let points = Points::read(&path, clip.roles.len()).unwrap();
            assert_eq!(known.frames, (clip.secs * FPS as f32) as usize);
            assert_eq!(points.points.len(), known.frames);
            assert_eq!(known.people.len(), clip.roles.len());
            assert_eq!(known.people[0].viseme.len(), known.frames);
            let face = Masks::read(&path).unwrap().face(known.frames - 1, 320, 320);
            assert!(face.iter().any(|&is_face| is_face), "{}", clip.name);
        }
    }

    #[test]
    fn points_move_as_the_flow_says_and_lie_in_the_mask() {
        const SIDE: f32 = 320.0;
        let (_, path) = committed_clip("ben-1");
        let points = Points::read(&path, 1).unwrap().points;
        let (flow, masks) = (Flow::read(&path).unwrap(), Masks::read(&path).unwrap());
        for n in 0..points.len() - 1 {
            let [here, there] = [n, n + 1].map(|n| points[n][0][NOSE_BRIDGE]);
            let moved = flow.at(n, here.x / SIDE, here.y / SIDE).unwrap();
            let away = [there.x - here.x - moved[0], there.y - here.y - moved[1]];
            // Flow is kept for every sixteenth pixel.
            assert!(away[0].hypot(away[1]) < 1.0, "{n}: {away:?}");
            let face = masks.face(n, 320, 320);
            assert!(face[here.y as usize * 320 + here.x as usize], "{n}");
        }
    }

    #[test]
    fn pose_from_the_true_points_agrees_with_the_true_pose() {
        let (_, path) = committed_clip("ada-1");
        let known = Record::read(&path).unwrap();
        let points = Points::read(&path, 1).unwrap();
        for (n, people) in points.points.iter().enumerate() {
            let seen = effigy_face::pose::pose(&people[0]);
            let [yaw, _, roll] = known.people[0].pose[n].map(|tenths| tenths as f32 / 10.0);
            // The camera is near, so that perspective turns what stands aside.
            assert!((seen.yaw - yaw).abs() < 6.0, "{n}: {} {yaw}", seen.yaw);
            assert!((seen.roll - roll).abs() < 5.0, "{n}: {} {roll}", seen.roll);
        }
    }
}
