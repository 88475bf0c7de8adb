//! Marks of other makers: each is found where its maker writes it, and nothing else is one.

use super::*;

fn marks(text: &str) -> Vec<Foreign> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    std::fs::write(&path, text).unwrap();
    find(&path).unwrap()
}

#[test]
fn iptc_source_type_is_read_from_attribute_and_element() {
    let uri = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
    let generated = Foreign::DigitalSourceType("trainedAlgorithmicMedia".to_owned());
    assert!(generated.is_synthetic());
    for xmp in [
        format!("<rdf:Description Iptc4xmpExt:DigitalSourceType=\"{uri}\"/>"),
        format!("<Iptc4xmpExt:DigitalSourceType>{uri}</Iptc4xmpExt:DigitalSourceType>"),
    ] {
        assert_eq!(marks(&xmp)[0], generated, "{xmp}");
    }
}

#[test]
fn photographs_are_not_synthetic() {
    let uri = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture";
    let found = marks(&format!("Iptc4xmpExt:DigitalSourceType=\"{uri}\""));
    assert!(found.iter().all(|mark| !mark.is_synthetic()) && found.len() == 1);
}

#[test]
fn aigc_label_is_read_plain_and_escaped() {
    for text in [
        "AIGC={\"Label\":\"1\",\"ContentProducer\":\"x\"}",
        "TC260:AIGC=\"{&quot;Label&quot;:&quot;1&quot;,&quot;ProduceID&quot;:&quot;7&quot;}\"",
    ] {
        assert_eq!(marks(text), [Foreign::Aigc("1".to_owned())], "{text}");
    }
}

#[test]
fn words_alone_are_no_mark() {
    assert_eq!(
        marks("AIGC is a term, and so is DigitalSourceType {\"Label\":1}"),
        []
    );
}

/// A PNG with one chunk of text, which is all that is looked at.
fn png(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8], content: &[u8]| {
        let length = (content.len() as u32).to_be_bytes();
        [&length[..], kind, content, &[0; 4]].concat()
    };
    let head = chunk(b"IHDR", &[0; 13]);
    [&b"\x89PNG\r\n\x1a\n"[..], &head, &chunk(kind, content)].concat()
}

fn text(keyword: &str, text: &str) -> Vec<u8> {
    png(b"tEXt", format!("{keyword}\0{text}").as_bytes())
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Exif with one text, as JPEG, HEIC and AVIF have it.
fn exif(tag: u16, value: &[u8]) -> Vec<u8> {
    let is_inner = tag == 0x9286;
    let entry = |tag: u16, kind: u16, count: usize, value: u32| {
        let mut bytes = [tag.to_be_bytes(), kind.to_be_bytes()].concat();
        bytes.extend((count as u32).to_be_bytes());
        bytes.extend(value.to_be_bytes());
        bytes
    };
    let directory = |entry: Vec<u8>| [&[0, 1][..], &entry, &[0; 4]].concat();
    let mut tiff = b"MM\0*\0\0\0\x08".to_vec();
    if is_inner {
        tiff.extend(directory(entry(0x8769, 4, 1, 26)));
    }
    let at = tiff.len() as u32 + 18;
    tiff.extend(directory(entry(tag, 2, value.len(), at)));
    tiff.extend(value);
    [&b"\xff\xd8\xff\xe1\0\0Exif\0\0"[..], &tiff].concat()
}

fn xmp(inside: &str) -> Vec<u8> {
    format!("..<x:xmpmeta><rdf:Description {inside}</x:xmpmeta>").into_bytes()
}

#[track_caller]
fn check(bytes: &[u8], expected: &[Foreign]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(find(&path).unwrap(), expected, "{}", bytes.escape_ascii());
}

#[track_caller]
fn is_by(name: &str, bytes: &[u8]) {
    check(bytes, &[Foreign::Generator(name.to_owned())]);
}

const SETTINGS: &str =
    "a portrait\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, CFG scale: 7";
const PROMPT: &str = "{\"3\":{\"class_type\":\"KSampler\",\"inputs\":{\"seed\":1}}}";
const WORKFLOW: &str = "{\"last_node_id\":9,\"nodes\":[{\"type\":\"KSampler\"}]}";

#[test]
fn stable_diffusion_web_uis_are_known_in_any_container() {
    let name = "Stable Diffusion web UI";
    is_by(name, &text("parameters", SETTINGS));
    let packed = [b"parameters\0\0", &compressed(SETTINGS.as_bytes())[..]].concat();
    is_by(name, &png(b"zTXt", &packed));
    let packed = [
        b"parameters\0\x01\0\0\0",
        &compressed(SETTINGS.as_bytes())[..],
    ]
    .concat();
    is_by(name, &png(b"iTXt", &packed));
    // In a JPEG or WebP: the comment of Exif, in either order of bytes.
    for order in [u16::to_be_bytes, u16::to_le_bytes] {
        let wide: Vec<u8> = SETTINGS.encode_utf16().flat_map(order).collect();
        is_by(name, &exif(0x9286, &[b"UNICODE\0", &wide[..]].concat()));
    }
    // In a video: as it stands.
    is_by(name, format!("\0\0\0\x08ftyp....data{SETTINGS}").as_bytes());
}

#[test]
fn comfy_ui_is_known_by_prompt_and_by_workflow() {
    is_by("ComfyUI", &text("prompt", PROMPT));
    is_by("ComfyUI", &text("workflow", WORKFLOW));
    is_by(
        "ComfyUI",
        &text("workflow", "{\"nodes\":[{\"type\":\"KSampler\"}]}"),
    );
    is_by(
        "ComfyUI",
        &exif(0x010f, format!("workflow:{WORKFLOW}").as_bytes()),
    );
    is_by(
        "ComfyUI",
        format!("....moov....comment{{\"prompt\":{PROMPT}}}").as_bytes(),
    );
}

#[test]
fn generators_are_known_by_what_they_write() {
    is_by(
        "InvokeAI",
        &text("invokeai_metadata", "{\"app_version\":\"5.0\"}"),
    );
    is_by("InvokeAI", &text("Dream", "\"a portrait\" -s 50"));
    is_by("NovelAI", &text("Software", "NovelAI"));
    is_by("NovelAI", &text("Source", "NovelAI Diffusion V4"));
    is_by("SwarmUI", &text("parameters", "{\"sui_image_params\": {}}"));
    is_by("Sora", &text("Software", "Sora"));
    is_by("Draw Things", &xmp("xmp:CreatorTool=\"Draw Things\"/>"));
    is_by("Fooocus", &text("fooocus_scheme", "fooocus"));
    is_by(
        "Easy Diffusion",
        &text("use_stable_diffusion_model", "sd-v1-5"),
    );
    is_by(
        "Midjourney",
        &text("Description", "a portrait --v 7 Job ID: 0a1b2c3d"),
    );
    is_by(
        "Midjourney",
        &exif(0x010e, b"a portrait Job ID: 0a1b2c3d\0"),
    );
    is_by("Midjourney", &xmp("dc:creator='Midjourney'/>"));
    is_by("DALL\u{b7}E", &exif(0x0131, "DALL\u{b7}E 3\0".as_bytes()));
    is_by("OpenAI", &exif(0x0131, b"OpenAI image generation\0"));
    is_by("ChatGPT", &xmp("xmp:CreatorTool=\"ChatGPT\"/>"));
    is_by("Adobe Firefly", &exif(0x0131, b"Adobe Firefly 3.0\0"));
    is_by("Adobe Firefly", &xmp("xmp:CreatorTool=\"Adobe Firefly\"/>"));
    is_by("Stability AI", &exif(0x0131, b"Stability AI\0"));
    is_by(
        "an AI system",
        &xmp("Iptc4xmpExt:AISystemUsed=\"Somebody's\"/>"),
    );
}

#[test]
fn credits_of_phones_are_known_in_xmp_and_iptc() {
    let credit = "Made with Google AI";
    is_by(
        "Google AI",
        &xmp(&format!("photoshop:Credit=\"{credit}\"/>")),
    );
    let element = format!("><photoshop:Credit>{credit}</photoshop:Credit>");
    is_by("Google AI", &xmp(&element));
    let edited = "<rdf:li>Edited with Google AI</rdf:li>";
    is_by(
        "Google AI",
        &xmp(&format!("><dc:creator>{edited}</dc:creator>")),
    );
    let set = [b"\x1c\x02\x6e\0\x13", credit.as_bytes()].concat();
    is_by(
        "Google AI",
        &[b"Photoshop 3.0\08BIM\x04\x04\0\0\0\0\0\x18", &set[..]].concat(),
    );
    for name in ["Apple Image Playground", "Apple Photos Clean Up"] {
        is_by(name, &xmp(&format!("photoshop:Credit=\"{name}\"/>")));
    }
}

#[test]
fn edits_are_told_from_generated_parts() {
    let samsung = "PhotoEditor_Re_Edit_Data{\"originalPath\":\"/a.jpg\"";
    let edited = Foreign::Editor("Samsung's photo editor".to_owned());
    check(samsung.as_bytes(), std::slice::from_ref(&edited));
    assert!(!edited.is_synthetic());
    let generated = Foreign::Generator("Samsung Galaxy AI".to_owned());
    let redrawn = format!("{samsung},\"genAIType\":1}}");
    check(redrawn.as_bytes(), &[generated, edited]);
    let not_redrawn = format!("{samsung},\"genAIType\":0}}");
    assert_eq!(marks(&not_redrawn).len(), 1);
    let apple = "<rdf:RDF xmlns:a=\"http://ns.apple.com/adjustment-settings/1.0/\">";
    check(
        apple.as_bytes(),
        &[Foreign::Editor("Apple Photos".to_owned())],
    );
}

#[test]
fn every_type_of_iptc_that_speaks_of_a_model_counts() {
    for (kind, is_synthetic) in [
        ("trainedAlgorithmicMedia", true),
        ("compositeWithTrainedAlgorithmicMedia", true),
        ("compositeSynthetic", true),
        ("digitalCapture", false),
        ("algorithmicMedia", false),
        ("humanEdits", false),
    ] {
        // Prefixes are for whoever writes them to choose.
        for prefix in ["Iptc4xmpExt", "ns1"] {
            let uri = format!("http://cv.iptc.org/newscodes/digitalsourcetype/{kind}");
            let found = marks(&format!(
                "<rdf:Description {prefix}:DigitalSourceType='{uri}'/>"
            ));
            assert_eq!(found, [Foreign::DigitalSourceType(kind.to_owned())]);
            assert_eq!(found[0].is_synthetic(), is_synthetic, "{kind}");
        }
    }
}

#[test]
fn aigc_label_is_read_from_compressed_text_and_exif() {
    let label = "{\"Label\":\"1\",\"ContentProducer\":\"x\"}";
    let packed = [b"AIGC\0\0", &compressed(label.as_bytes())[..]].concat();
    check(&png(b"zTXt", &packed), &[Foreign::Aigc("1".to_owned())]);
    let wide = format!("{{\"AIGC\":{label}}}");
    let wide: Vec<u8> = wide.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let comment = exif(0x9286, &[b"UNICODE\0", &wide[..]].concat());
    check(&comment, &[Foreign::Aigc("1".to_owned())]);
}

#[test]
fn cameras_editors_and_talk_about_generators_are_no_marks() {
    for bytes in [
        exif(0x0131, b"Adobe Photoshop 26.0\0"),
        exif(0x010f, b"Canon\0"),
        exif(0x013b, b"Sora Tanaka\0"),
        xmp("photoshop:Credit=\"Runway Studios\"/>"),
        xmp("dc:description=\"Draw Things, an exhibition\"/>"),
        text("Software", "GIMP 3.0"),
        text("Comment", "Steps: to the lake, then left"),
        text("parameters", "exposure 0.3"),
        text("workflow", "scan, crop, print"),
        text("Description", "a painting in the manner of Midjourney"),
        xmp("xmp:CreatorTool=\"darktable\"/>"),
        xmp("photoshop:Credit=\"Ada Lovelace\"/>"),
    ] {
        check(&bytes, &[]);
    }
}

#[test]
fn mark_behind_the_table_of_a_long_video_is_found() {
    let box_of = |kind: &[u8; 4], content: &[u8]| {
        let length = (8 + content.len() as u32).to_be_bytes();
        [&length[..], kind, content].concat()
    };
    // A description that is longer than what is searched of the start, and pictures after it.
    let mut description = vec![0; 5 << 20];
    description.extend(format!("comment{PROMPT}").as_bytes());
    let video = [
        box_of(b"ftyp", b"isom\0\0\0\0"),
        box_of(b"moov", &description),
        box_of(b"mdat", &vec![0; 6 << 20]),
    ];
    is_by("ComfyUI", &video.concat());
}

#[test]
fn hostile_metadata_ends() {
    // A directory that refers to itself, and lengths beyond the end.
    let mut tiff = b"II*\0\x08\0\0\0\xff\xff".to_vec();
    for _ in 0..1000 {
        tiff.extend(b"\x69\x87\x04\0\xff\xff\xff\xff\x08\0\0\0");
        tiff.extend(b"\x86\x92\x02\0\xff\xff\xff\xff\xff\xff\xff\xff");
    }
    check(&tiff, &[]);
    let bomb = compressed(&vec![b'a'; 64 << 20]);
    check(&png(b"zTXt", &[b"parameters\0\0", &bomb[..]].concat()), &[]);
    check(&png(b"iTXt", b"parameters"), &[]);
}
