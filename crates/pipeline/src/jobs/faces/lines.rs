//! `faces.jsonl`: one JSON object per face and frame.
//!
//! People are known only at the end, so the lines wait in a nameless file beside the output, and
//! a second pass puts each person's number in. Coordinates are rounded to a hundredth of a pixel.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use effigy_face::Face;
use effigy_face::ibug68::pick_ibug68;
use effigy_frame::Point3;
use effigy_model::Identity;

use super::Measures;
use crate::error::Result;
use crate::steps::atomic::{AtomicFile, write_error};

/// Which points of a face are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PointScheme {
    /// All 478, in the MediaPipe Face Mesh numbering.
    #[default]
    Mesh478,
    /// The 68 of the iBUG 300-W scheme.
    Ibug68,
}

/// The file while it is being written.
pub(crate) struct Lines {
    waiting: BufWriter<File>,
    path: PathBuf,
    scheme: PointScheme,
    line: String,
    /// Where the lines of the inputs end that were read to their own end.
    kept: u64,
}

/// Stands where the person's number will be. A quote inside a string would be escaped, so no name
/// of a file can look like it.
const PERSON: &str = ",\"person\":null";
/// Stands before the number of the track.
const TRACK: &str = ",\"track\":";

impl Lines {
    pub(crate) fn begin(path: &Path, scheme: PointScheme) -> Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let waiting = tempfile::tempfile_in(folder).map_err(|err| write_error(path, err))?;
        Ok(Self {
            waiting: BufWriter::new(waiting),
            path: path.to_owned(),
            scheme,
            line: String::new(),
            kept: 0,
        })
    }

    /// Keeps the lines of the current input, which was read to its end.
    pub(crate) fn end_input(&mut self) -> Result<()> {
        let position = self.waiting.stream_position();
        self.kept = position.map_err(|err| write_error(&self.path, err))?;
        Ok(())
    }

    /// Takes back all lines of the current input, which has failed, perhaps before its first.
    pub(crate) fn take_back_input(&mut self) -> Result<()> {
        let (waiting, len) = (&mut self.waiting, self.kept);
        let cut = waiting
            .seek(SeekFrom::Start(len))
            .and_then(|_| waiting.get_ref().set_len(len));
        cut.map_err(|err| write_error(&self.path, err))
    }

    pub(crate) fn write(
        &mut self,
        input: &Path,
        face: &Face,
        measures: &Measures,
        identity: Option<&Identity>,
    ) -> Result<()> {
        self.line.clear();
        append(&mut self.line, input, face, measures);
        match self.scheme {
            PointScheme::Mesh478 => append_points(&mut self.line, &face.points),
            PointScheme::Ibug68 => append_points(&mut self.line, &pick_ibug68(&face.points)),
        }
        if let Some(identity) = identity {
            let numbers = identity
                .direction()
                .iter()
                .map(|v| format!("{v:.5}"))
                .collect::<Vec<_>>()
                .join(",");
            self.line.push_str(",\"identity\":[");
            self.line.push_str(&numbers);
            self.line.push(']');
        }
        self.line.push_str("}\n");
        let written = self.waiting.write_all(self.line.as_bytes());
        written.map_err(|err| write_error(&self.path, err))
    }

    /// Puts the people in and gives the file its name.
    pub(crate) fn finish(mut self, person_of: &dyn Fn(u32) -> Option<u32>) -> Result<()> {
        let path = &self.path;
        let back = self.waiting.seek(SeekFrom::Start(0));
        back.map_err(|err| write_error(path, err))?;
        let mut named = AtomicFile::create(path)?;
        let mut lines = BufReader::with_capacity(1 << 20, self.waiting.get_ref());
        loop {
            self.line.clear();
            let read = lines
                .read_line(&mut self.line)
                .map_err(|err| write_error(path, err))?;
            if read == 0 {
                return named.finish();
            }
            let (before, after) =
                split_at_person(&self.line).map_err(|err| write_error(path, err))?;
            named.write(before.as_bytes())?;
            let person = track_of(before).and_then(person_of);
            named.write(b",\"person\":")?;
            named.write(
                person
                    .map_or("null".to_owned(), |p| p.to_string())
                    .as_bytes(),
            )?;
            named.write(after.as_bytes())?;
        }
    }
}

fn split_at_person(line: &str) -> io::Result<(&str, &str)> {
    let damaged = || {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "a line lost its place for people",
        )
    };
    line.split_once(PERSON).ok_or_else(damaged)
}

fn track_of(before: &str) -> Option<u32> {
    before.rsplit_once(TRACK)?.1.parse().ok()
}

fn append(line: &mut String, input: &Path, face: &Face, measures: &Measures) {
    let input = serde_json::Value::from(input.to_string_lossy().into_owned());
    let rect = face.rect;
    let pose = measures.pose;
    // Writing to a String does not fail.
    let _infallible = write!(
        line,
        "{{\"input\":{input},\"frame\":{},\"time_secs\":{:.6}{TRACK}{}{PERSON},\
         \"box\":[{:.2},{:.2},{:.2},{:.2}],\
         \"pose\":{{\"yaw\":{:.2},\"pitch\":{:.2},\"roll\":{:.2}}},\
         \"score\":{:.4},\"sharpness\":{:.4}",
        measures.frame_index,
        measures.time_secs,
        face.track,
        rect.x,
        rect.y,
        rect.width,
        rect.height,
        pose.yaw,
        pose.pitch,
        pose.roll,
        face.score,
        measures.sharpness,
    );
}

fn append_points(line: &mut String, points: &[Point3]) {
    line.push_str(",\"points\":[");
    for (i, point) in points.iter().enumerate() {
        line.push_str(if i == 0 { "[" } else { ",[" });
        append_hundredths(line, point.x);
        line.push(',');
        append_hundredths(line, point.y);
        line.push(',');
        append_hundredths(line, point.z);
        line.push(']');
    }
    line.push(']');
}

/// Writes a number with two decimals. Each face has 1434 of them, so that the shortcut is worth it.
fn append_hundredths(line: &mut String, value: f32) {
    let hundredths = (f64::from(value) * 100.0).round() as i64;
    if hundredths < 0 {
        line.push('-');
    }
    let (mut whole, rest) = (
        hundredths.unsigned_abs() / 100,
        hundredths.unsigned_abs() % 100,
    );
    let mut digits = [0_u8; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (whole % 10) as u8;
        whole /= 10;
        if whole == 0 {
            break;
        }
    }
    line.extend(digits[first..].iter().map(|&d| char::from(d)));
    line.push('.');
    line.push(char::from(b'0' + (rest / 10) as u8));
    line.push(char::from(b'0' + (rest % 10) as u8));
}

#[cfg(test)]
mod tests {
    use effigy_face::Pose;
    use effigy_face::quality::Light;
    use effigy_frame::{Picture, Rect, Similarity};

    use super::*;

    fn face(track: u32) -> Face {
        Face {
            track,
            points: vec![Point3::new(1.5, -0.004, 1234.567); 478],
            rect: Rect::default(),
            score: 0.9,
            crop: Picture::filled(1, 1, [0; 3]),
            frame_from_crop: Similarity::IDENTITY,
        }
    }

    fn measures(frame_index: u64) -> Measures {
        Measures {
            frame_index,
            time_secs: 0.04 * frame_index as f64,
            pose: Pose::default(),
            sharpness: 0.5,
            light: Light::default(),
            size_px: 10.0,
        }
    }

    fn written(scheme: PointScheme) -> Vec<serde_json::Value> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faces.jsonl");
        let mut lines = Lines::begin(&path, scheme).unwrap();
        let input = Path::new("a \"clip\",\"person\":null.mp4");
        lines.write(input, &face(3), &measures(0), None).unwrap();
        lines.end_input().unwrap();
        lines.write(input, &face(4), &measures(0), None).unwrap();
        lines.take_back_input().unwrap();
        let identity = Identity::from_values([0.5; 128]).unwrap();
        lines
            .write(input, &face(12), &measures(1), Some(&identity))
            .unwrap();
        lines.finish(&|track| (track == 12).then_some(7)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn lines_are_json_with_the_people_put_in() {
        let lines = written(PointScheme::Mesh478);
        assert_eq!(
            lines.len(),
            2,
            "the lines of the second input were taken back"
        );
        assert_eq!(lines[0]["input"], "a \"clip\",\"person\":null.mp4");
        assert_eq!(lines[0]["person"], serde_json::Value::Null);
        assert_eq!(lines[1]["track"], 12);
        assert_eq!(lines[1]["person"], 7);
        assert_eq!(lines[1]["frame"], 1);
        assert_eq!(lines[1]["identity"].as_array().unwrap().len(), 128);
        assert_eq!(lines[0]["points"].as_array().unwrap().len(), 478);
        assert_eq!(
            lines[0]["points"][0],
            serde_json::json!([1.5, 0.0, 1234.57])
        );
        assert_eq!(lines[0]["box"].as_array().unwrap().len(), 4);
        assert!(lines[0]["pose"]["yaw"].is_number());
    }

    #[test]
    fn the_68_points_can_be_asked_for() {
        let lines = written(PointScheme::Ibug68);
        assert_eq!(lines[0]["points"].as_array().unwrap().len(), 68);
    }

    #[test]
    fn hundredths_are_written_as_json_numbers() {
        for (value, wanted) in [
            (0.0, "0.00"),
            (-0.004, "0.00"),
            (-0.016, "-0.02"),
            (12.345, "12.35"),
            (-1920.5, "-1920.50"),
        ] {
            let mut text = String::new();
            append_hundredths(&mut text, value);
            assert_eq!(text, wanted);
        }
    }
}
