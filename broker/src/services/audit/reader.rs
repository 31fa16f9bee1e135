//! Reading the record, a few lines at a time, and going on where it grows.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};

use super::folder::{Folder, Part};

/// How much is given at a time: well below the longest message of any door.
const AT_A_TIME: usize = 24 * 1024;

/// What a look at the record gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Look {
    /// Some lines; there may be more.
    Lines(Vec<String>),
    /// Nothing more at this moment.
    End,
}

/// A place in the record.
#[derive(Debug)]
pub(super) struct Reader {
    folder: Folder,
    /// The file, and how much of it was read.
    at: Option<(Part, u64)>,
}

impl Reader {
    pub(super) const fn new(folder: Folder) -> Self {
        Self { folder, at: None }
    }

    /// The next lines. Blocks for the disk.
    pub(super) fn look(&mut self) -> io::Result<Look> {
        loop {
            let Some((part, offset)) = self.place()? else { return Ok(Look::End) };
            let (lines, offset) = read(&part, offset)?;
            self.at = Some((part.clone(), offset));
            if !lines.is_empty() {
                return Ok(Look::Lines(lines));
            }
            // Nothing in it any more: the next file, if there is one.
            let next = self.folder.parts()?.into_iter().find(|other| other.first > part.first);
            match next {
                Some(next) => self.at = Some((next, 0)),
                None => return Ok(Look::End),
            }
        }
    }

    /// The lines that wait for the vault's key.
    pub(super) fn waiting(&self) -> io::Result<Vec<String>> {
        self.folder.read_waiting()
    }

    /// Where to read on. A file that was removed meanwhile is followed by the next.
    fn place(&self) -> io::Result<Option<(Part, u64)>> {
        let parts = self.folder.parts()?;
        let Some((part, offset)) = &self.at else {
            return Ok(parts.into_iter().next().map(|part| (part, 0)));
        };
        if part.path.exists() {
            return Ok(Some((part.clone(), *offset)));
        }
        Ok(parts.into_iter().find(|other| other.first > part.first).map(|part| (part, 0)))
    }
}

/// Lines of a file from an offset on, and where they end.
fn read(part: &Part, mut offset: u64) -> io::Result<(Vec<String>, u64)> {
    let mut file = File::open(&part.path)?;
    file.seek(SeekFrom::Start(offset))?;
    let (mut reader, mut lines, mut size) = (BufReader::new(file), Vec::new(), 0);
    while size < AT_A_TIME {
        let mut bytes = Vec::new();
        let read = reader.read_until(b'\n', &mut bytes)?;
        if bytes.pop_if(|last| *last == b'\n').is_none() {
            // The end, or a line that is still being written.
            break;
        }
        offset += read as u64;
        let line = String::from_utf8_lossy(&bytes).into_owned();
        size += line.len();
        lines.push(line);
    }
    Ok((lines, offset))
}
