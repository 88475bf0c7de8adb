//! Vectors and turns in centimetres: x to the right of the picture, y up, z towards the camera.

use std::ops::{Add, AddAssign, Mul, Neg, Sub};

/// A place, a direction or a colour (red, green, blue in linear light).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct V3 {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) z: f32,
}

/// Makes a vector.
pub(crate) const fn v3(x: f32, y: f32, z: f32) -> V3 {
    V3 { x, y, z }
}

impl V3 {
    pub(crate) const ZERO: Self = v3(0.0, 0.0, 0.0);

    pub(crate) const fn all(s: f32) -> Self {
        v3(s, s, s)
    }

    pub(crate) fn dot(self, o: Self) -> f32 {
        self.x * o.x + self.y * o.y + self.z * o.z
    }

    pub(crate) fn cross(self, o: Self) -> Self {
        v3(
            self.y * o.z - self.z * o.y,
            self.z * o.x - self.x * o.z,
            self.x * o.y - self.y * o.x,
        )
    }

    pub(crate) fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    /// Gives the same direction with length 1; a zero vector stays zero.
    pub(crate) fn unit(self) -> Self {
        self * (1.0 / self.length().max(1e-12))
    }

    /// Multiplies part by part, as light meets a colour.
    pub(crate) fn tint(self, o: Self) -> Self {
        v3(self.x * o.x, self.y * o.y, self.z * o.z)
    }

    pub(crate) fn map(self, f: impl Fn(f32) -> f32) -> Self {
        v3(f(self.x), f(self.y), f(self.z))
    }

    pub(crate) fn mean(self) -> f32 {
        (self.x + self.y + self.z) / 3.0
    }

    pub(crate) fn to_array(self) -> [f32; 3] {
        [self.x, self.y, self.z]
    }
}

impl Add for V3 {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        v3(self.x + o.x, self.y + o.y, self.z + o.z)
    }
}

impl AddAssign for V3 {
    fn add_assign(&mut self, o: Self) {
        *self = *self + o;
    }
}

impl Sub for V3 {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        v3(self.x - o.x, self.y - o.y, self.z - o.z)
    }
}

impl Mul<f32> for V3 {
    type Output = Self;
    fn mul(self, s: f32) -> Self {
        v3(self.x * s, self.y * s, self.z * s)
    }
}

impl Neg for V3 {
    type Output = Self;
    fn neg(self) -> Self {
        self * -1.0
    }
}

/// A turn, as rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Turn([V3; 3]);

impl Turn {
    /// Turns to the left of the picture by `roll`, then up by `pitch`, then to the right by `yaw`,
    /// all in radians.
    pub(crate) fn new(yaw: f32, pitch: f32, roll: f32) -> Self {
        let ((sy, cy), (sp, cp), (sr, cr)) = (yaw.sin_cos(), pitch.sin_cos(), roll.sin_cos());
        let about_y = Self([v3(cy, 0.0, sy), v3(0.0, 1.0, 0.0), v3(-sy, 0.0, cy)]);
        let about_x = Self([v3(1.0, 0.0, 0.0), v3(0.0, cp, sp), v3(0.0, -sp, cp)]);
        let about_z = Self([v3(cr, -sr, 0.0), v3(sr, cr, 0.0), v3(0.0, 0.0, 1.0)]);
        about_y.after(about_x.after(about_z))
    }

    pub(crate) fn apply(&self, p: V3) -> V3 {
        let r = &self.0;
        v3(r[0].dot(p), r[1].dot(p), r[2].dot(p))
    }

    pub(crate) fn inverse(&self) -> Self {
        let r = &self.0;
        Self([
            v3(r[0].x, r[1].x, r[2].x),
            v3(r[0].y, r[1].y, r[2].y),
            v3(r[0].z, r[1].z, r[2].z),
        ])
    }

    /// Gives this turn followed by another.
    pub(crate) fn then(&self, second: &Self) -> Self {
        second.after(*self)
    }

    fn after(&self, first: Self) -> Self {
        let columns = first.inverse().0.map(|column| self.apply(column));
        Self(columns).inverse()
    }
}

/// Mixes `a` and `b`: `a` at 0, `b` at 1.
pub(crate) fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// Mixes two vectors.
pub(crate) fn mix3(a: V3, b: V3, t: f32) -> V3 {
    a + (b - a) * t
}

/// Rises smoothly from 0 at `from` to 1 at `to`; falls when `to` is the smaller.
pub(crate) fn smooth(from: f32, to: f32, x: f32) -> f32 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_and_its_inverse_cancel() {
        let turn = Turn::new(0.4, -0.2, 0.1);
        let p = v3(1.0, 2.0, 3.0);
        assert!((turn.inverse().apply(turn.apply(p)) - p).length() < 1e-5);
        assert!((turn.apply(p) - p).length() > 0.1);
    }

    #[test]
    fn yaw_turns_the_nose_to_the_right_and_pitch_lifts_it() {
        let nose = v3(0.0, 0.0, 1.0);
        assert!(Turn::new(0.3, 0.0, 0.0).apply(nose).x > 0.2);
        assert!(Turn::new(0.0, 0.3, 0.0).apply(nose).y > 0.2);
    }
}
