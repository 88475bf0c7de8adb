//! Many files: order, broken ones, stopping and going on.

use std::fs;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use effigy_frame::Picture;
use effigy_pipeline::{BatchJob, Error, Progress, Quiet, ScanJob, Scanned, scan_all};

use crate::proof;

use super::made::{grey, networks, write_clip, write_picture};

fn batch(folder: &Path, reports: Option<&Path>) -> BatchJob {
    BatchJob {
        inputs: vec![folder.to_owned()],
        each: ScanJob::new(PathBuf::new()),
        reports: reports.map(Path::to_owned),
        at_once: NonZero::new(2).unwrap(),
    }
}

fn run(job: &BatchJob, progress: &mut dyn Progress) -> Result<Vec<Scanned>, Error> {
    let mut told = Vec::new();
    scan_all(job, &networks(), progress, &mut |scanned| {
        told.push(scanned.clone());
        Ok(())
    })?;
    Ok(told)
}

/// Three grey pictures, a truncated video and a file of noise.
fn mixed_folder(folder: &Path) {
    for name in ["a.png", "c.png", "e.png"] {
        write_picture(&folder.join(name), &grey());
    }
    let clip = folder.join("b.mp4");
    write_clip(&clip, &vec![grey(); 50]);
    let bytes = fs::read(&clip).unwrap();
    fs::write(&clip, &bytes[..bytes.len() / 2]).unwrap();
    let noise: Vec<u8> = (0..20_000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    fs::write(folder.join("d.jpg"), noise).unwrap();
}

#[test]
fn broken_files_are_told_and_the_rest_goes_on_in_order() {
    let folder = tempfile::tempdir().unwrap();
    mixed_folder(folder.path());
    let told = run(&batch(folder.path(), None), &mut Quiet).unwrap();
    let names: Vec<String> = told
        .iter()
        .map(|s| s.path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["a.png", "b.mp4", "c.png", "d.jpg", "e.png"]);
    let failed: Vec<bool> = told.iter().map(|s| s.failed.is_some()).collect();
    assert_eq!(failed, [false, true, false, true, false]);
    for scanned in &told {
        assert_eq!(scanned.report["verdict"], "not_judged");
    }
}

#[test]
fn marks_of_what_cannot_be_read_are_told_and_no_format_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("cut.png");
    write_picture(&picture, &grey());
    let mut bytes = fs::read(&picture).unwrap();
    bytes.truncate(60);
    bytes.extend_from_slice(
        b"Iptc4xmpExt:DigitalSourceType=\"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia\"",
    );
    fs::write(&picture, bytes).unwrap();
    fs::write(folder.path().join("drawing.psd"), b"8BPS\0\x01").unwrap();
    fs::write(folder.path().join("notes.txt"), b"no picture").unwrap();
    let told = run(&batch(folder.path(), None), &mut Quiet).unwrap();
    let [cut, drawing] = &told[..] else {
        panic!("{told:?}")
    };
    assert!(drawing.failed.is_some());
    let why = cut.failed.as_deref().unwrap();
    assert!(why.contains("marked as synthetic"), "{why}");
    assert_eq!(cut.report["marked_as_synthetic"], true);
    assert_eq!(cut.report["marks"]["marked"], true);
}

#[test]
fn a_folder_of_many_files_is_told_to_its_end() {
    let n_files = proof::amount(1000, 10_000);
    let good = [0, 1 + proof::seed() % (n_files - 2), n_files - 1];
    let folder = tempfile::tempdir().unwrap();
    for i in 0..n_files {
        fs::write(folder.path().join(format!("{i:05}.jpg")), b"").unwrap();
    }
    for i in good {
        let path = folder.path().join(format!("{i:05}.jpg"));
        write_picture(&path, &Picture::filled(32, 32, [120; 3]));
    }
    let told = run(&batch(folder.path(), None), &mut Quiet).unwrap();
    assert_eq!(told.len(), n_files);
    let read: Vec<usize> = (0..told.len())
        .filter(|i| told[*i].failed.is_none())
        .collect();
    assert_eq!(read, good);
    assert!(told.iter().all(|s| s.report["verdict"] == "not_judged"));
}

/// Stops the job after some steps.
struct StopAfter(u32);

impl Progress for StopAfter {
    fn begin(&mut self, _what: &str, _steps: Option<u64>) {}
    fn step(&mut self) -> ControlFlow<()> {
        if self.0 == 0 {
            return ControlFlow::Break(());
        }
        self.0 -= 1;
        ControlFlow::Continue(())
    }
    fn detail(&mut self, _text: &str) {}
    fn note(&mut self, _text: &str) {}
}

#[test]
fn an_interrupted_batch_goes_on_where_it_was() {
    let (folder, reports) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    mixed_folder(folder.path());
    let job = batch(folder.path(), Some(reports.path()));
    let stopped = run(&job, &mut StopAfter(1)).unwrap_err();
    assert!(matches!(stopped, Error::Cancelled));
    let first: Vec<PathBuf> = written(reports.path());
    assert!(!first.is_empty() && first.iter().all(|p| !p.to_string_lossy().contains(".part")));
    let marker = &first[0];
    let text = fs::read_to_string(marker).unwrap();
    fs::write(marker, text.replace("\"n_frames\": 1", "\"n_frames\": 77")).unwrap();
    let told = run(&job, &mut Quiet).unwrap();
    assert_eq!(told.len(), 5);
    let reused = told.iter().filter(|s| s.report["n_frames"] == 77).count();
    assert_eq!(reused, 1, "what was there is not made again");
    assert_eq!(written(reports.path()).len(), 3);
}

fn written(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut json: Vec<PathBuf> = entries
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    json.sort();
    json
}
