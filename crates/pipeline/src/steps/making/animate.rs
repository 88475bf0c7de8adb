//! Frames that are not edited but moved: one portrait, drawn anew for every moment of a performance.

use std::path::{Path, PathBuf};

use effigy_files::is_picture;
use effigy_frame::{Frame, Picture, Point3, Rational, TimeRange, Timestamp};
use effigy_mark::{Marked, MarkedWriter, ModelName, write_marked_picture};
use effigy_media::{Limits, Sounds, WriteSettings, probe};

use super::Allowed;
use super::behind::{Sink, behind};
use crate::error::{Error, Result};
use crate::steps::consent::Authorisation;
use crate::steps::performance::Moment;
use crate::steps::progress::Progress;

/// What an allowed job animates.
pub(crate) struct Animating<'a> {
    /// What says how fast frames follow one another.
    pub(crate) timing: Timing<'a>,
    /// The part of it that is taken.
    pub(crate) range: TimeRange,
    /// What is done in it.
    pub(crate) moments: &'a [Moment],
    /// Draws the portrait for each of them, counted from 0; all pictures have one size.
    pub(crate) draw: &'a mut dyn FnMut(usize, &Moment) -> Result<Posed>,
    /// Measures what is drawn for each of them, beside the drawing of those that follow.
    pub(crate) measure: &'a mut (dyn FnMut(usize, &Posed) -> Result<()> + Send),
    /// What is being drawn, for the progress bar.
    pub(crate) title: String,
    /// The face model, where there is one.
    pub(crate) model: Option<ModelName>,
}

/// A portrait as it is drawn for a moment.
#[derive(Debug)]
pub(crate) struct Posed {
    pub(crate) picture: Picture,
    /// The mesh points that its face was asked to have, in pixels.
    pub(crate) points: Vec<Point3>,
}

/// What the result has its times from.
#[derive(Clone, Copy)]
pub(crate) enum Timing<'a> {
    /// A clip, whose rate it has, and of which it was made.
    Clip {
        /// The file.
        clip: &'a Path,
        /// Whether the result has its sound, too.
        with_sound: bool,
    },
    /// Clips that follow one another, of which it was made: the rate of the fastest, and no sound.
    Clips(&'a [PathBuf], Rational),
    /// So many frames a second, and no sound.
    Rate(Rational),
    /// So many frames a second, and the sound of a file, of which it was made.
    Sound {
        /// Frames a second.
        rate: Rational,
        /// The file.
        sound: &'a Path,
    },
}

impl Allowed<'_> {
    /// Draws, marks and writes a frame for every moment, or a picture of the first.
    ///
    /// # Errors
    /// When any frame cannot be drawn or written. No output is left then.
    pub(crate) fn animate(
        self,
        mut animating: Animating<'_>,
        progress: &mut dyn Progress,
    ) -> Result<(Marked, f64)> {
        let Self { cast, token } = self;
        let begun = &cast.begun;
        let making = &begun.making;
        let model = animating.model.take();
        let mut policy = making
            .safeguards
            .policy(&begun.keys, Some(making.target), model);
        match animating.timing {
            Timing::Clip { clip: file, .. } | Timing::Sound { sound: file, .. } => {
                policy.inputs.push(file.to_owned());
            }
            Timing::Clips(clips, _) => policy.inputs.extend_from_slice(clips),
            Timing::Rate(_) => {}
        }
        let authorisation = Authorisation {
            token: &token,
            policy: &policy,
        };
        let marked = if is_picture(making.output) {
            let nothing = || Error::NoFace {
                path: making.target.to_owned(),
            };
            let first = animating.moments.first().ok_or_else(nothing)?;
            let posed = (animating.draw)(0, first)?;
            (animating.measure)(0, &posed)?;
            write_marked_picture(making.output, posed.picture, &token, &policy)?
        } else {
            write(making.output, animating, authorisation, progress)?
        };
        Ok((marked, begun.started.elapsed().as_secs_f64()))
    }
}

fn write(
    output: &Path,
    animating: Animating<'_>,
    authorisation: Authorisation<'_>,
    progress: &mut dyn Progress,
) -> Result<Marked> {
    let Animating {
        timing,
        range,
        moments,
        draw,
        measure,
        title,
        model: _,
    } = animating;
    let no_face = || Error::NoFace {
        path: output.to_owned(),
    };
    let (first, rest) = moments.split_first().ok_or_else(no_face)?;
    progress.begin(&title, Some(moments.len() as u64));
    let posed = draw(0, first)?;
    let settings = settings(timing, range, &posed.picture)?;
    let Authorisation { token, policy } = authorisation;
    let mut posed = Some(posed);
    let (marked, ()) = behind(
        || {
            Ok(Measured {
                writer: MarkedWriter::create(output, &settings, token, policy)?,
                measure,
            })
        },
        |hand_on| {
            for (index, moment) in std::iter::once(first).chain(rest).enumerate() {
                let posed = match posed.take() {
                    Some(first) => first,
                    None => draw(index, moment)?,
                };
                hand_on((index, moment.time, posed))?;
                if progress.step().is_break() {
                    return Err(Error::Cancelled);
                }
            }
            Ok(())
        },
    )?;
    Ok(marked)
}

/// Measures what is drawn before it is marked and encoded.
struct Measured<'a> {
    writer: MarkedWriter<'a>,
    measure: &'a mut (dyn FnMut(usize, &Posed) -> Result<()> + Send),
}

impl Sink<(usize, Timestamp, Posed)> for Measured<'_> {
    fn write(&mut self, (index, time, posed): (usize, Timestamp, Posed)) -> Result<()> {
        (self.measure)(index, &posed)?;
        Sink::write(
            &mut self.writer,
            Frame {
                index: index as u64,
                time,
                picture: posed.picture,
            },
        )
    }

    fn finish(self) -> Result<Marked> {
        Sink::finish(self.writer)
    }
}

/// Times and sound of the driver's clip or of a sound, size of the portrait.
fn settings(timing: Timing<'_>, range: TimeRange, picture: &Picture) -> Result<WriteSettings> {
    let (width, height) = (picture.width(), picture.height());
    let at_rate = |rate, sound: Option<&Path>| WriteSettings {
        // Fine enough for frames of several rates.
        time_base: Rational::new(1, 90_000),
        range,
        tracks_from: sound.map(Path::to_owned),
        sounds: Sounds::Heard,
        ..WriteSettings::new(width, height, rate)
    };
    let (drive, with_sound) = match timing {
        Timing::Clip { clip, with_sound } => (clip, with_sound),
        Timing::Rate(rate) | Timing::Clips(_, rate) => return Ok(at_rate(rate, None)),
        Timing::Sound { rate, sound } => return Ok(at_rate(rate, Some(sound))),
    };
    let info = probe(drive, &Limits::default())?;
    let video = info.video.ok_or_else(|| Error::NoInput {
        path: drive.to_owned(),
    })?;
    let mut settings = WriteSettings::new(width, height, video.frame_rate);
    settings.time_base = WriteSettings::like(&video).time_base;
    let is_picture = info.container == "pictures";
    // No voice goes along that was not listened to.
    settings.sounds = Sounds::Heard;
    settings.tracks_from = (with_sound && !is_picture).then(|| drive.to_owned());
    settings.range = range;
    Ok(settings)
}
