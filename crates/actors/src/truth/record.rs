//! What a clip's people do and how they are lit: `NAME.json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::grey::write_whole;
use crate::error::{Error, Result};

/// Larger files are not records.
const MOST_BYTES: u64 = 64 << 20;

/// What `NAME.json` says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Of this format.
    pub version: u32,
    /// That nobody is depicted, and whose geometry it is.
    pub notice: String,
    /// Frames a second.
    pub frames_per_sec: i32,
    /// How many frames there are.
    pub frames: usize,
    /// Width and height in pixels.
    pub side: usize,
    /// Everyone in the clip.
    pub people: Vec<Played>,
    /// How they are lit.
    pub light: LightRecord,
}

/// What one person does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Played {
    /// Whose head.
    pub looks: String,
    /// Whose hair and clothes.
    pub costume: String,
    /// Of the performance.
    pub seed: u32,
    /// The words.
    pub says: String,
    /// Yaw, pitch and roll of each frame as `effigy faces` gives them, in tenths of a degree.
    pub pose: Vec<[i32; 3]>,
    /// Of the eyes in the head, to the picture's right and up, in tenths of a degree.
    pub gaze: Vec<[i32; 2]>,
    /// The mouth shape that sounds at each frame.
    pub viseme: Vec<String>,
    /// Weight of each expression that is used, in percent, frame by frame.
    pub expression: BTreeMap<String, Vec<i32>>,
}

/// The light of a clip; axes x right, y up, z to the camera.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LightRecord {
    /// Direction to the lamp.
    pub towards: [f32; 3],
    /// Red, green and blue of the lamp, in linear light.
    pub lamp: [f32; 3],
    /// How large the lamp looks.
    pub lamp_radius_radians: f32,
    /// Nine spherical-harmonic coefficients of the sky for red, green and blue.
    pub sky: [[f32; 9]; 3],
    /// Whether the room is lit like the people.
    pub agrees_with_room: bool,
}

impl Record {
    /// Of the format that is written and read.
    pub(crate) const VERSION: u32 = 1;

    pub(super) fn write(&self, clip: &Path) -> Result<()> {
        let path = clip.with_extension("json");
        match serde_json::to_vec(self) {
            Ok(bytes) => write_whole(&path, &bytes),
            Err(err) => Err(Error::Write {
                source: err.into(),
                path,
            }),
        }
    }

    /// Reads the record beside `clip`.
    ///
    /// # Errors
    /// When it is missing, damaged, too large or of another version.
    pub fn read(clip: &Path) -> Result<Self> {
        let path = clip.with_extension("json");
        let bytes = match effigy_files::read_bounded(&path, MOST_BYTES) {
            Ok(bytes) => bytes,
            Err(source) => return Err(Error::Read { source, path }),
        };
        let why = match serde_json::from_slice::<Self>(&bytes) {
            Ok(record) if record.version == Self::VERSION => return Ok(record),
            Ok(record) => format!("version {} where {} is read", record.version, Self::VERSION),
            Err(err) => err.to_string(),
        };
        Err(Error::Damaged { why, path })
    }
}
