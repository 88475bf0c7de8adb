//! Other makers' credentials: signed with any certificate, at any time, in any form.

use std::fs::File;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use c2pa::{Builder, BuilderIntent, Context, DigitalSourceType, SigningAlg};
use ciborium::Value;
use effigy_mark::UtcTime;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, Signature, SigningKey};
use p256::pkcs8::EncodePublicKey as _;
use serde_json::json;
use x509_cert::builder::{Builder as _, CertificateBuilder, Profile};
use x509_cert::der::asn1::{ObjectIdentifier, UtcTime as DerUtcTime};
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{Encode as _, EncodePem as _};
use x509_cert::ext::pkix::ExtendedKeyUsage;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::{Time, Validity};

use crate::marking::now;

/// What a maker's certificate says, and how it signs.
#[derive(Clone)]
pub(crate) struct Maker {
    pub(crate) subject: &'static str,
    /// Days from now on which its certificate begins and ends.
    pub(crate) days: (i64, i64),
    pub(crate) key_use: &'static str,
    pub(crate) key: LeafKey,
    /// Number of the algorithm in COSE that it claims.
    pub(crate) algorithm: i64,
    pub(crate) store: Kept,
}

/// What signs claims.
#[derive(Clone)]
pub(crate) enum LeafKey {
    P256(SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

/// Where the credentials go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    Inside,
    Beside,
    At(&'static str),
}

/// The root that issued the certificates of all makers.
const ROOT_KEY: [u8; 32] = [7; 32];
/// `id-kp-emailProtection`, as most makers have it.
pub(crate) const EMAIL: &str = "1.3.6.1.5.5.7.3.4";
const ES256: i64 = -7;

impl Maker {
    pub(crate) fn usual() -> Self {
        Self {
            subject: "CN=Camera 7,O=Cameras Ltd",
            days: (-30, 30),
            key_use: EMAIL,
            key: LeafKey::P256(SigningKey::from_slice(&[9; 32]).unwrap()),
            algorithm: ES256,
            store: Kept::Inside,
        }
    }

    /// Signs `input` into `output`; `title` goes into the manifest. Gives the store of manifests.
    pub(crate) fn sign(&self, input: &Path, output: &Path, parent: Option<&Path>) -> Vec<u8> {
        let settings = json!({
            "builder": { "thumbnail": { "enabled": false } },
            "verify": { "verify_after_sign": false, "remote_manifest_fetch": false },
        });
        let context = Context::new().with_settings(settings).unwrap();
        let mut builder = Builder::from_context(context);
        match parent {
            Some(parent) => {
                builder.set_intent(BuilderIntent::Edit);
                let ingredient = json!({ "title": "parent", "relationship": "parentOf" });
                let format = c2pa::format_from_path(parent).unwrap();
                let mut file = File::open(parent).unwrap();
                builder
                    .add_ingredient_from_stream(ingredient.to_string(), &format, &mut file)
                    .unwrap();
            }
            None => {
                builder.set_intent(BuilderIntent::Create(DigitalSourceType::DigitalCapture));
            }
        }
        match self.store {
            Kept::Inside => {}
            Kept::Beside => {
                builder.set_no_embed(true);
            }
            Kept::At(url) => {
                builder.set_remote_url(url);
                builder.set_no_embed(true);
            }
        }
        let format = c2pa::format_from_path(input).unwrap();
        let mut written = Cursor::new(Vec::new());
        let store = builder
            .sign(self, &format, &mut File::open(input).unwrap(), &mut written)
            .unwrap();
        std::fs::write(output, written.into_inner()).unwrap();
        store
    }

    /// The leaf and the root, as DER.
    fn chain(&self) -> Vec<Vec<u8>> {
        let public = match &self.key {
            LeafKey::P256(key) => key.verifying_key().to_public_key_der().unwrap(),
            LeafKey::Ed25519(key) => key.verifying_key().to_public_key_der().unwrap(),
        };
        chain_for(self.subject, public.as_bytes(), self.key_use, self.days)
    }

    /// The root that a verifier would have to trust, as PEM.
    pub(crate) fn root_pem(&self) -> String {
        use x509_cert::der::Decode as _;
        let root = x509_cert::Certificate::from_der(&self.chain()[1]).unwrap();
        root.to_pem(LineEnding::LF).unwrap()
    }
}

/// A certificate for `key`, and that of the root of makers, which issued it, as DER.
pub(crate) fn issued(
    subject: &str,
    key: &SigningKey,
    key_use: &str,
    days: (i64, i64),
) -> Vec<Vec<u8>> {
    let public = key.verifying_key().to_public_key_der().unwrap();
    chain_for(subject, public.as_bytes(), key_use, days)
}

fn chain_for(subject: &str, public: &[u8], key_use: &str, days: (i64, i64)) -> Vec<Vec<u8>> {
    let root = SigningKey::from_slice(&ROOT_KEY).unwrap();
    let name = Name::from_str("CN=Root of makers,O=Makers").unwrap();
    let profile = Profile::Leaf {
        issuer: name.clone(),
        enable_key_agreement: false,
        enable_key_encipherment: false,
    };
    let subject = Name::from_str(subject).unwrap();
    let uses = ExtendedKeyUsage(vec![ObjectIdentifier::new_unwrap(key_use)]);
    let leaf = certificate(profile, subject, public, days, Some(uses));
    let public = root.verifying_key().to_public_key_der().unwrap();
    let root = certificate(Profile::Root, name, public.as_bytes(), (-3650, 3650), None);
    vec![leaf, root]
}

fn certificate(
    profile: Profile,
    subject: Name,
    public: &[u8],
    days: (i64, i64),
    uses: Option<ExtendedKeyUsage>,
) -> Vec<u8> {
    let root = SigningKey::from_slice(&ROOT_KEY).unwrap();
    let time = |days| {
        let secs = now().plus_days(days).unix_secs() as u64;
        Time::UtcTime(DerUtcTime::from_unix_duration(Duration::from_secs(secs)).unwrap())
    };
    let validity = Validity {
        not_before: time(days.0),
        not_after: time(days.1),
    };
    let serial = SerialNumber::from(41_u32);
    let public = SubjectPublicKeyInfoOwned::try_from(public).unwrap();
    let mut builder =
        CertificateBuilder::new(profile, serial, validity, subject, public, &root).unwrap();
    if let Some(uses) = uses {
        builder.add_extension(&uses).unwrap();
    }
    builder.build::<DerSignature>().unwrap().to_der().unwrap()
}

/// Bytes that a signature takes up, whatever its certificates are.
const RESERVED: usize = 8000;

impl c2pa::Signer for Maker {
    fn sign(&self, claim: &[u8]) -> c2pa::Result<Vec<u8>> {
        let chain = self.chain().into_iter().map(Value::Bytes).collect();
        let protected = encoded(&Value::Map(vec![
            (1.into(), self.algorithm.into()),
            (33.into(), Value::Array(chain)),
        ]));
        let signed = encoded(&Value::Array(vec![
            "Signature1".into(),
            Value::Bytes(protected.clone()),
            Value::Bytes(Vec::new()),
            Value::Bytes(claim.to_vec()),
        ]));
        let signature = match &self.key {
            LeafKey::P256(key) => {
                let signature: Signature = key.sign(&signed);
                signature.to_vec()
            }
            LeafKey::Ed25519(key) => key.sign(&signed).to_vec(),
        };
        let whole = |pad: usize| {
            let pad = (Value::from("pad"), Value::Bytes(vec![0; pad]));
            let parts = vec![
                Value::Bytes(protected.clone()),
                Value::Map(vec![pad]),
                Value::Null,
                Value::Bytes(signature.clone()),
            ];
            encoded(&Value::Tag(18, Box::new(Value::Array(parts))))
        };
        let n_padding = RESERVED - whole(256).len() + 256;
        Ok(whole(n_padding))
    }

    fn alg(&self) -> SigningAlg {
        match self.key {
            LeafKey::P256(_) => SigningAlg::Es256,
            LeafKey::Ed25519(_) => SigningAlg::Ed25519,
        }
    }

    fn certs(&self) -> c2pa::Result<Vec<Vec<u8>>> {
        Ok(self.chain())
    }

    fn reserve_size(&self) -> usize {
        RESERVED
    }

    fn direct_cose_handling(&self) -> bool {
        true
    }
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

/// A folder with a drawn picture to sign.
pub(crate) struct Camera(tempfile::TempDir);

impl Camera {
    pub(crate) fn new() -> Self {
        let camera = Self(tempfile::tempdir().unwrap());
        for name in ["plain.png", "plain.jpg"] {
            #[expect(clippy::disallowed_methods, reason = "a drawn picture of nobody")]
            effigy_media::write_picture(&camera.path(name), &crate::marking::picture(200, 160, 0))
                .unwrap();
        }
        camera
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Signs the drawn picture; gives the path of the signed one.
    pub(crate) fn take(&self, maker: &Maker) -> PathBuf {
        let path = self.path("signed.jpg");
        maker.sign(&self.path("plain.jpg"), &path, None);
        path
    }
}

/// As far from now as makers' certificates reach.
pub(crate) fn in_days(days: i64) -> UtcTime {
    now().plus_days(days)
}
