//! What can end a job, sorted by what the caller can do about it.

use std::path::{Path, PathBuf};

use effigy_face::recognise::TooLittle;

/// What a job returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a job ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller's [`crate::Progress`] asked to stop. Nothing half-written was left.
    #[error("stopped on request; nothing half-written was kept")]
    Cancelled,

    /// A file could not be read or written as media; the source says which and why.
    #[error(transparent)]
    Media(#[from] effigy_media::Error),

    /// The same, where the source does not say which file.
    #[error("{source}: {path:?}")]
    MediaAt {
        /// What is wrong.
        source: effigy_media::Error,
        /// The file.
        path: PathBuf,
    },

    /// The truth beside an actor's clip could not be read; the source says why.
    #[error(transparent)]
    Actors(#[from] effigy_actors::Error),

    /// Samples are no sound. Export it again.
    #[error("its sound is broken: {source}; export it again: {path:?}")]
    Sound {
        /// What is wrong.
        source: effigy_sound::Error,
        /// The file.
        path: PathBuf,
    },

    /// A network or a device could not be had.
    #[error(transparent)]
    Model(#[from] effigy_model::Error),

    /// Faces could not be followed.
    #[error(transparent)]
    Face(#[from] effigy_face::Error),

    /// There is nothing to work on. Name a video, a picture or a folder that holds some.
    #[error("no video and no picture in {path:?}")]
    NoInput {
        /// The folder that was searched.
        path: PathBuf,
    },

    /// A folder that stands for one clip holds a video beside its pictures, whose faces would not be seen.
    #[error(
        "{path:?} lies in a folder that is to stand for one clip, picture by picture; name the video itself, \
         or move it elsewhere"
    )]
    VideoAmongPictures {
        /// The video.
        path: PathBuf,
    },

    /// A folder may hold anybody. Name one picture or clip.
    #[error(
        "a folder may show many people; name one picture or clip, or the frames of a clip by a pattern such as \
         shot-%05d.png: {path:?}"
    )]
    FolderToMatch {
        /// The folder.
        path: PathBuf,
    },

    /// No face was found where one is needed. Choose a picture or clip that shows one clearly.
    #[error("no face was found in {path:?}")]
    NoFace {
        /// What was searched.
        path: PathBuf,
    },

    /// A face is seen, but not whose it is. Choose a picture or clip that shows it well.
    #[error(
        "too little to tell who it is: {why}; choose a sharper, larger or more frontal view: {path:?}"
    )]
    TooLittle {
        /// What is missing.
        why: TooLittle,
        /// What was searched.
        path: PathBuf,
    },

    /// Too little is heard of a voice that is to be known again.
    #[error("too little to tell whose voice it is: {why}; choose a longer recording: {path:?}")]
    TooLittleSpeech {
        /// What is missing.
        why: String,
        /// The recording.
        path: PathBuf,
    },

    /// Somebody else speaks where one person is to.
    #[error(
        "another voice is heard from {at_secs:.1} s on; choose or cut a recording in which one person speaks alone: {path:?}"
    )]
    AnotherVoice {
        /// When, in seconds.
        at_secs: f64,
        /// The recording.
        path: PathBuf,
    },

    /// Somebody is heard who is on record and did not agree to it.
    #[error(
        "the voice sounds like {subject:?}, whose consent {id} does not cover speech for this audience, or is over; ask them, or name whose voice it is (--voice NAME): {path:?}"
    )]
    UnwillingVoice {
        /// Who is heard.
        subject: String,
        /// Identifier of the consent.
        id: String,
        /// The recording.
        path: PathBuf,
    },

    /// A file holds several sounds, and one person's voice is asked for.
    #[error(
        "there are {n} sounds in this file, and which is theirs is not said; cut out the one that is: {path:?}"
    )]
    SeveralSounds {
        /// How many.
        n: usize,
        /// The recording.
        path: PathBuf,
    },

    /// One of several recordings of a person does not sound like the others.
    #[error(
        "it does not sound like the person in the recordings before it; leave it out: {path:?}"
    )]
    UnlikeVoice {
        /// The recording.
        path: PathBuf,
    },

    /// No consent was ever recorded here. Record those of the people concerned first.
    #[error(
        "nobody's consent is recorded here; begin with `effigy consent new --subject NAME --use swap PICTURE` for \
         each person, or name where consents are (--home, --consents): {folder:?}"
    )]
    NobodyConsents {
        /// Where consents would be.
        folder: PathBuf,
    },

    /// The person whose face is to be replaced does not appear. Choose another clip or person.
    #[error(
        "{who} does not appear: nobody there is surely the person in their consent. Seen are {seen}. Choose another clip or picture, or name another person; if it is {who}, record the consent again with more pictures: {path:?}"
    )]
    NotSeen {
        /// Who was looked for.
        who: String,
        /// Who is there, in words.
        seen: String,
        /// The clip.
        path: PathBuf,
    },

    /// More than one person could be meant, so that nobody's face is replaced. Say which.
    #[error(
        "more than one person could be {who}, so nothing was made. Seen are {seen}. Choose a part of the clip that shows {who} without the others (--from, --to), or record the consent again with more pictures: {path:?}"
    )]
    Uncertain {
        /// Who was looked for.
        who: String,
        /// Who is there, in words.
        seen: String,
        /// The clip.
        path: PathBuf,
    },

    /// A portrait shows too little of one side. Choose a more frontal one.
    #[error(
        "the face is turned {yaw_degrees:.0}° to the side, and what a turn back would show is not in the picture; choose a portrait turned {most_degrees:.0}° at most: {path:?}"
    )]
    TurnedAway {
        /// How far.
        yaw_degrees: f32,
        /// How far it may be.
        most_degrees: f32,
        /// The portrait.
        path: PathBuf,
    },

    /// Nobody is seen at the moment that is wanted. Choose another.
    #[error("the driver is not seen at that moment; choose another with --frame-at: {path:?}")]
    DriverNotSeen {
        /// The driver's clip.
        path: PathBuf,
    },

    /// Several people move. Say whose movement is wanted.
    #[error(
        "{n} people are seen, and it is not certain whose movement is wanted; name one with --driver, or choose a part of the clip with --from and --to: {path:?}"
    )]
    SeveralDrivers {
        /// How many.
        n: usize,
        /// The driver's clip.
        path: PathBuf,
    },

    /// A picture moves nobody. Choose a clip.
    #[error("a picture does not move; name a clip as --drive: {path:?}")]
    DriverDoesNotMove {
        /// The picture.
        path: PathBuf,
    },

    /// Numbers that are to move a face are none. Write them as `track` does.
    #[error(
        "cannot be read as movement: {why}; `effigy track CLIP -o take.csv` writes such a file: {path:?}"
    )]
    NoCurves {
        /// What is wrong, and where.
        why: String,
        /// The file.
        path: PathBuf,
    },

    /// What is published must say whose movement it shows.
    #[error(
        "a puppet that is published needs the consent of whoever moves it; name them with --driver: {path:?}"
    )]
    DriverNotNamed {
        /// The driver's clip.
        path: PathBuf,
    },

    /// A sound holds no speech. Name another, or another part of it.
    #[error(
        "nobody speaks in it, so that lips would not move; name a sound with speech, not too faint: {path:?}"
    )]
    NobodySpeaks {
        /// The sound.
        path: PathBuf,
    },

    /// A picture has no sound.
    #[error("speech is written as a video, and this is a picture; name the result .mp4: {path:?}")]
    PictureCannotSpeak {
        /// The result.
        path: PathBuf,
    },

    /// What is published must say whose voice it is.
    #[error(
        "speech that is published needs the consent of whoever is heard; name them with --voice: {path:?}"
    )]
    VoiceNotNamed {
        /// The sound.
        path: PathBuf,
    },

    /// The part that was asked for lies behind the end of the clip. Choose an earlier one.
    #[error("{asked_secs:.2} s lies behind the end of the clip{}: {path:?}", length(*.clip_secs))]
    BeyondEnd {
        /// Where the part begins.
        asked_secs: f64,
        /// How long the clip is, where that is known.
        clip_secs: Option<f64>,
        /// The clip.
        path: PathBuf,
    },

    /// The job does not fit into the memory that is free. Choose a smaller network or clip.
    #[error("{wanted} needs {needed_mib} MiB of memory and {available_mib} MiB are free; {hint}")]
    TooLittleMemory {
        /// The job.
        wanted: String,
        /// What it needs.
        needed_mib: u64,
        /// What there is.
        available_mib: u64,
        /// What to do.
        hint: String,
    },

    /// The output already exists. Name another folder, or move the old one away.
    #[error(
        "there is a folder already, and it is not empty; name another or move it away: {path:?}"
    )]
    Exists {
        /// What is in the way.
        path: PathBuf,
    },

    /// The output may not go where it was to. Nothing was done yet.
    #[error(transparent)]
    Destination(#[from] effigy_files::Conflict),

    /// Movement is written as something else. Give the file another ending.
    #[error(
        "movement is written as .csv (Live Link Face), .jsonl, .glb or .bvh; give the file one of these endings: {path:?}"
    )]
    NoMovementFormat {
        /// The file.
        path: PathBuf,
    },

    /// The system sends nothing there.
    #[error(
        "nothing can be sent to {address}; name the address of the receiver's machine: {source}"
    )]
    CannotSend {
        /// What the system said.
        source: std::io::Error,
        /// Where it was to go.
        address: std::net::SocketAddr,
    },

    /// Nobody receives the movement. Start the receiver, or name another.
    #[error("nobody receives at {address}; start the receiver first, or name another: {source}")]
    NoReceiver {
        /// What the system said.
        source: std::io::Error,
        /// Where it was sent.
        address: std::net::SocketAddr,
    },

    /// A file or folder could not be read.
    #[error("cannot read {path:?}: {source}")]
    Read {
        /// What the system said.
        source: std::io::Error,
        /// The file or folder.
        path: PathBuf,
    },

    /// The disk is full or the output may not be written. Nothing half-written was left.
    #[error("cannot write {path:?}: {source}")]
    Write {
        /// What the system said.
        source: std::io::Error,
        /// The output.
        path: PathBuf,
    },

    /// Consent is missing or does not cover this, or the output could not be marked.
    #[error(transparent)]
    Mark(#[from] effigy_mark::Error),

    /// A face could not be drawn.
    #[error(transparent)]
    Render(#[from] effigy_render::Error),

    /// The training ended early.
    #[error(transparent)]
    Train(#[from] effigy_train::Error),

    /// The model does not draw this person. Choose one that it draws.
    #[error("the model draws {known}, not {wanted}: {path:?}")]
    NotInModel {
        /// Who was asked for.
        wanted: String,
        /// Whom it draws.
        known: String,
        /// The model.
        path: PathBuf,
    },

    /// A face model was never shown how its person moves. Show it.
    #[error(
        "the model knows {who} and not yet how they move; show it clips of {who} with --learn CLIP, once: {path:?}"
    )]
    CannotMove {
        /// Whom it draws.
        who: String,
        /// The model.
        path: PathBuf,
    },

    /// Nobody was named for a face model. Name somebody.
    #[error("a face model is of somebody; name them and their clips with --person NAME CLIP")]
    NobodyToLearn,

    /// One person was named twice. Name each once, with all clips.
    #[error("{first:?} and {second:?} are one person; name them once, with all their clips")]
    NamedTwice {
        /// A name.
        first: String,
        /// Another name for the same consent.
        second: String,
    },

    /// The model draws one person, or more than two, so the one whose face is replaced must be named.
    #[error(
        "the model draws one person, or more than two; say whose face to replace with --onto NAME: {path:?}"
    )]
    PerformerNotNamed {
        /// The model.
        path: PathBuf,
    },
}

/// What `effigy_mark` calls damage of a file.
pub(crate) const DAMAGED: &str = "file-damaged";

impl Error {
    /// Names the file that could not be read or written, where `source` does not.
    pub(crate) fn at(path: &Path) -> impl Fn(effigy_media::Error) -> Self {
        |source| match source.path() {
            Some(_) => Self::Media(source),
            None => Self::MediaAt {
                source,
                path: path.to_owned(),
            },
        }
    }

    /// Whether a clip is damaged: frames could be left out.
    pub fn is_damage(&self) -> bool {
        use effigy_media::Error as Media;
        match self {
            Self::Media(error) | Self::MediaAt { source: error, .. } => {
                matches!(error, Media::Damaged { .. } | Media::Truncated { .. })
            }
            Self::Mark(error) => error.reason() == DAMAGED,
            _ => false,
        }
    }

    /// Whether a single picture cannot be read, which among frames is damage too.
    pub fn is_broken_picture(&self) -> bool {
        use effigy_media::Error as Media;
        matches!(
            self,
            Self::Media(Media::BadPicture { .. } | Media::Open { .. })
        )
    }
}

fn length(clip_secs: Option<f64>) -> String {
    clip_secs.map_or_else(String::new, |secs| format!(", which is {secs:.2} s long"))
}
