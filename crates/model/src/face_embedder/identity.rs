//! Who a face is, in numbers, and how alike two faces are.

/// Numbers that say which way a face's vector points.
pub const N_DIRECTIONS: usize = 128;
/// How many numbers an identity has: the vector, and then how crowded its surroundings are.
pub const N_IDENTITY: usize = N_DIRECTIONS + 1;

/// Who a face is: a vector of length one; or who some faces are: the mean of their vectors. The last
/// number says how much nearer strangers lie to it than to most faces.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity(pub [f32; N_IDENTITY]);

impl Identity {
    /// Scales `values` to length one, in surroundings that are crowded as usual; `None` when they are
    /// all zero or not finite.
    pub fn from_values(values: [f32; N_DIRECTIONS]) -> Option<Self> {
        let length = values.iter().map(|v| v * v).sum::<f32>().sqrt();
        (length.is_finite() && length > 0.0).then(|| {
            let value = |i: usize| values.get(i).map_or(0.0, |v| v / length);
            Self(std::array::from_fn(value))
        })
    }

    /// Gives the vector alone.
    pub fn direction(&self) -> &[f32] {
        &self.0[..N_DIRECTIONS]
    }

    /// How much nearer strangers lie than usual.
    fn crowding(&self) -> f32 {
        self.0[N_DIRECTIONS]
    }

    pub(super) fn with_crowding(mut self, crowding: f32) -> Self {
        self.0[N_DIRECTIONS] = crowding;
        self
    }

    /// Says how alike two faces are, up to 1: the cosine of the angle between their vectors, less how
    /// crowded both surroundings are, less what averaging brings strangers nearer. One threshold
    /// holds for faces and for means of many.
    ///
    /// Numbers from the same file of weights only can be compared. `effigy_mark`'s templates compare
    /// in the same way.
    pub fn similarity(&self, other: &Self) -> f32 {
        let (a, b) = (self.dot(self).sqrt(), other.dot(other).sqrt());
        if a * b < f32::MIN_POSITIVE {
            return 0.0;
        }
        let crowding = 0.5 * (self.crowding() + other.crowding());
        let nearer = nearer_by_averaging(a) + nearer_by_averaging(b);
        (self.dot(other) / (a * b) - crowding - nearer).min(1.0)
    }

    fn dot(&self, other: &Self) -> f32 {
        let both = self.direction().iter().zip(other.direction());
        both.map(|(a, b)| a * b).sum()
    }

    /// Averages several identities of one person; `None` when there are none or they cancel out.
    ///
    /// The mean is not scaled to length one: the more its faces differ, the shorter it is, and
    /// [`Identity::similarity`] takes that into account.
    pub fn mean<'a>(identities: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let (mut sum, mut n) = ([0.0; N_IDENTITY], 0.0);
        for identity in identities {
            for (s, v) in sum.iter_mut().zip(&identity.0) {
                *s += v;
            }
            n += 1.0;
        }
        let mean = Self(sum.map(|s: f32| s / n));
        (mean.dot(&mean) > 1e-6).then_some(mean)
    }
}

/// How much nearer a mean of faces comes to strangers than one face does: all vectors lie in one
/// corner of their space, and what differs from picture to picture cancels out in a mean.
///
/// `length` is the mean's. With these two numbers, the similarities that one in 100, 1000 and 10,000
/// pairs of strangers reach are the same within 0.003 for means of one, two and four pictures; see
/// `docs/decisions/019-likeness-of-people.md`.
fn nearer_by_averaging(length: f32) -> f32 {
    const PER_LENGTH: f32 = 0.6;
    /// What is missing of length one where many pictures were averaged.
    const MOST_MISSING: f32 = 0.0225;
    PER_LENGTH * (1.0 - length).clamp(0.0, MOST_MISSING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn along(cosine: f32) -> Identity {
        let mut values = [0.0; N_DIRECTIONS];
        (values[0], values[1]) = (cosine, (1.0 - cosine * cosine).sqrt());
        Identity::from_values(values).unwrap()
    }

    #[test]
    fn a_mean_is_nearer_by_less_than_its_angle_says() {
        let (a, b) = (along(1.0), along(0.94));
        assert!((a.similarity(&b) - 0.94).abs() < 1e-6);
        let mean = Identity::mean([&a, &b]).unwrap();
        let of_angle = a.dot(&mean) / mean.dot(&mean).sqrt();
        assert!(a.similarity(&mean) < of_angle);
        assert!(a.similarity(&mean) > 0.94, "two pictures say more than one");
        // Of the same picture twice nothing is learned.
        let twice = Identity::mean([&a, &a]).unwrap();
        assert!((b.similarity(&twice) - 0.94).abs() < 1e-6);
    }

    #[test]
    fn crowded_faces_are_less_alike() {
        let (a, b) = (along(1.0), along(0.94).with_crowding(0.02));
        assert!((a.similarity(&b) - 0.93).abs() < 1e-6);
        assert!(b.similarity(&b) < a.similarity(&a));
    }

    #[test]
    fn what_is_no_vector_is_nobodys() {
        assert_eq!(Identity::from_values([0.0; N_DIRECTIONS]), None);
        let mut broken = [1.0; N_DIRECTIONS];
        broken[7] = f32::NAN;
        assert_eq!(Identity::from_values(broken), None);
        let nobody = Identity([0.0; N_IDENTITY]);
        assert_eq!(along(1.0).similarity(&nobody), 0.0);
    }

    #[test]
    fn mean_of_opposites_is_refused() {
        let a = along(1.0);
        let b = Identity(a.0.map(|v| -v));
        assert_eq!(Identity::mean([&a, &b]), None);
        assert_eq!(Identity::mean([&a, &a]), Some(a));
    }
}
