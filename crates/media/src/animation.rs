//! Animated WebP, which libav does not read.

use std::io::Cursor;
use std::path::Path;

use effigy_frame::{Frame, Picture, Rational, Timestamp};
use image_webp::WebPDecoder;

use crate::convert::over_black;
use crate::error::{Error, Result};
use crate::info::{Info, VideoInfo};
use crate::limits::Limits;
use crate::picture;

/// An animated WebP being decoded.
pub(crate) struct Animation {
    decoder: WebPDecoder<Cursor<Vec<u8>>>,
    info: Info,
    limits: Limits,
    next: u64,
    /// When the next frame is shown.
    at_millis: i64,
    /// Frames before this are not given: the target of a seek.
    skip_until: i64,
    ended: bool,
}

/// Delays are in milliseconds.
const BASE: Rational = Rational { num: 1, den: 1000 };

impl Animation {
    pub(crate) fn open(path: &Path, limits: &Limits) -> Result<Self> {
        let bytes = picture::read_all(path, limits)?;
        let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|err| broken(path, err))?;
        let (width, height) = decoder.dimensions();
        limits.check_size(width.into(), height.into())?;
        let most = limits.max_pixels.saturating_mul(16);
        decoder.set_memory_limit(usize::try_from(most).unwrap_or(usize::MAX));
        let n_frames = decoder.num_frames();
        let millis = decoder.loop_duration();
        let secs = millis as f64 / 1000.0;
        limits.check_duration(secs)?;
        let rate = match i32::try_from(millis) {
            Ok(millis) if millis > 0 && n_frames > 0 => {
                Rational::new(n_frames.min(1 << 20) as i32 * 1000, millis)
            }
            _ => picture::DEFAULT_RATE,
        };
        let info = Info {
            container: "webp".to_owned(),
            ..picture::picture_info(VideoInfo {
                codec: "webp".to_owned(),
                frame_rate: rate,
                base_rate: rate,
                time_base: BASE,
                frames: Some(n_frames.into()),
                duration_secs: Some(secs),
                alpha: decoder.has_alpha(),
                ..picture::still(width, height)
            })
        };
        Ok(Self {
            decoder,
            info,
            limits: *limits,
            next: 0,
            at_millis: 0,
            skip_until: 0,
            ended: false,
        })
    }

    pub(crate) fn info(&self) -> &Info {
        &self.info
    }

    pub(crate) fn next_frame(&mut self) -> Option<Result<Frame>> {
        while !self.ended && self.next < u64::from(self.decoder.num_frames()) {
            let (index, at) = (self.next, self.at_millis);
            let picture = match self.decode() {
                Ok(picture) => picture,
                Err(err) => {
                    self.ended = true;
                    return Some(Err(err));
                }
            };
            if self.skip_until <= at {
                let time = Timestamp::new(at, BASE);
                return Some(Ok(Frame {
                    index,
                    time,
                    picture,
                }));
            }
        }
        None
    }

    /// Makes the first frame at or after `secs` the next one: frames build on those before them.
    pub(crate) fn seek(&mut self, secs: f64) {
        self.decoder.reset_animation();
        (self.next, self.at_millis, self.ended) = (0, 0, false);
        self.skip_until = (secs * 1000.0 - 1e-3).ceil().max(0.0) as i64;
    }

    fn decode(&mut self) -> Result<Picture> {
        let (width, height) = self.decoder.dimensions();
        let has_alpha = self.decoder.has_alpha();
        let n_bytes = if has_alpha { 4 } else { 3 };
        let mut pixels = vec![0; width as usize * height as usize * n_bytes];
        let shown = self.decoder.read_frame(&mut pixels);
        let (index, at) = (self.next, Timestamp::new(self.at_millis, BASE));
        let millis = shown.map_err(|err| Error::Damaged {
            why: err.to_string(),
            index,
            at,
        })?;
        self.limits.check_duration(at.secs())?;
        self.next += 1;
        // Two frames cannot be shown at once.
        self.at_millis += i64::from(millis.max(1));
        let pixels = if has_alpha {
            over_black(&pixels)
        } else {
            pixels
        };
        Ok(Picture::new(width, height, pixels))
    }
}

fn broken(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::BadPicture {
        why: why.to_string(),
        path: path.to_owned(),
    }
}
