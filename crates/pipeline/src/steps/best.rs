//! The best few of a long stream, well apart in time, in bounded memory.

/// Keeps the best item of each stretch of frames; when there are too many stretches, they are
/// made twice as long.
#[derive(Debug)]
pub(crate) struct BestOf<T> {
    capacity: usize,
    stretch: u64,
    picks: Vec<Pick<T>>,
}

/// One item that was kept.
#[derive(Debug)]
pub(crate) struct Pick<T> {
    pub(crate) frame_index: u64,
    pub(crate) quality: f32,
    pub(crate) item: T,
}

/// How much better an item must be to take another's place: a slightly better one is not worth
/// the work of making it.
const CLEARLY_BETTER: f32 = 1.1;

impl<T> BestOf<T> {
    /// Keeps at most `capacity` items, at first one of every `stretch` frames.
    pub(crate) fn new(capacity: usize, stretch: u64) -> Self {
        assert!(capacity > 0 && stretch > 0, "nothing would be kept");
        Self {
            capacity,
            stretch,
            picks: Vec::new(),
        }
    }

    /// Whether an item of this quality would be kept. Frames come in ascending order.
    pub(crate) fn wants(&self, frame_index: u64, quality: f32) -> bool {
        match self.picks.last() {
            Some(last) if self.share_stretch(last.frame_index, frame_index) => {
                quality > CLEARLY_BETTER * last.quality
            }
            _ => true,
        }
    }

    /// Keeps an item that [`Self::wants`] asked for.
    pub(crate) fn put(&mut self, frame_index: u64, quality: f32, item: T) {
        let replaced = self.picks.last().map(|last| last.frame_index);
        if replaced.is_some_and(|index| self.share_stretch(index, frame_index)) {
            self.picks.pop();
        }
        self.picks.push(Pick {
            frame_index,
            quality,
            item,
        });
        while self.picks.len() > self.capacity {
            self.stretch *= 2;
            self.thin_out();
        }
    }

    /// Gives what was kept, in the order of the frames.
    pub(crate) fn into_picks(self) -> Vec<Pick<T>> {
        self.picks
    }

    fn share_stretch(&self, a: u64, b: u64) -> bool {
        a / self.stretch == b / self.stretch
    }

    fn thin_out(&mut self) {
        let mut kept: Vec<Pick<T>> = Vec::with_capacity(self.capacity);
        for pick in std::mem::take(&mut self.picks) {
            match kept.last_mut() {
                Some(last) if self.share_stretch(last.frame_index, pick.frame_index) => {
                    if pick.quality > last.quality {
                        *last = pick;
                    }
                }
                _ => kept.push(pick),
            }
        }
        self.picks = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_few_and_spreads_them_over_the_whole_stream() {
        let mut best = BestOf::new(4, 5);
        for i in 0..10_000 {
            let quality = if i % 100 == 7 { 2.0 } else { 1.0 };
            if best.wants(i, quality) {
                best.put(i, quality, i);
            }
        }
        let picks = best.into_picks();
        assert!((2..=4).contains(&picks.len()), "{}", picks.len());
        assert!(
            picks.iter().all(|p| p.quality > 1.5),
            "the best of each stretch"
        );
        assert!(picks.last().unwrap().frame_index - picks[0].frame_index > 4000);
    }

    #[test]
    fn a_slightly_better_item_is_not_worth_the_work() {
        let mut best = BestOf::new(4, 10);
        assert!(best.wants(0, 1.0));
        best.put(0, 1.0, ());
        assert!(!best.wants(1, 1.05));
        assert!(best.wants(1, 1.5));
        assert!(best.wants(10, 0.1), "another stretch begins");
    }
}
