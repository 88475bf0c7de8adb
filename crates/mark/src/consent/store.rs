//! The folder that holds consents: `ID.jws`, its sealed templates, and its revocation if any.

use std::fs;
use std::path::{Path, PathBuf};

use crate::consent::record::VERSION;
use crate::consent::templates::Templates;
use crate::consent::{Audience, Draft, Id, Likeness, Record, Use, jws};
use crate::error::{Error, Result};
use crate::files::{self, Readers};
use crate::keys::Keys;
use crate::log::{Event, Log};
use crate::utc_time::UtcTime;

/// Consents on disk. Every record that leaves the store had its signature verified.
pub struct Store<'a> {
    folder: PathBuf,
    pub(super) keys: &'a Keys,
}

/// The status of a consent at a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It holds.
    Valid,
    /// It begins later.
    NotYet,
    /// It is over.
    Expired,
    /// It was taken back then.
    Revoked(UtcTime),
}

/// The consents on record.
#[derive(Debug, Default)]
pub struct Listed {
    /// Those that can be read, oldest first.
    pub records: Vec<Record>,
    /// What is wrong with the others.
    pub damaged: Vec<Error>,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Revocation {
    pub(super) id: Id,
    pub(super) on: UtcTime,
    reason: String,
}

/// A recorded statement may be a video of some minutes.
const LARGEST_EVIDENCE: u64 = 2 << 30;
pub(super) const RECORD: &str = "effigy-consent";
pub(super) const REVOCATION: &str = "effigy-revocation";

impl<'a> Store<'a> {
    /// Opens the folder; it is made when the first consent is written.
    pub fn open(folder: &Path, keys: &'a Keys) -> Self {
        Self {
            folder: folder.to_owned(),
            keys,
        }
    }

    /// Signs and keeps a consent. A synthetic person must neither look nor sound like anybody real on record:
    /// `likeness` says from which similarity on they do. Whoever lends their voice alone is tied to no face.
    ///
    /// # Errors
    /// When it is not valid, there is no template, somebody on record has the synthetic person's
    /// face or voice, or it cannot be written.
    pub fn add(&self, draft: &Draft, likeness: &Likeness<'_>, now: UtcTime) -> Result<Record> {
        draft.check()?;
        self.check_likeness(draft, likeness)?;
        let id = Id::from_bytes(files::random()?);
        files::make_private_folder(&self.folder)?;
        let (face, voice) = self.seal_likeness(&id, likeness)?;
        let draft = draft.clone();
        let record = Record {
            version: VERSION,
            id,
            subject: draft.subject.trim().to_owned(),
            basis: draft.basis,
            uses: draft.uses,
            audience: draft.audience,
            from: draft.from,
            until: draft.until,
            evidence: draft.evidence,
            template: face,
            voice,
            issued: now,
        };
        let token = jws::sign(self.keys, RECORD, &record)?;
        files::write(
            &self.path(&record.id, "jws"),
            token.as_bytes(),
            Readers::Owner,
        )?;
        Log::of(self.keys).append(
            Event::Consented {
                consent: record.id.to_string(),
            },
            now,
        )?;
        Ok(record)
    }

    /// Lists all consents, oldest first.
    ///
    /// # Errors
    /// When the folder cannot be read or any record in it was tampered with.
    pub fn list(&self) -> Result<Vec<Record>> {
        let Listed { records, damaged } = self.list_readable()?;
        damaged.into_iter().next().map_or(Ok(records), Err)
    }

    /// Lists the consents, and apart from them what was tampered with.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list_readable(&self) -> Result<Listed> {
        let mut listed = Listed::default();
        if !self.folder.is_dir() {
            return Ok(listed);
        }
        let read_error = |source| Error::Read {
            source,
            path: self.folder.clone(),
        };
        for entry in fs::read_dir(&self.folder).map_err(read_error)? {
            let path = entry.map_err(read_error)?.path();
            if path.extension().is_some_and(|extension| extension == "jws") {
                match self.read(&path) {
                    Ok(record) => listed.records.push(record),
                    Err(error) => listed.damaged.push(error),
                }
            }
        }
        let by_age = |a: &Record, b: &Record| (a.issued, &a.id).cmp(&(b.issued, &b.id));
        listed.records.sort_by(by_age);
        Ok(listed)
    }

    /// Finds a consent by its identifier or its subject's name. Among several of one name, those
    /// that hold at `now` come first.
    ///
    /// # Errors
    /// When there is none, or more than one holds.
    pub fn find(&self, who: &str, now: UtcTime) -> Result<Record> {
        only(who, self.named(who, now)?)
    }

    /// Finds the consent of `who` to a use: of several that hold, the one that covers it. Where none does, gives
    /// the latest, whose check says why.
    ///
    /// # Errors
    /// When there is none, or more than one covers it.
    pub fn find_for(
        &self,
        who: &str,
        now: UtcTime,
        usage: Use,
        audience: Audience,
    ) -> Result<Record> {
        let mut records = self.named(who, now)?;
        let covers = |record: &Record| record.covers(usage, audience);
        if records.iter().any(covers) {
            records.retain(covers);
        } else {
            records.drain(..records.len().saturating_sub(1));
        }
        only(who, records)
    }

    /// The consents of one name: those that hold at `now`, or where none does, the latest.
    fn named(&self, who: &str, now: UtcTime) -> Result<Vec<Record>> {
        let named = |record: &Record| {
            record.id.as_str() == who || record.subject.to_lowercase() == who.to_lowercase()
        };
        let Listed { records, damaged } = self.list_readable()?;
        let mut records: Vec<Record> = records.into_iter().filter(named).collect();
        // Whoever is meant may be in one that cannot be read.
        if let (true, Some(error)) = (records.is_empty(), damaged.into_iter().next()) {
            return Err(error);
        }
        if records.len() > 1 {
            let mut valid = Vec::new();
            for record in &records {
                if self.standing(record, now)? == Standing::Valid {
                    valid.push(record.clone());
                }
            }
            if valid.is_empty() {
                records.drain(..records.len() - 1); // the latest says why nothing holds
            } else {
                records = valid;
            }
        }
        Ok(records)
    }

    /// Says where a consent stands at `now`.
    ///
    /// # Errors
    /// When there is a revocation that cannot be read: it counts as damage, not as absent.
    pub fn standing(&self, record: &Record, now: UtcTime) -> Result<Standing> {
        let path = self.path(&record.id, "revoked");
        if path.exists() {
            return self.revoked_on(&record.id, &path).map(Standing::Revoked);
        }
        Ok(if now < record.from {
            Standing::NotYet
        } else if now > record.until {
            Standing::Expired
        } else {
            Standing::Valid
        })
    }

    /// The identifier `who`, where a consent of it is on record, readable or not.
    pub fn id_on_record(&self, who: &str) -> Option<Id> {
        let id = Id::try_from(who.to_owned()).ok()?;
        (self.path(&id, "jws").exists() || self.has_likeness(&id)).then_some(id)
    }

    /// Takes a consent back for good and erases the templates. The record may be damaged.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn revoke(&self, id: &Id, reason: &str, now: UtcTime) -> Result<()> {
        let path = self.path(id, "revoked");
        if self.revoked_on(id, &path).is_err() || !path.exists() {
            let revocation = Revocation {
                id: id.clone(),
                on: now,
                reason: reason.to_owned(),
            };
            let token = jws::sign(self.keys, REVOCATION, &revocation)?;
            files::write(&path, token.as_bytes(), Readers::Owner)?;
            Log::of(self.keys).append(
                Event::Revoked {
                    consent: id.to_string(),
                },
                now,
            )?;
        }
        self.erase_likeness(id)
    }

    /// When a consent was revoked.
    fn revoked_on(&self, id: &Id, path: &Path) -> Result<UtcTime> {
        let token = files::read_text(path)?;
        let revocation: Revocation = jws::open(self.keys, REVOCATION, &token, path)?;
        if revocation.id != *id {
            return Err(Error::Forged {
                reason: "revokes another consent",
                path: path.to_owned(),
            });
        }
        Ok(revocation.on)
    }

    /// Opens the templates of all consents to `usage`, or to anything. One that cannot be opened does not
    /// hide the others.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn templates(&self, usage: Option<Use>, now: UtcTime) -> Result<Templates> {
        let Listed { records, damaged } = self.list_readable()?;
        let mut templates = Templates {
            usable: Vec::new(),
            unread: damaged,
        };
        for record in records {
            let standing = match self.standing(&record, now) {
                Ok(standing) => standing,
                Err(error) => {
                    templates.unread.push(error);
                    continue;
                }
            };
            let is_gone = matches!(standing, Standing::Revoked(_));
            if is_gone || usage.is_some_and(|usage| !record.uses.contains(&usage)) {
                continue;
            }
            match self.template(&record) {
                Ok(Some(template)) => templates.usable.push((record, standing, template)),
                Ok(None) => {}
                Err(error) => templates.unread.push(error),
            }
        }
        Ok(templates)
    }

    /// Refuses a clock that was set back behind anything that was recorded here: an expired
    /// consent does not come to life again.
    pub(super) fn check_clock(&self, now: UtcTime) -> Result<()> {
        Log::of(self.keys).check_clock(now)
    }

    /// Copies the file that proves a consent beside it, readable by its owner alone.
    ///
    /// # Errors
    /// When it cannot be read or written, or is not the file that the record names.
    pub fn keep_evidence(&self, record: &Record, path: &Path) -> Result<PathBuf> {
        let bytes = files::read(path, LARGEST_EVIDENCE)?;
        let evidence = record.evidence.as_ref();
        let Some(evidence) = evidence.filter(|e| e.sha256 == effigy_files::sha256(&bytes)) else {
            return Err(Error::NotAConsent {
                reason: "the evidence is not the file that the record names".to_owned(),
            });
        };
        let kept = self.path(&record.id, &format!("evidence-{}", evidence.name));
        files::write(&kept, &bytes, Readers::Owner)?;
        Ok(kept)
    }

    fn read(&self, path: &Path) -> Result<Record> {
        let record: Record = jws::open(self.keys, RECORD, &files::read_text(path)?, path)?;
        let forged = |reason| Error::Forged {
            reason,
            path: path.to_owned(),
        };
        if path
            .file_stem()
            .is_none_or(|stem| stem != record.id.as_str())
        {
            return Err(forged("the file has another record's name"));
        }
        if record.version != VERSION {
            return Err(forged("written by another version"));
        }
        Ok(record)
    }

    pub(super) fn path(&self, id: &Id, extension: &str) -> PathBuf {
        self.folder.join(format!("{id}.{extension}"))
    }
}

/// The one consent that `who` means.
fn only(who: &str, mut records: Vec<Record>) -> Result<Record> {
    match records.len() {
        0 => Err(Error::NoConsent {
            who: who.to_owned(),
        }),
        1 => Ok(records.remove(0)),
        _ => {
            let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
            Err(Error::SeveralConsents {
                who: who.to_owned(),
                ids: ids.join(", "),
            })
        }
    }
}
