//! The issuer identifier: whom the broker trusts to say who somebody is.

use std::fmt;

use url::{Host, Url};

/// An issuer identifier, kept exactly as it was written, because it is compared exactly
/// (OpenID Connect Discovery §4.3, RFC 8414 §3.3).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct IssuerUrl(String);

/// The text is no issuer this broker would talk to.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidIssuer {
    /// It does not parse as a URL at all.
    #[error("{0:?} is not a URL")]
    NotAUrl(String),
    /// Plain http, and not to this machine itself.
    #[error("{0:?} must begin with https:// (http is for 127.0.0.1, [::1] and localhost only)")]
    NotSecure(String),
    /// User, query or fragment in the identifier.
    #[error("{0:?} must have neither user, query nor fragment")]
    Decorated(String),
}

impl IssuerUrl {
    /// Reads an issuer identifier.
    pub fn parse(text: &str) -> Result<Self, InvalidIssuer> {
        let url = Url::parse(text).map_err(|_| InvalidIssuer::NotAUrl(text.to_owned()))?;
        if !is_secure(&url) {
            return Err(InvalidIssuer::NotSecure(text.to_owned()));
        }
        let plain = url.username().is_empty() && url.password().is_none();
        if !plain || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidIssuer::Decorated(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The identifier as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it lives on this machine, spoken to without TLS.
    pub fn is_plain_loopback(&self) -> bool {
        self.0.starts_with("http://")
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether tokens may travel to `url`: https anywhere, http to this machine only
/// (RFC 8252 §8.3, RFC 6749 §3.1).
pub fn is_secure(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(url),
        _ => false,
    }
}

/// Whether `url` names this machine by a loopback literal or as `localhost`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_this_machine_only() {
        for good in [
            "https://login.example",
            "http://127.0.0.1:8080",
            "http://[::1]:1/x",
            "http://localhost",
        ] {
            assert_eq!(IssuerUrl::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "http://login.example",
            "ftp://127.0.0.1",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "-x",
            "",
        ] {
            assert!(IssuerUrl::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn users_queries_and_fragments_are_refused() {
        for bad in ["https://a@b.example", "https://b.example?x", "https://b.example#x"] {
            assert!(matches!(IssuerUrl::parse(bad), Err(InvalidIssuer::Decorated(_))), "{bad:?}");
        }
    }

    #[test]
    fn a_slash_more_is_another_issuer() {
        assert_ne!(IssuerUrl::parse("https://a.example"), IssuerUrl::parse("https://a.example/"));
    }
}
