//! Reading a manifest, ours or another maker's.

use std::io::{Read, Seek};

use c2pa::jumbf_io::load_jumbf_from_stream;
use c2pa::{Context, Manifest, Reader, ValidationState};
use serde_json::json;

use crate::credentials::{MAKING, WATERMARK, container};
use crate::foreign::is_synthetic_type;

/// Root certificates that signatures may lead to, as PEM.
#[derive(Clone, Debug, Default)]
pub(crate) struct Anchors(pub(crate) Vec<String>);

/// Whether a manifest can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Intact, with a signer whom this machine trusts.
    Trusted,
    /// Intact, with a signer whom this machine does not know.
    Untrusted,
    /// The file or the manifest was changed after signing.
    Broken,
}

/// One thing that was done to a file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Action {
    /// What: `c2pa.edited`, `c2pa.created` …
    pub action: String,
    /// The last word of IPTC's digital source type, where stated.
    pub source_type: Option<String>,
    /// With which program, where stated.
    pub software: Option<String>,
}

/// What the credentials of a file say.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Credentials {
    /// Whether they can be believed.
    pub state: State,
    /// Who signed, as the certificate says.
    pub signer: Option<String>,
    /// When, where a timestamp or the maker says so.
    pub time: Option<String>,
    /// The program that made the manifest.
    pub generator: Option<String>,
    /// What was done, in order.
    pub actions: Vec<Action>,
    /// Titles of the files it was made from.
    pub ingredients: Vec<String>,
    /// Whether it says that a trained model made all or part of it, now or further back.
    pub synthetic: bool,
    /// The identifier that our watermark should carry.
    pub watermark: Option<String>,
    /// Consents that it rests on, where it is ours.
    pub consents: Vec<String>,
    /// What it says of the visible label, where it is ours.
    pub label: Option<serde_json::Value>,
    /// What does not hold, in C2PA's codes.
    pub problems: Vec<String>,
}

impl Credentials {
    /// A manifest that is there and cannot be read.
    pub(crate) fn broken(reason: &str) -> Self {
        Self {
            state: State::Broken,
            signer: None,
            time: None,
            generator: None,
            actions: Vec::new(),
            ingredients: Vec::new(),
            synthetic: false,
            watermark: None,
            consents: Vec::new(),
            label: None,
            problems: vec![reason.to_owned()],
        }
    }

    /// Says it in words, one finding per line.
    pub(crate) fn in_words(&self) -> Vec<String> {
        let signer = self.signer.as_deref().unwrap_or("an unnamed signer");
        let mut lines = vec![match self.state {
            State::Trusted => {
                format!("credentials: intact, signed by {signer}, who is trusted here")
            }
            State::Untrusted => {
                format!("credentials: intact, signed by {signer}, who is not trusted here")
            }
            State::Broken => format!(
                "credentials: broken ({}): file or manifest was changed after signing",
                self.problems.join(", "),
            ),
        }];
        for action in &self.actions {
            let source = action
                .source_type
                .as_deref()
                .map(|kind| format!(", {kind}"));
            let software = action
                .software
                .as_deref()
                .map(|name| format!(", with {name}"));
            let (source, software) = (source.unwrap_or_default(), software.unwrap_or_default());
            lines.push(format!("done: {}{source}{software}", action.action));
        }
        if !self.ingredients.is_empty() {
            lines.push(format!("made from: {}", self.ingredients.join(", ")));
        }
        if !self.consents.is_empty() {
            lines.push(format!("with consent: {}", self.consents.join(", ")));
        }
        lines
    }
}

/// How far back a manifest's ingredients are followed.
const DEEPEST: usize = 16;

/// Reads the manifest in `stream`. `None` when there is none.
pub(crate) fn read(
    media_type: &str,
    mut stream: impl Read + Seek + Send,
    anchors: &Anchors,
) -> c2pa::Result<Option<Credentials>> {
    let gap = match load_jumbf_from_stream(media_type, &mut stream) {
        Ok(store) => {
            stream.rewind()?;
            container::changed(media_type, &mut stream, &store)?
                .or_else(|| (!padding_is_zero(&store)).then_some("padding.changed"))
        }
        Err(c2pa::Error::JumbfNotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    stream.rewind()?;
    let mut settings = json!({
        "core": { "allowed_network_hosts": [], "decode_identity_assertions": false },
        "verify": { "remote_manifest_fetch": false, "ocsp_fetch": false },
    });
    if !anchors.0.is_empty() {
        settings["trust"] = json!({ "user_anchors": anchors.0.join("\n") });
    }
    let context = Context::new().with_settings(settings)?;
    match Reader::from_context(context).with_stream(media_type, stream) {
        Ok(reader) => Ok(Some(summary(&reader, gap))),
        Err(c2pa::Error::JumbfNotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

fn summary(reader: &Reader, gap: Option<&str>) -> Credentials {
    let manifest = reader.active_manifest();
    let state = match reader.validation_state() {
        _ if gap.is_some() => State::Broken,
        ValidationState::Trusted => State::Trusted,
        ValidationState::Valid => State::Untrusted,
        ValidationState::Invalid => State::Broken,
    };
    let statuses = reader.validation_status().unwrap_or_default();
    let mut problems: Vec<String> = statuses
        .iter()
        .map(|status| status.code().to_owned())
        .collect();
    problems.extend(gap.map(str::to_owned));
    let ours = manifest.and_then(|manifest| assertion(manifest, MAKING));
    let consents = ours
        .and_then(|value| value["consents"].as_array().cloned())
        .unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    Credentials {
        state,
        signer: manifest.and_then(signer),
        time: manifest
            .and_then(Manifest::time)
            .or_else(|| ours.and_then(|v| text(&v["time"]))),
        generator: manifest.and_then(generator),
        actions: manifest.map(actions).unwrap_or_default(),
        ingredients: manifest.map(ingredients).unwrap_or_default(),
        synthetic: manifest.is_some_and(|manifest| is_synthetic(reader, manifest, 0)),
        watermark: manifest.and_then(watermark),
        consents: consents.iter().filter_map(text).collect(),
        label: ours.map(|value| value["label"].clone()),
        problems,
    }
}

/// Whether what the active manifest's COSE signature, the last of the store, does not itself
/// protect is what C2PA puts there, and the room left in it is empty. It is the one place that
/// neither the signature nor a hash covers, so that what changes there would go unseen.
fn padding_is_zero(store: &[u8]) -> bool {
    let starts = (0..store.len())
        .rev()
        .filter(|&at| store[at..].starts_with(&COSE_SIGN1_START));
    let signature = starts
        .filter_map(|at| unprotected_fields(&store[at..]))
        .next();
    signature.is_none_or(|fields| fields.iter().all(|(name, value)| is_usual(name, value)))
}

/// The CBOR tag of `COSE_Sign1` and the head of its array of four (RFC 9052, section 4.2).
const COSE_SIGN1_START: [u8; 2] = [0xD2, 0x84];

type CborFields = Vec<(ciborium::Value, ciborium::Value)>;

/// The fields of a COSE signature that it does not itself protect. `None` when `bytes` start
/// with something else.
fn unprotected_fields(bytes: &[u8]) -> Option<CborFields> {
    let value: ciborium::Value = ciborium::from_reader(bytes).ok()?;
    let (_, inner) = value.into_tag().ok()?;
    let parts = inner.into_array().ok()?;
    parts.into_iter().nth(1)?.into_map().ok()
}

/// What may stand unprotected beside a signature (C2PA specification 2.2, sections 14.5 and 14.6):
/// timestamps and revocation, which are signed themselves, and the certificates, which must fit
/// the signature.
const UNPROTECTED: [&str; 4] = ["sigTst", "sigTst2", "rVals", "x5chain"];

fn is_usual(name: &ciborium::Value, value: &ciborium::Value) -> bool {
    match name.as_text() {
        Some("pad" | "pad2") => {
            let bytes = value.as_bytes();
            bytes.is_some_and(|bytes| bytes.iter().all(|&b| b == 0))
        }
        Some(name) => UNPROTECTED.contains(&name),
        None => name.is_integer(),
    }
}

fn assertion<'a>(manifest: &'a Manifest, label: &str) -> Option<&'a serde_json::Value> {
    let found = manifest
        .assertions()
        .iter()
        .find(|assertion| assertion.label() == label)?;
    found.value().ok()
}

fn signer(manifest: &Manifest) -> Option<String> {
    match (manifest.common_name(), manifest.issuer()) {
        (Some(name), Some(issuer)) if name != issuer => Some(format!("{name}, {issuer}")),
        (Some(name), _) => Some(name),
        (None, issuer) => issuer,
    }
}

fn generator(manifest: &Manifest) -> Option<String> {
    let Some(info) = manifest.claim_generator_info.iter().flatten().next() else {
        return manifest.claim_generator().map(str::to_owned);
    };
    let info = serde_json::to_value(info).ok()?;
    let name = info["name"].as_str()?;
    let version = info["version"].as_str().unwrap_or_default();
    Some(format!("{name} {version}").trim().to_owned())
}

fn actions(manifest: &Manifest) -> Vec<Action> {
    let lists = manifest
        .assertions()
        .iter()
        .filter(|a| a.label().starts_with("c2pa.actions"));
    let values = lists.filter_map(|list| list.value().ok()?["actions"].as_array());
    values.flatten().filter_map(action).collect()
}

fn action(value: &serde_json::Value) -> Option<Action> {
    let source = value["digitalSourceType"].as_str();
    let agent = &value["softwareAgent"];
    let software = agent.as_str().or_else(|| agent["name"].as_str());
    Some(Action {
        action: value["action"].as_str()?.to_owned(),
        source_type: source.map(|uri| last_word(uri).to_owned()),
        software: software.map(str::to_owned),
    })
}

fn last_word(uri: &str) -> &str {
    uri.rsplit('/').next().unwrap_or(uri)
}

fn ingredients(manifest: &Manifest) -> Vec<String> {
    let titles = manifest.ingredients().iter();
    titles
        .map(|ingredient| ingredient.title().unwrap_or("(without title)").to_owned())
        .collect()
}

fn is_synthetic(reader: &Reader, manifest: &Manifest, depth: usize) -> bool {
    let says_so = |action: &Action| action.source_type.as_deref().is_some_and(is_synthetic_type);
    if actions(manifest).iter().any(says_so) {
        return true;
    }
    depth < DEEPEST
        && manifest.ingredients().iter().any(|ingredient| {
            let label = ingredient.active_manifest();
            let older = label.and_then(|label| reader.get_manifest(label));
            older.is_some_and(|older| is_synthetic(reader, older, depth + 1))
        })
}

fn watermark(manifest: &Manifest) -> Option<String> {
    let bindings = manifest
        .assertions()
        .iter()
        .filter(|a| a.label() == "c2pa.soft-binding");
    let ours = bindings
        .filter_map(|binding| binding.value().ok())
        .find(|value| value["alg"].as_str() == Some(WATERMARK))?;
    ours["blocks"][0]["value"].as_str().map(str::to_owned)
}
