//! Resource indicators (RFC 8707): which values of `resource` are taken.

use url::Url;

use crate::error::OAuthError;

/// Judges the `resource` values of one request against the allowed ones; an empty `allowed`
/// takes any absolute URI. `own` is this issuer's UserInfo endpoint, which is always allowed.
pub(crate) fn check(
    asked: Vec<String>,
    allowed: &[String],
    own: &str,
) -> Result<Vec<String>, OAuthError> {
    for resource in &asked {
        if !is_absolute_without_fragment(resource) {
            return Err(OAuthError::invalid_target("a resource is an absolute URI, no fragment"));
        }
        if resource != own && !allowed.is_empty() && !allowed.contains(resource) {
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
