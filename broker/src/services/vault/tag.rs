//! Tags for what lies beside the vault, in the clear: whoever changes it has no key to tag it with.

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;

use super::seal::Keys;
use super::{Prompt, Vault, VaultError};

/// What the tags' key is derived for.
const ANSWERS: &[u8] = b"authbroker: the tag of remembered answers";

/// Makes and checks tags (HMAC-SHA-256, with a key that is derived from the vault's).
#[derive(Debug)]
pub struct Tagger {
    current: hmac::Key,
    previous: Option<hmac::Key>,
}

impl Vault {
    /// The tagger for remembered answers, with the vault's key, had now if need be.
    pub async fn tagger(&self, prompt: Prompt) -> Result<Tagger, VaultError> {
        Tagger::of(&self.keys(prompt).await?)
    }

    /// The same, if the vault's key is at hand.
    pub fn tagger_at_hand(&self) -> Option<Tagger> {
        let keys = self.0.door.keys_for_writing().ok().flatten();
        Tagger::of(&keys?).ok()
    }
}

impl Tagger {
    fn of(keys: &Keys) -> Result<Self, VaultError> {
        let previous = keys.previous.as_ref().map(|key| key.for_tags(ANSWERS));
        Ok(Self { current: keys.current.for_tags(ANSWERS)?, previous: previous.transpose()? })
    }

    /// A tag for these bytes.
    pub fn tag(&self, bytes: &[u8]) -> String {
        HEXLOWER.encode(hmac::sign(&self.current, bytes).as_ref())
    }

    /// Whether a tag is one for these bytes.
    pub fn fits(&self, bytes: &[u8], tag: &str) -> bool {
        let Ok(tag) = HEXLOWER.decode(tag.as_bytes()) else { return false };
        let by = |key: &hmac::Key| hmac::verify(key, bytes, &tag).is_ok();
        by(&self.current) || self.previous.as_ref().is_some_and(by)
    }
}
