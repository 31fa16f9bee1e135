//! `STATE/grants.json`: two lines, what is remembered and its tag.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use authbroker_core::caller::{App, Terminal};
use authbroker_core::policy::{AccountMatch, Grant, GrantId, Lasting, Reach, Ruling};
use authbroker_core::resource::{Resource, Resources};
use authbroker_core::scope::ScopeSet;
use authbroker_core::time::UnixTime;
use serde::{Deserialize, Serialize};

use super::{AskedBy, GrantsError, Seal, Used};
use crate::platform;

/// The format that is written.
const FORMAT: u32 = 1;

/// All that is remembered.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    pub(super) next: u64,
    pub(super) grants: Vec<Used>,
    pub(super) asked: Vec<AskedBy>,
}

/// A file's two lines, not believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Read {
    body: String,
    tag: String,
}

/// Where the file is.
#[derive(Debug)]
pub(super) struct Place(PathBuf);

#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    next: u64,
    grants: Vec<FileGrant>,
    apps: Vec<FileApp>,
}

#[derive(Serialize, Deserialize)]
struct FileGrant {
    id: u64,
    app: String,
    uid: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    terminal: Option<(u32, u64)>,
    account: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resources: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    allow: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<u64>,
    granted: u64,
    uses: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_used: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct FileApp {
    app: String,
    uid: u32,
    count: u64,
    refused: u64,
    first: u64,
    last: u64,
}

impl Place {
    pub(super) fn within(state_dir: &Path) -> Self {
        Self(state_dir.join("grants.json"))
    }

    pub(super) fn exists(&self) -> bool {
        self.0.exists()
    }

    /// The file, if there is one that only its owner can read. Another is treated as changed.
    pub(super) fn read(&self) -> Option<Read> {
        match platform::read_private_file(&self.0) {
            Ok(bytes) => {
                let text = String::from_utf8(bytes).unwrap_or_default();
                let (body, tag) = text.split_once('\n').unwrap_or((&text, ""));
                Some(Read { body: body.to_owned(), tag: tag.trim_end().to_owned() })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(_) => Some(Read { body: String::new(), tag: String::new() }),
        }
    }

    /// Puts the file where nobody reads it but a person, and says where.
    pub(super) fn lay_aside(&self) -> String {
        let aside = self.0.with_extension("changed");
        match fs::rename(&self.0, &aside) {
            Ok(()) => aside.display().to_string(),
            Err(error) => format!("still {} ({error})", self.0.display()),
        }
    }

    /// Puts a whole new file in the place of the old one, durably.
    pub(super) fn write(&self, book: &Book, seal: &impl Seal) -> Result<(), GrantsError> {
        let body = serde_json::to_string(&File::of(book)).map_err(io::Error::from)?;
        let tag = seal.tag(body.as_bytes());
        let folder = self.0.parent().unwrap_or(Path::new("."));
        let new = self.0.with_extension("new");
        // What an interrupted run has left there is nobody's.
        let _none = fs::remove_file(&new);
        platform::create_private_file(&new, format!("{body}\n{tag}\n").as_bytes())?;
        fs::rename(&new, &self.0)?;
        Ok(platform::sync_folder(folder)?)
    }
}

impl Book {
    pub(super) fn is_empty(&self) -> bool {
        self.grants.is_empty() && self.asked.is_empty()
    }
}

impl Read {
    /// What the file says, if it bears the tag that we gave it.
    pub(super) fn book(&self, seal: &impl Seal) -> Result<Book, String> {
        if !seal.fits(self.body.as_bytes(), &self.tag) {
            return Err("another program has changed it, or the vault's key is another one".into());
        }
        let file: File = serde_json::from_str(&self.body).map_err(|error| error.to_string())?;
        file.book().ok_or_else(|| format!("its format is {} or newer", FORMAT + 1))
    }
}

impl File {
    fn of(book: &Book) -> Self {
        let apps = book.asked.iter().map(|asked| FileApp {
            app: asked.app.to_string(),
            uid: asked.app.uid,
            count: asked.count,
            refused: asked.refused,
            first: asked.first.as_secs(),
            last: asked.last.as_secs(),
        });
        let grants = book.grants.iter().map(FileGrant::of).collect();
        Self { format: FORMAT, next: book.next, grants, apps: apps.collect() }
    }

    fn book(self) -> Option<Book> {
        if self.format > FORMAT {
            return None;
        }
        let grants = self.grants.into_iter().map(FileGrant::used).collect::<Option<_>>()?;
        let asked = self.apps.into_iter().map(|file| {
            Some(AskedBy {
                app: App::parse(&file.app, file.uid).ok()?,
                count: file.count,
                refused: file.refused,
                first: UnixTime::from_secs(file.first),
                last: UnixTime::from_secs(file.last),
            })
        });
        Some(Book { next: self.next, grants, asked: asked.collect::<Option<_>>()? })
    }
}

impl FileGrant {
    fn of(used: &Used) -> Self {
        let grant = &used.grant;
        let words = |all: &Resources| all.iter().map(ToString::to_string).collect();
        Self {
            id: grant.id.0,
            app: grant.app.to_string(),
            uid: grant.app.uid,
            terminal: grant.terminal.map(|terminal| (terminal.leader, terminal.started)),
            account: grant.account.to_string(),
            resources: grant.reach.resources.as_ref().map(words),
            scopes: grant.reach.scopes.as_ref().map(ScopeSet::to_words),
            allow: grant.ruling == Ruling::Allow,
            until: match grant.lasting {
                Lasting::Until(end) => Some(end.as_secs()),
                Lasting::Always | Lasting::UntilLocked => None,
            },
            granted: grant.granted.as_secs(),
            uses: used.uses,
            last_used: used.last_used.map(UnixTime::as_secs),
        }
    }

    fn used(self) -> Option<Used> {
        let resources = self.resources.map(|words| {
            words.iter().map(|word| Resource::parse(word)).collect::<Result<Resources, _>>()
        });
        let scopes =
            self.scopes.map(|words| ScopeSet::from_words(words.iter().map(String::as_str)));
        let reach =
            Reach { resources: resources.transpose().ok()?, scopes: scopes.transpose().ok()? };
        let grant = Grant {
            id: GrantId(self.id),
            app: App::parse(&self.app, self.uid).ok()?,
            terminal: self.terminal.map(|(leader, started)| Terminal { leader, started }),
            account: AccountMatch::new(&self.account),
            reach,
            ruling: if self.allow { Ruling::Allow } else { Ruling::Deny },
            lasting: self
                .until
                .map_or(Lasting::Always, |end| Lasting::Until(UnixTime::from_secs(end))),
            granted: UnixTime::from_secs(self.granted),
        };
        Some(Used { grant, uses: self.uses, last_used: self.last_used.map(UnixTime::from_secs) })
    }
}
