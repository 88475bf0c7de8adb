//! Decoded frames to R'G'B' and back, by the matrix and range that apply.

use effigy_frame::Picture;
use ffmpeg_next::format::Pixel;
use ffmpeg_next::software::scaling;
use ffmpeg_next::{ffi, frame};

use crate::colour::{ColourTags, Matrix, Range};
use crate::error::{Error, Result};
use crate::libav;

/// Turns libav's pictures into ours. Keeps what libav prepared for the last kind of picture.
pub(crate) struct ToRgb {
    prepared: Option<(Kind, Scaler)>,
}

/// Turns our pictures into libav's.
pub(crate) struct FromRgb {
    scaler: Scaler,
    padded: Vec<u8>,
}

/// What a prepared conversion depends on.
#[derive(Clone, Copy, PartialEq)]
struct Kind {
    format: Pixel,
    width: u32,
    height: u32,
    colour: ColourTags,
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
        let kind = Kind {
            format: from.format(),
            width: from.width(),
            height: from.height(),
            colour,
        };
        if self
            .prepared
            .as_ref()
            .is_none_or(|(known, _)| *known != kind)
        {
            self.prepared = Some((kind, Scaler::to_rgb(kind)?));
        }
        let Some((_, scaler)) = &mut self.prepared else {
            unreachable!("prepared above");
        };
        let described = libav::describe(kind.format);
        if described.is_some_and(|format| format.alpha) {
            let rgba = scaler.run_packed(from, 4)?;
            return Ok(Picture::new(kind.width, kind.height, over_black(&rgba)));
        }
        let rgb = scaler.run_packed(from, 3)?;
        Ok(Picture::new(kind.width, kind.height, rgb))
    }
}

impl FromRgb {
    /// Prepares turning pictures into `format` of this size with these tags.
    pub(crate) fn new(format: Pixel, width: u32, height: u32, colour: ColourTags) -> Result<Self> {
        let flags = scaling::Flags::BILINEAR | scaling::Flags::ACCURATE_RND;
        let context =
            scaling::Context::get(Pixel::RGB24, width, height, format, width, height, flags);
        let mut scaler = Scaler(context.map_err(cannot_convert)?);
        scaler.set_colour(Matrix::Rgb, Range::Full, colour.matrix, colour.range)?;
        Ok(Self {
            scaler,
            padded: Vec::new(),
        })
    }

    /// Converts `picture` into `to`; where `to` is a column or row larger, the edge is repeated.
    pub(crate) fn convert(&mut self, picture: &Picture, to: &mut frame::Video) -> Result<()> {
        let (width, height) = (to.width() as usize, to.height() as usize);
        let same = picture.width() as usize == width && picture.height() as usize == height;
        let rgb = if same {
            picture.pixels()
        } else {
            pad(picture, width, height, &mut self.padded);
            &self.padded
        };
        self.scaler.run_from_rgb(rgb, to)
    }
}

impl Scaler {
    fn to_rgb(kind: Kind) -> Result<Self> {
        let described = libav::describe(kind.format);
        let to = match &described {
            Some(format) if format.alpha => Pixel::RGBA,
            _ => Pixel::RGB24,
        };
        let (w, h) = (kind.width, kind.height);
        let flags = scaling::Flags::FAST_BILINEAR;
        let context = scaling::Context::get(kind.format, w, h, to, w, h, flags);
        let mut scaler = Self(context.map_err(cannot_convert)?);
        let matrix = match described {
            Some(format) if format.rgb => Matrix::Rgb,
            _ => kind.colour.matrix,
        };
        let range = if is_full_range_format(kind.format) {
            Range::Full
        } else {
            kind.colour.range
        };
        scaler.set_colour(matrix, range, Matrix::Rgb, Range::Full)?;
        Ok(scaler)
    }

    fn set_colour(
        &mut self,
        from: Matrix,
        from_range: Range,
        to: Matrix,
        to_range: Range,
    ) -> Result<()> {
        const UNCHANGED: i32 = 0;
        const ONE: i32 = 1 << 16;
        let full = |range: Range| i32::from(range == Range::Full);
        #[expect(unsafe_code, reason = "ffmpeg-next cannot set matrix and range")]
        // SAFETY: the context is valid; libav copies the coefficients, which are its own.
        let status = unsafe {
            ffi::sws_setColorspaceDetails(
                self.0.as_mut_ptr(),
                ffi::sws_getCoefficients(coefficients(from)),
                full(from_range),
                ffi::sws_getCoefficients(coefficients(to)),
                full(to_range),
                UNCHANGED,
                ONE,
                ONE,
            )
        };
        // Conversions between RGB formats have no matrix to set, and say so by failing.
        if status < 0 && from != Matrix::Rgb && to == Matrix::Rgb {
            return Err(Error::Libav {
                doing: "set the colour matrix",
                source: ffmpeg_next::Error::InvalidData,
            });
        }
        Ok(())
    }

    /// Converts to packed bytes of `n_channels` each, without padding.
    fn run_packed(&mut self, from: &frame::Video, n_channels: usize) -> Result<Vec<u8>> {
        let (width, height) = (from.width() as usize, from.height() as usize);
        // libav's fast conversions write whole blocks of pixels, so rows are scaled into a stride
        // that holds whole blocks and are moved together afterwards.
        let row = width * n_channels;
        let stride = width.next_multiple_of(BLOCK_PX) * n_channels;
        let len = stride * height + SLACK_BYTES;
        let mut pixels: Vec<u8> = Vec::with_capacity(len);
        #[expect(unsafe_code, reason = "ffmpeg-next scales only into frames of its own")]
        // SAFETY: `pixels` holds `height` rows of `stride` bytes and slack for vector stores; the
        // source's planes are valid for its size and format, for which the context was made. Every
        // byte of each row up to `row` is written when libav gives `height` rows; what is between
        // rows was reserved and is plain memory that is overwritten or cut off below.
        let rows = unsafe {
            pixels.spare_capacity_mut()[..len].fill(std::mem::MaybeUninit::new(0));
            pixels.set_len(len);
            let raw = from.as_ptr();
            ffi::sws_scale(
                self.0.as_mut_ptr(),
                (*raw).data.as_ptr() as *const *const u8,
                (*raw).linesize.as_ptr(),
                0,
                height as i32,
                [pixels.as_mut_ptr(), ptr_null(), ptr_null(), ptr_null()].as_ptr(),
                [stride as i32, 0, 0, 0].as_ptr(),
            )
        };
        if rows != height as i32 {
            return Err(cannot_convert(ffmpeg_next::Error::InvalidData));
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
        assert_eq!(
            rgb.len(),
            width as usize * height as usize * 3,
            "wrong size"
        );
        #[expect(unsafe_code, reason = "ffmpeg-next scales only from frames of its own")]
        // SAFETY: `rgb` holds `height` rows of `width` pixels; `to` owns planes for its size and
        // format, for which the context was made.
        let rows = unsafe {
            let raw = to.as_mut_ptr();
            ffi::sws_scale(
                self.0.as_mut_ptr(),
                [rgb.as_ptr(), ptr_null(), ptr_null(), ptr_null()].as_ptr(),
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
/// Room after the last row for a vector store that starts in it.
const SLACK_BYTES: usize = 64;

fn ptr_null<T>() -> *mut T {
    std::ptr::null_mut()
}

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
}

fn cannot_convert(source: ffmpeg_next::Error) -> Error {
    Error::Libav {
        doing: "convert colours",
        source,
    }
}
