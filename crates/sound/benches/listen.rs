//! How long it takes to listen to a minute of speech: activity, mel bands, voices.
//! `cargo bench -p effigy-sound`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use effigy_model::Weights;
use effigy_sound::{Listener, Networks, RATE_HZ};

fn listen(c: &mut Criterion) {
    let weights = Weights::from_source_tree();
    let networks = weights.and_then(|weights| Networks::load(&weights));
    let Ok(networks) = networks else {
        return;
    };
    let minute = effigy_sound::testing::vowels(60.0);
    assert_eq!(minute.len(), 60 * RATE_HZ as usize);
    c.bench_function("listen/minute", |b| {
        b.iter(|| {
            let mut listener = Listener::new(&networks);
            listener
                .hear(black_box(&minute))
                .map(|()| listener.finish())
        });
    });
}

criterion_group!(benches, listen);
criterion_main!(benches);
