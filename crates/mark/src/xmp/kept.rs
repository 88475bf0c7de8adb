//! XMP of an original, made true of its marked copy.
//!
//! Everything stays but what speaks of parts that the copy does not have (a clip, a gain map, a
//! thumbnail), what it says of its own pixels, and what our marks say anew.

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::{NsReader, Writer};

/// What an original says, as it goes into the copy.
pub(super) struct Kept {
    /// The element `x:xmpmeta` or `rdf:RDF` up to where its last description ends.
    pub(super) before: Vec<u8>,
    /// The rest of it.
    pub(super) after: Vec<u8>,
    /// Names of the properties in it.
    names: Vec<Vec<u8>>,
}

impl Kept {
    /// Whether it has a property of this name, whatever its namespace.
    pub(super) fn says(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name.as_bytes())
    }
}

const RDF: &[u8] = b"http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// Properties that do not go into a copy: namespace, and name or everything in it.
const DROPPED: [(&[u8], Option<&[u8]>); 17] = [
    // What our own packet says.
    (
        b"http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
        Some(b"DigitalSourceType"),
    ),
    (b"http://www.tc260.org.cn/ns/AIGC/1.0/", None),
    // Credentials of the original that are kept elsewhere are not those of the copy.
    (b"http://purl.org/dc/terms/", Some(b"provenance")),
    // Clips, depth and gain maps behind the picture.
    (b"http://ns.google.com/photos/1.0/camera/", None),
    (b"http://ns.google.com/photos/1.0/container/", None),
    (b"http://ns.google.com/photos/1.0/container/item/", None),
    (b"http://ns.google.com/photos/1.0/depthmap/", None),
    (b"http://ns.google.com/photos/1.0/image/", None),
    (b"http://ns.adobe.com/hdr-gain-map/1.0/", None),
    (b"http://ns.apple.com/HDRGainMap/1.0/", None),
    (b"http://ns.adobe.com/xmp/note/", Some(b"HasExtendedXMP")),
    // A small picture of what was there before, and the size and direction of its pixels.
    (b"http://ns.adobe.com/xap/1.0/", Some(b"Thumbnails")),
    (b"http://ns.adobe.com/tiff/1.0/", Some(b"Orientation")),
    (b"http://ns.adobe.com/tiff/1.0/", Some(b"ImageWidth")),
    (b"http://ns.adobe.com/tiff/1.0/", Some(b"ImageLength")),
    (b"http://ns.adobe.com/exif/1.0/", Some(b"PixelXDimension")),
    (b"http://ns.adobe.com/exif/1.0/", Some(b"PixelYDimension")),
];

/// Reads a packet. `None` where it is damaged or no XMP.
pub(super) fn kept(packet: &str) -> Option<Kept> {
    let mut reader = NsReader::from_str(packet);
    let mut writer = Writer::new(Vec::new());
    let (mut names, mut depth, mut split_at) = (Vec::new(), 0_usize, None);
    loop {
        let (namespace, event) = reader.read_resolved_event().ok()?;
        let is_rdf = is_in(&namespace, RDF);
        match event {
            Event::Start(element) if is_dropped(&namespace, &element) => {
                reader.read_to_end(element.name()).ok()?;
            }
            Event::Empty(element) if is_dropped(&namespace, &element) => {}
            Event::Start(element) => {
                names.push(element.local_name().as_ref().to_vec());
                let element = without_dropped(&reader, &element, &mut names)?;
                depth += 1;
                writer.write_event(Event::Start(element)).ok()?;
            }
            Event::Empty(element) => {
                names.push(element.local_name().as_ref().to_vec());
                let is_whole = is_rdf && element.local_name().as_ref() == b"RDF";
                let element = without_dropped(&reader, &element, &mut names)?;
                if is_whole {
                    return None; // It says nothing.
                }
                writer.write_event(Event::Empty(element)).ok()?;
            }
            Event::End(element) => {
                depth = depth.checked_sub(1)?;
                if is_rdf && element.local_name().as_ref() == b"RDF" {
                    split_at = Some(writer.get_ref().len());
                }
                writer.write_event(Event::End(element)).ok()?;
            }
            Event::Eof => break,
            Event::GeneralRef(name) if !is_known_everywhere(&name) => return None,
            inside @ (Event::Text(_) | Event::CData(_) | Event::GeneralRef(_)) if depth > 0 => {
                writer.write_event(inside).ok()?;
            }
            // What wraps the packet is written anew.
            _ => {}
        }
    }
    let mut before = writer.into_inner();
    let after = before.split_off(split_at?);
    (depth == 0).then_some(Kept {
        before,
        after,
        names,
    })
}

/// Entities that need no definition; any other could stand for anything.
fn is_known_everywhere(name: &[u8]) -> bool {
    matches!(
        name,
        b"amp" | b"lt" | b"gt" | b"quot" | b"apos" | [b'#', ..]
    )
}

fn is_in(namespace: &ResolveResult<'_>, wanted: &[u8]) -> bool {
    matches!(namespace, ResolveResult::Bound(Namespace(found)) if *found == wanted)
}

fn is_dropped(namespace: &ResolveResult<'_>, element: &BytesStart<'_>) -> bool {
    is_dropped_name(namespace, element.local_name().as_ref())
}

fn is_dropped_name(namespace: &ResolveResult<'_>, name: &[u8]) -> bool {
    DROPPED
        .iter()
        .any(|(dropped, only)| is_in(namespace, dropped) && only.is_none_or(|only| only == name))
}

/// An element without those of its attributes that are dropped properties.
fn without_dropped(
    reader: &NsReader<&[u8]>,
    element: &BytesStart<'_>,
    names: &mut Vec<Vec<u8>>,
) -> Option<BytesStart<'static>> {
    let name = std::str::from_utf8(element.name().into_inner()).ok()?;
    let mut kept = BytesStart::new(name.to_owned());
    for attribute in element.attributes() {
        let attribute = attribute.ok()?;
        let (namespace, local) = reader.resolver().resolve_attribute(attribute.key);
        if !is_dropped_name(&namespace, local.as_ref()) {
            names.push(local.as_ref().to_vec());
            kept.push_attribute(attribute);
        }
    }
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(packet: &str) -> Option<String> {
        let kept = kept(packet)?;
        String::from_utf8([kept.before, kept.after].concat()).ok()
    }

    fn described(attributes: &str, content: &str) -> String {
        format!(
            "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>\
             <x:xmpmeta xmlns:x='adobe:ns:meta/'>\
             <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
             <rdf:Description rdf:about='' {attributes}>{content}</rdf:Description>\
             </rdf:RDF></x:xmpmeta>   <?xpacket end='w'?>"
        )
    }

    #[test]
    fn rights_stay_and_a_clip_that_is_gone_is_not_mentioned() {
        let packet = described(
            "xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' photoshop:Credit='Ada &amp; Co' \
             xmlns:GCamera='http://ns.google.com/photos/1.0/camera/' GCamera:MotionPhoto='1'",
            "<dc:rights xmlns:dc='http://purl.org/dc/elements/1.1/'>all reserved</dc:rights>\
             <GCamera:Item>clip</GCamera:Item>",
        );
        let kept = whole(&packet).unwrap();
        assert!(kept.contains("photoshop:Credit=\"Ada &amp; Co\""), "{kept}");
        assert!(kept.contains(">all reserved</dc:rights>"), "{kept}");
        assert!(!kept.contains("GCamera:MotionPhoto"), "{kept}");
        assert!(
            !kept.contains("clip") && !kept.contains("xpacket"),
            "{kept}"
        );
    }

    #[test]
    fn ours_goes_where_the_descriptions_end() {
        let kept = kept(&described("", "")).unwrap();
        assert!(kept.before.ends_with(b"</rdf:Description>"));
        assert!(kept.after.starts_with(b"</rdf:RDF>"));
        assert!(kept.says("about") && !kept.says("rights"));
    }

    #[test]
    fn names_count_by_their_namespace_and_not_by_its_prefix() {
        let iptc = "xmlns:other='http://iptc.org/std/Iptc4xmpExt/2008-02-29/'";
        let packet = described(&format!("{iptc} other:DigitalSourceType='x'"), "");
        assert!(!whole(&packet).unwrap().contains("other:DigitalSourceType"));
        let innocent = described(
            "xmlns:Iptc4xmpExt='urn:y' Iptc4xmpExt:DigitalSourceType='x'",
            "",
        );
        assert!(whole(&innocent).unwrap().contains("DigitalSourceType"));
    }

    #[test]
    fn damaged_packets_are_not_kept() {
        let packet = described("", "<a>b</a>");
        assert!(kept(&packet[..packet.len() - 40]).is_none());
        for broken in ["", "no XMP", "<a/>", "<a><b></a></b>", "</a>"] {
            assert!(kept(broken).is_none(), "{broken}");
        }
    }

    #[test]
    fn entities_are_neither_defined_nor_followed() {
        let bomb = "<!DOCTYPE a [<!ENTITY bomb 'boom'>]>";
        assert!(kept(&format!("{bomb}{}", described("", "&bomb;"))).is_none());
        let unused = whole(&format!("{bomb}{}", described("", "&amp;"))).unwrap();
        assert!(!unused.contains("ENTITY") && unused.contains("&amp;"));
    }
}
