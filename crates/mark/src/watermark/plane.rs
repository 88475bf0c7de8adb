//! Values at canonical size.

/// One value per canonical pixel.
#[derive(Clone, Debug)]
pub(super) struct CanonicalPlane {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) values: Vec<f32>,
}

impl CanonicalPlane {
    pub(super) fn zeros(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            values: vec![0.0; width * height],
        }
    }
}
