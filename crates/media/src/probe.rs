//! What a file holds, without decoding it.

use std::path::Path;

use effigy_frame::Rational;
use ffmpeg_next::codec::packet::side_data::Type as SideData;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{Stream, codec, media};

use crate::error::{Error, Result};
use crate::info::{AudioInfo, Info, VideoInfo};
use crate::libav;
use crate::limits::Limits;
use crate::orient::Orientation;
use crate::{animation, moving, patience, picture, sequence};

/// Says what a video, sound, picture or sequence of pictures holds.
///
/// # Errors
/// If the file cannot be opened, is no media, or claims more than `limits` allow.
pub fn probe(path: &Path, limits: &Limits) -> Result<Info> {
    patience::read(path, limits, |path, limits, _pulse| {
        probe_here(path, limits)
    })
}

fn probe_here(path: &Path, limits: &Limits) -> Result<Info> {
    if sequence::is_sequence(path) {
        return sequence::Pictures::open(path, picture::DEFAULT_RATE, limits).map(|p| p.info());
    }
    if picture::is_picture(path) {
        return picture::probe(path, limits);
    }
    if moving::kind(path) == Some(moving::Kind::WebP) {
        return animation::Animation::open(path, limits).map(|a| a.info().clone());
    }
    let input = libav::open_input(path, limits)?;
    describe(&input, path, limits)
}

/// Whether a file is read by other means than libav, so that it has no tracks.
pub(crate) fn has_no_streams(path: &Path) -> bool {
    let is_webp = moving::kind(path) == Some(moving::Kind::WebP);
    sequence::is_sequence(path) || picture::is_picture(path) || is_webp
}

/// Says what an opened file holds.
pub(crate) fn describe(input: &Input, path: &Path, limits: &Limits) -> Result<Info> {
    let video = best_video(input)
        .map(|s| video_info(&s, path))
        .transpose()?;
    let audio = best(input, media::Type::Audio).map(|s| audio_info(&s));
    let container_secs = libav::length_and_end_secs(input).map(|(length, _)| length);
    let info = Info {
        container: input.format().name().to_owned(),
        duration_secs: container_secs,
        creation_tool: creation_tool(input),
        creation_time: tag(
            input,
            &["creation_time", "com.apple.quicktime.creationdate", "date"],
        ),
        video,
        audio,
        further_pictures: 0,
    };
    if let Some(secs) = info.duration_secs {
        limits.check_duration(secs)?;
    }
    Ok(info)
}

/// The stream to show: the best moving picture, no cover art.
pub(crate) fn best_video(input: &Input) -> Option<Stream<'_>> {
    let is_cover = |s: &Stream<'_>| s.disposition().contains(Disposition::ATTACHED_PIC);
    best(input, media::Type::Video)
        .filter(|s| !is_cover(s))
        .or_else(|| {
            input
                .streams()
                .find(|s| s.parameters().medium() == media::Type::Video && !is_cover(s))
        })
}

/// libav's choice among the streams of a kind.
pub(crate) fn best(input: &Input, kind: media::Type) -> Option<Stream<'_>> {
    input.streams().best(kind)
}

/// The tags of a stream's picture as its header says.
pub(crate) fn stream_orientation(stream: &Stream<'_>) -> Orientation {
    stream
        .side_data()
        .find(|side| side.kind() == SideData::DisplayMatrix)
        .and_then(|side| display_matrix(side.data()))
        .map(Orientation::from_display_matrix)
        .unwrap_or_default()
}

fn display_matrix(bytes: &[u8]) -> Option<[i32; 9]> {
    let mut matrix = [0; 9];
    if bytes.len() < 36 {
        return None;
    }
    for (value, four) in matrix.iter_mut().zip(bytes.chunks_exact(4)) {
        *value = i32::from_ne_bytes(four.try_into().ok()?);
    }
    Some(matrix)
}

fn video_info(stream: &Stream<'_>, path: &Path) -> Result<VideoInfo> {
    let parameters = stream.parameters();
    let (stored_width, stored_height) = libav::stored_size(&parameters);
    if stored_width == 0 || stored_height == 0 {
        return Err(Error::NotMedia {
            source: ffmpeg_next::Error::InvalidData,
            path: path.to_owned(),
        });
    }
    let orientation = stream_orientation(stream);
    let (width, height) = orientation.upright_size(stored_width, stored_height);
    let header = header_of(&parameters)?;
    let base_rate = libav::rational(stream.rate());
    let average = libav::rational(stream.avg_frame_rate());
    let rate = average.or(base_rate).unwrap_or(Rational::new(25, 1));
    let pixel_aspect = match libav::rational(header.pixel_aspect) {
        Some(aspect) if orientation.swaps_sides() => Rational::new(aspect.den, aspect.num),
        Some(aspect) => aspect,
        None => Rational::new(1, 1),
    };
    let format = libav::describe(header.format);
    Ok(VideoInfo {
        codec: parameters.id().name().to_owned(),
        width,
        height,
        frame_rate: rate,
        base_rate: base_rate.unwrap_or(rate),
        time_base: libav::rational(stream.time_base()).unwrap_or(Rational::new(1, 90_000)),
        frames: u64::try_from(stream.frames()).ok().filter(|n| *n > 0),
        duration_secs: stream_secs(stream),
        orientation,
        pixel_aspect,
        interlaced: libav::is_interlaced(&parameters),
        bit_depth: format.as_ref().map_or(8, |f| f.bit_depth),
        alpha: format.as_ref().is_some_and(|f| f.alpha) || has_alpha_plane(stream),
        pixel_format: format.map_or_else(|| "unknown".to_owned(), |f| f.name),
        colour: libav::header_colour(&parameters),
    })
}

/// WebM keeps transparency in a second stream inside the packets and says so in a tag.
pub(crate) fn has_alpha_plane(stream: &Stream<'_>) -> bool {
    libav::tag(&stream.metadata(), "alpha_mode").as_deref() == Some("1")
}

struct Header {
    format: ffmpeg_next::format::Pixel,
    pixel_aspect: ffmpeg_next::Rational,
}

fn header_of(parameters: &codec::Parameters) -> Result<Header> {
    let context =
        codec::Context::from_parameters(parameters.clone()).map_err(|source| Error::Libav {
            doing: "read the stream's header",
            source,
        })?;
    // `Video` here only gives access to the fields; nothing is opened.
    let decoder = codec::decoder::Video(codec::decoder::Opened(context.decoder()));
    Ok(Header {
        format: decoder.format(),
        pixel_aspect: decoder.aspect_ratio(),
    })
}

fn audio_info(stream: &Stream<'_>) -> AudioInfo {
    let parameters = stream.parameters();
    #[expect(unsafe_code, reason = "ffmpeg-next does not show the sound's header")]
    // SAFETY: the parameters are valid as long as `parameters` is.
    let (rate, channels) = unsafe {
        let raw = parameters.as_ptr();
        ((*raw).sample_rate, (*raw).ch_layout.nb_channels)
    };
    AudioInfo {
        codec: parameters.id().name().to_owned(),
        sample_rate_hz: rate.try_into().unwrap_or(0),
        channels: channels.try_into().unwrap_or(0),
        duration_secs: stream_secs(stream),
    }
}

fn stream_secs(stream: &Stream<'_>) -> Option<f64> {
    let base = libav::rational(stream.time_base())?;
    libav::known_time(stream.duration())
        .filter(|ticks| *ticks > 0)
        .map(|ticks| ticks as f64 * base.to_f64())
}

/// Looks where cameras and programs leave their names, the most telling first.
fn creation_tool(input: &Input) -> Option<String> {
    const MAKERS: [&str; 2] = ["com.apple.quicktime.make", "make"];
    const MODELS: [&str; 2] = ["com.apple.quicktime.model", "model"];
    const PROGRAMS: [&str; 6] = [
        "com.apple.quicktime.software",
        "software",
        "creation_tool",
        "writing_application",
        "encoder",
        "encoded_by",
    ];
    let camera = [tag(input, &MAKERS), tag(input, &MODELS)];
    let camera: Vec<String> = camera.into_iter().flatten().collect();
    let program = tag(input, &PROGRAMS);
    match (camera.is_empty(), program) {
        (true, program) => program,
        (false, None) => Some(camera.join(" ")),
        (false, Some(program)) => Some(format!("{} ({program})", camera.join(" "))),
    }
}

/// The first of `names` among the tags of the file, then of its streams.
fn tag(input: &Input, names: &[&str]) -> Option<String> {
    let in_file = names
        .iter()
        .find_map(|name| libav::tag(&input.metadata(), name));
    in_file.or_else(|| {
        let of_streams = |name: &&str| {
            input
                .streams()
                .find_map(|s| libav::tag(&s.metadata(), name))
        };
        names.iter().find_map(of_streams)
    })
}
