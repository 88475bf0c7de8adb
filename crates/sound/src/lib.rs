//! What a recording tells besides words: when somebody speaks, how many voices there are, and whose.
//!
//! Sound comes as mono samples, [`RATE_HZ`] a second, block by block, so that memory stays small however long it
//! is. It knows no faces, and no files.
//!
//! ```no_run
//! use effigy_model::Weights;
//! use effigy_sound::{Listener, Networks};
//!
//! let networks = Networks::load(&Weights::from_source_tree()?)?;
//! let mut listener = Listener::new(&networks);
//! listener.hear(&[0.0; 16_000])?;
//! let recording = listener.finish();
//! println!("{:.1} s of speech, {} voices", recording.speech_secs(), recording.speakers.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod activity;
pub mod cepstra;
mod error;
mod listen;
pub mod mel;
pub mod phones;
mod rumble;
mod speakers;
mod stretch;
pub mod testing;
mod visemes;
mod windows;

pub use error::{Error, Result};
pub use listen::{Listener, Networks, RATE_HZ, Recording};
pub use phones::{PhoneListener, Utterance};
pub use speakers::Speaker;
pub use stretch::{Stretch, total_secs};
pub use visemes::SpokenVisemes;
