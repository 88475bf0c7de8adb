//! Batches for training, prepared ahead by several threads and taken in order.
//!
//! Every batch is drawn from a generator of its own, seeded by the run and the batch's number, so
//! that neither how many threads there are nor where a run was resumed changes a batch.

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::{Context as _, Result};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// More threads than this keep no device busier, and every one holds two batches.
const MOST_THREADS: usize = 8;

/// The batches of a run, in order.
pub(crate) struct Batches<B> {
    /// One for each thread, which prepares every `workers.len()`th batch.
    workers: Vec<Receiver<B>>,
    taken: usize,
    left: u64,
}

impl<B: Send + 'static> Batches<B> {
    /// Begins to prepare the batches of `steps` on as many threads as the machine runs.
    pub(crate) fn prepare(
        steps: Range<u64>,
        seed: u64,
        draw: impl Fn(&mut ChaCha8Rng) -> B + Send + Sync + 'static,
    ) -> Self {
        let n_threads = thread::available_parallelism().map_or(1, usize::from);
        Self::on_threads(n_threads.min(MOST_THREADS), steps, seed, draw)
    }

    fn on_threads(
        n_threads: usize,
        steps: Range<u64>,
        seed: u64,
        draw: impl Fn(&mut ChaCha8Rng) -> B + Send + Sync + 'static,
    ) -> Self {
        let draw = Arc::new(draw);
        let start = |thread: usize| {
            let (sender, receiver): (SyncSender<B>, _) = sync_channel(1);
            let (draw, steps) = (Arc::clone(&draw), steps.clone());
            thread::spawn(move || {
                for step in steps.skip(thread).step_by(n_threads) {
                    let mut random = ChaCha8Rng::seed_from_u64(seed);
                    random.set_stream(step);
                    if sender.send(draw(&mut random)).is_err() {
                        return; // The run has ended early.
                    }
                }
            });
            receiver
        };
        Self {
            workers: (0..n_threads).map(start).collect(),
            taken: 0,
            left: steps.end.saturating_sub(steps.start),
        }
    }
}

impl<B> Iterator for Batches<B> {
    type Item = Result<B>;

    fn next(&mut self) -> Option<Result<B>> {
        self.left = self.left.checked_sub(1)?;
        let worker = &self.workers[self.taken % self.workers.len()];
        self.taken += 1;
        Some(
            worker
                .recv()
                .context("a thread that prepares batches has died"),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use rand::Rng as _;

    use super::*;

    fn numbers(n_threads: usize, steps: Range<u64>) -> Vec<u64> {
        let draw = |random: &mut ChaCha8Rng| {
            let number: u64 = random.random();
            // Batches take different times, so that threads overtake each other.
            thread::sleep(Duration::from_micros(number % 700));
            number
        };
        let batches = Batches::on_threads(n_threads, steps, 7, draw);
        batches.map(|batch| batch.unwrap()).collect()
    }

    #[test]
    fn batches_are_the_same_in_the_same_order_on_any_number_of_threads() {
        let one = numbers(1, 0..40);
        assert_eq!(one.len(), 40);
        assert_ne!(one[0], one[1]);
        for n_threads in [2, 3, 8, 64] {
            assert_eq!(numbers(n_threads, 0..40), one, "{n_threads} threads");
        }
    }

    #[test]
    fn a_resumed_run_sees_the_batches_it_would_have_seen() {
        assert_eq!(numbers(3, 17..40), numbers(2, 0..40)[17..]);
        assert!(numbers(3, 40..40).is_empty());
    }

    #[test]
    fn only_a_few_batches_are_prepared_ahead() {
        let drawn = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&drawn);
        let draw = move |_: &mut ChaCha8Rng| counter.fetch_add(1, Ordering::SeqCst);
        let mut batches = Batches::on_threads(3, 0..1000, 7, draw);
        batches.next().unwrap().unwrap();
        thread::sleep(Duration::from_millis(50));
        // One taken, and on each thread one waiting and one in hand.
        assert!(drawn.load(Ordering::SeqCst) <= 7);
    }

    #[test]
    fn a_thread_that_dies_is_an_error_and_no_end() {
        let draw = |random: &mut ChaCha8Rng| assert_ne!(random.get_stream(), 2, "on purpose");
        let batches = Batches::on_threads(2, 0..4, 7, draw);
        let came: Vec<bool> = batches.map(|batch| batch.is_ok()).collect();
        assert_eq!(came, [true, true, false, true]);
    }
}
