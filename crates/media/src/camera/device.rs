//! A camera's driver: loaded, asked for pictures that can be read, and its refusals in words.

use std::ffi::CString;
use std::fs;
use std::io;
use std::path::Path;

use effigy_frame::Rational;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Dictionary, codec, ffi};

use crate::decode::strictness;
use crate::error::{Error, Result};
use crate::libav;
use crate::limits::Limits;

/// A driver that was opened.
pub(super) struct Device {
    input: Input,
}

/// What is asked for, until something is given. Compressed pictures come first: uncompressed ones of this size
/// are slow on most cables.
const ASKED: [Asked; 3] = [
    Asked {
        format: Some("mjpeg"),
        size: "1280x720",
    },
    Asked {
        format: None,
        size: "640x480",
    },
    Asked {
        format: Some("yuyv422"),
        size: "640x480",
    },
];

struct Asked {
    format: Option<&'static str>,
    size: &'static str,
}

const FRAMES_A_SECOND: &str = "30";

impl Device {
    pub(super) fn open(path: &Path, limits: &Limits) -> Result<Self> {
        libav::prepare();
        let refused = |why: String| Error::NoCamera {
            why,
            path: path.to_owned(),
        };
        is_video_device(path).map_err(refused)?;
        let format = driver().map_err(refused)?;
        let mut last = None;
        for asked in ASKED {
            match open_as(path, format, &asked) {
                Ok(input) => {
                    let device = Self { input };
                    let [width, height] = device.size();
                    limits.check_size(width.into(), height.into())?;
                    if device.is_readable() {
                        return Ok(device);
                    }
                }
                // It has no such pictures, or not of this size.
                Err(error) if error == INVALID => {}
                Err(error) => {
                    last = Some(error);
                    break;
                }
            }
        }
        Err(refused(match last {
            Some(error) => in_words(error),
            None => {
                "it gives no pictures that can be read (Motion JPEG or uncompressed)".to_owned()
            }
        }))
    }

    pub(super) fn input(&mut self) -> &mut Input {
        &mut self.input
    }

    pub(super) fn size(&self) -> [u32; 2] {
        let stream = self.input.streams().next();
        let (width, height) = stream.map_or((0, 0), |s| libav::stored_size(&s.parameters()));
        [width, height]
    }

    pub(super) fn rate(&self) -> Rational {
        const USUAL: Rational = Rational { num: 30, den: 1 };
        let stream = self.input.streams().next();
        let said = stream.and_then(|stream| libav::rational(stream.avg_frame_rate()));
        said.unwrap_or(USUAL)
    }

    /// Whether each picture can be decoded by itself.
    fn is_readable(&self) -> bool {
        use codec::Id;
        let stream = self.input.streams().next();
        stream.is_some_and(|s| matches!(s.parameters().id(), Id::RAWVIDEO | Id::MJPEG))
    }

    /// What decodes its pictures, each as soon as it is there.
    pub(super) fn decoder(&self, limits: &Limits) -> Result<codec::decoder::Video> {
        let broken = |source| Error::Libav {
            doing: "open the decoder of the camera",
            source,
        };
        let stream = self.input.streams().next();
        let stream = stream.ok_or_else(|| broken(ffmpeg_next::Error::StreamNotFound))?;
        let parameters = stream.parameters();
        let id = parameters.id();
        let found = codec::decoder::find(id).ok_or_else(|| Error::NoDecoder {
            codec: id.name().to_owned(),
        })?;
        let context = codec::Context::from_parameters(parameters).map_err(broken)?;
        let mut options = Dictionary::new();
        // More threads would each hold a frame back.
        options.set("threads", "1");
        options.set("err_detect", strictness(id));
        options.set("max_pixels", &libav::coded_pixels(limits).to_string());
        let opened = context.decoder().open_as_with(found, options);
        opened
            .and_then(codec::decoder::Opened::video)
            .map_err(broken)
    }
}

const INVALID: ffmpeg_next::Error = ffmpeg_next::Error::Other {
    errno: ffmpeg_next::error::EINVAL,
};

/// Refuses what is no camera before anything is asked of it: some devices act when they are opened.
fn is_video_device(path: &Path) -> Result<(), String> {
    let meta = fs::metadata(path).map_err(|err| system_in_words(&err))?;
    if is_video(&meta) {
        Ok(())
    } else {
        Err(NO_CAMERA.to_owned())
    }
}

#[cfg(target_os = "linux")]
fn is_video(meta: &fs::Metadata) -> bool {
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    /// The kernel's number of all video devices, in the upper byte.
    const VIDEO: u64 = 81;
    meta.file_type().is_char_device() && meta.rdev() >> 8 == VIDEO
}

#[cfg(not(target_os = "linux"))]
fn is_video(_meta: &fs::Metadata) -> bool {
    false
}

const NO_CAMERA: &str = "it is not a camera; cameras are called /dev/video0 and so on";

/// libav's driver of cameras. It lies in a library that needs eighty others, for sound, games and windows;
/// so it is loaded when a camera is to be opened, and stays.
fn driver() -> Result<*const ffi::AVInputFormat, String> {
    #[expect(unsafe_code, reason = "loads a library of libav's own")]
    // SAFETY: it is the part of the libav that this program is linked to, of the same version. What it
    // does when it is loaded and registered is what it does in every program that is linked to it.
    unsafe {
        let major = ffi::avformat_version() >> 16;
        let name = format!("libavdevice.so.{major}");
        let missing = |_why| {
            format!(
                "the part of FFmpeg that reads cameras is not installed; install it (Debian, Ubuntu: apt-get \
                 install libavdevice{major})"
            )
        };
        let library = libloading::Library::new(name).map_err(missing)?;
        let register: libloading::Symbol<'_, unsafe extern "C" fn()> =
            library.get(b"avdevice_register_all\0").map_err(missing)?;
        register();
        std::mem::forget(library);
        let format = ffi::av_find_input_format(c"video4linux2".as_ptr());
        if format.is_null() {
            return Err("the FFmpeg that is installed reads no cameras".to_owned());
        }
        Ok(format)
    }
}

fn open_as(
    path: &Path,
    format: *const ffi::AVInputFormat,
    asked: &Asked,
) -> Result<Input, ffmpeg_next::Error> {
    let url = CString::new(path.as_os_str().as_encoded_bytes()).map_err(|_has_zero| INVALID)?;
    let mut options = Dictionary::new();
    options.set("video_size", asked.size);
    options.set("framerate", FRAMES_A_SECOND);
    if let Some(format) = asked.format {
        options.set("input_format", format);
    }
    #[expect(unsafe_code, reason = "ffmpeg-next waits for pictures that never come")]
    // SAFETY: the context is ours and not opened yet; `url` outlives the call; libav frees `context` itself
    // when it fails and gives a valid one otherwise, which `Input` then owns; the dictionary is taken back
    // and freed.
    unsafe {
        let mut context = ffi::avformat_alloc_context();
        if context.is_null() {
            return Err(ffmpeg_next::Error::Other {
                errno: ffmpeg_next::error::ENOMEM,
            });
        }
        (*context).flags |= ffi::AVFMT_FLAG_NONBLOCK;
        let mut raw = options.disown();
        let status = ffi::avformat_open_input(&mut context, url.as_ptr(), format, &mut raw);
        drop(Dictionary::own(raw));
        libav::check(status)?;
        Ok(Input::wrap(context))
    }
}

/// Why a driver gives no more pictures.
pub(super) fn why_lost(error: ffmpeg_next::Error) -> String {
    use ffmpeg_next::error as code;
    match error {
        ffmpeg_next::Error::Other {
            errno: code::ENODEV | code::ENXIO | code::EIO,
        } => "it was unplugged".to_owned(),
        other => in_words(other),
    }
}

/// What a driver said, and what to do.
fn in_words(error: ffmpeg_next::Error) -> String {
    match error {
        ffmpeg_next::Error::Other { errno } => {
            system_in_words(&io::Error::from_raw_os_error(errno))
        }
        other => other.to_string(),
    }
}

fn system_in_words(error: &io::Error) -> String {
    use ffmpeg_next::error as code;
    match error.raw_os_error() {
        Some(code::ENOENT) => format!("there is none; {}", cameras_here()),
        Some(code::EACCES | code::EPERM) => {
            "you may not use it; join the group that may (sudo usermod -aG video $USER), and log in again"
                .to_owned()
        }
        Some(code::EBUSY) => "another program uses it; close that first".to_owned(),
        Some(code::ENODEV | code::ENXIO) => {
            "it is not there any more, or films nothing; an external camera often has two devices, of which \
             the first films"
                .to_owned()
        }
        Some(code::ENOTTY | code::EISDIR) => NO_CAMERA.to_owned(),
        _ => error.to_string(),
    }
}

/// The cameras of this machine, in words.
fn cameras_here() -> String {
    let folder = fs::read_dir("/dev").into_iter().flatten().flatten();
    let names = folder.filter_map(|entry| entry.file_name().into_string().ok());
    let mut cameras: Vec<String> = names
        .filter(|name| name.starts_with("video"))
        .map(|name| format!("/dev/{name}"))
        .collect();
    cameras.sort();
    match &cameras[..] {
        [] => "no camera is connected to this machine".to_owned(),
        some => format!("here are {}", some.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &str) -> String {
        match Device::open(Path::new(path), &Limits::default()) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{path} is a camera"),
        }
    }

    #[test]
    fn what_is_no_camera_is_refused_by_name() {
        for path in ["/dev/null", "/dev/zero", "/tmp", env!("CARGO_MANIFEST_DIR")] {
            let said = refused(path);
            assert!(
                said.contains("not a camera") && said.contains(path),
                "{said}"
            );
        }
        let file = tempfile::Builder::new().prefix("video").tempfile().unwrap();
        let said = refused(file.path().to_str().unwrap());
        assert!(said.contains("not a camera"), "{said}");
        let said = refused("/dev/video99");
        assert!(said.contains("there is none"), "{said}");
    }

    #[test]
    fn refusals_say_what_to_do() {
        use ffmpeg_next::error as code;
        let said = |errno| in_words(ffmpeg_next::Error::Other { errno });
        assert!(said(code::EBUSY).contains("close that first"));
        assert!(said(code::EACCES).contains("usermod"));
        assert!(said(code::ENOTTY).contains("not a camera"));
        assert!(said(code::ENODEV).contains("the first films"));
        let error = ffmpeg_next::Error::Other {
            errno: code::ENODEV,
        };
        assert_eq!(why_lost(error), "it was unplugged");
    }

    /// libav itself, where something is no camera after all.
    #[test]
    fn the_driver_says_no_in_numbers() {
        libav::prepare();
        let driver = match driver() {
            Ok(driver) => driver,
            Err(why) => {
                eprintln!("skipped: the_driver_says_no_in_numbers: {why}");
                return;
            }
        };
        let refused = open_as(Path::new("/dev/null"), driver, &ASKED[0]);
        let Err(error) = refused else {
            panic!("/dev/null is a camera")
        };
        assert!(in_words(error).contains("not a camera"), "{error}");
    }
}
