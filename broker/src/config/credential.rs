//! `[credential."HOST"]`: which account speaks for a person at a server that wants a password, or at
//! a tool that asks a credential helper for one.

use std::collections::BTreeMap;

use authbroker_core::origin::{InvalidOrigin, Origin};
use authbroker_core::resource::Resource;
use authbroker_core::scope::ScopeSet;

use super::file;
pub use super::file::Scheme;
use super::settings::Problems;

/// Who is named beside a token, where a server wants a name and does not look at it.
const USERNAME: &str = "oauth2";

/// What a server is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialSettings {
    /// The account: its id, its provider, or its username. Empty for the default or only one.
    pub account: String,
    /// The API that the token is for; empty for the provider's default one.
    pub resource: Option<String>,
    /// The scopes that it must have; none for all.
    pub scopes: Vec<String>,
    /// The name beside it.
    pub username: String,
    /// How git presents it.
    pub scheme: Scheme,
}

/// What each server is given, by its origin: a token travels to no other port of the same machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credentials(BTreeMap<Origin, CredentialSettings>);

impl Credentials {
    /// What a server at `address` is given: a URL, or a host with or without a port. Without a
    /// scheme it is https, or http on this machine.
    pub fn of(&self, address: &str) -> Option<&CredentialSettings> {
        if address.contains("://") {
            return self.0.get(&Origin::parse(address).ok()?);
        }
        let with = |scheme: &str| Origin::parse(&format!("{scheme}://{address}")).ok();
        let found = |scheme| self.0.get(&with(scheme)?);
        found("https").or_else(|| found("http"))
    }

    /// Every server's origin, and what it is given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &CredentialSettings)> {
        self.0.iter().map(|(origin, settings)| (origin.as_str(), settings))
    }
}

/// Makes settings of the tables, or tells what is wrong with them.
pub(super) fn parse(
    tables: BTreeMap<String, file::Credential>,
    problems: &mut Problems,
) -> Credentials {
    let mut credentials = BTreeMap::new();
    for (host, table) in tables {
        let place = format!("[credential.{host:?}]");
        let origin = problems.take(&place, origin(&host));
        if let (Some(origin), Some(settings)) = (origin, settings(&place, table, problems)) {
            credentials.insert(origin, settings);
        }
    }
    Credentials(credentials)
}

fn settings(
    place: &str,
    table: file::Credential,
    problems: &mut Problems,
) -> Option<CredentialSettings> {
    let at = |key: &str| format!("{place} {key}");
    let resource = table.resource.as_deref().map(Resource::parse).transpose();
    let resource = problems.take(&at("resource"), resource);
    let scopes = ScopeSet::from_words(table.scopes.iter().map(String::as_str));
    let scopes = problems.take(&at("scopes"), scopes);
    let username = table.username.unwrap_or_else(|| USERNAME.to_owned());
    // Each tool ends a name in its own way, and none of them has a way to write these.
    let plain = !username.is_empty() && !username.contains([':', '\n', '\r', '\0']);
    let username = plain.then_some(username).ok_or("it is no username");
    let username = problems.take(&at("username"), username);
    Some(CredentialSettings {
        account: table.account.unwrap_or_default(),
        resource: resource?.map(|resource| resource.as_str().to_owned()),
        scopes: scopes?.to_words(),
        username: username?,
        scheme: table.scheme,
    })
}

fn origin(host: &str) -> Result<Origin, InvalidOrigin> {
    if host.contains("://") {
        Origin::parse(host)
    } else {
        Origin::parse(&format!("https://{host}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(hosts: &[&str]) -> Credentials {
        let tables = hosts.iter().map(|host| ((*host).to_owned(), file::Credential::default()));
        let mut problems = Problems::default();
        let credentials = parse(tables.collect(), &mut problems);
        assert_eq!(problems.0, Vec::<String>::new());
        credentials
    }

    #[test]
    fn a_server_is_its_origin_however_it_is_written() {
        let ours = credentials(&["Git.acme.example", "http://localhost:5000", "a.example:8443"]);
        for known in [
            "git.acme.example",
            "https://git.acme.example/team/code.git",
            "git.acme.example:443",
            "localhost:5000",
            "http://localhost:5000/v2/",
            "https://a.example:8443",
        ] {
            assert!(ours.of(known).is_some(), "{known}");
        }
        for unknown in [
            "http://git.acme.example",
            "git.acme.example:8443",
            "git.acme.example.evil.example",
            "x@evil.example",
            "git.acme.example@evil.example",
            "localhost",
            "a.example",
            "https://localhost:5000",
            "",
        ] {
            assert!(ours.of(unknown).is_none(), "{unknown}");
        }
    }

    #[test]
    fn what_cannot_be_is_named_with_its_place() {
        let table = file::Credential {
            resource: Some("not a uri".to_owned()),
            scopes: vec!["two words".to_owned()],
            username: Some("a\nhost=evil.example".to_owned()),
            ..file::Credential::default()
        };
        let tables = [("http://a.example".to_owned(), table)];
        let mut problems = Problems::default();
        assert_eq!(parse(tables.into(), &mut problems), Credentials::default());
        let place = "[credential.\"http://a.example\"]";
        for (problem, key) in problems.0.iter().zip([":", " resource:", " scopes:", " username:"]) {
            assert!(problem.starts_with(&format!("{place}{key}")), "{problem}");
        }
        assert_eq!(problems.0.len(), 4);
    }
}
