//! A cue that counts frames: what a new cue takes, kept true by a test.

use effigy_face::Observation;

use crate::cue::interface::{Cadence, Context, Cue, Models};
use crate::kind::CueKind;
use crate::measurement::{self, Measure, Measurement};

const MEASURES: &[Measure] = &[Measure {
    name: "frames",
    high: "The face is seen often",
    usual: "The face is seen seldom",
}];

/// When the face was seen.
#[derive(Debug, Default)]
pub(crate) struct Dummy {
    moments: Vec<(f64, Vec<f32>)>,
}

impl Cue for Dummy {
    fn kind(&self) -> CueKind {
        CueKind::Dummy
    }

    fn measures(&self) -> &'static [Measure] {
        MEASURES
    }

    fn cadence(&self) -> Cadence {
        Cadence::EveryFrame
    }

    fn look(&mut self, face: &Observation<'_>, _models: &Models) -> Option<Vec<f32>> {
        self.moments.push((face.time_secs(), vec![1.0]));
        None
    }

    fn finish(self: Box<Self>, _context: &Context<'_>) -> measurement::Result {
        Ok(Measurement {
            cue: CueKind::Dummy,
            measures: MEASURES,
            overall: vec![self.moments.len() as f32],
            moments: self.moments,
        })
    }
}

#[cfg(test)]
mod tests {
    use effigy_face::Face;
    use effigy_frame::{Frame, Picture, Point2, Rational, Rect, Similarity, Timestamp};
    use effigy_model::mean_mesh;

    use crate::calibration::{Calibration, MeasureCalibration, of_noise};
    use crate::cue::interface::testing::models;
    use crate::observe::{ScanSettings, Scanner};
    use crate::report::{Footing, Report};
    use crate::sound::Sound;

    const N_FRAMES: u64 = 10;

    /// A calibration that knows the new cue and no other.
    fn calibration() -> Calibration {
        let mut calibration = of_noise(vec![MeasureCalibration {
            name: "frames".to_owned(),
            mean: 2.0,
            std: 1.0,
            weight: 1.0,
        }]);
        calibration.cue[0].name = "dummy".to_owned();
        calibration
    }

    /// Skin with grain, so that the face is fit to be looked at closely.
    fn picture(width: u32, height: u32) -> Picture {
        let mut state = 3_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 27) as u8
        };
        let pixel = |_| [180, 120, 90].map(|level: u8| level + noise());
        Picture::new(width, height, (0..width * height).flat_map(pixel).collect())
    }

    fn face() -> Face {
        let middle = Point2::new(160.0, 120.0);
        let frame_from_mean = Similarity::about(Point2::default(), middle, 60.0, 0.0);
        let points = mean_mesh().iter().map(|&p| frame_from_mean.apply3(p));
        let points: Vec<_> = points.collect();
        Face {
            track: 4,
            rect: Rect::around(points.iter().map(|p| p.xy())).unwrap(),
            score: 1.0,
            crop: picture(64, 64),
            frame_from_crop: frame_from_mean,
            points,
        }
    }

    #[test]
    fn a_new_cue_is_shown_every_face_and_noted_in_the_report() {
        let mut scanner = Scanner::new(ScanSettings::default(), models(), calibration());
        for index in 0..N_FRAMES {
            let frame = Frame {
                index,
                time: Timestamp::new(index as i64, Rational::new(1, 10)),
                picture: picture(320, 240),
            };
            scanner.look(&frame, &[face()]);
        }
        let tracks = scanner.finish(&Sound::Unusable("there is no sound".to_owned()));
        let report = Report::of(Footing::of_frames(N_FRAMES), tracks, &calibration());
        let notes = &report.faces[0].cues;
        let note = notes.iter().find(|note| note.name == "dummy").unwrap();
        assert_eq!(note.measures, [("frames", N_FRAMES as f32)]);
    }
}
