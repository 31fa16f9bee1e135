//! The record's folder: files of lines, each named for the number of its first.
//!
//! Only the newest is written to. A file that is full is left as it is and another is begun, so no
//! file is ever renamed, and nothing but whole files goes. Beside them may lie the lines that wait
//! for the vault's key.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::chain::{Link, Numbered};
use crate::platform;
use crate::platform::fault_point::{FaultPoint, attempt};

/// The ending of a file of lines.
const ENDING: &str = "jsonl";
/// The file of lines that wait for the key.
const WAITING: &str = "waiting";

/// The digits of a file's name: always so many, so that names sort as numbers do.
const DIGITS: usize = 12;

/// A number that no record reaches, and that has so many digits.
const MOST: u64 = 100_000_000_000;

/// The folder.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

/// One file of the record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Part {
    /// The number of its first line.
    pub(super) first: u64,
    pub(super) path: PathBuf,
}

impl Part {
    /// Its name, for people.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Removes it.
    pub(super) fn remove(&self) -> io::Result<()> {
        remove(&self.path)
    }
}

impl Folder {
    /// The record's folder in `state_dir`. Nothing is made yet.
    pub(super) fn within(state_dir: &Path) -> Self {
        Self(state_dir.join("audit"))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The files of lines, the oldest first. What else lies there is nobody's.
    pub(super) fn parts(&self) -> io::Result<Vec<Part>> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut parts = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            if let Some(first) = name.and_then(number_in) {
                parts.push(Part { first, path });
            }
        }
        parts.sort_by_key(|part| part.first);
        Ok(parts)
    }

    /// Begins, or goes on with, the file whose first line has this number.
    pub(super) fn open(&self, first: u64) -> io::Result<Tail> {
        platform::private_folder(&self.0)?;
        let path = self.0.join(format!("{first:0DIGITS$}.{ENDING}"));
        let tail = Tail::open(path, first)?;
        platform::sync_folder(&self.0)?;
        Ok(tail)
    }

    /// The file for lines that wait for the key.
    pub(super) fn waiting(&self) -> PathBuf {
        self.0.join(format!("{WAITING}.{ENDING}"))
    }

    /// Opens that file, made if missing.
    pub(super) fn open_waiting(&self) -> io::Result<Tail> {
        platform::private_folder(&self.0)?;
        Tail::open(self.waiting(), 0)
    }

    /// What waits, a line each; a last line that is torn is among them.
    pub(super) fn read_waiting(&self) -> io::Result<Vec<String>> {
        match fs::read(self.waiting()) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                let lines = text.lines().filter(|line| !line.is_empty());
                Ok(lines.map(str::to_owned).collect())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    pub(super) fn remove_waiting(&self) -> io::Result<()> {
        remove(&self.waiting())
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// The number in a file's name.
fn number_in(name: &str) -> Option<u64> {
    let (digits, ending) = name.split_once('.')?;
    let is_number = digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
    if is_number && ending == ENDING { digits.parse().ok() } else { None }
}

/// A file that lines are written to.
#[derive(Debug)]
pub(super) struct Tail {
    file: File,
    path: PathBuf,
    /// The number of its first line.
    pub(super) first: u64,
    /// How much of it is whole lines of ours.
    pub(super) length: u64,
}

impl Tail {
    fn open(path: PathBuf, first: u64) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).mode(0o600).open(&path)?;
        let length = file.metadata()?.len();
        Ok(Self { file, path, first, length })
    }

    /// Writes whole lines. Where the disk takes only a part of them, it is taken back.
    pub(super) fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(lines).and_then(|()| attempt(FaultPoint::AuditWritten));
        match written {
            Ok(()) => self.length += lines.len() as u64,
            Err(_) => self.cut(self.length)?,
        }
        written
    }

    /// Takes away what lies beyond `length`.
    pub(super) fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.length = length;
        Ok(())
    }

    pub(super) fn into_path(self) -> PathBuf {
        self.path
    }

    /// Has the disk take what was written.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Whether the file in its place is still this one, as long as it was left.
    pub(super) fn is_in_place(&self) -> bool {
        let (Ok(ours), Ok(there)) = (self.file.metadata(), fs::metadata(&self.path)) else {
            return false;
        };
        (ours.dev(), ours.ino()) == (there.dev(), there.ino()) && there.len() == self.length
    }
}

/// A line as it lies in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Lying {
    pub(super) text: String,
    /// Its number in its file, from 1.
    pub(super) number: u64,
    /// How much of the file lies before it.
    pub(super) offset: u64,
    pub(super) end: End,
}

/// How a line ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    Whole,
    /// The file ends before the line does.
    Torn,
}

/// The lines of a file, one after the other. No line is longer than the file.
pub(super) fn lines_of(path: &Path) -> io::Result<impl Iterator<Item = io::Result<Lying>> + use<>> {
    let mut reader = BufReader::new(File::open(path)?);
    let (mut number, mut offset) = (0, 0);
    Ok(std::iter::from_fn(move || {
        let mut bytes = Vec::new();
        let read = match reader.read_until(b'\n', &mut bytes) {
            Ok(0) => return None,
            Ok(read) => read,
            Err(error) => return Some(Err(error)),
        };
        let end =
            if bytes.pop_if(|last| *last == b'\n').is_some() { End::Whole } else { End::Torn };
        number += 1;
        let lying =
            Lying { text: String::from_utf8_lossy(&bytes).into_owned(), number, offset, end };
        offset += read as u64;
        Some(Ok(lying))
    }))
}

/// Whether a number can be a line's: one that cannot was made up.
pub(super) const fn is_possible(seq: u64) -> bool {
    seq < MOST
}

/// What lies at the end of a file, as it claims to be.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// The last whole line of the record's shape.
    pub(super) last: Option<Link>,
    /// How much of the file is whole lines.
    pub(super) length: u64,
    /// How much of it is a line that is torn.
    pub(super) torn: u64,
}

/// Looks at the end of a file.
pub(super) fn ending_of(path: &Path) -> io::Result<Ending> {
    let mut ending = Ending::default();
    for lying in lines_of(path)? {
        let lying = lying?;
        match lying.end {
            End::Torn => ending.torn = lying.text.len() as u64,
            End::Whole => {
                ending.length = lying.offset + lying.text.len() as u64 + 1;
                ending.last = Numbered::read(&lying.text).map(|line| line.link()).or(ending.last);
            }
        }
    }
    Ok(ending)
}
