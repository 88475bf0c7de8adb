//! Identity templates: what a consenting person looks like to the identity network.
//!
//! Templates are personal data. They are sealed with AES-256-GCM before they touch a disk, and
//! records name them only by a salted hash, which says nothing once the template is erased.

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, Key, KeyInit as _, Nonce};
use zeroize::Zeroizing;

use crate::consent::Id;
use crate::error::{Error, Result};
use crate::files;

/// Numbers that say which way a face's vector points.
const N_DIRECTIONS: usize = 128;
/// Numbers of an identity: the vector, and how crowded its surroundings are.
pub const IDENTITY_LENGTH: usize = N_DIRECTIONS + 1;
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;
/// Names the identity network whose numbers a template averages: those of another mean nothing to
/// it. Sealed with the template.
const NETWORK: &[u8] = b"\ndlib-resnet-v3";
/// What templates of earlier networks were sealed with.
const EARLIER_NETWORKS: [&[u8]; 3] = [b"\ndlib-resnet-v2", b"\ndlib-resnet-v1", b""];

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
        let salt = files::random::<SALT_BYTES>()?;
        let mut plain = Zeroizing::new(salt.to_vec());
        plain.extend(self.0.iter().flat_map(|value| value.to_le_bytes()));
        let commitment = effigy_files::sha256(&plain);
        let nonce = files::random::<NONCE_BYTES>()?;
        let payload = Payload {
            msg: &plain,
            aad: &[id.as_str().as_bytes(), NETWORK].concat(),
        };
        let sealed = cipher(key)
            .encrypt(Nonce::from_slice(&nonce), payload)
            .map_err(|_opaque| Error::NoTemplate { id: id.to_string() })?;
        Ok(([&nonce[..], &sealed].concat(), commitment))
    }

    /// Decrypts what [`Template::seal`] made and compares it with the record's salted hash.
    ///
    /// # Errors
    /// When it was made with other keys, for another record, or by another identity network.
    pub(super) fn unseal(sealed: &[u8], key: &[u8; 32], id: &Id, commitment: &str) -> Result<Self> {
        let failed = || Error::NoTemplate { id: id.to_string() };
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES).ok_or_else(failed)?;
        let open = |network: &[u8]| {
            let payload = Payload {
                msg: sealed,
                aad: &[id.as_str().as_bytes(), network].concat(),
            };
            cipher(key)
                .decrypt(Nonce::from_slice(nonce), payload)
                .map(Zeroizing::new)
        };
        let Ok(plain) = open(NETWORK) else {
            let is_old = EARLIER_NETWORKS.iter().any(|network| open(network).is_ok());
            return Err(if is_old {
                Error::OldTemplate { id: id.to_string() }
            } else {
                failed()
            });
        };
        let is_whole = plain.len() == SALT_BYTES + 4 * IDENTITY_LENGTH;
        if !is_whole || effigy_files::sha256(&plain) != commitment {
            return Err(failed());
        }
        let mut values = [0.0; IDENTITY_LENGTH];
        for (value, bytes) in values.iter_mut().zip(plain[SALT_BYTES..].chunks_exact(4)) {
            *value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        Ok(Self(values))
    }
}

fn cipher(key: &[u8; 32]) -> Aes256Gcm {
    Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key))
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

    fn id() -> Id {
        Id::from_bytes([7; 8])
    }

    #[test]
    fn template_is_like_the_faces_it_was_made_of() {
        let template = Template::from_faces(&[face(0.7), face(0.7)]).unwrap();
        assert!(template.similarity(&face(0.7)) > 0.999);
        assert!(template.similarity(&face(2.3)) < 0.5);
        assert_eq!(Template::from_faces(&[]), None);
    }

    #[test]
    fn sealed_template_opens_only_with_its_key_and_its_record() {
        let template = Template::from_faces(&[face(0.7)]).unwrap();
        let (sealed, commitment) = template.seal(&[1; 32], &id()).unwrap();
        let unseal = |key, id: &Id| Template::unseal(&sealed, &key, id, &commitment);
        assert_eq!(unseal([1; 32], &id()).unwrap(), template);
        assert!(unseal([2; 32], &id()).is_err());
        assert!(unseal([1; 32], &Id::from_bytes([8; 8])).is_err());
    }

    #[test]
    fn template_of_an_earlier_network_is_recognised() {
        let (plain, id) = ([1_u8; SALT_BYTES + 4 * N_DIRECTIONS], id());
        for network in EARLIER_NETWORKS {
            let payload = Payload {
                msg: &plain,
                aad: &[id.as_str().as_bytes(), network].concat(),
            };
            let nonce = [3; NONCE_BYTES];
            let sealed = cipher(&[1; 32]).encrypt(Nonce::from_slice(&nonce), payload);
            let sealed = [&nonce[..], &sealed.unwrap()].concat();
            let commitment = effigy_files::sha256(&plain);
            let refused = Template::unseal(&sealed, &[1; 32], &id, &commitment).unwrap_err();
            assert!(matches!(refused, Error::OldTemplate { .. }), "{refused}");
        }
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

    #[test]
    fn sealed_bytes_do_not_show_the_template() {
        let template = Template::from_faces(&[face(0.7)]).unwrap();
        let (sealed, _) = template.seal(&[1; 32], &id()).unwrap();
        let first = template.0[0].to_le_bytes();
        let second = template.0[1].to_le_bytes();
        let plain = [first, second].concat();
        assert!(!sealed.windows(8).any(|window| window == plain));
    }
}
