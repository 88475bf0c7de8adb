//! Names that nobody guesses.

use effigy_files::hex;

use crate::Result;
use crate::error::Error;

/// Gives 128 random bits as 32 hexadecimal digits.
///
/// # Errors
/// When the system has no randomness to give.
pub fn random_id() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|err| Error::File {
        source: std::io::Error::other(err),
        what: "the system gives no random numbers".to_owned(),
    })?;
    Ok(hex(&bytes))
}
