//! Whether the light falls alike on faces that are seen together.
//!
//! A face from elsewhere brings its light along (Kee and Farid, "Exposing digital forgeries from
//! 3-D lighting environments", WIFS 2010). Two lamps in one room do the same, so this is noted
//! and does not count in the verdict.

use crate::cue::light::degrees_between;
use crate::kind::CueKind;
use crate::measurement::Span;
use crate::note::{Note, Role};
use crate::observe::AnalysedTrack;

/// Tells the two faces on which the light differs most. `None` for fewer than two seen together.
pub(super) fn between(tracks: &[AnalysedTrack]) -> Option<Note> {
    let mut worst: Option<(f32, u32, u32)> = None;
    for (i, a) in tracks.iter().enumerate() {
        for b in &tracks[i + 1..] {
            let lights = a.facts.light_towards.zip(b.facts.light_towards);
            let degrees = lights.and_then(|(a, b)| degrees_between(a, b));
            let Some(degrees) = degrees.filter(|_| together(&a.span, &b.span)) else {
                continue;
            };
            if worst.is_none_or(|(most, ..)| most < degrees) {
                worst = Some((degrees, a.track, b.track));
            }
        }
    }
    let (degrees, a, b) = worst?;
    let words = if FAR_APART <= degrees {
        "The light falls on them from different sides, which a single lamp or the sky does not do"
    } else {
        "The light falls on them from about the same side"
    };
    let sentence = format!(
        "{words} (faces {} and {}, {degrees:.0}° apart).",
        a + 1,
        b + 1
    );
    Some(Note {
        measures: vec![("apart-degrees", degrees)],
        ..Note::words(CueKind::Light, Role::Noted, sentence)
    })
}

/// Directions taken from one face differ by a few tens of degrees with its shape and its marks.
const FAR_APART: f32 = 75.0;

fn together(a: &Span, b: &Span) -> bool {
    a.from_secs.max(b.from_secs) <= a.to_secs.min(b.to_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cue::interface::Facts;
    use effigy_frame::Rect;

    fn face(track: u32, light: [f32; 3], [from_secs, to_secs]: [f64; 2]) -> AnalysedTrack {
        AnalysedTrack {
            track,
            span: Span { from_secs, to_secs },
            n_frames: 1,
            n_fit_looks: 1,
            largest: Rect::default(),
            facts: Facts {
                light_towards: Some(light),
                ..Facts::default()
            },
            windows: Vec::new(),
            splice: None,
            results: Vec::new(),
            evidence: Vec::new(),
        }
    }

    #[test]
    fn lights_from_two_sides_are_told_and_faces_never_seen_together_are_not_compared() {
        let (left, right) = ([-0.5, -0.2, -0.5], [0.5, -0.1, -0.5]);
        let said =
            |b: AnalysedTrack| between(&[face(0, left, [0.0, 2.0]), b]).map(|cue| cue.sentence);
        let told = said(face(1, right, [1.0, 3.0])).unwrap();
        assert!(told.contains("different sides"), "{told}");
        assert!(told.contains("faces 1 and 2"), "{told}");
        assert!(
            said(face(1, left, [1.0, 3.0]))
                .unwrap()
                .contains("about the same")
        );
        assert_eq!(said(face(1, right, [2.5, 3.0])), None);
    }
}
