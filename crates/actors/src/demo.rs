//! The clips that a demonstration needs, inside the program.

use super::error::{Error, Result};

/// Gives the bytes of a file of `testdata/actors` by its name.
///
/// Kept are the four clips of Ada and Ben, and `ben-1-as-ada` with its masks: Ada plays what Ben
/// plays in `ben-1`, in his clothes, light and room. A program that calls this grows by 0.9 MB.
///
/// # Errors
/// When the program does not have the file.
pub fn file(name: &'static str) -> Result<&'static [u8]> {
    macro_rules! kept {
        ($($name:literal),+) => {
            match name {
                $($name => Ok(include_bytes!(concat!("../../../testdata/actors/", $name))),)+
                _ => Err(Error::NotKept { name }),
            }
        };
    }
    kept!(
        "ada-1.mp4",
        "ada-2.mp4",
        "ben-1.mp4",
        "ben-2.mp4",
        "ben-1-as-ada.mp4",
        "ben-1-as-ada.masks.png"
    )
}
