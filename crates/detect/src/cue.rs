//! The cues, one file each.
//!
//! A cue is a struct that takes sights in order and keeps a few numbers a second; `finish` makes
//! a [`crate::Finding`] of them. A cue that cannot judge says why and gives no score.
