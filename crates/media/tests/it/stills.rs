//! Pictures in the formats of phones, scanners and archives.

use std::io::Cursor;
use std::path::Path;

use effigy_frame::Picture;
use effigy_media::{
    Codec, Error, Limits, VideoReader, WriteSettings, available_codecs, kind_of_content, probe,
    read_original, read_picture, write_copy, write_picture,
};
use ffmpeg_next::{Packet, codec, encoder, format, frame};

use crate::clips::{Folder, difference, frame_at, quick, scene, write_clip};

/// A JPEG XL of 8 x 6 pixels, lossless, made with libjxl: red rises to the right by 30, green
/// downwards by 40, blue is 90.
const JXL: [u8; 193] = [
    255, 10, 40, 48, 16, 9, 8, 0, 1, 0, 212, 2, 75, 40, 52, 22, 30, 133, 179, 20, 20, 148, 148,
    136, 81, 132, 82, 209, 17, 81, 209, 88, 137, 24, 60, 57, 6, 203, 198, 24, 17, 99, 84, 140, 14,
    99, 140, 141, 49, 54, 70, 8, 119, 196, 224, 108, 68, 12, 99, 24, 113, 129, 128, 1, 140, 33,
    197, 4, 254, 43, 187, 221, 38, 179, 106, 171, 110, 213, 173, 201, 175, 90, 117, 171, 238, 31,
    43, 213, 170, 91, 117, 95, 93, 169, 86, 221, 170, 155, 208, 76, 117, 187, 77, 115, 222, 47, 29,
    237, 102, 198, 175, 249, 155, 1, 140, 1, 124, 168, 77, 2, 216, 242, 9, 92, 166, 244, 9, 96, 1,
    79, 133, 195, 24, 78, 128, 20, 83, 14, 57, 187, 90, 241, 157, 204, 28, 81, 191, 56, 24, 19,
    174, 154, 38, 226, 0, 153, 60, 72, 146, 172, 146, 236, 108, 162, 201, 236, 5, 148, 232, 34, 90,
    84, 241, 60, 168, 81, 207, 57, 139, 184, 199, 12, 2, 231, 187, 30, 251, 199, 31, 31, 224, 40,
    12,
];

/// The same as pixels.
fn jxl_pixels() -> Picture {
    let pixels = (0..6).flat_map(|y| (0..8).flat_map(move |x| [x * 30, y * 40, 90]));
    Picture::new(8, 6, pixels.collect())
}

fn read(path: &Path) -> Picture {
    read_picture(path, &Limits::default()).unwrap()
}

/// Reads `bytes` as a file of this name, and says that header and pixels agree on the size.
fn read_bytes(folder: &Folder, name: &str, bytes: &[u8]) -> Picture {
    let path = folder.path(name);
    std::fs::write(&path, bytes).unwrap();
    let picture = read(&path);
    let video = probe(&path, &Limits::default()).unwrap().video.unwrap();
    let sides = (picture.width(), picture.height());
    assert_eq!((video.width, video.height), sides, "{name}");
    let frames = VideoReader::open(&path, &Limits::default()).unwrap();
    assert_eq!(
        frames.map(|f| f.unwrap().picture).collect::<Vec<_>>(),
        std::slice::from_ref(&picture)
    );
    picture
}

fn iso_box(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = (8 + content.len() as u32).to_be_bytes();
    [&length[..], kind, content].concat()
}

/// A box with version and flags, which are 0.
fn full_box(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    iso_box(kind, &[&[0; 4], content].concat())
}

/// One coded picture, of at least 128 pixels each way: x265 3.5 now and then fails on smaller ones.
/// the codec's header and bytes, as a container keeps them.
struct Coded {
    header: Vec<u8>,
    bytes: Vec<u8>,
}

fn coded(folder: &Folder, codec: Codec, picture: &Picture) -> Coded {
    let path = folder.path("coded.mp4");
    let settings = WriteSettings {
        codec,
        crf: Some(4),
        ..quick(picture.width(), picture.height())
    };
    let mut writer = effigy_media::VideoWriter::create(&path, &settings).unwrap();
    let base = effigy_frame::Rational::new(1, 25);
    for n in 0..4 {
        let frame = frame_at(n, n as i64, base, picture.clone());
        writer.write(&frame).unwrap();
    }
    writer.finish().unwrap();
    let file = std::fs::read(&path).unwrap();
    let name: &[u8; 4] = if codec == Codec::H265 {
        b"hvcC"
    } else {
        b"av1C"
    };
    let at = file.windows(4).position(|w| w == name).unwrap();
    let length = u32::from_be_bytes(file[at - 4..at].try_into().unwrap()) as usize;
    let header = file[at + 4..at - 4 + length].to_vec();
    let mut input = format::input(&path).unwrap();
    let mut packet = Packet::empty();
    packet.read(&mut input).unwrap();
    let bytes = packet.data().unwrap().to_vec();
    Coded { header, bytes }
}

/// How a test's HEIF is put together.
struct Heif<'a> {
    /// The kind of its coded pictures.
    kind: &'a [u8; 4],
    tiles: Vec<Coded>,
    tile_side: u32,
    /// Rows and columns; a single picture is no grid.
    grid: Option<(u8, u8)>,
    /// What it says it is.
    width: u32,
    height: u32,
    /// Further properties of what is shown.
    shown_as: Vec<Vec<u8>>,
    /// A picture of its transparency.
    alpha: Option<Coded>,
}

impl Heif<'_> {
    fn bytes(&self) -> Vec<u8> {
        // The second time, it is known where the coded pictures lie.
        let length = self.with_places(0).1;
        let (mut file, _) = self.with_places(length as u32);
        for coded in self.tiles.iter().chain(&self.alpha) {
            file.extend(&coded.bytes);
        }
        file
    }

    /// Everything before the coded pictures, which begin at `at`.
    #[expect(
        clippy::too_many_lines,
        reason = "the boxes of one file, in their order"
    )]
    fn with_places(&self, at: u32) -> (Vec<u8>, usize) {
        let n_tiles = self.tiles.len() as u16;
        let shown: u16 = if self.grid.is_some() { 100 } else { 1 };
        let mut kinds: Vec<(u16, [u8; 4])> = (1..=n_tiles).map(|id| (id, *self.kind)).collect();
        let codec_name = if self.kind == b"hvc1" {
            b"hvcC"
        } else {
            b"av1C"
        };
        let size = |w: u32, h: u32| full_box(b"ispe", &[w.to_be_bytes(), h.to_be_bytes()].concat());
        let mut properties = vec![
            iso_box(codec_name, &self.tiles[0].header),
            size(self.tile_side, self.tile_side),
            size(self.width, self.height),
        ];
        let mut of_item: Vec<(u16, Vec<u8>)> = Vec::new();
        let mut of_shown: Vec<u8> = if self.grid.is_some() {
            vec![3]
        } else {
            vec![1, 3]
        };
        for property in &self.shown_as {
            properties.push(property.clone());
            of_shown.push(properties.len() as u8);
        }
        if self.grid.is_some() {
            of_item.extend((1..=n_tiles).map(|id| (id, vec![1, 2])));
        }
        of_item.push((shown, of_shown));
        let mut references = Vec::new();
        let mut places: Vec<(u16, u32, u32)> = Vec::new();
        let mut next = at;
        for (id, tile) in (1..).zip(&self.tiles) {
            places.push((id, next, tile.bytes.len() as u32));
            next += tile.bytes.len() as u32;
        }
        let mut inside = Vec::new();
        if let Some((rows, columns)) = self.grid {
            kinds.push((100, *b"grid"));
            inside = vec![0, 1, rows - 1, columns - 1];
            inside.extend(self.width.to_be_bytes());
            inside.extend(self.height.to_be_bytes());
            let to: Vec<u8> = (1..=n_tiles).flat_map(u16::to_be_bytes).collect();
            let head = [100_u16.to_be_bytes(), n_tiles.to_be_bytes()].concat();
            references.extend(iso_box(b"dimg", &[head, to].concat()));
        }
        if let Some(alpha) = &self.alpha {
            kinds.push((200, *self.kind));
            properties.push(iso_box(codec_name, &alpha.header));
            let codec = properties.len() as u8;
            let purpose = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0";
            properties.push(full_box(b"auxC", purpose));
            of_item.push((200, vec![codec, 3, codec + 1]));
            let numbers = [200_u16, 1, shown].map(u16::to_be_bytes);
            references.extend(iso_box(b"auxl", &numbers.concat()));
            places.push((200, next, alpha.bytes.len() as u32));
        }
        let infos: Vec<u8> = kinds
            .iter()
            .flat_map(|(id, kind)| {
                let content = [&[2, 0, 0, 0][..], &id.to_be_bytes(), &[0; 2], kind, &[0]].concat();
                iso_box(b"infe", &content)
            })
            .collect();
        let n_infos = (kinds.len() as u16).to_be_bytes();
        // Offsets and lengths of four bytes; version 1 says whether they lie in the small box.
        let n_places = places.len() as u16 + u16::from(self.grid.is_some());
        let mut locations = vec![1, 0, 0, 0, 0x44, 0];
        locations.extend(n_places.to_be_bytes());
        let mut add_place = |id: u16, method: u16, at: u32, length: u32| {
            let numbers = [id, method, 0, 1].map(u16::to_be_bytes);
            locations.extend(numbers.concat());
            locations.extend([at.to_be_bytes(), length.to_be_bytes()].concat());
        };
        for (id, at, length) in &places {
            add_place(*id, 0, *at, *length);
        }
        if self.grid.is_some() {
            add_place(100, 1, 0, inside.len() as u32);
        }
        let associations: Vec<u8> = of_item
            .iter()
            .flat_map(|(id, list)| [&id.to_be_bytes()[..], &[list.len() as u8], list].concat())
            .collect();
        let associations = [&(of_item.len() as u32).to_be_bytes()[..], &associations].concat();
        let described = [
            iso_box(b"ipco", &properties.concat()),
            full_box(b"ipma", &associations),
        ];
        let parts = [
            full_box(b"hdlr", b"\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            full_box(b"pitm", &shown.to_be_bytes()),
            iso_box(b"iloc", &locations),
            full_box(b"iinf", &[&n_infos[..], &infos].concat()),
            full_box(b"iref", &references),
            iso_box(b"iprp", &described.concat()),
            iso_box(b"idat", &inside),
        ];
        let brand: &[u8; 4] = if self.kind == b"hvc1" {
            b"heic"
        } else {
            b"avif"
        };
        let head = iso_box(b"ftyp", &[&brand[..], &[0; 4], b"mif1", brand].concat());
        let meta = full_box(b"meta", &parts.concat());
        let file = [head, meta, vec![0, 0, 0, 0], b"mdat".to_vec()].concat();
        let length = file.len();
        (file, length)
    }
}

/// The part of a picture at this place.
fn cut(picture: &Picture, left: u32, top: u32, width: u32, height: u32) -> Picture {
    let pixels = (0..height).flat_map(|y| {
        (0..width).flat_map(move |x| {
            let (x, y) = (left + x, top + y);
            picture.get(x.min(picture.width() - 1), y.min(picture.height() - 1))
        })
    });
    Picture::new(width, height, pixels.collect())
}

fn single<'a>(folder: &Folder, codec: Codec, picture: &Picture) -> Heif<'a> {
    Heif {
        kind: if codec == Codec::H265 {
            b"hvc1"
        } else {
            b"av01"
        },
        tiles: vec![coded(folder, codec, picture)],
        tile_side: 0,
        grid: None,
        width: picture.width(),
        height: picture.height(),
        // BT.709 of limited range, as the test's encoder has it.
        shown_as: vec![iso_box(b"colr", b"nclx\0\x01\0\x01\0\x01\0")],
        alpha: None,
    }
}

fn has(codec: Codec) -> bool {
    available_codecs().contains(&codec)
}

#[test]
fn heic_and_avif_are_read() {
    let folder = Folder::new();
    let picture = scene(192, 128, 3);
    for (codec, name) in [(Codec::H265, "a.heic"), (Codec::Av1, "a.avif")] {
        if has(codec) {
            let bytes = single(&folder, codec, &picture).bytes();
            let back = read_bytes(&folder, name, &bytes);
            assert!(difference(&back, &picture) < 3.0, "{name}");
        }
    }
}

/// Pages, views and collections: the reader takes one, and says how many it leaves.
#[test]
fn pictures_behind_the_first_are_counted() {
    use tiff::encoder::colortype::RGB8;
    let folder = Folder::new();
    let further = |name: &str, bytes: &[u8]| {
        let path = folder.path(name);
        std::fs::write(&path, bytes).unwrap();
        let info = probe(&path, &Limits::default()).unwrap();
        let frames = VideoReader::open(&path, &Limits::default()).unwrap();
        assert_eq!(frames.info().further_pictures, info.further_pictures);
        assert_eq!(frames.count(), 1, "{name}");
        info.further_pictures
    };
    let picture = scene(64, 48, 1);
    let pages = |kinds: &[u32]| {
        let mut file = Cursor::new(Vec::new());
        let mut encoder = tiff::encoder::TiffEncoder::new(&mut file).unwrap();
        for kind in kinds {
            let mut page = encoder.new_image::<RGB8>(64, 48).unwrap();
            let tag = tiff::tags::Tag::NewSubfileType;
            page.encoder().write_tag(tag, *kind).unwrap();
            page.write_data(picture.pixels()).unwrap();
        }
        file.into_inner()
    };
    assert_eq!(further("one.tif", &pages(&[0])), 0);
    assert_eq!(further("three.tif", &pages(&[2, 2, 2])), 2);
    // A smaller copy, and a mask.
    assert_eq!(further("helped.tif", &pages(&[0, 1, 4])), 0);
    for (codec, name) in [(Codec::H265, "a.heic"), (Codec::Av1, "a.avif")] {
        if has(codec) {
            let one = single(&folder, codec, &picture);
            assert_eq!(further(name, &one.bytes()), 0, "{name}");
            let collection = Heif {
                tiles: vec![
                    coded(&folder, codec, &picture),
                    coded(&folder, codec, &picture),
                ],
                ..one
            };
            assert_eq!(further(name, &collection.bytes()), 1, "{name}");
        }
    }
}

/// A phone's picture is cut into tiles that reach over its edges.
#[test]
fn tiles_are_put_together_and_turned() {
    let folder = Folder::new();
    let picture = scene(300, 200, 9);
    let places = [(0, 0), (128, 0), (256, 0), (0, 128), (128, 128), (256, 128)];
    let tiles = places.map(|(x, y)| coded(&folder, Codec::H265, &cut(&picture, x, y, 128, 128)));
    let heif = Heif {
        tiles: tiles.into(),
        tile_side: 128,
        grid: Some((2, 3)),
        width: 300,
        height: 200,
        // A quarter turn against the clock.
        shown_as: vec![
            iso_box(b"colr", b"nclx\0\x01\0\x01\0\x01\0"),
            iso_box(b"irot", &[1]),
        ],
        ..single(&folder, Codec::H265, &picture)
    };
    let back = read_bytes(&folder, "grid.heic", &heif.bytes());
    let info = probe(&folder.path("grid.heic"), &Limits::default()).unwrap();
    assert_eq!(info.further_pictures, 0);
    let off = difference(&back, &picture.turned(3));
    assert!(off < 3.0, "{off}");
    let missing = Heif {
        grid: Some((2, 2)),
        ..heif
    };
    let path = folder.path("missing.heic");
    std::fs::write(&path, missing.bytes()).unwrap();
    let refused = read_picture(&path, &Limits::default());
    assert!(
        matches!(refused, Err(Error::BadPicture { .. })),
        "{refused:?}"
    );
}

#[test]
fn transparency_mirror_and_crop_of_heic_are_honoured() {
    let folder = Folder::new();
    let picture = scene(192, 128, 3);
    let half = Picture::filled(192, 128, [128; 3]);
    let number = |n: u32| n.to_be_bytes();
    // The middle 128 x 64; then left and right exchanged.
    let crop = [128, 1, 64, 1, 0, 1, 0, 1].map(number).concat();
    let mut heif = single(&folder, Codec::H265, &picture);
    heif.shown_as.push(iso_box(b"clap", &crop));
    heif.shown_as.push(iso_box(b"imir", &[1]));
    heif.alpha = Some(coded(&folder, Codec::H265, &half));
    let back = read_bytes(&folder, "a.heic", &heif.bytes());
    let wanted = cut(&picture, 32, 32, 128, 64).mirrored();
    let dimmed = wanted
        .pixels()
        .iter()
        .map(|v| (u16::from(*v) * 128 / 255) as u8);
    let wanted = Picture::new(128, 64, dimmed.collect());
    let off = difference(&back, &wanted);
    // The grey of the transparency is itself coded.
    assert!(off < 9.0, "{off}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a header of each format")]
fn a_huge_claim_of_any_format_is_refused() {
    let folder = Folder::new();
    let mut heif = single(&folder, Codec::H265, &scene(128, 128, 0));
    (heif.width, heif.height) = (60_000, 60_000);
    let grid = Heif {
        grid: Some((200, 200)),
        tiles: vec![coded(&folder, Codec::H265, &scene(128, 128, 0))],
        ..single(&folder, Codec::H265, &scene(128, 128, 0))
    };
    let grid = Heif {
        width: 60_000,
        height: 60_000,
        ..grid
    };
    let side = 60_000_u32;
    let bmp = [
        &b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"[..],
        &side.to_le_bytes(),
        &side.to_le_bytes(),
        &[1, 0, 24, 0],
        &[0; 24],
    ];
    let long = |tag: u16, value: u32| {
        [
            &tag.to_be_bytes()[..],
            &[0, 4, 0, 0, 0, 1],
            &value.to_be_bytes(),
        ]
        .concat()
    };
    let tiff = [
        b"MM\0\x2a\0\0\0\x08\0\x05".to_vec(),
        long(256, side),
        long(257, side),
        long(262, 1),
        long(273, 8),
        long(279, 8),
        vec![0; 4],
    ];
    let jp2 = [
        &b"\xff\x4f\xff\x51\0\x2f\0\0"[..],
        &side.to_be_bytes(),
        &side.to_be_bytes(),
        &[0; 8],
        &[0; 40],
    ];
    // Not small, 18 bits of height less one, as wide as high; everything else as usual.
    let sizes: u32 = 2 << 1 | 131_071 << 3 | 1 << 21 | 1 << 24;
    let jxl = [&[0xff, 0x0a][..], &sizes.to_le_bytes(), &[0; 32]];
    for (name, bytes) in [
        ("a.heic", heif.bytes()),
        ("b.heic", grid.bytes()),
        ("c.bmp", bmp.concat()),
        ("d.tif", tiff.concat()),
        ("e.j2k", jp2.concat()),
        ("f.jxl", jxl.concat()),
    ] {
        let path = folder.path(name);
        std::fs::write(&path, bytes).unwrap();
        let limits = Limits::default();
        for refused in [
            read_picture(&path, &limits).err(),
            probe(&path, &limits).err(),
        ] {
            assert!(
                matches!(refused, Some(Error::TooLarge { .. })),
                "{name}: {refused:?}"
            );
        }
    }
}

#[test]
fn jpeg_xl_is_read() {
    let folder = Folder::new();
    assert_eq!(read_bytes(&folder, "a.jxl", &JXL), jxl_pixels());
    for end in [0, 1, 2, 10, 60, 190] {
        let path = folder.path("cut.jxl");
        std::fs::write(&path, &JXL[..end]).unwrap();
        assert!(read_picture(&path, &Limits::default()).is_err(), "{end}");
    }
}

/// Encodes a picture of RGB with one of libav's encoders that take it as it is.
fn encoded(name: &str, pixel: format::Pixel, picture: &Picture) -> Vec<u8> {
    ffmpeg_next::init().unwrap();
    let codec = encoder::find_by_name(name).unwrap();
    let mut encoder = codec::Context::new_with_codec(codec)
        .encoder()
        .video()
        .unwrap();
    let (width, height) = (picture.width(), picture.height());
    encoder.set_width(width);
    encoder.set_height(height);
    encoder.set_format(pixel);
    encoder.set_time_base(ffmpeg_next::Rational::new(1, 25));
    let mut encoder = encoder.open_as(codec).unwrap();
    let mut frame = frame::Video::new(pixel, width, height);
    let (stride, row) = (frame.stride(0), width as usize * 3);
    for (y, from) in picture.pixels().chunks_exact(row).enumerate() {
        let to = &mut frame.data_mut(0)[y * stride..y * stride + row];
        to.copy_from_slice(from);
        if pixel == format::Pixel::BGR24 {
            to.chunks_exact_mut(3).for_each(|p| p.swap(0, 2));
        }
    }
    frame.set_pts(Some(0));
    encoder.send_frame(&frame).unwrap();
    encoder.send_eof().unwrap();
    let mut packet = Packet::empty();
    encoder.receive_packet(&mut packet).unwrap();
    packet.data().unwrap().to_vec()
}

#[test]
fn bmp_and_jpeg_2000_are_read() {
    let folder = Folder::new();
    let picture = scene(61, 43, 2);
    let bmp = encoded("bmp", format::Pixel::BGR24, &picture);
    assert_eq!(read_bytes(&folder, "a.bmp", &bmp), picture);
    let jp2 = encoded("jpeg2000", format::Pixel::RGB24, &picture);
    let back = read_bytes(&folder, "a.jp2", &jp2);
    assert!(difference(&back, &picture) < 3.0);
}

fn tiff<C: tiff::encoder::colortype::ColorType>(
    picture: &Picture,
    values: &[C::Inner],
    orientation: u16,
) -> Vec<u8>
where
    [C::Inner]: tiff::encoder::TiffValue,
{
    let mut file = Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut file).unwrap();
    let (width, height) = (picture.width(), picture.height());
    let mut image = encoder.new_image::<C>(width, height).unwrap();
    let tags = image.encoder();
    tags.write_tag(tiff::tags::Tag::Orientation, orientation)
        .unwrap();
    tags.write_tag(tiff::tags::Tag::Copyright, "(c) Ada Actor")
        .unwrap();
    image.write_data(values).unwrap();
    file.into_inner()
}

#[test]
fn tiff_of_many_kinds_is_read() {
    use tiff::encoder::colortype::{CMYK8, Gray8, RGB8, RGB16, RGBA8};
    let folder = Folder::new();
    let picture = scene(61, 43, 2);
    let pixels = picture.pixels();
    let rgb = read_bytes(&folder, "a.tif", &tiff::<RGB8>(&picture, pixels, 6));
    assert_eq!(rgb, picture.turned(1));
    let deep: Vec<u16> = pixels.iter().map(|v| u16::from(*v) * 257).collect();
    let deep = read_bytes(&folder, "b.tiff", &tiff::<RGB16>(&picture, &deep, 1));
    assert_eq!(deep, picture);
    let ink: Vec<u8> = pixels
        .chunks(3)
        .flat_map(|p| [255 - p[0], 255 - p[1], 255 - p[2], 0])
        .collect();
    let ink = read_bytes(&folder, "c.tif", &tiff::<CMYK8>(&picture, &ink, 1));
    assert_eq!(ink, picture);
    let half: Vec<u8> = pixels
        .chunks(3)
        .flat_map(|p| [p[0], p[1], p[2], 0])
        .collect();
    let half = read_bytes(&folder, "d.tif", &tiff::<RGBA8>(&picture, &half, 1));
    assert_eq!(half, Picture::filled(61, 43, [0; 3]));
    let grey: Vec<u8> = pixels.chunks(3).map(|p| p[0]).collect();
    let grey = read_bytes(&folder, "e.tif", &tiff::<Gray8>(&picture, &grey, 1));
    assert_eq!(grey.get(9, 7), [picture.get(9, 7)[0]; 3]);
    let original = read_original(&folder.path("a.tif"), &Limits::default()).unwrap();
    let exif = original.metadata.exif.unwrap();
    assert!(exif.windows(13).any(|w| w == b"(c) Ada Actor"));
}

/// A raw file looks like a TIFF whose first picture is a preview.
#[test]
fn raw_files_of_cameras_are_refused_by_name() {
    let folder = Folder::new();
    let path = folder.path("a.nef");
    let picture = scene(20, 10, 0);
    let mut file = Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut file).unwrap();
    let mut image = encoder
        .new_image::<tiff::encoder::colortype::RGB8>(20, 10)
        .unwrap();
    let preview = tiff::tags::Tag::NewSubfileType;
    image.encoder().write_tag(preview, 1_u32).unwrap();
    image.write_data(picture.pixels()).unwrap();
    std::fs::write(&path, file.into_inner()).unwrap();
    let refused = read_picture(&path, &Limits::default())
        .unwrap_err()
        .to_string();
    assert!(refused.contains("raw file of a camera"), "{refused}");
}

#[test]
fn content_tells_media_whatever_it_is_called() {
    use effigy_files::Kind;
    let folder = Folder::new();
    write_picture(&folder.path("a.png"), &scene(20, 10, 0)).unwrap();
    std::fs::rename(folder.path("a.png"), folder.path("photo")).unwrap();
    write_clip(&folder.path("a.mp4"), &quick(32, 32), 2);
    std::fs::rename(folder.path("a.mp4"), folder.path("clip.part")).unwrap();
    std::fs::write(folder.path("notes"), "BM is not enough, nor is RIFF").unwrap();
    let kind = |name: &str| kind_of_content(&folder.path(name));
    assert_eq!(kind("photo"), Some(Kind::Picture));
    assert_eq!(kind("clip.part"), Some(Kind::Video));
    assert_eq!(kind("notes"), None);
    assert_eq!(kind("nothing here"), None);
}

/// Small files of every format, for the tests that damage them.
pub(crate) fn samples(folder: &Folder) -> Vec<(&'static str, Vec<u8>)> {
    let picture = scene(200, 128, 1);
    let tile = || coded(folder, Codec::H265, &cut(&picture, 0, 0, 128, 128));
    let grid = Heif {
        tiles: vec![tile(), tile()],
        tile_side: 128,
        grid: Some((1, 2)),
        ..single(folder, Codec::H265, &picture)
    };
    let mut found = vec![
        ("i.heic", grid.bytes()),
        ("j.jxl", JXL.to_vec()),
        ("k.bmp", encoded("bmp", format::Pixel::BGR24, &picture)),
        ("l.jp2", encoded("jpeg2000", format::Pixel::RGB24, &picture)),
        (
            "m.tif",
            tiff::<tiff::encoder::colortype::RGB8>(&picture, picture.pixels(), 1),
        ),
    ];
    if has(Codec::Av1) {
        found.push(("n.avif", single(folder, Codec::Av1, &picture).bytes()));
    }
    found
}

/// A profile of zeros takes a thousandth of its size in the file.
#[test]
fn profile_that_fills_memory_is_left_out_and_said() {
    use image::ImageEncoder as _;
    let folder = Folder::new();
    let picture = scene(64, 48, 1);
    for (mib, is_kept) in [(1, true), (100, false)] {
        let mut file = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut file);
        let mut profile = vec![0; mib << 20];
        profile[16..20].copy_from_slice(b"RGB ");
        encoder.set_icc_profile(profile).unwrap();
        let rgb = image::ExtendedColorType::Rgb8;
        encoder.write_image(picture.pixels(), 64, 48, rgb).unwrap();
        let path = folder.path("profile.png");
        std::fs::write(&path, file).unwrap();
        let original = read_original(&path, &Limits::default()).unwrap();
        assert_eq!(original.picture, picture);
        assert_eq!(original.metadata.icc.is_some(), is_kept);
        let copy = folder.path("copy.png");
        let lost = write_copy(&copy, &original, &picture, &[]).unwrap();
        let is_said = lost.iter().any(|what| what.contains("colour profile"));
        assert_eq!(is_said, !is_kept, "{lost:?}");
    }
}
