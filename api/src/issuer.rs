//! The issuer's identifier, kept letter for letter.
//!
//! An issuer is compared, never normalised ([RFC 8414 §3.3]): a parsed URL would grow a slash and
//! then match no token. So the text stays as it was given, and parsing only decides whether it may
//! be asked for keys.
//!
//! [RFC 8414 §3.3]: https://www.rfc-editor.org/rfc/rfc8414#section-3.3

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use url::{Host, Url};

/// An issuer that may be asked: https, or http on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    text: String,
    url: Url,
}

impl Issuer {
    /// The identifier as it stands in metadata and tokens.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the issuer is a process of this machine, reached without TLS.
    pub(crate) fn is_local(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Where its metadata may be, in the order to ask: OpenID Connect Discovery §4, then RFC 8414.
    pub(crate) fn metadata_urls(&self) -> [Url; 2] {
        let path = self.url.path().trim_end_matches('/');
        let at = |path: &str| {
            let mut url = self.url.clone();
            url.set_path(path);
            url
        };
        [
            at(&format!("{path}/.well-known/openid-configuration")),
            at(&format!("/.well-known/oauth-authorization-server{path}")),
        ]
    }

    /// Whether the issuer's keys may be fetched from `url`.
    ///
    /// Only an issuer of this machine may point at this machine without TLS: a remote one must not
    /// make us call our own neighbours.
    pub(crate) fn may_publish_at(&self, url: &Url) -> bool {
        url.scheme() == "https" || (self.is_local() && is_local_http(url))
    }
}

impl FromStr for Issuer {
    type Err = InvalidIssuer;

    fn from_str(text: &str) -> Result<Self, InvalidIssuer> {
        let url = Url::parse(text).map_err(|_| InvalidIssuer::NotAUrl)?;
        if url.scheme() != "https" && !is_local_http(&url) {
            return Err(InvalidIssuer::Insecure);
        }
        let decorated = url.query().is_some() || url.fragment().is_some();
        if decorated || !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidIssuer::Decorated);
        }
        Ok(Self { text: text.to_owned(), url })
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Literals and `localhost` only: any other name could resolve to another machine tomorrow.
pub(crate) fn is_local_http(url: &Url) -> bool {
    let local = match url.host() {
        Some(Host::Ipv4(address)) => address == Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(address)) => address == Ipv6Addr::LOCALHOST,
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    local && url.scheme() == "http"
}

/// Why a text is no issuer that this server would ask.
#[derive(Debug, thiserror::Error)]
pub enum InvalidIssuer {
    /// It cannot be parsed.
    #[error("the issuer is not a URL")]
    NotAUrl,
    /// Its answers could be forged on the way.
    #[error("the issuer must be https (http only for 127.0.0.1, [::1] and localhost)")]
    Insecure,
    /// RFC 8414 §2 allows neither query nor fragment; a user name has no business there.
    #[error("the issuer must have no query, no fragment and no user name")]
    Decorated,
}
