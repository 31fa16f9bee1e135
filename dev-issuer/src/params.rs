//! Request parameters: parsed once, repeated ones noticed, empty ones treated as left out.

use url::form_urlencoded;

/// The parameters of a query or a form, decoded, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// The value of `name`; an empty value counts as left out (RFC 6749 §3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, value)| key == name && !value.is_empty()).map(value)
    }

    /// The values of `resource`, the one parameter that may repeat (RFC 8707 §2).
    pub(crate) fn resources(&self) -> Vec<String> {
        self.all("resource").map(str::to_owned).collect()
    }

    /// Names a parameter that stands more than once without being allowed to.
    pub(crate) fn repeated(&self) -> Option<&str> {
        self.names().enumerate().find_map(|(index, name)| {
            (name != "resource" && self.names().take(index).any(|earlier| earlier == name))
                .then_some(name)
        })
    }

    pub(crate) fn is_repeated(&self, name: &str) -> bool {
        self.names().filter(|known| *known == name).count() > 1
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

fn value(pair: &(String, String)) -> &str {
    &pair.1
}
