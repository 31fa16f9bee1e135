//! The audit record's part of `org.authbroker.Admin1`.

use serde::{Deserialize, Serialize};

/// Which lines of the record are wanted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Audit {
    /// Those about this app: an identity as `exe:/usr/bin/app`, or the end of its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Those from this moment on, as the lines have it: in UTC, to the millisecond.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Whether to wait for what comes, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow: Option<bool>,
}

/// Some lines of the record, in their order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Audited {
    /// The lines.
    pub entries: Vec<Entry>,
}

/// One line of the record. What is unknown is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// Its number; none while it waits for the vault's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// When, as RFC 3339 writes it, in UTC.
    pub time: String,
    /// What happened.
    pub event: String,
    /// Who wanted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<EntryCaller>,
    /// Whose account it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The APIs it was about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// The scopes it was about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// `allow`, `ask` or `deny`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// What decided it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The error's name, where it came to nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The first eight bytes of the token's SHA-256, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// How many further deliveries the line stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// When the delivery was that they repeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The caller's own word for the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Whether it waited for the vault's key, unprotected, before it had its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited: Option<bool>,
    /// The name of the key that its code was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
}

impl Audit {
    /// Whether a line is wanted.
    pub fn wants(&self, entry: &Entry) -> bool {
        // Times of one form sort as texts.
        let late_enough = self.since.as_ref().is_none_or(|since| entry.time >= *since);
        let identity = entry.caller.as_ref().map_or("", |caller| caller.identity.as_str());
        late_enough && self.app.as_ref().is_none_or(|app| names(identity, app))
    }
}

/// Whether a word means an identity: all of it, its name, or the last part of that.
fn names(identity: &str, word: &str) -> bool {
    let name = identity.split_once(':').map_or(identity, |(_, name)| name);
    let last = name.rsplit('/').next().unwrap_or(name);
    !word.is_empty() && [identity, name, last].contains(&word)
}

/// A caller, as the record names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EntryCaller {
    /// The strongest thing that was known of it, as `flatpak:org.acme.Mail`.
    pub identity: String,
    /// How well it was known, from 0 to 4.
    pub level: u8,
    /// Its user.
    pub uid: u32,
    /// Its process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Where it came in: `socket`, `admin`, `bus` or `minted`.
    pub door: String,
}

/// What a check of the record found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AuditCheck {
    /// The folder of its files.
    pub folder: String,
    /// How many lines are as they were written, up to the first that is not.
    pub lines: u64,
    /// The number of the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// How many files they are in.
    pub files: usize,
    /// How many lines wait for the vault's key.
    pub waiting: usize,
    /// A last line that is torn: its broker died over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torn: Option<AuditPlace>,
    /// Where the chain had to be begun anew. What lies before it cannot be checked any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anew: Option<BrokenLine>,
    /// The first thing that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<BrokenLine>,
}

/// A place in the record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPlace {
    /// The file.
    pub file: String,
    /// The line in it, from 1.
    pub line: u64,
}

/// Something that is wrong with the record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenLine {
    /// The file.
    pub file: String,
    /// The line in it, from 1; the one after the last, where the end is cut off.
    pub line: u64,
    /// `changed`, `missing`, `shortened`, `out-of-order` or `unknown-key`.
    pub kind: String,
    /// What it is, in words.
    pub what: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(identity: &str, time: &str) -> Entry {
        let caller = EntryCaller { identity: identity.to_owned(), ..EntryCaller::default() };
        Entry { caller: Some(caller), time: time.to_owned(), ..Entry::default() }
    }

    #[test]
    fn an_app_is_meant_by_its_identity_its_name_or_the_end_of_it() {
        let wanted = |app: &str, identity| {
            Audit { app: Some(app.into()), ..Audit::default() }.wants(&entry(identity, ""))
        };
        for app in ["exe:/usr/bin/app", "/usr/bin/app", "app"] {
            assert!(wanted(app, "exe:/usr/bin/app"), "{app}");
        }
        for app in ["", "bin/app", "pp", "exe"] {
            assert!(!wanted(app, "exe:/usr/bin/app"), "{app}");
        }
        assert!(wanted("org.acme.Mail", "flatpak:org.acme.Mail"));
        assert!(!wanted("app", ""), "nobody is no app");
    }

    #[test]
    fn a_moment_leaves_out_what_was_before_it() {
        let since = |since: &str| Audit { since: Some(since.into()), ..Audit::default() };
        let entry = entry("", "2026-11-25T08:00:00.123Z");
        assert!(since("2026-11-25T08:00:00.123Z").wants(&entry));
        assert!(!since("2026-11-25T08:00:00.124Z").wants(&entry));
        assert!(Audit::default().wants(&entry));
    }
}
