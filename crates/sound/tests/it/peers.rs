//! Speech and mel bands as the peers have them, of vowels that nobody said with silence around.

use effigy_model::{SpeakerEncoder, VoiceActivity, Weights};
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
