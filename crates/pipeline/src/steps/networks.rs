//! The face networks, loaded onto one device.

use effigy_model::device::{self, Choice};
use effigy_model::{BlendJudge, Finder, Identifier, Mesher};

use crate::error::Result;

/// The networks that every job on faces needs.
#[derive(Clone, Debug)]
pub struct Networks {
    /// Finds faces.
    pub finder: Finder,
    /// Fits meshes.
    pub mesher: Mesher,
    /// Tells people apart.
    pub identifier: Identifier,
    /// Sees where a face was blended in.
    pub blend_judge: BlendJudge,
}

impl Networks {
    /// Loads the networks onto the chosen device.
    ///
    /// # Errors
    /// When the device is not there.
    pub fn load(choice: Choice) -> Result<Self> {
        let device = device::open(choice)?;
        Ok(Self {
            finder: Finder::load(&device)?,
            mesher: Mesher::load(&device)?,
            identifier: Identifier::load(&device)?,
            blend_judge: BlendJudge::load(&device)?,
        })
    }
}
