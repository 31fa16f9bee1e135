//! A look at every record: how many there are, and which of them cannot be used.

use std::sync::Arc;

use super::seal::Keys;
use super::{Broken, Inner, Vault, VaultError, as_broken, blocking, record};

/// What a look at the vault found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inspection {
    /// How many records there are, the broken ones included.
    pub records: usize,
    /// The format that is written now.
    pub format: u32,
    /// How many records are still in an older one. Each is written anew when it next changes.
    pub older: usize,
    /// Records that cannot be used.
    pub broken: Vec<Broken>,
    /// What was wrong with the index, if anything.
    pub index: Option<String>,
    /// How far the look went.
    pub depth: Depth,
}

/// How far a look at the records went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// Every record was opened, and is the newest of its account.
    Opened,
    /// The vault is locked: only the headers were read.
    Headers,
}

impl Vault {
    /// Looks at every record: opens it where the key is at hand, else reads its header. Nobody is
    /// asked for the key.
    pub async fn inspect(&self) -> Result<Inspection, VaultError> {
        let _turn = self.0.records.read().await;
        let keys = self.0.door.keys().unwrap_or_default();
        let inner = Arc::clone(&self.0);
        blocking(move || inner.inspect(keys.as_ref())).await
    }
}

impl Inner {
    fn inspect(&self, keys: Option<&Keys>) -> Result<Inspection, VaultError> {
        let mut found = Inspection {
            records: 0,
            format: record::FORMAT,
            older: 0,
            broken: Vec::new(),
            index: self.ledger.trouble(),
            depth: keys.map_or(Depth::Headers, |_| Depth::Opened),
        };
        for (name, bytes) in self.store.list()? {
            found.records += 1;
            match bytes.and_then(|bytes| self.look(&name, &bytes, keys)) {
                Ok(format) => found.older += usize::from(format < record::FORMAT),
                Err(error) => found.broken.push(as_broken(name, error)),
            }
        }
        Ok(found)
    }

    /// The format of a record, if nothing is wrong with it.
    fn look(&self, name: &str, bytes: &[u8], keys: Option<&Keys>) -> Result<u32, VaultError> {
        let Some(keys) = keys else { return Ok(record::read_label(name, bytes)?.format) };
        let (label, _) = record::unseal(name, bytes, keys)?;
        self.ledger.judge(&label.account.id, label.serial)?;
        Ok(label.format)
    }
}
