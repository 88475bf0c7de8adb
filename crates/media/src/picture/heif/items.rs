//! The boxes of HEIF and AVIF (ISO 14496-12 and 23008-12): which items a file has, where their bytes
//! lie, what they are made of and how they are shown.
//!
//! Every number is a claim of the file. Readers give `None` where bytes are missing; nothing is
//! allocated by a claim alone.

use crate::orient::Orientation;

/// What a file lists.
#[derive(Debug, Default)]
pub(super) struct Items<'a> {
    file: &'a [u8],
    /// The box that holds small items themselves.
    inside: &'a [u8],
    /// The item that is shown.
    pub(super) primary: u32,
    items: Vec<Item>,
    references: Vec<Reference>,
    properties: Vec<Property<'a>>,
}

/// Something that a file holds.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: u32,
    /// What it is: `hvc1` and `av01` are pictures, `grid` is made of others.
    pub(super) kind: [u8; 4],
    /// What a `mime` item holds.
    pub(super) media_type: String,
    extents: Vec<Extent>,
    /// Whether extents are counted from the start of the small items' box.
    is_inside: bool,
    /// Which of the file's properties it has, in order.
    properties: Vec<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Extent {
    at: u64,
    /// 0 is to the end.
    length: u64,
}

/// One item points to others.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) kind: [u8; 4],
    pub(super) from: u32,
    pub(super) to: Vec<u32>,
}

/// What is said of an item.
#[derive(Clone, Copy, Debug)]
pub(super) enum Property<'a> {
    /// The header of the codec.
    Codec(&'a [u8]),
    /// Width and height as stored.
    Size(u32, u32),
    /// ICC profile.
    Profile(&'a [u8]),
    /// Primaries, transfer, matrix (ISO 23091-2), and whether the range is full.
    Colour([u16; 3], bool),
    /// Bits of the first colour.
    Depth(u32),
    /// What an auxiliary picture is for.
    Purpose(&'a [u8]),
    /// Shown turned and mirrored.
    Turned(Orientation),
    /// The part that is shown: width, height, and how far its middle lies from the middle.
    Part([f64; 4]),
    /// Anything else.
    Other,
}

/// More of anything than any camera writes.
const MOST: usize = 20_000;

/// Lists the items of a file.
pub(super) fn list(file: &[u8]) -> Option<Items<'_>> {
    let meta = boxes(file).find(|one| one.kind == *b"meta")?;
    let mut items = Items {
        file,
        ..Items::default()
    };
    let parts = || boxes(meta.content.get(4..).unwrap_or_default());
    let part = |kind: &[u8; 4]| parts().find(|one| one.kind == *kind).map(|one| one.content);
    items.inside = part(b"idat").unwrap_or_default();
    items.primary = primary(part(b"pitm")?)?;
    items.items = infos(part(b"iinf")?)?;
    locations(part(b"iloc")?, &mut items.items)?;
    let references = part(b"iref").map_or(Some(Vec::new()), references);
    items.references = references?;
    let described = part(b"iprp")?;
    let described = |kind| boxes(described).filter(move |one| one.kind == kind);
    let container = described(*b"ipco").next()?.content;
    items.properties = boxes(container).take(MOST).map(property).collect();
    for associations in described(*b"ipma") {
        associate(associations.content, &mut items.items)?;
    }
    Some(items)
}

impl<'a> Items<'a> {
    pub(super) fn item(&self, id: u32) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    pub(super) fn properties(&self, item: &Item) -> impl Iterator<Item = Property<'a>> {
        let known = item.properties.iter();
        known.filter_map(|index| self.properties.get(*index).copied())
    }

    /// The items that `id` is made of, or describes.
    pub(super) fn to(&self, id: u32, kind: &[u8; 4]) -> &[u32] {
        let mut found = self.references.iter();
        let found = found.find(|reference| reference.from == id && reference.kind == *kind);
        found.map_or(&[], |reference| &reference.to)
    }

    /// The items that are made of `id`, or describe it.
    pub(super) fn from(&self, id: u32, kind: &[u8; 4]) -> impl Iterator<Item = &Item> {
        let pointing = self.references.iter();
        let pointing = pointing.filter(move |r| r.kind == *kind && r.to.contains(&id));
        pointing.filter_map(|reference| self.item(reference.from))
    }

    /// Pictures beside the one that is shown, but for those that it and others are made of, their
    /// previews, masks, depths and gain maps.
    pub(super) fn further_pictures(&self) -> u32 {
        let is_picture = |item: &&Item| matches!(&item.kind, b"hvc1" | b"av01" | b"grid" | b"iovl");
        let serves = |item: &Item| {
            let is_part = self.from(item.id, b"dimg").next().is_some();
            is_part
                || [b"auxl", b"thmb", b"cdsc"]
                    .iter()
                    .any(|kind| !self.to(item.id, kind).is_empty())
        };
        let pictures = self.items.iter().filter(is_picture);
        let further = pictures.filter(|item| item.id != self.primary && !serves(item));
        u32::try_from(further.count()).unwrap_or(u32::MAX)
    }

    /// The bytes of an item. `None` where the file does not have them.
    pub(super) fn bytes(&self, item: &Item) -> Option<Vec<u8>> {
        let from = if item.is_inside {
            self.inside
        } else {
            self.file
        };
        let mut bytes = Vec::new();
        for extent in &item.extents {
            let rest = from.get(usize::try_from(extent.at).ok()?..)?;
            let length = match extent.length {
                0 => rest.len(),
                length => usize::try_from(length).ok()?,
            };
            // Extents may overlap, but an item is no longer than the file.
            if from.len() < bytes.len() + length {
                return None;
            }
            bytes.extend_from_slice(rest.get(..length)?);
        }
        Some(bytes)
    }
}

/// A box of the ISO format.
pub(in crate::picture) struct IsoBox<'a> {
    pub(in crate::picture) kind: [u8; 4],
    pub(in crate::picture) content: &'a [u8],
}

/// Boxes that stand one behind the other; ends where one does not fit.
pub(in crate::picture) fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = IsoBox<'_>> {
    std::iter::from_fn(move || {
        let mut cursor = Cursor(bytes);
        let short = cursor.number(4)?;
        let kind = *cursor.take(4)?.first_chunk()?;
        let (head, length) = match short {
            0 => (8, bytes.len() as u64),
            1 => (16, cursor.number(8)?),
            short => (8, short),
        };
        let (whole, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
        bytes = rest;
        Some(IsoBox {
            kind,
            content: whole.get(head..)?,
        })
    })
}

/// Reads numbers of a few bytes, the high one first.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, n_bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n_bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self, n_bytes: usize) -> Option<u64> {
        let bytes = self.take(n_bytes)?.iter();
        Some(bytes.fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn small(&mut self, n_bytes: usize) -> Option<u32> {
        u32::try_from(self.number(n_bytes)?).ok()
    }

    /// Version and flags of a full box.
    fn version(&mut self) -> Option<(u64, u64)> {
        Some((self.number(1)?, self.number(3)?))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let text = self.take(end)?;
        self.take(1)?;
        Some(text)
    }
}

fn primary(content: &[u8]) -> Option<u32> {
    let mut cursor = Cursor(content);
    let (version, _) = cursor.version()?;
    cursor.small(if version == 0 { 2 } else { 4 })
}

fn infos(content: &[u8]) -> Option<Vec<Item>> {
    let mut cursor = Cursor(content);
    let (version, _) = cursor.version()?;
    cursor.number(if version == 0 { 2 } else { 4 })?;
    let infos = boxes(cursor.0).filter(|one| one.kind == *b"infe");
    infos.take(MOST).map(|one| info(one.content)).collect()
}

fn info(content: &[u8]) -> Option<Item> {
    let mut cursor = Cursor(content);
    let (version, _) = cursor.version()?;
    let id = cursor.small(if version < 3 { 2 } else { 4 })?;
    let _protection = cursor.number(2)?;
    let kind = if version < 2 {
        *b"    "
    } else {
        *cursor.take(4)?.first_chunk()?
    };
    let _name = cursor.text();
    let media_type = cursor.text().unwrap_or_default();
    Some(Item {
        id,
        kind,
        media_type: String::from_utf8_lossy(media_type).into_owned(),
        extents: Vec::new(),
        is_inside: false,
        properties: Vec::new(),
    })
}

fn locations(content: &[u8], items: &mut [Item]) -> Option<()> {
    let mut cursor = Cursor(content);
    let (version, _) = cursor.version()?;
    let sizes = cursor.number(2)?;
    let nibble = |n: u32| (sizes >> (4 * n) & 0xf) as usize;
    let (at_bytes, length_bytes, base_bytes) = (nibble(3), nibble(2), nibble(1));
    let index_bytes = if version == 0 { 0 } else { nibble(0) };
    let n_items = cursor.number(if version < 2 { 2 } else { 4 })?;
    for _ in 0..n_items.min(MOST as u64) {
        let id = cursor.small(if version < 2 { 2 } else { 4 })?;
        let method = if version == 0 {
            0
        } else {
            cursor.number(2)? & 0xf
        };
        let _file = cursor.number(2)?;
        let base = cursor.number(base_bytes)?;
        let n_extents = cursor.number(2)?;
        let mut extents = Vec::new();
        for _ in 0..n_extents {
            cursor.take(index_bytes)?;
            let at = base.checked_add(cursor.number(at_bytes)?)?;
            let length = cursor.number(length_bytes)?;
            extents.push(Extent { at, length });
        }
        // Items inside other items are not written by cameras.
        if let Some(item) = items.iter_mut().find(|item| item.id == id && method < 2) {
            item.extents = extents;
            item.is_inside = method == 1;
        }
    }
    Some(())
}

fn references(content: &[u8]) -> Option<Vec<Reference>> {
    let mut cursor = Cursor(content);
    let (version, _) = cursor.version()?;
    let id_bytes = if version == 0 { 2 } else { 4 };
    let reference = |one: IsoBox<'_>| {
        let mut cursor = Cursor(one.content);
        let from = cursor.small(id_bytes)?;
        let n = cursor.number(2)?;
        let to = (0..n).map(|_| cursor.small(id_bytes));
        Some(Reference {
            kind: one.kind,
            from,
            to: to.collect::<Option<Vec<u32>>>()?,
        })
    };
    boxes(cursor.0).take(MOST).map(reference).collect()
}

fn associate(content: &[u8], items: &mut [Item]) -> Option<()> {
    let mut cursor = Cursor(content);
    let (version, flags) = cursor.version()?;
    let (id_bytes, index_bytes) = (
        if version == 0 { 2 } else { 4 },
        if flags & 1 == 0 { 1 } else { 2 },
    );
    let n_items = cursor.number(4)?;
    for _ in 0..n_items.min(MOST as u64) {
        let id = cursor.small(id_bytes)?;
        let n = cursor.number(1)?;
        let mut properties = Vec::new();
        for _ in 0..n {
            // The highest bit says that a reader must understand it.
            let essential_bit = 1 << (8 * index_bytes - 1);
            let index = cursor.number(index_bytes)? & (essential_bit - 1);
            properties.extend((index as usize).checked_sub(1));
        }
        if let Some(item) = items.iter_mut().find(|item| item.id == id) {
            item.properties = properties;
        }
    }
    Some(())
}

fn property(one: IsoBox<'_>) -> Property<'_> {
    read_property(&one).unwrap_or(Property::Other)
}

fn read_property<'a>(one: &IsoBox<'a>) -> Option<Property<'a>> {
    let content = one.content;
    let mut cursor = Cursor(content);
    Some(match &one.kind {
        b"hvcC" | b"av1C" => Property::Codec(content),
        b"ispe" => {
            cursor.version()?;
            Property::Size(cursor.small(4)?, cursor.small(4)?)
        }
        b"colr" => match cursor.take(4)? {
            b"prof" | b"rICC" => Property::Profile(cursor.0),
            b"nclx" => {
                let mut code = || cursor.number(2).map(|code| code as u16);
                let codes = [code()?, code()?, code()?];
                Property::Colour(codes, cursor.number(1)? & 0x80 != 0)
            }
            _ => Property::Other,
        },
        b"pixi" => {
            cursor.version()?;
            let _n_channels = cursor.number(1)?;
            Property::Depth(cursor.small(1)?)
        }
        b"auxC" => {
            cursor.version()?;
            Property::Purpose(cursor.text()?)
        }
        b"irot" => {
            // Quarter turns against the clock.
            let turns = cursor.number(1)? & 3;
            Property::Turned(Orientation {
                quarter_turns: ((4 - turns) % 4) as u8,
                mirrored: false,
            })
        }
        b"imir" => {
            // 0 exchanges top and bottom, 1 left and right.
            let is_upside_down = cursor.number(1)? & 1 == 0;
            Property::Turned(Orientation {
                quarter_turns: if is_upside_down { 2 } else { 0 },
                mirrored: true,
            })
        }
        b"clap" => {
            let mut fraction = || {
                let (above, below) = (cursor.small(4)? as i32, cursor.small(4)?);
                (below > 0).then(|| f64::from(above) / f64::from(below))
            };
            Property::Part([fraction()?, fraction()?, fraction()?, fraction()?])
        }
        _ => Property::Other,
    })
}
