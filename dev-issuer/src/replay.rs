//! The ids of what may be presented once: DPoP proofs and client assertions.

use std::collections::HashMap;

use crate::clock::UnixSeconds;

/// Ids that were seen, each kept until a copy would be refused for its age anyway.
#[derive(Debug, Default)]
pub(crate) struct SeenIds(HashMap<String, UnixSeconds>);

impl SeenIds {
    /// Remembers an id until `until`, and says whether it is new.
    pub(crate) fn is_new(&mut self, id: String, until: UnixSeconds, now: UnixSeconds) -> bool {
        self.0.retain(|_, until| now < *until);
        self.0.insert(id, until).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::SeenIds;

    #[test]
    fn an_id_is_new_once_until_it_is_forgotten() {
        let mut seen = SeenIds::default();
        let mut is_new = |now| seen.is_new("id".to_owned(), now + 10, now);
        assert_eq!([is_new(0), is_new(9), is_new(19)], [true, false, true]);
    }
}
