//! Speech and mel bands as the peers have them, of vowels that nobody said with silence around.

use effigy_model::phone_scorer::{PHONES, Streams};
use effigy_model::{PhoneScorer, SpeakerEncoder, VoiceActivity, Weights};
use effigy_sound::cepstra::{Cepstra, Cepstrum};
use effigy_sound::mel::{Frame, MelBands};
use effigy_sound::testing::vowels;

fn sound() -> Vec<f32> {
    let mut sound = vec![0.0; 8000];
    sound.extend(vowels(2.5));
    sound.resize(64_000, 0.0);
    sound
}

/// What NumPy makes of every fourth block of [`sound`] by the definition of the network that Silero VAD 6.2.3 has
/// for tinygrad, with its weights in single precision.
const OF_SILERO: [f32; 32] = [
    0.018, 0.0136, 0.0135, 0.0116, 0.9754, 0.9763, 0.6575, 0.032, 0.9516, 0.9944, 0.7119, 0.0468,
    0.9802, 0.9999, 0.4301, 0.8556, 0.9956, 0.998, 0.1117, 0.9797, 0.992, 0.8973, 0.0234, 0.9983,
    0.1468, 0.0069, 0.0061, 0.0066, 0.007, 0.0068, 0.006, 0.0051,
];

#[test]
fn speech_is_heard_as_silero_hears_it() {
    let network = VoiceActivity::load(&Weights::from_source_tree().unwrap()).unwrap();
    let (sound, mut heard) = (sound(), network.begin());
    let (blocks, _) = sound.as_chunks::<{ VoiceActivity::N_BLOCK }>();
    let ours: Vec<f32> = blocks.iter().map(|b| network.hear(b, &mut heard)).collect();
    for (i, theirs) in OF_SILERO.into_iter().enumerate() {
        let gap = (ours[4 * i] - theirs).abs();
        // Weights in half precision.
        assert!(gap < 0.01, "block {}: {}, not {theirs}", 4 * i, ours[4 * i]);
    }
}

/// What librosa 0.11.0 gives of [`sound`], `melspectrogram(n_fft=400, hop_length=160, n_mels=40)`: some
/// bands of the 61st, 101st and 151st frame.
const OF_LIBROSA: [(usize, [(usize, f32); 8]); 3] = [
    (
        60,
        [
            (2, 7.1272e-7),
            (5, 0.010_616),
            (7, 0.401_23),
            (9, 1.3994),
            (12, 0.248_16),
            (18, 0.038_881),
            (25, 0.069_492),
            (28, 0.004_910_1),
        ],
    ),
    (
        100,
        [
            (2, 8.9092e-7),
            (5, 0.002_356_2),
            (7, 0.057_169),
            (9, 0.104_69),
            (12, 0.023_383),
            (18, 0.018_411),
            (25, 0.010_561),
            (28, 9.0654e-4),
        ],
    ),
    (
        150,
        [
            (2, 7.4831e-7),
            (5, 0.004_481_9),
            (7, 0.265_76),
            (9, 0.915_06),
            (12, 0.192_89),
            (18, 0.037_166),
            (25, 0.046_399),
            (28, 0.003_268),
        ],
    ),
];

#[test]
fn mel_bands_are_librosas() {
    let mut bands = MelBands::default();
    // In pieces of any size.
    let frames: Vec<Frame> = sound().chunks(1001).flat_map(|s| bands.take(s)).collect();
    for (frame, theirs) in OF_LIBROSA {
        for (band, theirs) in theirs {
            let ours = frames[frame][band];
            // Five digits are written down.
            let gap = (ours / theirs - 1.0).abs();
            assert!(
                gap < 1e-3,
                "frame {frame}, band {band}: {ours}, not {theirs}"
            );
        }
    }
}

/// The largest numbers of the voice that ONNX Runtime gives for the peer's bands of frames 60 to 219.
const OF_RESEMBLYZER: [(usize, f32); 8] = [
    (62, 0.3293),
    (126, 0.2341),
    (51, 0.2229),
    (159, 0.2119),
    (148, 0.2063),
    (89, 0.2049),
    (199, 0.1943),
    (8, 0.193),
];

#[test]
fn a_voice_is_the_peers_from_sound_to_vector() {
    let encoder = SpeakerEncoder::load(&Weights::from_source_tree().unwrap()).unwrap();
    let frames = MelBands::default().take(&sound());
    let window: Vec<f32> = frames[60..220].iter().flatten().copied().collect();
    let voice = encoder.embed(&[&window])[0].clone().unwrap();
    for (i, theirs) in OF_RESEMBLYZER {
        let ours = voice.values()[i];
        assert!((ours - theirs).abs() < 2e-3, "{i}: {ours}, not {theirs}");
    }
}

/// What pocketsphinx 5.1.1 writes of [`sound`], in samples of 16 bits, with `mfclogdir`.
const OF_POCKETSPHINX: [(usize, Cepstrum); 3] = [
    (
        60,
        [
            60.741, 35.647, -105.046, 4.869, -82.628, -58.524, 28.155, -47.359, -8.492, 6.911,
            8.871, 15.317, -20.293,
        ],
    ),
    (
        120,
        [
            34.756, 25.819, -42.328, 94.547, 9.972, -49.066, -20.004, -43.860, 24.341, -15.677,
            -13.788, 12.905, 1.010,
        ],
    ),
    (
        180,
        [
            -46.052, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
        ],
    ),
];

#[test]
fn cepstra_are_those_of_pocketsphinx() {
    let rounded: Vec<f32> = sound()
        .iter()
        .map(|s| (32_768.0 * s).round() / 32_768.0)
        .collect();
    let mut cepstra = Cepstra::default();
    let taken: Vec<Cepstrum> = rounded.chunks(777).flat_map(|c| cepstra.take(c)).collect();
    assert_eq!(taken.len(), 398);
    for (at, wanted) in OF_POCKETSPHINX {
        for (k, (value, wanted)) in taken[at].iter().zip(wanted).enumerate() {
            // A sample that is rounded otherwise moves a quiet band by as much.
            assert!(
                (value - wanted).abs() < 0.05,
                "{at}, {k}: {value}, {wanted}"
            );
        }
    }
}

/// A moment of [`sound`], and what pocketsphinx 5.1.1 writes of the likeliest states with `senlogdir`: phone, state and
/// how much less likely than the first.
struct Scored {
    streams: Streams,
    best: [(&'static str, usize, f32); 6],
}

const SCORED: [Scored; 2] = [
    Scored {
        streams: [
            [
                -0.583, 6.566, -7.163, -3.223, 4.342, 1.447, -12.955, -26.067, -1.140, 14.743,
                0.317, -1.645, -4.642,
            ],
            [
                -21.965, -2.129, 17.712, 32.891, 35.172, -6.093, -27.013, -4.909, 15.808, 1.983,
                -6.804, 0.660, -1.249,
            ],
            [
                -25.622, -1.157, -7.100, -12.160, -21.243, -1.518, 15.610, 20.900, 1.740, -12.529,
                -12.619, -3.053, -9.593,
            ],
        ],
        best: [
            ("AA", 2, 0.0),
            ("AE", 2, -0.72),
            ("AH", 1, -0.72),
            ("AH", 2, -0.82),
            ("B", 2, -2.05),
            ("EH", 2, -2.25),
        ],
    },
    Scored {
        streams: [
            [
                -22.845, -2.921, 17.596, 35.199, 27.969, -4.457, -9.939, 6.337, 18.180, -25.691,
                -12.828, 4.722, 13.099,
            ],
            [
                -95.949, -33.277, 54.053, -121.433, -11.882, 52.454, 47.312, 74.492, -41.762,
                -15.833, -10.759, 1.522, 23.446,
            ],
            [
                -52.395, -2.618, 18.281, -31.476, -7.864, 8.447, 21.549, 7.811, -33.663, -0.842,
                -15.742, -1.853, 6.861,
            ],
        ],
        best: [
            ("SIL", 2, 0.0),
            ("SIL", 1, -4.71),
            ("SIL", 0, -5.84),
            ("CH", 0, -6.04),
            ("P", 0, -6.96),
            ("CH", 2, -6.96),
        ],
    },
];

#[test]
fn phones_score_as_in_pocketsphinx() {
    let scorer = PhoneScorer::load(&Weights::from_source_tree().unwrap()).unwrap();
    for Scored { streams, best } in SCORED {
        let scores = scorer.score(&streams);
        let score = |phone: &str, state: usize| {
            let at = PHONES.iter().position(|known| *known == phone).unwrap();
            scores[at][state]
        };
        let first = score(best[0].0, best[0].1);
        for (phone, state, less) in best {
            let ours = score(phone, state) - first;
            // It adds the best four Gaussians of 128, and counts in steps of a tenth.
            assert!((ours - less).abs() < 1.5, "{phone} {state}: {ours}, {less}");
        }
        let all = scores.iter().flatten();
        assert!(all.clone().all(|score| *score <= first + 1e-3));
    }
}
