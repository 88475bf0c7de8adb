//! One coded picture to pixels.

use std::path::Path;

use ffmpeg_next::{Dictionary, Packet, codec, frame};
use image::{DynamicImage, RgbImage};

use super::decoded::bad;
use crate::colour::{ColourTags, Matrix, Range};
use crate::convert::ToRgb;
use crate::error::{Error, Result};
use crate::libav;
use crate::limits::Limits;

/// What a coded picture needs besides its bytes.
#[derive(Clone, Copy)]
pub(super) struct Coding<'a> {
    pub(super) codec: codec::Id,
    /// The header of the codec, as the container keeps it.
    pub(super) header: &'a [u8],
    /// How numbers mean colours, where the container says.
    pub(super) colour: Option<ColourTags>,
}

/// Decodes the pictures of one file. Tiles that share a header share a decoder.
pub(super) struct Stills<'a> {
    limits: &'a Limits,
    open: Option<Open>,
    to_rgb: ToRgb,
    /// The most bits a colour that were seen.
    pub(super) deepest: u32,
    /// Whether a high dynamic range was mapped to an ordinary one.
    pub(super) was_hdr: bool,
}

struct Open {
    codec: codec::Id,
    header: Vec<u8>,
    decoder: codec::decoder::Video,
}

impl<'a> Stills<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        libav::prepare();
        Self {
            limits,
            open: None,
            to_rgb: ToRgb::new(),
            deepest: 8,
            was_hdr: false,
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        self.limits
    }

    /// Decodes a picture: 8 bits a colour, or 16 where it has more and no high dynamic range; with
    /// its transparency, where the codec itself has it.
    pub(super) fn decode(
        &mut self,
        coding: Coding<'_>,
        bytes: &[u8],
        path: &Path,
    ) -> Result<DynamicImage> {
        let decoder = self.decoder(coding)?;
        let decoded = first_picture(decoder, bytes).map_err(|why| bad(path, why))?;
        let (width, height) = (decoded.width(), decoded.height());
        self.limits.check_size(width.into(), height.into())?;
        let said = coding
            .colour
            .unwrap_or_else(|| libav::frame_colour(&decoded));
        let colour = still_colour(said);
        let format = libav::describe(decoded.format());
        let bits = format.as_ref().map_or(8, |format| format.bit_depth);
        self.deepest = self.deepest.max(bits);
        self.was_hdr |= colour.transfer.is_hdr();
        let wrong_size = || bad(path, "its size changes while it is decoded");
        let has_alpha = format.is_some_and(|format| format.alpha && !format.palette);
        if (bits > 8 || has_alpha) && !colour.transfer.is_hdr() {
            let values = self.to_rgb.convert_with_alpha(&decoded, colour)?;
            let image = image::ImageBuffer::from_raw(width, height, values);
            let image = DynamicImage::ImageRgba16(image.ok_or_else(wrong_size)?);
            return Ok(match (bits > 8, has_alpha) {
                (true, true) => image,
                (true, false) => DynamicImage::ImageRgb16(image.into_rgb16()),
                (false, _) => DynamicImage::ImageRgba8(image.into_rgba8()),
            });
        }
        let pixels = self.to_rgb.convert(&decoded, colour)?.pixels().to_vec();
        let image = RgbImage::from_raw(width, height, pixels);
        Ok(DynamicImage::ImageRgb8(image.ok_or_else(wrong_size)?))
    }

    fn decoder(&mut self, coding: Coding<'_>) -> Result<&mut codec::decoder::Video> {
        let is_same = |open: &Open| open.codec == coding.codec && open.header == coding.header;
        let open = match self.open.take().filter(is_same) {
            Some(mut open) => {
                open.decoder.flush();
                open
            }
            None => Open {
                codec: coding.codec,
                header: coding.header.to_vec(),
                decoder: open_decoder(coding, self.limits)?,
            },
        };
        Ok(&mut self.open.insert(open).decoder)
    }
}

/// What is not said is as MIAF (ISO 23000-22, section 7.3.6.4) has it: BT.601, full range.
fn still_colour(said: ColourTags) -> ColourTags {
    ColourTags {
        matrix: match said.matrix {
            Matrix::Unspecified => Matrix::Bt601,
            known => known,
        },
        range: match said.range {
            Range::Unspecified => Range::Full,
            known => known,
        },
        ..said
    }
}

fn open_decoder(coding: Coding<'_>, limits: &Limits) -> Result<codec::decoder::Video> {
    let found = codec::decoder::find(coding.codec).ok_or_else(|| Error::NoDecoder {
        codec: coding.codec.name().to_owned(),
    })?;
    let broken = |source| Error::Libav {
        doing: "open the picture's decoder",
        source,
    };
    let mut context = codec::Context::new_with_codec(found);
    libav::set_header(&mut context, coding.header).map_err(broken)?;
    let mut options = Dictionary::new();
    options.set("threads", "auto");
    // Each picture stands alone: what is decoded together are its parts.
    options.set("thread_type", "slice");
    options.set("err_detect", "crccheck+explode");
    options.set("max_pixels", &libav::coded_pixels(limits).to_string());
    context
        .decoder()
        .open_as_with(found, options)
        .and_then(codec::decoder::Opened::video)
        .map_err(broken)
}

/// Decodes what is one picture. `Err` says what is wrong with it.
fn first_picture(
    decoder: &mut codec::decoder::Video,
    bytes: &[u8],
) -> std::result::Result<frame::Video, String> {
    let said = |err: ffmpeg_next::Error| err.to_string();
    decoder.send_packet(&Packet::copy(bytes)).map_err(said)?;
    decoder.send_eof().map_err(said)?;
    let mut decoded = frame::Video::empty();
    decoder.receive_frame(&mut decoded).map_err(said)?;
    if decoded.is_corrupt() || decoded.has_decode_errors() {
        return Err("the decoder had to make up parts of it".to_owned());
    }
    Ok(decoded)
}
