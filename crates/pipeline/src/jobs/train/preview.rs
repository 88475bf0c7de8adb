//! What a training can draw so far: a marked sheet of faces as filmed, redrawn and swapped, and a page
//! that shows the newest one beside the curves.

use std::path::Path;

use effigy_detect::report::page::escaped;
use effigy_frame::{Picture, resample};
use effigy_mark::write_marked_picture;
use effigy_model::FaceModel;
use effigy_train::FaceSet;

use crate::error::Result;
use crate::steps::atomic::AtomicFile;
use crate::steps::collage::paste;
use crate::steps::consent::Authorisation;

/// Name of the sheet in the model's folder.
pub(crate) const SHEET: &str = "preview.png";
const PAGE: &str = "preview.html";
/// Faces of each person on a sheet.
const N_ROWS: usize = 6;
/// Side of a face on the sheet.
const CELL_PX: u32 = 160;
/// Room above and below the faces, for the label.
const MARGINS_PX: [u32; 2] = [330, 150];

/// What is shown.
pub(crate) struct Shown<'a> {
    pub(crate) model: &'a FaceModel,
    pub(crate) sets: &'a [FaceSet],
    /// How the training goes, as a part of a page.
    pub(crate) dashboard: &'a str,
}

/// Draws the sheet for the newest checkpoint and writes it, marked, into the model's folder,
/// together with the page.
///
/// # Errors
/// When the sheet cannot be marked, or one of the two cannot be written.
pub(crate) fn write(
    folder: &Path,
    shown: &Shown<'_>,
    authorisation: Authorisation<'_>,
) -> Result<()> {
    let mut columns = Vec::new();
    let mut captions = Vec::new();
    for (person, set) in shown.sets.iter().enumerate() {
        let source = set.samples(N_ROWS);
        captions.push(set.person.clone());
        columns.push(source.clone());
        let others = (0..shown.sets.len()).filter(|&other| other != person);
        for drawn in std::iter::once(person).chain(others) {
            let faces = shown.model.redraw(&source, drawn);
            columns.push(faces.into_iter().map(|face| face.picture).collect());
            captions.push(match drawn == person {
                true => "redrawn".to_owned(),
                false => format!("as {}", shown.sets[drawn].person),
            });
        }
    }
    let Authorisation { token, policy } = authorisation;
    write_marked_picture(&folder.join(SHEET), sheet(&columns), token, policy)?;
    write_page(folder, &captions, shown.dashboard)
}

/// Lays columns of faces side by side.
fn sheet(columns: &[Vec<Picture>]) -> Picture {
    let n_rows = columns.iter().map(Vec::len).max().unwrap_or(0).max(1) as u32;
    let mut sheet = Picture::filled(
        columns.len().max(1) as u32 * CELL_PX,
        n_rows * CELL_PX + MARGINS_PX[0] + MARGINS_PX[1],
        [24; 3],
    );
    for (column, faces) in columns.iter().enumerate() {
        for (row, face) in faces.iter().enumerate() {
            let cell = resample::resize(face, CELL_PX, CELL_PX);
            paste(
                &mut sheet,
                &cell,
                column as u32 * CELL_PX,
                MARGINS_PX[0] + row as u32 * CELL_PX,
            );
        }
    }
    sheet
}

/// A page that shows the sheet and the curves, and reloads itself to show newer ones.
fn write_page(folder: &Path, captions: &[String], dashboard: &str) -> Result<()> {
    let captions: Vec<String> = captions
        .iter()
        .map(|caption| format!("<span>{}</span>", escaped(caption)))
        .collect();
    let page = format!(
        "{HEAD}{dashboard}<figure style=\"--n:{}\"><figcaption>{}</figcaption>\
         <img alt=\"faces: source, redrawn, swapped\" src=\"{SHEET}\"></figure></html>\n",
        captions.len(),
        captions.join(""),
    );
    let mut file = AtomicFile::create(&folder.join(PAGE))?;
    file.write(page.as_bytes())?;
    file.finish()
}

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<meta http-equiv=\"refresh\" content=\"20\"><title>effigy: training</title>\
<style>body{background:#181818;color:#ddd;font:16px system-ui,sans-serif;max-width:1000px;\
margin:1em auto;text-align:center}figure{margin:0}img,svg{width:100%}polyline{fill:none;\
stroke-width:2;stroke:#777}.new{stroke:#8ab4f8}figcaption{display:grid;\
grid-template-columns:repeat(var(--n),1fr)}</style>\
<p>Synthetic faces, drawn anew at every save.</p>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faces_stand_in_their_columns() {
        let face = |value| Picture::filled(96, 96, [value; 3]);
        let sheet = sheet(&[vec![face(10), face(20)], vec![face(30)]]);
        let height = 2 * CELL_PX + MARGINS_PX[0] + MARGINS_PX[1];
        assert_eq!((sheet.width(), sheet.height()), (2 * CELL_PX, height));
        assert_eq!(sheet.get(5, MARGINS_PX[0] + CELL_PX + 5), [20; 3]);
        assert_eq!(sheet.get(CELL_PX + 5, MARGINS_PX[0] + 5), [30; 3]);
        assert_eq!(sheet.get(CELL_PX + 5, MARGINS_PX[0] + CELL_PX + 5), [24; 3]);
    }
}
