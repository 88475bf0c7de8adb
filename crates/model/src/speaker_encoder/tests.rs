//! The network against the numbers of the one it was taken from.

use super::*;

/// Bands by a formula; of two kinds.
fn window(kind: usize) -> Vec<f32> {
    let value = |i: usize| {
        let (frame, band) = (
            (i / SpeakerEncoder::N_BANDS) as f64,
            (i % SpeakerEncoder::N_BANDS) as f64,
        );
        let power = match kind {
            0 => 0.02 * (1.0 + (0.3 * frame + 0.7 * band).sin()) * (-band / 12.0).exp(),
            _ => {
                let wave = 0.05 * (1.0 + (0.11 * frame - 0.4 * band).sin());
                wave * (-band / 20.0).exp() * (1.0 + (0.05 * frame).cos())
            }
        };
        power as f32
    };
    (0..SpeakerEncoder::N_FRAMES * SpeakerEncoder::N_BANDS)
        .map(value)
        .collect()
}

/// The largest numbers that ONNX Runtime gives for [`window`]s, with the weights in single precision, by kind.
const OF_ONNX_RUNTIME: [[(usize, f32); 12]; 2] = [
    [
        (15, 0.2513),
        (189, 0.2414),
        (65, 0.2397),
        (213, 0.2178),
        (253, 0.202),
        (168, 0.1717),
        (165, 0.1681),
        (44, 0.1668),
        (10, 0.1665),
        (42, 0.1634),
        (180, 0.1573),
        (128, 0.153),
    ],
    [
        (189, 0.2051),
        (28, 0.2011),
        (253, 0.1958),
        (151, 0.1794),
        (45, 0.166),
        (137, 0.1656),
        (136, 0.1532),
        (48, 0.1465),
        (159, 0.1444),
        (15, 0.1391),
        (11, 0.1368),
        (111, 0.1357),
    ],
];
/// How many of the numbers are not 0, and the similarity of the two.
const N_FELT: [usize; 2] = [119, 152];
const SIMILARITY: f32 = 0.666_333;

fn loaded() -> SpeakerEncoder {
    SpeakerEncoder::load(&Weights::from_source_tree().unwrap()).unwrap()
}

#[test]
fn voices_are_those_of_the_peer() {
    let windows = [window(0), window(1)];
    let voices = loaded().embed(&windows.each_ref().map(Vec::as_slice));
    let voices: Vec<Voice> = voices.into_iter().map(Option::unwrap).collect();
    for ((voice, theirs), n_felt) in voices.iter().zip(OF_ONNX_RUNTIME).zip(N_FELT) {
        for (i, theirs) in theirs {
            let ours = voice.values()[i];
            // Weights in half precision.
            assert!((ours - theirs).abs() < 2e-3, "{i}: {ours}, not {theirs}");
        }
        let felt = voice.values().iter().filter(|&&v| 0.0 < v).count();
        assert!(felt.abs_diff(n_felt) <= 3, "{felt}");
    }
    let similarity = voices[0].similarity(&voices[1]);
    assert!((similarity - SIMILARITY).abs() < 2e-3, "{similarity}");
}

#[test]
fn windows_do_not_depend_on_their_neighbours() {
    let (encoder, windows) = (loaded(), [window(0), window(1)]);
    let [a, b] = windows.each_ref().map(Vec::as_slice);
    let many: Vec<&[f32]> = std::iter::repeat_n(a, SpeakerEncoder::N_TOGETHER)
        .chain([b])
        .collect();
    let of_many = encoder.embed(&many);
    let (first, last) = (of_many[0].as_ref().unwrap(), of_many[32].as_ref().unwrap());
    let alone = encoder.embed(&[b])[0].clone().unwrap();
    assert!(alone.similarity(last) > 0.99999);
    assert!((first.similarity(last) - SIMILARITY).abs() < 2e-3);
}

#[test]
fn what_is_no_number_has_no_voice() {
    let mut broken = window(0);
    broken[7] = f32::NAN;
    assert_eq!(loaded().embed(&[&broken]), [None]);
    assert_eq!(Voice::from_values([0.0; N_VOICE]), None);
}
