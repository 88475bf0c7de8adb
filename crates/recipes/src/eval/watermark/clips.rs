//! Marked clips of two seconds, encoded anew.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use effigy_frame::{Frame, Picture, Rational, Timestamp};
use effigy_mark::watermark::{Detector, Embedder};
use effigy_media::{Limits, VideoReader, VideoWriter, WriteSettings};

use super::peer::{MODES, Peer, majority};
use super::reposts::OF_CLIPS;
use super::{CLIP_FRAMES, Table, files, identifier};

/// Every so many frames of a clip the peer reads one: it reads each alone, and slowly.
const PEER_EVERY: usize = 5;

/// Marks and attacks up to `most` of them.
pub(super) fn clips(
    data: &Path,
    most: usize,
    table: &mut Table,
    mut peer: Option<&mut Peer>,
) -> Result<()> {
    let scenes = scenes(data, most)?;
    for (number, (path, first)) in scenes.into_iter().enumerate() {
        let plain = scene(&path, first)?;
        let identifier = identifier(1000 + number);
        let embedder = Embedder::new(identifier);
        let mut frames = plain.clone();
        frames
            .iter_mut()
            .for_each(|frame| embedder.embed(&mut frame.picture));
        let over = &plain[0].picture;
        attack_clip(&frames, over, |attack, seen| {
            let mut detector = Detector::new();
            seen.iter().for_each(|picture| detector.look(picture));
            let read = detector.finish().map(|found| found.identifier);
            table.count(attack, 0, read == Some(identifier));
            if read != Some(identifier) {
                println!("not recovered: {attack}, {path:?} from frame {first}");
            }
            Ok(())
        })?;
        if let Some(peer) = &mut peer {
            measure_peer_in_clip(peer, &plain, identifier, table)?;
        }
    }
    Ok(())
}

/// Up to `most` places of two seconds: of each clip the first, of each the second, and so on.
fn scenes(data: &Path, most: usize) -> Result<Vec<(PathBuf, usize)>> {
    const APART: usize = 2 * CLIP_FRAMES;
    let mut paths = files(&data.join("video"), "mp4")?;
    paths.extend(files(&data.join("video/grid"), "mp4")?);
    let mut scenes = Vec::new();
    for first in (0..3).map(|nth| nth * APART) {
        for path in &paths {
            let video = effigy_media::probe(path, &Limits::default())?.video;
            let n_frames = video.and_then(|video| video.frames).unwrap_or(0);
            if scenes.len() < most && (first + CLIP_FRAMES) as u64 <= n_frames {
                scenes.push((path.clone(), first));
            }
        }
    }
    Ok(scenes)
}

fn scene(path: &Path, first: usize) -> Result<Vec<Frame>> {
    let reader = VideoReader::open(path, &Limits::default())?;
    let frames = reader.skip(first).take(CLIP_FRAMES);
    Ok(frames.collect::<Result<Vec<_>, _>>()?)
}

fn measure_peer_in_clip(
    peer: &mut Peer,
    plain: &[Frame],
    identifier: u64,
    table: &mut Table,
) -> Result<()> {
    for (method, mode) in MODES.iter().enumerate() {
        let mut frames = plain.to_vec();
        for frame in &mut frames {
            if let Some(marked) = peer.embed(mode, &frame.picture, identifier)? {
                frame.picture = marked;
            }
        }
        attack_clip(&frames, &plain[0].picture, |attack, seen| {
            let some = seen.iter().step_by(PEER_EVERY);
            let read = some
                .map(|picture| peer.read(mode, picture))
                .collect::<Result<Vec<_>>>()?;
            table.count(attack, 1 + method, majority(&read) == identifier);
            Ok(())
        })?;
    }
    Ok(())
}

/// Encodes the clip in every way that is measured, and shows what comes out. `over` is what screens show
/// besides.
fn attack_clip(
    frames: &[Frame],
    over: &Picture,
    mut look: impl FnMut(&str, &[Picture]) -> Result<()>,
) -> Result<()> {
    for crf in [23, 28, 33] {
        look(&format!("H.264 CRF {crf}, 2 s"), &encoded(frames, crf)?)?;
    }
    // 30 to 25 frames a second leaves out every sixth frame.
    let fewer = frames.iter().filter(|frame| frame.index % 6 != 5);
    let fewer: Vec<Frame> = fewer.cloned().collect();
    look("30 to 25 frames/s, 2 s, CRF 23", &encoded(&fewer, 23)?)?;
    let once = encoded(frames, 23)?;
    for (attack, repost) in OF_CLIPS {
        let reposted = once.iter().zip(frames).map(|(picture, frame)| Frame {
            picture: even_sided(repost(picture, over)),
            ..frame.clone()
        });
        let twice = encoded(&reposted.collect::<Vec<_>>(), 28)?;
        look(&format!("{attack}, 2 s, CRF 23, then 28"), &twice)?;
    }
    Ok(())
}

/// Leaves out the last row and column where sides are odd, which video cannot hold.
fn even_sided(picture: Picture) -> Picture {
    let (width, height) = (picture.width() & !1, picture.height() & !1);
    let rows = picture.pixels().chunks_exact(picture.width() as usize * 3);
    let rows = rows.take(height as usize);
    let pixels = rows.flat_map(|row| &row[..width as usize * 3]);
    Picture::new(width, height, pixels.copied().collect())
}

fn encoded(frames: &[Frame], crf: u8) -> Result<Vec<Picture>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("clip.mp4");
    let first = frames.first().context("a clip without frames")?;
    let rate = Rational::new(25, 1);
    let mut settings = WriteSettings::new(first.picture.width(), first.picture.height(), rate);
    settings.crf = Some(crf);
    #[expect(
        clippy::disallowed_methods,
        reason = "measures a mark that it drew itself"
    )]
    let mut writer = VideoWriter::create(&path, &settings)?;
    for (index, frame) in frames.iter().enumerate() {
        let time = Timestamp::new(index as i64, Rational::new(1, 25));
        writer.write(&Frame {
            time,
            ..frame.clone()
        })?;
    }
    writer.finish()?;
    let reader = VideoReader::open(&path, &Limits::default())?;
    reader.map(|frame| Ok(frame?.picture)).collect()
}
