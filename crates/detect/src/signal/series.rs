//! Numbers over time: put on an even grid, cut into windows, correlated.

/// Frames that a cue keeps at most, ten minutes of 30 a second: memory is bounded.
pub(crate) const MOST_FRAMES: usize = 18_000;

/// Whether these times last `secs` and come `rate_hz` times a second, without a long break.
///
/// A break is half a second.
pub(crate) fn covers(times: &[f64], secs: f64, rate_hz: f64) -> bool {
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return false;
    };
    let span = last - first;
    let broken = times.windows(2).any(|w| LONGEST_BREAK_SECS < w[1] - w[0]);
    !broken && secs <= span && rate_hz * span <= (times.len() - 1) as f64
}

const LONGEST_BREAK_SECS: f64 = 0.5;

/// Gives the longest part of `seen` without a break of half a second.
pub(crate) fn unbroken<T: Clone>(seen: &[(f64, T)]) -> &[(f64, T)] {
    let mut best = 0..0;
    let mut start = 0;
    for i in 0..seen.len() {
        if 0 < i && LONGEST_BREAK_SECS < seen[i].0 - seen[i - 1].0 {
            start = i;
        }
        if best.len() < i + 1 - start {
            best = start..i + 1;
        }
    }
    &seen[best]
}

/// Puts `values`, seen at `times`, on an even grid of `rate_hz` from the first time on, by
/// straight lines between neighbours.
pub(crate) fn evenly<const N: usize>(
    times: &[f64],
    values: &[[f32; N]],
    rate_hz: f64,
) -> Vec<[f32; N]> {
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return Vec::new();
    };
    let n = ((last - first) * rate_hz) as usize + 1;
    let mut right = 0;
    let at = |i: usize| {
        let time = first + i as f64 / rate_hz;
        while right + 1 < times.len() && times[right] < time {
            right += 1;
        }
        let left = right.saturating_sub(1);
        let gap = times[right] - times[left];
        let share = if gap > 0.0 {
            ((time - times[left]) / gap).clamp(0.0, 1.0) as f32
        } else {
            1.0
        };
        std::array::from_fn(|k| values[left][k] + share * (values[right][k] - values[left][k]))
    };
    (0..n).map(at).collect()
}

/// Cuts an even series into windows of `secs`, one each `hop_secs`, each with where it starts; a
/// shorter series is one window.
pub(crate) fn windows<T>(
    even: &[T],
    rate_hz: f64,
    secs: f64,
    hop_secs: f64,
) -> impl Iterator<Item = (usize, &[T])> {
    let samples = |secs: f64| ((secs * rate_hz).round() as usize).max(1);
    let length = samples(secs).min(even.len());
    let last = even.len() - length;
    (0..=last)
        .step_by(samples(hop_secs))
        .map(move |start| (start, &even[start..start + length]))
}

/// Pearson's correlation; 0 where one of the two does not move.
pub(crate) fn correlation(
    a: impl Iterator<Item = f32> + Clone,
    b: impl Iterator<Item = f32> + Clone,
) -> f32 {
    let n = a.clone().count().max(1) as f32;
    let (mean_a, mean_b) = (a.clone().sum::<f32>() / n, b.clone().sum::<f32>() / n);
    let (mut ab, mut aa, mut bb) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (a, b) in a.zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    let scale = (aa * bb).sqrt();
    if scale <= f32::MIN_POSITIVE {
        0.0
    } else {
        ab / scale
    }
}

/// Means over `reach` neighbours on either side.
pub(crate) fn smoothed(values: &[f32], reach: usize) -> Vec<f32> {
    let mut sums = Vec::with_capacity(values.len() + 1);
    let mut sum = 0.0_f64;
    sums.push(sum);
    for v in values {
        sum += f64::from(*v);
        sums.push(sum);
    }
    let mean = |i: usize| {
        let (from, to) = (i.saturating_sub(reach), (i + reach + 1).min(values.len()));
        ((sums[to] - sums[from]) / (to - from) as f64) as f32
    };
    (0..values.len()).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_grid_lies_on_the_lines_between_what_was_seen() {
        let grid = evenly(&[1.0, 1.1, 1.4], &[[0.0], [1.0], [4.0]], 10.0);
        for (i, [v]) in grid.iter().enumerate() {
            assert!((v - i as f32).abs() < 1e-4, "{grid:?}");
        }
        assert_eq!(grid.len(), 4);
    }

    #[test]
    fn breaks_and_sparse_frames_do_not_cover() {
        let times = |rate: f64| -> Vec<f64> { (0..100).map(|i| f64::from(i) / rate).collect() };
        assert!(covers(&times(25.0), 3.0, 12.0));
        assert!(!covers(&times(25.0), 5.0, 12.0), "too short");
        assert!(!covers(&times(10.0), 3.0, 12.0), "too sparse");
        let mut broken = times(25.0);
        broken[50..].iter_mut().for_each(|t| *t += 1.0);
        assert!(!covers(&broken, 3.0, 12.0));
        let seen: Vec<(f64, ())> = broken.iter().skip(10).map(|t| (*t, ())).collect();
        assert_eq!(unbroken(&seen).len(), 50);
    }

    #[test]
    fn windows_reach_the_end_and_a_short_series_is_one() {
        let even: Vec<usize> = (0..100).collect();
        let starts = |secs, hop| windows(&even, 10.0, secs, hop).map(|(s, w)| (s, w.len()));
        assert_eq!(
            starts(4.0, 3.0).collect::<Vec<_>>(),
            [(0, 40), (30, 40), (60, 40)]
        );
        assert_eq!(starts(20.0, 1.0).collect::<Vec<_>>(), [(0, 100)]);
    }

    #[test]
    fn what_moves_together_correlates_and_what_stands_still_does_not() {
        let a = [1.0, 2.0, 3.0];
        assert!(
            (correlation(a.into_iter(), a.map(|v| 7.0 - 2.0 * v).into_iter()) + 1.0).abs() < 1e-6
        );
        assert!(correlation(a.into_iter(), [5.0; 3].into_iter()).abs() < f32::EPSILON);
    }
}
