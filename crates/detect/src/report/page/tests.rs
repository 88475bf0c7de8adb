use effigy_model::Weights;
use std::path::PathBuf;

use effigy_frame::{Picture, Plane};

use super::*;
use crate::Calibration;
use crate::cue::interface::Facts;
use crate::cue::{light, noise};
use crate::kind::CueKind;
use crate::measurement::{Measurement, Skipped, Span};
use crate::observe::AnalysedTrack;
use crate::observe::evidence::EvidenceFrame;
use crate::report::{Footing, Heard, HeardVoice, MadeBy};

fn report(name: &str) -> Report {
    let moments = (0..30)
        .map(|i| (f64::from(i) / 3.0, vec![3.0; 4]))
        .collect();
    let frame = EvidenceFrame {
        cue: CueKind::Noise,
        score: 0.9,
        time_secs: 2.0,
        frame_index: 50,
        picture: Picture::filled(64, 64, [90; 3]),
        map: Plane::filled(4, 4, 1.0),
    };
    let track = AnalysedTrack {
        track: 0,
        span: Span {
            from_secs: 0.0,
            to_secs: 10.0,
        },
        n_frames: 250,
        n_fit_looks: 30,
        largest: effigy_frame::Rect::default(),
        facts: Facts::default(),
        windows: Vec::new(),
        results: vec![
            Ok(Measurement::of_moments(
                CueKind::Noise,
                noise::MEASURES,
                moments,
            )),
            Ok(Measurement::of_moments(
                CueKind::Light,
                light::MEASURES,
                vec![(0.0, vec![1.0; 2])],
            )),
            Err(Skipped::new(CueKind::Speech, "there is no sound")),
        ],
        splice: None,
        evidence: vec![frame],
    };
    let footing = Footing {
        file: PathBuf::from(name),
        sha256: Some("ab".repeat(32)),
        marks: None,
        claims: vec!["made by <someone>".to_owned()],
        container: None,
        unread: None,
        person: None,
        heard: None,
        voice: None,
        n_frames: 250,
        damaged: Vec::new(),
        duration_secs: 10.0,
        samples_per_sec: 3.0,
        made_by: MadeBy::default(),
    };
    Report::of(
        footing,
        vec![track],
        &Calibration::built_in(&Weights::from_source_tree().unwrap()),
    )
}

#[test]
fn the_page_says_the_verdict_and_needs_nothing_else() {
    let report = report("clip.mp4");
    let html = page(&report);
    assert!(html.contains(&format!("<h1>{}</h1>", title(&report))));
    for needed in ["data:image/jpeg;base64,", "<svg", &"ab".repeat(32), "noise"] {
        assert!(html.contains(needed), "{needed}");
    }
    for outside in ["http://", "https://", "<script", "src=\"/"] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn names_of_files_cannot_write_into_the_page() {
    let html = page(&report("<script>alert(1)<b>.mp4"));
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"));
    assert!(!html.contains("<someone>"));
}

#[test]
fn the_map_reddens_where_it_is_high() {
    let picture = Picture::filled(8, 8, [100; 3]);
    let map = Plane::new(2, 1, vec![0.0, 1.0]);
    let marked = picture::overlaid(&picture, &map);
    assert_eq!(marked.get(0, 0), [100; 3]);
    assert!(180 < marked.get(7, 0)[0] && marked.get(7, 0)[1] < 60);
}

#[test]
fn words_from_outside_stay_words() {
    assert_eq!(escaped("<b a=\"&\">\n"), "&lt;b a=&quot;&amp;&quot;&gt; ");
}

#[test]
fn what_does_not_count_is_told_as_such_and_has_no_bar() {
    let report = report("clip.mp4");
    let roles: Vec<(&str, Role)> = report.faces[0]
        .cues
        .iter()
        .map(|cue| (cue.name, cue.role))
        .collect();
    let wanted = [
        ("noise", Role::Counts),
        ("light", Role::Noted),
        ("speech", Role::NotJudged),
    ];
    assert_eq!(roles, wanted);
    let html = page(&report);
    let place = |text: &str| html.find(text).unwrap();
    assert!(place("<th>noise</th>") < place("For information only"));
    assert!(place("For information only") < place("<th>light</th>"));
    assert!(place("Not judged: speech") < place("<th>speech</th>"));
    let light = &html[place("<th>light</th>")..place("<th>speech</th>")];
    assert!(light.contains("not counted") && !light.contains("#c0392b"));
}

#[test]
fn a_mark_is_explained_as_a_mark() {
    let marked = Report {
        marked_as_synthetic: true,
        ..report("clip.mp4")
    };
    let html = page(&marked);
    assert!(html.contains("The file itself says"));
    assert!(!html.contains(Verdict::Signs.meaning()));
}

#[test]
fn a_reason_is_plain_and_its_numbers_stand_further_down() {
    assert_eq!(
        plain("It is soft (soft-edge 1.0, usual 0.2)."),
        "It is soft."
    );
    assert_eq!(plain("It stands twice."), "It stands twice.");
}

#[test]
fn voices_are_drawn_with_what_is_said_of_them() {
    let voice = |from: f64| HeardVoice {
        secs: 2.0,
        stretches: (0..4000)
            .map(|i| from + f64::from(i))
            .map(|s| [s, s + 0.5])
            .collect(),
    };
    let footing = Footing {
        duration_secs: 4000.0,
        heard: Some(Heard {
            speech_secs: 30.0,
            voices: (0..15).map(|_| voice(0.0)).collect(),
        }),
        voice: Some((Note::not_judged(CueKind::Voice, "nobody speaks"), None)),
        ..Footing::of_frames(0)
    };
    let calibration = Calibration::built_in(&Weights::from_source_tree().unwrap());
    let html = page(&Report::of(footing, Vec::new(), &calibration));
    assert_eq!(html.matches("who speaks when").count(), 1);
    assert!(
        html.contains("voice 12, 2.0 s") && html.contains("3 more voices"),
        "{html}"
    );
    assert_eq!(html.matches("Not judged: nobody speaks.").count(), 1);
    assert!(html.len() < 50_000, "{}", html.len());
}
