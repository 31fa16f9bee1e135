//! What the newest record of each account is: a sealed file beside the records.
//!
//! Every write of the vault has a serial, counted over all records. A record bears its own in its
//! header; the index has the newest of each account, and the last one given out. So an older record
//! that is put back bears a serial that the index does not have, and so does one that comes back
//! after its account was forgotten.
//!
//! The record is written first, then the index. Whatever lies between them when the power goes, the
//! index lags behind and never runs ahead:
//!
//! - a record with a serial beyond the index's last one was written when the index was not yet: it
//!   is genuine, because nobody else has the key, and the index takes it up;
//! - a serial that was given out and whose write is not known to have ended well is *unsettled*.
//!   The last serial that the index owns up to stays below it, until a later write of the same
//!   account ends well.

use std::collections::BTreeMap;

use authbroker_core::ids::AccountId;
use serde::{Deserialize, Serialize};

use super::seal::{Key, KeyId, Keys, Unopened};
use super::{VaultError, envelope};

/// The newest format.
const FORMAT: u32 = 1;

/// The newest serial of every account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Index {
    newest: BTreeMap<AccountId, u64>,
    unsettled: BTreeMap<AccountId, u64>,
    next: u64,
    /// The last serial as the file had it.
    owned_up: u64,
}

/// Why there is no index to go by.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum NoIndex {
    #[error("the key does not fit this vault: it was sealed with another one")]
    OtherKey,
    #[error("the vault's index was changed or is cut off")]
    Unreadable,
    #[error("a newer version wrote the vault's index, in format {0}")]
    Newer(u32),
}

#[derive(Serialize, Deserialize)]
struct Header {
    kind: Kind,
    format: u32,
    key: KeyId,
}

/// Keeps one sealed file from being taken for another.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Index,
}

#[derive(Serialize, Deserialize)]
struct Body {
    last: u64,
    records: BTreeMap<String, u64>,
}

impl Index {
    /// An index over nothing.
    pub(super) const fn empty() -> Self {
        Self { newest: BTreeMap::new(), unsettled: BTreeMap::new(), next: 1, owned_up: 0 }
    }

    /// Reads what [`Index::write`] wrote.
    pub(super) fn read(bytes: &[u8], keys: &Keys) -> Result<Self, NoIndex> {
        let (line, sealed) = envelope::split(bytes).ok_or(NoIndex::Unreadable)?;
        let header: Header = serde_json::from_slice(line).map_err(|_| NoIndex::Unreadable)?;
        if header.format > FORMAT {
            return Err(NoIndex::Newer(header.format));
        }
        let plain = keys.open(Some(&header.key), line, sealed).map_err(|error| match error {
            Unopened::OtherKey => NoIndex::OtherKey,
            Unopened::Changed => NoIndex::Unreadable,
        })?;
        let body: Body = serde_json::from_slice(&plain).map_err(|_| NoIndex::Unreadable)?;
        let mut index = Self::empty();
        for (id, serial) in body.records {
            index.take_up(&AccountId::parse(&id).map_err(|_| NoIndex::Unreadable)?, serial);
        }
        index.next = index.next.max(body.last.saturating_add(1));
        index.owned_up = body.last;
        Ok(index)
    }

    /// The file.
    pub(super) fn write(&self, key: &Key) -> Result<Vec<u8>, VaultError> {
        let records = self.newest.iter().map(|(id, serial)| (id.to_string(), *serial)).collect();
        let body = Body { last: self.last(), records };
        let body = serde_json::to_vec(&body).map_err(envelope::unwritable)?;
        let header = Header { kind: Kind::Index, format: FORMAT, key: key.id().clone() };
        envelope::close(&header, &body, key)
    }

    /// The last serial below which nothing is unsettled.
    fn last(&self) -> u64 {
        self.unsettled.values().min().map_or(self.next, |serial| *serial) - 1
    }

    /// Gives out the serial of a write that is about to begin.
    pub(super) fn begin(&mut self, id: &AccountId) -> u64 {
        let serial = self.next;
        self.next += 1;
        // The earliest one stays: whether its record is on the disk is still not known.
        self.unsettled.entry(id.clone()).or_insert(serial);
        serial
    }

    /// Takes note that the record with this serial is on the disk.
    pub(super) fn settle(&mut self, id: &AccountId, serial: u64) {
        self.unsettled.remove(id);
        self.newest.insert(id.clone(), serial);
    }

    /// Takes note that the record is gone.
    pub(super) fn remove(&mut self, id: &AccountId) {
        self.unsettled.remove(id);
        self.newest.remove(id);
    }

    /// Takes up a record that was written when the index was not yet. It must have been opened: a
    /// header alone proves nothing.
    pub(super) fn take_up(&mut self, id: &AccountId, serial: u64) {
        self.newest.insert(id.clone(), serial);
        self.next = self.next.max(serial.saturating_add(1));
    }

    /// Drops the accounts whose records are not there any more.
    pub(super) fn keep_only(&mut self, there: impl Fn(&AccountId) -> bool) {
        self.newest.retain(|id, _| there(id));
    }

    /// Whether the file was not written yet when a record with this serial was.
    pub(super) fn is_behind(&self, id: &AccountId, serial: u64) -> bool {
        serial > self.owned_up && self.newest.get(id).is_none_or(|newest| serial > *newest)
    }

    /// Whether this is the newest record of the account, or what is wrong.
    pub(super) fn judge(&self, id: &AccountId, serial: u64) -> Result<(), &'static str> {
        match self.newest.get(id) {
            Some(newest) if serial == *newest => Ok(()),
            Some(_) => Err("an older copy of it was put back"),
            None => Err("it was put back after its account was signed out"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> AccountId {
        AccountId::parse(text).unwrap()
    }

    fn over(records: &[(&str, u64)]) -> Index {
        let mut index = Index::empty();
        for (name, serial) in records {
            index.take_up(&id(name), *serial);
        }
        index
    }

    fn keys() -> Keys {
        Keys::only(Key::generate().unwrap())
    }

    /// The index as the next start of the daemon finds it.
    fn read_back(index: &Index) -> Index {
        let keys = keys();
        Index::read(&index.write(&keys.current).unwrap(), &keys).unwrap()
    }

    #[test]
    fn the_newest_record_is_good_and_every_other_is_not() {
        let mut index = Index::empty();
        for _ in 0..3 {
            let serial = index.begin(&id("a"));
            index.settle(&id("a"), serial);
        }
        let index = read_back(&index);
        assert_eq!(index.judge(&id("a"), 3), Ok(()));
        assert_eq!(index.judge(&id("a"), 2), Err("an older copy of it was put back"));
        assert!(index.judge(&id("b"), 1).is_err(), "it was never here, or forgotten");
    }

    #[test]
    fn a_record_written_before_the_power_went_is_ahead_of_the_index() {
        let mut index = over(&[("a", 5)]);
        index.begin(&id("a"));
        let index = read_back(&index);
        assert!(index.is_behind(&id("a"), 6), "written, but not settled");
        assert!(!index.is_behind(&id("a"), 5));
    }

    #[test]
    fn a_write_that_failed_halfway_does_not_make_the_index_run_ahead() {
        let mut index = over(&[("a", 1), ("b", 2)]);
        let halfway = index.begin(&id("a"));
        let serial = index.begin(&id("b"));
        index.settle(&id("b"), serial);
        let again = index.begin(&id("a"));
        let found = read_back(&index);
        for maybe in [halfway, again] {
            assert!(found.is_behind(&id("a"), maybe), "whether it is on the disk is not known");
        }
        assert!(!found.is_behind(&id("b"), 2), "the other account's older copies stay known");
        assert_eq!((found.judge(&id("a"), 1), found.judge(&id("b"), serial)), (Ok(()), Ok(())));
        index.settle(&id("a"), again);
        assert!(!read_back(&index).is_behind(&id("a"), halfway), "a later one ended well");
    }

    #[test]
    fn a_changed_a_foreign_and_a_newer_index_are_told_apart() {
        let keys = keys();
        let mut bytes = Index::empty().write(&keys.current).unwrap();
        let foreign = Keys::only(Key::generate().unwrap());
        assert_eq!(Index::read(&bytes, &foreign), Err(NoIndex::OtherKey));
        let newer = String::from_utf8_lossy(&bytes).replace("\"format\":1", "\"format\":9");
        assert_eq!(Index::read(newer.as_bytes(), &keys), Err(NoIndex::Newer(9)));
        *bytes.last_mut().unwrap() ^= 1;
        assert_eq!(Index::read(&bytes, &keys), Err(NoIndex::Unreadable));
        assert_eq!(Index::read(b"", &keys), Err(NoIndex::Unreadable));
    }
}
