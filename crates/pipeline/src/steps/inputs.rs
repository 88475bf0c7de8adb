//! What the user named: videos, pictures, folders of them, and sequences of pictures.

use std::fs;
use std::path::{Path, PathBuf};

use effigy_files::{Kind, Original, is_picture, is_unread_media, is_video};
use effigy_media::{Info, Limits, pictures_of};

use crate::error::{Error, Result};

/// One thing to work on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A video file.
    Video(PathBuf),
    /// A single picture.
    Picture(PathBuf),
    /// Pictures that make up a video: a pattern such as `shot-%05d.png`.
    Sequence(PathBuf),
}

impl Input {
    /// The path that the user gave or that was found in a folder.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Video(path) | Self::Picture(path) | Self::Sequence(path) => path,
        }
    }
}

/// Finds what `paths` name. A folder stands for every video and picture in it and below; those of a
/// format that is not read are among them, so that whoever reads them says so by name.
///
/// # Errors
/// When a folder cannot be read or holds nothing of use. Files are not opened yet.
pub(crate) fn expand(paths: &[PathBuf]) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = inputs.len();
            walk(path, DEEPEST_FOLDER, &mut inputs)?;
            if inputs.len() == before {
                return Err(Error::NoInput { path: path.clone() });
            }
        } else {
            inputs.push(named(path));
        }
    }
    Ok(inputs)
}

/// What `path` names where it stands for one clip: a folder or a pattern is a sequence of pictures.
pub(crate) fn one(path: &Path) -> Input {
    if path.is_dir() {
        Input::Sequence(path.to_owned())
    } else {
        named(path)
    }
}

/// Refuses a folder that stands for one clip and holds a video too: whoever asks who is seen must not be
/// answered without it.
///
/// # Errors
/// When there is one, or the folder cannot be read.
pub(crate) fn refuse_videos_in(path: &Path) -> Result<()> {
    if path.is_dir() {
        let mut inputs = Vec::new();
        walk(path, 0, &mut inputs)?;
        for input in inputs {
            match input {
                Input::Video(path) if !is_unread_media(&path) => {
                    return Err(Error::VideoAmongPictures { path });
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Every file that `paths` name: those of folders, and each picture of a pattern.
///
/// # Errors
/// When a folder cannot be read, or a folder or pattern names nothing.
pub fn files_of(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for input in expand(paths)? {
        match input {
            Input::Sequence(path) => files.extend(pictures_of(&path, &Limits::default())?),
            Input::Video(path) | Input::Picture(path) => files.push(path),
        }
    }
    Ok(files)
}

/// Whether `path` stands for frames where it stands for one clip: a folder or a pattern.
pub fn is_frames(path: &Path) -> bool {
    matches!(one(path), Input::Sequence(_))
}

/// Says what a folder of frames holds that is media and no frame, a line for each.
pub(crate) fn left_out_of_frames(path: &Path) -> Vec<String> {
    let names = fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<PathBuf> = names.map(|entry| entry.file_name().into()).collect();
    names.retain(|name| is_video(name) || is_unread_media(name));
    names.sort();
    let line = |name: &PathBuf| format!("left out: {} is no frame", name.display());
    names.iter().map(line).collect()
}

/// The file that stands for `path`: the first picture of a sequence.
pub(crate) fn first_of(path: &Path) -> Result<PathBuf> {
    match one(path) {
        Input::Sequence(path) => {
            let pictures = pictures_of(&path, &Limits::default())?;
            Ok(pictures.into_iter().next().unwrap_or(path))
        }
        Input::Video(path) | Input::Picture(path) => Ok(path),
    }
}

/// Names what is made of a folder or pattern of pictures: `shot-%05d.png` and `-marked` give the
/// folder `shot-marked`, or the video `shot-marked.mp4`.
pub(crate) fn named_after_frames(path: &Path, suffix: &str, is_video: bool) -> PathBuf {
    let name = if path.is_dir() {
        path.file_name().unwrap_or_default().to_string_lossy()
    } else {
        path.file_stem().unwrap_or_default().to_string_lossy()
    };
    let (before, rest) = name.split_once('%').unwrap_or((&name, ""));
    let after = rest.split_once('d').map_or(rest, |(_, after)| after);
    let stem = format!("{before}{after}");
    let stem = stem.trim_end_matches(['-', '_', '.']);
    let stem = if stem.is_empty() { "frames" } else { stem };
    let named = path.with_file_name(format!("{stem}{}", suffix.replace('/', "-")));
    if is_video {
        PathBuf::from(format!("{}.mp4", named.display()))
    } else {
        named
    }
}

/// What `paths`, and the inputs that were found in them, must not be overwritten by.
pub(crate) fn originals(paths: &[PathBuf], inputs: &[Input]) -> Vec<Original> {
    let folders = paths.iter().filter(|path| path.is_dir());
    let folders = folders.map(|folder| Original::Folder(folder.clone()));
    let files = inputs.iter().flat_map(|input| match input {
        Input::Video(path) | Input::Picture(path) => vec![path.clone()],
        // A sequence that cannot be listed is reported by what reads it.
        Input::Sequence(path) => pictures_of(path, &Limits::default()).unwrap_or_default(),
    });
    folders.chain(files.map(Original::File)).collect()
}

/// Folders are searched to this depth.
const DEEPEST_FOLDER: u32 = 16;

/// A file that is named itself is a video whatever its extension, unless that is of a picture.
fn named(path: &Path) -> Input {
    let is_pattern = path.to_string_lossy().contains('%') && !path.exists();
    let path = path.to_owned();
    if is_pattern {
        Input::Sequence(path)
    } else if is_picture(&path) && !effigy_media::is_animation(&path) {
        Input::Picture(path)
    } else {
        Input::Video(path)
    }
}

/// A file whose name says nothing of media, such as `photo` or `clip.mp4.download`.
fn by_content(path: PathBuf) -> Option<Input> {
    match effigy_media::kind_of_content(&path)? {
        Kind::Picture => Some(Input::Picture(path)),
        Kind::Video => Some(Input::Video(path)),
    }
}

fn walk(folder: &Path, depth: u32, inputs: &mut Vec<Input>) -> Result<()> {
    let unreadable = |source| Error::Read {
        source,
        path: folder.to_owned(),
    };
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let mut paths = entries
        .map(|entry| entry.map(|e| e.path()))
        .collect::<std::io::Result<Vec<PathBuf>>>()
        .map_err(unreadable)?;
    paths.sort();
    for path in paths.into_iter().filter(|path| !is_hidden(path)) {
        if path.is_dir() {
            // A link that leads back up would never end.
            if depth > 0 && !path.is_symlink() {
                walk(&path, depth - 1, inputs)?;
            }
        } else if fs::metadata(&path).is_ok_and(|meta| !meta.is_file()) {
            // A pipe or a device: opening it may wait for ever.
        } else if is_picture(&path) || is_video(&path) || is_unread_media(&path) {
            inputs.push(named(&path));
        } else {
            inputs.extend(by_content(path));
        }
    }
    Ok(())
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Whether a file is a single picture: by its content, whatever it is called; by its name where it
/// cannot be opened.
pub(crate) fn is_single_picture(path: &Path) -> bool {
    match effigy_media::kind_of_content(path) {
        Some(kind) => kind == Kind::Picture && !effigy_media::is_animation(path),
        None => is_picture(path),
    }
}

/// What to say of a file that holds more pictures than the one that is read.
pub(crate) fn unread_pictures(info: &Info) -> Option<String> {
    match info.further_pictures {
        0 => None,
        further => Some(format!(
            "Only one of the {} pictures in this file is read; save the others as files of their own.",
            u64::from(further) + 1
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_its_videos_and_pictures_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("more")).unwrap();
        let names = [
            "b.JPG",
            "a.mp4",
            "notes.txt",
            ".hidden.png",
            "more/c.webp",
            "d.psd",
        ];
        for name in names {
            fs::write(at(name), b"").unwrap();
        }
        fs::write(at("e"), b"\x89PNG\r\n\x1a\n").unwrap();
        let inputs = expand(&[folder.path().to_owned()]).unwrap();
        let wanted = [
            Input::Video(at("a.mp4")),
            Input::Picture(at("b.JPG")),
            Input::Video(at("d.psd")),
            Input::Picture(at("e")),
            Input::Picture(at("more/c.webp")),
        ];
        assert_eq!(inputs, wanted);
    }

    #[test]
    fn an_empty_folder_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let refused = expand(&[folder.path().to_owned()]).unwrap_err();
        assert!(matches!(refused, Error::NoInput { path } if path == folder.path()));
    }

    #[test]
    fn a_pattern_is_a_sequence_and_an_unknown_ending_is_tried_as_video() {
        let paths = ["shot-%05d.png", "clip", "face.jpeg"].map(PathBuf::from);
        let inputs = expand(&paths).unwrap();
        let [a, b, c] = paths;
        assert_eq!(
            inputs,
            [Input::Sequence(a), Input::Video(b), Input::Picture(c)]
        );
    }
}
