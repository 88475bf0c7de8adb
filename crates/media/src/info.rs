//! What a file holds, as its headers say.

use effigy_frame::Rational;

use crate::colour::ColourTags;
use crate::orient::Orientation;

/// What a media file holds. Everything here is a claim of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// libav's name of the container, `"pictures"` for a sequence or a single picture.
    pub container: String,
    /// Length of the longest stream, if the file says.
    pub duration_secs: Option<f64>,
    /// The moving picture.
    pub video: Option<VideoInfo>,
    /// The sound.
    pub audio: Option<AudioInfo>,
    /// The program or camera that made the file, if it left its name.
    pub creation_tool: Option<String>,
    /// When the file says it was made, as written there.
    pub creation_time: Option<String>,
    /// Pictures beside the one that is read, of the same rank: pages of a TIFF, views of a stereo
    /// camera, pictures of a collection. Previews, masks and gain maps do not count.
    pub further_pictures: u32,
}

/// The moving picture of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoInfo {
    /// libav's name of the codec: `h264`, `hevc`, `vp9`, `av1` …
    pub codec: String,
    /// Columns of the upright picture.
    pub width: u32,
    /// Rows of the upright picture.
    pub height: u32,
    /// Frames per second on average; exact for a constant rate.
    pub frame_rate: Rational,
    /// The lowest rate that can show all frames exactly; differs from `frame_rate` where frames
    /// are left out or the rate varies.
    pub base_rate: Rational,
    /// Seconds per tick of the frames' timestamps.
    pub time_base: Rational,
    /// Number of frames, if the file says.
    pub frames: Option<u64>,
    /// Length, if the file says.
    pub duration_secs: Option<f64>,
    /// How the stored picture is turned upright. Frames from a reader already are.
    pub orientation: Orientation,
    /// Width of a pixel against its height; 1/1 where the file does not say.
    pub pixel_aspect: Rational,
    /// libav's name of the stored pixel format.
    pub pixel_format: String,
    /// Bits per colour value as stored.
    pub bit_depth: u32,
    /// Whether frames are stored as two fields of every other line. Frames from a reader are whole.
    pub interlaced: bool,
    /// Whether pixels can be transparent. Frames show them over black.
    pub alpha: bool,
    /// Range, matrix, primaries and transfer as stated.
    pub colour: ColourTags,
}

/// The first sound of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioInfo {
    /// libav's name of the codec.
    pub codec: String,
    /// Samples per second.
    pub sample_rate_hz: u32,
    /// Channels.
    pub channels: u32,
    /// Length, if the file says.
    pub duration_secs: Option<f64>,
}
