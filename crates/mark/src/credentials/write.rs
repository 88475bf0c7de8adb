//! Writing a manifest into a finished file.

use std::fs::File;
use std::io::{Cursor, Seek as _};
use std::path::{Path, PathBuf};

use c2pa::assertions::{SoftBinding, SoftBindingBlock, SoftBindingScope};
use c2pa::{Builder, BuilderIntent, Context, DigitalSourceType, Relationship};
use effigy_files::AtomicFile;
use effigy_media::{Limits, read_in_time};
use serde_json::json;

use crate::consent::{Audience, Token, Use};
use crate::credentials::{MAKING, WATERMARK, container, media_type};
use crate::error::{Error, Result};
use crate::foreign::Foreign;
use crate::keys::Keys;
use crate::label::{Label, Source};

/// By whose leave a file was made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Authorisation {
    pub(crate) consents: Vec<String>,
    /// `None` where a file from elsewhere is marked: nothing was done to it here.
    pub(crate) usage: Option<Use>,
    pub(crate) audience: Option<Audience>,
}

impl Authorisation {
    pub(crate) fn of(token: &Token) -> Self {
        let consents = token.consents().iter();
        Self {
            consents: consents.map(|record| record.id.to_string()).collect(),
            usage: Some(token.usage()),
            audience: Some(token.audience()),
        }
    }
}

/// Marks that the edited file had and that re-encoding it would lose.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub(crate) struct Before {
    /// The identifier of a watermark of ours.
    pub(crate) watermark: Option<String>,
    pub(crate) metadata: Vec<Foreign>,
}

/// Which face model drew a file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ModelName {
    /// Name of its folder.
    pub name: String,
    /// SHA-256 of its weights, in hexadecimal digits.
    pub sha256: String,
}

/// What a manifest says.
pub(crate) struct Manifest<'a> {
    /// File name of the output.
    pub(crate) title: String,
    pub(crate) authorisation: &'a Authorisation,
    pub(crate) before: Before,
    pub(crate) label: &'a Label,
    /// The file that was edited.
    pub(crate) parent: Option<PathBuf>,
    /// Other files that went into it.
    pub(crate) inputs: &'a [PathBuf],
    /// The face model that drew it.
    pub(crate) model: Option<&'a ModelName>,
    /// A small JPEG of the marked picture.
    pub(crate) thumbnail: Vec<u8>,
}

/// Copies `unsigned` to the empty file `signed`, with the manifest embedded.
pub(crate) fn sign(
    unsigned: &Path,
    signed: &AtomicFile,
    manifest: &Manifest<'_>,
    keys: &Keys,
) -> Result<()> {
    let media_type = media_type(signed.path())?;
    let signer = keys.signer()?;
    let read_error = |source| Error::Read {
        source,
        path: unsigned.to_owned(),
    };
    let mut input = File::open(unsigned).map_err(read_error)?;
    let unhashed = if media_type.starts_with("video/") {
        container::unhashed(&mut input).map_err(read_error)?
    } else {
        None
    };
    input.rewind().map_err(read_error)?;
    let mut builder = builder(manifest, unhashed).map_err(|source| Error::Sign { source })?;
    if let Some(parent) = &manifest.parent {
        builder = add_ingredient(builder, parent, Relationship::ParentOf, &patience(parent))?;
    }
    for input in manifest.inputs {
        builder = add_ingredient(builder, input, Relationship::InputTo, &patience(input))?;
    }
    let mut output = signed.file();
    builder
        .sign(&*signer, media_type, &mut input, &mut output)
        .map_err(|source| keys.no_signature(source))?;
    Ok(())
}

fn builder(manifest: &Manifest<'_>, unhashed: Option<String>) -> c2pa::Result<Builder> {
    let settings = json!({
        "builder": { "thumbnail": { "enabled": false } },
        "verify": { "remote_manifest_fetch": false },
    });
    let context = Context::new().with_settings(settings)?;
    let mut builder = Builder::from_context(context).with_definition(json!({
        "title": manifest.title,
        "claim_generator_info": [{ "name": "effigy", "version": env!("CARGO_PKG_VERSION") }],
    }))?;
    let source = match manifest.label.source {
        Source::Altered => DigitalSourceType::CompositeWithTrainedAlgorithmicMedia,
        Source::Generated => DigitalSourceType::TrainedAlgorithmicMedia,
    };
    // What was made from nothing has no parent; what another program made has.
    let intent = match (manifest.label.source, &manifest.parent) {
        (Source::Generated, None) => BuilderIntent::Create(source.clone()),
        _ => BuilderIntent::Edit,
    };
    builder.set_intent(intent);
    builder.add_action(json!({
        "action": "c2pa.edited",
        "when": manifest.label.made,
        "digitalSourceType": source,
        "softwareAgent": { "name": "effigy", "version": env!("CARGO_PKG_VERSION") },
        "description": manifest.authorisation.usage.map_or_else(
            || "made elsewhere; marked as synthetic".to_owned(),
            |usage| match usage {
                Use::Puppet | Use::Drive => "puppet: a portrait moved as somebody else moved".to_owned(),
                Use::Speech => "speech: a portrait made to speak by a sound".to_owned(),
                usage => format!("{usage}: faces drawn by a trained model"),
            },
        ),
    }))?;
    builder.add_action(json!({ "action": "c2pa.watermarked", "when": manifest.label.made }))?;
    builder.add_assertion_json(MAKING, &making(manifest, unhashed))?;
    let mut binding = SoftBinding::default();
    binding.alg = Some(WATERMARK.to_owned());
    binding.blocks = vec![SoftBindingBlock {
        scope: SoftBindingScope::default(),
        value: format!("{:016x}", manifest.label.identifier),
    }];
    builder.add_assertion(SoftBinding::LABEL, &binding)?;
    builder.set_thumbnail("image/jpeg", &mut Cursor::new(&manifest.thumbnail))?;
    Ok(builder)
}

fn making(manifest: &Manifest<'_>, unhashed: Option<String>) -> serde_json::Value {
    let label = manifest.label;
    json!({
        "provider": label.provider,
        "system": "effigy",
        "version": env!("CARGO_PKG_VERSION"),
        "time": label.made,
        "identifier": format!("{:016x}", label.identifier),
        "use": manifest.authorisation.usage,
        "audience": manifest.authorisation.audience,
        "consents": manifest.authorisation.consents,
        "before": manifest.before,
        "unhashed": unhashed,
        "model": manifest.model,
        "label": { "profiles": label.profiles, "language": label.language, "source": label.source },
    })
}

/// How long the credentials of a file may take: a library reads them that follows wherever a file
/// leads it, in circles too. Hashing takes its time on a slow disk.
fn patience(path: &Path) -> Limits {
    /// Bytes a second.
    const SLOWEST: f64 = 10e6;
    let usual = Limits::default();
    let n_bytes = path.metadata().map_or(0, |file| file.len());
    Limits {
        max_pause_secs: usual.max_pause_secs + n_bytes as f64 / SLOWEST,
        ..usual
    }
}

/// Adds a file as an ingredient, with whatever credentials it has.
fn add_ingredient(
    mut builder: Builder,
    path: &Path,
    relationship: Relationship,
    limits: &Limits,
) -> Result<Builder> {
    let sign_error = |source| Error::Sign { source };
    let mut file = File::open(path).map_err(|source| Error::Read {
        source,
        path: path.to_owned(),
    })?;
    let title = path.file_name().unwrap_or_default().to_string_lossy();
    let ingredient = json!({ "title": title, "relationship": relationship });
    let format = c2pa::format_from_path(path).unwrap_or_default();
    if Builder::supported_mime_types().contains(&format) {
        let added = read_in_time(path, limits, move || {
            builder
                .add_ingredient_from_stream(ingredient.to_string(), &format, &mut file)
                .map(drop)
                .map(|()| builder)
        })?;
        builder = added.map_err(sign_error)?;
    } else {
        // A format that can carry no credentials has none to keep.
        // Without a name of its own, the next such file would take its place.
        let name = format!("{}: {title}", builder.definition.ingredients.len());
        let mut bare =
            c2pa::Ingredient::new_v2(title.into_owned(), "application/octet-stream".to_owned());
        bare.set_instance_id(name);
        bare.set_relationship(relationship);
        builder.add_ingredient(bare);
    }
    Ok(builder)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// A TIFF whose one directory refers to itself 12,000 times, at every level anew, 2000 times.
    fn labyrinth() -> Vec<u8> {
        const N_ENTRIES: u16 = 2000;
        const N_OFFSETS: u32 = 12_000;
        const DIRECTORY: u32 = 8;
        let offsets_at = DIRECTORY + 2 + 12 * u32::from(N_ENTRIES) + 4;
        let mut bytes = b"II*\0".to_vec();
        bytes.extend(DIRECTORY.to_le_bytes());
        bytes.extend(N_ENTRIES.to_le_bytes());
        for _ in 0..N_ENTRIES {
            bytes.extend(0x014a_u16.to_le_bytes());
            bytes.extend(4_u16.to_le_bytes());
            bytes.extend(N_OFFSETS.to_le_bytes());
            bytes.extend(offsets_at.to_le_bytes());
        }
        bytes.extend([0; 4]);
        bytes.extend(DIRECTORY.to_le_bytes().repeat(N_OFFSETS as usize));
        bytes
    }

    #[test]
    fn files_that_can_carry_no_credentials_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.mpg");
        std::fs::write(&path, b"a film").unwrap();
        let mut builder = Builder::from_context(Context::new());
        let [parent, twice] = [Relationship::ParentOf, Relationship::InputTo];
        for relationship in [parent, twice.clone(), twice] {
            builder = add_ingredient(builder, &path, relationship, &patience(&path)).unwrap();
        }
        let names = builder.definition.ingredients.iter();
        let names: HashSet<&str> = names.map(c2pa::Ingredient::instance_id).collect();
        assert_eq!(names.len(), 3);
    }

    #[test]
    fn ingredient_that_leads_in_circles_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("circles.tif");
        std::fs::write(&path, labyrinth()).unwrap();
        let limits = Limits {
            max_pause_secs: 0.3,
            ..patience(&path)
        };
        let builder = Builder::from_context(Context::new());
        let added = add_ingredient(builder, &path, Relationship::ParentOf, &limits);
        let said = added.err().unwrap().to_string();
        assert!(said.contains("stood still for 0.3 s"), "{said}");
    }
}
