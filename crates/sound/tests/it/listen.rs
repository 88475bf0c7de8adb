//! Recordings of every kind, good and bad.

use std::f32::consts::TAU;

use effigy_model::phone_scorer::PHONES;
use effigy_model::{PhoneScorer, Weights};
use effigy_sound::testing::vowels;
use effigy_sound::{Error, Listener, Networks, PhoneListener, RATE_HZ, Recording, Utterance};

fn networks() -> Networks {
    Networks::load(&Weights::from_source_tree().unwrap()).unwrap()
}

fn listen(samples: &[f32]) -> Recording {
    let networks = networks();
    let mut listener = Listener::new(&networks);
    for block in samples.chunks(16_000) {
        listener.hear(block).unwrap();
    }
    listener.finish()
}

/// A voice higher or lower by this factor, mouth and all: the vowels played faster or slower.
fn voice(factor: f64, secs: f64) -> Vec<f32> {
    let vowels = vowels(secs * factor + 1.0);
    let at = |i: usize| {
        let place = i as f64 * factor;
        let (before, share) = (place as usize, place.fract() as f32);
        vowels[before] * (1.0 - share) + vowels[before + 1] * share
    };
    (0..(secs * f64::from(RATE_HZ)) as usize).map(at).collect()
}

#[test]
fn speech_is_found_with_its_times() {
    let mut sound = vec![0.0; 16_000];
    sound.extend(voice(1.0, 4.0));
    sound.resize(8 * 16_000, 0.0);
    let heard = listen(&sound);
    let (first, last) = (heard.speech[0], heard.speech[heard.speech.len() - 1]);
    assert!((first.from_secs - 1.0).abs() < 0.3, "{first:?}");
    assert!((last.to_secs - 5.0).abs() < 0.3, "{last:?}");
    assert!((2.5..4.3).contains(&heard.speech_secs()));
    assert_eq!((heard.secs, heard.speakers.len()), (8.0, 1));
}

#[test]
fn what_is_no_speech_has_no_voice() {
    let mut random = 1_u32;
    let mut noise = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random as f32 / u32::MAX as f32 - 0.5
    };
    let noise: Vec<f32> = (0..48_000).map(|_| noise()).collect();
    let tone = (0..48_000).map(|i| 0.5 * (i as f32 * 0.17).sin()).collect();
    let chord = |i: usize| -> f32 {
        let waves = [0.1, 0.126, 0.15].map(|step: f32| (i as f32 * step).sin());
        0.2 * waves.iter().sum::<f32>()
    };
    let chord = (0..48_000).map(chord).collect();
    for sound in [
        vec![0.0; 48_000],
        vec![0.3; 48_000],
        noise,
        tone,
        chord,
        Vec::new(),
    ] {
        let heard = listen(&sound);
        assert!(heard.speakers.is_empty() && heard.speech.is_empty());
    }
}

#[test]
fn loudness_changes_nothing() {
    let sound = voice(1.0, 4.0);
    let voice_at = |gain: f32| {
        let scaled: Vec<f32> = sound.iter().map(|s| gain * s).collect();
        listen(&scaled).speakers[0].voice.clone()
    };
    let usual = voice_at(1.0);
    for gain in [0.05, 1.8] {
        let similarity = voice_at(gain).similarity(&usual);
        assert!(similarity > 0.98, "{gain}: {similarity}");
    }
}

#[test]
fn hum_and_direct_current_change_nothing() {
    let sound = voice(1.0, 4.0);
    let hum = |i: usize| (TAU * 50.0 * i as f32 / RATE_HZ as f32).sin();
    let humming = sound.iter().enumerate();
    let humming: Vec<f32> = humming.map(|(i, s)| s + 0.1 * hum(i) + 0.2).collect();
    let [usual, humming] = [sound, humming].map(|sound| listen(&sound).speakers[0].voice.clone());
    let similarity = humming.similarity(&usual);
    // What a sudden beginning leaves in the first block.
    assert!(similarity > 0.9, "{similarity}");
}

#[test]
fn two_voices_one_after_the_other_are_two() {
    let mut sound = voice(1.0, 6.0);
    sound.extend(voice(1.7, 9.0));
    let heard = listen(&sound);
    assert_eq!(heard.speakers.len(), 2);
    let leading = heard.speakers[0].stretches[0];
    assert!((leading.from_secs - 6.0).abs() < 1.0, "{leading:?}");
    assert!(heard.speakers[0].secs() > heard.speakers[1].secs());
}

#[test]
fn clipped_sound_is_noticed() {
    let sound = voice(1.0, 3.0);
    assert_eq!(listen(&sound).clipped_share, 0.0);
    let clipped: Vec<f32> = sound.iter().map(|s| (8.0 * s).clamp(-1.0, 1.0)).collect();
    assert!(listen(&clipped).clipped_share > 0.01);
}

#[test]
fn a_sample_that_is_no_number_is_named() {
    let networks = networks();
    let mut listener = Listener::new(&networks);
    listener.hear(&[0.0; 16_000]).unwrap();
    let mut sound = vec![0.0; 16_000];
    sound[8000] = f32::NAN;
    let Error::NotANumber { at_secs } = listener.hear(&sound).unwrap_err() else {
        panic!("another error");
    };
    assert!((at_secs - 1.5).abs() < 1e-9);
}

fn hear(samples: &[f32], block: usize) -> Utterance {
    let mut listener = PhoneListener::new(&networks().activity);
    for block in samples.chunks(block) {
        listener.hear(block).unwrap();
    }
    listener.finish()
}

#[test]
fn vowels_are_heard_as_vowels() {
    let mut sound = vec![0.0; 16_000];
    sound.extend(vowels(2.0));
    sound.resize(64_000, 0.0);
    let heard = hear(&sound, 1000);
    let scorer = PhoneScorer::load(&Weights::from_source_tree().unwrap()).unwrap();
    let phones = heard.phones(&scorer, 0..heard.n_moments());
    let share = |moment: usize, is_one: &dyn Fn(&str) -> bool| -> f32 {
        let all = PHONES.iter().zip(&phones[moment]);
        all.filter(|(phone, _)| is_one(phone))
            .map(|(_, share)| share)
            .sum()
    };
    for (moment, phones) in phones.iter().enumerate() {
        let all = phones.iter().sum::<f32>();
        assert!((all - 1.0).abs() < 1e-3, "{moment}: {all}");
    }
    // Their names begin with the letters of vowels, and those of glides sound like them.
    let is_voiced = |phone: &str| phone.starts_with(['A', 'E', 'I', 'O', 'U', 'L', 'R', 'W', 'Y']);
    let voiced = (110..290)
        .filter(|&moment| 0.5 < share(moment, &is_voiced))
        .count();
    // Between syllables there is silence, for half of the time.
    assert!(40 < voiced, "{voiced} of 180 moments");
    assert!(heard.loudness(110..130).iter().sum::<f32>() > heard.loudness(10..30).iter().sum());
}

#[test]
fn phones_do_not_depend_on_how_sound_comes() {
    let sound = vowels(3.0);
    let (a, b) = (hear(&sound, 160), hear(&sound, 48_000));
    let scorer = PhoneScorer::load(&Weights::from_source_tree().unwrap()).unwrap();
    assert_eq!(a.phones(&scorer, 50..90), b.phones(&scorer, 50..90));
    assert!(hear(&[], 1).phones(&scorer, 0..0).is_empty());
}

#[test]
fn phones_of_what_is_no_number_are_not_told() {
    let mut listener = PhoneListener::new(&networks().activity);
    assert!(matches!(
        listener.hear(&[f32::NAN]),
        Err(Error::NotANumber { .. })
    ));
}
