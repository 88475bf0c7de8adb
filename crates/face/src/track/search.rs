//! Searching whole frames: at once, or beside the following on a thread of its own.

use effigy_frame::Picture;
use effigy_model::finder::FindSettings;
use effigy_model::{Finder, Found, Lane, Pending};

/// A finder with its own thread.
#[derive(Debug)]
pub(crate) struct Searcher {
    finder: Finder,
    settings: FindSettings,
    lane: Lane,
    pending: Option<Pending<Vec<Found>>>,
}

impl Searcher {
    pub(crate) fn new(finder: Finder, settings: FindSettings, lane: Lane) -> Self {
        Self {
            finder,
            settings,
            lane,
            pending: None,
        }
    }

    /// Searches a frame and waits for the result; a search that was begun before is forgotten.
    pub(crate) fn search(&mut self, picture: &Picture) -> Vec<Found> {
        self.pending = None;
        self.lane.run(|| self.finder.find(picture, &self.settings))
    }

    /// Begins to search a frame.
    pub(crate) fn begin(&mut self, picture: &Picture) {
        let (finder, settings, picture) = (self.finder.clone(), self.settings, picture.clone());
        self.pending = Some(self.lane.begin(move || finder.find(&picture, &settings)));
    }

    /// Waits for the search that was begun.
    pub(crate) fn end(&mut self) -> Vec<Found> {
        self.pending.take().map_or_else(Vec::new, Pending::wait)
    }
}
