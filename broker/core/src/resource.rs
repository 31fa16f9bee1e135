//! Resource indicators (RFC 8707): which API a token is for.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use url::Url;

/// An absolute URI without a fragment, kept exactly as it was written: providers and APIs compare
/// it letter by letter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Resource(Arc<str>);

/// The resources one token is for. Empty means the provider's default.
pub type Resources = BTreeSet<Resource>;

/// The text is no resource indicator (RFC 8707 §2).
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is not a resource: use an absolute URI without a fragment")]
pub struct InvalidResource(String);

impl Resource {
    /// Reads a resource indicator.
    pub fn parse(text: &str) -> Result<Self, InvalidResource> {
        match Url::parse(text) {
            Ok(url) if url.fragment().is_none() && text.is_ascii() => Ok(Self(text.into())),
            _ => Err(InvalidResource(text.to_owned())),
        }
    }

    /// The URI as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_an_absolute_uri_kept_as_written() {
        for good in ["https://api.example", "https://api.example/", "urn:acme:billing"] {
            assert_eq!(Resource::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "api.example", "/v1", "https://api.example/#top"] {
            assert!(Resource::parse(bad).is_err(), "{bad:?}");
        }
    }
}
