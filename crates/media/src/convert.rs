//! Decoded frames to R'G'B' and back, by the matrix and range that apply.

use std::ptr::{null, null_mut};

use effigy_frame::Picture;
use ffmpeg_next::format::Pixel;
use ffmpeg_next::software::scaling;
use ffmpeg_next::{ffi, frame};

use crate::colour::{ColourTags, Matrix, Range};
use crate::error::{Error, Result};
use crate::libav;
use crate::tone_map::ToneMap;

/// Turns libav's pictures into ours. Keeps what libav prepared for the last kind of picture.
pub(crate) struct ToRgb {
    prepared: Option<Prepared>,
}

struct Prepared {
    kind: Kind,
    scaler: Scaler,
    output: Packed,
}

/// What libav is asked for on the way to 8-bit R'G'B'.
enum Packed {
    Rgb,
    Rgba,
    /// 16 bits a channel, to be tone-mapped.
    Rgb48(ToneMap),
    /// 16 bits a channel, with transparency, as they are.
    Deep,
}

/// Turns our pictures into libav's.
pub(crate) struct FromRgb {
    scaler: Scaler,
    format: Pixel,
    width: u32,
    height: u32,
    padded: Vec<u8>,
}

/// What a prepared conversion depends on.
#[derive(Clone, Copy, PartialEq)]
struct Kind {
    format: Pixel,
    width: u32,
    height: u32,
    colour: ColourTags,
    wanted: Wanted,
}

#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    /// What is shown.
    Shown,
    /// Everything that is stored.
    Stored,
}

/// A scaling context that may move to the decoding thread.
struct Scaler(scaling::Context);

#[expect(
    unsafe_code,
    reason = "ffmpeg-next leaves scaling contexts on their thread"
)]
// SAFETY: libswscale keeps no reference to the thread that made a context, and ours is used
// through `&mut` by one thread at a time.
unsafe impl Send for Scaler {}

impl ToRgb {
    pub(crate) fn new() -> Self {
        Self { prepared: None }
    }

    /// Converts a decoded frame. Transparent pixels are shown over black.
    pub(crate) fn convert(&mut self, from: &frame::Video, colour: ColourTags) -> Result<Picture> {
        let Prepared { scaler, output, .. } = self.prepare(from, colour, Wanted::Shown)?;
        let pixels = match output {
            Packed::Rgb => scaler.run_packed(from, 3)?,
            Packed::Rgba => over_black(&scaler.run_packed(from, 4)?),
            Packed::Rgb48(tone_map) => tone_map.map(&scaler.run_packed(from, 6)?),
            Packed::Deep => unreachable!("only prepared for what is stored"),
        };
        Ok(Picture::new(from.width(), from.height(), pixels))
    }

    /// Converts a decoded frame to R'G'B'A of 16 bits, without mapping any tones.
    pub(crate) fn convert_with_alpha(
        &mut self,
        from: &frame::Video,
        colour: ColourTags,
    ) -> Result<Vec<u16>> {
        let Prepared { scaler, .. } = self.prepare(from, colour, Wanted::Stored)?;
        let packed = scaler.run_packed(from, 8)?;
        let (values, _) = packed.as_chunks::<2>();
        Ok(values.iter().map(|two| u16::from_ne_bytes(*two)).collect())
    }

    fn prepare(
        &mut self,
        from: &frame::Video,
        colour: ColourTags,
        wanted: Wanted,
    ) -> Result<&mut Prepared> {
        let kind = Kind {
            format: from.format(),
            width: from.width(),
            height: from.height(),
            colour,
            wanted,
        };
        let prepared = match self.prepared.take() {
            Some(known) if known.kind == kind => known,
            _ => prepare(kind)?,
        };
        Ok(self.prepared.insert(prepared))
    }
}

fn prepare(kind: Kind) -> Result<Prepared> {
    let described = libav::describe(kind.format);
    let output = match ToneMap::new(kind.colour.transfer, kind.colour.primaries) {
        _ if kind.wanted == Wanted::Stored => Packed::Deep,
        Some(tone_map) => Packed::Rgb48(tone_map),
        None if described.as_ref().is_some_and(|format| format.alpha) => Packed::Rgba,
        None => Packed::Rgb,
    };
    let to = match output {
        Packed::Rgb => Pixel::RGB24,
        Packed::Rgba => Pixel::RGBA,
        Packed::Rgb48(_) => RGB48_NATIVE,
        Packed::Deep => RGBA64_NATIVE,
    };
    let (w, h) = (kind.width, kind.height);
    let flags = scaling::Flags::FAST_BILINEAR;
    let context = scaling::Context::get(kind.format, w, h, to, w, h, flags);
    let mut scaler = Scaler(context.map_err(cannot_convert)?);
    let matrix = match described {
        Some(format) if format.rgb => Matrix::Rgb,
        _ => kind.colour.matrix,
    };
    let range = if is_full_range_format(kind.format) {
        Range::Full
    } else {
        kind.colour.range
    };
    scaler.set_colour(Coding { matrix, range }, Coding::RGB)?;
    Ok(Prepared {
        kind,
        scaler,
        output,
    })
}

/// 16 bits a channel in this machine's byte order.
const RGB48_NATIVE: Pixel = if cfg!(target_endian = "big") {
    Pixel::RGB48BE
} else {
    Pixel::RGB48LE
};

const RGBA64_NATIVE: Pixel = if cfg!(target_endian = "big") {
    Pixel::RGBA64BE
} else {
    Pixel::RGBA64LE
};

impl FromRgb {
    /// Prepares turning pictures into `format` of this size with these tags.
    pub(crate) fn new(format: Pixel, width: u32, height: u32, colour: ColourTags) -> Result<Self> {
        let flags = scaling::Flags::BILINEAR | scaling::Flags::ACCURATE_RND;
        // libav reads pairs of pixels: at an odd width it would mix the next row into the last.
        let (w, h) = (width.next_multiple_of(2), height.next_multiple_of(2));
        let context = scaling::Context::get(Pixel::RGB24, w, h, format, w, h, flags);
        let mut scaler = Scaler(context.map_err(cannot_convert)?);
        let coding = Coding {
            matrix: colour.matrix,
            range: colour.range,
        };
        scaler.set_colour(Coding::RGB, coding)?;
        Ok(Self {
            scaler,
            format,
            width,
            height,
            padded: Vec::new(),
        })
    }

    /// Converts `picture`; where the size is a column or row larger, the edge is repeated.
    pub(crate) fn convert(&mut self, picture: &Picture) -> Result<frame::Video> {
        let (width, height) = (
            self.width.next_multiple_of(2),
            self.height.next_multiple_of(2),
        );
        let mut to = frame::Video::new(self.format, width, height);
        pad(picture, width as usize, height as usize, &mut self.padded);
        self.scaler.run_from_rgb(&self.padded, &mut to)?;
        // What was added only for libav is outside the frame again.
        to.set_width(self.width);
        to.set_height(self.height);
        Ok(to)
    }
}

/// How numbers stand for R'G'B'.
#[derive(Clone, Copy)]
struct Coding {
    matrix: Matrix,
    range: Range,
}

impl Coding {
    /// R'G'B' itself, over the whole scale.
    const RGB: Self = Self {
        matrix: Matrix::Rgb,
        range: Range::Full,
    };
}

impl Scaler {
    fn set_colour(&mut self, from: Coding, to: Coding) -> Result<()> {
        const UNCHANGED: i32 = 0;
        const ONE: i32 = 1 << 16;
        let full = |range: Range| i32::from(range == Range::Full);
        #[expect(unsafe_code, reason = "ffmpeg-next cannot set matrix and range")]
        // SAFETY: the context is valid; libav copies the coefficients, which are its own.
        let status = unsafe {
            ffi::sws_setColorspaceDetails(
                self.0.as_mut_ptr(),
                ffi::sws_getCoefficients(coefficients(from.matrix)),
                full(from.range),
                ffi::sws_getCoefficients(coefficients(to.matrix)),
                full(to.range),
                UNCHANGED,
                ONE,
                ONE,
            )
        };
        // Conversions between RGB formats have no matrix to set, and say so by failing.
        if status < 0 && from.matrix != Matrix::Rgb && to.matrix == Matrix::Rgb {
            return Err(Error::Libav {
                doing: "set the colour matrix",
                source: ffmpeg_next::Error::InvalidData,
            });
        }
        Ok(())
    }

    /// Converts to packed pixels of `n_bytes` each, without padding.
    ///
    /// libav's fast conversions write whole blocks of pixels, so rows are scaled into a stride
    /// that holds whole blocks and are moved together afterwards.
    fn run_packed(&mut self, from: &frame::Video, n_bytes: usize) -> Result<Vec<u8>> {
        let (width, height) = (from.width() as usize, from.height() as usize);
        let row = width * n_bytes;
        let stride = width.next_multiple_of(BLOCK_PX) * n_bytes;
        let mut pixels: Vec<u8> = Vec::with_capacity(stride * height + SLACK_BYTES);
        if stride != row {
            // What lies between rows is not written by libav, but moved over below.
            pixels
                .spare_capacity_mut()
                .fill(std::mem::MaybeUninit::new(0));
        }
        #[expect(unsafe_code, reason = "ffmpeg-next scales only into frames of its own")]
        // SAFETY: `pixels` has room for `height` rows of `stride` bytes, and for vector stores
        // over the end; the source's planes are valid for its size and format, for which the
        // context was made. When libav gives `height` rows it has written each of them, and what
        // lies between them was set above.
        unsafe {
            let raw = from.as_ptr();
            let rows = ffi::sws_scale(
                self.0.as_mut_ptr(),
                (*raw).data.as_ptr().cast::<*const u8>(),
                (*raw).linesize.as_ptr(),
                0,
                height as i32,
                [pixels.as_mut_ptr(), null_mut(), null_mut(), null_mut()].as_ptr(),
                [stride as i32, 0, 0, 0].as_ptr(),
            );
            if rows != height as i32 {
                return Err(cannot_convert(ffmpeg_next::Error::InvalidData));
            }
            pixels.set_len(stride * height);
        }
        if stride != row {
            for y in 1..height {
                pixels.copy_within(y * stride..y * stride + row, y * row);
            }
        }
        pixels.truncate(row * height);
        Ok(pixels)
    }

    fn run_from_rgb(&mut self, rgb: &[u8], to: &mut frame::Video) -> Result<()> {
        let (width, height) = (to.width(), to.height());
        let wanted = width as usize * height as usize * 3 + SLACK_BYTES;
        assert_eq!(rgb.len(), wanted, "wrong size");
        #[expect(unsafe_code, reason = "ffmpeg-next scales only from frames of its own")]
        // SAFETY: `rgb` holds `height` rows of `width` pixels and slack for vector loads over the
        // end; `to` owns planes for its size and format, for which the context was made.
        let rows = unsafe {
            let raw = to.as_mut_ptr();
            ffi::sws_scale(
                self.0.as_mut_ptr(),
                [rgb.as_ptr(), null(), null(), null()].as_ptr(),
                [width as i32 * 3, 0, 0, 0].as_ptr(),
                0,
                height as i32,
                (*raw).data.as_ptr(),
                (*raw).linesize.as_ptr(),
            )
        };
        if rows < 0 {
            return Err(cannot_convert(ffmpeg_next::Error::from(rows)));
        }
        Ok(())
    }
}

/// The widest block of pixels that libav's conversions write at once.
const BLOCK_PX: usize = 16;
/// Room after the last row for a vector load or store that starts in it.
const SLACK_BYTES: usize = 64;

fn coefficients(matrix: Matrix) -> i32 {
    match matrix {
        Matrix::Bt601 => ffi::SWS_CS_ITU601,
        Matrix::Bt2020 => ffi::SWS_CS_BT2020,
        Matrix::Bt709 | Matrix::Rgb | Matrix::Other | Matrix::Unspecified => ffi::SWS_CS_ITU709,
    }
}

/// The old formats whose name alone says full range.
fn is_full_range_format(format: Pixel) -> bool {
    use Pixel as P;
    matches!(
        format,
        P::YUVJ420P | P::YUVJ411P | P::YUVJ422P | P::YUVJ444P | P::YUVJ440P
    )
}

pub(crate) fn over_black(rgba: &[u8]) -> Vec<u8> {
    rgba.chunks_exact(4)
        .flat_map(|p| [p[0], p[1], p[2]].map(|v| times(v, p[3])))
        .collect()
}

/// `v * alpha / 255`, rounded.
fn times(v: u8, alpha: u8) -> u8 {
    ((u16::from(v) * u16::from(alpha) + 127) / 255) as u8
}

/// Copies a picture, repeats its edge where `width` or `height` is larger, and adds the slack.
fn pad(picture: &Picture, width: usize, height: usize, to: &mut Vec<u8>) {
    let (from_w, from_h) = (picture.width() as usize, picture.height() as usize);
    to.clear();
    for y in 0..height {
        let start = y.min(from_h - 1) * from_w * 3;
        let row = &picture.pixels()[start..start + from_w * 3];
        to.extend_from_slice(row);
        for _ in from_w..width {
            to.extend_from_slice(&row[(from_w - 1) * 3..]);
        }
    }
    to.resize(to.len() + SLACK_BYTES, 0);
}

fn cannot_convert(source: ffmpeg_next::Error) -> Error {
    Error::Libav {
        doing: "convert colours",
        source,
    }
}
