//! What a file is by its extension: the one table of pictures and videos.
//!
//! An extension decides what is looked for in a folder and how a result is written. What a file
//! really holds is decided by its content when it is read.

use std::path::Path;

/// What kind of media a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A single picture.
    Picture,
    /// Moving pictures.
    Video,
}

/// A file format that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Its extension, in lower case and without a dot.
    pub extension: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The container by libav's name, where videos are written to it.
    pub container: Option<&'static str>,
    /// Its media type, where it can carry a signed manifest and is written here.
    pub signed_media_type: Option<&'static str>,
}

/// Every format that is looked for. Those that are written come first.
pub const FORMATS: [Format; 46] = [
    written_video("mp4", "mp4", Some("video/mp4")),
    written_video("mov", "mov", Some("video/quicktime")),
    written_video("m4v", "mp4", Some("video/x-m4v")),
    written_picture("jpg", "image/jpeg"),
    written_picture("jpeg", "image/jpeg"),
    written_picture("png", "image/png"),
    written_picture("webp", "image/webp"),
    written_video("mkv", "matroska", None),
    written_video("webm", "webm", None),
    // JPEG by other names, the last one with several pictures.
    picture("jpe"),
    picture("jfif"),
    picture("mpo"),
    picture("apng"),
    picture("heic"),
    picture("heif"),
    picture("hif"),
    picture("avif"),
    picture("tif"),
    picture("tiff"),
    picture("bmp"),
    picture("dib"),
    picture("jxl"),
    picture("jp2"),
    picture("jpf"),
    picture("jpx"),
    picture("j2k"),
    video("avi"),
    video("mpg"),
    video("mpeg"),
    video("m2v"),
    video("vob"),
    video("ts"),
    video("mts"),
    video("m2ts"),
    video("wmv"),
    video("asf"),
    video("3gp"),
    video("3g2"),
    video("flv"),
    video("f4v"),
    video("ogv"),
    video("mxf"),
    video("dv"),
    video("gif"),
    video("heics"),
    video("avifs"),
];

/// Pictures and videos that are not read: raw files of cameras, drawings, and rare formats. Found in
/// a folder, they are named, not skipped.
const UNREAD: [&str; 57] = [
    "3fr", "ai", "arw", "braw", "cr2", "cr3", "crw", "dcr", "dds", "divx", "dng", "emf", "eps",
    "erf", "exr", "fits", "hdp", "hdr", "ico", "iiq", "insp", "insv", "jxr", "kdc", "kra", "mef",
    "mj2", "mos", "mrw", "nef", "nrw", "ogm", "orf", "pbm", "pcx", "pef", "pgm", "pnm", "ppm",
    "psb", "psd", "qoi", "r3d", "raf", "rm", "rmvb", "rw2", "rwl", "sr2", "srf", "srw", "svg",
    "swf", "tga", "wdp", "wmf", "x3f",
];

const fn written_picture(extension: &'static str, media_type: &'static str) -> Format {
    Format {
        extension,
        kind: Kind::Picture,
        container: None,
        signed_media_type: Some(media_type),
    }
}

const fn picture(extension: &'static str) -> Format {
    Format {
        extension,
        kind: Kind::Picture,
        container: None,
        signed_media_type: None,
    }
}

const fn written_video(
    extension: &'static str,
    container: &'static str,
    signed_media_type: Option<&'static str>,
) -> Format {
    Format {
        extension,
        kind: Kind::Video,
        container: Some(container),
        signed_media_type,
    }
}

const fn video(extension: &'static str) -> Format {
    Format {
        extension,
        kind: Kind::Video,
        container: None,
        signed_media_type: None,
    }
}

/// The extension of `path` in lower case, without a dot; empty if there is none.
pub fn extension(path: &Path) -> String {
    let extension = path.extension().unwrap_or_default();
    extension.to_string_lossy().to_lowercase()
}

/// What a file called `path` holds; `None` if its extension is not in the table.
pub fn format_of(path: &Path) -> Option<&'static Format> {
    let extension = extension(path);
    FORMATS.iter().find(|format| format.extension == extension)
}

/// Whether `path` is called like a picture.
pub fn is_picture(path: &Path) -> bool {
    format_of(path).is_some_and(|format| format.kind == Kind::Picture)
}

/// Whether `path` is called like a video.
pub fn is_video(path: &Path) -> bool {
    format_of(path).is_some_and(|format| format.kind == Kind::Video)
}

/// Whether `path` is called like a picture or video of a format that is not read here.
pub fn is_unread_media(path: &Path) -> bool {
    UNREAD.contains(&extension(path).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_pictures_from_videos_in_any_case() {
        for (name, picture, video) in [
            ("a/face.JPG", true, false),
            ("face.webp", true, false),
            ("talk.Mp4", false, true),
            ("talk.3gp", false, true),
            ("IMG_0001.HEIC", true, false),
            ("laugh.gif", false, true),
            ("raw.NEF", false, false),
            ("notes.txt", false, false),
            ("mp4", false, false),
            (".png", false, false),
        ] {
            let path = Path::new(name);
            assert_eq!(
                (is_picture(path), is_video(path)),
                (picture, video),
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_not_read_is_known_as_media() {
        assert!(is_unread_media(Path::new("a/raw.NEF")));
        assert!(!is_unread_media(Path::new("a/face.jpg")));
        assert!(!is_unread_media(Path::new("a/notes.txt")));
    }

    #[test]
    fn every_extension_is_listed_once_in_lower_case() {
        for (n, format) in FORMATS.iter().enumerate() {
            assert_eq!(format.extension, format.extension.to_lowercase());
            let again = FORMATS[..n].iter().any(|f| f.extension == format.extension);
            assert!(!again, "{} twice", format.extension);
            assert!(!UNREAD.contains(&format.extension), "{}", format.extension);
        }
    }
}
