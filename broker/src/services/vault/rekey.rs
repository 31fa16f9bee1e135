//! A new key for every record, in steps that may each be the last one before the power goes.
//!
//! 1. The key in force is sealed with the new one and written beside the records.
//! 2. The new key takes the place of the other where keys are kept: keyring, file, credential's or
//!    passphrase's file. From here on a start of the daemon finds the new one.
//! 3. The head of the audit record is sealed anew (`head`), then each record, then the index.
//! 4. The file of step 1 is removed.
//!
//! Before step 2 the old key opens everything, and the file means nothing to it. After step 2 the
//! new key opens that file, and with it what is not sealed anew yet. So whatever the place of keys
//! holds is the truth, and [`resume`] brings the rest into line with it. Whoever has the old key
//! alone learns nothing of the new one.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::file_store::{Extra, Store};
use super::ledger::Ledger;
use super::seal::{Key, KeyId, Keys};
use super::{Broken, VaultError, envelope, record};
use crate::platform::fault_point::{FaultPoint, reach};

#[derive(Serialize, Deserialize)]
struct Header {
    kind: Kind,
    format: u32,
    key: KeyId,
    previous: KeyId,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Rekey,
}

/// What a rekey has done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rekeyed {
    /// How many records the new key opens.
    pub records: usize,
    /// Records that did not open before, and so do not now.
    pub broken: Vec<Broken>,
}

/// Step 1: keeps the key in force within reach of the new one.
pub(super) fn announce(store: &Store, current: &Key, new: &Key) -> Result<(), VaultError> {
    let (key, previous) = (new.id().clone(), current.id().clone());
    let header = Header { kind: Kind::Rekey, format: 1, key, previous };
    let bytes = envelope::close(&header, current.to_text().as_bytes(), new)?;
    store.write_extra(Extra::Rekey, &bytes)
}

/// A rekey that did not end, as the key that is now in the place of keys sees it.
enum Interrupted {
    /// That key is the old one: nothing was sealed with the new one yet.
    BeforeItsKey,
    /// That key is the new one; this is the one before it.
    After(Key),
    /// It is neither.
    OfOtherKeys,
}

fn find(store: &Store, key: &Key) -> Result<Option<Interrupted>, VaultError> {
    Ok(store.read_extra(Extra::Rekey)?.map(|bytes| judge(&bytes, key)))
}

fn judge(bytes: &[u8], key: &Key) -> Interrupted {
    let parts = envelope::split(bytes);
    let Some((line, sealed)) = parts else { return Interrupted::OfOtherKeys };
    match serde_json::from_slice(line) {
        Ok(Header { previous, .. }) if previous == *key.id() => Interrupted::BeforeItsKey,
        Ok(_) => {
            let text =
                key.open(line, sealed).and_then(|plain| String::from_utf8(plain.to_vec()).ok());
            let previous = text.and_then(|text| Key::from_text(&Zeroizing::new(text)));
            previous.map_or(Interrupted::OfOtherKeys, Interrupted::After)
        }
        Err(_) => Interrupted::OfOtherKeys,
    }
}

/// The keys to open records with, when the place of keys holds `key`.
pub(super) fn keys(store: &Store, key: Key) -> Result<Keys, VaultError> {
    let previous = match find(store, &key)? {
        Some(Interrupted::After(previous)) => Some(previous),
        _ => None,
    };
    Ok(Keys { current: key, previous })
}

/// Ends a rekey that was interrupted, if there was one. Where the disk refuses, both keys stay at
/// hand, and the next start tries again.
pub(super) fn resume(store: &Store, ledger: &Ledger, keys: Keys) -> Keys {
    let ended = match find(store, &keys.current) {
        Ok(Some(Interrupted::After(_))) => reseal(store, ledger, &keys).map(drop),
        Ok(Some(Interrupted::BeforeItsKey)) => store.remove_extra(Extra::Rekey),
        Ok(Some(Interrupted::OfOtherKeys) | None) => return keys,
        Err(error) => Err(error),
    };
    match ended {
        Ok(()) => {
            tracing::info!("an interrupted rekey was brought to its end");
            Keys::only(keys.current)
        }
        Err(error) => {
            tracing::error!(%error, "an interrupted rekey cannot be brought to its end yet");
            keys
        }
    }
}

/// Steps 3 and 4: brings every record under the current key, then forgets the other.
pub(super) fn reseal(store: &Store, ledger: &Ledger, keys: &Keys) -> Result<Rekeyed, VaultError> {
    let mut rekeyed = Rekeyed { records: 0, broken: Vec::new() };
    for (name, bytes) in store.list()? {
        match reseal_one(store, ledger, &name, &bytes?, keys) {
            Ok(()) => rekeyed.records += 1,
            Err(VaultError::Record(broken)) => rekeyed.broken.push(broken),
            Err(error) => return Err(error),
        }
    }
    ledger.touch();
    ledger.flush(store, keys)?;
    store.remove_extra(Extra::Rekey)?;
    reach(FaultPoint::RekeyEnded);
    Ok(rekeyed)
}

/// Seals one record anew. Its serial stays: what it says is not newer than before.
pub(super) fn reseal_one(
    store: &Store,
    ledger: &Ledger,
    name: &str,
    bytes: &[u8],
    keys: &Keys,
) -> Result<(), VaultError> {
    let (label, memory) = record::unseal(name, bytes, keys)?;
    ledger.judge(&label.account.id, label.serial)?;
    if label.is_sealed_with(&keys.current) {
        return Ok(());
    }
    let sealed = record::seal(&label.account, &memory, label.serial, &keys.current)?;
    store.rewrite(&label.account.id, &sealed)
}
