//! `consent new`: a record of the person in the pictures, and what speaks against it.

use std::path::Path;

use anyhow::{Context as _, bail};
use effigy_mark::UtcTime;
use effigy_mark::consent::{Basis, Draft, Evidence, Record, Standing, Store, VoiceTemplate};
use effigy_pipeline::consent::{self, KnownBy, faces as consents, voices::subject_voice};
use effigy_pipeline::{Identity, Networks, Weights, sound};

use super::{New, described, store};
use crate::output::{Exit, Output};
use crate::weights::weights;

pub(super) fn add(new: &New, now: UtcTime, output: &mut Output) -> anyhow::Result<Exit> {
    let keys = new.place.keys(output)?;
    let from = new.from.unwrap_or(now);
    let draft = Draft {
        subject: new.subject.clone(),
        basis: new.basis,
        uses: new.uses.clone(),
        audience: new.audience,
        from,
        until: new
            .until
            .unwrap_or_else(|| from.plus_days(365))
            .end_of_day(),
        evidence: new.evidence.as_deref().map(evidence).transpose()?,
    };
    draft.check()?;
    if draft.until < now {
        bail!(
            "the consent would be over already, on {}; choose a later --until",
            draft.until.day()
        );
    }
    if new.basis == Basis::Oneself {
        refuse_stale_clips(new, now)?;
    }
    let store = store(&new.place, &keys)?;
    let weights = weights()?;
    let faces = faces_of(new, &weights, output)?;
    let voice = voice_of(new, &weights, output)?;
    let known_by = KnownBy {
        faces: &faces,
        voice: voice.as_ref(),
    };
    let record = consent::record(&store, &draft, known_by, &weights, now)?;
    if let Some(path) = new.evidence.as_deref().filter(|_| new.keep_evidence) {
        let kept = store.keep_evidence(&record, path)?;
        output.say(format_args!("the evidence is kept in {kept:?}"));
    }
    output.data(described(&record, store.standing(&record, now)?))?;
    if record.evidence.is_none() && new.basis != Basis::Synthetic {
        output.say(
            "no evidence was recorded: keep the form that the person signed, for a child the parents'; to have \
             it named in the record, revoke this consent and record it again with --evidence FILE",
        );
    }
    warn_of_namesakes(&record, &store, now, output)?;
    warn_of_likenesses(&record, &store, now, output)?;
    Ok(Exit::Nothing)
}

/// Says so where another consent of the same name holds, too: the name is not enough then.
fn warn_of_namesakes(
    record: &Record,
    store: &Store<'_>,
    now: UtcTime,
    output: &mut Output,
) -> anyhow::Result<()> {
    let name = record.subject.to_lowercase();
    let mut others = Vec::new();
    for other in store.list_readable()?.records {
        if other.id == record.id || other.subject.to_lowercase() != name {
            continue;
        }
        match store.standing(&other, now) {
            Ok(Standing::Valid | Standing::NotYet) => others.push(other.id.to_string()),
            Ok(Standing::Revoked(on)) => output.say(format_args!(
                "note: {} took the consent {} back on {}; make sure that they agreed anew",
                record.subject,
                other.id,
                on.day(),
            )),
            Ok(Standing::Expired) | Err(_) => {} // `list` and `check` tell of damage
        }
    }
    if !others.is_empty() {
        output.say(format_args!(
            "note: {} has other consents on record, {}; where several cover a use, name one by its \
             identifier, or take the others back with `effigy consent revoke`",
            record.subject,
            others.join(", "),
        ));
    }
    Ok(())
}

/// Says so where the same face is on record under another name: one of the two is wrong, or the two are
/// as alike as twins.
fn warn_of_likenesses(
    record: &Record,
    store: &Store<'_>,
    now: UtcTime,
    output: &mut Output,
) -> anyhow::Result<()> {
    let least = consents::surely_from(&weights()?);
    let templates = store.templates(None, now)?;
    for other in templates.alike(record, least) {
        output.say(format_args!(
            "note: the face of {} is also on record as {} ({}); if the name or the pictures are wrong, take \
             this one back with `effigy consent revoke {}`",
            record.subject, other.subject, other.id, record.id,
        ));
    }
    Ok(())
}

fn refuse_stale_clips(new: &New, now: UtcTime) -> anyhow::Result<()> {
    for input in &new.pictures {
        if consents::is_fresh_clip(input, now)? {
            return Ok(());
        }
    }
    bail!(
        "the basis \"self\" asks for a fresh clip: film yourself for two seconds or more, today, \
         and name the file"
    )
}

/// The faces of the person in the pictures. Another person in them would end up in the template.
fn faces_of(new: &New, weights: &Weights, output: &mut Output) -> anyhow::Result<Vec<Identity>> {
    if new.pictures.is_empty() {
        return Ok(Vec::new());
    }
    output.say(format_args!("device: {}", new.device));
    let networks = Networks::load(weights, new.device)?;
    let faces = consents::subject_faces(&new.pictures, &networks, &mut output.progress())?;
    if let Some(first) = faces.others.first() {
        let others = match faces.others.len() {
            1 => "another person is seen as well,".to_owned(),
            n => format!("{n} other people are seen as well, the first"),
        };
        bail!(
            "{others} in {first:?}; give pictures that show {} alone",
            new.subject,
        );
    }
    Ok(faces.identities)
}

fn voice_of(
    new: &New,
    weights: &Weights,
    output: &mut Output,
) -> anyhow::Result<Option<VoiceTemplate>> {
    if new.voices.is_empty() {
        return Ok(None);
    }
    let networks = sound::Networks::load(weights)?;
    let scale = weights.voice_scale();
    let voice = subject_voice(&new.voices, &networks, &scale, &mut output.progress())?;
    Ok(Some(voice))
}

fn evidence(path: &Path) -> anyhow::Result<Evidence> {
    Evidence::of(path).with_context(|| format!("cannot take {path:?} as evidence"))
}
