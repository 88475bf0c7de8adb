//! Windows of 1.6 s over the mel bands of speech, few enough for any length.
//!
//! A window begins with every 77th frame. When there are too many, every second one is given up, and from then on only
//! every second one is kept, and so on: those that are left lie evenly over the whole recording.

use effigy_model::SpeakerEncoder;

use crate::mel::{Frame, N_BANDS};

/// Frames of a window, and from one to the next.
const N_FRAMES: usize = SpeakerEncoder::N_FRAMES;
const N_STEP: usize = 77;
/// Windows that are kept: five minutes of speech without gaps.
const MOST: usize = 400;

/// Windows of the speech of a recording.
#[derive(Default)]
pub(crate) struct Windows {
    /// The last frames, one after the other.
    recent: Vec<f32>,
    n_frames: usize,
    kept: Vec<Window>,
    /// Of so many windows one is kept, less one.
    n_left_out: usize,
}

/// The bands of 1.6 s of speech.
pub(crate) struct Window {
    /// Its first frame, counted in speech.
    pub(crate) first: usize,
    /// `[frame][band]`
    pub(crate) bands: Vec<f32>,
}

impl Windows {
    pub(crate) fn take(&mut self, frame: &Frame) {
        if N_FRAMES * N_BANDS <= self.recent.len() {
            self.recent.drain(..N_BANDS);
        }
        self.recent.extend_from_slice(frame);
        self.n_frames += 1;
        if let Some(first) = self.n_frames.checked_sub(N_FRAMES)
            && first.is_multiple_of(N_STEP)
        {
            self.keep(first);
        }
    }

    fn keep(&mut self, first: usize) {
        let spacing = self.n_left_out + 1;
        if !(first / N_STEP).is_multiple_of(spacing) {
            return;
        }
        self.kept.push(Window {
            first,
            bands: self.recent.clone(),
        });
        if MOST < self.kept.len() {
            self.n_left_out = 2 * spacing - 1;
            let mut number = 0;
            self.kept.retain(|_| {
                number += 1;
                number % 2 == 1
            });
        }
    }

    /// Gives the windows, and a last one that ends in silence if most of it is speech or it is the only one.
    pub(crate) fn finish(mut self) -> Vec<Window> {
        /// Share of a window that must be speech.
        const LEAST_SHARE: f32 = 0.75;
        let next = match self.n_frames.checked_sub(N_FRAMES) {
            Some(last) => (last / N_STEP + 1) * N_STEP,
            None => 0,
        };
        let n_there = self.n_frames - next.min(self.n_frames);
        let is_most = LEAST_SHARE * N_FRAMES as f32 <= n_there as f32;
        let is_only = next == 0 && 0 < n_there;
        if is_only || is_most {
            let missing = next + N_FRAMES - self.n_frames;
            (0..missing).for_each(|_| self.take(&[0.0; N_BANDS]));
        }
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(n_frames: usize) -> Vec<Window> {
        let mut windows = Windows::default();
        (0..n_frames).for_each(|i| windows.take(&[i as f32; N_BANDS]));
        windows.finish()
    }

    #[test]
    fn windows_cover_speech_as_the_peer_has_them() {
        let firsts =
            |n: usize| -> Vec<usize> { windows(n).iter().map(|window| window.first).collect() };
        assert!(firsts(0).is_empty());
        assert_eq!(firsts(40), [0], "the only one");
        assert_eq!(firsts(160), [0]);
        assert_eq!(firsts(190), [0], "of a second one 113 frames are there");
        assert_eq!(firsts(197), [0, 77]);
        let last = windows(197).pop().unwrap().bands;
        assert_eq!((last[0], last[last.len() - 1]), (77.0, 0.0));
    }

    #[test]
    fn an_hour_is_a_few_hundred_windows_all_over_it() {
        let windows = windows(360_000);
        assert!(
            (MOST / 2..=MOST).contains(&windows.len()),
            "{}",
            windows.len()
        );
        let gaps = windows.windows(2).map(|pair| pair[1].first - pair[0].first);
        let gaps: Vec<usize> = gaps.collect();
        assert!(gaps.iter().all(|&gap| gap == gaps[0]));
        for window in &windows {
            assert_eq!(window.bands[0], window.first as f32);
        }
    }
}
