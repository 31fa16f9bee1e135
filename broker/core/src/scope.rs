//! Scopes as RFC 6749 §3.3 writes them: printable ASCII words in a set, never in an order.

use std::fmt;
use std::sync::Arc;

/// A set of scopes. Empty means "not named": as granted, or the provider's default.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ScopeSet(
    /// Each once, in alphabetical order. Shared, because every answer and every line of the record
    /// has them.
    Arc<[Box<str>]>,
);

/// A scope holds a character that RFC 6749 §3.3 does not allow, or is empty.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is not a scope: use printable ASCII without blanks, quotes and backslashes")]
pub struct InvalidScope(String);

impl ScopeSet {
    /// Reads the wire form: words parted by blanks.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        Self::from_words(text.split(' ').filter(|word| !word.is_empty()))
    }

    /// Collects single scopes, each of which must be one word.
    pub fn from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidScope> {
        let words = words.into_iter().map(parse_scope).collect::<Result<_, _>>()?;
        Ok(Self::of(words))
    }

    fn of(mut words: Vec<Box<str>>) -> Self {
        words.sort_unstable();
        words.dedup();
        Self(words.into())
    }

    /// Whether no scope is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `scope` is one of these, by whole word.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.binary_search_by(|known| known.as_ref().cmp(scope)).is_ok()
    }

    /// Whether every scope here is in `other` too.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.iter().all(|scope| other.contains(scope))
    }

    /// The scopes of both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::of(self.0.iter().chain(other.0.iter()).cloned().collect())
    }

    /// The scopes, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Box::as_ref)
    }

    /// The scopes as owned words, for a wire that wants a list.
    pub fn to_words(&self) -> Vec<String> {
        self.iter().map(str::to_owned).collect()
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, scope) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}

fn parse_scope(word: &str) -> Result<Box<str>, InvalidScope> {
    let allowed = |c: char| matches!(c, '\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
    if word.is_empty() || !word.chars().all(allowed) {
        return Err(InvalidScope(word.to_owned()));
    }
    Ok(word.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blanks_part_scopes_and_order_does_not_matter() {
        assert_eq!(ScopeSet::parse("b  a"), ScopeSet::from_words(["a", "b"]));
        assert_eq!(ScopeSet::parse(" "), Ok(ScopeSet::default()));
    }

    #[test]
    fn quotes_backslashes_and_control_characters_are_no_scope() {
        for bad in ["a\"b", "a\\b", "a\tb", "ä", "a\r\nb"] {
            assert!(ScopeSet::parse(bad).is_err(), "{bad:?}");
        }
        assert!(ScopeSet::from_words(["two words"]).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(words in prop::collection::vec("[!#-\\[\\]-~]{1,12}", 0..6)) {
            let set = ScopeSet::from_words(words.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(ScopeSet::parse(&set.to_string()), Ok(set));
        }

        #[test]
        fn a_union_holds_both_sides(a in prop::collection::vec("[a-d]", 0..4), b in prop::collection::vec("[a-d]", 0..4)) {
            let set = |words: &[String]| ScopeSet::from_words(words.iter().map(String::as_str)).unwrap();
            let both = set(&a).union(&set(&b));
            prop_assert!(set(&a).is_subset(&both) && set(&b).is_subset(&both));
        }
    }
}
