//! What each number of each cue is worth by itself.

use effigy_detect::CueKind;
use effigy_detect::observe::measures;

use super::table::auc;
use super::{ClipMeasures, Truth};

/// Prints how well each measure, as it was taken and with no weights, tells fakes from real faces.
///
/// `pairs` is how often a swap is higher than its own original.
pub(super) fn print(readings: &[ClipMeasures]) {
    for &cue in CueKind::ALL {
        for (k, measure) in measures(cue).iter().enumerate() {
            let value = |r: &ClipMeasures| r.measures.get(cue.name())?.get(k).copied();
            print_row(
                &format!("{}/{}", cue.name(), measure.name),
                readings,
                &value,
            );
        }
    }
}

fn print_row(name: &str, readings: &[ClipMeasures], value: &dyn Fn(&ClipMeasures) -> Option<f32>) {
    let of = |truth: Truth, wanted: &dyn Fn(&str) -> bool| -> Vec<f32> {
        let chosen = readings
            .iter()
            .filter(|r| r.truth == truth && wanted(&r.name));
        chosen.filter_map(value).collect()
    };
    let is_pair = |name: &str| name.contains("dfl-pairs");
    let (swaps, originals) = (of(Truth::Swap, &is_pair), of(Truth::Real, &is_pair));
    let (real, generated) = (of(Truth::Real, &|_| true), of(Truth::Generated, &|_| true));
    let higher = higher_than_original(readings, value);
    let n_higher = higher.iter().filter(|higher| **higher).count();
    println!(
        "{name:<26} swaps against originals {:.2} ({} and {}), higher in {n_higher} of {} pairs, \
         against all real {:.2} ({}), generated against all real {:.2} ({})",
        auc(&swaps, &originals),
        swaps.len(),
        originals.len(),
        higher.len(),
        auc(&swaps, &real),
        real.len(),
        auc(&generated, &real),
        generated.len()
    );
}

/// For each pair that was judged on both sides, whether the swap is higher.
fn higher_than_original(
    readings: &[ClipMeasures],
    value: &dyn Fn(&ClipMeasures) -> Option<f32>,
) -> Vec<bool> {
    let is_higher = |fake: &ClipMeasures| {
        let name = fake.fake.as_ref()?.original.as_deref()?;
        let original = readings.iter().find(|r| r.name == name)?;
        Some(value(original)? < value(fake)?)
    };
    readings.iter().filter_map(is_higher).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::footage::{Fake, Kind};

    fn reading(name: &str, truth: Truth, value: f32) -> ClipMeasures {
        let original = name
            .strip_suffix("/swap")
            .map(|stem| format!("{stem}/original"));
        ClipMeasures {
            name: name.to_owned(),
            group: String::new(),
            truth,
            fake: original.map(|original| Fake {
                kind: Kind::Swap,
                maker: "deepfacelab".to_owned(),
                original: Some(original),
            }),
            measures: [("light".to_owned(), vec![value])].into(),
        }
    }

    #[test]
    fn a_swap_is_compared_with_its_own_original() {
        let readings = [
            reading("dfl-pairs/a/original", Truth::Real, 5.0),
            reading("dfl-pairs/a/swap", Truth::Swap, 6.0),
            reading("dfl-pairs/b/original", Truth::Real, 1.0),
            reading("dfl-pairs/b/swap", Truth::Swap, 0.5),
            reading("dfl-pairs/c/swap", Truth::Swap, 9.0),
        ];
        let light = |r: &ClipMeasures| r.measures.get("light").map(|v| v[0]);
        assert_eq!(higher_than_original(&readings, &light), [true, false]);
    }
}
