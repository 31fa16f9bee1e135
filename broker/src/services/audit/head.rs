//! The head: where the record begins and ends, and with which keys. It lies sealed in the vault, so
//! that a record that was shortened, at either end, is told from a whole one.
//!
//! It is written after the lines that it speaks of are on the disk: it may lag behind them, and
//! never runs ahead.

use authbroker_core::audit::ChainKey;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::chain::{Kept, Link};

/// Where the head is kept: sealed, and out of reach until the vault was opened.
pub trait Safe: Send + Sync + std::fmt::Debug {
    /// The head as it was last kept; `None` where none was. An error says in words what is wrong
    /// with it.
    fn head(&self) -> Result<Option<Zeroizing<Vec<u8>>>, String>;

    /// Whether what is kept is there after a restart.
    fn lasts(&self) -> bool;

    /// Keeps the head, durably. An error says in words why not.
    fn keep(&self, head: &[u8]) -> Result<(), String>;
}

/// What the head says.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// The end of what is not kept any more: the first line follows it.
    pub(super) base: Link,
    /// The last line.
    pub(super) last: Link,
    /// The keys of the lines in between, the newest last.
    pub(super) keys: Vec<Stretch>,
    /// Where the chain had to be begun anew, and why: what lies before cannot be checked.
    pub(super) anew: Option<Anew>,
}

/// A key, and the last line before the next one's.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    pub(super) key: ChainKey,
    /// `None` while it is in use.
    pub(super) until: Option<u64>,
}

/// A beginning in the middle.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Anew {
    /// The first line of the new chain.
    pub(super) seq: u64,
    /// Why.
    pub(super) why: String,
}

#[derive(Serialize, Deserialize)]
struct File {
    base: Kept,
    last: Kept,
    keys: Vec<FiledKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    anew: Option<Anew>,
}

#[derive(Serialize, Deserialize)]
struct FiledKey {
    id: String,
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<u64>,
}

impl Anew {
    /// What the first line of the new chain follows.
    pub(super) const fn before(&self) -> Link {
        Link { seq: self.seq - 1, ..Link::START }
    }
}

impl Drop for FiledKey {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl Head {
    /// The head of a record that has no line yet.
    pub(super) fn new(key: ChainKey) -> Self {
        let keys = vec![Stretch { key, until: None }];
        Self { base: Link::START, last: Link::START, keys, anew: None }
    }

    /// Reads what [`Head::to_bytes`] wrote.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut file: File = serde_json::from_slice(bytes).ok()?;
        let keys = file.keys.iter().map(stretch).collect::<Option<_>>()?;
        Some(Self {
            base: file.base.link()?,
            last: file.last.link()?,
            keys,
            anew: file.anew.take(),
        })
    }

    /// The head as it is sealed.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let file = File {
            base: self.base.into(),
            last: self.last.into(),
            keys: self.keys.iter().map(filed).collect(),
            anew: self.anew.clone(),
        };
        // Numbers and texts can always be written as JSON.
        Zeroizing::new(serde_json::to_vec(&file).unwrap_or_default())
    }

    /// The key of that name.
    pub(super) fn key(&self, id: &str) -> Option<&ChainKey> {
        self.keys.iter().map(|stretch| &stretch.key).find(|key| key.id() == id)
    }

    /// The key in use.
    pub(super) fn current(&self) -> Option<&ChainKey> {
        self.keys.last().map(|stretch| &stretch.key)
    }

    /// Has lines from here on another key.
    pub(super) fn change_key(&mut self, key: ChainKey) {
        if let Some(stretch) = self.keys.last_mut() {
            stretch.until = Some(self.last.seq);
        }
        self.keys.push(Stretch { key, until: None });
    }

    /// Gives up what lies before a line, and the keys of nothing but that.
    pub(super) fn forget_before(&mut self, base: Link) {
        self.base = base;
        self.keys.retain(|stretch| stretch.until.is_none_or(|until| until > base.seq));
        let reached = self.anew.take_if(|anew| anew.seq <= base.seq + 1);
        if let Some(anew) = reached.filter(|anew| anew.seq == base.seq + 1) {
            // What goes is not what the new chain follows.
            self.base = anew.before();
        }
    }
}

fn stretch(filed: &FiledKey) -> Option<Stretch> {
    let bytes = Zeroizing::new(HEXLOWER.decode(filed.key.as_bytes()).ok()?);
    let bytes = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?);
    Some(Stretch { key: ChainKey::new(filed.id.clone(), bytes), until: filed.until })
}

fn filed(stretch: &Stretch) -> FiledKey {
    let key = HEXLOWER.encode(stretch.key.expose());
    FiledKey { id: stretch.key.id().to_owned(), key, until: stretch.until }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> ChainKey {
        ChainKey::new(format!("k{byte}"), Zeroizing::new([byte; 32]))
    }

    fn link(seq: u64) -> Link {
        Link { seq, ..Link::START }
    }

    #[test]
    fn a_head_reads_back_the_same() {
        let mut head = Head::new(key(1));
        head.last = link(7);
        head.change_key(key(2));
        head.anew = Some(Anew { seq: 3, why: "it was gone".into() });
        let again = Head::read(&head.to_bytes()).unwrap();
        assert_eq!((again.base, again.last, &again.anew), (head.base, head.last, &head.anew));
        assert_eq!(again.key("k1").unwrap().expose(), &[1; 32]);
        assert_eq!((again.keys[0].until, again.current().unwrap().id()), (Some(7), "k2"));
    }

    #[test]
    fn the_keys_of_lines_that_are_gone_go_too() {
        let mut head = Head::new(key(1));
        head.last = link(7);
        head.change_key(key(2));
        head.forget_before(link(6));
        assert!(head.key("k1").is_some(), "line 7 is still there");
        head.forget_before(link(7));
        assert!(head.key("k1").is_none() && head.key("k2").is_some());
    }
}
