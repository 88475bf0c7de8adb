//! The faces that a quality card shows, before and after: the worst of each kind and a typical one.

use effigy_face::align::aligned_view;
use effigy_frame::{Picture, Point3, resample};

use super::BeforeAfter;

/// Side of each face on the sheet, and what it covers, in distances between the eyes.
const FACE_PX: u32 = 224;
const EXTENT: f32 = 3.2;
/// Room above and below the faces, for the label.
const MARGINS_PX: [u32; 2] = [110, 60];
const PAPER: [u8; 3] = [24; 3];
/// Faces kept before every second one is dropped.
const MOST_KEPT: usize = 32;

/// What was measured on one face.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Scores {
    pub(crate) secs: f64,
    /// How much more similar it is to the source than to the performer.
    pub(crate) likeness: Option<f64>,
    /// The expression error.
    pub(crate) expression: Option<f64>,
    /// The colour step at the edge of the mask.
    pub(crate) seam: Option<f64>,
}

/// One face, before and after.
#[derive(Clone, Debug)]
struct Pair {
    scores: Scores,
    faces: [Picture; 2],
}

/// The faces worth showing, and the scores of all.
#[derive(Default)]
pub(crate) struct Samples {
    pub(crate) scores: Vec<Scores>,
    worst: [Option<Pair>; KINDS.len()],
    /// Spread over the clip, to choose a typical one from.
    spread: Vec<Pair>,
    every: usize,
}

/// A kind of error, and how large it is in a face.
type Kind = (&'static str, fn(&Scores) -> Option<f64>);

const KINDS: [Kind; 3] = [
    ("least similar to the source", |s| s.likeness.map(|v| -v)),
    ("largest expression error", |s| s.expression),
    ("largest colour step at the edge", |s| s.seam),
];

impl Samples {
    /// Takes in one face before and after.
    pub(super) fn take(&mut self, both: BeforeAfter<'_>, points: &[Point3], scores: Scores) {
        self.every = self.every.max(1);
        let is_spread = self.scores.len().is_multiple_of(self.every);
        self.scores.push(scores);
        let is_worse = |(kept, (_, badness)): (&Option<Pair>, &Kind)| {
            let Some(bad) = badness(&scores) else {
                return false;
            };
            let before = kept.as_ref().and_then(|pair| badness(&pair.scores));
            before.is_none_or(|before| before < bad)
        };
        let worse: Vec<bool> = self.worst.iter().zip(&KINDS).map(is_worse).collect();
        if !is_spread && worse.iter().all(|&worse| !worse) {
            return;
        }
        let Some(view) = aligned_view(points, FACE_PX, EXTENT) else {
            return;
        };
        let pair = Pair {
            scores,
            faces: [both.before, both.after].map(|picture| resample::crop(picture, view, FACE_PX)),
        };
        for (kept, worse) in self.worst.iter_mut().zip(worse) {
            if worse {
                *kept = Some(pair.clone());
            }
        }
        if is_spread {
            self.spread.push(pair);
            if MOST_KEPT <= self.spread.len() {
                let mut n = 0;
                self.spread.retain(|_| {
                    n += 1;
                    n % 2 == 1
                });
                self.every *= 2;
            }
        }
    }

    /// The faces, each with what it shows and when, the typical one first.
    fn pairs(&self) -> Vec<(&'static str, &Pair)> {
        let mut spread: Vec<&Pair> = self.spread.iter().collect();
        let badness = |pair: &&Pair| pair.scores.expression.unwrap_or(f64::INFINITY);
        spread.sort_by(|a, b| badness(a).total_cmp(&badness(b)));
        let median = spread
            .get(spread.len() / 2)
            .map(|&pair| ("a typical face", pair));
        let worst = self.worst.iter().zip(&KINDS);
        let worst = worst.filter_map(|(pair, (name, _))| Some((*name, pair.as_ref()?)));
        median.into_iter().chain(worst).collect()
    }

    /// What each column of the sheet shows, and when.
    pub(super) fn captions(&self) -> Vec<String> {
        let caption = |(name, pair): (&str, &Pair)| format!("{name}, {:.2} s", pair.scores.secs);
        self.pairs().into_iter().map(caption).collect()
    }

    /// The faces in one picture: before above after, a column each. `None` without any.
    pub(super) fn sheet(&self) -> Option<Picture> {
        let pairs = self.pairs();
        if pairs.is_empty() {
            return None;
        }
        let width = pairs.len() as u32 * FACE_PX;
        let paper = |rows: u32| PAPER.repeat((rows * width) as usize);
        let mut pixels = paper(MARGINS_PX[0]);
        for row in 0..2 {
            for y in 0..FACE_PX as usize {
                for (_, pair) in &pairs {
                    let row_bytes = FACE_PX as usize * 3;
                    let face = pair.faces[row].pixels();
                    pixels.extend_from_slice(&face[y * row_bytes..(y + 1) * row_bytes]);
                }
            }
        }
        pixels.extend(paper(MARGINS_PX[1]));
        let height = 2 * FACE_PX + MARGINS_PX[0] + MARGINS_PX[1];
        Some(Picture::new(width, height, pixels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use effigy_model::mean_mesh;

    fn scores(secs: f64, expression: f64) -> Scores {
        Scores {
            secs,
            expression: Some(expression),
            ..Scores::default()
        }
    }

    #[test]
    fn worst_and_a_typical_one_are_shown_and_little_is_kept() {
        let points: Vec<Point3> = mean_mesh()
            .iter()
            .map(|p| Point3::new(60.0 + 30.0 * p.x, 50.0 + 30.0 * p.y, 0.0))
            .collect();
        let picture = Picture::filled(120, 120, [9; 3]);
        let mut samples = Samples::default();
        for i in 0..200 {
            let expression = if i == 77 { 9.0 } else { f64::from(i % 5) };
            let both = BeforeAfter {
                before: &picture,
                after: &picture,
            };
            samples.take(both, &points, scores(f64::from(i), expression));
        }
        assert!(samples.spread.len() < MOST_KEPT && samples.scores.len() == 200);
        let captions = samples.captions();
        assert!(captions[0].starts_with("a typical face"), "{captions:?}");
        assert_eq!(captions[1], "largest expression error, 77.00 s");
        let sheet = samples.sheet().unwrap();
        let height = 2 * FACE_PX + MARGINS_PX[0] + MARGINS_PX[1];
        assert_eq!((sheet.width(), sheet.height()), (2 * FACE_PX, height));
        assert!(Samples::default().sheet().is_none());
    }
}
