//! `consent`: record, show, check, revoke and list consents.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use effigy_files::{Destination, Original, check_destinations};
use effigy_mark::consent::{
    Audience, Basis, Covered, Draft, Evidence, Record, Standing, Store, Use, read_export,
};
use effigy_mark::{Keys, UtcTime};
use effigy_pipeline::consent::faces as consents;
use effigy_pipeline::{Choice, Networks};

use crate::environment::{self, Force, Place};
use crate::output::{Exit, Output};
use crate::values::input;
use crate::weights::weights;

/// Record, show, check, revoke and list consents
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Args {
    /// Record that a person agreed
    New(New),
    /// Show a consent, or those in an exported file
    Show(One),
    /// Write consents into one file, to hand on or keep; identity templates stay here
    Export(ExportArgs),
    /// Say whose consents cover a face model or a clip
    Check(Check),
    /// Take a consent back for good and erase its identity template
    Revoke(Revoke),
    /// List all consents
    List {
        #[command(flatten)]
        place: Place,
    },
}

/// What a new consent says.
#[derive(clap::Args, Debug)]
pub(crate) struct New {
    /// Whose face it is
    #[arg(long, value_name = "NAME")]
    subject: String,
    /// Why it may be used: consent, self, estate, public-domain-historical or synthetic
    #[arg(long, default_value = "consent", value_name = "BASIS")]
    basis: Basis,
    /// What may be done: swap, puppet, drive, speech, age, train-detector; may be repeated
    #[arg(long = "use", required = true, value_name = "USE")]
    uses: Vec<Use>,
    /// Who may see the results: private or publish
    #[arg(long, default_value = "private", value_name = "AUDIENCE")]
    audience: Audience,
    /// First day [default: today]
    #[arg(long, value_name = "DATE")]
    from: Option<UtcTime>,
    /// Last day [default: a year from the first]
    #[arg(long, value_name = "DATE")]
    until: Option<UtcTime>,
    /// Signed form or recorded statement, if there is one; its SHA-256 goes into the record, which
    /// says that there is none otherwise. No age is guessed: for a child, the form is that of the
    /// parents
    #[arg(long, value_name = "FILE", value_parser = input())]
    evidence: Option<PathBuf>,
    /// Keep a copy of the evidence beside the record
    #[arg(long, requires = "evidence")]
    keep_evidence: bool,
    /// Pictures or a clip that show the person alone; several, from different days, are surer
    #[arg(value_parser = input(), value_name = "PICTURE")]
    pictures: Vec<PathBuf>,
    /// Where to compute: cpu, gpu or gpu:N
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Choice,
    #[command(flatten)]
    place: Place,
}

/// One consent.
#[derive(clap::Args, Debug)]
pub(crate) struct One {
    /// Identifier of the consent, the subject's name, or an exported file
    who: String,
    #[command(flatten)]
    place: Place,
}

/// What to export.
#[derive(clap::Args, Debug)]
pub(crate) struct ExportArgs {
    /// Identifiers of consents, or subjects' names [default: all]
    who: Vec<String>,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    force: Force,
    #[command(flatten)]
    place: Place,
}

/// What to check.
#[derive(clap::Args, Debug)]
pub(crate) struct Check {
    /// Folder of a face model, or a picture or clip
    #[arg(value_parser = input())]
    path: PathBuf,
    /// Where to compute: cpu, gpu or gpu:N
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Choice,
    #[command(flatten)]
    place: Place,
}

/// What to revoke, and why.
#[derive(clap::Args, Debug)]
pub(crate) struct Revoke {
    /// Identifier of the consent, or the subject's name
    who: String,
    /// Why, for the record
    #[arg(long, default_value = "on request", value_name = "WORDS")]
    reason: String,
    #[command(flatten)]
    place: Place,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> anyhow::Result<Exit> {
    let now = environment::now()?;
    match args {
        Args::New(new) => add(new, now, output),
        Args::Export(export) => self::export(export, now, output),
        Args::Show(one) => {
            let keys = one.place.keys(output)?;
            if Path::new(&one.who).is_file() {
                return show_export(Path::new(&one.who), &keys, now, output);
            }
            let store = store(&one.place, &keys)?;
            let record = store.find(&one.who, now)?;
            output.data(described(&record, store.standing(&record, now)?))?;
            Ok(Exit::Nothing)
        }
        Args::Check(check) => self::check(check, now, output),
        Args::Revoke(revoke) => {
            let keys = revoke.place.keys(output)?;
            let store = store(&revoke.place, &keys)?;
            if let (Err(_), Some(id)) = (
                store.find(&revoke.who, now),
                store.id_on_record(&revoke.who),
            ) {
                store.revoke(&id, &revoke.reason, now)?;
                output.say(format_args!(
                    "{id} is revoked, though its record cannot be read; its identity template is erased"
                ));
                return Ok(Exit::Nothing);
            }
            for record in to_revoke(&store, &revoke.who, now)? {
                let before = store.standing(&record, now);
                store.revoke(&record.id, &revoke.reason, now)?;
                let (id, subject) = (&record.id, &record.subject);
                if let Ok(Standing::Revoked(on)) = before {
                    let day = on.day();
                    output.say(format_args!(
                        "{id} of {subject} was revoked on {day} already"
                    ));
                } else {
                    output.say(format_args!(
                        "{id} of {subject} is revoked; its identity template is erased"
                    ));
                }
            }
            Ok(tell_damaged(&store.list_readable()?.damaged, output))
        }
        Args::List { place } => {
            let keys = place.keys(output)?;
            let store = store(place, &keys)?;
            let listed = store.list_readable()?;
            let mut damaged = listed.damaged;
            for record in &listed.records {
                match store.standing(record, now) {
                    Ok(standing) => output.data(line(record, standing))?,
                    Err(error) => damaged.push(error),
                }
            }
            Ok(tell_damaged(&damaged, output))
        }
    }
}

/// Says what of the register cannot be read; the rest is of use without it.
fn tell_damaged(damaged: &[effigy_mark::Error], output: &mut Output) -> Exit {
    for error in damaged {
        output.say(format_args!("not read: {error}"));
    }
    if damaged.is_empty() {
        Exit::Nothing
    } else {
        Exit::Failed
    }
}

/// The consent that is meant, and, where a person is named, those of theirs that are over or not begun:
/// whoever withdraws leaves no template behind.
fn to_revoke(store: &Store<'_>, who: &str, now: UtcTime) -> anyhow::Result<Vec<Record>> {
    let meant = store.find(who, now)?;
    let mut records = Vec::new();
    for record in store.list_readable()?.records {
        let is_left = record.subject.to_lowercase() == who.to_lowercase()
            && matches!(
                store.standing(&record, now),
                Ok(Standing::Expired | Standing::NotYet)
            );
        if record.id != meant.id && is_left {
            records.push(record);
        }
    }
    records.insert(0, meant);
    Ok(records)
}

fn store<'a>(place: &Place, keys: &'a Keys) -> anyhow::Result<Store<'a>> {
    Ok(Store::open(&place.consents()?, keys))
}

fn add(new: &New, now: UtcTime, output: &mut Output) -> anyhow::Result<Exit> {
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
    let record = match new.pictures.is_empty() {
        true => store.add(&draft, None, now)?,
        false => add_with_pictures(new, &draft, &store, now, output)?,
    };
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

fn export(export: &ExportArgs, now: UtcTime, output: &mut Output) -> anyhow::Result<Exit> {
    let path = &export.output;
    let folders = [
        export.place.folder()?.join("keys"),
        export.place.consents()?,
    ];
    check_destinations(
        &[Destination::File(path.clone())],
        &folders.map(Original::Tree),
        export.force.existing(),
    )?;
    let keys = export.place.keys(output)?;
    let store = store(&export.place, &keys)?;
    let records = if export.who.is_empty() {
        store.list()?
    } else {
        let found = export.who.iter().map(|who| store.find(who, now));
        found.collect::<Result<Vec<_>, _>>()?
    };
    if records.is_empty() {
        bail!("there are no consents to export");
    }
    store.export(&records, path)?;
    let n = records.len();
    let what = if n == 1 { "consent" } else { "consents" };
    output.say(format_args!("{n} {what} in {path:?}"));
    Ok(Exit::Nothing)
}

fn show_export(
    path: &Path,
    keys: &Keys,
    now: UtcTime,
    output: &mut Output,
) -> anyhow::Result<Exit> {
    for consent in read_export(path)? {
        let record = &consent.record;
        let standing = match consent.revoked {
            Some(on) => Standing::Revoked(on),
            None if now < record.from => Standing::NotYet,
            None if record.until < now => Standing::Expired,
            None => Standing::Valid,
        };
        output.data(described(record, standing))?;
        output.data(format_args!(
            "  signed    with the key {}, {}",
            consent.key_id,
            if keys.trusts(&consent.key_id) {
                "which is trusted here"
            } else {
                "which is not known here"
            }
        ))?;
    }
    Ok(Exit::Nothing)
}

/// Records a consent of the person in the pictures. Another person in them would end up in the
/// template.
fn add_with_pictures(
    new: &New,
    draft: &Draft,
    store: &Store<'_>,
    now: UtcTime,
    output: &mut Output,
) -> anyhow::Result<Record> {
    output.say(format_args!("device: {}", new.device));
    let networks = Networks::load(&weights()?, new.device)?;
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
    Ok(consents::record(
        store,
        draft,
        &faces.identities,
        &networks,
        now,
    )?)
}

fn evidence(path: &Path) -> anyhow::Result<Evidence> {
    Evidence::of(path).with_context(|| format!("cannot take {path:?} as evidence"))
}

fn check(check: &Check, now: UtcTime, output: &mut Output) -> anyhow::Result<Exit> {
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

fn line(record: &Record, standing: Standing) -> String {
    format!(
        "{} {}: {}, {}, {}, until {}, {}",
        record.id,
        record.subject,
        record.basis,
        record.uses_in_words(),
        record.audience,
        record.until.day(),
        in_words(standing),
    )
}

fn in_words(standing: Standing) -> String {
    match standing {
        Standing::Valid => "valid".to_owned(),
        Standing::NotYet => "not begun".to_owned(),
        Standing::Expired => "expired".to_owned(),
        Standing::Revoked(on) => format!("revoked on {}", on.day()),
    }
}

fn described(record: &Record, standing: Standing) -> String {
    let evidence = record.evidence.as_ref();
    let evidence = evidence.map_or("none".to_owned(), |e| {
        format!("{}, SHA-256 {}", e.name, e.sha256)
    });
    format!(
        "consent {}\n  subject   {}\n  basis     {}\n  uses      {}\n  audience  {}\n  \
         from      {}\n  until     {}\n  evidence  {evidence}\n  standing  {}",
        record.id,
        record.subject,
        record.basis,
        record.uses_in_words(),
        record.audience,
        record.from,
        record.until,
        in_words(standing),
    )
}
