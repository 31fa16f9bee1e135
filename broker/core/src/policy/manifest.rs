//! What an app says of itself that it needs: more than that, nobody can be talked into.

use std::sync::Arc;

use super::{AppMatch, Reach};
use crate::caller::{Caller, Identity};

/// One manifest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// The file.
    pub file: Arc<str>,
    /// The app's id: the file's name.
    pub id: String,
    /// Which app, where that is not the sandboxed app of that id.
    pub app: Option<AppMatch>,
    /// The most that a person can let it have.
    pub reach: Reach,
    /// What it needs that for, in the app's own words.
    pub reason: Option<String>,
}

impl Manifest {
    /// Whether this caller is the app.
    pub fn is_of(&self, caller: &Caller) -> bool {
        match (&self.app, &caller.identity) {
            (Some(app), _) => app.matches(caller),
            (None, Identity::Flatpak(id) | Identity::Snap(id)) => **id == *self.id,
            (None, _) => false,
        }
    }
}
