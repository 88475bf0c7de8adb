//! What there is to train and to measure on, and the actors that are added to it.

pub(crate) mod actors;
pub(crate) mod footage;
pub(crate) mod people;
pub(crate) mod speech;
pub(crate) mod talkers;
