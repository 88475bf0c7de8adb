//! One floating-point value per pixel: masks, maps and single channels.

/// A grid of values, rows from the top.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl Plane {
    /// Wraps `values`.
    ///
    /// # Panics
    /// If the length is not `width * height`.
    pub fn new(width: usize, height: usize, values: Vec<f32>) -> Self {
        assert_eq!(
            values.len(),
            width * height,
            "wrong number of values for {width}x{height}"
        );
        Self {
            width,
            height,
            values,
        }
    }

    /// Makes a plane of one value.
    pub fn filled(width: usize, height: usize, value: f32) -> Self {
        Self::new(width, height, vec![value; width * height])
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The values, rows from the top.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The values, to be changed in place.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The value at column `x`, row `y`.
    ///
    /// # Panics
    /// If the place is outside the plane.
    pub fn get(&self, x: usize, y: usize) -> f32 {
        assert!(x < self.width, "column {x} is outside the plane");
        self.values[y * self.width + x]
    }
}
