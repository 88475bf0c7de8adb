//! What a training can draw so far: a marked sheet of source, redrawn and swapped faces, and a page
//! that shows the newest one.

use std::path::Path;

use effigy_frame::{Picture, resample};
use effigy_mark::consent::Token;
use effigy_mark::{Policy, write_marked_picture};
use effigy_model::FaceModel;
use effigy_train::FaceSet;

use crate::draft::DraftFile;
use crate::error::Result;

/// Name of the sheet in the model's folder.
pub(crate) const SHEET: &str = "preview.png";
const PAGE: &str = "preview.html";
/// Faces of each person on a sheet.
const N_ROWS: usize = 6;
/// Side of a face on the sheet.
const CELL_PX: u32 = 160;

/// Draws the sheet for the newest checkpoint and writes it, marked, into the model's folder.
///
/// # Errors
/// When the model cannot be read or the sheet not written.
pub(crate) fn write(
    folder: &Path,
    model: &FaceModel,
    sets: &[FaceSet],
    (token, policy): (&Token, &Policy<'_>),
) -> Result<()> {
    let mut columns = Vec::new();
    for (person, set) in sets.iter().enumerate() {
        let source = set.samples(N_ROWS);
        columns.push(source.clone());
        for drawn in std::iter::once(person).chain((0..sets.len()).filter(|&p| p != person)) {
            let faces = model.redraw(&source, drawn);
            columns.push(faces.into_iter().map(|face| face.picture).collect());
        }
    }
    write_marked_picture(&folder.join(SHEET), sheet(&columns), token, policy)?;
    write_page(folder)
}

/// Lays columns of faces side by side.
fn sheet(columns: &[Vec<Picture>]) -> Picture {
    let n_rows = columns.iter().map(Vec::len).max().unwrap_or(0).max(1) as u32;
    let mut sheet = Picture::filled(
        columns.len().max(1) as u32 * CELL_PX,
        n_rows * CELL_PX,
        [24; 3],
    );
    for (column, faces) in columns.iter().enumerate() {
        for (row, face) in faces.iter().enumerate() {
            let cell = resample::resize(face, CELL_PX, CELL_PX);
            paste(
                &mut sheet,
                &cell,
                column as u32 * CELL_PX,
                row as u32 * CELL_PX,
            );
        }
    }
    sheet
}

fn paste(sheet: &mut Picture, cell: &Picture, left: u32, top: u32) {
    let (row_bytes, cell_bytes) = (sheet.width() as usize * 3, cell.width() as usize * 3);
    for (y, row) in cell.pixels().chunks_exact(cell_bytes).enumerate() {
        let first = (top as usize + y) * row_bytes + left as usize * 3;
        sheet.pixels_mut()[first..first + cell_bytes].copy_from_slice(row);
    }
}

/// A page that shows the sheet and looks for a newer one now and then.
fn write_page(folder: &Path) -> Result<()> {
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"20\">\
         <title>effigy: training</title><style>body{{background:#181818;color:#ddd;\
         font:16px sans-serif;text-align:center}}img{{max-width:100%}}</style>\
         <p>For each person: source, redrawn, drawn as the others.</p><img src=\"{SHEET}\">\n"
    );
    let mut draft = DraftFile::create(&folder.join(PAGE))?;
    draft.write(page.as_bytes())?;
    draft.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faces_stand_in_their_columns() {
        let face = |value| Picture::filled(96, 96, [value; 3]);
        let sheet = sheet(&[vec![face(10), face(20)], vec![face(30)]]);
        assert_eq!((sheet.width(), sheet.height()), (2 * CELL_PX, 2 * CELL_PX));
        assert_eq!(sheet.get(5, CELL_PX + 5), [20; 3]);
        assert_eq!(sheet.get(CELL_PX + 5, 5), [30; 3]);
        assert_eq!(sheet.get(CELL_PX + 5, CELL_PX + 5), [24; 3]);
    }
}
