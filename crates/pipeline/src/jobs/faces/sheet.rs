//! Contact sheets: one picture for each person, with crops from all inputs.
//!
//! Crops wait in a nameless file on the disk until the people are known.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use effigy_frame::Picture;

use crate::error::Result;
use crate::steps::atomic::write_error;
use crate::steps::best::Pick;
use crate::steps::collage::paste;
use crate::steps::real::write_real_picture;

/// Side of each crop on a sheet.
pub(crate) const SHEET_SIDE_PX: u32 = 128;
/// What a crop's side covers, in distances between the outer corners of the eyes.
pub(crate) const SHEET_EXTENT: f32 = 3.0;
/// Crops on a sheet, at most.
const N_CROPS: usize = 36;
const N_COLUMNS: usize = 6;
const CROP_BYTES: usize = (SHEET_SIDE_PX * SHEET_SIDE_PX * 3) as usize;
const GAP_PX: u32 = 4;
/// What stands around the number of a person in the name of their sheet.
const PREFIX: &str = "person-";
const ENDING: &str = ".png";
const PAPER: [u8; 3] = [24, 24, 24];

/// Whether a file is called like somebody's sheet.
pub(crate) fn is_sheet(name: &str) -> bool {
    let number = name
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix(ENDING));
    number.is_some_and(|number| number.parse::<u32>().is_ok())
}

/// A crop that waits on the disk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SheetPick {
    quality: f32,
    place: u64,
}

/// The sheets while the inputs are read.
pub(crate) struct Sheets {
    folder: PathBuf,
    waiting: File,
    n_waiting: u64,
}

impl Sheets {
    pub(crate) fn begin(folder: &Path) -> Result<Self> {
        let waiting = tempfile::tempfile_in(folder).map_err(|err| write_error(folder, err))?;
        Ok(Self {
            folder: folder.to_owned(),
            waiting,
            n_waiting: 0,
        })
    }

    /// Puts a crop of [`SHEET_SIDE_PX`] aside.
    pub(crate) fn keep(&mut self, pick: &Pick<Picture>) -> Result<SheetPick> {
        let place = self.n_waiting;
        let written = self
            .waiting
            .seek(SeekFrom::Start(place * CROP_BYTES as u64))
            .and_then(|_| self.waiting.write_all(pick.item.pixels()));
        written.map_err(|err| write_error(&self.folder, err))?;
        self.n_waiting += 1;
        Ok(SheetPick {
            quality: pick.quality,
            place,
        })
    }

    /// Writes `person-1.png` and so on; `people` are the crops kept of each.
    pub(crate) fn finish(mut self, people: Vec<Vec<SheetPick>>) -> Result<()> {
        for (i, picks) in people.into_iter().enumerate() {
            let crops = chosen(picks)
                .iter()
                .map(|pick| self.read(pick))
                .collect::<Result<Vec<_>>>()?;
            if !crops.is_empty() {
                let path = self.folder.join(format!("{PREFIX}{}{ENDING}", i + 1));
                write_real_picture(&path, &laid_out(&crops))?;
            }
        }
        Ok(())
    }

    fn read(&mut self, pick: &SheetPick) -> Result<Picture> {
        let mut pixels = vec![0; CROP_BYTES];
        let read = self
            .waiting
            .seek(SeekFrom::Start(pick.place * CROP_BYTES as u64))
            .and_then(|_| self.waiting.read_exact(&mut pixels));
        read.map_err(|err| write_error(&self.folder, err))?;
        Ok(Picture::new(SHEET_SIDE_PX, SHEET_SIDE_PX, pixels))
    }
}

/// The best crops, back in the order in which they came.
fn chosen(mut picks: Vec<SheetPick>) -> Vec<SheetPick> {
    picks.sort_by(|a, b| b.quality.total_cmp(&a.quality).then(a.place.cmp(&b.place)));
    picks.truncate(N_CROPS);
    picks.sort_by_key(|pick| pick.place);
    picks
}

fn laid_out(crops: &[Picture]) -> Picture {
    let columns = crops.len().min(N_COLUMNS) as u32;
    let rows = crops.len().div_ceil(N_COLUMNS) as u32;
    let length = |n: u32| n * (SHEET_SIDE_PX + GAP_PX) + GAP_PX;
    let mut sheet = Picture::filled(length(columns), length(rows), PAPER);
    for (i, crop) in crops.iter().enumerate() {
        let (column, row) = ((i % N_COLUMNS) as u32, (i / N_COLUMNS) as u32);
        let corner = |n: u32| GAP_PX + n * (SHEET_SIDE_PX + GAP_PX);
        paste(&mut sheet, crop, corner(column), corner(row));
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_lie_side_by_side() {
        let crop = |v: u8| Picture::filled(SHEET_SIDE_PX, SHEET_SIDE_PX, [v; 3]);
        let sheet = laid_out(&(0..7).map(crop).collect::<Vec<_>>());
        assert_eq!((sheet.width(), sheet.height()), (6 * 132 + 4, 2 * 132 + 4));
        assert_eq!(sheet.get(4 + 132, 4), [1; 3]);
        assert_eq!(sheet.get(4, 4 + 132), [6; 3]);
        assert_eq!(sheet.get(200, 200), PAPER);
    }

    #[test]
    fn the_best_are_chosen_and_stay_in_order() {
        let picks: Vec<SheetPick> = (0..100)
            .map(|place| SheetPick {
                quality: (place % 10) as f32,
                place,
            })
            .collect();
        let chosen = chosen(picks);
        assert_eq!(chosen.len(), N_CROPS);
        assert!(chosen.windows(2).all(|pair| pair[0].place < pair[1].place));
        assert!(chosen.iter().all(|pick| pick.quality >= 6.0));
    }
}
