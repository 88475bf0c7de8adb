//! Pictures to packets of a codec.

use ffmpeg_next::format::Pixel;
use ffmpeg_next::{Codec as LibavCodec, Dictionary, codec, encoder};

use crate::error::{Error, Result};
use crate::libav;
use crate::settings::{Codec, Effort, WriteSettings};

/// An encoder of libav by name, with the options that mean the same for all of ours.
struct Choice {
    codec: Codec,
    name: &'static str,
    /// Constant quality that is hard to tell from the source.
    crf: u8,
    /// Option and its values for fast, normal and thorough.
    effort: (&'static str, [&'static str; 3]),
    /// What else is needed: silence, and quality that is really constant.
    extra: &'static [(&'static str, &'static str)],
    /// Whether 4:2:0 pictures must have even sides.
    even_sides: bool,
}

/// In order of preference. SVT-AV1 is last of its kind because it prints to the terminal.
const CHOICES: [Choice; 5] = [
    Choice {
        codec: Codec::H264,
        name: "libx264",
        crf: 18,
        effort: ("preset", ["superfast", "veryfast", "slow"]),
        extra: &[],
        even_sides: true,
    },
    Choice {
        codec: Codec::H265,
        name: "libx265",
        crf: 20,
        effort: ("preset", ["superfast", "fast", "slow"]),
        // x265 3.5 writes past the end of its own memory in cutree (seen with valgrind), which
        // crashes with small pictures; it prints to the terminal unless told not to.
        extra: &[("x265-params", "log-level=none:cutree=0")],
        even_sides: true,
    },
    Choice {
        codec: Codec::Vp9,
        name: "libvpx-vp9",
        crf: 24,
        effort: ("cpu-used", ["8", "4", "1"]),
        extra: &[("deadline", "good"), ("b", "0"), ("row-mt", "1")],
        even_sides: false,
    },
    Choice {
        codec: Codec::Av1,
        name: "libaom-av1",
        crf: 24,
        effort: ("cpu-used", ["8", "6", "4"]),
        extra: &[("b", "0"), ("row-mt", "1")],
        even_sides: false,
    },
    Choice {
        codec: Codec::Av1,
        name: "libsvtav1",
        crf: 28,
        effort: ("preset", ["12", "9", "5"]),
        extra: &[],
        even_sides: true,
    },
];

/// Lists the codecs that the system's libav can encode.
pub fn available_codecs() -> Vec<Codec> {
    libav::prepare();
    let is_there = |codec: &Codec| find(*codec).is_some();
    Codec::ALL.into_iter().filter(is_there).collect()
}

/// The format that pictures are handed to the encoder in.
pub(crate) const FORMAT: Pixel = Pixel::YUV420P;

/// Opens the encoder that the settings ask for.
///
/// `global_header` is what the container wants.
pub(crate) fn open(settings: &WriteSettings, global_header: bool) -> Result<encoder::Video> {
    libav::prepare();
    let (choice, found) = find(settings.codec).ok_or_else(|| no_encoder(settings.codec))?;
    let mut encoder = codec::Context::new_with_codec(found)
        .encoder()
        .video()
        .map_err(cannot_open)?;
    let colour = settings.written_colour();
    let (width, height) = encoded_size(settings, choice.even_sides);
    encoder.set_width(width);
    encoder.set_height(height);
    encoder.set_format(FORMAT);
    encoder.set_time_base(libav::to_libav(settings.time_base));
    encoder.set_frame_rate(Some(libav::to_libav(settings.frame_rate)));
    encoder.set_aspect_ratio(libav::to_libav(settings.pixel_aspect));
    encoder.set_colorspace(colour.matrix.to_libav());
    encoder.set_color_range(colour.range.to_libav());
    encoder.set_color_primaries(colour.primaries.to_libav());
    encoder.set_color_transfer_characteristic(colour.transfer.to_libav());
    let usual = || keyframe_distance(settings);
    encoder.set_gop(settings.key_every.unwrap_or_else(usual).max(1));
    if global_header {
        encoder.set_flags(codec::Flags::GLOBAL_HEADER);
    }
    encoder
        .open_as_with(found, options(settings, choice))
        .map_err(cannot_open)
}

fn find(codec: Codec) -> Option<(&'static Choice, LibavCodec)> {
    let mut of_codec = CHOICES.iter().filter(|choice| choice.codec == codec);
    of_codec.find_map(|choice| Some((choice, encoder::find_by_name(choice.name)?)))
}

fn no_encoder(codec: Codec) -> Error {
    let names: Vec<String> = available_codecs().iter().map(Codec::to_string).collect();
    Error::NoEncoder {
        codec: codec.to_string(),
        available: if names.is_empty() {
            "nothing that we write".to_owned()
        } else {
            names.join(", ")
        },
    }
}

fn options(settings: &WriteSettings, choice: &Choice) -> Dictionary<'static> {
    let mut options = Dictionary::new();
    let (effort, values) = choice.effort;
    let value = match settings.effort {
        Effort::Fast => values[0],
        Effort::Normal => values[1],
        Effort::Thorough => values[2],
    };
    options.set(effort, value);
    options.set("crf", &settings.crf.unwrap_or(choice.crf).to_string());
    options.set("threads", "auto");
    for (name, value) in choice.extra {
        options.set(name, value);
    }
    options
}

/// Half the frames of ten seconds at the most, so that players can seek.
fn keyframe_distance(settings: &WriteSettings) -> u32 {
    (settings.frame_rate.to_f64() * 5.0)
        .round()
        .clamp(1.0, 300.0) as u32
}

fn encoded_size(settings: &WriteSettings, even_sides: bool) -> (u32, u32) {
    let (width, height) = (settings.width, settings.height);
    if even_sides {
        (width.next_multiple_of(2), height.next_multiple_of(2))
    } else {
        (width, height)
    }
}

fn cannot_open(source: ffmpeg_next::Error) -> Error {
    Error::Libav {
        doing: "open the encoder",
        source,
    }
}
