//! What a picture is besides its pixels stays when it is marked, or is named as lost.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use effigy_mark::{Marked, mark_file};
use effigy_media::{Limits, Original, read_original, read_picture};
use image::{DynamicImage, ExtendedColorType, ImageEncoder, Rgb, RgbImage, Rgba};

use crate::marking::{Studio, studio};

fn mark(studio: &Studio, from: &Path, to: &str) -> Marked {
    let step = &mut || ControlFlow::Continue(());
    mark_file(from, &studio.path(to), &studio.policy(), step).unwrap()
}

fn original(path: &Path) -> Original {
    read_original(path, &Limits::default()).unwrap()
}

fn drawn(x: u32, y: u32) -> [u8; 3] {
    [(x / 2) as u8, (y + 20) as u8, ((x ^ y) & 63) as u8 + 90]
}

/// A profile in name only: nothing here reads more of it than what its colours are.
fn profile() -> Vec<u8> {
    [&[0; 16][..], b"RGB ", b"Display P3"].concat()
}

/// EXIF with orientation 6 and a copyright.
fn exif() -> Vec<u8> {
    let head = b"MM\0\x2a\0\0\0\x08\0\x02";
    let orientation = b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0";
    let copyright = b"\x82\x98\0\x02\0\0\0\x0e\0\0\0\x26";
    [
        &head[..],
        orientation,
        copyright,
        &[0; 4],
        b"(c) Ada Actor\0",
    ]
    .concat()
}

/// Author and copyright, as newsrooms write them.
fn iptc() -> Vec<u8> {
    [
        &b"\x1c\x02\x50\0\x09Ada Actor"[..],
        b"\x1c\x02\x74\0\x0aCo. & Sons",
    ]
    .concat()
}

fn xmp() -> Vec<u8> {
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'>\
     <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
     <rdf:Description rdf:about='' xmlns:xmpRights='http://ns.adobe.com/xap/1.0/rights/' \
     xmlns:GCamera='http://ns.google.com/photos/1.0/camera/' GCamera:MotionPhoto='1' \
     xmpRights:WebStatement='https://example.com/rights'/></rdf:RDF></x:xmpmeta>"
        .into()
}

fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u16 + 2).to_be_bytes();
    [&[0xff, marker][..], &length, content].concat()
}

/// A photograph of a newsroom, lying on its side.
fn photograph() -> Vec<u8> {
    let picture = RgbImage::from_fn(320, 240, |x, y| Rgb(drawn(x, y)));
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_icc_profile(profile()).unwrap();
    encoder.set_exif_metadata(exif()).unwrap();
    encoder
        .write_image(&picture, 320, 240, ExtendedColorType::Rgb8)
        .unwrap();
    let packet = [b"http://ns.adobe.com/xap/1.0/\0", &xmp()[..]].concat();
    let records = [
        &b"Photoshop 3.0\x008BIM\x04\x04\0\0"[..],
        &(iptc().len() as u32).to_be_bytes(),
        &iptc(),
    ];
    let added = [
        segment(0xe1, &packet),
        segment(0xed, &records.concat()),
        segment(0xfe, b"taken in the studio"),
    ];
    bytes.splice(2..2, added.concat());
    bytes
}

fn contains(bytes: &[u8], wanted: &str) -> bool {
    bytes.windows(wanted.len()).any(|w| w == wanted.as_bytes())
}

#[test]
fn marked_photograph_keeps_profile_rights_and_direction() {
    let studio = studio();
    let from = studio.path("news.jpg");
    fs::write(&from, photograph()).unwrap();
    for name in ["out.jpg", "out.png", "out.webp"] {
        let marked = mark(&studio, &from, name);
        let Original {
            picture, metadata, ..
        } = original(&marked.path);
        assert_eq!((picture.width(), picture.height()), (240, 320), "{name}");
        assert_eq!(metadata.icc, Some(profile()), "{name}");
        let exif = metadata.exif.clone().unwrap();
        assert!(contains(&exif, "(c) Ada Actor"), "{name}");
        let packet = metadata.xmp.clone().unwrap();
        for said in [
            "https://example.com/rights",
            "<rdf:li>Ada Actor</rdf:li>",
            "Co. &amp; Sons</rdf:li>",
            "trainedAlgorithmicMedia",
        ] {
            assert!(packet.contains(said), "{name}: {said} is not in {packet}");
        }
        let is_jpeg = name == "out.jpg";
        assert_eq!(metadata.iptc.is_some(), is_jpeg, "{name}");
        let bytes = fs::read(&marked.path).unwrap();
        let has_comment = contains(&bytes, "taken in the studio");
        assert_eq!(has_comment, name != "out.webp", "{name}");
        let motion = marked.lost.iter().any(|what| what.contains("motion photo"));
        assert!(
            motion && !packet.contains("MotionPhoto"),
            "{name}: {:?}",
            marked.lost
        );
        let named = usize::from(!has_comment) + 1;
        assert_eq!(marked.lost.len(), named, "{name}: {:?}", marked.lost);
    }
}

#[test]
fn marked_picture_keeps_its_transparency_and_shows_its_label() {
    let studio = studio();
    let from = studio.path("cut-out.png");
    let opaque = |x: u32, y: u32| (x as i32 - 160).pow(2) + (y as i32 - 130).pow(2) < 90 * 90;
    let drawing = image::RgbaImage::from_fn(320, 240, |x, y| {
        let [r, g, b] = drawn(x, y);
        Rgba([r, g, b, if opaque(x, y) { 255 } else { 0 }])
    });
    drawing.save(&from).unwrap();
    for name in ["out.png", "out.webp"] {
        let marked = mark(&studio, &from, name);
        assert_eq!(marked.lost, Vec::<String>::new(), "{name}");
        let copy = image::open(&marked.path).unwrap().into_rgba8();
        assert_eq!(copy.get_pixel(5, 120).0[3], 0, "{name}");
        assert_eq!(copy.get_pixel(160, 130).0[3], 255, "{name}");
        // The European label stands at the upper right, where nothing else is.
        let label = (200..304).flat_map(|x| (12..30).map(move |y| (x, y)));
        let shown = label.filter(|&(x, y)| copy.get_pixel(x, y).0[3] > 100);
        assert!(shown.count() > 400, "{name}");
    }
    let marked = mark(&studio, &from, "out.jpg");
    assert!(marked.lost[0].contains("transparency"), "{:?}", marked.lost);
}

#[test]
fn watermark_comes_before_transparency_where_hardly_anything_is_opaque() {
    let studio = studio();
    let from = studio.path("dots.png");
    let drawing = image::RgbaImage::from_fn(320, 240, |x, y| {
        let alpha = if x % 64 == 0 && y % 64 == 0 { 255 } else { 0 };
        Rgba([200, 30, 90, alpha])
    });
    drawing.save(&from).unwrap();
    let marked = mark(&studio, &from, "out.png");
    assert!(marked.lost[0].contains("transparency"), "{:?}", marked.lost);
}

#[test]
fn marked_picture_keeps_16_bits() {
    let studio = studio();
    let from = studio.path("deep.png");
    let drawing = image::ImageBuffer::from_fn(320, 240, |x, y| {
        Rgb([
            (x * 173) as u16,
            (y * 200 + 5000) as u16,
            30_011 + (x ^ y) as u16 * 50,
        ])
    });
    let before = DynamicImage::ImageRgb16(drawing);
    before.save(&from).unwrap();
    let marked = mark(&studio, &from, "out.png");
    assert_eq!(marked.lost, Vec::<String>::new());
    let after = image::open(&marked.path).unwrap();
    assert_eq!(after.color(), image::ColorType::Rgb16);
    let (before, after) = (before.into_rgb16(), after.into_rgb16());
    let kept = before.iter().zip(after.iter()).filter(|(before, after)| {
        // Marks change whole steps of 8 bits; what is finer stays.
        (i32::from(**before) - i32::from(**after)) % 257 == 0
    });
    let share = kept.count() as f64 / (320.0 * 240.0 * 3.0);
    assert!(
        share > 0.98,
        "{share}: only what reached black or white may differ"
    );
    let shallow = mark(&studio, &from, "out.jpg");
    assert!(shallow.lost[0].contains("16 bits"), "{:?}", shallow.lost);
}

#[test]
fn notes_of_a_png_stay_and_its_copyright_reaches_other_formats() {
    let studio = studio();
    let from = studio.path("noted.png");
    let picture = RgbImage::from_fn(320, 240, |x, y| Rgb(drawn(x, y)));
    picture.save(&from).unwrap();
    let mut bytes = fs::read(&from).unwrap();
    let body = b"tEXtCopyright\0Ada";
    let length = (body.len() as u32 - 4).to_be_bytes();
    let check = crc32fast::hash(body).to_be_bytes();
    bytes.splice(33..33, [&length[..], body, &check].concat());
    fs::write(&from, bytes).unwrap();
    let png = mark(&studio, &from, "out.png");
    assert_eq!(png.lost, Vec::<String>::new());
    assert!(contains(&fs::read(&png.path).unwrap(), "Copyright\0Ada"));
    let jpeg = mark(&studio, &from, "out.jpg");
    let packet = original(&jpeg.path).metadata.xmp.unwrap();
    assert!(packet.contains(">Ada</rdf:li>"), "{packet}");
}

#[test]
fn profile_of_other_colours_than_rgb_is_named_and_not_misused() {
    let studio = studio();
    let from = studio.path("printed.jpg");
    let grey = [&[0; 16][..], b"GRAY", b"Dot Gain 20%"].concat();
    let at = photograph();
    let start = at.windows(12).position(|w| w == b"ICC_PROFILE\0").unwrap() + 14;
    let mut bytes = at;
    bytes[start..start + 20].copy_from_slice(&grey[..20]);
    fs::write(&from, bytes).unwrap();
    let marked = mark(&studio, &from, "out.jpg");
    assert_eq!(original(&marked.path).metadata.icc, None);
    let is_named = marked
        .lost
        .iter()
        .any(|what| what.contains("colour profile"));
    assert!(is_named, "{:?}", marked.lost);
}

#[test]
fn damaged_metadata_stops_no_marking() {
    let studio = studio();
    let from = studio.path("odd.jpg");
    let whole = photograph();
    let end = whole.windows(2).position(|w| w == [0xff, 0xdb]).unwrap();
    let mut n_marked = 0;
    for at in (2..end).step_by(37) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        fs::write(&from, bytes).unwrap();
        // A broken length makes the picture itself unreadable.
        if read_picture(&from, &Limits::default()).is_ok() {
            mark(&studio, &from, "out.jpg");
            n_marked += 1;
        }
    }
    assert!(n_marked > 5);
}
