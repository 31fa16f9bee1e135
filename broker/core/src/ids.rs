//! Names of things: providers, accounts, and the numbers that tell replies apart.

use std::fmt;
use std::sync::Arc;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use crate::issuer::IssuerUrl;

/// The name that the configuration gives to a provider: `acme` in `[provider.acme]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProviderName(Arc<str>);

/// The text cannot be a provider's name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is not a provider name: use 1 to 32 of a-z, 0-9, - and _, beginning with a letter")]
pub struct InvalidProviderName(String);

impl ProviderName {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, InvalidProviderName> {
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        if begins && text.len() <= 32 && text.chars().all(is_name_char) {
            return Ok(Self(text.into()));
        }
        Err(InvalidProviderName(text.to_owned()))
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An account's stable, readable id: the provider's name and eight letters that stand for issuer,
/// client and subject, as in `acme-k3v9q2ma`. The same sign-in has the same id on every machine.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AccountId(Arc<str>);

/// The text cannot be an account's id.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is not an account id")]
pub struct InvalidAccountId(String);

impl AccountId {
    /// The id of `subject` at `issuer`, as seen by `client_id`.
    ///
    /// An account is who the issuer says it is (OpenID Connect Core §5.7), never an e-mail address.
    pub fn derive(
        provider: &ProviderName,
        issuer: &IssuerUrl,
        client_id: &str,
        subject: &str,
    ) -> Self {
        let mut hash = Sha256::new();
        for part in [issuer.as_str(), client_id, subject] {
            // A length before each part, so that no two triples run together alike.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let letters = BASE32_NOPAD.encode(&digest[..5]).to_ascii_lowercase();
        Self(format!("{provider}-{letters}").into())
    }

    /// Reads an id that was derived before.
    pub fn parse(text: &str) -> Result<Self, InvalidAccountId> {
        if !text.is_empty() && text.len() <= 64 && text.chars().all(is_name_char) {
            return Ok(Self(text.into()));
        }
        Err(InvalidAccountId(text.to_owned()))
    }

    /// The id as text; safe as a file name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_'
}

/// One caller's place in a queue: it is answered exactly once (I2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(pub u64);

/// The number of one slow job: a reply that bears another one is late (I4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Attempt(pub u64);

/// A place in the order in which sign-ins and sign-outs were asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Stamp(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    fn id(issuer: &str, client: &str, subject: &str) -> AccountId {
        let provider = ProviderName::parse("acme").unwrap();
        AccountId::derive(&provider, &IssuerUrl::parse(issuer).unwrap(), client, subject)
    }

    #[test]
    fn an_account_keeps_its_id_and_no_two_share_one() {
        let alice = id("https://a.example", "app", "1");
        assert_eq!(alice, id("https://a.example", "app", "1"));
        assert_ne!(alice, id("https://b.example", "app", "1"));
        assert_ne!(alice, id("https://a.example", "app1", ""));
        assert_ne!(alice, id("https://a.example", "app", "2"));
    }

    #[test]
    fn an_id_reads_well_and_reads_back() {
        let alice = id("https://a.example", "app", "1");
        assert!(alice.as_str().starts_with("acme-") && alice.as_str().len() == 13, "{alice}");
        assert_eq!(AccountId::parse(alice.as_str()), Ok(alice));
    }

    #[test]
    fn names_that_would_leave_a_folder_are_refused() {
        for bad in ["", "..", "a/b", "A", "-a", "1a", "a b", "ä"] {
            assert!(ProviderName::parse(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "../x", "a/b", "a\0b", "A"] {
            assert!(AccountId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
