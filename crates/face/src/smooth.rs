//! Takes the tremble out of points over time without making them lag.
//!
//! The One-Euro filter: a low-pass filter that opens up with speed, so that a still face is
//! smoothed hard and a moving one hardly at all (Casiez, Roussel and Vogel, CHI 2012).

use std::f32::consts::TAU;

use effigy_frame::Point3;

/// How hard points are smoothed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothing {
    /// Cut-off frequency for a still point, in hertz. Lower is smoother.
    pub still_cutoff_hz: f32,
    /// How much the cut-off rises, in hertz, for each face size a second of speed.
    pub cutoff_per_speed: f32,
    /// Cut-off frequency for the speed itself, in hertz.
    pub speed_cutoff_hz: f32,
}

impl Default for Smoothing {
    fn default() -> Self {
        Self {
            still_cutoff_hz: 1.0,
            cutoff_per_speed: 40.0,
            speed_cutoff_hz: 1.5,
        }
    }
}

/// The filter's memory of one face's points.
#[derive(Clone, Debug)]
pub struct PointSmoother(ValueSmoother);

impl PointSmoother {
    /// Makes a filter that has seen nothing.
    pub fn new(settings: Smoothing) -> Self {
        Self(ValueSmoother::new(settings))
    }

    /// Takes the points seen at `time_secs` and gives them smoothed.
    ///
    /// `face_px` is the face's size in pixels: speeds count relative to it, so that near and far
    /// faces are treated alike. The first points, and points that do not come after those before,
    /// pass unchanged.
    pub fn smooth(&mut self, points: &[Point3], time_secs: f64, face_px: f32) -> Vec<Point3> {
        let values: Vec<f32> = points.iter().flat_map(|p| [p.x, p.y, p.z]).collect();
        let smooth = self.0.smooth(&values, time_secs, face_px.max(1.0));
        let (triples, _) = smooth.as_chunks::<3>();
        let back = |&[x, y, z]: &[f32; 3]| Point3::new(x, y, z);
        triples.iter().map(back).collect()
    }
}

/// The filter's memory of any values that change over time.
#[derive(Clone, Debug)]
pub struct ValueSmoother {
    settings: Smoothing,
    last: Option<Last>,
}

#[derive(Clone, Debug)]
struct Last {
    time_secs: f64,
    values: Vec<f32>,
    /// A second.
    speeds: Vec<f32>,
}

impl ValueSmoother {
    /// Makes a filter that has seen nothing.
    pub fn new(settings: Smoothing) -> Self {
        Self {
            settings,
            last: None,
        }
    }

    /// Takes the values seen at `time_secs` and gives them smoothed; `unit` is the size to which
    /// their speeds are relative. The first values, and values that do not come after those before,
    /// pass unchanged.
    pub fn smooth(&mut self, values: &[f32], time_secs: f64, unit: f32) -> Vec<f32> {
        let elapsed = |last: &Last| (time_secs - last.time_secs) as f32;
        match &mut self.last {
            Some(last) if elapsed(last) > 0.0 && last.values.len() == values.len() => {
                let secs = elapsed(last);
                last.time_secs = time_secs;
                let kept = last.values.iter_mut().zip(&mut last.speeds);
                for (value, (kept, speed)) in values.iter().zip(kept) {
                    let raw_speed = (value - *kept) / secs;
                    *speed += gain(self.settings.speed_cutoff_hz, secs) * (raw_speed - *speed);
                    let relative = speed.abs() / unit;
                    let cutoff =
                        self.settings.still_cutoff_hz + self.settings.cutoff_per_speed * relative;
                    *kept += gain(cutoff, secs) * (value - *kept);
                }
                last.values.clone()
            }
            _ => {
                self.last = Some(Last {
                    time_secs,
                    values: values.to_vec(),
                    speeds: vec![0.0; values.len()],
                });
                values.to_vec()
            }
        }
    }
}

/// How far a first-order low-pass filter moves towards a new value after `secs`.
fn gain(cutoff_hz: f32, secs: f32) -> f32 {
    let reach = TAU * cutoff_hz * secs;
    reach / (reach + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FPS: f64 = 30.0;

    fn at(x: f32) -> [Point3; 1] {
        [Point3::new(x, 100.0, 0.0)]
    }

    /// Runs a track of x positions through the filter, at 30 frames a second, face of 100 px.
    fn run(track: impl Iterator<Item = f32>) -> Vec<f32> {
        let mut smoother = PointSmoother::new(Smoothing::default());
        track
            .enumerate()
            .map(|(i, x)| smoother.smooth(&at(x), i as f64 / FPS, 100.0)[0].x)
            .collect()
    }

    #[test]
    fn tremble_of_a_still_point_shrinks() {
        // A fixed, aperiodic tremble of half a pixel.
        let tremble = |i: usize| 0.5 * ((i * i * 7 + i * 3) as f32).sin();
        let smooth = run((0..120).map(|i| 50.0 + tremble(i)));
        let jitter = |xs: &[f32]| {
            xs.windows(2)
                .map(|pair| (pair[1] - pair[0]).abs())
                .sum::<f32>()
                / xs.len() as f32
        };
        let before: Vec<f32> = (60..120).map(|i| 50.0 + tremble(i)).collect();
        assert!(jitter(&smooth[60..]) < 0.35 * jitter(&before));
    }

    #[test]
    fn a_fast_point_does_not_lag() {
        // Two face sizes a second: a quick turn of the head.
        let smooth = run((0..60).map(|i| i as f32 * 200.0 / FPS as f32));
        let lag = 59.0 * 200.0 / FPS as f32 - smooth[59];
        assert!(lag < 2.0, "{lag} px"); // 2 % of the face, a third of one frame's way
    }

    #[test]
    fn a_point_that_stops_is_reached() {
        let smooth = run((0..90).map(|i| (i as f32 * 5.0).min(150.0)));
        assert!((smooth[89] - 150.0).abs() < 0.2, "{}", smooth[89]);
    }

    #[test]
    fn time_that_stands_still_starts_afresh() {
        let mut smoother = PointSmoother::new(Smoothing::default());
        smoother.smooth(&at(10.0), 1.0, 100.0);
        assert_eq!(smoother.smooth(&at(30.0), 1.0, 100.0), at(30.0));
    }
}
