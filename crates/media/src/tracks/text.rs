//! Subtitles as the plain text of MP4: 3GPP TS 26.245, a length of two bytes and UTF-8.

use effigy_frame::Rational;
use ffmpeg_next::codec::Id;
use ffmpeg_next::format::context::Output;
use ffmpeg_next::packet::Mut as _;
use ffmpeg_next::{Packet, encoder, ffi};

use super::{Stop, write_packet};

/// How text is shown where it says nothing else (section 5.16): white, below, in the middle.
const DESCRIPTION: &[u8] = b"\0\0\0\0\x01\xff\0\0\0\0\0\0\0\0\0\0\0\0\
    \0\0\0\0\0\x01\0\x12\xff\xff\xff\xff\0\0\0\x12ftab\0\x01\0\x01\x05Serif";

/// Times are written in milliseconds.
const BASE: Rational = Rational { num: 1, den: 1000 };

/// Text on its way.
pub(super) struct TextTrack {
    kind: Id,
    /// When the last text ends, if nothing has taken its place yet.
    shown_until: Option<i64>,
}

/// Adds a stream for text.
pub(super) fn add_stream(output: &mut Output) -> Result<usize, ffmpeg_next::Error> {
    let mut stream = output.add_stream(encoder::find(Id::None))?;
    stream.set_time_base((BASE.num, BASE.den));
    let n_bytes = DESCRIPTION.len();
    #[expect(unsafe_code, reason = "ffmpeg-next cannot describe text")]
    // SAFETY: the parameters belong to the stream, which `output` keeps; libav wants the
    // description in memory of its own with zeros behind it, and frees it.
    unsafe {
        let parameters = stream.parameters().as_mut_ptr();
        let padding = ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
        let memory = ffi::av_mallocz(n_bytes + padding).cast::<u8>();
        if memory.is_null() {
            return Err(ffmpeg_next::Error::Unknown);
        }
        std::ptr::copy_nonoverlapping(DESCRIPTION.as_ptr(), memory, n_bytes);
        (*parameters).codec_type = ffi::AVMediaType::AVMEDIA_TYPE_SUBTITLE;
        (*parameters).codec_id = ffi::AVCodecID::AV_CODEC_ID_MOV_TEXT;
        (*parameters).extradata = memory;
        (*parameters).extradata_size = n_bytes as i32;
    }
    Ok(stream.index())
}

impl TextTrack {
    pub(super) fn new(kind: Id) -> Self {
        Self {
            kind,
            shown_until: None,
        }
    }

    /// Writes the text of a packet whose times are in `base`.
    pub(super) fn write(
        &mut self,
        packet: &Packet,
        base: Rational,
        to: usize,
        output: &mut Output,
    ) -> Result<(), Stop> {
        let Some(start) = packet.pts().or(packet.dts()) else {
            return Ok(());
        };
        let millis = |ticks: i64| crate::libav::rescale(ticks, base, BASE);
        let end = millis(start.saturating_add(packet.duration().max(0)));
        let start = millis(start).max(0);
        let text = plain(self.kind, packet.data().unwrap_or_default());
        if end <= start || text.is_empty() {
            return Ok(());
        }
        self.clear(start, to, output)?;
        self.shown_until = Some(end);
        write_packet(sample(&text, start, end), BASE, to, output)
    }

    /// Ends the last text.
    pub(super) fn finish(&mut self, to: usize, output: &mut Output) -> Result<(), Stop> {
        self.clear(i64::MAX, to, output)
    }

    /// Shows nothing from the end of the last text to `until`: a sample lasts until the next one.
    fn clear(&mut self, until: i64, to: usize, output: &mut Output) -> Result<(), Stop> {
        match self.shown_until.take() {
            Some(end) if end < until => {
                let until = until.min(end.saturating_add(1));
                write_packet(sample("", end, until), BASE, to, output)
            }
            _ => Ok(()),
        }
    }
}

fn sample(text: &str, start: i64, end: i64) -> Packet {
    let length = (text.len() as u16).to_be_bytes();
    let mut packet = Packet::copy(&[&length[..], text.as_bytes()].concat());
    packet.set_pts(Some(start));
    packet.set_dts(Some(start));
    packet.set_duration(end - start);
    #[expect(unsafe_code, reason = "ffmpeg-next sets flags one by one")]
    // SAFETY: the packet is ours.
    unsafe {
        (*packet.as_mut_ptr()).flags |= ffi::AV_PKT_FLAG_KEY;
    }
    packet
}

/// The words of a subtitle without what styles them.
fn plain(kind: Id, content: &[u8]) -> String {
    let content = String::from_utf8_lossy(content);
    let text = match kind {
        // Eight fields come before the text, which may hold commas itself.
        Id::ASS | Id::SSA => {
            let text = content.splitn(9, ',').nth(8).unwrap_or_default();
            let text = without(text, '{', '}');
            text.replace("\\N", "\n")
                .replace("\\n", "\n")
                .replace("\\h", " ")
        }
        _ => {
            let text = without(&content, '<', '>');
            text.replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&nbsp;", " ")
                .replace("&amp;", "&")
        }
    };
    let text = text.replace("\r\n", "\n");
    let text = text.trim_matches(['\n', '\0', ' ']);
    // The length has two bytes.
    let end = (0..=text.len().min(usize::from(u16::MAX)))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    text[..end.unwrap_or(0)].to_owned()
}

/// `text` without what stands between `open` and `close`. An `open` that is never closed is text.
fn without(text: &str, open: char, close: char) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        let Some((_, behind)) = after.split_once(close) else {
            break;
        };
        kept += before;
        rest = behind;
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_go_and_words_stay() {
        for (kind, content, words) in [
            (Id::SUBRIP, "<i>Good</i> day,\r\nAda\n", "Good day,\nAda"),
            (Id::SUBRIP, "2 < 3", "2 < 3"),
            (Id::WEBVTT, "<v Ben>Salt &amp; light", "Salt & light"),
            (
                Id::ASS,
                "0,0,Default,,0,0,0,,{\\b1}Yes,{\\b0} no\\Nmaybe",
                "Yes, no\nmaybe",
            ),
            (Id::ASS, "too few, fields", ""),
        ] {
            assert_eq!(plain(kind, content.as_bytes()), words);
        }
    }

    #[test]
    fn text_fits_its_length_at_a_whole_letter() {
        let long = "ä".repeat(40_000);
        let text = plain(Id::SUBRIP, long.as_bytes());
        assert_eq!(text.len(), 65_534);
    }
}
