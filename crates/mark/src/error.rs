//! What can go wrong with consents, keys and marks, sorted by what the caller can do about it.

use std::path::PathBuf;

use crate::consent::{Audience, Basis, Use};
use crate::utc_time::UtcTime;

/// What most functions here return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a consent, a key or a mark could not be used or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder holds no consent of this person. Ask, and record the answer.
    #[error("no consent is on record for {who:?}; record one with `effigy consent new`")]
    NoConsent {
        /// The name or identifier that was asked for.
        who: String,
    },

    /// Several records fit the name. Say which by its identifier.
    #[error("{who:?} has several consents on record ({ids}); name one by its identifier")]
    SeveralConsents {
        /// The name that was asked for.
        who: String,
        /// The identifiers that it could mean.
        ids: String,
    },

    /// The consent is over. Ask again.
    #[error("the consent {id} of {subject:?} ended on {until}; ask again")]
    Expired {
        /// Consent identifier.
        id: String,
        /// Who had consented.
        subject: String,
        /// When it ended.
        until: UtcTime,
    },

    /// The consent begins later. Wait.
    #[error("the consent {id} of {subject:?} begins on {from}; wait until then")]
    NotYet {
        /// Consent identifier.
        id: String,
        /// Who consented.
        subject: String,
        /// When it begins.
        from: UtcTime,
    },

    /// The person took the consent back. Stop.
    #[error("the consent {id} of {subject:?} was revoked on {on}; nothing may be made with it")]
    Revoked {
        /// Consent identifier.
        id: String,
        /// Who had consented.
        subject: String,
        /// When it was revoked.
        on: UtcTime,
    },

    /// The record was changed after it was signed, or never signed. Do not use it.
    #[error(
        "the record is not what was signed ({reason}); get it again from whoever made it: {path:?}"
    )]
    Forged {
        /// What does not fit.
        reason: &'static str,
        /// The record.
        path: PathBuf,
    },

    /// The record is signed by a key that this machine does not trust.
    #[error(
        "signed by the unknown key {key}; trust it with `effigy keys import --trust` if you know whose it is: {path:?}"
    )]
    UnknownSigner {
        /// Identifier of the key.
        key: String,
        /// The record.
        path: PathBuf,
    },

    /// The footage shows another person. Use footage of the person who consented.
    #[error(
        "the faces are not surely those of {subject:?}, who consented with {id}: together their similarity is {similarity:.3}, and {least:.3} is needed; {matching} of {seen} are alike, and {needed} are needed. Use sharp footage of that person alone; if it is, record the consent again with more pictures, from different days"
    )]
    OtherFace {
        /// Consent identifier.
        id: String,
        /// Who consented.
        subject: String,
        /// Similarity of all faces together.
        similarity: f32,
        /// What it would have to be.
        least: f32,
        /// Faces that match.
        matching: usize,
        /// Faces that were compared.
        seen: usize,
        /// How many would have to match.
        needed: usize,
    },

    /// A consent for a synthetic person that names no face, as earlier versions made them.
    #[error(
        "the consent {id} of {subject:?} is tied to no face; record it again with pictures or the training footage: effigy consent new"
    )]
    NeedsTemplate {
        /// Consent identifier.
        id: String,
        /// The synthetic person.
        subject: String,
    },

    /// Somebody on record has this face or voice, so that it is not nobody's.
    #[error(
        "{subject:?} cannot pass as synthetic: the {what} is that of {known:?}, on record with the basis {basis} ({id}); record a consent with the basis that is true"
    )]
    NotSynthetic {
        /// Who was said to be synthetic.
        subject: String,
        /// Face or voice.
        what: &'static str,
        /// Whose it is.
        known: String,
        /// Why that one's may be used.
        basis: Basis,
        /// Identifier of that consent.
        id: String,
    },

    /// No face could be compared, so that it is not known whose it is.
    #[error(
        "no face was found to compare with the consent {id} of {subject:?}; use footage that shows the face"
    )]
    NoFace {
        /// Consent identifier.
        id: String,
        /// Who consented.
        subject: String,
    },

    /// The consent holds no voice to compare with.
    #[error(
        "the consent {id} of {subject:?} holds no voice; record it again with --voice FILE, a recording in which they speak alone: effigy consent new"
    )]
    NeedsVoice {
        /// Consent identifier.
        id: String,
        /// Who consented.
        subject: String,
    },

    /// The voice is not surely that of the person who consented.
    #[error(
        "the voice is not surely that of {subject:?}, who gave the consent {id}: likeness {similarity:.3}, {least:.3} is needed; name whose voice it is, or record their consent again with several recordings of them"
    )]
    OtherVoice {
        /// Consent identifier.
        id: String,
        /// Who consented.
        subject: String,
        /// How alike the voices are.
        similarity: f32,
        /// How alike they would have to be.
        least: f32,
    },

    /// The consent does not cover this use. Ask for it.
    #[error("the consent {id} of {subject:?} does not cover {wanted}; it covers {allowed}")]
    OtherUse {
        /// Consent identifier.
        id: String,
        /// Who consented.
        subject: String,
        /// What was to be done.
        wanted: Use,
        /// What may be done.
        allowed: String,
    },

    /// The consent does not cover this audience. Ask for it.
    #[error(
        "the consent {id} of {subject:?} is for {allowed} results, not for results to {wanted}"
    )]
    OtherAudience {
        /// Consent identifier.
        id: String,
        /// Who consented.
        subject: String,
        /// Who was to see it.
        wanted: Audience,
        /// Who may see it.
        allowed: Audience,
    },

    /// A consent that cannot be written down like this. Correct it.
    #[error("not a valid consent: {reason}")]
    NotAConsent {
        /// What is wrong with it.
        reason: String,
    },

    /// The record must hold a template of a face or voice, and it is missing or cannot be opened.
    #[error(
        "a template of the consent {id} cannot be opened; was it made with other keys? Record the consent again"
    )]
    NoTemplate {
        /// Consent identifier.
        id: String,
    },

    /// The record's template was made by an earlier network. Renew it.
    #[error(
        "a template of the consent {id} is of an earlier version, which told people apart too badly; record the consent again: effigy consent new"
    )]
    OldTemplate {
        /// Consent identifier.
        id: String,
    },

    /// The clock is behind what was already recorded. Set it.
    #[error("the clock says {now}, but something was recorded on {recorded}; set the clock")]
    ClockBack {
        /// What the clock says.
        now: UtcTime,
        /// The latest time on record.
        recorded: UtcTime,
    },

    /// A key file is missing. Make or import keys.
    #[error("a key file is missing; make keys with `effigy keys new` or restore it: {path:?}")]
    KeyMissing {
        /// The file.
        path: PathBuf,
    },

    /// Others can read a private key.
    #[error(
        "others can read this private key (mode {mode:o}); run `chmod 600` on it, and make new keys if the machine is shared: {path:?}"
    )]
    KeyExposed {
        /// The permission bits.
        mode: u32,
        /// The file.
        path: PathBuf,
    },

    /// A key file cannot be understood.
    #[error("not a usable key ({reason}): {path:?}")]
    KeyDamaged {
        /// What is wrong with it.
        reason: String,
        /// The file.
        path: PathBuf,
    },

    /// There are keys already, which are never overwritten.
    #[error("there are keys already; move them away first, or use them: {path:?}")]
    KeysExist {
        /// The folder.
        path: PathBuf,
    },

    /// The certificate that signs ran out. Renew it.
    #[error("the certificate that signs credentials ran out on {}; {remedy}", until.day())]
    SignerExpired {
        /// When.
        until: UtcTime,
        /// What to do.
        remedy: &'static str,
    },

    /// The certificate that signs begins later. Set the clock.
    #[error(
        "the certificate that signs credentials is not valid before {from}, but the clock says {now}; set the clock"
    )]
    SignerNotYet {
        /// When it begins.
        from: UtcTime,
        /// What the clock says.
        now: UtcTime,
    },

    /// The time authority gave no stamp. Ask another, or later.
    #[error("the time authority {url} cannot be used: {reason}")]
    Authority {
        /// Its address.
        url: String,
        /// What went wrong.
        reason: String,
    },

    /// Only the issuer of an imported certificate can renew it. Ask there.
    #[error(
        "the certificate that signs was imported; get a new one from its issuer, and bring it with `effigy keys import`"
    )]
    NotOurSigner,

    /// The password does not open the file.
    #[error("wrong password, or a damaged file: {path:?}")]
    WrongPassword {
        /// The file.
        path: PathBuf,
    },

    /// The format has no place for Content Credentials. Choose another.
    #[error("a .{extension} file cannot carry Content Credentials; choose one of {allowed}")]
    CannotCarry {
        /// The extension that was asked for.
        extension: String,
        /// Those that can.
        allowed: String,
    },

    /// A picture was to become a video, or the other way round. Choose another extension.
    #[error("{what} cannot be written as .{extension}; choose one of {allowed}")]
    OtherKind {
        /// What the input is.
        what: &'static str,
        /// The extension that was asked for.
        extension: String,
        /// Those that fit.
        allowed: &'static str,
    },

    /// There is nothing to draw a mark into.
    #[error("nothing to mark, the file has no pictures: {path:?}")]
    NoPicture {
        /// The file.
        path: PathBuf,
    },

    /// The marked copy would take the place of the original. Name another.
    #[error("the output is the input; name another file, the original is worth keeping: {path:?}")]
    SameFile {
        /// The file.
        path: PathBuf,
    },

    /// The caller asked to stop; there is no output.
    #[error("stopped before the end, so no output was kept")]
    Stopped,

    /// Keys and certificates could not be made.
    #[error("cannot make a certificate: {reason}")]
    Certificate {
        /// What the certificate library said.
        reason: String,
    },

    /// The output could not be signed; there is no output.
    #[error("cannot sign the output, so none was kept")]
    Sign {
        /// What went wrong.
        source: c2pa::Error,
    },

    /// The time authority gave no stamp, so that nothing was signed; there is no output.
    #[error(
        "nothing was signed, and no output was kept: the time authority {url} gave no stamp \
         ({reason}); try again later, choose another with `effigy keys authority URL`, or sign \
         without a stamp with --timestamp none"
    )]
    NoStamp {
        /// What it did instead.
        reason: String,
        /// Its address.
        url: String,
    },

    /// What was written does not verify; there is no output.
    #[error("the written file does not verify ({reason}), so none was kept")]
    NotMarked {
        /// What does not hold.
        reason: String,
    },

    /// The log was changed, or a line is missing or out of order.
    #[error("line {line} of the log does not follow from the one before ({reason}): {path:?}")]
    LogBroken {
        /// Line number, from 1.
        line: usize,
        /// What does not fit.
        reason: &'static str,
        /// The log.
        path: PathBuf,
    },

    /// A file cannot be read.
    #[error("cannot read {path:?}")]
    Read {
        /// Why.
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },

    /// A file cannot be written.
    #[error("cannot write {path:?}")]
    Write {
        /// Why.
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },

    /// Credentials without the file that they speak of. Name that file.
    #[error(
        "this holds the credentials of another file; verify the picture or video that they belong to, beside it: {path:?}"
    )]
    CredentialsAlone {
        /// The file.
        path: PathBuf,
    },

    /// Reading a file took more than it may. Such a file is broken or hostile, or very large.
    #[error(
        "reading it took more than {what}, the limit for such a file; it may be made to do harm (`verify --most-secs` gives it longer): {path:?}"
    )]
    OverLimit {
        /// How much of what was allowed.
        what: String,
        /// The file.
        path: PathBuf,
    },

    /// The process that read a file broke down over it.
    #[error("reading it broke down ({how}); the file is damaged or made to do harm: {path:?}")]
    Crashed {
        /// How the process ended.
        how: String,
        /// The file.
        path: PathBuf,
    },

    /// What the process that read a file said of it.
    #[error("{message}")]
    Refused {
        /// A word for programs.
        reason: String,
        /// In words.
        message: String,
    },

    /// A file is larger than what it may be.
    #[error("over the limit of {limit} bytes: {path:?}")]
    TooLarge {
        /// The limit.
        limit: u64,
        /// The file.
        path: PathBuf,
    },

    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {reason}")]
    Random {
        /// What it said.
        reason: String,
    },

    /// Reading or writing media failed.
    #[error(transparent)]
    Media(#[from] effigy_media::Error),
}

impl Error {
    /// A word for programs: why a file could not be read.
    pub fn reason(&self) -> &str {
        use effigy_media::Error as Media;
        match self {
            Self::Media(
                Media::Empty { .. }
                | Media::NotMedia { .. }
                | Media::CutShort { .. }
                | Media::BadPicture { .. }
                | Media::Damaged { .. }
                | Media::Truncated { .. }
                | Media::NoPixels { .. },
            ) => "file-damaged",
            Self::Read { source, .. } | Self::Media(Media::Open { source, .. }) => {
                match source.kind() {
                    std::io::ErrorKind::UnexpectedEof => "file-damaged",
                    _ => "not-opened",
                }
            }
            Self::Refused { reason, .. } => reason,
            Self::Crashed { .. } => "file-damaged",
            Self::OverLimit { .. }
            | Self::TooLarge { .. }
            | Self::Media(Media::TooLarge { .. } | Media::TooLong { .. } | Media::TooMuch { .. }) => {
                "over-limit"
            }
            Self::CredentialsAlone { .. } => "credentials-alone",
            _ => "not-readable",
        }
    }
}
