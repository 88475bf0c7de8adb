//! A place for one thing between a thread that makes and one that takes: what is new replaces what
//! still waits, and is counted.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

struct Place<T> {
    waiting: Option<T>,
    /// What is taken after it, and ends all.
    last: Option<T>,
    n_dropped: u64,
    is_over: bool,
    is_wanted: bool,
}

struct Shared<T> {
    place: Mutex<Place<T>>,
    changed: Condvar,
}

impl<T> Shared<T> {
    fn place(&self) -> MutexGuard<'_, Place<T>> {
        // Nothing is ever half-done in it.
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts things in. When it is gone, nothing comes any more.
pub(super) struct Giver<T>(Arc<Shared<T>>);

/// Takes things out.
pub(super) struct Taker<T>(Arc<Shared<T>>);

/// What was taken.
pub(super) enum Taken<T> {
    Item(T),
    /// Nothing came in time.
    Nothing,
    /// Nothing will come.
    Over,
}

pub(super) fn newest<T>() -> (Giver<T>, Taker<T>) {
    let shared = Arc::new(Shared {
        place: Mutex::new(Place {
            waiting: None,
            last: None,
            n_dropped: 0,
            is_over: false,
            is_wanted: true,
        }),
        changed: Condvar::new(),
    });
    (Giver(Arc::clone(&shared)), Taker(shared))
}

impl<T> Giver<T> {
    /// Puts something in, in place of what still waits.
    pub(super) fn give(&self, item: T) {
        let mut place = self.0.place();
        place.n_dropped += u64::from(place.waiting.replace(item).is_some());
        drop(place);
        self.0.changed.notify_one();
    }

    /// Puts in what is taken after all that waits.
    pub(super) fn give_last(&self, item: T) {
        self.0.place().last = Some(item);
    }

    /// Whether anybody will take anything.
    pub(super) fn is_wanted(&self) -> bool {
        self.0.place().is_wanted
    }
}

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        self.0.place().is_over = true;
        self.0.changed.notify_one();
    }
}

impl<T> Taker<T> {
    /// Takes what waits, or the next that comes in time.
    pub(super) fn take_within(&self, patience: Duration) -> Taken<T> {
        let until = Instant::now() + patience;
        let mut place = self.0.place();
        loop {
            if let Some(item) = place.waiting.take() {
                return Taken::Item(item);
            }
            if place.is_over {
                return place.last.take().map_or(Taken::Over, Taken::Item);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Taken::Nothing;
            }
            let waited = self.0.changed.wait_timeout(place, left);
            place = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// How many things were replaced before they were taken.
    pub(super) fn n_dropped(&self) -> u64 {
        self.0.place().n_dropped
    }

    /// Says that nothing will be taken any more.
    pub(super) fn leave(&self) {
        self.0.place().is_wanted = false;
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    fn taken(taker: &Taker<u32>) -> Option<u32> {
        match taker.take_within(SOON) {
            Taken::Item(item) => Some(item),
            Taken::Nothing | Taken::Over => None,
        }
    }

    #[test]
    fn newest_wins_and_the_rest_is_counted() {
        let (giver, taker) = newest();
        for n in 0..5 {
            giver.give(n);
        }
        assert_eq!((taken(&taker), taker.n_dropped()), (Some(4), 4));
        giver.give(5);
        assert_eq!((taken(&taker), taker.n_dropped()), (Some(5), 4));
        let nothing = taker.take_within(Duration::from_millis(5));
        assert!(matches!(nothing, Taken::Nothing));
    }

    #[test]
    fn what_ends_it_comes_after_what_waits() {
        let (giver, taker) = newest();
        giver.give(1);
        giver.give_last(9);
        drop(giver);
        assert_eq!((taken(&taker), taken(&taker)), (Some(1), Some(9)));
        assert!(matches!(taker.take_within(SOON), Taken::Over));
        assert_eq!(taker.n_dropped(), 0);
    }

    /// Someone who takes ten times as long as things take to come gets each tenth or so, and never one
    /// that is older than the last.
    #[test]
    fn who_is_slow_is_never_behind() {
        let (giver, taker) = newest();
        let maker = thread::spawn(move || {
            for n in 0..100 {
                giver.give(n);
                thread::sleep(Duration::from_millis(2));
            }
        });
        let mut all = Vec::new();
        while let Some(n) = taken(&taker) {
            all.push(n);
            thread::sleep(Duration::from_millis(20));
        }
        maker.join().unwrap();
        assert!(all.is_sorted_by(|a, b| a < b), "{all:?}");
        assert!(all.len() < 30, "{all:?}");
        assert_eq!(all.last(), Some(&99));
        assert_eq!(all.len() as u64 + taker.n_dropped(), 100);
    }

    #[test]
    fn who_makes_learns_that_nobody_takes() {
        let (giver, taker) = newest::<u32>();
        assert!(giver.is_wanted());
        taker.leave();
        assert!(!giver.is_wanted());
    }
}
