//! Sockets that are minted for one consumer: a container, a remote shell. Whoever holds one may have
//! what it was minted for, and nothing else.

use std::fmt;
use std::time::Duration;

use crate::account::Account;
use crate::failure::{Code, Failure, printable};
use crate::ids::AccountId;
use crate::request::{AccountRef, TokenRequest};
use crate::resource::Resources;
use crate::scope::ScopeSet;
use crate::time::UnixTime;

/// The name of a minted socket; safe as a file name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SocketName(String);

/// The text cannot be a socket's name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is no name for a socket: use 1 to 32 of a-z, 0-9, - and _, beginning with a letter")]
pub struct InvalidSocketName(String);

impl SocketName {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, InvalidSocketName> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        if begins && text.len() <= 32 && text.chars().all(plain) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidSocketName(printable(text)))
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SocketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A service of the system's manager, by its full name.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct UnitName(String);

/// The text cannot be a service's name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is no name of a service: use its full name, as in backup.service")]
pub struct InvalidUnitName(String);

impl UnitName {
    /// The longest name that systemd takes.
    const LONGEST: usize = 255;

    /// Reads a name, with its `.service` (systemd.unit(5)).
    pub fn parse(text: &str) -> Result<Self, InvalidUnitName> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
        let before = text.strip_suffix(".service").unwrap_or_default();
        if !before.is_empty() && text.len() <= Self::LONGEST && before.chars().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidUnitName(printable(text)))
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a socket was minted for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Minting {
    /// Its name.
    pub name: SocketName,
    /// The one account.
    pub account: AccountId,
    /// The APIs. None, where its provider knows none.
    pub resources: Resources,
    /// The scopes; empty for all that were granted.
    pub scopes: ScopeSet,
    /// The service that its token is a credential of, handed over when that starts; `None` where
    /// the socket is for whoever holds it.
    pub unit: Option<UnitName>,
    /// When it was made.
    pub created: UnixTime,
    /// When it ends by itself.
    pub expires: Option<UnixTime>,
}

impl Minting {
    /// How long it lasts from `now` on; `None` where it has no end.
    pub fn left(&self, now: UnixTime) -> Option<Duration> {
        self.expires.map(|end| end.since_epoch().saturating_sub(now.since_epoch()))
    }

    /// Whether its time is over.
    pub fn is_over(&self, now: UnixTime) -> bool {
        self.left(now).is_some_and(|left| left.is_zero())
    }

    /// Fills in what a request leaves open: the account and the scopes. Who names nothing gets what
    /// the socket is for.
    pub fn narrow(&self, request: &mut TokenRequest) {
        if request.account.named().is_none() {
            request.account = AccountRef::new(self.account.to_string());
        }
        if request.scopes.is_empty() {
            request.scopes = self.scopes.clone();
        }
    }

    /// The API that is meant where a request for a token names none.
    pub fn usual_resources(&self) -> Resources {
        self.resources.iter().take(1).cloned().collect()
    }

    /// Whether a token like this is what the socket was minted for. Fails with
    /// [`Code::PolicyDenied`].
    pub fn holds(
        &self,
        account: &Account,
        resources: &Resources,
        scopes: &ScopeSet,
    ) -> Result<(), Failure> {
        if account.id != self.account {
            return Err(self.outside("that account"));
        }
        if let Some(other) = resources.iter().find(|api| !self.resources.contains(*api)) {
            return Err(self.outside(other.as_str()));
        }
        if self.scopes.is_empty() {
            return Ok(());
        }
        match scopes.iter().find(|scope| !self.scopes.contains(scope)) {
            Some(other) => Err(self.outside(&format!("the scope {other}"))),
            None if scopes.is_empty() => Err(self.outside("every scope")),
            None => Ok(()),
        }
    }

    /// Whether this is the service that the socket's token is a credential of; `started` is the one
    /// that the system's manager starts, if it is the manager that asks. Fails with
    /// [`Code::PolicyDenied`].
    pub fn is_credential_of(&self, started: Option<&str>) -> Result<(), Failure> {
        let Some(unit) = &self.unit else { return Err(self.outside("a credential")) };
        if started == Some(unit.as_str()) {
            return Ok(());
        }
        let message = format!(
            "the socket {} gives its token to the system's manager alone, when it starts {unit}",
            self.name
        );
        let hint = format!("LoadCredential= in {unit}, or brokerctl socket create without --unit");
        Err(Failure::new(Code::PolicyDenied, message, hint))
    }

    fn outside(&self, what: &str) -> Failure {
        let message = format!("the socket {} was not made for {}", self.name, printable(what));
        let hint = format!(
            "brokerctl socket list shows what it is for; \
             brokerctl socket close {}, and create it anew with more",
            self.name
        );
        Failure::new(Code::PolicyDenied, message, hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Person;
    use crate::ids::ProviderName;
    use crate::issuer::IssuerUrl;
    use crate::resource::Resource;

    fn account(subject: &str) -> Account {
        let provider = ProviderName::parse("acme").unwrap();
        let issuer = IssuerUrl::parse("https://a.example").unwrap();
        Account {
            id: AccountId::derive(&provider, &issuer, "c", subject),
            provider,
            issuer,
            client_id: "c".to_owned(),
            subject: subject.to_owned(),
            person: Person::default(),
            auth_time: UnixTime::default(),
        }
    }

    fn apis(names: &[&str]) -> Resources {
        names.iter().map(|name| Resource::parse(name).unwrap()).collect()
    }

    fn scopes(words: &[&str]) -> ScopeSet {
        ScopeSet::from_words(words.iter().copied()).unwrap()
    }

    fn minting() -> Minting {
        Minting {
            name: SocketName::parse("ci").unwrap(),
            account: account("alice").id,
            resources: apis(&["urn:a", "urn:b"]),
            scopes: scopes(&["read"]),
            unit: None,
            created: UnixTime::from_secs(0),
            expires: Some(UnixTime::from_secs(100)),
        }
    }

    #[test]
    fn a_socket_is_good_for_what_it_was_minted_for_and_for_nothing_else() {
        let minting = minting();
        let alice = account("alice");
        let holds = |account: &Account, resources: &[&str], words: &[&str]| {
            minting.holds(account, &apis(resources), &scopes(words)).is_ok()
        };
        assert!(holds(&alice, &["urn:a"], &["read"]));
        assert!(holds(&alice, &["urn:a", "urn:b"], &["read"]));
        assert!(!holds(&account("bob"), &["urn:a"], &["read"]));
        assert!(!holds(&alice, &["urn:a", "urn:c"], &["read"]));
        assert!(!holds(&alice, &["urn:a"], &["read", "write"]));
        assert!(!holds(&alice, &["urn:a"], &[]), "no scope means all of them");
    }

    #[test]
    fn a_socket_ends_at_its_time() {
        let minting = minting();
        assert_eq!(minting.left(UnixTime::from_secs(40)), Some(Duration::from_mins(1)));
        assert!(!minting.is_over(UnixTime::from_secs(99)));
        assert!(minting.is_over(UnixTime::from_secs(100)));
        assert!(!Minting { expires: None, ..minting }.is_over(UnixTime::from_secs(1 << 40)));
    }

    #[test]
    fn a_credential_is_one_services_and_no_other_socket_gives_any() {
        let unit = Some(UnitName::parse("backup.service").unwrap());
        let minting = Minting { unit, ..minting() };
        assert!(minting.is_credential_of(Some("backup.service")).is_ok());
        assert!(minting.is_credential_of(Some("other.service")).is_err());
        assert!(minting.is_credential_of(None).is_err());
        let for_its_holder = Minting { unit: None, ..minting };
        assert!(for_its_holder.is_credential_of(Some("backup.service")).is_err());
    }

    #[test]
    fn a_service_is_named_in_full() {
        for good in ["backup.service", "job@a-b.service", r"a\x2db.service"] {
            assert_eq!(UnitName::parse(good).unwrap().as_str(), good);
        }
        for bad in
            ["", "backup", ".service", "a.socket", "a/b.service", "a b.service", "a.service "]
        {
            UnitName::parse(bad).unwrap_err();
        }
        UnitName::parse(&format!("{}.service", "a".repeat(250))).unwrap_err();
    }

    #[test]
    fn a_name_is_a_file_name_and_nothing_that_leads_elsewhere() {
        for good in ["ci", "build-7", "a_b"] {
            assert_eq!(SocketName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "a/b", "-x", "7", "A", "a.b", "a b", &"a".repeat(33)] {
            SocketName::parse(bad).unwrap_err();
        }
    }
}
