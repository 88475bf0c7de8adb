//! Points, boxes and the transforms between coordinate spaces.
//!
//! A transform is named for where it leads: `a_from_b` takes a point in `b` to the same point in
//! `a`, so that neighbouring names match in a product: `frame_from_crop.of(crop_from_mesh)`.

/// A place in a picture, in pixels; the centre of the first pixel is `(0.5, 0.5)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point2 {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

/// A place with depth. `z` has the scale of `x` and grows away from the camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point3 {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
    /// Away from the camera, relative.
    pub z: f32,
}

impl Point2 {
    /// Makes a point.
    pub fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// Gives the distance to `other`.
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// Gives the point half-way to `other`.
    pub fn midpoint(self, other: Self) -> Self {
        Self::new(0.5 * (self.x + other.x), 0.5 * (self.y + other.y))
    }
}

impl Point3 {
    /// Makes a point.
    pub fn new(x: f32, y: f32, z: f32) -> Self {
        Self { x, y, z }
    }

    /// Drops the depth.
    pub fn xy(self) -> Point2 {
        Point2::new(self.x, self.y)
    }
}

/// An upright box, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl Rect {
    /// Gives the smallest box around `points`, or `None` when there are none.
    pub fn around(points: impl IntoIterator<Item = Point2>) -> Option<Self> {
        let mut points = points.into_iter();
        let first = points.next()?;
        let (mut low, mut high) = (first, first);
        for point in points {
            low = Point2::new(low.x.min(point.x), low.y.min(point.y));
            high = Point2::new(high.x.max(point.x), high.y.max(point.y));
        }
        Some(Self {
            x: low.x,
            y: low.y,
            width: high.x - low.x,
            height: high.y - low.y,
        })
    }

    /// Gives the middle.
    pub fn centre(self) -> Point2 {
        Point2::new(self.x + 0.5 * self.width, self.y + 0.5 * self.height)
    }

    /// Gives the area, zero for an inside-out box.
    pub fn area(self) -> f32 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    /// Gives the share of the union that both boxes cover, `0..=1`.
    pub fn iou(self, other: Self) -> f32 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        let shared = width.max(0.0) * height.max(0.0);
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }
}

/// A turn, one scale for both axes, and a shift: `x' = a·x − b·y + tx`, `y' = b·x + a·y + ty`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    /// Scale times cosine.
    pub a: f32,
    /// Scale times sine.
    pub b: f32,
    /// Shift to the right.
    pub tx: f32,
    /// Shift downwards.
    pub ty: f32,
}

impl Similarity {
    /// The transform that changes nothing.
    pub const IDENTITY: Self = Self {
        a: 1.0,
        b: 0.0,
        tx: 0.0,
        ty: 0.0,
    };

    /// Makes a transform from a scale, a turn in radians (clockwise on the screen) and where the
    /// point `from` shall land.
    pub fn about(from: Point2, to: Point2, scale: f32, turn_radians: f32) -> Self {
        let (a, b) = (scale * turn_radians.cos(), scale * turn_radians.sin());
        Self {
            a,
            b,
            tx: to.x - a * from.x + b * from.y,
            ty: to.y - b * from.x - a * from.y,
        }
    }

    /// Fits the transform that takes `from` to `to` with the least squared error.
    ///
    /// Umeyama, "Least-squares estimation of transformation parameters between two point
    /// patterns", PAMI 1991, section III, in two dimensions and without reflection. `None` when
    /// there are fewer than two points, the lists differ in length, or all of `from` coincide.
    pub fn fit(from: &[Point2], to: &[Point2]) -> Option<Self> {
        if from.len() < 2 || from.len() != to.len() {
            return None;
        }
        let (mean_from, mean_to) = (mean(from), mean(to));
        let (mut spread, mut dot, mut cross) = (0.0_f64, 0.0_f64, 0.0_f64);
        for (f, t) in from.iter().zip(to) {
            let (fx, fy) = (f64::from(f.x - mean_from.x), f64::from(f.y - mean_from.y));
            let (tx, ty) = (f64::from(t.x - mean_to.x), f64::from(t.y - mean_to.y));
            spread += fx * fx + fy * fy;
            dot += fx * tx + fy * ty;
            cross += fx * ty - fy * tx;
        }
        if spread <= f64::EPSILON {
            return None;
        }
        let (a, b) = ((dot / spread) as f32, (cross / spread) as f32);
        let tx = mean_to.x - a * mean_from.x + b * mean_from.y;
        let ty = mean_to.y - b * mean_from.x - a * mean_from.y;
        Some(Self { a, b, tx, ty })
    }

    /// Takes a point across.
    pub fn apply(self, point: Point2) -> Point2 {
        Point2::new(
            self.a * point.x - self.b * point.y + self.tx,
            self.b * point.x + self.a * point.y + self.ty,
        )
    }

    /// Takes a point with depth across; depth is scaled, not turned.
    pub fn apply3(self, point: Point3) -> Point3 {
        let flat = self.apply(point.xy());
        Point3::new(flat.x, flat.y, point.z * self.scale())
    }

    /// Gives the scale.
    pub fn scale(self) -> f32 {
        self.a.hypot(self.b)
    }

    /// Gives the turn in radians, clockwise on the screen.
    pub fn turn_radians(self) -> f32 {
        self.b.atan2(self.a)
    }

    /// Gives the way back. `None` when everything was squeezed into one point.
    pub fn inverse(self) -> Option<Self> {
        let square = self.a * self.a + self.b * self.b;
        if square <= f32::MIN_POSITIVE {
            return None;
        }
        let (a, b) = (self.a / square, -self.b / square);
        Some(Self {
            a,
            b,
            tx: -(a * self.tx - b * self.ty),
            ty: -(b * self.tx + a * self.ty),
        })
    }

    /// Chains two: `a_from_b.of(b_from_c)` is `a_from_c`.
    pub fn of(self, first: Self) -> Self {
        let shift = self.apply(Point2::new(first.tx, first.ty));
        Self {
            a: self.a * first.a - self.b * first.b,
            b: self.b * first.a + self.a * first.b,
            tx: shift.x,
            ty: shift.y,
        }
    }
}

fn mean(points: &[Point2]) -> Point2 {
    let n = points.len() as f64;
    let x: f64 = points.iter().map(|p| f64::from(p.x)).sum();
    let y: f64 = points.iter().map(|p| f64::from(p.y)).sum();
    Point2::new((x / n) as f32, (y / n) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: Point2, b: Point2) -> bool {
        a.distance(b) < 1e-3 // pixels: far below what any step resolves
    }

    #[test]
    fn fit_recovers_a_known_similarity() {
        let known = Similarity::about(Point2::new(3.0, 4.0), Point2::new(50.0, 60.0), 1.7, 0.4);
        let from = [
            Point2::new(0.0, 0.0),
            Point2::new(10.0, 0.0),
            Point2::new(3.0, 8.0),
        ];
        let to = from.map(|p| known.apply(p));
        let fitted = Similarity::fit(&from, &to).unwrap();
        for p in from {
            assert!(close(fitted.apply(p), known.apply(p)));
        }
        assert!((fitted.turn_radians() - 0.4).abs() < 1e-5);
    }

    #[test]
    fn fit_refuses_points_that_coincide() {
        let same = [Point2::new(2.0, 2.0); 3];
        assert_eq!(Similarity::fit(&same, &same), None);
    }

    #[test]
    fn inverse_leads_back() {
        let there = Similarity::about(Point2::new(9.0, -4.0), Point2::new(5.0, 6.0), 0.3, -1.0);
        let back = there.inverse().unwrap();
        let p = Point2::new(12.0, 34.0);
        assert!(close(back.of(there).apply(p), p));
        assert!(close(back.apply(there.apply(p)), p));
    }

    #[test]
    fn iou_of_half_overlap_is_a_third() {
        let a = Rect {
            x: 0.0,
            y: 0.0,
            width: 2.0,
            height: 2.0,
        };
        let b = Rect { x: 1.0, ..a };
        assert!((a.iou(b) - 1.0 / 3.0).abs() < 1e-6);
        assert!(a.iou(Rect { x: 5.0, ..a }) < 1e-6);
    }
}
