//! Whom to believe, and when it is.

use crate::utc_time::UtcTime;

/// Whom to believe.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Root certificates, as PEM.
    pub roots_pem: Vec<String>,
    /// The time at which certificates must be valid where no timestamp says when they signed;
    /// `None` leaves it to the system's clock alone.
    pub now: Option<UtcTime>,
}
