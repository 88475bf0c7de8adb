//! What a picture is: pixels, colour, time and geometry.
//!
//! Everything else in effigy speaks in these types. Pictures are 8-bit R'G'B', full range, rows
//! from the top, no padding. Coordinates are in pixels; the centre of the first pixel is
//! `(0.5, 0.5)`. This crate does no input or output and depends on nothing.

pub mod colour;
pub mod geometry;
pub mod picture;
pub mod plane;
pub mod resample;
pub mod time;

pub use geometry::{Point2, Point3, Rect, Similarity};
pub use picture::{Frame, Picture};
pub use plane::Plane;
pub use time::{Rational, TimeRange, Timestamp};
