//! Sets of scopes, parsed once at the edge.

use std::fmt;

/// Scope names in the order they were asked, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScopeSet(Vec<String>);

impl ScopeSet {
    /// Splits a `scope` parameter at blanks (RFC 6749 §3.3).
    pub(crate) fn parse(parameter: &str) -> Self {
        let mut names: Vec<String> = Vec::new();
        for name in parameter.split_ascii_whitespace() {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        Self(names)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|known| known == name)
    }

    pub(crate) fn is_within(&self, wider: &Self) -> bool {
        self.0.iter().all(|name| wider.contains(name))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Adds what `other` has and `self` lacks.
    pub(crate) fn extend(&mut self, other: &Self) {
        let missing: Vec<String> =
            other.0.iter().filter(|name| !self.contains(name)).cloned().collect();
        self.0.extend(missing);
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::ScopeSet;

    #[test]
    fn a_repeated_scope_counts_once() {
        assert_eq!(ScopeSet::parse("openid email  openid").to_string(), "openid email");
    }

    #[test]
    fn a_scope_is_compared_by_whole_word() {
        assert!(!ScopeSet::parse("mail").is_within(&ScopeSet::parse("mail.read")));
    }
}
