//! Where a token may go: scheme, host and port, and nothing else of an address (RFC 6454).

use std::fmt;

use url::Url;

use crate::issuer::is_secure;
use crate::resource::Resource;

/// The origin of a web address that tokens may travel to: https anywhere, http to this machine.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Origin(String);

/// The text is no address that a token may travel to.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is not an https address (http is for 127.0.0.1, [::1] and localhost only)")]
pub struct InvalidOrigin(String);

impl Origin {
    /// Reads an address; all but its origin is ignored.
    pub fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        let url = Url::parse(text).ok();
        url.as_ref().and_then(Self::of).ok_or_else(|| InvalidOrigin(text.to_owned()))
    }

    /// The origin of an address, where tokens may travel to it.
    pub fn of(url: &Url) -> Option<Self> {
        is_secure(url).then(|| Self(url.origin().ascii_serialization()))
    }

    /// The API's own origin, where its identifier is an address.
    pub fn of_resource(resource: &Resource) -> Option<Self> {
        Self::parse(resource.as_str()).ok()
    }

    /// As it is written: `https://api.example`, with a port where that is not the usual one.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_query_case_and_the_usual_port_do_not_matter() {
        let origin = Origin::parse("https://api.example").unwrap();
        for same in
            ["https://api.example:443/v1?x", "HTTPS://API.example/", "https://u@api.example"]
        {
            assert_eq!(Origin::parse(same).as_ref(), Ok(&origin), "{same}");
        }
        for other in
            ["https://api.example:8443", "https://api.example.evil", "https://x.api.example"]
        {
            assert_ne!(Origin::parse(other).as_ref(), Ok(&origin), "{other}");
        }
    }

    #[test]
    fn no_token_travels_in_the_clear_to_another_machine() {
        for bad in ["http://api.example", "ftp://127.0.0.1", "urn:api", "javascript:x", ""] {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
        assert!(Origin::parse("http://127.0.0.1:3000/private").is_ok());
    }
}
