//! Numbers that tell who somebody is, sealed for one consent.
//!
//! They are personal data: encrypted with AES-256-GCM before they touch a disk, and named in the record
//! only by a salted hash, which says nothing once they are erased.

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, Key, KeyInit as _, Nonce};
use zeroize::Zeroizing;

use crate::consent::Id;
use crate::error::{Error, Result};
use crate::files;

const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;

/// Which network's numbers these are: those of another mean nothing to it. Sealed with them.
#[derive(Clone, Copy)]
pub(super) struct Network {
    /// Its name.
    pub(super) name: &'static [u8],
    /// Names of the networks before it.
    pub(super) earlier: &'static [&'static [u8]],
}

impl Network {
    /// Encrypts `values` for the record `id`; gives the sealed bytes and the salted hash that the record states.
    pub(super) fn seal(self, values: &[f32], key: &[u8; 32], id: &Id) -> Result<(Vec<u8>, String)> {
        let salt = files::random::<SALT_BYTES>()?;
        let mut plain = Zeroizing::new(salt.to_vec());
        plain.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let commitment = effigy_files::sha256(&plain);
        let nonce = files::random::<NONCE_BYTES>()?;
        let payload = Payload {
            msg: &plain,
            aad: &[id.as_str().as_bytes(), self.name].concat(),
        };
        let sealed = cipher(key)
            .encrypt(Nonce::from_slice(&nonce), payload)
            .map_err(|_opaque| Error::NoTemplate { id: id.to_string() })?;
        Ok(([&nonce[..], &sealed].concat(), commitment))
    }

    /// Decrypts what [`Network::seal`] made of `N` values, and compares it with the record's salted hash.
    ///
    /// # Errors
    /// When it was made with other keys, for another record, or by another network.
    pub(super) fn unseal<const N: usize>(
        self,
        sealed: &[u8],
        key: &[u8; 32],
        id: &Id,
        commitment: &str,
    ) -> Result<[f32; N]> {
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
        let Ok(plain) = open(self.name) else {
            let is_old = self.earlier.iter().any(|network| open(network).is_ok());
            return Err(if is_old {
                Error::OldTemplate { id: id.to_string() }
            } else {
                failed()
            });
        };
        let is_whole = plain.len() == SALT_BYTES + 4 * N;
        if !is_whole || effigy_files::sha256(&plain) != commitment {
            return Err(failed());
        }
        let mut values = [0.0; N];
        for (value, bytes) in values.iter_mut().zip(plain[SALT_BYTES..].chunks_exact(4)) {
            *value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        Ok(values)
    }
}

fn cipher(key: &[u8; 32]) -> Aes256Gcm {
    Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: Network = Network {
        name: b"\nnew",
        earlier: &[b"\nold", b""],
    };

    fn id() -> Id {
        Id::from_bytes([7; 8])
    }

    #[test]
    fn sealed_numbers_open_only_with_their_key_and_their_record() {
        let (sealed, commitment) = NETWORK.seal(&[0.1, 0.2], &[1; 32], &id()).unwrap();
        let unseal = |key, id: &Id| NETWORK.unseal::<2>(&sealed, &key, id, &commitment);
        assert_eq!(unseal([1; 32], &id()).unwrap(), [0.1, 0.2]);
        assert!(unseal([2; 32], &id()).is_err());
        assert!(unseal([1; 32], &Id::from_bytes([8; 8])).is_err());
        let three = NETWORK.unseal::<3>(&sealed, &[1; 32], &id(), &commitment);
        assert!(three.is_err());
        let other = NETWORK.unseal::<2>(&sealed, &[1; 32], &id(), "another");
        assert!(other.is_err());
    }

    #[test]
    fn numbers_of_an_earlier_network_are_recognised() {
        for name in NETWORK.earlier {
            let before = Network { name, earlier: &[] };
            let (sealed, commitment) = before.seal(&[0.1], &[1; 32], &id()).unwrap();
            let refused = NETWORK.unseal::<1>(&sealed, &[1; 32], &id(), &commitment);
            let refused = refused.unwrap_err();
            assert!(matches!(refused, Error::OldTemplate { .. }), "{refused}");
        }
    }

    #[test]
    fn sealed_bytes_do_not_show_the_numbers() {
        let values = [0.7_f32, -0.3];
        let (sealed, _) = NETWORK.seal(&values, &[1; 32], &id()).unwrap();
        let plain: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        assert!(!sealed.windows(8).any(|window| window == plain));
    }
}
