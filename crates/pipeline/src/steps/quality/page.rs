//! The quality card as one self-contained page: figures, faces, and curves over time. Its pictures are synthetic, so they go through the marked writer like any other.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use effigy_detect::report::page::escaped;
use effigy_frame::Picture;
use effigy_mark::write_marked_picture;

use super::card::Quality;
use super::samples::{Samples, Scores};
use crate::error::{Error, Result};
use crate::steps::atomic::{AtomicFile, write_error};
use crate::steps::consent::Authorisation;

/// What a chart is called, and what it shows.
type Chart = (&'static str, fn(&Scores) -> Option<f64>);

/// Size of a chart.
const CHART: [f64; 2] = [860.0, 90.0];

/// Marks the faces and gives the bytes of the picture, a JPEG.
pub(super) fn marked(
    page: &Path,
    sheet: Picture,
    authorisation: Authorisation<'_>,
) -> Result<Vec<u8>> {
    let folder = page
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let place = tempfile::Builder::new()
        .prefix(".effigy-")
        .tempdir_in(folder.unwrap_or(Path::new(".")));
    let place = place.map_err(|source| write_error(page, source))?;
    let path = place.path().join("faces.jpg");
    let Authorisation { token, policy } = authorisation;
    write_marked_picture(&path, sheet, token, policy)?;
    std::fs::read(&path).map_err(|source| Error::Read { source, path })
}

/// Writes the page; `faces` is a marked JPEG.
pub(super) fn write(
    path: &Path,
    quality: &Quality,
    samples: &Samples,
    faces: Option<&[u8]>,
) -> Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write(html(quality, samples, faces).as_bytes())?;
    file.finish()
}

fn html(quality: &Quality, samples: &Samples, faces: Option<&[u8]>) -> String {
    let mut page = String::from(HEAD);
    for figure in quality.figures() {
        let (class, mark) = match figure.is_reached() {
            Some(true) => ("good", "reached"),
            Some(false) => ("bad", "missed"),
            None => ("", ""),
        };
        add(
            &mut page,
            format_args!(
                "<tr class=\"{class}\"><td>{}<td>{}<td>{}<td>{mark}\n",
                escaped(figure.name.trim_start()),
                escaped(&figure.text()),
                escaped(&figure.target_text()),
            ),
        );
    }
    add(
        &mut page,
        format_args!(
            "</table><p>{} frames and {} faces were measured, before encoding.</p>\n",
            quality.n_frames_measured, quality.n_faces_measured,
        ),
    );
    if let Some(faces) = faces {
        let captions = samples.captions();
        add(
            &mut page,
            format_args!(
                "<h2>Faces, before above after</h2><figure style=\"--n:{}\">\
             <img alt=\"faces before and after\" src=\"data:image/jpeg;base64,{}\"><figcaption>",
                captions.len(),
                STANDARD.encode(faces),
            ),
        );
        for caption in &captions {
            add(&mut page, format_args!("<span>{}</span>", escaped(caption)));
        }
        page.push_str("</figcaption></figure>\n");
    }
    let charts: [Chart; 3] = [
        (
            "How much more similar to the source than to the performer",
            |s| s.likeness,
        ),
        (
            "Expression error, face shape included, % of eye distance",
            |s| s.expression,
        ),
        ("Colour step at the edge of the mask, ΔE", |s| s.seam),
    ];
    for (name, of) in charts {
        chart(&mut page, name, &samples.scores, of);
    }
    page.push_str(FOOT);
    page
}

/// Draws one score over time; nothing where there are fewer than two.
fn chart(page: &mut String, name: &str, scores: &[Scores], of: fn(&Scores) -> Option<f64>) {
    let values: Vec<(f64, f64)> = scores
        .iter()
        .filter_map(|s| Some((s.secs, of(s)?)))
        .collect();
    let (Some(first), Some(last)) = (values.first(), values.last()) else {
        return;
    };
    if last.0 <= first.0 {
        return;
    }
    let least = values.iter().map(|v| v.1).fold(0.0, f64::min);
    let most = values.iter().map(|v| v.1).fold(least + 1e-9, f64::max);
    let points = values.iter().map(|(secs, value)| {
        let x = (secs - first.0) / (last.0 - first.0) * CHART[0];
        let y = (1.0 - (value - least) / (most - least)) * CHART[1];
        format!("{x:.1},{y:.1}")
    });
    let points: Vec<String> = points.collect();
    add(
        page,
        format_args!(
            "<h2>{}</h2><svg viewBox=\"-2 -4 {} {}\"><polyline points=\"{}\"/></svg>\
         <p class=\"axis\"><span>{:.1} s</span><span>{least:.2} to {most:.2}</span>\
         <span>{:.1} s</span></p>\n",
            escaped(name),
            CHART[0] + 4.0,
            CHART[1] + 8.0,
            points.join(" "),
            first.0,
            last.0,
        ),
    );
}

fn add(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a string cannot fail.
    page.write_fmt(text).unwrap_or_default();
}

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>effigy: quality of a swap</title>\
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:900px;margin:2em auto;padding:0 1em;\
color:#222;background:#fff}table{border-collapse:collapse;width:100%}td{padding:.2em .6em;\
border-bottom:1px solid #ddd}td:nth-child(2){text-align:right;font-variant-numeric:tabular-nums}\
.good td:last-child{color:#18702f}.bad td:last-child{color:#b3261e;font-weight:600}\
figure{margin:0}img{width:100%;display:block}figcaption{display:grid;\
grid-template-columns:repeat(var(--n),1fr);font-size:.8em}h2{font-size:1.1em;margin:1.5em 0 .3em}\
svg{width:100%;background:#f5f5f5}polyline{fill:none;stroke:#2457a6;stroke-width:2}\
.axis{display:flex;justify-content:space-between;font-size:.8em;margin:0}\
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}td{border-color:#444}\
svg{background:#252525}polyline{stroke:#8ab4f8}.good td:last-child{color:#7ccf8f}\
.bad td:last-child{color:#ff8a80}}</style>\
<h1>Quality of a swap</h1>\
<p>What is samples here is synthetic: the face was drawn by a network.</p>\
<table><tr><td>measured<td>value<td>target<td></tr>\n";

const FOOT: &str = "<h2>How it was measured</h2><p>The source is the person whose face is drawn, \
the performer the one whose face was there. Identity similarity is the cosine between the identity \
vectors of a face and of the pictures in a consent. The expression error compares mesh points of \
mouth and eyes with the target's, aligned by points that move with the head alone; the mean offset \
between two people is the shape of their faces and is left out. Mesh noise is the same between two \
fits to the target, a little apart. Flicker is the change from frame to frame inside the face, \
divided by the target's own.</p></html>\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_needs_nothing_else_and_names_what_was_missed() {
        let quality = Quality {
            share_nearer_to_source: Some(0.5),
            ..Quality::default()
        };
        let mut samples = Samples::default();
        for i in 0..3 {
            samples.scores.push(Scores {
                secs: f64::from(i),
                seam: Some(1.0),
                ..Scores::default()
            });
        }
        let page = html(&quality, &samples, Some(b"jpeg"));
        assert!(page.contains("data:image/jpeg;base64,anBlZw=="));
        assert!(page.contains("<td>50.00 %<td>at least 90 %<td>missed"));
        assert_eq!(page.matches("<svg").count(), 1);
        assert!(!page.contains("http") && !page.contains("src=\"/"));
    }
}
