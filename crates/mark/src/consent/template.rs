//! Identity templates: what a consenting person looks like to the identity network.

use crate::consent::Id;
use crate::consent::sealed::Network;
use crate::error::Result;

/// Numbers that say which way a face's vector points.
const N_DIRECTIONS: usize = 128;
/// Numbers of an identity: the vector, and how crowded its surroundings are.
pub const IDENTITY_LENGTH: usize = N_DIRECTIONS + 1;
/// The identity network whose numbers a template averages.
const NETWORK: Network = Network {
    name: b"\ndlib-resnet-v3",
    earlier: &[b"\ndlib-resnet-v2", b"\ndlib-resnet-v1", b""],
};

/// The mean of the identities of a person's faces, whose vectors have length one. Its own is the
/// shorter the more they differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Template([f32; IDENTITY_LENGTH]);

impl Template {
    /// Averages the identity vectors of one person's faces. `None` when there are none, or when
    /// they cancel out.
    pub fn from_faces(faces: &[[f32; IDENTITY_LENGTH]]) -> Option<Self> {
        let (mut sum, mut n) = ([0.0_f32; IDENTITY_LENGTH], 0.0);
        for face in faces {
            let length = norm(face);
            if length.is_finite() && length > f32::MIN_POSITIVE {
                n += 1.0;
                for (total, value) in sum.iter_mut().zip(face) {
                    *total += value;
                }
            }
        }
        let length = norm(&sum);
        (length > 1e-3).then(|| Self(sum.map(|value| value / n)))
    }

    /// Says how alike the person and a face are, up to 1. A vector shorter than one is the mean of
    /// several faces.
    ///
    /// The cosine of the angle between the vectors, less how crowded both surroundings are, less what
    /// averaging brings strangers nearer: the same as the similarity of `effigy_model`'s identities.
    pub fn similarity(&self, face: &[f32; IDENTITY_LENGTH]) -> f32 {
        let (a, b) = (norm(&self.0), norm(face));
        if a * b < f32::MIN_POSITIVE {
            return 0.0;
        }
        let both = self.0[..N_DIRECTIONS].iter().zip(face);
        let dot: f32 = both.map(|(a, b)| a * b).sum();
        let crowding = 0.5 * (self.0[N_DIRECTIONS] + face[N_DIRECTIONS]);
        let nearer = nearer_by_averaging(a) + nearer_by_averaging(b);
        (dot / (a * b) - crowding - nearer).min(1.0)
    }

    /// Says how alike two people are, up to 1.
    pub fn similarity_between(&self, other: &Self) -> f32 {
        self.similarity(&other.0)
    }

    /// Encrypts the template for the record `id`; gives the sealed bytes and the salted hash that
    /// the record states.
    pub(super) fn seal(&self, key: &[u8; 32], id: &Id) -> Result<(Vec<u8>, String)> {
        NETWORK.seal(&self.0, key, id)
    }

    /// Decrypts what [`Template::seal`] made and compares it with the record's salted hash.
    ///
    /// # Errors
    /// When it was made with other keys, for another record, or by another identity network.
    pub(super) fn unseal(sealed: &[u8], key: &[u8; 32], id: &Id, commitment: &str) -> Result<Self> {
        NETWORK.unseal(sealed, key, id, commitment).map(Self)
    }
}

/// How much nearer a mean of this length comes to strangers than one face does: measured for the
/// identity network, `docs/decisions/019-likeness-of-people.md`.
fn nearer_by_averaging(length: f32) -> f32 {
    0.6 * (1.0 - length).clamp(0.0, 0.0225)
}

/// Length of the vector.
fn norm(values: &[f32; IDENTITY_LENGTH]) -> f32 {
    values[..N_DIRECTIONS]
        .iter()
        .map(|value| value * value)
        .sum::<f32>()
        .sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(seed: f32) -> [f32; IDENTITY_LENGTH] {
        let mut face = std::array::from_fn(|i| (seed * (i as f32 + 1.0)).sin());
        face[N_DIRECTIONS] = 0.0;
        face
    }

    #[test]
    fn template_is_like_the_faces_it_was_made_of() {
        let template = Template::from_faces(&[face(0.7), face(0.7)]).unwrap();
        assert!(template.similarity(&face(0.7)) > 0.999);
        assert!(template.similarity(&face(2.3)) < 0.5);
        assert_eq!(Template::from_faces(&[]), None);
    }

    /// The first two directions of a face at this cosine to `(1, 0)`, in crowded surroundings.
    fn along(cosine: f32, crowding: f32) -> [f32; IDENTITY_LENGTH] {
        let mut face = [0.0; IDENTITY_LENGTH];
        (face[0], face[1]) = (cosine, (1.0 - cosine * cosine).sqrt());
        face[N_DIRECTIONS] = crowding;
        face
    }

    #[test]
    fn crowded_faces_and_means_are_less_alike() {
        let template = Template::from_faces(&[along(1.0, 0.0)]).unwrap();
        let alike = |face: &[f32; IDENTITY_LENGTH]| template.similarity(face);
        assert!((alike(&along(0.94, 0.0)) - 0.94).abs() < 1e-6);
        assert!((alike(&along(0.94, 0.02)) - 0.93).abs() < 1e-6);
        let mean = Template::from_faces(&[along(1.0, 0.0), along(0.9, 0.0)]).unwrap();
        let (length, angle) = (norm(&mean.0), mean.0[0] / norm(&mean.0));
        let expected = angle - 0.6 * (1.0 - length).min(0.0225);
        assert!((template.similarity_between(&mean) - expected).abs() < 1e-6);
        let nobody = [0.0; IDENTITY_LENGTH];
        assert_eq!(template.similarity(&nobody), 0.0);
        let broken = [f32::NAN; IDENTITY_LENGTH];
        assert_eq!(Template::from_faces(&[broken]), None);
    }
}
