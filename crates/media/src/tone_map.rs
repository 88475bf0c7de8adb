//! High dynamic range to an ordinary screen, plainly.
//!
//! Light up to half of the reference white (203 cd/m2, ITU-R BT.2408) keeps its place, so that
//! skin looks as in ordinary footage; what is brighter is rolled off and reaches full white at
//! 1000 cd/m2. The brightest of the three channels is mapped and the others follow, so that hues
//! stay. BT.2020 colours outside BT.709 are clipped. Curves are from ITU-R BT.2100.

use crate::colour::{Primaries, Transfer};

/// Tables for one kind of high dynamic range.
pub(crate) struct ToneMap {
    /// Light for a stored value, relative to the reference white; scene light for HLG.
    light: Vec<f32>,
    /// sRGB for light from 0 to 1.
    srgb: Vec<u8>,
    is_hlg: bool,
    is_wide: bool,
}

/// Light of the reference white.
const WHITE_NITS: f32 = 203.0;
/// The brightest light that is told from white.
const PEAK_NITS: f32 = 1000.0;
/// Up to here, relative to the reference white, light is left as it is.
const KNEE: f32 = 0.5;
/// Entries of the tables: 12 bits, as much as any format stores.
const STEPS: usize = 4096;

impl ToneMap {
    /// Prepares for `transfer`; `None` when it is not of high dynamic range.
    pub(crate) fn new(transfer: Transfer, primaries: Primaries) -> Option<Self> {
        let curve = match transfer {
            Transfer::Pq => |v: f32| light_from_pq(v) / WHITE_NITS,
            Transfer::Hlg => scene_light_from_hlg,
            _ => return None,
        };
        let step = |i: usize| i as f32 / (STEPS - 1) as f32;
        Some(Self {
            light: (0..STEPS).map(|i| curve(step(i))).collect(),
            srgb: (0..STEPS).map(|i| srgb_from_light(step(i))).collect(),
            is_hlg: transfer == Transfer::Hlg,
            // HDR that does not say its primaries is meant for BT.2020.
            is_wide: matches!(primaries, Primaries::Bt2020 | Primaries::Unspecified),
        })
    }

    /// Maps packed R'G'B' of 16 bits a channel, native byte order, to 8 bits.
    pub(crate) fn map(&self, rgb48: &[u8]) -> Vec<u8> {
        let mut rgb = Vec::with_capacity(rgb48.len() / 2);
        for pixel in rgb48.chunks_exact(6) {
            let stored = |at: usize| u16::from_ne_bytes([pixel[at], pixel[at + 1]]);
            rgb.extend_from_slice(&self.map_pixel([stored(0), stored(2), stored(4)]));
        }
        rgb
    }

    fn map_pixel(&self, stored: [u16; 3]) -> [u8; 3] {
        let mut light = stored.map(|v| self.light[usize::from(v >> 4)]);
        // HLG stores the light of the scene; what a screen makes of it depends on the brightness.
        if self.is_hlg {
            light = display_light(light);
        }
        // Before the roll-off, so that it acts on the colours that will be shown.
        if self.is_wide {
            light = bt709_from_bt2020(light);
        }
        // One factor for all three channels, or bright colours would turn towards white or yellow.
        let brightest = light[0].max(light[1]).max(light[2]).max(1e-6);
        let scale = rolled_off(brightest) / brightest * (STEPS - 1) as f32;
        light.map(|v| self.srgb[((v * scale + 0.5).max(0.0) as usize).min(STEPS - 1)])
    }
}

/// Keeps light below the knee and bends the rest towards 1, which it reaches at the peak.
fn rolled_off(light: f32) -> f32 {
    const PEAK: f32 = PEAK_NITS / WHITE_NITS;
    if light <= KNEE {
        return light;
    }
    // The slope at the knee is 1, so that no edge shows.
    let slope = (PEAK - KNEE) / (1.0 - KNEE);
    let t = ((light - KNEE) / (PEAK - KNEE)).min(1.0);
    KNEE + (1.0 - KNEE) * slope * t / (1.0 + (slope - 1.0) * t)
}

/// SMPTE ST 2084: stored value to cd/m2.
fn light_from_pq(v: f32) -> f32 {
    const M1: f32 = 2610.0 / 16384.0;
    const M2: f32 = 2523.0 / 4096.0 * 128.0;
    const C1: f32 = 3424.0 / 4096.0;
    const C2: f32 = 2413.0 / 4096.0 * 32.0;
    const C3: f32 = 2392.0 / 4096.0 * 32.0;
    let p = v.powf(1.0 / M2);
    10_000.0 * ((p - C1).max(0.0) / (C2 - C3 * p)).powf(1.0 / M1)
}

/// ARIB STD-B67: stored value to scene light, 0 to 1.
fn scene_light_from_hlg(v: f32) -> f32 {
    const A: f32 = 0.178_832_77;
    const B: f32 = 1.0 - 4.0 * A;
    const C: f32 = 0.559_910_7; // 0.5 - A * ln(4 A)
    if v <= 0.5 {
        v * v / 3.0
    } else {
        (((v - C) / A).exp() + B) / 12.0
    }
}

/// Scene light to what a screen of the peak brightness shows, relative to the reference white.
fn display_light(scene: [f32; 3]) -> [f32; 3] {
    const GAMMA: f32 = 1.2;
    let luma = 0.2627 * scene[0] + 0.678 * scene[1] + 0.0593 * scene[2];
    let gain = luma.max(1e-6).powf(GAMMA - 1.0) * PEAK_NITS / WHITE_NITS;
    scene.map(|v| v * gain)
}

fn bt709_from_bt2020([r, g, b]: [f32; 3]) -> [f32; 3] {
    [
        1.6605 * r - 0.5876 * g - 0.0728 * b,
        -0.1246 * r + 1.1329 * g - 0.0083 * b,
        -0.0182 * r - 0.1006 * g + 1.1187 * b,
    ]
}

fn srgb_from_light(light: f32) -> u8 {
    let v = if light <= 0.003_130_8 {
        12.92 * light
    } else {
        1.055 * light.powf(1.0 / 2.4) - 0.055
    };
    (v * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(map: &ToneMap, stored: f32) -> u8 {
        let v = (stored * 65535.0) as u16;
        let [r, g, b] = map.map_pixel([v, v, v]);
        assert!(
            r.abs_diff(g) <= 1 && g.abs_diff(b) <= 1,
            "grey stays grey: {r} {g} {b}"
        );
        g
    }

    /// BT.2408: 58 % of PQ and 75 % of HLG are the reference white; 38 % of both is grey card.
    #[test]
    fn grey_card_and_white_land_where_ordinary_footage_has_them() {
        let pq = ToneMap::new(Transfer::Pq, Primaries::Bt2020).unwrap();
        let hlg = ToneMap::new(Transfer::Hlg, Primaries::Bt2020).unwrap();
        for map in [pq, hlg] {
            // An 18 % grey card shows at 26 cd/m2 under BT.2408: 0.128 of white, sRGB 100.
            let card = grey(&map, 0.38);
            assert!((90..=112).contains(&card), "{card}");
            assert_eq!(grey(&map, 0.0), 0);
            assert!(grey(&map, 0.58) < grey(&map, 0.75));
            assert!(grey(&map, 0.76) >= 215);
        }
    }

    #[test]
    fn light_over_the_peak_is_white_and_order_is_kept() {
        let pq = ToneMap::new(Transfer::Pq, Primaries::Bt709).unwrap();
        assert_eq!(grey(&pq, 1.0), 255);
        let greys: Vec<u8> = (0..=40).map(|i| grey(&pq, i as f32 / 40.0)).collect();
        assert!(greys.windows(2).all(|w| w[0] <= w[1]), "{greys:?}");
    }

    #[test]
    fn ordinary_video_is_left_alone() {
        assert!(ToneMap::new(Transfer::Sdr, Primaries::Bt709).is_none());
        assert!(ToneMap::new(Transfer::Unspecified, Primaries::Bt2020).is_none());
    }

    #[test]
    fn pq_matches_the_standard() {
        assert!((light_from_pq(1.0) - 10_000.0).abs() < 10.0);
        assert!((light_from_pq(0.5) - 92.25).abs() < 0.5);
        assert!((scene_light_from_hlg(1.0) - 1.0).abs() < 1e-3);
    }
}
