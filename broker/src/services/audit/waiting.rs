//! Lines that wait for the vault's key, in a file of their own: nothing protects them there, and
//! they enter the chain as soon as there is a key.

use std::io;

use authbroker_core::audit::Record;

use super::folder::{Folder, Tail};

/// How much may wait. A vault that stays locked for so long is somebody's decision.
const ROOM: u64 = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Waiting {
    folder: Folder,
    tail: Option<Tail>,
    /// Whether something found no room. Nothing that came after it is put aside either.
    full: bool,
}

impl Waiting {
    pub(super) const fn new(folder: Folder) -> Self {
        Self { folder, tail: None, full: false }
    }

    /// Whether there is room for more.
    pub(super) const fn has_room(&self) -> bool {
        !self.full
    }

    /// Puts bodies aside, and tells how many of them found room.
    pub(super) fn write(&mut self, bodies: &[&str]) -> io::Result<usize> {
        if self.full {
            return Ok(0);
        }
        let (tail, mut text) = match &mut self.tail {
            Some(tail) => (tail, String::new()),
            // What an earlier broker left there may have no end of line.
            closed => (closed.insert(self.folder.open_waiting()?), "\n".to_owned()),
        };
        let room = usize::try_from(ROOM.saturating_sub(tail.length)).unwrap_or(usize::MAX);
        let mut count = 0;
        for body in bodies {
            if text.len() + body.len() >= room {
                break;
            }
            text.extend([body, "\n"]);
            count += 1;
        }
        tail.write(text.as_bytes())?;
        self.full = count < bodies.len();
        Ok(count)
    }

    pub(super) fn settle(&self) -> io::Result<Vec<Record>> {
        self.tail.as_ref().map_or(Ok(()), Tail::sync).map(|()| Vec::new())
    }
}
