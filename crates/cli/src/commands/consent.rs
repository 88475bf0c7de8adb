//! `consent`: record, show, check, revoke and list consents.

mod check;
mod new;

use std::path::{Path, PathBuf};

use anyhow::bail;
use effigy_files::{Destination, Original, check_destinations};
use effigy_mark::consent::{Audience, Basis, Record, Standing, Store, Use, read_export};
use effigy_mark::{Keys, UtcTime};
use effigy_pipeline::Choice;

use crate::environment::{self, Force, Place};
use crate::output::{Exit, Output};
use crate::values::input;

/// Record, show, check, revoke and list consents
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Args {
    /// Record that a person agreed
    New(New),
    /// Show a consent, or those in an exported file
    Show(One),
    /// Write consents into one file, to hand on or keep; templates of faces and voices stay here
    Export(ExportArgs),
    /// Say whose consents cover a face model or a clip
    Check(Check),
    /// Take a consent back for good and erase its templates of face and voice
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
    /// Sound, or a clip with sound, in which the person speaks alone, 2 seconds or more: for the use speech,
    /// when it is their voice that is heard; may be repeated
    #[arg(long = "voice", value_name = "FILE", value_parser = input())]
    voices: Vec<PathBuf>,
    /// Pictures or a clip that show the person alone; several, from different days, are surer. Whoever lends
    /// their voice alone needs none
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
        Args::New(new) => new::add(new, now, output),
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
        Args::Check(check) => check::check(check, now, output),
        Args::Revoke(revoke) => {
            let keys = revoke.place.keys(output)?;
            let store = store(&revoke.place, &keys)?;
            if let (Err(_), Some(id)) = (
                store.find(&revoke.who, now),
                store.id_on_record(&revoke.who),
            ) {
                store.revoke(&id, &revoke.reason, now)?;
                output.say(format_args!(
                    "{id} is revoked, though its record cannot be read; its templates of face and voice are erased, so that neither is recognised from now on"
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
                        "{id} of {subject} is revoked; its templates of face and voice are erased, so that neither is recognised from now on"
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
    let known_by = match (&record.template, &record.voice) {
        (Some(_), Some(_)) => "face and voice",
        (Some(_), None) => "face",
        (None, Some(_)) => "voice",
        (None, None) => "nothing",
    };
    format!(
        "consent {}\n  subject   {}\n  basis     {}\n  uses      {}\n  audience  {}\n  \
         from      {}\n  until     {}\n  known by  {known_by}\n  evidence  {evidence}\n  standing  {}",
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
