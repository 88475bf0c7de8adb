//! A known person, whom faces are compared with.

use effigy_model::Identity;
use effigy_model::weights::Threshold;

/// Whom faces are compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// Whose face it is.
    pub identity: Identity,
    /// When a face counts as theirs.
    pub threshold: Threshold,
    /// How they move, where the references show it for long enough; see
    /// [`crate::motion::signature`].
    pub motion: Option<Vec<f32>>,
}
