//! What the person of a consent looks and sounds like: kept sealed beside the record, compared, and erased.

use std::path::Path;
use std::{fs, io};

use crate::consent::{Basis, Draft, Id, Record, Store, Template, Use, VOICE_LENGTH, VoiceTemplate};
use crate::error::{Error, Result};
use crate::files::{self, Readers};

/// What the person of a new consent looks like.
#[derive(Clone, Copy, Debug)]
pub struct Portrait<'a> {
    /// The identity template.
    pub template: &'a Template,
    /// Similarity from which a synthetic person looks like a real one: the identity network's usual
    /// threshold.
    pub alike_from: f32,
    /// Similarity from which two synthetic people are one: its strict threshold, from which on the
    /// consent of the one covers the other.
    pub same_from: f32,
}

/// What the person of a new consent sounds like.
#[derive(Clone, Copy, Debug)]
pub struct Speech<'a> {
    /// The voice template.
    pub template: &'a VoiceTemplate,
    /// Similarity from which a synthetic person sounds like a real one: the strict threshold.
    pub alike_from: f32,
}

/// What is known of the person of a new consent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Likeness<'a> {
    /// What they look like.
    pub portrait: Option<Portrait<'a>>,
    /// What they sound like.
    pub speech: Option<Speech<'a>>,
}

impl<'a> From<Portrait<'a>> for Likeness<'a> {
    fn from(portrait: Portrait<'a>) -> Self {
        Self {
            portrait: Some(portrait),
            speech: None,
        }
    }
}

/// Extensions of sealed templates.
const FACE: &str = "template";
const VOICE: &str = "voice";

impl Store<'_> {
    /// Refuses a new consent that is tied to nobody, a voice that may not be used, and a synthetic person who
    /// looks or sounds like somebody else on record.
    pub(super) fn check_likeness(&self, draft: &Draft, likeness: &Likeness<'_>) -> Result<()> {
        check_templates(draft, likeness)?;
        if draft.basis != Basis::Synthetic {
            return Ok(());
        }
        let subject = draft.subject.trim();
        let is_real = |known: &Record| known.basis != Basis::Synthetic;
        if let Some(portrait) = &likeness.portrait {
            self.refuse_face_of(subject, portrait.template, portrait.alike_from, &is_real)?;
            let is_another = |known: &Record| {
                !is_real(known) && known.subject.to_lowercase() != subject.to_lowercase()
            };
            self.refuse_face_of(subject, portrait.template, portrait.same_from, &is_another)?;
        }
        let Some(speech) = &likeness.speech else {
            return Ok(());
        };
        let alike = self.with_voice(speech.template.values(), speech.alike_from)?;
        match alike.into_iter().find(|(known, _)| is_real(known)) {
            Some((known, _)) => Err(Error::NotSynthetic {
                subject: subject.to_owned(),
                what: "voice",
                known: known.subject,
                basis: known.basis,
                id: known.id.to_string(),
            }),
            None => Ok(()),
        }
    }

    /// The consents that were not taken back of everyone on record with this voice, and how alike it is,
    /// most alike first.
    ///
    /// # Errors
    /// When a record or a voice template cannot be read: whose voice it is would not be known.
    pub fn with_voice(
        &self,
        voice: &[f32; VOICE_LENGTH],
        alike_from: f32,
    ) -> Result<Vec<(Record, f32)>> {
        let mut alike = Vec::new();
        for record in self.list()? {
            if !self.path(&record.id, VOICE).exists() {
                continue; // none was given, or it was erased with the consent
            }
            let template = self.voice(&record)?;
            let similarity = template.map(|template| template.similarity(voice));
            if let Some(similarity) = similarity.filter(|similarity| alike_from <= *similarity) {
                alike.push((record, similarity));
            }
        }
        alike.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        Ok(alike)
    }

    /// Refuses a synthetic person with the face of anybody on record who `counts`.
    pub(super) fn refuse_face_of(
        &self,
        subject: &str,
        face: &Template,
        alike_from: f32,
        counts: &dyn Fn(&Record) -> bool,
    ) -> Result<()> {
        for known in self.list()? {
            if !self.has_template(&known) || !counts(&known) {
                continue;
            }
            let template = self.template(&known)?;
            if template.is_some_and(|other| alike_from <= other.similarity_between(face)) {
                return Err(Error::NotSynthetic {
                    subject: subject.to_owned(),
                    what: "face",
                    known: known.subject,
                    basis: known.basis,
                    id: known.id.to_string(),
                });
            }
        }
        Ok(())
    }

    /// Opens the identity template of a consent. `None` in consents that cover a voice alone, and in
    /// those for synthetic people that earlier versions made.
    ///
    /// # Errors
    /// When it is missing, was made with other keys or was changed.
    pub fn template(&self, record: &Record) -> Result<Option<Template>> {
        let open = |(sealed, commitment): (Vec<u8>, &String)| {
            Template::unseal(&sealed, self.keys.template_key(), &record.id, commitment)
        };
        let sealed = self.sealed(record, FACE, record.template.as_ref())?;
        sealed.map(open).transpose()
    }

    /// Opens the voice template of a consent; `None` where no voice was given.
    ///
    /// # Errors
    /// When it is missing, was made with other keys or was changed.
    pub fn voice(&self, record: &Record) -> Result<Option<VoiceTemplate>> {
        let open = |(sealed, commitment): (Vec<u8>, &String)| {
            VoiceTemplate::unseal(&sealed, self.keys.template_key(), &record.id, commitment)
        };
        let sealed = self.sealed(record, VOICE, record.voice.as_ref())?;
        sealed.map(open).transpose()
    }

    /// Reads a sealed template that the record states.
    fn sealed<'r>(
        &self,
        record: &Record,
        extension: &str,
        commitment: Option<&'r String>,
    ) -> Result<Option<(Vec<u8>, &'r String)>> {
        let Some(commitment) = commitment else {
            return Ok(None);
        };
        let path = self.path(&record.id, extension);
        if !path.exists() {
            return Err(Error::NoTemplate {
                id: record.id.to_string(),
            });
        }
        let sealed = files::read(&path, files::SMALL_FILE_BYTES)?;
        Ok(Some((sealed, commitment)))
    }

    /// Says whether the identity template is still there.
    pub(super) fn has_template(&self, record: &Record) -> bool {
        record.template.is_some() && self.path(&record.id, FACE).exists()
    }

    /// Keeps the templates of the record `id`; gives the salted hashes that it states, of face and voice.
    pub(super) fn seal_likeness(
        &self,
        id: &Id,
        likeness: &Likeness<'_>,
    ) -> Result<(Option<String>, Option<String>)> {
        let key = self.keys.template_key();
        let keep = |extension, (sealed, commitment): (Vec<u8>, String)| {
            files::write(&self.path(id, extension), &sealed, Readers::Owner).map(|()| commitment)
        };
        let face = likeness
            .portrait
            .map(|portrait| keep(FACE, portrait.template.seal(key, id)?));
        let voice = likeness
            .speech
            .map(|speech| keep(VOICE, speech.template.seal(key, id)?));
        Ok((face.transpose()?, voice.transpose()?))
    }

    /// Says whether a template of the record `id` is there, readable or not.
    pub(super) fn has_likeness(&self, id: &Id) -> bool {
        self.path(id, FACE).exists() || self.path(id, VOICE).exists()
    }

    /// Erases the templates of a consent that was taken back.
    pub(super) fn erase_likeness(&self, id: &Id) -> Result<()> {
        erase(&self.path(id, FACE))?;
        erase(&self.path(id, VOICE))
    }
}

/// Refuses a consent that is tied to nobody, and a voice that may not be used.
fn check_templates(draft: &Draft, likeness: &Likeness<'_>) -> Result<()> {
    let (has_face, has_voice) = (likeness.portrait.is_some(), likeness.speech.is_some());
    let is_speech = draft.uses.contains(&Use::Speech);
    let is_speech_alone = is_speech && draft.uses.len() == 1;
    let reason = if has_voice && !is_speech {
        "a voice is used for speech alone; add the use \"speech\" or leave the voice out".to_owned()
    } else if has_face || (has_voice && is_speech_alone) {
        return Ok(());
    } else {
        let what = match draft.basis {
            Basis::Synthetic => "pictures of the synthetic person, or the training footage",
            _ => "pictures of the person",
        };
        let or = if is_speech_alone {
            ", or, where only the voice is lent, a recording of it"
        } else {
            ""
        };
        format!("the basis {:?} needs {what}{or}", draft.basis.word())
    };
    Err(Error::NotAConsent { reason })
}

/// Overwrites, then removes: a journal or a snapshot may still hold a copy, which its encryption
/// keeps unreadable.
fn erase(path: &Path) -> Result<()> {
    let write_error = |source| Error::Write {
        source,
        path: path.to_owned(),
    };
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata.map_err(write_error)?,
    };
    let zeros = vec![0; metadata.len().min(files::SMALL_FILE_BYTES) as usize];
    fs::write(path, zeros)
        .and_then(|()| fs::File::open(path)?.sync_all())
        .and_then(|()| fs::remove_file(path))
        .map_err(write_error)
}
