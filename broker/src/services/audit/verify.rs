//! The check of the whole record: every line by its code, and both ends by the head.
//!
//! The first thing that is wrong is named, with its file and its line. What comes after it is not
//! looked at: without the line that is broken, nothing says where the chain goes on.

use std::fmt;
use std::io;

use super::chain::{Link, Numbered};
use super::folder::{End, Folder, Lying, Part, lines_of};
use super::head::Head;

/// Where the record stands at one moment.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    /// The head, once there was a key.
    pub(super) head: Option<Head>,
}

/// What a check found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checked {
    /// How many lines are as they were written, up to the first that is not.
    pub lines: u64,
    /// The number of the first of them.
    pub first: Option<u64>,
    /// How many files they are in.
    pub files: usize,
    /// How many lines wait for the vault's key. Nothing protects them yet.
    pub waiting: usize,
    /// A last line that is torn: its file, and its number in it. Its broker died over it.
    pub torn: Option<(String, u64)>,
    /// Where the chain had to be begun anew. What lies before it cannot be checked any more.
    pub anew: Option<Broken>,
    /// The first thing that is wrong.
    pub broken: Option<Broken>,
}

/// Something that is wrong with the record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The file.
    pub file: String,
    /// The line's number in its file; the one after the last, where lines are missing at the end.
    pub line: u64,
    /// What kind of thing.
    pub kind: Kind,
    /// What it is, in words.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: {}", self.file, self.line, self.what)
    }
}

/// What can be wrong with a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It, or what stood before it, is not what was written.
    Changed,
    /// Lines before it are gone.
    Missing,
    /// Lines after it are gone.
    Shortened,
    /// It has another place.
    OutOfOrder,
    /// Its key is not known, so that nothing can be said of it.
    UnknownKey,
}

impl Kind {
    /// The word for it on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Shortened => "shortened",
            Self::OutOfOrder => "out-of-order",
            Self::UnknownKey => "unknown-key",
        }
    }
}

/// Why a check ends early.
enum Stop {
    Broken(Broken),
    Disk(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Checks what lies in the folder against the head. Blocks for the disk.
pub(super) fn verify(folder: &Folder, snapshot: &Snapshot) -> io::Result<Checked> {
    let mut checked = Checked { waiting: folder.read_waiting()?.len(), ..Checked::default() };
    let parts = folder.parts()?;
    let Some(head) = &snapshot.head else {
        checked.broken = parts.first().map(|part| {
            let what = "the vault was not opened yet, and its key is needed to check the record";
            broken(part, 1, Kind::UnknownKey, what)
        });
        return Ok(checked);
    };
    let mut walk = Walk { head, at: head.base, end: None, parts: &parts, checked: &mut checked };
    match walk.all() {
        Ok(()) => {}
        Err(Stop::Broken(broken)) => checked.broken = Some(broken),
        Err(Stop::Disk(error)) => return Err(error),
    }
    Ok(checked)
}

/// A way along the chain.
struct Walk<'a> {
    head: &'a Head,
    /// The last line that was good.
    at: Link,
    /// The end of the file before.
    end: Option<(String, u64)>,
    parts: &'a [Part],
    checked: &'a mut Checked,
}

impl Walk<'_> {
    fn all(&mut self) -> Result<(), Stop> {
        for part in self.parts.iter().filter(|part| part.first > self.head.base.seq) {
            let mut last = 0;
            for lying in lines_of(&part.path)? {
                let lying = lying?;
                if self.at == self.head.last && lying.end == End::Torn {
                    self.checked.torn = Some((part.name(), lying.number));
                    continue;
                }
                self.line(part, &lying)?;
                last = lying.number;
            }
            self.checked.files += 1;
            self.end = Some((part.name(), last + 1));
        }
        self.end()
    }

    /// One line: it must be the next, and bear the code that only it can have.
    fn line(&mut self, part: &Part, lying: &Lying) -> Result<(), Stop> {
        let stop = |kind, what: String| Stop::Broken(broken(part, lying.number, kind, what));
        let is_torn = lying.end == End::Torn;
        let line = Numbered::read(&lying.text).filter(|_| !is_torn);
        if self.is_before_anew(part, lying.number, line.as_ref()) {
            return Ok(());
        }
        let Some(line) = line else {
            let what = if is_torn { "it is cut off" } else { "it is no line of the record" };
            return Err(stop(Kind::Changed, what.to_owned()));
        };
        let next = self.at.seq + 1;
        if line.seq < next {
            let what = format!("number {} has stood before", line.seq);
            return Err(stop(Kind::OutOfOrder, what));
        }
        if line.seq > next {
            return Err(self.gap(part, lying, next, line.seq));
        }
        let key = self.head.key(&line.key).ok_or_else(|| {
            stop(Kind::UnknownKey, format!("its key, {}, is not one of this vault", line.key))
        })?;
        let Some(end) = self.at.follow(&line, key) else {
            return Err(stop(Kind::Changed, "it is not what was written here".to_owned()));
        };
        if end.seq > self.head.last.seq || (end.seq == self.head.last.seq && end != self.head.last)
        {
            let what = "it is not the last line that was written".to_owned();
            return Err(stop(Kind::Changed, what));
        }
        self.at = end;
        self.checked.lines += 1;
        self.checked.first = self.checked.first.or(Some(end.seq));
        Ok(())
    }

    /// Whether a line is of the chain before the one that was begun anew. The first of the new one
    /// is taken note of.
    fn is_before_anew(&mut self, part: &Part, number: u64, line: Option<&Numbered<'_>>) -> bool {
        let Some(anew) = &self.head.anew else { return false };
        if self.at.seq + 1 >= anew.seq {
            return false;
        }
        if line.is_none_or(|line| line.seq < anew.seq) {
            return true;
        }
        self.checked.anew = Some(broken(part, number, Kind::UnknownKey, anew.why.clone()));
        self.at = anew.before();
        false
    }

    /// A number that does not come next: what is before it stands elsewhere, or nowhere.
    fn gap(&self, part: &Part, lying: &Lying, next: u64, found: u64) -> Stop {
        let stop = |kind, what: String| Stop::Broken(broken(part, lying.number, kind, what));
        if self.stands_later(part, lying.number, next) {
            return stop(
                Kind::OutOfOrder,
                format!("number {found} stands before number {next}, which follows"),
            );
        }
        let missing = numbers(next, found - 1);
        if let (1, Some((file, line))) = (lying.number, self.end.clone()) {
            let what = format!("{missing} cut off here, or removed with a file of their own");
            return Stop::Broken(Broken { file, line, kind: Kind::Shortened, what });
        }
        stop(Kind::Missing, format!("{missing} missing before it"))
    }

    /// Whether the line of a number stands somewhere after a place.
    fn stands_later(&self, part: &Part, after: u64, number: u64) -> bool {
        let from_here = self.parts.iter().filter(|other| other.first >= part.first);
        from_here.filter_map(|other| Some((other, lines_of(&other.path).ok()?))).any(
            |(other, mut lines)| {
                lines.any(|lying| {
                    lying.is_ok_and(|lying| {
                        let is_later = other != part || lying.number > after;
                        let line = Numbered::read(&lying.text);
                        is_later && line.is_some_and(|line| line.seq == number)
                    })
                })
            },
        )
    }

    /// The end: it must be where the head says.
    fn end(&self) -> Result<(), Stop> {
        let last = self.head.last.seq;
        if self.at.seq >= last {
            return Ok(());
        }
        let (file, line) = self.end.clone().unwrap_or_default();
        let what = format!("{} cut off here", numbers(self.at.seq + 1, last));
        Err(Stop::Broken(Broken { file, line, kind: Kind::Shortened, what }))
    }
}

/// Which lines, and the verb for them.
fn numbers(first: u64, last: u64) -> String {
    if first == last {
        format!("number {first} is")
    } else {
        format!("numbers {first} to {last} are")
    }
}

fn broken(part: &Part, line: u64, kind: Kind, what: impl Into<String>) -> Broken {
    Broken { file: part.name(), line, kind, what: what.into() }
}

/// How far a file's lines go on from a link, each by its code.
pub(super) struct Followed {
    /// The last good line.
    pub(super) link: Link,
    /// What is wrong behind it, if anything.
    pub(super) wrong: Option<Broken>,
}

/// Follows the chain from where the head left it, over what was written after the head.
pub(super) fn follow(folder: &Folder, head: &Head) -> io::Result<Followed> {
    let mut followed = Followed { link: head.last, wrong: None };
    let mut seen = head.last == head.base;
    let parts = folder.parts()?;
    // The file that the head's last line is in, and those after it.
    let begin = parts.iter().rposition(|part| part.first <= head.last.seq).unwrap_or(0);
    for part in &parts[begin.min(parts.len())..] {
        for lying in lines_of(&part.path)? {
            let lying = lying?;
            let line = Numbered::read(&lying.text).filter(|_| lying.end == End::Whole);
            if !seen {
                // Up to here the head speaks for itself; a check looks at every line.
                seen = line.is_some_and(|line| line.link() == head.last);
                continue;
            }
            if lying.end == End::Torn {
                continue;
            }
            let next = line.and_then(|line| followed.link.follow(&line, head.key(&line.key)?));
            let Some(next) = next else {
                let what = "it does not follow the line before it";
                followed.wrong = Some(broken(part, lying.number, Kind::Changed, what));
                return Ok(followed);
            };
            followed.link = next;
        }
    }
    if !seen {
        let what = format!("the record ends before number {}, or that was changed", head.last.seq);
        let file = parts.get(begin).map(Part::name).unwrap_or_default();
        followed.wrong = Some(Broken { file, line: 1, kind: Kind::Shortened, what });
    }
    Ok(followed)
}
