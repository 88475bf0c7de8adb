//! The numbers of every clip and of many people, looked at once and kept.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use effigy_detect::Unfit;
use effigy_detect::cue::traces::Spread;
use effigy_detect::cue::traces::features::{N_FEATURES, features, view};
use effigy_face::{Face, Observation, TrackSettings};
use effigy_files::write_atomically;
use effigy_frame::{Frame, Rational, Timestamp};
use effigy_media::{Limits, VideoReader};
use effigy_model::PictureNet;
use effigy_pipeline::{Follower, Networks, scan};

use super::Clip;
use crate::data::footage::{Footage, Truth};
use crate::data::people::{self, Split};
use crate::device::DeviceArgs;

/// Sources of people whose pictures a camera took in colour, and of each so many.
const SOURCES: [(&str, usize); 3] = [("ytf", 1400), ("senate", 200), ("interfaces", 100)];
/// Seconds of a clip that are looked at.
const MOST_SECS: f64 = 6.0;

/// Where numbers come from.
pub(super) struct Source<'a> {
    data: &'a Path,
    cache: &'a Path,
    networks: Networks,
}

impl<'a> Source<'a> {
    pub(super) fn new(data: &'a Path, cache: &'a Path, device: DeviceArgs) -> Result<Self> {
        Ok(Self {
            data,
            cache,
            networks: device.networks()?,
        })
    }

    /// The numbers of each clip in which a face is seen well.
    pub(super) fn clips(&self, footage: &[Footage]) -> Result<Vec<Clip>> {
        let mut clips = Vec::new();
        for footage in footage.iter().filter(|f| f.truth != Truth::Dubbed) {
            let path = self.kept(&footage.name);
            let frames = match read(&path)? {
                Some(frames) => frames,
                None => {
                    let frames = self.look(footage)?;
                    println!("{}: {} frames", footage.name, frames.len());
                    write(&path, &frames)?;
                    frames
                }
            };
            if !frames.is_empty() {
                clips.push(Clip::new(footage, frames));
            }
        }
        Ok(clips)
    }

    /// The numbers of people of the training split, one for each picture.
    pub(super) fn people(&self) -> Result<Vec<Vec<f32>>> {
        let path = self.kept("people");
        if let Some(people) = read(&path)? {
            return Ok(people);
        }
        let mut numbers = Vec::new();
        for (source, most) in SOURCES {
            let samples = people::read(self.data, Split::Train, |known| known == source)?;
            let step = (samples.len() / most).max(1);
            for sample in samples.into_iter().step_by(step).take(most) {
                let frame = Frame {
                    index: 0,
                    time: Timestamp::new(0, Rational::new(1, 1)),
                    picture: sample.picture,
                };
                let face = Observation::of_points(&frame, 0, &sample.points);
                numbers.extend(describe(&face, &self.networks.trace_judge.network));
            }
            println!("{source}: {} people so far", numbers.len());
        }
        write(&path, &numbers)?;
        Ok(numbers)
    }

    fn kept(&self, name: &str) -> PathBuf {
        self.cache.join(format!("{}.f32", name.replace('/', "-")))
    }

    /// The frames of the face that is seen longest, as the cue chooses them.
    fn look(&self, footage: &Footage) -> Result<Vec<Vec<f32>>> {
        let reader = VideoReader::open(&footage.path, &Limits::default())
            .with_context(|| format!("cannot read {:?}", footage.path))?;
        let window = footage.window;
        let frames = reader
            .take_while(|frame| frame.as_ref().map_or(true, |f| f.time.secs() <= MOST_SECS))
            .map(move |frame| frame.map(|frame| scan::cut_out(frame, window)));
        let mut tracks: Vec<Track> = Vec::new();
        let mut follower = Follower::new(&self.networks, TrackSettings::default())?;
        follower.follow(frames, &mut |followed| {
            let followed = followed?;
            for face in &followed.faces {
                self.look_at(&followed.frame, face, &mut tracks);
            }
            Ok(())
        })?;
        let longest = tracks.into_iter().max_by_key(|track| track.n_frames);
        Ok(longest.map_or_else(Vec::new, |track| track.kept.into_kept()))
    }

    fn look_at(&self, frame: &Frame, face: &Face, tracks: &mut Vec<Track>) {
        let known = tracks.iter().position(|track| track.number == face.track);
        let at = known.unwrap_or(tracks.len());
        if at == tracks.len() {
            tracks.push(Track {
                number: face.track,
                n_frames: 0,
                kept: Spread::default(),
            });
        }
        tracks[at].n_frames += 1;
        let face = Observation::new(frame, face);
        if Unfit::of(&face).is_none() {
            let network = &self.networks.trace_judge.network;
            tracks[at].kept.offer(|| describe(&face, network));
        }
    }
}

/// One face while it is followed.
struct Track {
    number: u32,
    n_frames: usize,
    kept: Spread<Vec<f32>>,
}

fn describe(face: &Observation<'_>, network: &PictureNet) -> Option<Vec<f32>> {
    Some(features(&network.see(&view(face)?)))
}

/// Reads what was kept; `None` when nothing was.
fn read(path: &Path) -> Result<Option<Vec<Vec<f32>>>> {
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read {path:?}"))?;
    let (numbers, _) = bytes.as_chunks();
    let values: Vec<f32> = numbers.iter().map(|b| f32::from_le_bytes(*b)).collect();
    Ok(Some(
        values
            .chunks_exact(N_FEATURES)
            .map(<[f32]>::to_vec)
            .collect(),
    ))
}

fn write(path: &Path, frames: &[Vec<f32>]) -> Result<()> {
    let values = frames.iter().flatten();
    let bytes: Vec<u8> = values.flat_map(|value| value.to_le_bytes()).collect();
    Ok(write_atomically(path, &bytes)?)
}
