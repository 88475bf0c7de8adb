//! The input once more, with the mesh of each face drawn on it.

use std::path::Path;

use effigy_face::{Face, mesh_edges};
use effigy_files::shortened;
use effigy_frame::Frame;
use effigy_media::{Info, VideoWriter, WriteSettings};

use super::Measures;
use super::draw::{Look, draw_face};
use crate::error::Result;
use crate::steps::inputs::Input;
use crate::steps::real::{create_real_video, write_real_picture};

/// A video or picture that is being drawn on.
pub(crate) struct Overlay {
    look: Look,
    target: Target,
}

enum Target {
    Video(Box<VideoWriter>),
    Picture(std::path::PathBuf),
}

/// Gives the name of an input's overlay: `overlay-2-interview.mp4`, numbered so that no two are alike.
pub(crate) fn name(input: &Input, input_index: usize) -> String {
    let stem = input
        .path()
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
    // A pattern's per cent sign would make the output look like a pattern itself.
    let stem = shortened(stem.replace('%', "").as_ref(), LONGEST_STEM);
    let stem = stem.to_string_lossy();
    match input {
        Input::Picture(_) => format!("overlay-{input_index}-{stem}.png"),
        _ => format!("overlay-{input_index}-{stem}.mp4"),
    }
}

/// Bytes of an input's name in the names of what is made of it: there is more in these.
pub(crate) const LONGEST_STEM: usize = 200;

impl Overlay {
    pub(crate) fn begin(path: &Path, input: &Input, info: &Info) -> Result<Self> {
        let target = match (input, &info.video) {
            (Input::Picture(_), _) | (_, None) => Target::Picture(path.to_owned()),
            (_, Some(video)) => {
                let settings = WriteSettings {
                    effort: effigy_media::Effort::Fast,
                    tracks_from: info.audio.as_ref().map(|_| input.path().to_owned()),
                    ..WriteSettings::like(video)
                };
                Target::Video(Box::new(create_real_video(path, &settings)?))
            }
        };
        Ok(Self {
            look: Look {
                net: mesh_edges::net(),
                features: mesh_edges::features(),
            },
            target,
        })
    }

    pub(crate) fn write(
        &mut self,
        frame: &mut Frame,
        faces: &[Face],
        measures: &[Measures],
    ) -> Result<()> {
        for (face, measures) in faces.iter().zip(measures) {
            draw_face(&mut frame.picture, face, measures.pose, &self.look);
        }
        match &mut self.target {
            Target::Video(writer) => writer.write(frame)?,
            Target::Picture(path) => write_real_picture(path, &frame.picture)?,
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<()> {
        match self.target {
            Target::Video(writer) => Ok(writer.finish()?),
            Target::Picture(_) => Ok(()),
        }
    }
}
