//! What becomes of each stream of a file in another container, and what to say of it.

use std::path::Path;

use ffmpeg_next::codec::Id;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{Stream, media};

use crate::error::Result;
use crate::info::VideoInfo;
use crate::libav;
use crate::limits::Limits;
use crate::patience;
use crate::probe;
use crate::settings::Sounds;

/// What a stream becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Becomes {
    Copied,
    /// Sound that the container cannot hold.
    Aac,
    /// Sound whose channels are mixed to one.
    MonoAac,
    /// Subtitles that the container cannot hold, as text.
    Text,
}

pub(super) struct Plan {
    /// Streams that come along, by their number.
    pub(super) tracks: Vec<(usize, Becomes)>,
    /// What is changed or left out, in words.
    pub(super) notes: Vec<String>,
}

/// Says what of the video `input` is changed or left out when a video called `output` is made from
/// it with [`crate::WriteSettings::tracks_from`], a line for each. Pictures have no tracks.
///
/// # Errors
/// If the file cannot be opened.
pub fn track_notes(input: &Path, output: &Path, limits: &Limits) -> Result<Vec<String>> {
    let format = effigy_files::format_of(output);
    let container = format.and_then(|format| format.container);
    let Some(container) = container else {
        return Ok(Vec::new());
    };
    patience::read(input, limits, move |input, limits, _pulse| {
        if probe::has_no_streams(input) {
            return Ok(Vec::new());
        }
        let opened = libav::open_input(input, limits)?;
        let info = probe::describe(&opened, input, limits)?;
        let mut notes = info.video.as_ref().map_or_else(Vec::new, of_video);
        notes.extend(plan(&opened, container, Sounds::All).notes);
        Ok(notes)
    })
}

/// What the frames lose.
fn of_video(video: &VideoInfo) -> Vec<String> {
    let mut notes = Vec::new();
    if video.interlaced {
        notes.push("interlaced: its fields are made whole frames".to_owned());
    }
    if video.colour.transfer.is_hdr() {
        notes.push("high dynamic range: mapped to the range of ordinary screens".to_owned());
    }
    if video.bit_depth > 8 {
        notes.push(format!("{} bits a colour: 8 are written", video.bit_depth));
    }
    let is_fine = ["444", "422", "rgb", "gbr", "bgr"];
    if is_fine.iter().any(|name| video.pixel_format.contains(name)) {
        notes.push(format!(
            "colours as fine as {}: half as fine each way are written (4:2:0)",
            video.pixel_format
        ));
    }
    if video.alpha {
        notes.push("transparency: transparent parts are written over black".to_owned());
    }
    let (width, height) = (video.width, video.height);
    let [even_width, even_height] = [width, height].map(|side| side.next_multiple_of(2));
    if (width, height) != (even_width, even_height) {
        notes.push(format!(
            "{width} x {height} pixels: {even_width} x {even_height} are written, with an edge \
             doubled, as sides must be even"
        ));
    }
    notes
}

/// How many sounds a file has, of which [`crate::AudioReader`] reads one.
///
/// # Errors
/// If the file cannot be opened.
pub fn n_sounds(input: &Path, limits: &Limits) -> Result<usize> {
    patience::read(input, limits, move |input, limits, _pulse| {
        if probe::has_no_streams(input) {
            return Ok(0);
        }
        let opened = libav::open_input(input, limits)?;
        let sounds = opened.streams().filter(is_sound);
        Ok(sounds.count())
    })
}

fn is_sound(stream: &Stream<'_>) -> bool {
    let parameters = stream.parameters();
    parameters.medium() == media::Type::Audio && parameters.id() != Id::None
}

/// Decides on every stream of `input` but the moving picture.
pub(super) fn plan(input: &Input, container: &str, sounds: Sounds) -> Plan {
    let shown = probe::best_video(input).map(|stream| stream.index());
    let heard = probe::best(input, media::Type::Audio).map(|stream| stream.index());
    let mut plan = Plan {
        tracks: Vec::new(),
        notes: Vec::new(),
    };
    for stream in input.streams().filter(|s| Some(s.index()) != shown) {
        let id = stream.parameters().id();
        match stream.parameters().medium() {
            media::Type::Audio if !is_sound(&stream) => {}
            media::Type::Audio if sounds == Sounds::All => plan.add_sound(&stream, container),
            media::Type::Audio if Some(stream.index()) == heard => {
                plan.tracks.push((stream.index(), Becomes::MonoAac));
            }
            media::Type::Audio => plan
                .notes
                .push(format!("another sound ({}): not kept", id.name())),
            media::Type::Subtitle => plan.add_subtitles(&stream, container),
            media::Type::Video if is_cover(&stream) && holds_cover(container) => {}
            media::Type::Video if is_cover(&stream) => plan.leave("the cover picture", container),
            media::Type::Video => plan.leave(&format!("another video ({})", id.name()), container),
            media::Type::Attachment => plan.leave(&attached(&stream), container),
            media::Type::Data if !is_known_otherwise(&stream) => {
                plan.leave(&format!("a track of data ({})", tag_of(&stream)), container);
            }
            _ => {}
        }
    }
    plan
}

impl Plan {
    fn add_sound(&mut self, stream: &Stream<'_>, container: &str) {
        let id = stream.parameters().id();
        let becomes = if holds_sound(container, id) {
            Becomes::Copied
        } else {
            self.notes.push(format!(
                "sound in {}: {container} cannot hold it, so that it is encoded as AAC",
                id.name()
            ));
            Becomes::Aac
        };
        self.tracks.push((stream.index(), becomes));
    }

    fn add_subtitles(&mut self, stream: &Stream<'_>, container: &str) {
        let id = stream.parameters().id();
        let becomes = match (container, id) {
            ("mp4" | "mov", Id::MOV_TEXT) => Becomes::Copied,
            ("mp4" | "mov", Id::ASS | Id::SSA) => {
                let note = "styled subtitles: only their text is kept";
                self.notes.push(note.to_owned());
                Becomes::Text
            }
            ("mp4" | "mov", Id::SUBRIP | Id::TEXT | Id::WEBVTT) => Becomes::Text,
            ("matroska", id) if id != Id::MOV_TEXT => Becomes::Copied,
            ("webm", Id::WEBVTT) => Becomes::Copied,
            _ => {
                return self.leave(&format!("subtitles in {}", id.name()), container);
            }
        };
        self.tracks.push((stream.index(), becomes));
    }

    fn leave(&mut self, what: &str, container: &str) {
        let note = format!("{what}: not kept, {container} has no place for it");
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// Sound that goes into a container as it is.
fn holds_sound(container: &str, id: Id) -> bool {
    let is_in_mp4 = matches!(
        id,
        Id::AAC | Id::MP2 | Id::MP3 | Id::AC3 | Id::EAC3 | Id::ALAC
    );
    let is_in_mov = matches!(
        id,
        Id::PCM_S16LE
            | Id::PCM_S16BE
            | Id::PCM_S24LE
            | Id::PCM_S24BE
            | Id::PCM_S32LE
            | Id::PCM_S32BE
            | Id::PCM_F32LE
            | Id::PCM_F32BE
    );
    match container {
        "mp4" => is_in_mp4 || id == Id::OPUS || id == Id::DTS,
        "mov" => is_in_mp4 || is_in_mov,
        // Matroska holds everything; what WebM does not is refused by its writer.
        _ => true,
    }
}

/// Cover art is written to MP4 alone.
pub(crate) fn holds_cover(container: &str) -> bool {
    container == "mp4"
}

pub(super) fn is_cover(stream: &Stream<'_>) -> bool {
    stream.disposition().contains(Disposition::ATTACHED_PIC)
}

fn attached(stream: &Stream<'_>) -> String {
    let name = libav::tag(&stream.metadata(), "filename").unwrap_or_default();
    format!("the attached file {name:?}")
}

/// Time codes and the names of chapters come along as such.
fn is_known_otherwise(stream: &Stream<'_>) -> bool {
    matches!(tag_of(stream).as_str(), "tmcd" | "text")
}

/// The source container's name of what a stream holds.
fn tag_of(stream: &Stream<'_>) -> String {
    #[expect(unsafe_code, reason = "ffmpeg-next does not show the tag")]
    // SAFETY: the parameters are valid as long as the stream is.
    let tag = unsafe { (*stream.parameters().as_ptr()).codec_tag };
    let name = tag.to_le_bytes().map(char::from);
    let is_readable = name.iter().all(|c| c.is_ascii_graphic() || *c == ' ');
    if is_readable {
        name.iter().collect()
    } else {
        stream.parameters().id().name().to_owned()
    }
}
