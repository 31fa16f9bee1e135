//! The grammar of RFC 9110 §11.6.1: challenges and their parameters, both parted by commas.

use super::{Challenge, MAX_HEADER, MAX_PARTS};

/// Reads the challenges of one header, up to the first place that is not understood.
pub fn parse(header: &str) -> Vec<Challenge> {
    if header.len() > MAX_HEADER {
        return Vec::new();
    }
    let mut rest = Rest(header);
    let mut challenges: Vec<Challenge> = Vec::new();
    for _ in 0..MAX_PARTS {
        rest.skip(|c| c == ',' || is_blank(c));
        match rest.part() {
            Some(Part::Scheme(scheme)) => {
                challenges.push(Challenge { scheme: scheme.to_owned(), ..Challenge::default() });
            }
            Some(Part::Parameter(name, value)) => {
                let Some(challenge) = challenges.last_mut() else { break };
                challenge.parameters.entry(name.to_ascii_lowercase()).or_insert(value);
            }
            None => break,
        }
    }
    challenges
}

/// What stands between two commas, or between a scheme and its first parameter.
enum Part<'a> {
    Scheme(&'a str),
    Parameter(&'a str, String),
}

/// The text that was not read yet.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        self.0 = self.0.trim_start_matches(skipped);
    }

    fn take_while(&mut self, taken: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !taken(c)).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        word
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.0.strip_prefix(wanted);
        self.0 = found.unwrap_or(self.0);
        found.is_some()
    }

    fn part(&mut self) -> Option<Part<'a>> {
        let word = self.take_while(is_token);
        if word.is_empty() {
            return None;
        }
        let after_word = self.0;
        self.skip(is_blank);
        if self.take('=') {
            self.skip(is_blank);
            return Some(Part::Parameter(word, self.value()?));
        }
        self.0 = after_word;
        self.skip_token68();
        Some(Part::Scheme(word))
    }

    fn value(&mut self) -> Option<String> {
        if self.take('"') {
            return self.quoted();
        }
        let word = self.take_while(is_token);
        (!word.is_empty()).then(|| word.to_owned())
    }

    /// The rest of a quoted string, without its escapes; `None` if it never ends.
    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut letters = self.0.char_indices();
        loop {
            match letters.next()? {
                (end, '"') => {
                    self.0 = &self.0[end + 1..];
                    return Some(text);
                }
                (_, '\\') => text.push(letters.next()?.1),
                (_, letter) => text.push(letter),
            }
        }
    }

    /// Passes over the Base64 that other schemes put behind their names.
    fn skip_token68(&mut self) {
        let before = self.0;
        self.skip(is_blank);
        let word = self.take_while(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c));
        self.take_while(|c| c == '=');
        let ends = self.0.trim_start_matches(is_blank);
        if word.is_empty() || !(ends.is_empty() || ends.starts_with(',')) {
            self.0 = before;
        }
    }
}

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

/// RFC 9110 §5.6.2.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}
