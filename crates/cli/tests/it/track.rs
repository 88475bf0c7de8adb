//! `effigy track`: what it writes, and one clear error where it cannot.

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn track(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_effigy"))
        .arg("track")
        .args(args)
        .output()
        .unwrap()
}

fn actor() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/actors/ben-wrong-light.mp4")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A grey picture.
fn blank(path: &Path) {
    let (side, head) = (96_u32, 54_u32);
    let mut bytes = b"BM".to_vec();
    for number in [head + 3 * side * side, 0, head, 40, side, side] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend([1, 0, 24, 0]);
    bytes.extend([0; 24]);
    bytes.resize((head + 3 * side * side) as usize, 120);
    fs::write(path, bytes).unwrap();
}

#[test]
fn every_frame_is_a_row_and_the_mouth_moves() {
    let place = tempfile::tempdir().unwrap();
    let [csv, lines, glb, bvh] = ["csv", "jsonl", "glb", "bvh"].map(|ending| {
        let path = place.path().join(format!("take.{ending}"));
        path.to_str().unwrap().to_owned()
    });
    let clip = actor();
    let clip = clip.to_str().unwrap();
    let output = track(&[clip, "-o", &csv, "-o", &lines, "-o", &glb, "-o", &bvh]);
    assert!(output.status.success(), "{}", said(&output));
    let rows = fs::read_to_string(&csv).unwrap();
    let names: Vec<&str> = rows.lines().next().unwrap().split(',').collect();
    let jaw = names.iter().position(|name| *name == "JawOpen").unwrap();
    let jaws: Vec<f32> = rows
        .lines()
        .skip(1)
        .map(|row| row.split(',').nth(jaw).unwrap().parse().unwrap())
        .collect();
    assert_eq!(jaws.len(), 125);
    let (least, most) = (
        jaws.iter().copied().fold(1.0, f32::min),
        jaws.iter().copied().fold(0.0, f32::max),
    );
    assert!(least < 0.03 && most > 0.15, "{least} to {most}");
    assert_eq!(fs::read_to_string(&lines).unwrap().lines().count(), 125);
    assert!(fs::read(&glb).unwrap().starts_with(b"glTF"));
    assert!(fs::read_to_string(&bvh).unwrap().contains("Frames: 125"));
    // What is there stays there.
    let again = track(&[clip, "-o", &csv]);
    assert_eq!(again.status.code(), Some(2));
    assert!(said(&again).contains("--force"), "{}", said(&again));
}

#[test]
fn a_picture_without_a_face_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let (picture, csv) = (place.path().join("grey.bmp"), place.path().join("take.csv"));
    blank(&picture);
    let output = track(&[picture.to_str().unwrap(), "-o", csv.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("no face was found"),
        "{}",
        said(&output)
    );
    assert!(!csv.exists());
}

#[test]
fn an_address_is_told_from_a_name_that_nobody_has() {
    let clip = actor();
    for (address, wrong) in [
        (
            "nosuchhost.invalid:39539",
            "no machine is known by the name",
        ),
        ("127.0.0.1:99999", "is no HOST:PORT"),
        ("127.0.0.1", "is no HOST:PORT"),
        ("255.255.255.255:39539", "nothing can be sent to"),
    ] {
        let output = track(&[clip.to_str().unwrap(), "--vmc", address]);
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains(wrong), "{}", said(&output));
    }
}

#[test]
fn a_receiver_that_is_not_there_is_named_before_the_work() {
    let free = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let clip = actor();
    let output = track(&[clip.to_str().unwrap(), "--vmc", &address]);
    assert_eq!(output.status.code(), Some(2));
    let said = said(&output);
    assert!(
        said.contains(&format!("nobody receives at {address}")),
        "{said}"
    );
}

#[test]
fn movement_without_a_way_out_or_with_a_strange_one_is_refused() {
    let clip = actor();
    let clip = clip.to_str().unwrap();
    let output = track(&[clip]);
    assert!(
        said(&output).contains("-o FILE, or --vmc"),
        "{}",
        said(&output)
    );
    let output = track(&[clip, "-o", "take.fbx"]);
    assert!(said(&output).contains(".glb or .bvh"), "{}", said(&output));
    let output = track(&["no-such-clip.mp4", "-o", "take.csv"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("no-such-clip.mp4"),
        "{}",
        said(&output)
    );
}
