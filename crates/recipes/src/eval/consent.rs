//! Whether a consent lets the right person be learned, and nobody else.
//!
//! Everybody has consented with a few pictures, or the first half of a clip. What is kept back, and
//! the footage of everybody else, then asks for a training. Thresholds were chosen on other people.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use effigy_mark::consent::{
    Audience, Basis, Claim, Draft, Match, Portrait, Purpose, Seen, Store, Template, Use, require,
};
use effigy_mark::{Error, Keys, UtcTime};
use effigy_model::Identity;
use effigy_pipeline::consent::faces::subject_faces;
use effigy_pipeline::consent::same_person;
use effigy_pipeline::{Networks, Quiet};
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use super::identity::faces::{KnownFace, known_faces};
use crate::data::people::is_tuning;
use crate::device::DeviceArgs;

/// Where to compute.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    device: DeviceArgs,
}

/// Trainings that are asked for.
const N_WRONG: usize = 500;
const N_RIGHT: usize = 200;
/// Pictures that a consent is recorded with, and the least that are kept back.
const N_PICTURES: usize = 4;

/// One person with the faces in the consent and those kept back.
struct Subject {
    name: String,
    recorded: Vec<Identity>,
    kept_back: Vec<Identity>,
    /// Whether nobody else here is the same person under another name.
    is_known: bool,
}

/// Prints how many of either kind start.
pub(crate) fn measure(data: &Path, args: &Args) -> Result<()> {
    let networks = args.device.networks()?;
    let mut subjects = of_pictures(&known_faces(
        data,
        &networks.face_embedder,
        &networks.segmenter()?,
    )?);
    let n_pictures = subjects.len();
    subjects.extend(of_clips(data, &networks)?);
    println!(
        "{n_pictures} people in {N_PICTURES} pictures and as many or more kept back, {} in a clip",
        subjects.len() - n_pictures
    );
    let desk = Desk::new(same_person(&networks.weights), &subjects)?;
    let mut refused = 0;
    for subject in subjects.iter().take(N_RIGHT) {
        if let Some(error) = desk.ask(&subject.name, &subject.kept_back)? {
            refused += 1;
            println!("refused: {}: {error}", subject.name);
        }
    }
    let mut pairs = Vec::new();
    for a in subjects.iter().filter(|subject| subject.is_known) {
        let wanted = template(&a.recorded)?;
        for b in subjects.iter().filter(|b| b.is_known && b.name != a.name) {
            pairs.push((wanted.similarity_between(&template(&b.kept_back)?), a, b));
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut started = 0;
    for (similarity, a, b) in pairs.iter().take(N_WRONG) {
        if desk.ask(&a.name, &b.kept_back)?.is_none() {
            started += 1;
            println!(
                "started: {} with footage of {} ({similarity:.3})",
                a.name, b.name
            );
        }
    }
    let (least, asked) = (pairs.len().min(N_WRONG), subjects.len().min(N_RIGHT));
    println!(
        "wrong people: {started} of the {least} most similar of {} pairs start; right people: {} of \
         {asked} start",
        pairs.len(),
        asked - refused
    );
    Ok(())
}

fn template(faces: &[Identity]) -> Result<Template> {
    let vectors: Vec<_> = faces.iter().map(|face| face.0).collect();
    Template::from_faces(&vectors).context("no face")
}

/// People of the half that figures are reported on, who have enough pictures.
fn of_pictures(faces: &[KnownFace]) -> Vec<Subject> {
    let mut people: BTreeMap<&str, Vec<&KnownFace>> = BTreeMap::new();
    for face in faces
        .iter()
        .filter(|face| face.has_one_owner() && !is_tuning(&face.person))
    {
        people.entry(&face.person).or_default().push(face);
    }
    people.retain(|_, faces| 2 * N_PICTURES <= faces.len());
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let subject = |(name, mut faces): (&str, Vec<&KnownFace>)| {
        faces.shuffle(&mut random);
        // As in footage, faces that hardly tell who it is are left out where there are others.
        let told = |faces: &[&KnownFace]| -> Vec<Identity> {
            let tell = |face: &&&KnownFace| face.too_little.is_none();
            let some = faces.iter().any(|face| face.too_little.is_none());
            let kept = faces.iter().filter(|face| !some || tell(face));
            kept.map(|face| face.identity.clone()).collect()
        };
        Subject {
            name: name.to_owned(),
            recorded: told(&faces[..N_PICTURES]),
            kept_back: told(&faces[N_PICTURES..]),
            is_known: true,
        }
    };
    people.into_iter().map(subject).collect()
}

/// Whoever is seen most in each real clip: the first half of the faces is recorded.
fn of_clips(data: &Path, networks: &Networks) -> Result<Vec<Subject>> {
    let mut subjects = Vec::new();
    for (path, is_known) in clips(data)? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        // A clip with too few faces, or too poor ones, is refused before anything is asked.
        let Ok(seen) = subject_faces(std::slice::from_ref(&path), networks, &mut Quiet) else {
            println!("left out: {name} shows too little");
            continue;
        };
        let (recorded, kept_back) = seen.identities.split_at(seen.identities.len() / 2);
        if recorded.len() < 2 {
            continue;
        }
        subjects.push(Subject {
            name: format!("clip-{name}"),
            recorded: recorded.to_vec(),
            kept_back: kept_back.to_vec(),
            is_known,
        });
    }
    Ok(subjects)
}

/// The real clips; of those in `fakes-many` several may show one person.
fn clips(data: &Path) -> Result<Vec<(PathBuf, bool)>> {
    /// The same speaker as in `pwij3p`.
    const AGAIN: &str = "id2_vcd_swwp2s";
    let mut clips = Vec::new();
    for (folder, is_known) in [("video", true), ("video/grid", true), ("fakes-many", false)] {
        let folder = data.join(folder);
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {folder:?}"))?;
        for entry in entries {
            let path = entry?.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            if path.is_file() && (is_known || name.starts_with("real-")) && name != AGAIN {
                clips.push((path, is_known));
            }
        }
    }
    clips.sort();
    // Clips of known people first.
    clips.sort_by_key(|(_, is_known)| !is_known);
    Ok(clips)
}

/// Keys, and a consent of everybody.
struct Desk {
    folder: tempfile::TempDir,
    keys: Keys,
    same: Match,
}

impl Desk {
    fn new(same: Match, subjects: &[Subject]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let keys = Keys::create(&folder.path().join("keys"), "recipes", now())?;
        let desk = Self { folder, keys, same };
        for subject in subjects {
            let draft = Draft {
                subject: subject.name.clone(),
                basis: Basis::Consent,
                uses: vec![Use::Swap],
                audience: Audience::Private,
                from: now(),
                until: now().plus_days(1),
                evidence: None,
            };
            let portrait = Portrait {
                template: &template(&subject.recorded)?,
                alike_from: same.similarity,
                same_from: same.similarity,
            };
            desk.store().add(&draft, &portrait.into(), now())?;
        }
        Ok(desk)
    }

    fn store(&self) -> Store<'_> {
        Store::open(&self.folder.path().join("consents"), &self.keys)
    }

    /// Asks whether a person may be learned from footage with these faces; gives the refusal.
    fn ask(&self, who: &str, faces: &[Identity]) -> Result<Option<Error>> {
        let claim = Claim {
            who: who.to_owned(),
            seen: Seen::Faces(faces.iter().map(|face| face.0).collect()),
            usage: Use::Swap,
        };
        let purpose = Purpose {
            usage: Use::Swap,
            audience: Audience::Private,
            same: self.same,
        };
        match require(&self.store(), &[claim], &purpose, now()) {
            Ok(_) => Ok(None),
            Err(error @ Error::OtherFace { .. }) => Ok(Some(error)),
            Err(error) => Err(error.into()),
        }
    }
}

fn now() -> UtcTime {
    UtcTime::from_unix_secs(1_800_000_000)
}
