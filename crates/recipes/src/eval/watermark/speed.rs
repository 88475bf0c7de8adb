//! How fast the mark is drawn and looked for.

use std::time::Instant;

use effigy_frame::Picture;
use effigy_mark::watermark::{Detector, Embedder};

/// Frames per second, and milliseconds of processor time for one.
pub(super) struct Speed {
    pub(super) embed: [f64; 2],
    pub(super) detect: [f64; 2],
}

pub(super) fn speed() -> Speed {
    let pixels = (0..1920 * 1080 * 3).map(|i| (i / 97 % 251) as u8).collect();
    let mut picture = Picture::new(1920, 1080, pixels);
    let embedder = Embedder::new(1);
    let measured = |work: &mut dyn FnMut()| {
        const N: u32 = 100;
        let (start, cpu) = (Instant::now(), processor_millis());
        (0..N).for_each(|_| work());
        let per_sec = f64::from(N) / start.elapsed().as_secs_f64();
        [per_sec, (processor_millis() - cpu) / f64::from(N)]
    };
    let embed = measured(&mut || embedder.embed(&mut picture));
    let mut detector = Detector::new();
    let detect = measured(&mut || detector.look(&picture));
    Speed { embed, detect }
}

/// Processor time of all threads so far; 0 where the system does not tell. Other work on the
/// machine lengthens the clock on the wall, but hardly this one.
fn processor_millis() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15 of proc(5), in hundredths of a second; the second field ends with `)`.
    let fields = stat
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_whitespace();
    let ticks = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() * 10.0
}
