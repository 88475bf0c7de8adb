//! The gate: no training and no rendering without the consent of every person concerned.

use crate::consent::{
    Audience, Basis, IDENTITY_LENGTH, Record, Standing, Store, Template, Use, VOICE_LENGTH,
};
use crate::error::{Error, Result};
use crate::utc_time::UtcTime;

/// One person whose face or voice a job uses, and what shows that it is that person.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Identifier of the consent, or the subject's name.
    pub who: String,
    /// What shows that the face is theirs.
    pub seen: Seen,
    /// What is done with it.
    pub usage: Use,
}

/// What shows whose face or voice it is.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Identity vectors of the faces in the footage.
    Faces(Vec<[f32; IDENTITY_LENGTH]>),
    /// A face model: its footage was compared with this same consent when it was trained.
    Model,
    /// Movement as numbers, which show no face: for the use `drive` alone.
    Movement,
    /// A voice, which shows no face: for the use `speech`, beside the face that speaks.
    Voice(Box<[f32; VOICE_LENGTH]>),
}

/// When footage shows the person of a consent, and when a voice is theirs: all faces together must be surely theirs, and most
/// of them at least alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// Least similarity of all faces together: the identity network's strict threshold.
    pub similarity: f32,
    /// Least similarity of a single face that counts as theirs: the lenient threshold.
    pub of_each: f32,
    /// Least share of such faces, `0..=1`. Blurred and turned faces fail to match now and then.
    pub share: f32,
    /// As `similarity`, of a person who does not exist: drawn faces are more alike from day to day than
    /// filmed ones, and so are those of two who are drawn in one way.
    pub of_synthetic: f32,
    /// Least similarity of a voice: the speaker network's usual threshold.
    pub voice: f32,
}

impl Match {
    /// Least similarity of all faces together to the person of a consent with this basis.
    pub fn least(&self, basis: Basis) -> f32 {
        match basis {
            Basis::Synthetic => self.of_synthetic,
            _ => self.similarity,
        }
    }
}

/// What is to be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Purpose {
    /// What is made; each claim says what is done with its own face.
    pub usage: Use,
    /// Who will see it.
    pub audience: Audience,
    /// When a face counts as the consenting person's.
    pub same: Match,
}

/// Proof that every person concerned consents, for one purpose. Only [`require`] makes one:
///
/// ```compile_fail,E0451
/// use effigy_mark::consent::{Audience, Token, Use};
/// let (consents, claimed) = (Vec::new(), Vec::new());
/// let token = Token { consents, claimed, usage: Use::Swap, audience: Audience::Private };
/// ```
#[derive(Clone, Debug)]
pub struct Token {
    consents: Vec<Record>,
    /// For each claim, which of the consents covers it.
    claimed: Vec<usize>,
    usage: Use,
    audience: Audience,
}

impl Token {
    /// The consents that were checked.
    pub fn consents(&self) -> &[Record] {
        &self.consents
    }

    /// The consent that covers a claim, by its position in what [`require`] was given.
    pub fn of_claim(&self, position: usize) -> Option<&Record> {
        self.consents.get(*self.claimed.get(position)?)
    }

    /// What they were checked for.
    pub fn usage(&self) -> Use {
        self.usage
    }

    /// Whom they were checked for.
    pub fn audience(&self) -> Audience {
        self.audience
    }
}

/// Checks the consent of every person concerned; gives the token that training and writing take.
///
/// # Errors
/// When a consent is missing, forged, expired, revoked, for another use or of another person; and
/// when `claims` is empty, because every face belongs to some person.
pub fn require(
    store: &Store<'_>,
    claims: &[Claim],
    purpose: &Purpose,
    now: UtcTime,
) -> Result<Token> {
    if claims.is_empty() {
        return Err(Error::NotAConsent {
            reason: "no person was named".to_owned(),
        });
    }
    // Whoever drives a puppet does not consent for the person who is moved.
    let is_for_it = |claim: &Claim| claim.usage == purpose.usage;
    let is_beside_it = |claim: &Claim| (purpose.usage, claim.usage) == (Use::Puppet, Use::Drive);
    let is_face = |claim: &Claim| !matches!(claim.seen, Seen::Voice(_));
    if !claims
        .iter()
        .any(|claim| is_for_it(claim) && is_face(claim))
        || !claims.iter().all(|c| is_for_it(c) || is_beside_it(c))
    {
        return Err(Error::NotAConsent {
            reason: format!("nobody was named for the use {}", purpose.usage),
        });
    }
    store.check_clock(now)?;
    let mut consents: Vec<Record> = Vec::new();
    let mut claimed = Vec::new();
    for claim in claims {
        let record = store.find_for(&claim.who, now, claim.usage, purpose.audience)?;
        check_standing(store, &record, now)?;
        check_purpose(&record, claim.usage, purpose.audience)?;
        check_likeness(store, &record, claim, purpose.same)?;
        let known = consents.iter().position(|other| *other == record);
        claimed.push(known.unwrap_or(consents.len()));
        if known.is_none() {
            consents.push(record);
        }
    }
    Ok(Token {
        consents,
        claimed,
        usage: purpose.usage,
        audience: purpose.audience,
    })
}

/// Refuses a consent that does not hold at `now`.
///
/// # Errors
/// If it is revoked, expired or not yet in force, or the clock was set back.
pub fn check_standing(store: &Store<'_>, record: &Record, now: UtcTime) -> Result<()> {
    let (id, subject) = (record.id.to_string(), record.subject.clone());
    if now < record.issued {
        return Err(Error::ClockBack {
            now,
            recorded: record.issued,
        });
    }
    match store.standing(record, now)? {
        Standing::Valid => Ok(()),
        Standing::NotYet => Err(Error::NotYet {
            id,
            subject,
            from: record.from,
        }),
        Standing::Expired => Err(Error::Expired {
            id,
            subject,
            until: record.until,
        }),
        Standing::Revoked(on) => Err(Error::Revoked { id, subject, on }),
    }
}

fn check_purpose(record: &Record, usage: Use, audience: Audience) -> Result<()> {
    let (id, subject) = (record.id.to_string(), record.subject.clone());
    if !record.uses.contains(&usage) {
        let allowed = record.uses_in_words();
        return Err(Error::OtherUse {
            id,
            subject,
            wanted: usage,
            allowed,
        });
    }
    if !record.covers(usage, audience) {
        let (wanted, allowed) = (audience, record.audience);
        return Err(Error::OtherAudience {
            id,
            subject,
            wanted,
            allowed,
        });
    }
    Ok(())
}

fn check_voice(
    store: &Store<'_>,
    record: &Record,
    voice: &[f32; VOICE_LENGTH],
    least: f32,
) -> Result<()> {
    let (id, subject) = (record.id.to_string(), record.subject.clone());
    let Some(template) = store.voice(record)? else {
        return Err(Error::NeedsVoice { id, subject });
    };
    let similarity = template.similarity(voice);
    if similarity < least {
        return Err(Error::OtherVoice {
            id,
            subject,
            similarity,
            least,
        });
    }
    Ok(())
}

fn check_likeness(store: &Store<'_>, record: &Record, claim: &Claim, same: Match) -> Result<()> {
    let (id, subject) = (record.id.to_string(), record.subject.clone());
    let faces = match &claim.seen {
        Seen::Faces(faces) => faces,
        Seen::Movement if claim.usage != Use::Drive => return Err(Error::NoFace { id, subject }),
        Seen::Voice(voice) if claim.usage == Use::Speech => {
            return check_voice(store, record, voice, same.voice);
        }
        Seen::Voice(_) => return Err(Error::NoFace { id, subject }),
        Seen::Movement | Seen::Model => return Ok(()),
    };
    if faces.is_empty() {
        return Err(Error::NoFace { id, subject });
    }
    let needed = ((faces.len() as f32 * same.share).ceil() as usize).clamp(1, faces.len());
    let Some(template) = store.template(record)? else {
        return Err(Error::NeedsTemplate { id, subject });
    };
    let Some(together) = Template::from_faces(faces) else {
        return Err(Error::NoFace { id, subject });
    };
    let similarity = template.similarity_between(&together);
    let alike = faces
        .iter()
        .filter(|face| same.of_each <= template.similarity(face));
    let matching = alike.count();
    let least = same.least(record.basis);
    if similarity < least || matching < needed {
        return Err(Error::OtherFace {
            id,
            subject,
            similarity,
            least,
            matching,
            seen: faces.len(),
            needed,
        });
    }
    if record.basis == Basis::Synthetic {
        let is_real = |known: &Record| known.basis != Basis::Synthetic;
        store.refuse_face_of(&record.subject, &together, same.similarity, &is_real)?;
    }
    Ok(())
}
