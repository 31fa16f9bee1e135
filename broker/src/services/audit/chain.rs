//! The chain: each line has a number and a code (HMAC-SHA-256) over itself and the code before it.
//!
//! The code covers the line as it lies on the disk, letter by letter, up to where the code itself
//! begins. So there is nothing to normalise, and nothing that could be written in another way.

use authbroker_core::audit::ChainKey;
use aws_lc_rs::{constant_time, hmac};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

/// What stands before a line's code, and after it.
const BEFORE: &str = ",\"mac\":\"";
const AFTER: &str = "\"}";
/// The letters of a code.
const DIGITS: usize = 64;

/// A line's code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Mac([u8; 32]);

impl Mac {
    /// What stands in place of a code before the first line.
    pub(super) const NONE: Self = Self([0; 32]);

    pub(super) fn to_text(self) -> String {
        HEXLOWER.encode(&self.0)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok().map(Self)
    }

    /// The code of a line, after the one before it.
    fn of(key: &ChainKey, before: Self, covered: &str) -> Self {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()));
        context.update(&before.0);
        context.update(covered.as_bytes());
        let mut code = [0; 32];
        code.copy_from_slice(context.sign().as_ref());
        Self(code)
    }
}

/// The end of a chain so far: its last line's number and code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) mac: Mac,
}

impl Link {
    /// Before the first line.
    pub(super) const START: Self = Self { seq: 0, mac: Mac::NONE };

    /// Gives a body its place: the line, and the chain's new end.
    pub(super) fn close(self, body: &str, key: &ChainKey) -> (String, Self) {
        let seq = self.seq + 1;
        let inner = body.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let covered =
            format!("{{\"seq\":{seq},{},\"key\":\"{}\"", inner.unwrap_or_default(), key.id());
        let mac = Mac::of(key, self.mac, &covered);
        (format!("{covered}{BEFORE}{}{AFTER}", mac.to_text()), Self { seq, mac })
    }

    /// Whether a line is the next one; if so, the chain's new end.
    pub(super) fn follow(self, line: &Numbered<'_>, key: &ChainKey) -> Option<Self> {
        let mac = Mac::of(key, self.mac, line.covered);
        let same = constant_time::verify_slices_are_equal(&mac.0, &line.mac.0).is_ok();
        (same && line.seq == self.seq + 1).then_some(Self { seq: line.seq, mac })
    }
}

/// A line as it claims to be. Nothing proves it yet.
#[derive(Debug)]
pub(super) struct Numbered<'a> {
    pub(super) seq: u64,
    pub(super) key: String,
    pub(super) mac: Mac,
    covered: &'a str,
}

impl<'a> Numbered<'a> {
    /// Reads a line; `None` where it has not the shape of one.
    pub(super) fn read(line: &'a str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Claims {
            seq: u64,
            key: String,
        }
        let rest = line.strip_suffix(AFTER)?;
        let (rest, mac) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
        let covered = rest.strip_suffix(BEFORE)?;
        // A member that is there twice is an error of serde's.
        let Claims { seq, key } = serde_json::from_str(line).ok()?;
        Some(Self { seq, key, mac: Mac::parse(mac)?, covered })
    }

    /// Where the chain stands after it, if it is what it claims to be.
    pub(super) const fn link(&self) -> Link {
        Link { seq: self.seq, mac: self.mac }
    }
}

/// A link in the sealed head.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    seq: u64,
    mac: String,
}

impl From<Link> for Kept {
    fn from(link: Link) -> Self {
        Self { seq: link.seq, mac: link.mac.to_text() }
    }
}

impl Kept {
    pub(super) fn link(&self) -> Option<Link> {
        Some(Link { seq: self.seq, mac: Mac::parse(&self.mac)? })
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn key(byte: u8) -> ChainKey {
        ChainKey::new(format!("k{byte}"), Zeroizing::new([byte; 32]))
    }

    #[test]
    fn a_line_follows_the_one_before_it_and_no_other() {
        let (first, link) = Link::START.close("{\"event\":\"start\"}", &key(1));
        let (second, end) = link.close("{\"event\":\"stop\"}", &key(1));
        assert!(first.starts_with("{\"seq\":1,\"event\":\"start\",\"key\":\"k1\",\"mac\":\""));
        let numbered = Numbered::read(&second).unwrap();
        assert_eq!(link.follow(&numbered, &key(1)), Some(end));
        assert_eq!(Link::START.follow(&numbered, &key(1)), None, "it has another place");
        assert_eq!(link.follow(&numbered, &key(2)), None, "another key");
        let changed = second.replace("stop", "stap");
        assert_eq!(link.follow(&Numbered::read(&changed).unwrap(), &key(1)), None);
        let blank = second.replacen(':', ": ", 1);
        assert_eq!(link.follow(&Numbered::read(&blank).unwrap(), &key(1)), None, "a blank");
    }

    #[test]
    fn what_has_not_the_shape_of_a_line_is_none() {
        let (line, _) = Link::START.close("{\"event\":\"start\"}", &key(1));
        assert!(Numbered::read(&line).is_some());
        let twice = line.replacen("\"event\"", "\"seq\":1,\"event\"", 1);
        for bad in ["", "{}", "\u{e9}\"}", &line[..line.len() - 1], &line[1..], &twice] {
            assert!(Numbered::read(bad).is_none(), "{bad:?}");
        }
    }
}
