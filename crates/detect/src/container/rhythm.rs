//! Whether a video was compressed before, seen in the bytes that its pictures take.
//!
//! Where an earlier encoding had a whole picture, blocks and noise jump, and the new encoding must
//! spend bytes on the jump: its predicted pictures grow at the earlier rhythm. The footprint is that
//! of Vázquez-Padín et al., "Detection of video double encoding with GOP size estimation", WIFS
//! 2012; they count blocks in a decoder, here the sizes of packets do, each against its neighbours
//! of the same kind.

use effigy_media::{Packet, PacketKind};

use crate::measurement::median;

/// Pictures that are looked at: three minutes and more.
pub const MOST_PACKETS: usize = 6000;
/// Neighbours on either side that a picture is measured against.
const REACH: usize = 10;
/// Fewer of one kind next to a picture say nothing of it.
const LEAST_NEIGHBOURS: usize = 3;
/// Pictures from one whole one to the next in the earlier encoding.
const PERIODS: std::ops::RangeInclusive<usize> = 8..=150;
/// A rhythm must be heard so often.
const LEAST_BEATS: usize = 4;
/// Bounds of one picture's excess, in deviations: one cut makes no rhythm.
const LEAST_EXCESS: f32 = -2.0;
const MOST_EXCESS: f32 = 4.0;
/// Deviations by which a rhythm must stand out. About ten thousand are tried, of which one in
/// three million does by chance.
pub const CLEARLY: f32 = 5.0;

/// The rhythm that stands out most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rhythm {
    /// Pictures from beat to beat.
    pub period: usize,
    /// By how many deviations of chance the beats stand out.
    pub clarity: f32,
}

/// Looks for the rhythm of an earlier encoding. `None` where too few pictures can be compared.
pub fn rhythm(packets: &[Packet]) -> Option<Rhythm> {
    let excesses = excesses(packets);
    let known: Vec<f32> = excesses.iter().flatten().copied().collect();
    if known.len() < LEAST_BEATS * PERIODS.start() {
        return None;
    }
    let n = known.len() as f32;
    let mean = known.iter().sum::<f32>() / n;
    let variance = known.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / n;
    let std = variance.sqrt().max(1e-3);
    let clarity = |period: usize, phase: usize| {
        let beats = excesses.iter().skip(phase).step_by(period).flatten();
        let (sum, n) = beats.fold((0.0, 0), |(sum, n), v| (sum + v, n + 1));
        let stands_out = (sum / n.max(1) as f32 - mean) / std * (n as f32).sqrt();
        (LEAST_BEATS <= n).then_some(stands_out)
    };
    let tried = PERIODS.flat_map(|period| (0..period).map(move |phase| (period, phase)));
    let heard = tried.filter_map(|(period, phase)| {
        let clarity = clarity(period, phase)?;
        Some(Rhythm { period, clarity })
    });
    heard.max_by(|a, b| a.clarity.total_cmp(&b.clarity))
}

/// By how much each predicted picture is larger than its neighbours of the same kind, in
/// deviations; `None` at and next to whole pictures.
fn excesses(packets: &[Packet]) -> Vec<Option<f32>> {
    let size = |packet: &Packet| (packet.n_bytes.max(1) as f32).ln();
    let excess = |i: usize| {
        let packet = &packets[i];
        let is_whole = |i: usize| packets[i].kind == PacketKind::Whole;
        if is_whole(i) || (0 < i && is_whole(i - 1)) {
            return None;
        }
        let from = i.saturating_sub(REACH);
        let around = packets[from..(i + REACH + 1).min(packets.len())].iter();
        let others = around.enumerate().filter(|(j, _)| from + j != i);
        let alike = others.filter(|(_, other)| other.kind == packet.kind);
        let sizes: Vec<f32> = alike.map(|(_, other)| size(other)).collect();
        (LEAST_NEIGHBOURS <= sizes.len()).then(|| size(packet) - median(sizes))
    };
    let excesses: Vec<Option<f32>> = (0..packets.len()).map(excess).collect();
    let median_size = median(excesses.iter().flatten().map(|v| v.abs()).collect());
    // Half of all normal numbers are within 0.67 deviations.
    let std = 1.48 * median_size + 1e-3;
    let bounded = |v: f32| (v / std).clamp(LEAST_EXCESS, MOST_EXCESS);
    excesses.into_iter().map(|v| v.map(bounded)).collect()
}

/// Says how whole pictures are spread, and whether an earlier rhythm shows.
pub(super) fn in_words(packets: &[Packet]) -> Option<String> {
    let whole = packets.iter().filter(|p| p.kind == PacketKind::Whole);
    let n_whole = whole.count();
    if n_whole == 0 || packets.len() <= n_whole {
        return None;
    }
    let mut gaps = packets.split(|p| p.kind == PacketKind::Whole);
    let longest = 1 + gaps.by_ref().map(<[Packet]>::len).max().unwrap_or(0);
    let mut said = format!(
        "Whole pictures (key frames): {n_whole} of {}, at most {longest} apart.",
        packets.len()
    );
    if let Some(found) = rhythm(packets).filter(|rhythm| CLEARLY <= rhythm.clarity) {
        said.push_str(&format!(
            " Every {} pictures one takes more than its neighbours, as where an earlier encoding \
             began anew: it was compressed as video before.",
            found.period
        ));
    }
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two hundred pictures of random size, whole ones every hundred; every `period`th is larger.
    fn clip(period: Option<usize>, by: f32) -> Vec<Packet> {
        let mut state = 5_u32;
        let packet = |i: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let chance = (state >> 8) as f32 / (1 << 24) as f32;
            let beat = period.is_some_and(|period| i % period == 3);
            let kind = match i {
                i if i % 100 == 0 => PacketKind::Whole,
                i if i % 3 == 0 => PacketKind::Forward,
                _ => PacketKind::Between,
            };
            let mean_bytes = match kind {
                PacketKind::Whole => 30_000.0,
                PacketKind::Forward => 5000.0,
                PacketKind::Between => 1500.0,
            };
            let share = (0.8 + 0.4 * chance) * if beat { by } else { 1.0 };
            Packet {
                n_bytes: (mean_bytes * share) as usize,
                kind,
            }
        };
        (0..200).map(packet).collect()
    }

    #[test]
    fn an_earlier_rhythm_is_heard_at_its_period() {
        let found = rhythm(&clip(Some(13), 1.5)).unwrap();
        assert_eq!(found.period, 13);
        assert!(CLEARLY < found.clarity, "{found:?}");
        let said = in_words(&clip(Some(13), 1.5)).unwrap();
        assert!(said.contains("Every 13 pictures"), "{said}");
        assert!(said.contains("2 of 200, at most 100 apart"));
    }

    #[test]
    fn kinds_of_pictures_and_chance_make_no_rhythm() {
        let found = rhythm(&clip(None, 1.0)).unwrap();
        assert!(found.clarity < CLEARLY, "{found:?}");
        assert!(!in_words(&clip(None, 1.0)).unwrap().contains("Every"));
    }

    #[test]
    fn a_few_pictures_are_not_judged() {
        assert_eq!(rhythm(&clip(Some(13), 1.5)[..20]), None);
        assert_eq!(in_words(&[]), None);
    }
}
