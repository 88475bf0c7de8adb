//! `consent check`: whose consents cover a face model or a clip.

use std::path::Path;

use anyhow::Context as _;
use effigy_mark::UtcTime;
use effigy_mark::consent::{Covered, Standing, Store};
use effigy_pipeline::Networks;
use effigy_pipeline::consent::faces as consents;

use super::{Check, line, store, tell_damaged};
use crate::output::{Exit, Output};
use crate::weights::weights;

pub(super) fn check(check: &Check, now: UtcTime, output: &mut Output) -> anyhow::Result<Exit> {
    let keys = check.place.keys(output)?;
    let store = store(&check.place, &keys)?;
    let model = check.path.join("model.json");
    if model.is_file() {
        return check_model(&model, &store, now, output);
    }
    output.say(format_args!("device: {}", check.device));
    let networks = Networks::load(&weights()?, check.device)?;
    let faces = consents::faces_shown(&check.path, &networks, &mut output.progress())?;
    let mut is_covered = !faces.is_empty();
    let templates = store.templates(None, now)?;
    let surely = consents::surely_from(&networks.weights);
    for (number, face) in faces.iter().enumerate() {
        let face_at = format!(
            "face {} (first at {:.1} s, {:.0},{:.0})",
            number + 1,
            face.from_secs,
            face.place.x,
            face.place.y
        );
        if let Some(why) = face.too_little {
            is_covered = false;
            output.data(format_args!(
                "{face_at}: too little to tell who it is: {why}"
            ))?;
            continue;
        }
        let covered = templates.covering(&face.identity.0, surely);
        is_covered &= covered.iter().any(is_valid);
        tell_covering(&face_at, &covered, output)?;
    }
    if faces.is_empty() {
        output.data("no face was found")?;
    }
    let exit = tell_damaged(&templates.unread, output);
    Ok(if is_covered || exit == Exit::Failed {
        exit
    } else {
        Exit::Found
    })
}

fn is_valid(covered: &Covered) -> bool {
    covered.standing == Standing::Valid
}

/// Says which consents cover a face, or the likeliest that no longer does.
fn tell_covering(face: &str, covered: &[Covered], output: &mut Output) -> anyhow::Result<()> {
    let valid: Vec<&Covered> = covered.iter().filter(|covered| is_valid(covered)).collect();
    let told = if valid.is_empty() {
        covered.first().into_iter().collect()
    } else {
        valid
    };
    if told.is_empty() {
        output.data(format_args!("{face}: no consent covers it"))?;
    }
    for covering in told {
        output.data(format_args!(
            "{face}: {} (similarity {:.2})",
            line(&covering.record, covering.standing),
            covering.similarity,
        ))?;
    }
    Ok(())
}

fn check_model(
    model: &Path,
    store: &Store<'_>,
    now: UtcTime,
    output: &mut Output,
) -> anyhow::Result<Exit> {
    let text = std::fs::read_to_string(model).with_context(|| format!("cannot read {model:?}"))?;
    let json: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("not a face model: {model:?}"))?;
    let people = json["people"].as_array().cloned().unwrap_or_default();
    let mut is_covered = !people.is_empty();
    for person in &people {
        let name = person["name"].as_str().unwrap_or("(without name)");
        let consent = person["consent"].as_str().unwrap_or_default();
        match store.find(consent, now) {
            Ok(record) => {
                let standing = store.standing(&record, now)?;
                is_covered &= standing == Standing::Valid;
                output.data(format_args!("{name}: {}", line(&record, standing)))?;
            }
            Err(error) => {
                is_covered = false;
                output.data(format_args!("{name}: {error}"))?;
            }
        }
    }
    Ok(if is_covered {
        Exit::Nothing
    } else {
        Exit::Found
    })
}
