//! Aligned crops: which are kept, in which order, under which names.
//!
//! Crops are written as the frames pass, into a hidden folder; when the people are known they get
//! their names, `person-1/00001-interview-000123.png`, and the folder its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use effigy_face::align::aligned_view;
use effigy_face::quality::Look;
use effigy_face::{Face, Pose};
use effigy_files::{Existing, shortened};
use effigy_frame::{Picture, resample};

use super::Measures;
use super::overlay::LONGEST_STEM;
use crate::error::Result;
use crate::steps::atomic::{AtomicFile, AtomicFolder, make_folder, write_error};
use crate::steps::real::write_real_picture;

/// Which crops to write.
#[derive(Clone, Debug)]
pub struct CropSettings {
    /// Side in pixels.
    pub side_px: u32,
    /// Which faces are good enough.
    pub filter: CropFilter,
    /// The order in which they are numbered.
    pub order: CropOrder,
    /// Most crops of each person, the first by `order`; `None` keeps all.
    pub most_per_person: Option<usize>,
}

impl CropSettings {
    /// All faces, as they come.
    pub fn new(side_px: u32) -> Self {
        Self {
            side_px,
            filter: CropFilter::default(),
            order: CropOrder::default(),
            most_per_person: None,
        }
    }
}

/// Which faces are good enough. The default lets all pass.
#[derive(Clone, Debug)]
pub struct CropFilter {
    /// Only these people, by their numbers; empty lets all pass.
    pub people: Vec<u32>,
    /// Least sharpness, `0..=1`.
    pub least_sharpness: f32,
    /// Least size of the face in the frame, in pixels.
    pub least_size_px: f32,
    /// Largest turn to either side, in degrees.
    pub most_yaw: f32,
    /// Largest nod up or down, in degrees.
    pub most_pitch: f32,
    /// Least brightness, `0..=1`.
    pub least_light: f32,
    /// Most brightness, `0..=1`.
    pub most_light: f32,
    /// Whether crops are left out that look nearly like an earlier one of their track.
    pub dedupe: bool,
}

impl Default for CropFilter {
    fn default() -> Self {
        Self {
            people: Vec::new(),
            least_sharpness: 0.0,
            least_size_px: 0.0,
            most_yaw: 180.0,
            most_pitch: 90.0,
            least_light: 0.0,
            most_light: 1.0,
            dedupe: false,
        }
    }
}

/// What the crops of a person are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CropOrder {
    /// As they come.
    #[default]
    Time,
    /// The sharpest first.
    Sharpness,
    /// The largest first.
    Size,
    /// From the subject's right to the left.
    Yaw,
    /// From looking down to looking up.
    Pitch,
    /// The brightest first.
    Light,
}

/// What a crop's side covers, in distances between the outer corners of the eyes.
const CROP_EXTENT: f32 = 2.8;
/// Looks kept for each track; older ones are far enough away in time to differ.
const MOST_LOOKS: usize = 256;

/// One crop that was written.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    stem: String,
    input_index: usize,
    track: u32,
    frame_index: u64,
    time_secs: f64,
    pose: Pose,
    sharpness: f32,
    size_px: f32,
    light: f32,
}

/// The crops while the inputs pass.
pub(crate) struct CropSet {
    settings: CropSettings,
    folder: AtomicFolder,
    stem: String,
    input_index: usize,
    entries: Vec<Entry>,
    looks: BTreeMap<u32, Vec<Look>>,
}

impl CropSet {
    pub(crate) fn begin(path: &Path, settings: CropSettings, existing: Existing) -> Result<Self> {
        let folder = match existing {
            Existing::Kept => AtomicFolder::create(path)?,
            Existing::Replaced => AtomicFolder::replace(path)?,
        };
        Ok(Self {
            settings,
            folder,
            stem: String::new(),
            input_index: 0,
            entries: Vec::new(),
            looks: BTreeMap::new(),
        })
    }

    pub(crate) fn begin_input(&mut self, input: &Path, input_index: usize) {
        let stem = input.file_stem().unwrap_or_default().to_string_lossy();
        let stem = shortened(stem.replace('%', "").as_ref(), LONGEST_STEM);
        self.stem = stem.to_string_lossy().into_owned();
        self.input_index = input_index;
        self.looks.clear();
    }

    /// Writes the face's crop if it passes the filter.
    pub(crate) fn offer(
        &mut self,
        picture: &Picture,
        face: &Face,
        measures: &Measures,
    ) -> Result<()> {
        if !passes(&self.settings.filter, measures) {
            return Ok(());
        }
        let side = self.settings.side_px;
        let Some(view) = aligned_view(&face.points, side, CROP_EXTENT) else {
            return Ok(());
        };
        let crop = resample::crop(picture, view, side);
        if !self.is_new(face.track, Look::of(&crop)) {
            return Ok(());
        }
        let name = format!(
            "{}-{}-{}.png",
            self.input_index, measures.frame_index, face.track
        );
        write_real_picture(&self.folder.temporary_path().join(&name), &crop)?;
        self.entries.push(Entry {
            name,
            stem: self.stem.clone(),
            input_index: self.input_index,
            track: face.track,
            frame_index: measures.frame_index,
            time_secs: measures.time_secs,
            pose: measures.pose,
            sharpness: measures.sharpness,
            size_px: measures.size_px,
            light: measures.light.level,
        });
        Ok(())
    }

    /// Removes the crops of an input that has failed.
    pub(crate) fn take_back(&mut self, input_index: usize) -> Result<()> {
        let (bad, kept) = self
            .entries
            .drain(..)
            .partition(|entry: &Entry| entry.input_index == input_index);
        self.entries = kept;
        let bad: Vec<Entry> = bad;
        bad.iter().try_for_each(|entry| self.remove(entry))
    }

    /// Names, sorts and thins out the crops, and gives the folder its name.
    pub(crate) fn finish(mut self, person_of: &dyn Fn(u32) -> Option<u32>) -> Result<()> {
        let mut by_person: BTreeMap<Option<u32>, Vec<Entry>> = BTreeMap::new();
        for entry in std::mem::take(&mut self.entries) {
            by_person
                .entry(person_of(entry.track))
                .or_default()
                .push(entry);
        }
        let root = self.folder.temporary_path().to_owned();
        let mut index = AtomicFile::create(&root.join("index.jsonl"))?;
        for (person, mut entries) in by_person {
            sort(&mut entries, self.settings.order);
            let n_kept = self.n_kept(person, entries.len());
            let folder = person.map_or("unknown".to_owned(), |p| format!("person-{p}"));
            if n_kept > 0 {
                make_folder(&root.join(&folder))?;
            }
            for (i, entry) in entries.iter().enumerate() {
                if i >= n_kept {
                    self.remove(entry)?;
                    continue;
                }
                let file = format!(
                    "{folder}/{:05}-{}-{:06}.png",
                    i + 1,
                    entry.stem,
                    entry.frame_index
                );
                let (from, to) = (root.join(&entry.name), root.join(&file));
                fs::rename(&from, &to).map_err(|err| write_error(&to, err))?;
                index.write(format!("{}\n", described(&file, person, entry)).as_bytes())?;
            }
        }
        index.finish()?;
        self.folder.finish()
    }

    fn n_kept(&self, person: Option<u32>, n: usize) -> usize {
        let wanted = &self.settings.filter.people;
        let asked_for = wanted.is_empty() || person.is_some_and(|p| wanted.contains(&p));
        if asked_for {
            n.min(self.settings.most_per_person.unwrap_or(n))
        } else {
            0
        }
    }

    /// Whether no other crop of the track looks nearly the same; remembers this one if so.
    fn is_new(&mut self, track: u32, look: Look) -> bool {
        if !self.settings.filter.dedupe {
            return true;
        }
        let looks = self.looks.entry(track).or_default();
        let is_new = looks
            .iter()
            .all(|seen| Look::NEAR_DUPLICATE <= look.difference(seen));
        if is_new {
            if looks.len() == MOST_LOOKS {
                looks.remove(0);
            }
            looks.push(look);
        }
        is_new
    }

    fn remove(&self, entry: &Entry) -> Result<()> {
        let path: PathBuf = self.folder.temporary_path().join(&entry.name);
        fs::remove_file(&path).map_err(|err| write_error(&path, err))
    }
}

fn passes(filter: &CropFilter, measures: &Measures) -> bool {
    measures.sharpness >= filter.least_sharpness
        && measures.size_px >= filter.least_size_px
        && measures.pose.yaw.abs() <= filter.most_yaw
        && measures.pose.pitch.abs() <= filter.most_pitch
        && (filter.least_light..=filter.most_light).contains(&measures.light.level)
}

fn sort(entries: &mut [Entry], order: CropOrder) {
    let key = |e: &Entry| match order {
        CropOrder::Time => 0.0,
        CropOrder::Sharpness => -e.sharpness,
        CropOrder::Size => -e.size_px,
        CropOrder::Yaw => e.pose.yaw,
        CropOrder::Pitch => e.pose.pitch,
        CropOrder::Light => -e.light,
    };
    // The sort is stable: among equals, the first seen comes first.
    entries.sort_by(|a, b| key(a).total_cmp(&key(b)));
}

fn described(file: &str, person: Option<u32>, entry: &Entry) -> serde_json::Value {
    serde_json::json!({
        "file": file,
        "person": person,
        "track": entry.track,
        "frame": entry.frame_index,
        "time_secs": entry.time_secs,
        "pose": { "yaw": entry.pose.yaw, "pitch": entry.pose.pitch, "roll": entry.pose.roll },
        "sharpness": entry.sharpness,
        "size_px": entry.size_px,
        "light": entry.light,
    })
}

#[cfg(test)]
mod tests;
