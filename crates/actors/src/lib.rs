//! Actors: people who don't exist, with the truth about every pixel.
//!
//! A plain renderer on the processor; it is a measuring instrument, and the same seeds give the
//! same pictures. Order of the steps: [`head`] (geometry), [`cast`] and [`person`] (who), then for
//! every frame [`perform`] (what they do), [`shoot`] (light and surfaces), [`lens`] (camera), and
//! [`mesh_points`] and [`truth`] (what is known about it). Lengths are centimetres.

mod brows;
mod canvas;
mod cast;
mod clips;
mod film;
mod hair;
mod head;
mod lens;
mod light;
mod mesh_points;
mod noise;
mod perform;
mod person;
mod prop;
mod raster;
mod room;
mod shade;
mod shoot;
mod skin;
mod space;
mod speech;
mod strands;
pub mod truth;
mod wear;

pub use canvas::Canvas;
pub use clips::{Clip, committed};
pub use film::{Set, Shot, film};
pub use head::Head;
pub use mesh_points::Anchors;
pub use speech::{Line, speak};
