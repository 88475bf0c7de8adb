//! Whose consent a job needs, where it is kept, and how its output is marked.

pub mod faces;
pub mod voices;

use std::path::{Path, PathBuf};

use effigy_files::Original;
use effigy_mark::consent::{
    self, Audience, Basis, Claim, Draft, Likeness, Match, Portrait, Purpose, Record, Seen, Speech,
    Store, Template, Token, Use, VoiceTemplate,
};
use effigy_mark::keys::{Signer, Timestamps};
use effigy_mark::label::{Language, Profiles, Source};
use effigy_mark::{Clock, Keys, ModelName, Policy, UtcTime};
use effigy_model::{Identity, Weights};

use crate::error::{Error, Result};

/// What every job that makes something synthetic must be given.
#[derive(Clone, Debug)]
pub struct Safeguards {
    /// Folder of the keys.
    pub keys: PathBuf,
    /// Folder of the consents.
    pub consents: PathBuf,
    /// What signs credentials instead of the key in the folder.
    pub signer: Option<Signer>,
    /// The time-stamping service that every signature uses.
    pub timestamps: Option<Timestamps>,
    /// Who will see what is made.
    pub audience: Audience,
    /// Rules that the visible label follows.
    pub profiles: Profiles,
    /// Language of the label.
    pub language: Language,
    /// Who makes it, in label and credentials.
    pub provider: String,
    /// Gives the time at which consents must hold and outputs are dated.
    pub clock: Clock,
}

/// Least share of a person's faces that must be alike to their consent: some blurred and turned ones
/// are not.
const LEAST_SHARE: f32 = 0.7;

/// When footage shows the person of a consent.
pub fn same_person(weights: &Weights) -> Match {
    let scale = weights.identity_scale();
    Match {
        similarity: scale.strict().similarity,
        of_each: scale.lenient().similarity,
        share: LEAST_SHARE,
        of_synthetic: scale.synthetic,
        voice: weights.voice_scale().usual().similarity,
    }
}

/// What shows who consents; either may be missing.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownBy<'a> {
    /// Identity vectors of their faces.
    pub faces: &'a [Identity],
    /// Their voice.
    pub voice: Option<&'a VoiceTemplate>,
}

/// Signs and keeps a consent of a person.
///
/// # Errors
/// When it is not a valid consent, a synthetic person looks or sounds like somebody on record, or it cannot
/// be written.
pub fn record(
    store: &Store<'_>,
    draft: &Draft,
    known_by: KnownBy<'_>,
    weights: &Weights,
    now: UtcTime,
) -> Result<Record> {
    let vectors: Vec<_> = known_by.faces.iter().map(|identity| identity.0).collect();
    let template = Template::from_faces(&vectors);
    let scale = weights.identity_scale();
    let likeness = Likeness {
        portrait: template.as_ref().map(|template| Portrait {
            template,
            alike_from: scale.usual().similarity,
            same_from: scale.strict().similarity,
        }),
        speech: known_by.voice.map(|template| Speech {
            template,
            alike_from: weights.voice_scale().strict().similarity,
        }),
    };
    Ok(store.add(draft, &likeness, now)?)
}

impl Safeguards {
    /// Where keys and consents are: no output may go there.
    pub(crate) fn originals(&self) -> [Original; 2] {
        [&self.keys, &self.consents].map(|folder| Original::Tree(folder.clone()))
    }

    /// Opens the keys, with whoever signs and says the time.
    pub(crate) fn open_keys(&self) -> Result<Keys> {
        self.refuse_if_unused()?;
        let mut keys = Keys::open(&self.keys)?;
        if let Some(signer) = &self.signer {
            keys = keys.with_signer(signer.clone());
        }
        if let Some(timestamps) = &self.timestamps {
            keys = keys.with_timestamps(timestamps.clone());
        }
        Ok(keys)
    }

    /// Where nobody ever consented there are no keys either, and those who begin are told of the former.
    fn refuse_if_unused(&self) -> Result<()> {
        if Keys::exist(&self.keys) || self.consents.exists() {
            return Ok(());
        }
        Err(Error::NobodyConsents {
            folder: self.consents.clone(),
        })
    }

    /// As [`Safeguards::open_keys`], before work that will be signed in the end.
    pub(crate) fn open_signing_keys(&self) -> Result<Keys> {
        let keys = self.open_keys()?;
        keys.check_signer(self.clock.now())?;
        Ok(keys)
    }

    /// Refuses a name under which nobody consents to a use, before any work.
    pub(crate) fn check_named(&self, who: &str, usage: Use) -> Result<()> {
        let keys = self.open_keys()?;
        let store = Store::open(&self.consents, &keys);
        let now = self.clock.now();
        let record = store.find_for(who, now, usage, self.audience)?;
        Ok(consent::check_standing(&store, &record, now)?)
    }

    /// Which consent is meant by `who`, a name or an identifier, for a use.
    pub(crate) fn consent_id(&self, keys: &Keys, who: &str, usage: Use) -> Result<consent::Id> {
        let store = Store::open(&self.consents, keys);
        let record = store.find_for(who, self.clock.now(), usage, self.audience)?;
        Ok(record.id)
    }

    /// The template in the consent of `who` to a use, which must hold.
    pub(crate) fn template(&self, keys: &Keys, who: &str, usage: Use) -> Result<Template> {
        self.likeness(keys, who, usage)
            .map(|(template, _)| template)
    }

    /// The same, and on what basis they consent.
    pub(crate) fn likeness(&self, keys: &Keys, who: &str, usage: Use) -> Result<(Template, Basis)> {
        let store = Store::open(&self.consents, keys);
        let now = self.clock.now();
        let record = store.find_for(who, now, usage, self.audience)?;
        consent::check_standing(&store, &record, now)?;
        let needed = || effigy_mark::Error::NeedsTemplate {
            id: record.id.to_string(),
            subject: record.subject.clone(),
        };
        let template = store.template(&record)?.ok_or_else(needed)?;
        Ok((template, record.basis))
    }

    /// Checks that everyone in `claims` consents to this use; `same` says when faces count as
    /// theirs.
    pub(crate) fn require(
        &self,
        keys: &Keys,
        claims: &[Claim],
        usage: Use,
        same: Match,
    ) -> Result<Token> {
        let store = Store::open(&self.consents, keys);
        let purpose = Purpose {
            usage,
            audience: self.audience,
            same,
        };
        Ok(consent::require(
            &store,
            claims,
            &purpose,
            self.clock.now(),
        )?)
    }

    /// How an output is marked, which was made from `parent` where it is an edited file.
    pub(crate) fn policy<'a>(
        &self,
        keys: &'a Keys,
        parent: Option<&Path>,
        model: Option<ModelName>,
    ) -> Policy<'a> {
        Policy {
            keys,
            profiles: self.profiles.clone(),
            language: self.language,
            source: Source::Altered,
            provider: self.provider.clone(),
            parent: parent.map(Path::to_owned),
            inputs: Vec::new(),
            model,
            clock: self.clock,
        }
    }
}

/// What the marked writers take: everyone's consent, and how the output is marked.
#[derive(Clone, Copy)]
pub(crate) struct Authorisation<'a> {
    /// Proof that everyone concerned consents.
    pub(crate) token: &'a Token,
    /// How the output is marked.
    pub(crate) policy: &'a Policy<'a>,
}

/// A claim that `faces` belong to `who` and are used so.
pub(crate) fn claim(who: &str, faces: &[Identity], usage: Use) -> Claim {
    let vectors = faces.iter().map(|identity| identity.0).collect();
    Claim {
        who: who.to_owned(),
        seen: Seen::Faces(vectors),
        usage,
    }
}
