//! Files to frames and back.
//!
//! [`probe`] says what a file holds, [`VideoReader`] gives its frames in presentation order,
//! [`read_audio`] its sound ([`AudioReader`] block by block), [`Camera`] what is filmed now, [`VideoWriter`] makes a video and
//! [`write_picture`] a picture. This is the only crate that knows libav. Whatever a file claims is checked against [`Limits`]
//! before memory is asked for; the end of a stream is `None`, damage is an `Err` that says where.

mod animation;
mod audio;
mod boxes;
mod camera;
mod colour;
mod concealed;
mod convert;
mod deadline;
mod declared;
mod decode;
mod deinterlace;
mod encode;
mod error;
mod info;
mod libav;
mod limits;
mod moving;
mod orient;
mod packets;
mod patience;
mod picture;
mod probe;
mod reader;
mod sequence;
mod settings;
mod tone_map;
mod tracks;
mod writer;

pub use audio::{AudioReader, read_audio};
pub use camera::{Camera, Captured, Seen};
pub use colour::{ColourTags, Matrix, Primaries, Range, Transfer};
pub use encode::available_codecs;
pub use error::{Error, Result};
pub use info::{AudioInfo, Info, VideoInfo};
pub use limits::Limits;
pub use moving::is_animation;
pub use orient::Orientation;
pub use packets::{Packet, PacketKind, packets};
pub use patience::read_in_time;
pub use picture::{
    Metadata, Original, jpeg_bytes, kind_of_content, read_original, read_picture, write_copy,
    write_picture,
};
pub use probe::probe;
pub use reader::VideoReader;
pub use sequence::pictures_of;
pub use settings::{Codec, Effort, Sounds, WriteSettings};
pub use tracks::{n_sounds, read_cover, track_notes};
pub use writer::VideoWriter;
