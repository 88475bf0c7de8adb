//! The quality card of a portrait that speaks: what a puppet's says, whether lips meet where they should, and whether
//! the mouth rests in silence.

use std::path::{Path, PathBuf};

use effigy_face::landmarks::mouth_openness;
use effigy_frame::{Picture, Point3};
use effigy_mark::consent::Template;
use serde::Serialize;

use super::card::{self, Figure};
use super::moved::{MovedMeasuring, MovedQuality, look, path_beside};
use super::{MEASURE_EVERY, Mean};
use crate::error::Result;
use crate::steps::networks::Networks;
use crate::steps::speech::Said;

/// What a portrait that speaks reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SpokenQuality {
    /// Whether it is still the person, and does what it was asked to.
    #[serde(flatten)]
    pub moved: MovedQuality,
    /// Frames in which lips were to meet, M, B and P, and the face was found.
    pub n_closures: u64,
    /// Share of them in which they do.
    pub closures_kept: Option<f64>,
    /// How much the opening of the mouth changes from a silent frame to the next that is measured, in % of eye
    /// distance.
    pub moves_in_silence: Option<f64>,
}

/// Measures while a portrait that speaks is drawn.
pub(crate) struct SpokenMeasuring<'a> {
    networks: &'a Networks,
    moved: MovedMeasuring<'a>,
    closed: Mean,
    in_silence: Mean,
    /// The opening in the last silent frame, while silence lasts.
    silent: Option<f32>,
    n_frames: u64,
}

/// Lips that are less apart than this share of the distance between the eyes meet: the mesh leaves a little between
/// lips that are closed.
const CLOSED: f32 = 0.035;

impl<'a> SpokenMeasuring<'a> {
    /// Begins.
    ///
    /// # Errors
    /// Never yet; see [`MovedMeasuring::new`].
    pub(crate) fn new(networks: &'a Networks, portrait: Template) -> Result<Self> {
        Ok(Self {
            networks,
            moved: MovedMeasuring::new(networks, portrait, None, None)?,
            closed: Mean::default(),
            in_silence: Mean::default(),
            silent: None,
            n_frames: 0,
        })
    }

    /// Takes in a drawn frame, the mesh points that its face was asked to have, and what is said in it.
    ///
    /// # Errors
    /// See [`MovedMeasuring::take`].
    pub(crate) fn take(&mut self, drawn: &Picture, asked: &[Point3], said: &Said) -> Result<()> {
        let is_due = self.n_frames.is_multiple_of(MEASURE_EVERY);
        self.n_frames += 1;
        let is_closure = 1.0 <= said.meets;
        let is_silent = said.speaks <= 0.0;
        if !is_silent {
            self.silent = None;
        }
        if is_closure || (is_silent && is_due) {
            let found = look(&self.networks.face_mesh, drawn, asked);
            let opening = found.map(|points| mouth_openness(&points));
            if is_closure {
                let is_closed = opening.map(|opening| f64::from(u8::from(opening < CLOSED)));
                self.closed.add(is_closed);
            } else if let Some(opening) = opening {
                let change = self.silent.map(|before| (opening - before).abs());
                self.in_silence.add(change.map(|c| f64::from(100.0 * c)));
                self.silent = Some(opening);
            }
        }
        self.moved.take(drawn, asked)
    }

    /// What was reached.
    pub(crate) fn finish(self) -> SpokenQuality {
        SpokenQuality {
            moved: self.moved.finish(),
            n_closures: self.closed.n,
            closures_kept: self.closed.get(),
            moves_in_silence: self.in_silence.get(),
        }
    }
}

impl SpokenQuality {
    /// All figures, in the order in which they matter.
    pub fn figures(&self) -> Vec<Figure> {
        let kept = self.closures_kept.map(|share| 100.0 * share);
        let mut figures = vec![
            Figure::new("lips meet in M, B and P", kept, " % of frames").at_least(90.0),
            Figure::new(
                "mouth moves in silence",
                self.moves_in_silence,
                " % of eye distance",
            )
            .at_most(1.0),
        ];
        figures.extend(self.moved.figures());
        figures
    }

    /// The figures in words, one line for each.
    pub fn lines(&self) -> Vec<String> {
        self.figures().iter().map(Figure::line).collect()
    }

    /// Writes the figures beside `output` as `NAME.quality.json`; gives the path.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn write_beside(&self, output: &Path) -> Result<PathBuf> {
        let path = path_beside(output);
        card::write(self, &path)?;
        Ok(path)
    }
}
