//! What a rule, an answer or a manifest is about: APIs, and scopes there.

use url::Url;

use crate::resource::{Resource, Resources};
use crate::scope::ScopeSet;

/// APIs and scopes. What is left out is not narrowed: all of that kind are meant.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Reach {
    /// The APIs; `None` for every one.
    pub resources: Option<Resources>,
    /// The scopes; `None` for every one.
    pub scopes: Option<ScopeSet>,
}

/// The smallest thing that is decided on: one scope at one API.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Part<'a> {
    /// The API.
    pub api: Api<'a>,
    /// The scope; `None` stands for any that nobody has named.
    pub scope: Option<&'a str>,
}

/// An API that something is decided on. Where a request leaves it open, those that nobody has named
/// count, too.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Api<'a> {
    /// This one.
    Named(&'a Resource),
    /// One that nobody has named, below this one.
    Below(&'a Resource),
    /// One that has nothing to do with any that was named.
    Other,
}

impl Reach {
    /// What a request for these is about. One that names no scope is for all that were granted.
    pub fn of(resources: &Resources, scopes: &ScopeSet) -> Self {
        Self {
            resources: (!resources.is_empty()).then(|| resources.clone()),
            scopes: (!scopes.is_empty()).then(|| scopes.clone()),
        }
    }

    /// Whether a part lies within: letter by letter, so that nothing is given that was not named.
    pub fn holds(&self, part: Part<'_>) -> bool {
        let named = |all: &Resources| match part.api {
            Api::Named(resource) => all.contains(resource),
            Api::Below(_) | Api::Other => false,
        };
        self.has_scope(part) && self.resources.as_ref().is_none_or(named)
    }

    /// Whether a part may have to do with this: a provider may take two ways to write an API, or an
    /// API and a path below it, for the same one.
    pub fn touches(&self, part: Part<'_>) -> bool {
        let near = |all: &Resources| match part.api {
            Api::Named(resource) => {
                all.iter().any(|one| covers(one, resource) || covers(resource, one))
            }
            Api::Below(resource) => all.iter().any(|one| covers(one, resource)),
            Api::Other => false,
        };
        self.has_scope(part) && self.resources.as_ref().is_none_or(near)
    }

    /// Whether nothing of this lies beyond `limit`.
    pub fn is_within(&self, limit: &Self) -> bool {
        let apis = limit.resources.as_ref().is_none_or(|limit| {
            self.resources.as_ref().is_some_and(|resources| resources.is_subset(limit))
        });
        let scopes = limit
            .scopes
            .as_ref()
            .is_none_or(|limit| self.scopes.as_ref().is_some_and(|scopes| scopes.is_subset(limit)));
        apis && scopes
    }

    fn has_scope(&self, part: Part<'_>) -> bool {
        let named = |all: &ScopeSet| part.scope.is_some_and(|scope| all.contains(scope));
        self.scopes.as_ref().is_none_or(named)
    }
}

/// Whether a token for `one` may be good at `other`: it is the same but for the way it is written,
/// or lies above (RFC 8707 §2 lets a provider read an API's address as a more general one).
fn covers(one: &Resource, other: &Resource) -> bool {
    if one.as_str().eq_ignore_ascii_case(other.as_str()) {
        return true;
    }
    match (Url::parse(one.as_str()), Url::parse(other.as_str())) {
        (Ok(one), Ok(other)) if one.has_host() && other.has_host() => {
            one.origin() == other.origin() && segments(&other).starts_with(&segments(&one))
        }
        _ => false,
    }
}

fn segments(url: &Url) -> Vec<String> {
    url.path().split('/').filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(one: &str, other: &str) -> bool {
        let part = Resource::parse(other).unwrap();
        let reach = Reach::of(&[Resource::parse(one).unwrap()].into(), &ScopeSet::default());
        reach.touches(Part { api: Api::Named(&part), scope: None })
    }

    #[test]
    fn an_api_is_the_same_however_it_is_written() {
        for other in [
            "https://api.example",
            "https://API.example/",
            "HTTPS://api.example:443",
            "https://api.example//",
            "https://u@api.example/?x",
        ] {
            assert!(near("https://api.example", other), "{other}");
        }
        assert!(near("urn:acme:billing", "URN:Acme:Billing"));
    }

    #[test]
    fn an_api_and_a_path_below_it_may_be_one_to_a_provider() {
        assert!(near("https://api.example", "https://api.example/v1"));
        assert!(near("https://api.example/v1/mail", "https://api.example/v1"));
    }

    #[test]
    fn who_leaves_a_kind_open_stays_within_no_limit_of_that_kind() {
        let api = Resource::parse("https://api.example").unwrap();
        let reach = |resources: &[&Resource], scopes: &str| {
            let resources = resources.iter().map(|&resource| resource.clone()).collect();
            Reach::of(&resources, &ScopeSet::parse(scopes).unwrap())
        };
        let limit = reach(&[&api], "read send");
        assert!(reach(&[&api], "read").is_within(&limit));
        for beyond in [reach(&[&api], ""), reach(&[], "read"), reach(&[&api], "read write")] {
            assert!(!beyond.is_within(&limit), "{beyond:?}");
            assert!(beyond.is_within(&Reach::default()));
        }
    }

    #[test]
    fn other_apis_are_others() {
        for other in
            ["https://api.example:8443", "https://api.example.evil", "http://api.example", "urn:x"]
        {
            assert!(!near("https://api.example", other), "{other}");
        }
        assert!(!near("https://api.example/v1", "https://api.example/v2"));
        assert!(!near("https://api.example/v1", "https://api.example/v10"));
        assert!(!near("urn:acme:billing", "urn:acme"));
    }
}
