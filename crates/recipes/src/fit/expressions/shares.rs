//! How much the reader counts beside the solver.

use effigy_face::rig::{EXPRESSIONS, N_EXPRESSIONS};

use super::movements::Movement;
use crate::statistics::correlation;

/// What may be chosen from.
const SHARES: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
/// What stays with the solver: lids and eyes, which it finds by rules that hold in real clips (trained on drawn people alone,
/// the reader misses a third of real blinks), and the jaw, on which the reader was no better in people who talk.
const SOLVED: [&str; 3] = ["eyeBlink", "eyeLook", "jawOpen"];
/// The reader has to be better by this much in correlation.
const LEAST_GAIN: f64 = 0.02;

/// Chooses for each expression, both sides alike, the share that correlates best with the truth on movements that were
/// not learned from.
pub(super) fn choose(
    movements: &[&Movement],
    told: &[[f32; N_EXPRESSIONS]],
) -> [f32; N_EXPRESSIONS] {
    let mut shares = [0.0; N_EXPRESSIONS];
    for (k, name) in EXPRESSIONS.iter().enumerate() {
        let stem = stem(name);
        if SOLVED.iter().any(|solved| stem.starts_with(solved)) {
            continue;
        }
        let sides: Vec<usize> = (0..N_EXPRESSIONS)
            .filter(|&other| stem == self::stem(EXPRESSIONS[other]))
            .collect();
        let by = |share: f32| {
            let pairs = sides.iter().flat_map(|&side| {
                movements.iter().zip(told).map(move |(movement, told)| {
                    let found = (1.0 - share) * movement.solved[side] + share * told[side];
                    (f64::from(found), f64::from(movement.truth[side]))
                })
            });
            let (found, truth): (Vec<f64>, Vec<f64>) = pairs.unzip();
            correlation(found.iter(), truth.iter())
        };
        let solver = by(0.0);
        let best = SHARES
            .into_iter()
            .map(|share| (share, by(share)))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((share, correlation)) = best
            && correlation > solver + LEAST_GAIN
        {
            shares[k] = share;
        }
        println!(
            "{name:20} solver {solver:5.2}  reader {:5.2}  share {:.2}",
            by(1.0),
            shares[k]
        );
    }
    shares
}

/// A name without its side, or without where it goes.
fn stem(name: &str) -> &str {
    let ends = ["_L", "_R", "Left", "Right"];
    ends.iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use effigy_face::rig::expression;
    use effigy_model::expression_reader::N_MOVED;

    use super::*;

    #[test]
    fn what_is_told_better_counts_and_lids_stay_with_the_solver() {
        let movements: Vec<Movement> = (0..20)
            .map(|n| Movement {
                moved: Box::new([0.0; N_MOVED]),
                solved: [0.05 * ((7 * n) % 20) as f32; N_EXPRESSIONS],
                truth: [0.05 * n as f32; N_EXPRESSIONS],
            })
            .collect();
        let told: Vec<_> = movements.iter().map(|movement| movement.truth).collect();
        let shares = choose(&movements.iter().collect::<Vec<_>>(), &told);
        assert_eq!(shares[expression("mouthPucker")], 1.0);
        assert_eq!(shares[expression("eyeBlink_L")], 0.0);
        let worse: Vec<_> = movements.iter().map(|movement| movement.solved).collect();
        let shares = choose(&movements.iter().collect::<Vec<_>>(), &worse);
        assert_eq!(shares, [0.0; N_EXPRESSIONS]);
    }
}
