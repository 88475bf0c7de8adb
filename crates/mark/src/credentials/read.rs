//! Reading a manifest, ours or another maker's.

use std::io::{Read, Seek};
use std::path::PathBuf;

use c2pa::jumbf_io::load_jumbf_from_stream;
use c2pa::{Context, Manifest, Reader};
use serde_json::json;

use crate::credentials::ingredients::{self, BrokenIngredient};
use crate::credentials::judge::{Evidence, State};
use crate::credentials::padding::padding_is_zero;
use crate::credentials::reason::Reason;
use crate::credentials::trust::Trust;
use crate::credentials::{MAKING, WATERMARK, container};
use crate::foreign::is_synthetic_type;
use crate::utc_time::UtcTime;

/// One thing that was done to a file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Action {
    /// What: `c2pa.edited`, `c2pa.created` …
    pub action: String,
    /// The last word of IPTC's digital source type, where stated.
    pub source_type: Option<String>,
    /// With which program, where stated.
    pub software: Option<String>,
}

/// What the credentials of a file say.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Credentials {
    /// Whether they can be believed.
    pub state: State,
    /// Why not, or not wholly.
    pub reason: Option<Reason>,
    /// What the library said of it, where it said more than a code.
    pub explanation: Option<String>,
    /// Where they are, if not in the file: a `.c2pa` file beside it, or an address.
    pub kept_in: Option<String>,
    /// Who signed, as the certificate says.
    pub signer: Option<String>,
    /// The first and the last second in which the signer's certificate is valid.
    pub signer_valid: Option<(UtcTime, UtcTime)>,
    /// When, where a timestamp or the maker says so.
    pub time: Option<String>,
    /// The program that made the manifest.
    pub generator: Option<String>,
    /// What was done, in order.
    pub actions: Vec<Action>,
    /// Titles of the files it was made from.
    pub ingredients: Vec<String>,
    /// Those of them, and of theirs, whose own credentials do not hold.
    pub broken_ingredients: Vec<BrokenIngredient>,
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
    /// Credentials of which nothing can be read.
    fn unread(state: State, reason: Reason, why: String) -> Self {
        Self {
            state,
            reason: Some(reason),
            explanation: None,
            kept_in: None,
            signer: None,
            signer_valid: None,
            time: None,
            generator: None,
            actions: Vec::new(),
            ingredients: Vec::new(),
            broken_ingredients: Vec::new(),
            synthetic: false,
            watermark: None,
            consents: Vec::new(),
            label: None,
            problems: vec![why],
        }
    }

    fn of_error(error: &c2pa::Error) -> Self {
        match error {
            c2pa::Error::RemoteManifestUrl(url) => Self {
                kept_in: Some(url.clone()),
                problems: Vec::new(),
                ..Self::unread(State::Elsewhere, Reason::Elsewhere, String::new())
            },
            _ => {
                let reason = Reason::of_error(error);
                let state = match reason {
                    Reason::Unsupported => State::Unproven,
                    _ => State::Broken,
                };
                Self::unread(state, reason, error.to_string())
            }
        }
    }
}

/// A `.c2pa` file beside the one that its credentials are for.
#[derive(Clone, Debug)]
pub(crate) struct Sidecar {
    pub(crate) path: PathBuf,
    pub(crate) store: Vec<u8>,
}

/// Reads the manifest in `stream`, or where it has none, the one beside it. `None` when there is
/// neither, nor a reference to one.
pub(crate) fn read(
    media_type: &str,
    mut stream: impl Read + Seek + Send,
    sidecar: Option<&Sidecar>,
    trust: &Trust,
) -> std::io::Result<Option<Credentials>> {
    let inside = match load_jumbf_from_stream(media_type, &mut stream) {
        Ok(store) => Some(store),
        Err(c2pa::Error::JumbfNotFound) => None,
        // The file itself is damaged; without any trace of a manifest it never had one.
        Err(error) => {
            stream.rewind()?;
            let is_trace = container::holds_store(&mut stream)?;
            return Ok(is_trace.then(|| Credentials::of_error(&error)));
        }
    };
    let gap = match &inside {
        Some(store) => {
            stream.rewind()?;
            container::changed(media_type, &mut stream, store)?
                .or_else(|| (!padding_is_zero(store)).then_some("padding.changed"))
        }
        None => None,
    };
    let beside = sidecar.filter(|_| inside.is_none());
    let store = inside.as_ref().or(beside.map(|sidecar| &sidecar.store));
    let read_with = |roots: &[&String]| {
        let reader = reader(roots)?;
        match beside {
            None => reader.with_stream(media_type, &mut stream),
            Some(beside) => {
                reader.with_manifest_data_and_stream(&beside.store, media_type, &mut stream)
            }
        }
    };
    let Some(read) = judged(read_with, store.map(Vec::as_slice), gap, trust) else {
        return Ok(None);
    };
    let kept_in = beside.map(|sidecar| sidecar.path.display().to_string());
    Ok(Some(Credentials {
        kept_in: kept_in.or(read.kept_in),
        ..read
    }))
}

/// Reads with the roots of signers, and where their certificate ran out, with those of authorities
/// too. `None` where there is nothing to read.
fn judged(
    mut read_with: impl FnMut(&[&String]) -> c2pa::Result<Reader>,
    store: Option<&[u8]>,
    gap: Option<&'static str>,
    trust: &Trust,
) -> Option<Credentials> {
    let signers: Vec<&String> = trust.roots_pem.iter().collect();
    let reader = match read_with(&signers) {
        Ok(reader) => reader,
        Err(c2pa::Error::JumbfNotFound) if store.is_none() => return None,
        Err(error) => return Some(Credentials::of_error(&error)),
    };
    let evidence = Evidence {
        reader: &reader,
        of_signers: &reader,
        store: store.unwrap_or_default(),
        gap,
        trust,
    };
    let read = summary(&evidence);
    // A stamp may say that it was signed in time. Authorities are asked for nothing else.
    let authorities = &trust.time_roots_pem;
    let all: Vec<&String> = signers.iter().copied().chain(authorities).collect();
    let again = read.reason == Some(Reason::Expired) && !authorities.is_empty();
    let Some(Ok(dated)) = again.then(|| read_with(&all)) else {
        return Some(read);
    };
    Some(summary(&Evidence {
        reader: &dated,
        ..evidence
    }))
}

/// A reader that touches nothing but the file.
fn reader(roots_pem: &[&String]) -> c2pa::Result<Reader> {
    let mut settings = json!({
        "core": { "allowed_network_hosts": [], "decode_identity_assertions": false },
        "verify": { "remote_manifest_fetch": false, "ocsp_fetch": false },
    });
    if !roots_pem.is_empty() {
        let all: Vec<&str> = roots_pem.iter().map(|pem| pem.as_str()).collect();
        settings["trust"] = json!({ "user_anchors": all.join("\n") });
    }
    Ok(Reader::from_context(
        Context::new().with_settings(settings)?,
    ))
}

fn summary(evidence: &Evidence<'_>) -> Credentials {
    let judged = evidence.judge();
    let reader = evidence.reader;
    let manifest = reader.active_manifest();
    let ours = manifest.and_then(|manifest| assertion(manifest, MAKING));
    let consents = ours
        .and_then(|value| value["consents"].as_array().cloned())
        .unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let broken = manifest.map(|active| ingredients::broken(reader, active, evidence.store));
    let broken = broken.unwrap_or_default();
    let rests_on_broken = (!broken.is_empty()).then_some(Reason::Ingredient);
    Credentials {
        state: judged.state,
        reason: judged.reason.or(rests_on_broken),
        explanation: judged.explanation,
        kept_in: None,
        signer: manifest.and_then(signer),
        signer_valid: judged.valid,
        time: manifest
            .and_then(Manifest::time)
            .or_else(|| ours.and_then(|v| text(&v["time"]))),
        generator: manifest.and_then(generator),
        actions: manifest.map(actions).unwrap_or_default(),
        ingredients: manifest.map(ingredients).unwrap_or_default(),
        broken_ingredients: broken,
        synthetic: manifest.is_some_and(|manifest| is_synthetic(reader, manifest)),
        watermark: manifest.and_then(watermark),
        consents: consents.iter().filter_map(text).collect(),
        label: ours.map(|value| value["label"].clone()),
        problems: judged.problems,
    }
}

fn is_synthetic(reader: &Reader, manifest: &Manifest) -> bool {
    let says_so = |action: Action| action.source_type.as_deref().is_some_and(is_synthetic_type);
    let all = ingredients::manifests(reader, manifest);
    all.into_iter().flat_map(actions).any(says_so)
}

fn ingredients(manifest: &Manifest) -> Vec<String> {
    let all = manifest.ingredients().iter();
    all.map(ingredients::title).collect()
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
