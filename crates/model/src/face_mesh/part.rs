//! Eyes and lips: which points the mesh network looks at a second time, and where it looks.

use effigy_frame::{Point2, Point3, Rect};

/// One part of the face that is looked at more closely.
pub(super) struct PartPoints {
    /// Its points, in the order in which the network gives them.
    pub(super) contour: &'static [usize],
    /// Points that lie level in the closer view, the right-hand one of the picture last.
    level: [usize; 2],
    /// The first point of the iris, for an eye; four more follow.
    pub(super) iris: Option<usize>,
}

/// Points of the eye's rim, the first of each eye's contour: an iris is as deep as their mean.
pub(super) const N_RIM: usize = 16;

/// What the lips' closer view shows.
pub(super) const LIPS: PartPoints = PartPoints {
    contour: &[
        61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,
        78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,
        76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408,
        62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
    ],
    level: [61, 291],
    iris: None,
};

/// What the eyes' closer views show, the right one first.
pub(super) const EYES: [PartPoints; 2] = [
    PartPoints {
        contour: &[
            33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173, 130, 25,
            110, 24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190, 226, 31, 228, 229, 230,
            231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189, 35, 124, 46, 53, 52, 65, 143,
            111, 117, 118, 119, 120, 121, 128, 245, 156, 70, 63, 105, 66, 107, 55, 193,
        ],
        level: [33, 133],
        iris: Some(468),
    },
    PartPoints {
        contour: &[
            263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398, 359,
            255, 339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414, 446, 261,
            448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442, 441, 413, 265, 353, 276,
            283, 282, 295, 372, 340, 346, 347, 348, 349, 350, 357, 465, 383, 300, 293, 334, 296,
            336, 285, 417,
        ],
        level: [362, 263],
        iris: Some(473),
    },
];

/// Where a part lies in the crop: a level box around its points, one and a half times as large.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    corner: Point2,
    /// From the corner to the next one to the right, and to the next one below.
    across: Point2,
    down: Point2,
}

/// Size of a region, in sizes of the box around its points.
const REGION_SIZES: f32 = 1.5;

impl Region {
    /// The region of a part of the face with these points.
    pub(super) fn around(part: &PartPoints, points: &[Point3]) -> Self {
        let [from, to] = part.level.map(|i| points[i]);
        let turn = (to.y - from.y).atan2(to.x - from.x);
        let (sin, cos) = turn.sin_cos();
        let level = |p: Point3| Point2::new(p.x * cos + p.y * sin, p.y * cos - p.x * sin);
        let bounds = Rect::around(part.contour.iter().map(|&i| level(points[i])));
        let bounds = bounds.unwrap_or_default();
        let (width, height) = (REGION_SIZES * bounds.width, REGION_SIZES * bounds.height);
        let back = |x: f32, y: f32| Point2::new(x * cos - y * sin, x * sin + y * cos);
        let centre = bounds.centre();
        Self {
            corner: back(centre.x - 0.5 * width, centre.y - 0.5 * height),
            across: back(width, 0.0),
            down: back(0.0, height),
        }
    }

    /// Gives the place in the crop of a place in the region, `0..=1`.
    pub(super) fn apply(&self, place: Point2) -> Point2 {
        Point2::new(
            self.corner.x + place.x * self.across.x + place.y * self.down.x,
            self.corner.y + place.x * self.across.y + place.y * self.down.y,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mean_mesh;

    #[test]
    fn a_region_is_level_with_the_eye_and_half_as_large_again() {
        let (sin, cos) = 0.6_f32.sin_cos();
        let tilted: Vec<Point3> = mean_mesh()
            .iter()
            .map(|p| Point3::new(p.x * cos - p.y * sin, p.x * sin + p.y * cos, p.z))
            .collect();
        for part in EYES.iter().chain([&LIPS]) {
            let region = Region::around(part, &tilted);
            let upright = Region::around(part, mean_mesh());
            let (a, b) = (region.across, upright.across);
            assert!((a.x.hypot(a.y) - b.x.hypot(b.y)).abs() < 1e-4);
            let turn = a.y.atan2(a.x) - b.y.atan2(b.x);
            assert!((turn - 0.6).abs() < 1e-4, "{turn}");
            let bounds = Rect::around(part.contour.iter().map(|&i| tilted[i].xy())).unwrap();
            let middle = region.apply(Point2::new(0.5, 0.5));
            let gap = middle.distance(bounds.centre());
            assert!(gap < 0.1 * bounds.width, "{gap} of {bounds:?}");
        }
    }
}
