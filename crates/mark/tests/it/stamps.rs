//! A time authority of the test's own, and what its stamps are worth after the signer's
//! certificate ran out.

use std::fs;

use effigy_mark::keys::{Authority, Timestamps};
use effigy_mark::{
    Credentials, Keys, Policy, Reason, State, Trust, UtcTime, read_credentials,
    write_marked_picture,
};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};

use crate::maker::{in_days, issued};
use crate::marking::{now, picture, studio};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const GENERALIZED_TIME: u8 = 0x18;
const FIRST: u8 = 0xa0; // context-specific, constructed, 0

const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4];

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len();
    let head = match length {
        0..128 => vec![tag, length as u8],
        128..256 => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, content].concat()
}

/// The key and the chain of an authority: its own certificate, then its issuer's.
struct Clockmaker {
    key: SigningKey,
    chain: Vec<Vec<u8>>,
}

fn clockmaker() -> Clockmaker {
    let key = SigningKey::from_slice(&[11; 32]).unwrap();
    let time_stamping = "1.3.6.1.5.5.7.3.8";
    Clockmaker {
        chain: issued("CN=Clock,O=Clocks Ltd", &key, time_stamping, (-3000, 3000)),
        key,
    }
}

impl Clockmaker {
    /// Answers a request (RFC 3161, section 2.4) as if it were `time`.
    fn answer(&self, request: &[u8], time: UtcTime) -> Vec<u8> {
        // The hash is the one octet string of 32 bytes in a request.
        let at = request.windows(2).position(|w| w == [OCTETS, 32]).unwrap();
        let hash = &request[at..at + 34];
        let sha256 = der(SEQUENCE, &[&der(OID, &[SHA256])]);
        let text = time.to_string().replace(['-', ':', 'T'], "");
        let info = der(
            SEQUENCE,
            &[
                &der(INTEGER, &[&[1]]),
                &der(OID, &[&[0x2a, 3, 4]]), // a policy of no importance
                &der(SEQUENCE, &[&sha256, hash]),
                &der(INTEGER, &[&[7]]),
                &der(GENERALIZED_TIME, &[text.as_bytes()]),
            ],
        );
        let own = Certificate::from_der(&self.chain[0])
            .unwrap()
            .tbs_certificate;
        let named = der(
            SEQUENCE,
            &[
                &own.issuer.to_der().unwrap(),
                &own.serial_number.to_der().unwrap(),
            ],
        );
        let signature: DerSignature = self.key.sign(&info);
        let algorithm = der(SEQUENCE, &[&der(OID, &[ECDSA_WITH_SHA256])]);
        let signer = der(
            SEQUENCE,
            &[
                &der(INTEGER, &[&[1]]),
                &named,
                &sha256,
                &algorithm,
                &der(OCTETS, &[signature.as_bytes()]),
            ],
        );
        let content = der(FIRST, &[&der(OCTETS, &[&info])]);
        let signed = der(
            SEQUENCE,
            &[
                &der(INTEGER, &[&[3]]),
                &der(SET, &[&sha256]),
                &der(SEQUENCE, &[&der(OID, &[TST_INFO]), &content]),
                &der(FIRST, &[&self.chain.concat()]),
                &der(SET, &[&signer]),
            ],
        );
        let token = der(
            SEQUENCE,
            &[&der(OID, &[SIGNED_DATA]), &der(FIRST, &[&signed])],
        );
        der(
            SEQUENCE,
            &[&der(SEQUENCE, &[&der(INTEGER, &[&[0]])]), &token],
        )
    }

    /// How it is asked, with its clock set to `time`.
    fn at(self, time: UtcTime) -> Timestamps {
        Timestamps::new(CLOCK, move |request| Ok(self.answer(request, time)))
    }
}

#[test]
fn stamped_output_holds_after_the_certificate_ran_out() {
    let studio = studio();
    let folder = studio.keys_folder();
    let timestamps = clockmaker().at(now());
    let name = studio.keys.set_time_authority(&Authority {
        url: "http://clock.example",
        timestamps: &timestamps,
        roots_pem: None,
    });
    assert!(name.unwrap().contains("Clock"));
    assert_eq!(
        Keys::time_authority(&folder).unwrap(),
        "http://clock.example"
    );
    let (stamped, plain) = (studio.path("stamped.png"), studio.path("plain.png"));
    let token = studio.token();
    let stamping = Keys::open(&folder).unwrap().with_timestamps(timestamps);
    for (path, keys) in [(&stamped, &stamping), (&plain, &studio.keys)] {
        let policy = Policy {
            keys,
            ..studio.policy()
        };
        write_marked_picture(path, picture(300, 200, 0), &token, &policy).unwrap();
    }
    let read = |path, days, time_roots_pem| -> Credentials {
        let trust = Trust {
            roots_pem: vec![studio.keys.root_pem().to_owned()],
            time_roots_pem,
            now: Some(in_days(days)),
        };
        read_credentials(path, &trust).unwrap().unwrap()
    };
    let in_three_years = 3 * 365;
    let roots = Keys::time_roots(&folder);
    assert_eq!(read(&plain, 0, roots.clone()).state, State::Trusted);
    let late = read(&plain, in_three_years, roots.clone());
    assert_eq!(
        (late.state, late.reason),
        (State::Unproven, Some(Reason::Expired))
    );
    let late = read(&stamped, in_three_years, roots);
    assert_eq!(
        (late.state, late.reason),
        (State::Trusted, None),
        "{late:?}"
    );
    // A clock that nobody trusts proves nothing.
    let late = read(&stamped, in_three_years, Vec::new());
    assert_eq!(late.reason, Some(Reason::Expired));
}

#[test]
fn authority_is_believed_about_the_time_and_nothing_else() {
    let studio = studio();
    let path = studio.path("out.png");
    let (token, policy) = (studio.token(), studio.policy());
    write_marked_picture(&path, picture(300, 200, 0), &token, &policy).unwrap();
    let trust = Trust {
        time_roots_pem: vec![studio.keys.root_pem().to_owned()],
        ..Trust::default()
    };
    let read = read_credentials(&path, &trust).unwrap().unwrap();
    assert_eq!(read.state, State::Untrusted);
}

const CLOCK: &str = "http://clock.example";

#[test]
fn authority_that_gives_no_stamp_is_not_chosen() {
    let studio = studio();
    let silent = Timestamps::new(CLOCK, |_| Err(std::io::Error::other("on strike")));
    let confused = Timestamps::new(CLOCK, |_| Ok(b"<html>".to_vec()));
    for (timestamps, why) in [
        (silent, "on strike"),
        (confused, "did not answer with a stamp"),
    ] {
        let refused = studio.keys.set_time_authority(&Authority {
            url: CLOCK,
            timestamps: &timestamps,
            roots_pem: None,
        });
        let error = refused.unwrap_err().to_string();
        assert!(
            error.contains(why) && error.contains("clock.example"),
            "{error}"
        );
    }
    assert_eq!(Keys::time_authority(&studio.keys_folder()), None);
}

#[test]
fn outputs_of_a_renewed_signer_and_of_the_one_before_are_trusted() {
    let studio = studio();
    let token = studio.token();
    let (before, after) = (studio.path("before.png"), studio.path("after.png"));
    write_marked_picture(&before, picture(300, 200, 0), &token, &studio.policy()).unwrap();
    let renewed = studio.keys.renew(now()).unwrap();
    let policy = Policy {
        keys: &renewed,
        ..studio.policy()
    };
    write_marked_picture(&after, picture(300, 200, 0), &token, &policy).unwrap();
    let trust = Trust {
        roots_pem: Keys::public_roots(&studio.keys_folder()),
        ..Trust::default()
    };
    for path in [before, after] {
        let read = read_credentials(&path, &trust).unwrap().unwrap();
        assert_eq!(read.state, State::Trusted);
    }
    assert!(fs::exists(studio.keys_folder().join("signer-2.key")).unwrap());
}
