//! Actors: people who don't exist, with the truth about every pixel.
//!
//! A plain renderer on the processor; it is a measuring instrument, and the same seeds give the
//! same pictures. A [`Clip`] says who plays what. [`Set::new`] dresses its actors (the head, their
//! looks and costume) and lights its room; [`Set::shot`] draws a frame: what everyone does now,
//! light and surfaces, hair, lens, and what is known of all that. [`film`] makes the whole clip and
//! writes its [`truth`] beside it. Lengths are centimetres.

mod brows;
mod canvas;
mod cast;
mod clips;
pub mod demo;
mod error;
mod film;
pub mod geometry;
mod hair;
mod head;
mod lens;
mod light;
mod lighting;
mod mesh_points;
mod noise;
mod perform;
mod person;
mod prop;
mod raster;
mod room;
mod set;
mod shade;
mod shoot;
mod skin;
mod space;
mod speech;
mod strands;
mod stranger;
mod track;
pub mod truth;
mod wear;

pub use canvas::Canvas;
pub use clips::{Clip, committed};
pub use error::{Error, Result};
pub use film::{FilmSettings, film};
pub use head::Head;
pub use set::{Done, Set, Shot};
pub use speech::{Line, Phoneme, Voice};
pub use stranger::N_ACTS;
