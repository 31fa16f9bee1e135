//! The code that a person reads on the device and types (RFC 8628 §6.1).

use std::{fmt, io};

use aws_lc_rs::rand;

/// Letters that are hard to mistake, and without a vowel spell nothing.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;

/// Eight letters, shown as `WDJB-MJHT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserCode(String);

impl UserCode {
    pub(crate) fn fresh() -> io::Result<Self> {
        let mut letters = String::new();
        while letters.len() < LENGTH {
            letters.extend(random_letter()?);
        }
        Ok(Self(letters))
    }

    /// Takes what a person typed: letter case, blanks and dashes do not count.
    pub(crate) fn parse(typed: &str) -> Option<Self> {
        let letters: String = typed
            .chars()
            .filter(|character| !character.is_whitespace() && *character != '-')
            .map(|character| character.to_ascii_uppercase())
            .collect();
        let known = letters.bytes().all(|letter| ALPHABET.contains(&letter));
        (known && letters.len() == LENGTH).then_some(Self(letters))
    }
}

/// A random byte as a letter. One that would favour some letters is left out.
fn random_letter() -> io::Result<Option<char>> {
    let mut byte = [0];
    rand::fill(&mut byte).map_err(|_| io::Error::other("no randomness available"))?;
    let place = usize::from(byte[0]);
    let fair = place < 256 / ALPHABET.len() * ALPHABET.len();
    Ok(fair.then(|| char::from(ALPHABET[place % ALPHABET.len()])))
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (left, right) = self.0.split_at(LENGTH / 2);
        write!(f, "{left}-{right}")
    }
}

#[cfg(test)]
mod tests {
    use super::UserCode;

    #[test]
    fn a_code_is_read_however_it_is_typed() -> std::io::Result<()> {
        let code = UserCode::fresh()?;
        let shown = code.to_string();
        assert_eq!(shown.len(), 9);
        let typed = [shown.clone(), shown.to_lowercase(), shown.replace('-', " ")];
        assert!(typed.iter().all(|typed| UserCode::parse(typed).as_ref() == Some(&code)));
        Ok(())
    }

    #[test]
    fn what_is_no_code_is_none() {
        for typed in ["", "WDJB", "WDJB-MJHT-W", "WDJB-MJHA", "WDJB-MJHÄ"] {
            assert_eq!(UserCode::parse(typed), None, "{typed}");
        }
    }
}
