//! Films a clip: frames in order from several threads, the truth beside them, then the files.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::{Context as _, Result, bail};
use effigy_frame::{Frame, Picture, Point3, Rational, Timestamp};
use effigy_media::{Effort, VideoWriter, WriteSettings};

use super::canvas::{Camera, Canvas, Exposure, Moving, Scene, expose, flow};
use super::cast;
use super::clips::{Clip, scene};
use super::head::Head;
use super::lens::{self, Lens};
use super::noise::stir;
use super::perform::Performance;
use super::person::{Moment, Person, Posed};
use super::prop::{Prop, microphone};
use super::truth::{self, Detail, Track};
use super::shoot::shoot;
use super::space::V3;
use super::speech::{self, Line};
use super::mesh_points::{Anchors, in_picture};

/// Frames a second.
pub(crate) const FPS: i32 = 25;
/// Share of the time between frames for which the shutter is open.
const SHUTTER: f32 = 0.5;
/// Enough to look at; leaves the traces of real coding.
const CRF: u8 = 23;

/// A clip with everybody dressed and ready.
pub struct Set {
    pub(crate) scene: Scene,
    people: Vec<(Person, Performance)>,
    backdrop: Vec<V3>,
    lens: Lens,
    has_microphone: bool,
    seed: u32,
}

/// What is known of a frame.
pub struct Shot {
    pub picture: Picture,
    /// Of each person.
    pub(crate) points: Vec<Vec<Point3>>,
    pub(crate) visible: Vec<Vec<bool>>,
    pub(crate) moments: Vec<Moment>,
    pub(crate) exposure: Exposure,
    pub(crate) flow: Vec<[f32; 2]>,
}

impl Set {
    /// Dresses the actors of a clip and furnishes its room.
    pub fn new(head: &Head, clip: &Clip, line: &Line, side: usize) -> Result<Self> {
        let scene = scene(clip.light, clip.room, side);
        let mut people = Vec::new();
        for role in &clip.roles {
            let unknown =
                |name: &str| format!("nobody is called {name}; there are {:?}", cast::NAMES);
            let (looks, _) = cast::actor(role.looks).with_context(|| unknown(role.looks))?;
            let (_, costume) = cast::actor(role.costume).with_context(|| unknown(role.costume))?;
            let line = if role.speaks {
                line.clone()
            } else {
                Line::default()
            };
            let performance = Performance {
                seed: role.seed,
                line,
                place: role.place,
                facing: role.facing,
                spirit: role.spirit,
            };
            people.push((Person::new(head, looks, costume)?, performance));
        }
        let backdrop = (0..side * side).map(|i| {
            let part = |k: usize| (k as f32 + 0.5) / side as f32;
            scene.room.colour(part(i % side), part(i / side))
        });
        Ok(Self {
            backdrop: backdrop.collect(),
            lens: Lens {
                focus: 1.0 / (scene.camera.eye.z - 9.0),
                blur: 9.0,
                exposure: 1.06,
                balance: lens::NEUTRAL,
                noise: 1.0,
            },
            has_microphone: clip.has_microphone,
            seed: clip.roles[0].seed,
            scene,
            people,
        })
    }

    /// Films frame `n`.
    pub fn shot(
        &self,
        head: &Head,
        anchors: &Anchors,
        canvas: &mut Canvas,
        n: u32,
    ) -> Result<Shot> {
        let secs = |n: u32| n as f32 / FPS as f32;
        let (now, next) = (self.pose(head, secs(n))?, self.pose(head, secs(n + 1))?);
        let props = self
            .has_microphone
            .then(|| (microphone(secs(n)), microphone(secs(n + 1))));
        let shown: Vec<(&Person, &Posed)> = self
            .people
            .iter()
            .zip(&now)
            .map(|((person, _), (posed, _))| (person, posed))
            .collect();
        shoot(
            canvas,
            &self.scene,
            &shown,
            props.as_ref().map(|(now, _)| now),
        );
        let moving: Vec<Moving<'_>> = shown
            .iter()
            .zip(&next)
            .map(|(&(person, posed), (later, _))| (person, posed, later))
            .collect();
        let props: Option<(&Prop, &Prop)> = props.as_ref().map(|(a, b)| (a, b));
        let moves = flow(canvas, &self.scene.camera, &moving, props);
        let exposure = expose(canvas, &self.backdrop);
        let open: Vec<[f32; 2]> = moves.iter().map(|m| m.map(|d| d * SHUTTER)).collect();
        let noise = stir(self.seed ^ (n << 8));
        let picture = lens::develop(&exposure, &self.lens, &open, noise);
        let (points, visible) = points(&self.scene.camera, anchors, canvas, &shown);
        Ok(Shot {
            picture,
            points,
            visible,
            moments: now.into_iter().map(|(_, moment)| moment).collect(),
            exposure,
            flow: moves,
        })
    }

    fn pose(&self, head: &Head, secs: f32) -> Result<Vec<(Posed, Moment)>> {
        let mut all = Vec::new();
        for (person, performance) in &self.people {
            let moment = performance.at(head, secs);
            all.push((person.pose(head, &moment)?, moment));
        }
        Ok(all)
    }

    pub(crate) fn performances(&self) -> impl Iterator<Item = &Performance> {
        self.people.iter().map(|(_, performance)| performance)
    }
}

type Points = (Vec<Vec<Point3>>, Vec<Vec<bool>>);

fn points(
    camera: &Camera,
    anchors: &Anchors,
    canvas: &Canvas,
    people: &[(&Person, &Posed)],
) -> Points {
    let of_person = |(person, posed): &(&Person, &Posed)| {
        let places = anchors.places(person, posed);
        let seen = places.iter().map(|&p| canvas.shows(camera.project(p)));
        (in_picture(camera, &places), seen.collect())
    };
    people.iter().map(of_person).unzip()
}

/// Films `clip` into `folder`: the video, its sound and the truth. Nothing is left behind when it
/// fails or `stop` says so.
pub fn film(
    head: &Head,
    clip: &Clip,
    (folder, side, detail): (&Path, usize, Detail),
    stop: &(dyn Fn(u32) -> bool + Sync),
) -> Result<()> {
    let scratch = tempfile::tempdir_in(folder).context("cannot make a folder for the sound")?;
    let sound = scratch.path().join("voice.m4a");
    let line = speech::speak(clip.voice, clip.text, clip.secs, &sound)?;
    film_line(
        head,
        clip,
        (folder, side, detail),
        (&line, Some(&sound)),
        stop,
    )
}

/// As [`film`], with a line that was spoken before.
pub(crate) fn film_line(
    head: &Head,
    clip: &Clip,
    (folder, side, detail): (&Path, usize, Detail),
    (line, sound): (&Line, Option<&Path>),
    stop: &(dyn Fn(u32) -> bool + Sync),
) -> Result<()> {
    let set = Set::new(head, clip, line, side)?;
    let anchors = Anchors::lay(head);
    let n_frames = (clip.secs * FPS as f32).round() as u32;
    let path = folder.join(format!("{}.mp4", clip.name));
    let mut settings = WriteSettings::new(side as u32, side as u32, Rational::new(FPS, 1));
    settings.crf = Some(CRF);
    settings.effort = Effort::Thorough;
    settings.audio_from = sound.map(Path::to_owned);
    #[expect(
        clippy::disallowed_methods,
        reason = "nobody is depicted: a drawn person is what the marks are tested with"
    )]
    let mut writer = VideoWriter::create(&path, &settings)?;
    let mut track = Track::new(side, detail);
    in_order(n_frames, (head, &set, &anchors), |n, shot| {
        if stop(n) {
            bail!("cancelled at frame {n}; no clip was written");
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
    truth::write(&track, head, clip, &set, folder)
}

/// Films frames on all processors and hands them over in order.
fn in_order(
    n_frames: u32,
    (head, set, anchors): (&Head, &Set, &Anchors),
    mut take: impl FnMut(u32, Result<Shot>) -> Result<()>,
) -> Result<()> {
    let n_threads = thread::available_parallelism().map_or(1, |n| n.get() as u32);
    thread::scope(|scope| {
        let start = |first: u32| -> Receiver<Result<Shot>> {
            let (sender, receiver): (SyncSender<Result<Shot>>, _) = sync_channel(2);
            scope.spawn(move || {
                let mut canvas = Canvas::new(set.scene.camera.side);
                for n in (first..n_frames).step_by(n_threads as usize) {
                    if sender
                        .send(set.shot(head, anchors, &mut canvas, n))
                        .is_err()
                    {
                        return; // Filming was stopped.
                    }
                }
            });
            receiver
        };
        let receivers: Vec<_> = (0..n_threads).map(start).collect();
        for n in 0..n_frames {
            let shot = receivers[(n % n_threads) as usize].recv();
            take(n, shot.context("a thread that films has died")?)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::clips::committed;
    use super::*;

    /// The head, or `None`, said aloud, where the data are not there.
    fn head(test: &str) -> Option<Head> {
        let set = std::env::var_os("EFFIGY_DATA").map(std::path::PathBuf::from);
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
        let head = Head::open(&set.unwrap_or(beside).join("head/head.safetensors"));
        if head.is_err() {
            eprintln!("skipped: {test} needs ../shared/data/head");
        }
        head.ok()
    }

    fn testdata() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors")
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_stopping_leaves_nothing() {
        let Some(head) = head("filming") else {
            return;
        };
        let clip = &committed()[0];
        let anchors = Anchors::lay(&head);
        let shot = || {
            let set = Set::new(&head, clip, &Line::default(), 64).unwrap();
            set.shot(&head, &anchors, &mut Canvas::new(64), 3).unwrap()
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
        let place = (folder.path(), 64, Detail::Small);
        let stopped = film_line(&head, clip, place, (&Line::default(), None), &|n| n == 2);
        assert!(
            stopped
                .unwrap_err()
                .to_string()
                .contains("cancelled at frame 2")
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_committed_truth_is_what_the_renderer_gives() {
        let Some(head) = head("comparing with the committed truth") else {
            return;
        };
        let clips = committed();
        let clip = clips.iter().find(|c| c.name == "ben-1-as-ada").unwrap();
        let set = Set::new(&head, clip, &Line::default(), 320).unwrap();
        // Nobody speaks yet in the first frame.
        let (_, moment) = &set.pose(&head, 0.0).unwrap()[0];
        let posed = set.people[0].0.pose(&head, moment).unwrap();
        let places = Anchors::lay(&head).places(&set.people[0].0, &posed);
        let here = in_picture(&set.scene.camera, &places);
        let known = truth::read_points(&testdata(), clip.name, 1).unwrap();
        for (a, b) in here.iter().zip(&known.points[0][0]) {
            assert!(a.xy().distance(b.xy()) < 0.2, "{a:?} {b:?}");
        }
    }

    #[test]
    fn every_committed_clip_has_its_truth_and_they_are_small() {
        let mut bytes = 0;
        for entry in std::fs::read_dir(testdata()).unwrap() {
            bytes += entry.unwrap().metadata().unwrap().len();
        }
        assert!(bytes < 6_000_000, "{bytes} bytes");
        for clip in committed() {
            let known = truth::read(&testdata(), clip.name).unwrap();
            let points = truth::read_points(&testdata(), clip.name, clip.roles.len()).unwrap();
            assert_eq!(known.frames, (clip.secs * FPS as f32) as usize);
            assert_eq!(points.points.len(), known.frames);
            assert_eq!(known.people.len(), clip.roles.len());
            assert_eq!(known.people[0].viseme.len(), known.frames);
        }
    }

    #[test]
    fn pose_from_the_true_points_agrees_with_the_true_pose() {
        let known = truth::read(&testdata(), "ada-1").unwrap();
        let points = truth::read_points(&testdata(), "ada-1", 1).unwrap();
        for (n, people) in points.points.iter().enumerate() {
            let seen = effigy_face::pose::pose(&people[0]);
            let [yaw, _, roll] = known.people[0].pose[n].map(|tenths| tenths as f32 / 10.0);
            // The camera is near, so that perspective turns what stands aside.
            assert!((seen.yaw - yaw).abs() < 6.0, "{n}: {} {yaw}", seen.yaw);
            assert!((seen.roll - roll).abs() < 5.0, "{n}: {} {roll}", seen.roll);
        }
    }
}
