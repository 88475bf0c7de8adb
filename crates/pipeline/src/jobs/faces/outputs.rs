//! Everything that `faces` writes, as far as it was asked for.

use std::fs;
use std::path::PathBuf;

use effigy_face::{Face, people};
use effigy_files::Destination;
use effigy_frame::Frame;

use super::crops::CropSet;
use super::gather::{self, Recogniser, TrackRecord};
use super::lines::Lines;
use super::overlay::{self, Overlay};
use super::sheet::{self, Sheets};
use super::{FacesOutput, Measures};
use crate::error::Result;
use crate::steps::inputs::Input;

/// Where everything goes that `settings` ask for, as far as it is known before faces are found.
pub(crate) fn destinations(settings: &FacesOutput, inputs: &[Input]) -> Vec<Destination> {
    let folder = &settings.folder;
    let mut all = vec![Destination::Folder(folder.clone())];
    // In a folder that is not there yet, nothing is in the way.
    let Ok(entries) = fs::read_dir(folder) else {
        return all;
    };
    if settings.crops.is_some() {
        all.push(Destination::Whole(folder.join(CROPS)));
    }
    let mut names = vec![LINES.to_owned()];
    if settings.overlay {
        let inputs = inputs.iter().enumerate();
        names.extend(inputs.map(|(i, input)| overlay::name(input, i + 1)));
    }
    if settings.sheet {
        let entries = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.extend(entries.filter(|name| sheet::is_sheet(name)));
    }
    all.extend(
        names
            .iter()
            .map(|name| Destination::File(folder.join(name))),
    );
    all
}

/// The file of all faces, and the folder of crops.
const LINES: &str = "faces.jsonl";
const CROPS: &str = "crops";

/// Everything that is being written.
pub(crate) struct Outputs {
    settings: FacesOutput,
    /// Whether the folder was not there before.
    made_folder: bool,
    input: PathBuf,
    lines: Lines,
    overlay: Option<Overlay>,
    crops: Option<CropSet>,
    pub(crate) sheets: Option<Sheets>,
}

impl Outputs {
    pub(crate) fn begin(settings: &FacesOutput) -> Result<Self> {
        let folder = &settings.folder;
        let made_folder = !folder.exists();
        crate::steps::atomic::make_folder(folder)?;
        let crops = settings
            .crops
            .clone()
            .map(|crops| CropSet::begin(&folder.join(CROPS), crops, settings.existing));
        Ok(Self {
            made_folder,
            input: PathBuf::new(),
            lines: Lines::begin(&folder.join(LINES), settings.points)?,
            overlay: None,
            crops: crops.transpose()?,
            sheets: settings.sheet.then(|| Sheets::begin(folder)).transpose()?,
            settings: settings.clone(),
        })
    }

    pub(crate) fn begin_input(
        &mut self,
        input: &Input,
        info: &effigy_media::Info,
        input_index: usize,
    ) -> Result<()> {
        self.input = input.path().to_owned();
        if let Some(crops) = &mut self.crops {
            crops.begin_input(input.path(), input_index);
        }
        if self.settings.overlay {
            let name = overlay::name(input, input_index);
            self.overlay = Some(Overlay::begin(
                &self.settings.folder.join(name),
                input,
                info,
            )?);
        }
        Ok(())
    }

    pub(crate) fn write(
        &mut self,
        frame: &mut Frame,
        faces: &[Face],
        measures: &[Measures],
        recogniser: &Recogniser,
    ) -> Result<()> {
        let identities = if self.settings.identity {
            gather::identities(recogniser, &frame.picture, faces)
        } else {
            vec![None; faces.len()]
        };
        for ((face, measures), identity) in faces.iter().zip(measures).zip(&identities) {
            self.lines
                .write(&self.input, face, measures, identity.as_ref())?;
            if let Some(crops) = &mut self.crops {
                crops.offer(&frame.picture, face, measures)?;
            }
        }
        match &mut self.overlay {
            Some(overlay) => overlay.write(frame, faces, measures),
            None => Ok(()),
        }
    }

    pub(crate) fn end_input(&mut self) -> Result<()> {
        self.lines.end_input()?;
        self.overlay.take().map_or(Ok(()), Overlay::finish)
    }

    /// Removes what was written so far of the input that has just failed.
    pub(crate) fn take_back(&mut self, input_index: usize) -> Result<()> {
        self.overlay = None;
        self.lines.take_back_input()?;
        match &mut self.crops {
            Some(crops) => crops.take_back(input_index),
            None => Ok(()),
        }
    }

    /// Leaves nothing behind.
    pub(crate) fn abandon(self) {
        let folder = self.made_folder.then(|| self.settings.folder.clone());
        drop(self);
        // Only if nobody else has put something into it; a leftover is only untidy.
        folder.map(fs::remove_dir).transpose().ok();
    }

    pub(crate) fn finish(self, people: &[people::Person], records: &[TrackRecord]) -> Result<()> {
        let person_of = |track: u32| {
            let holds = |p: &people::Person| p.tracks.binary_search(&track).is_ok();
            people.iter().position(holds).map(|i| i as u32 + 1)
        };
        if let Some(sheets) = self.sheets {
            let picks_of = |person: &people::Person| {
                let theirs = records
                    .iter()
                    .filter(|r| person.tracks.binary_search(&r.number).is_ok());
                theirs.flat_map(|r| r.sheet.iter().copied()).collect()
            };
            sheets.finish(people.iter().map(picks_of).collect())?;
        }
        if let Some(crops) = self.crops {
            crops.finish(&person_of)?;
        }
        self.lines.finish(&person_of)
    }
}
