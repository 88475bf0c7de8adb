//! Single pictures and sequences of them.

use effigy_frame::{Picture, Rational};
use effigy_media::{Error, Limits, VideoReader, probe, read_picture, write_picture};

use crate::clips::{Folder, difference, scene};

#[test]
fn pictures_come_back_as_written() {
    let folder = Folder::new();
    let picture = scene(61, 43, 2);
    for (name, drift) in [
        ("a.png", 0.0),
        ("a.webp", 0.0),
        ("a.jpg", 3.0),
        ("a.JPEG", 3.0),
    ] {
        let path = folder.path(name);
        write_picture(&path, &picture).unwrap();
        let read = read_picture(&path, &Limits::default()).unwrap();
        assert!(difference(&read, &picture) <= drift, "{name}");
    }
    assert_eq!(folder.names(), ["a.JPEG", "a.jpg", "a.png", "a.webp"]);
}

#[test]
fn the_content_decides_not_the_name() {
    let folder = Folder::new();
    let path = folder.path("really.jpg");
    write_picture(&folder.path("a.png"), &scene(20, 10, 0)).unwrap();
    std::fs::rename(folder.path("a.png"), &path).unwrap();
    assert_eq!(
        read_picture(&path, &Limits::default()).unwrap(),
        scene(20, 10, 0)
    );
}

#[test]
fn an_unknown_ending_is_refused_and_leaves_nothing() {
    let folder = Folder::new();
    let result = write_picture(&folder.path("a.bmp"), &scene(8, 8, 0));
    assert!(matches!(result, Err(Error::UnknownFormat { .. })));
    assert!(folder.names().is_empty());
}

#[test]
fn a_picture_is_a_video_of_one_frame() {
    let folder = Folder::new();
    let path = folder.path("one.png");
    write_picture(&path, &scene(20, 10, 1)).unwrap();
    let info = probe(&path, &Limits::default()).unwrap();
    assert_eq!(info.video.unwrap().frames, Some(1));
    let mut reader = VideoReader::open(&path, &Limits::default()).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().picture, scene(20, 10, 1));
    assert!(reader.next().is_none());
}

#[test]
fn transparent_pictures_are_shown_over_black() {
    let folder = Folder::new();
    let path = folder.path("a.png");
    let rgba = image::RgbaImage::from_pixel(4, 3, image::Rgba([200, 100, 40, 128]));
    rgba.save(&path).unwrap();
    let read = read_picture(&path, &Limits::default()).unwrap();
    assert_eq!(read, Picture::filled(4, 3, [100, 50, 20]));
    assert!(
        probe(&path, &Limits::default())
            .unwrap()
            .video
            .unwrap()
            .alpha
    );
}

#[test]
fn the_camera_s_orientation_is_honoured() {
    let folder = Folder::new();
    let path = folder.path("a.jpg");
    let picture = scene(48, 32, 0);
    write_picture(&path, &picture).unwrap();
    // An EXIF header with one entry, orientation 6, goes right behind the start of the file.
    let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let jpeg = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&jpeg[..2], exif, &jpeg[2..]].concat()).unwrap();
    let read = read_picture(&path, &Limits::default()).unwrap();
    assert!(difference(&read, &picture.turned(1)) < 3.0);
    let video = probe(&path, &Limits::default()).unwrap().video.unwrap();
    assert_eq!((video.width, video.height), (32, 48));
}

#[test]
fn a_folder_is_a_video_in_order_of_numbers() {
    let folder = Folder::new();
    for n in [1, 2, 10, 9] {
        write_picture(&folder.path(&format!("shot{n}.png")), &scene(20, 10, n)).unwrap();
    }
    std::fs::write(folder.path("notes.txt"), "not a picture").unwrap();
    let here = folder.path("");
    let frames: Vec<_> = VideoReader::open(&here, &Limits::default())
        .unwrap()
        .map(|f| f.unwrap())
        .collect();
    let shown: Vec<Picture> = [1, 2, 9, 10].map(|n| scene(20, 10, n)).into();
    assert_eq!(
        frames.iter().map(|f| f.picture.clone()).collect::<Vec<_>>(),
        shown
    );
    assert_eq!(frames[3].index, 3);
    assert!((frames[3].time.secs() - 0.12).abs() < 1e-12);
}

#[test]
fn a_pattern_has_its_own_rate_and_can_be_sought() {
    let folder = Folder::new();
    for n in 7..12 {
        write_picture(&folder.path(&format!("s-{n:05}.jpg")), &scene(20, 10, n)).unwrap();
    }
    let pattern = folder.path("s-%05d.jpg");
    let rate = Rational::new(10, 1);
    let mut reader = VideoReader::open_at_rate(&pattern, rate, &Limits::default()).unwrap();
    assert_eq!(reader.info().video.as_ref().unwrap().frames, Some(5));
    reader.seek(0.3).unwrap();
    let frame = reader.next().unwrap().unwrap();
    assert_eq!(frame.index, 3);
    assert!(difference(&frame.picture, &scene(20, 10, 10)) < 4.0);
}

#[test]
fn one_broken_picture_among_good_ones_is_reported_and_the_rest_is_read() {
    let folder = Folder::new();
    for n in 0..5 {
        write_picture(&folder.path(&format!("{n}.png")), &scene(20, 10, n)).unwrap();
    }
    std::fs::write(folder.path("2.png"), "this is no picture").unwrap();
    let reader = VideoReader::open(&folder.path(""), &Limits::default()).unwrap();
    let read: Vec<_> = reader.collect();
    assert_eq!(read.len(), 5);
    for (n, frame) in read.iter().enumerate() {
        match frame {
            Ok(frame) => assert_eq!(frame.index, n as u64),
            Err(Error::BadPicture { path, .. }) => {
                assert_eq!((n, path), (2, &folder.path("2.png")));
            }
            Err(err) => panic!("{err}"),
        }
    }
    assert!(read[2].is_err());
}

#[test]
fn a_missing_number_is_reported_in_its_place() {
    let folder = Folder::new();
    for n in [0, 1, 3] {
        write_picture(&folder.path(&format!("{n:03}.png")), &scene(20, 10, n)).unwrap();
    }
    let reader = VideoReader::open(&folder.path("%03d.png"), &Limits::default()).unwrap();
    let read: Vec<bool> = reader.map(|f| f.is_ok()).collect();
    assert_eq!(read, [true, true, false, true]);
}

#[test]
fn a_folder_without_pictures_says_so() {
    let folder = Folder::new();
    let result = VideoReader::open(&folder.path(""), &Limits::default());
    assert!(matches!(result.err(), Some(Error::NoPictures { .. })));
}

#[test]
fn cut_pictures_are_damage() {
    let folder = Folder::new();
    for name in ["a.png", "a.jpg", "a.webp"] {
        let path = folder.path(name);
        write_picture(&path, &scene(200, 150, 0)).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let result = read_picture(&path, &Limits::default());
        assert!(matches!(result, Err(Error::BadPicture { .. })), "{name}");
    }
}

/// A PNG that claims 60000x60000 is refused by its header; nothing is allocated for it.
#[test]
fn a_huge_claim_is_refused() {
    let folder = Folder::new();
    let path = folder.path("huge.png");
    write_picture(&path, &scene(8, 8, 0)).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let side = 60_000_u32.to_be_bytes();
    bytes[16..20].copy_from_slice(&side);
    bytes[20..24].copy_from_slice(&side);
    let crc = crc32fast::hash(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    std::fs::write(&path, bytes).unwrap();
    for result in [
        read_picture(&path, &Limits::default()).err(),
        probe(&path, &Limits::default()).err(),
    ] {
        assert!(
            matches!(result, Some(Error::TooLarge { width: 60_000, .. })),
            "{result:?}"
        );
    }
}
