//! Whom to believe, and when it is.

use crate::utc_time::UtcTime;

/// Whom to believe.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Trust {
    /// Root certificates, as PEM.
    pub roots_pem: Vec<String>,
    /// Root certificates of authorities that are believed about the time, and nothing else, as PEM.
    pub time_roots_pem: Vec<String>,
    /// The time at which certificates must be valid where no timestamp says when they signed;
    /// `None` leaves it to the system's clock alone.
    pub now: Option<UtcTime>,
}
