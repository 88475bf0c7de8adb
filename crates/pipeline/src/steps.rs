//! What jobs share: reading footage, telling people apart, consent, progress, quality.

pub(crate) mod atomic;
pub(crate) mod best;
pub(crate) mod collage;
pub mod consent;
pub(crate) mod damage;
pub(crate) mod footage;
pub(crate) mod inputs;
pub(crate) mod learning;
pub(crate) mod likeness;
pub(crate) mod making;
pub(crate) mod memory;
pub(crate) mod networks;
pub(crate) mod people;
pub(crate) mod performance;
pub(crate) mod portrait;
pub(crate) mod progress;
pub(crate) mod quality;
pub(crate) mod real;
pub(crate) mod speech;
pub(crate) mod spool;
pub(crate) mod trained;
pub mod voices;
