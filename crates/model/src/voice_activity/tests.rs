//! What holds for any sound. Probabilities of speech are compared with the peer's where the sound for it is made:
//! in the crate `sound`.

use super::*;

fn loaded() -> VoiceActivity {
    VoiceActivity::load(&Weights::from_source_tree().unwrap()).unwrap()
}

#[test]
fn silence_is_no_speech() {
    let network = loaded();
    let mut heard = network.begin();
    for _ in 0..30 {
        let probability = network.hear(&[0.0; VoiceActivity::N_BLOCK], &mut heard);
        assert!((0.0..0.05).contains(&probability), "{probability}");
    }
}

#[test]
fn each_listener_remembers_its_own_sound() {
    let network = loaded();
    let click = std::array::from_fn(|i| if i == 500 { 1.0 } else { 0.0 });
    let silence = [0.0; VoiceActivity::N_BLOCK];
    let (mut a, mut b) = (network.begin(), network.begin());
    network.hear(&click, &mut a);
    network.hear(&silence, &mut b);
    assert_ne!(
        network.hear(&silence, &mut a),
        network.hear(&silence, &mut b)
    );
}
