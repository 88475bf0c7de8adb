//! The thin layer over libav: opening files safely, its silence, its numbers.

use std::ffi::{CStr, CString};
use std::path::Path;
use std::ptr;
use std::sync::Once;

use effigy_frame::Rational;
use ffmpeg_next::format::context::{Input, Output};
use ffmpeg_next::{Dictionary, DictionaryRef, codec, ffi, frame};

use crate::boxes;
use crate::colour::{Codes, ColourTags};
use crate::concealed;
use crate::deadline::{self, Deadline};
use crate::error::{Error, Result};
use crate::limits::Limits;

/// Containers that are opened. Everything that can name other files or the network (playlists,
/// `concat`, pattern readers) is absent.
const CONTAINERS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegvideo,mpegts,mpegtsraw,\
    flv,ogg,asf,gif,apng,mxf,ivf,h264,hevc,av1,obu,m4v,dv,nut,yuv4mpegpipe,\
    wav,w64,mp3,aac,flac,aiff,au,caf,ac3,eac3,amr";

/// Makes libav ready and silent. Errors come back as values; nothing is printed.
pub(crate) fn prepare() {
    static READY: Once = Once::new();
    READY.call_once(|| {
        // Only fills in error texts; it cannot fail.
        ffmpeg_next::init().ok();
        concealed::hear();
    });
}

/// Opens a media file for reading and lets libav look into its streams.
pub(crate) fn open_input(path: &Path, limits: &Limits) -> Result<Input> {
    prepare();
    check_file(path)?;
    let cut_short = |missing_bytes| Error::CutShort {
        missing_bytes,
        path: path.to_owned(),
    };
    let not_media = |source| match boxes::missing_bytes(path) {
        Some(missing_bytes) => cut_short(missing_bytes),
        None if effigy_files::is_unread_media(path) => Error::UnreadKind {
            path: path.to_owned(),
        },
        None => Error::NotMedia {
            source,
            path: path.to_owned(),
        },
    };
    if let Some(missing_bytes) = boxes::missing_index_bytes(path) {
        return Err(cut_short(missing_bytes));
    }
    let deadline = Deadline::in_secs(limits.max_open_secs);
    let in_time = || match deadline.is_over() {
        true => Err(Error::TooMuch {
            what: format!("the time to open {path:?}"),
            limit: format!("{} s; it may be made to do harm", limits.max_open_secs),
        }),
        false => Ok(()),
    };
    let opened = open_container(path);
    in_time()?;
    let mut input = opened.map_err(not_media)?;
    // Known headers are refused before libav decodes a frame to learn more.
    check_streams(&input, limits)?;
    let found = find_streams(&mut input, limits);
    in_time()?;
    found.map_err(not_media)?;
    check_streams(&input, limits)?;
    Ok(input)
}

/// Makes a file for writing in the container called `format`.
pub(crate) fn open_output(path: &Path, format: &str) -> Result<Output, ffmpeg_next::Error> {
    prepare();
    let url = url(path)?;
    let format = CString::new(format).map_err(|_has_zero| ffmpeg_next::Error::MuxerNotFound)?;
    let mut context = ptr::null_mut();
    #[expect(unsafe_code, reason = "ffmpeg-next takes only UTF-8 paths")]
    // SAFETY: both strings outlive the calls; `context` is valid once the first call gives 0, and
    // is owned by the `Output` afterwards, or freed here.
    unsafe {
        check(ffi::avformat_alloc_output_context2(
            &mut context,
            ptr::null(),
            format.as_ptr(),
            url.as_ptr(),
        ))?;
        let opened = ffi::avio_open(&mut (*context).pb, url.as_ptr(), ffi::AVIO_FLAG_WRITE);
        if let Err(err) = check(opened) {
            ffi::avformat_free_context(context);
            return Err(err);
        }
        Ok(Output::wrap(context))
    }
}

/// Writes what waits in memory and says whether everything has reached the file.
pub(crate) fn flush_output(output: &mut Output) -> Result<(), ffmpeg_next::Error> {
    #[expect(unsafe_code, reason = "ffmpeg-next hides errors of the last write")]
    // SAFETY: `pb` was opened by `open_output` and is closed only when `output` is dropped.
    unsafe {
        let io = (*output.as_mut_ptr()).pb;
        ffi::avio_flush(io);
        check((*io).error)
    }
}

/// Turns a fraction of libav into ours; `None` when it is unset or senseless.
pub(crate) fn rational(value: ffmpeg_next::Rational) -> Option<Rational> {
    let (num, den) = (value.numerator(), value.denominator());
    (num > 0 && den > 0).then(|| Rational::new(num, den))
}

/// Turns our fraction into libav's.
pub(crate) fn to_libav(value: Rational) -> ffmpeg_next::Rational {
    ffmpeg_next::Rational::new(value.num, value.den)
}

/// Counts `ticks` of one base in another, rounding to the nearest, halves away from zero.
pub(crate) fn rescale(ticks: i64, from: Rational, to: Rational) -> i64 {
    let num = i128::from(ticks) * i128::from(from.num) * i128::from(to.den);
    let den = i128::from(from.den) * i128::from(to.num);
    let half = den / 2 * num.signum();
    i64::try_from((num + half) / den).unwrap_or(if num < 0 { i64::MIN } else { i64::MAX })
}

/// Gives libav's value for "no time", as `None`.
pub(crate) fn known_time(ticks: i64) -> Option<i64> {
    (ticks != ffi::AV_NOPTS_VALUE).then_some(ticks)
}

/// Where the file's clock starts, in ticks of `base`. Sound that is cut off before the start
/// (negative times) does not move it.
pub(crate) fn clock_start(input: &Input, base: Rational) -> i64 {
    let starts = input.streams().filter_map(|s| {
        let is_media = matches!(
            s.parameters().medium(),
            ffmpeg_next::media::Type::Video | ffmpeg_next::media::Type::Audio
        );
        let start = known_time(s.start_time()).filter(|_| is_media)?;
        Some(rescale(start, rational(s.time_base())?, base))
    });
    starts.min().unwrap_or(0).max(0)
}

/// Whether a file is Matroska or WebM: libav gives its frames no time before 0, and the end of its
/// clock as its length.
pub(crate) fn is_matroska(input: &Input) -> bool {
    input.format().name().contains("matroska")
}

/// Gives how long a file says it is, and when it ends by its clock, in seconds. Matroska says the
/// latter, others the former.
pub(crate) fn length_and_end_secs(input: &Input) -> Option<(f64, f64)> {
    const MICROS: Rational = Rational {
        num: 1,
        den: ffi::AV_TIME_BASE,
    };
    let said = known_time(input.duration()).filter(|said| 0 <= *said)?;
    let start = clock_start(input, MICROS);
    #[expect(unsafe_code, reason = "ffmpeg-next does not show the start")]
    // SAFETY: the context is valid as long as `input` is.
    let first = known_time(unsafe { (*input.as_ptr()).start_time }).unwrap_or(0);
    let (length, end) = match is_matroska(input) {
        // Some writers count from the start all the same: then the start lies behind that.
        true if start < said => (said - start, said),
        true => (said, said),
        false => (said, said.saturating_add(first)),
    };
    let secs = |micros: i64| micros as f64 * MICROS.to_f64();
    Some((secs(length), secs(end)))
}

/// Turns a libav status into a result.
pub(crate) fn check(status: i32) -> Result<(), ffmpeg_next::Error> {
    if status < 0 {
        Err(ffmpeg_next::Error::from(status))
    } else {
        Ok(())
    }
}

/// Gives the system's error behind a libav error, for messages and for telling a full disk.
pub(crate) fn io_error(err: ffmpeg_next::Error) -> std::io::Error {
    match err {
        ffmpeg_next::Error::Other { errno } => std::io::Error::from_raw_os_error(errno),
        other => std::io::Error::other(other),
    }
}

/// Bits and kind of a pixel format.
pub(crate) struct PixelFormat {
    pub(crate) name: String,
    pub(crate) bit_depth: u32,
    pub(crate) alpha: bool,
    pub(crate) rgb: bool,
    /// Whether values are numbers of colours, some of which may be transparent.
    pub(crate) palette: bool,
}

/// Describes a pixel format; `None` when it is not known yet.
pub(crate) fn describe(format: ffmpeg_next::format::Pixel) -> Option<PixelFormat> {
    #[expect(unsafe_code, reason = "ffmpeg-next does not show the flags")]
    // SAFETY: libav gives null or a description that lives as long as the program; `name` is a
    // C string in it.
    unsafe {
        let description = ffi::av_pix_fmt_desc_get(format.into()).as_ref()?;
        let has = |flag: i32| description.flags & flag as u64 != 0;
        Some(PixelFormat {
            name: CStr::from_ptr(description.name)
                .to_string_lossy()
                .into_owned(),
            bit_depth: description.comp[0].depth.try_into().unwrap_or(8),
            alpha: has(ffi::AV_PIX_FMT_FLAG_ALPHA) || has(ffi::AV_PIX_FMT_FLAG_PAL),
            rgb: has(ffi::AV_PIX_FMT_FLAG_RGB) || has(ffi::AV_PIX_FMT_FLAG_PAL),
            palette: has(ffi::AV_PIX_FMT_FLAG_PAL),
        })
    }
}

/// All texts of a file's tags, by name.
pub(crate) fn tags(tags: &DictionaryRef<'_>) -> Vec<(String, String)> {
    /// More of them, or longer ones, are no notes.
    const MOST: usize = 256;
    const MOST_BYTES: usize = 1 << 16;
    let mut found = Vec::new();
    let mut entry: *const ffi::AVDictionaryEntry = ptr::null();
    while found.len() < MOST {
        #[expect(
            unsafe_code,
            reason = "ffmpeg-next takes any bytes of a file for UTF-8"
        )]
        // SAFETY: the dictionary lives as long as `tags`; libav gives the entry after the last
        // one, or null, and an entry's name and value are C strings.
        let (name, value) = unsafe {
            let flags = ffi::AV_DICT_IGNORE_SUFFIX;
            entry = ffi::av_dict_get(tags.as_ptr(), c"".as_ptr(), entry, flags);
            let Some(entry) = entry.as_ref() else {
                break;
            };
            (CStr::from_ptr(entry.key), CStr::from_ptr(entry.value))
        };
        if name.count_bytes() + value.count_bytes() <= MOST_BYTES {
            let text = |text: &CStr| text.to_string_lossy().into_owned();
            found.push((text(name), text(value)));
        }
    }
    found
}

/// Whether a stream's header says that frames consist of two fields.
pub(crate) fn is_interlaced(parameters: &codec::Parameters) -> bool {
    #[expect(
        unsafe_code,
        reason = "ffmpeg-next takes any number of a file for a Rust enum"
    )]
    // SAFETY: the parameters are valid as long as `parameters` is; see `header_colour` for the
    // number.
    let order = unsafe {
        let raw = parameters.as_ptr();
        (&raw const (*raw).field_order).cast::<i32>().read()
    };
    // 0 is unknown, 1 progressive.
    order > 1
}

/// Whether the first field of a frame is that of the upper lines.
pub(crate) fn is_top_field_first(decoded: &frame::Video) -> bool {
    #[expect(unsafe_code, reason = "ffmpeg-next does not show the order")]
    // SAFETY: the frame is valid as long as `decoded` is.
    unsafe {
        (*decoded.as_ptr()).top_field_first != 0
    }
}

/// Whether rows lie one below the other in memory, so that they can be read as slices.
pub(crate) fn is_top_down(decoded: &frame::Video) -> bool {
    #[expect(
        unsafe_code,
        reason = "ffmpeg-next takes any stride for a positive one"
    )]
    // SAFETY: the frame is valid as long as `decoded` is.
    let strides = unsafe { (*decoded.as_ptr()).linesize };
    strides[..decoded.planes()].iter().all(|stride| *stride > 0)
}

/// Says that a frame made by a test consists of two fields, the upper one first.
#[cfg(test)]
pub(crate) fn set_interlaced(made: &mut frame::Video) {
    #[expect(unsafe_code, reason = "ffmpeg-next cannot set it")]
    // SAFETY: the frame is ours.
    unsafe {
        (*made.as_mut_ptr()).interlaced_frame = 1;
        (*made.as_mut_ptr()).top_field_first = 1;
    }
}

/// Reads one text from a file's tags, shortened and without control characters.
pub(crate) fn tag(tags: &DictionaryRef<'_>, name: &str) -> Option<String> {
    const MAX_CHARS: usize = 200;
    let name = CString::new(name).ok()?;
    #[expect(
        unsafe_code,
        reason = "ffmpeg-next takes any bytes of a file for UTF-8"
    )]
    // SAFETY: the dictionary lives as long as `tags`; libav gives null or an entry in it, whose
    // value is a C string.
    let text = unsafe {
        let entry = ffi::av_dict_get(tags.as_ptr(), name.as_ptr(), ptr::null(), 0).as_ref()?;
        CStr::from_ptr(entry.value).to_string_lossy().into_owned()
    };
    Some(
        text.chars()
            .filter(|c| !c.is_control())
            .take(MAX_CHARS)
            .collect(),
    )
}

/// Errors of the file system, told apart before libav blurs them.
fn check_file(path: &Path) -> Result<()> {
    let open = |source| Error::Open {
        source,
        path: path.to_owned(),
    };
    let meta = std::fs::File::open(path)
        .and_then(|file| file.metadata())
        .map_err(open)?;
    if meta.is_dir() {
        return Err(open(std::io::Error::from(std::io::ErrorKind::IsADirectory)));
    }
    if meta.is_file() && meta.len() == 0 {
        return Err(Error::Empty {
            path: path.to_owned(),
        });
    }
    Ok(())
}

fn open_container(path: &Path) -> Result<Input, ffmpeg_next::Error> {
    let url = url(path)?;
    let mut options = Dictionary::new();
    options.set("protocol_whitelist", "file");
    options.set("format_whitelist", CONTAINERS);
    #[expect(
        unsafe_code,
        reason = "ffmpeg-next takes only UTF-8 paths and looks into streams at once"
    )]
    // SAFETY: the context is ours and not opened yet; `url` outlives the call; libav frees `context` itself when it fails and gives a
    // valid one otherwise, which `Input` then owns; the dictionary is taken back and freed.
    unsafe {
        let mut context = ffi::avformat_alloc_context();
        if context.is_null() {
            return Err(ffmpeg_next::Error::Other {
                errno: ffmpeg_next::error::ENOMEM,
            });
        }
        (*context).interrupt_callback = deadline::asked();
        let mut raw = options.disown();
        let status = ffi::avformat_open_input(&mut context, url.as_ptr(), ptr::null(), &mut raw);
        drop(Dictionary::own(raw));
        check(status)?;
        Ok(Input::wrap(context))
    }
}

fn find_streams(input: &mut Input, limits: &Limits) -> Result<(), ffmpeg_next::Error> {
    let n_streams = input.streams().count();
    #[expect(
        unsafe_code,
        reason = "ffmpeg-next cannot pass options for each stream"
    )]
    // SAFETY: libav wants one dictionary for each stream that exists now, changes them in place
    // and leaves freeing them to us.
    unsafe {
        let mut options: Vec<_> = (0..n_streams)
            .map(|_| {
                let mut options = Dictionary::new();
                options.set("max_pixels", &coded_pixels(limits).to_string());
                options.disown()
            })
            .collect();
        let status = ffi::avformat_find_stream_info(input.as_mut_ptr(), options.as_mut_ptr());
        for raw in options {
            drop(Dictionary::own(raw));
        }
        check(status)
    }
}

/// What a decoder may allocate for a picture of `max_pixels`: codecs round sides up to blocks.
pub(crate) fn coded_pixels(limits: &Limits) -> u64 {
    (limits.max_pixels + limits.max_pixels / 8 + (1 << 16)).min(i32::MAX as u64)
}

fn check_streams(input: &Input, limits: &Limits) -> Result<()> {
    for stream in input.streams() {
        let parameters = stream.parameters();
        if parameters.medium() != ffmpeg_next::media::Type::Video {
            continue;
        }
        let (width, height) = stored_size(&parameters);
        if width > 0 && height > 0 {
            limits.check_size(width.into(), height.into())?;
        }
    }
    Ok(())
}

/// Gives a context that is not opened yet the header of its codec, as containers keep it.
pub(crate) fn set_header(
    context: &mut codec::Context,
    header: &[u8],
) -> Result<(), ffmpeg_next::Error> {
    let padding = ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
    #[expect(unsafe_code, reason = "ffmpeg-next cannot set it")]
    // SAFETY: libav wants memory of its own with zeros behind it, which it frees with the context;
    // what was there before belongs to the context and is freed first.
    unsafe {
        let raw = context.as_mut_ptr();
        let memory = ffi::av_mallocz(header.len() + padding).cast::<u8>();
        let length = i32::try_from(header.len());
        let (false, Ok(length)) = (memory.is_null(), length) else {
            ffi::av_free(memory.cast());
            return Err(ffmpeg_next::Error::Other {
                errno: ffmpeg_next::error::ENOMEM,
            });
        };
        ptr::copy_nonoverlapping(header.as_ptr(), memory, header.len());
        ffi::av_free((*raw).extradata.cast());
        (*raw).extradata = memory;
        (*raw).extradata_size = length;
    }
    Ok(())
}

/// What a stream's header says about colours.
pub(crate) fn header_colour(parameters: &codec::Parameters) -> ColourTags {
    #[expect(
        unsafe_code,
        reason = "ffmpeg-next takes any number of a file for a Rust enum"
    )]
    // SAFETY: the parameters are valid as long as `parameters` is; C's enums are numbers of the
    // size of an `i32`, and are read as such because no Rust enum may hold what a file says.
    unsafe {
        let raw = parameters.as_ptr();
        ColourTags::from(Codes {
            range: (&raw const (*raw).color_range).cast::<i32>().read(),
            matrix: (&raw const (*raw).color_space).cast::<i32>().read(),
            primaries: (&raw const (*raw).color_primaries).cast::<i32>().read(),
            transfer: (&raw const (*raw).color_trc).cast::<i32>().read(),
        })
    }
}

/// What a decoded frame says about its colours.
pub(crate) fn frame_colour(decoded: &frame::Video) -> ColourTags {
    #[expect(
        unsafe_code,
        reason = "ffmpeg-next takes any number of a file for a Rust enum"
    )]
    // SAFETY: the frame is valid as long as `decoded` is; see `header_colour` for the numbers.
    unsafe {
        let raw = decoded.as_ptr();
        ColourTags::from(Codes {
            range: (&raw const (*raw).color_range).cast::<i32>().read(),
            matrix: (&raw const (*raw).colorspace).cast::<i32>().read(),
            primaries: (&raw const (*raw).color_primaries).cast::<i32>().read(),
            transfer: (&raw const (*raw).color_trc).cast::<i32>().read(),
        })
    }
}

/// The size in the stream's header, zero when it is not known yet.
pub(crate) fn stored_size(parameters: &codec::Parameters) -> (u32, u32) {
    #[expect(unsafe_code, reason = "ffmpeg-next does not show the size")]
    // SAFETY: the parameters are valid as long as `parameters` is.
    let (width, height) = unsafe {
        let raw = parameters.as_ptr();
        ((*raw).width, (*raw).height)
    };
    (
        width.try_into().unwrap_or(0),
        height.try_into().unwrap_or(0),
    )
}

/// Names a file so that libav can take it for nothing else, whatever characters are in it.
fn url(path: &Path) -> Result<CString, ffmpeg_next::Error> {
    let mut bytes = b"file:".to_vec();
    bytes.extend_from_slice(path.as_os_str().as_encoded_bytes());
    CString::new(bytes).map_err(|_has_zero| ffmpeg_next::Error::Other {
        errno: ffmpeg_next::error::EINVAL,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rescaling_rounds_to_the_nearest_tick() {
        let (ms, frames) = (Rational::new(1, 1000), Rational::new(1, 25));
        assert_eq!(rescale(40, ms, frames), 1);
        assert_eq!(rescale(59, ms, frames), 1);
        assert_eq!(rescale(60, ms, frames), 2);
        assert_eq!(rescale(-60, ms, frames), -2);
        assert_eq!(rescale(i64::MAX, frames, ms), i64::MAX);
    }
}
