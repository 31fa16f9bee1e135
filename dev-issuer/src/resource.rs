//! Resource indicators (RFC 8707): which values of `resource` are taken.

use url::Url;

use crate::error::OAuthError;
use crate::params::Params;
use crate::provider::Provider;

/// Judges the `resource` values of one request against those that are served; where none is named,
/// any absolute URI is taken. Our own UserInfo endpoint always is.
pub(crate) fn asked(params: &Params, provider: &Provider) -> Result<Vec<String>, OAuthError> {
    let (asked, served) = (params.resources(), &provider.options.resources);
    let own = provider.userinfo_url();
    for resource in &asked {
        if !is_absolute_without_fragment(resource) {
            return Err(OAuthError::invalid_target("a resource is an absolute URI, no fragment"));
        }
        if *resource != own && !served.is_empty() && !served.contains(resource) {
            return Err(OAuthError::invalid_target("this resource is not served here"));
        }
    }
    Ok(asked)
}

/// Judges a narrowing at the token endpoint: same or subset (RFC 8707 §2.2); none asked means all.
pub(crate) fn narrow(asked: Vec<String>, granted: &[String]) -> Result<Vec<String>, OAuthError> {
    match asked {
        none if none.is_empty() => Ok(granted.to_vec()),
        some if some.iter().all(|resource| granted.contains(resource)) => Ok(some),
        _ => Err(OAuthError::invalid_target("this resource was not granted")),
    }
}

fn is_absolute_without_fragment(resource: &str) -> bool {
    Url::parse(resource).is_ok_and(|url| url.fragment().is_none())
}
