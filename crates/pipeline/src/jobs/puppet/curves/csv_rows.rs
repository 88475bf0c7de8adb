//! Rows in the columns that Live Link Face and `track` write; letters may be large or small.

use effigy_face::rig::{ARKIT, Gaze};

use super::{Face, Row, median};
use crate::jobs::track::ANGLES;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Timecode,
    Count,
    Coefficient(usize),
    Angle(usize),
}

/// A moment as it is written: frames within a second, which only the rate makes seconds of.
struct Timecode {
    secs: f64,
    frames: f64,
}

/// Reads a whole file. `fps` says how many frames a second has, where the time codes do not show it.
pub(super) fn read(bytes: &[u8], fps: Option<f64>) -> Result<Vec<Row>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let names = reader.headers().map_err(|err| err.to_string())?.clone();
    if names.len() == 1 && names.iter().any(|name| name.contains(';')) {
        return Err("its columns are parted by semicolons; save it with commas".to_owned());
    }
    let columns: Vec<Column> = names.iter().map(column).collect::<Result<_, _>>()?;
    let has_times = columns.contains(&Column::Timecode);
    let is_coefficient = |column: &Column| matches!(column, Column::Coefficient(_));
    if !has_times || !columns.iter().any(is_coefficient) {
        return Err(
            "has no column Timecode, or none of ARKit's coefficients such as JawOpen".to_owned(),
        );
    }
    let mut read = Vec::new();
    for (number, record) in (1..).zip(reader.records()) {
        let in_frame = |why: String| format!("frame {number}: {why}");
        let record = record.map_err(|err| in_frame(err.to_string()))?;
        read.push(row(&columns, &names, &record).map_err(in_frame)?);
    }
    if read.is_empty() {
        return Ok(Vec::new());
    }
    let fps = fps_of(&read).or_else(|why| fps.ok_or(why))?;
    let rows = read.into_iter().map(|(at, face)| Row {
        time_secs: at.secs + at.frames / fps,
        face: Some(face),
    });
    Ok(rows.collect())
}

fn column(name: &str) -> Result<Column, String> {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    if is("Timecode") {
        return Ok(Column::Timecode);
    }
    if is("BlendShapeCount") {
        return Ok(Column::Count);
    }
    let coefficient = ARKIT.iter().position(|other| is(other));
    let angle = || ANGLES.iter().position(|other| is(other));
    coefficient
        .map(Column::Coefficient)
        .or_else(|| angle().map(Column::Angle))
        .ok_or_else(|| {
            format!(
                "has a column {name:?}, which is not known here; known are Timecode, ARKit's \
                 coefficients such as JawOpen, and angles such as HeadYaw"
            )
        })
}

fn row(
    columns: &[Column],
    names: &csv::StringRecord,
    record: &csv::StringRecord,
) -> Result<(Timecode, Face), String> {
    let mut weights = [0.0; ARKIT.len()];
    let mut angles = [0.0_f32; ANGLES.len()];
    let mut at = None;
    for ((column, name), text) in columns.iter().zip(names).zip(record) {
        let number = || {
            let parsed: Option<f32> = text.parse().ok();
            let number = parsed.filter(|number| number.is_finite());
            number.ok_or_else(|| format!("{text:?} in column {name} is no number"))
        };
        match column {
            Column::Timecode => at = Some(timecode(text)?),
            Column::Count => {}
            Column::Coefficient(i) => weights[*i] = number()?,
            Column::Angle(i) => angles[*i] = number()?.to_degrees(),
        }
    }
    let eye = |first: usize| Gaze {
        yaw: angles[first],
        pitch: angles[first + 1],
    };
    let face = Face {
        weights,
        head: [angles[0], angles[1], angles[2]],
        position: None,
        gaze: [eye(6), eye(3)],
    };
    let at = at.ok_or_else(|| "has no time code".to_owned())?;
    Ok((at, face))
}

/// Reads hours, minutes, seconds, frames and thousandths of a frame.
fn timecode(text: &str) -> Result<Timecode, String> {
    let wrong = || format!("{text:?} is no time code such as 00:00:01:12.000");
    let parts: Option<Vec<f64>> = text
        .split([':', ';'])
        .map(|part| part.parse().ok())
        .collect();
    let parts = parts.ok_or_else(wrong)?;
    let [hours, minutes, seconds, frames] = parts[..] else {
        return Err(wrong());
    };
    let is_time = parts.iter().all(|part| (0.0..100_000.0).contains(part));
    let secs = 3600.0 * hours + 60.0 * minutes + seconds;
    is_time
        .then_some(Timecode { secs, frames })
        .ok_or_else(wrong)
}

/// Tells the rate from time codes that pass from one second into the next.
fn fps_of(rows: &[(Timecode, Face)]) -> Result<f64, String> {
    let within = |[(a, _), (b, _)]: &[(Timecode, Face); 2]| {
        (a.secs == b.secs).then_some(b.frames - a.frames)
    };
    let pairs = || rows.windows(2).filter_map(|two| two.first_chunk());
    let step = median(pairs().filter_map(within).collect()).unwrap_or(1.0);
    let passing = |[(a, _), (b, _)]: &[(Timecode, Face); 2]| {
        (a.secs + 1.0 == b.secs).then_some(a.frames + step - b.frames)
    };
    let fps = median(pairs().filter_map(passing).collect());
    fps.filter(|fps| 1.0 <= *fps)
        .ok_or_else(|| super::NO_RATE.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::track::tests::{csv_text, opening_and_closing};

    const HEAD: &str = "Timecode,BlendShapeCount,jawOpen,HeadYaw\n";

    fn said(text: &str) -> String {
        read(text.as_bytes(), None).unwrap_err()
    }

    #[test]
    fn what_track_writes_is_read() {
        let take = opening_and_closing(30);
        let rows = read(csv_text(&take).as_bytes(), None).unwrap();
        assert_eq!(rows.len(), 30);
        for (row, frame) in rows.iter().zip(&take.frames) {
            assert!((row.time_secs - frame.time_secs).abs() < 1e-6);
            assert_eq!(row.face.as_ref().unwrap().weights, frame.weights);
        }
    }

    #[test]
    fn time_codes_show_any_rate() {
        for fps in [10.0, 15.0, 29.97, 60.0] {
            let mut take = opening_and_closing(100);
            take.fps = fps;
            for (n, frame) in take.frames.iter_mut().enumerate() {
                frame.time_secs = n as f64 / fps;
            }
            let rows = read(csv_text(&take).as_bytes(), Some(24.0)).unwrap();
            for (row, frame) in rows.iter().zip(&take.frames) {
                let off = row.time_secs - frame.time_secs;
                assert!(off.abs() < 2e-3, "{fps}: {off}"); // thousandths of a frame are written
            }
        }
    }

    #[test]
    fn what_is_no_performance_is_refused_with_its_place() {
        assert!(said("Timecode,CTRL_jaw\n").contains("CTRL_jaw"));
        assert!(said("Timecode,HeadYaw\n").contains("JawOpen"));
        let one = |row: &str| said(&format!("{HEAD}00:00:00:00,3,0.5,0\n{row}\n"));
        assert!(one("00:00:00:01,3,NaN,0").contains("frame 2"));
        assert!(one("00:00:00:01,3,\"0,5\",0").contains("column jawOpen"));
        assert!(read(HEAD.as_bytes(), None).unwrap().is_empty());
        assert!(said("Timecode;JawOpen\n").contains("semicolons"));
        assert!(one("one,3,0.5,0").contains("time code"));
        assert!(one("00:00:00:01,3,0.5").contains("frame 2"));
        assert!(one("00:00:00:01,3,0.5,0").contains("--fps"));
    }
}
