//! The boxes of a store of manifests (JUMBF, ISO 19566-5): a length, a kind, and what they hold.

/// Cuts boxes that stand one behind the other apart.
pub(super) fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
        let (one, rest) = bytes.split_at_checked(length.max(8))?;
        bytes = rest;
        Some(one)
    })
}

/// The boxes with a label inside `around`, each with its label.
pub(super) fn labelled(around: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
    let inside = boxes(around.get(8..).unwrap_or_default());
    inside.filter_map(|one| Some((label(one)?, one)))
}

/// The label of a box: its first box describes it, with a type of 16 bytes and bits that say what
/// follows them.
fn label(one: &[u8]) -> Option<&str> {
    const BEFORE: usize = 8 + 16 + 1;
    let description = boxes(one.strip_prefix(one.first_chunk::<8>()?)?).next()?;
    let is_description = &one[4..8] == b"jumb" && &description[4..8] == b"jumd";
    let rest = description.get(BEFORE..).filter(|_| is_description)?;
    let end = rest.iter().position(|&byte| byte == 0)?;
    std::str::from_utf8(&rest[..end]).ok()
}

/// How deep boxes are nested; ours are five deep.
const DEEPEST: usize = 16;

/// Whether boxes stand one behind the other, and those inside fill those around.
pub(super) fn boxes_fill(bytes: &[u8]) -> bool {
    fill(bytes, 0)
}

fn fill(mut bytes: &[u8], depth: usize) -> bool {
    while !bytes.is_empty() {
        let Some(length) = bytes.first_chunk::<4>() else {
            return false;
        };
        let length = u32::from_be_bytes(*length) as usize;
        let Some((one, rest)) = bytes.split_at_checked(length).filter(|_| 8 <= length) else {
            return false;
        };
        let is_full = &one[4..8] != b"jumb" || depth < DEEPEST && fill(&one[8..], depth + 1);
        if !is_full {
            return false;
        }
        bytes = rest;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = (8 + content.len() as u32).to_be_bytes();
        [&length[..], kind, content].concat()
    }

    #[test]
    fn boxes_must_fill_the_one_around() {
        let inner = [boxed(b"jumd", b"label"), boxed(b"json", b"{}")].concat();
        let whole = boxed(b"jumb", &inner);
        assert!(boxes_fill(&whole));
        for at in (0..4).chain(8..12).chain(21..25) {
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[at] ^= 1 << bit;
                assert!(!boxes_fill(&changed), "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn deeply_nested_boxes_end() {
        let mut nested = boxed(b"jumb", &[]);
        for _ in 0..2000 {
            nested = boxed(b"jumb", &nested);
        }
        assert!(!boxes_fill(&nested));
    }

    #[test]
    fn boxes_are_found_by_their_labels() {
        let described = |label: &[u8], content: &[u8]| {
            let description = boxed(b"jumd", &[&[0; 16][..], &[3], label, b"\0"].concat());
            boxed(b"jumb", &[&description[..], content].concat())
        };
        let inner = [
            described(b"one", b""),
            described(b"two", &boxed(b"cbor", b"x")),
        ]
        .concat();
        let outer = described(b"outer", &inner);
        let labels: Vec<&str> = labelled(&outer).map(|(label, _)| label).collect();
        assert_eq!(labels, ["one", "two"]);
        assert_eq!(labelled(b"\0\0").count(), 0);
    }
}
