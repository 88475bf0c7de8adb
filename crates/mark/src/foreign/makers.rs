//! What generators and editors write into metadata of their own accord: a table.

use crate::foreign::fields::Field;
use crate::foreign::{Foreign, places};

/// What a maker's metadata looks like.
struct Maker {
    name: &'static str,
    /// Names of fields, one of which it must be; any, or plain text without a name, where empty.
    fields: &'static [&'static str],
    /// What the text holds, all of it.
    holds: &'static [&'static str],
    mark: Mark,
}

/// What such metadata is a mark of.
#[derive(Clone, Copy)]
enum Mark {
    /// A trained model made or redrew the picture.
    Generated,
    /// A program changed it, which need not have had a trained model in it.
    Edited,
}

const fn made(
    name: &'static str,
    fields: &'static [&'static str],
    holds: &'static [&'static str],
) -> Maker {
    Maker {
        name,
        fields,
        holds,
        mark: Mark::Generated,
    }
}

const fn edited(
    name: &'static str,
    fields: &'static [&'static str],
    holds: &'static [&'static str],
) -> Maker {
    Maker {
        mark: Mark::Edited,
        ..made(name, fields, holds)
    }
}

/// Fields in which programs name themselves, and nobody else.
const SOFTWARE: &[&str] = &[
    "Software",
    "xmp:CreatorTool",
    "tiff:Software",
    "Iptc4xmpExt:AISystemUsed",
    "OriginatingProgram",
];
/// Fields in which programs and services name themselves among people, agencies and cameras.
const MAKER: &[&str] = &[
    "Software",
    "Make",
    "Model",
    "Artist",
    "Author",
    "Source",
    "Creator",
    "Title",
    "xmp:CreatorTool",
    "tiff:Software",
    "dc:creator",
    "photoshop:Credit",
    "photoshop:Source",
    "Iptc4xmpExt:AISystemUsed",
    "OriginatingProgram",
    "By-line",
    "Credit",
];
/// Fields that hold free text.
const FREE: &[&str] = &[
    "Description",
    "ImageDescription",
    "UserComment",
    "Comment",
    "comment",
    "XPComment",
    "dc:description",
    "Caption",
];

/// The first that fits names the maker of a field; the more exact come first.
const MAKERS: [Maker; 37] = [
    made(
        "InvokeAI",
        &[
            "invokeai_metadata",
            "invokeai_graph",
            "sd-metadata",
            "Dream",
        ],
        &[],
    ),
    made("NovelAI", &["Software", "Source", "Title"], &["NovelAI"]),
    made("SwarmUI", &[], &["sui_image_params"]),
    made("Fooocus", &["fooocus_scheme"], &[]),
    made("Draw Things", SOFTWARE, &["Draw Things"]),
    made("Easy Diffusion", &["use_stable_diffusion_model"], &[]),
    made("Stable Diffusion web UI", &["parameters"], &["Steps: "]),
    made("Stable Diffusion web UI", &[], &["Steps: ", "Sampler: "]),
    made("ComfyUI", &[], &["\"class_type\"", "\"inputs\""]),
    made("ComfyUI", &["workflow"], &["\"nodes\""]),
    made("ComfyUI", &[], &["\"last_node_id\"", "\"nodes\""]),
    made("Midjourney", FREE, &["Job ID: "]),
    made("Midjourney", MAKER, &["Midjourney"]),
    made("DALL\u{b7}E", MAKER, &["DALL\u{b7}E"]),
    made("DALL\u{b7}E", MAKER, &["DALL-E"]),
    made("OpenAI", MAKER, &["OpenAI"]),
    made("ChatGPT", MAKER, &["ChatGPT"]),
    made("Sora", SOFTWARE, &["Sora"]),
    made("Adobe Firefly", MAKER, &["Adobe Firefly"]),
    made("Google AI", MAKER, &["Made with Google AI"]),
    made("Google AI", MAKER, &["Edited with Google AI"]),
    made("Apple Image Playground", MAKER, &["Apple Image Playground"]),
    made("Apple Photos Clean Up", MAKER, &["Apple Photos Clean Up"]),
    made("Samsung Galaxy AI", &[], &["\"genAIType\":1"]),
    made("Samsung Galaxy AI", &[], &["\"genAIType\":2"]),
    made("Stable Diffusion", MAKER, &["Stable Diffusion"]),
    made("Stability AI", MAKER, &["Stability AI"]),
    made("Leonardo.Ai", MAKER, &["Leonardo.Ai"]),
    made("Ideogram", SOFTWARE, &["Ideogram"]),
    made("FLUX", MAKER, &["Black Forest Labs"]),
    made("Bing Image Creator", MAKER, &["Bing Image Creator"]),
    made("Microsoft Designer", MAKER, &["Microsoft Designer"]),
    made("Runway", SOFTWARE, &["Runway"]),
    made("Kling", SOFTWARE, &["KlingAI"]),
    made("an AI system", &["Iptc4xmpExt:AISystemUsed"], &[]),
    edited("Samsung's photo editor", &[], &["PhotoEditor_Re_Edit_Data"]),
    edited(
        "Apple Photos",
        &[],
        &["http://ns.apple.com/adjustment-settings/"],
    ),
];

impl Maker {
    fn is_by(&self, field: &Field) -> bool {
        let is_named = self.fields.is_empty() || self.fields.contains(&field.name.as_str());
        is_named && self.holds.iter().all(|part| field.text.contains(part))
    }

    /// Whether plain text without a name is theirs: only what would not be written otherwise.
    fn is_in(&self, bytes: &[u8]) -> bool {
        let found = |part: &&str| places(bytes, part.as_bytes()).next().is_some();
        self.fields.is_empty() && self.holds.iter().all(found)
    }

    fn mark(&self) -> Foreign {
        let name = self.name.to_owned();
        match self.mark {
            Mark::Generated => Foreign::Generator(name),
            Mark::Edited => Foreign::Editor(name),
        }
    }
}

/// Whose marks are in the named fields of a piece of a file, and in what it holds besides.
pub(super) fn makers(fields: &[Field], bytes: &[u8]) -> Vec<Foreign> {
    let named = fields
        .iter()
        .filter_map(|field| MAKERS.iter().find(|maker| maker.is_by(field)));
    let plain = MAKERS.iter().filter(|maker| maker.is_in(bytes));
    named.chain(plain).map(Maker::mark).collect()
}
