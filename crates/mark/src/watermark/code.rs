//! How 64 bits become 368 that survive: a checksum, then a convolutional code.
//!
//! The code has rate 1/4 and 2,048 states and bites its own tail, so that no bits are spent on
//! ending it. The generators are the ones of greatest free distance (32) from Proakis, "Digital
//! Communications", table 8.2-3.

/// Bits of an identifier.
const IDENTIFIER_BITS: usize = 64;
/// Bits of the checksum. A wrong word passes once in 2^28.
pub(super) const CHECK_BITS: usize = 28;
const MESSAGE_BITS: usize = IDENTIFIER_BITS + CHECK_BITS;
const GENERATORS: [u32; 4] = [0o4767, 0o5723, 0o6265, 0o7455];
const MEMORY: usize = 11;
const STATES: usize = 1 << MEMORY;
/// Bits that are carried.
pub(super) const CODED_BITS: usize = MESSAGE_BITS * GENERATORS.len();

/// Codes an identifier as signs, `1.0` for a one and `-1.0` for a zero.
pub(super) fn encode(identifier: u64) -> Vec<f32> {
    let message = message(identifier);
    // The register begins as if the message had already gone round once.
    let mut register = message[MESSAGE_BITS - MEMORY..]
        .iter()
        .fold(0_u32, |r, &bit| r << 1 | u32::from(bit));
    let mut coded = Vec::with_capacity(CODED_BITS);
    for bit in message {
        register = (register << 1 | u32::from(bit)) & ((1 << (MEMORY + 1)) - 1);
        coded.extend(GENERATORS.map(|generator| sign(register & generator)));
    }
    coded
}

/// A word that was read: an identifier and what claims to be its checksum.
pub(super) struct Word(Vec<bool>);

impl Word {
    /// The identifier. `None` when the checksum does not fit.
    pub(super) fn identifier(&self) -> Option<u64> {
        (self.fitting_bits() == CHECK_BITS as u32).then(|| self.claimed())
    }

    /// How many bits of the checksum fit, from the first on.
    pub(super) fn fitting_bits(&self) -> u32 {
        let check = message(self.claimed());
        let pairs = self.0.iter().zip(&check).skip(IDENTIFIER_BITS);
        pairs.take_while(|(seen, right)| seen == right).count() as u32
    }

    fn claimed(&self) -> u64 {
        let bits = self.0[..IDENTIFIER_BITS].iter();
        bits.fold(0, |id, &bit| id << 1 | u64::from(bit))
    }
}

fn message(identifier: u64) -> Vec<bool> {
    let check = checksum(identifier);
    let id = (0..IDENTIFIER_BITS).rev().map(|i| identifier >> i & 1 == 1);
    id.chain((0..CHECK_BITS).rev().map(|i| check >> i & 1 == 1))
        .collect()
}

/// CRC-32C (Castagnoli) of the eight bytes, shortened.
fn checksum(identifier: u64) -> u32 {
    let mut crc = u32::MAX;
    for byte in identifier.to_be_bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0x82f6_3b78
            } else {
                crc >> 1
            };
        }
    }
    !crc >> (32 - CHECK_BITS)
}

fn sign(bits: u32) -> f32 {
    if bits.count_ones() % 2 == 1 {
        1.0
    } else {
        -1.0
    }
}

/// Laps round the tail-biting trellis; the middle one is believed.
const LAPS: usize = 3;

/// Finds the most likely word: Viterbi's algorithm, several times round.
pub(super) fn most_likely(soft: &[f32]) -> Word {
    assert_eq!(soft.len(), CODED_BITS, "one value for each coded bit");
    // The four coded bits of a step, as a number, for registers that end in zero. Every generator
    // has its first and last bit set, so that either bit of the register flips all four.
    let outputs: Vec<usize> = (0..STATES as u32 / 2)
        .map(|half| {
            GENERATORS.iter().fold(0, |bits, generator| {
                bits << 1 | (((2 * half) & generator).count_ones() % 2) as usize
            })
        })
        .collect();
    let mut scores = vec![0.0_f32; STATES];
    let mut next = vec![0.0_f32; STATES];
    let steps = LAPS * MESSAGE_BITS;
    // Whether the path into state `s` of step `t` came from the upper half.
    let mut came_from = vec![false; steps * STATES];
    for (step, came_from) in came_from.chunks_exact_mut(STATES).enumerate() {
        let at = step % MESSAGE_BITS * GENERATORS.len();
        let gains = gains(&soft[at..at + GENERATORS.len()]);
        let (lower, upper) = scores.split_at(STATES / 2);
        let before = lower.iter().zip(upper).zip(&outputs);
        let after = next.chunks_exact_mut(2).zip(came_from.chunks_exact_mut(2));
        for (((&lower, &upper), &output), (next, came_from)) in before.zip(after) {
            let gain = gains[output];
            for (end, gain) in [gain, -gain].into_iter().enumerate() {
                let (low, high) = (lower + gain, upper - gain);
                came_from[end] = low < high;
                next[end] = if low < high { high } else { low };
            }
        }
        std::mem::swap(&mut scores, &mut next);
    }
    let best = (0..STATES).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let mut state = best.unwrap_or(0);
    let mut bits = vec![false; steps];
    for step in (0..steps).rev() {
        bits[step] = state & 1 == 1;
        state = (state | usize::from(came_from[step * STATES + state]) << MEMORY) >> 1;
    }
    Word(bits[MESSAGE_BITS..2 * MESSAGE_BITS].to_vec())
}

/// How well each of the sixteen outputs of a step fits what was seen.
fn gains(seen: &[f32]) -> [f32; 1 << GENERATORS.len()] {
    std::array::from_fn(|output| {
        let bit = |at: usize| output >> (GENERATORS.len() - 1 - at) & 1;
        let fit = |(at, seen): (usize, &f32)| if bit(at) == 1 { *seen } else { -seen };
        seen.iter().enumerate().map(fit).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watermark::spread_spectrum::Random;

    fn decode(soft: &[f32]) -> Option<u64> {
        most_likely(soft).identifier()
    }

    const SOME: [u64; 4] = [0, u64::MAX, 0x0123_4567_89ab_cdef, 0x8000_0000_0000_0001];

    /// Nearly normal noise of variance 1: the sum of twelve uniform numbers.
    fn noise(random: &mut Random) -> f32 {
        (0..12).map(|_| random.unit()).sum::<f32>() - 6.0
    }

    #[test]
    fn clean_words_are_read() {
        for id in SOME {
            assert_eq!(decode(&encode(id)), Some(id));
        }
    }

    #[test]
    fn words_are_read_where_noise_is_as_strong_as_the_signal() {
        let mut random = Random(1);
        let read = (0..40).filter(|_| {
            let id = random.next();
            let mut soft = encode(id);
            soft.iter_mut()
                .for_each(|value| *value += noise(&mut random));
            decode(&soft) == Some(id)
        });
        assert_eq!(read.count(), 40);
    }

    #[test]
    fn noise_alone_is_no_word() {
        let mut random = Random(2);
        for _ in 0..40 {
            let soft: Vec<f32> = (0..CODED_BITS).map(|_| noise(&mut random)).collect();
            assert_eq!(decode(&soft), None);
        }
    }

    #[test]
    fn silence_is_no_word() {
        assert_eq!(decode(&[0.0; CODED_BITS]), None);
        assert_eq!(decode(&[1.0; CODED_BITS]), None);
        assert_eq!(decode(&[-1.0; CODED_BITS]), None);
    }
}
