//! The record while it is written: the chain's end, the newest file, and the head in the vault.

use std::io;

use authbroker_core::audit::{ChainKey, Event, Record};

use super::chain::{Link, Numbered};
use super::folder::{Folder, Part, Tail, lines_of};
use super::head::{Head, Safe};
use super::{Bounds, body};
use crate::platform::fault_point::{FaultPoint, reach};

#[derive(Debug)]
pub(super) struct Recorder {
    folder: Folder,
    bounds: Bounds,
    /// What the head is to say. Its last line is the chain's end.
    head: Head,
    /// The newest file, once there is a line for it.
    tail: Option<Tail>,
    /// A key that the chain is to go on with, as soon as the head has it.
    wanted: Option<ChainKey>,
    kept: Kept,
}

/// Whether the head in the vault says what this one does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kept {
    Yes,
    NotYet,
}

impl Recorder {
    /// Goes on where a head is, in `tail` or in a new file.
    pub(super) const fn new(
        folder: Folder,
        bounds: Bounds,
        head: Head,
        tail: Option<Tail>,
    ) -> Self {
        Self { folder, bounds, head, tail, wanted: None, kept: Kept::NotYet }
    }

    pub(super) const fn head(&self) -> &Head {
        &self.head
    }

    /// Has the chain go on with another key from the next [`Recorder::settle`] on. Tells whether it
    /// is another one.
    pub(super) fn want_key(&mut self, key: ChainKey) -> bool {
        let is_other = self.head.current().is_none_or(|current| current.id() != key.id());
        if is_other {
            self.wanted = Some(key);
        }
        is_other
    }

    /// Writes lines, all of them or none.
    pub(super) fn write(&mut self, bodies: &[&str]) -> io::Result<usize> {
        let key = self.head.current().cloned();
        let key = key.ok_or_else(|| io::Error::other("the record has no key"))?;
        let full = self.tail.take_if(|tail| tail.length >= self.bounds.file);
        if let Some(full) = full {
            // What the head will speak of must not be lost behind it.
            full.sync()?;
        }
        let (mut text, mut last) = (String::new(), self.head.last);
        for body in bodies {
            let (line, end) = last.close(body, &key);
            text.extend([&line, "\n"]);
            last = end;
        }
        let tail = match &mut self.tail {
            Some(tail) => tail,
            none => {
                let tail = none.insert(self.folder.open(self.head.last.seq + 1)?);
                if tail.length > 0 {
                    // Something of somebody else's lies there, and may have no end of line.
                    text.insert(0, '\n');
                }
                reach(FaultPoint::AuditRotated);
                tail
            }
        };
        tail.write(text.as_bytes())?;
        self.head.last = last;
        self.kept = Kept::NotYet;
        Ok(bodies.len())
    }

    /// Has the disk take the lines, then the vault the head. Gives what was noticed on the way.
    pub(super) fn settle(&mut self, safe: &dyn Safe) -> Result<Vec<Record>, String> {
        let mut notices = self.look_after_file();
        if let Some(tail) = &self.tail {
            tail.sync().map_err(|error| error.to_string())?;
        }
        let key = self.wanted.clone();
        let gone = self.too_old().map_err(|error| error.to_string())?;
        if self.kept == Kept::Yes && key.is_none() && gone.is_none() {
            return Ok(notices);
        }
        let mut head = self.head.clone();
        if let Some(key) = &key {
            head.change_key(key.clone());
        }
        if let Some((base, _)) = &gone {
            head.forget_before(*base);
        }
        safe.keep(&head.to_bytes())?;
        self.head = head;
        self.kept = Kept::Yes;
        self.wanted = None;
        for part in gone.map(|(_, parts)| parts).unwrap_or_default() {
            part.remove().map_err(|error| error.to_string())?;
        }
        notices.extend(key.map(|key| Record::of(Event::Key).saying(body::new_key(&key))));
        Ok(notices)
    }

    /// Notices that somebody changed the file that is written to, and begins another: what comes
    /// next must not be lost with it.
    fn look_after_file(&mut self) -> Vec<Record> {
        match self.tail.take_if(|tail| !tail.is_in_place()) {
            Some(tail) => {
                let name = Part { first: tail.first, path: tail.into_path() }.name();
                let what =
                    format!("somebody changed or replaced {name}; the record goes on beside it");
                vec![Record::of(Event::Damage).saying(what)]
            }
            None => Vec::new(),
        }
    }

    /// The files that are too many, and the last line in them.
    fn too_old(&self) -> io::Result<Option<(Link, Vec<Part>)>> {
        let parts = self.folder.parts()?;
        let too_many = parts.len().saturating_sub(self.bounds.files);
        if too_many == 0 {
            return Ok(None);
        }
        for count in too_many..parts.len() {
            let (old, rest) = parts.split_at(count);
            let (Some(gone), Some(kept)) = (old.last(), rest.first()) else { break };
            let base = last_link(gone)?.filter(|link| link.seq + 1 == kept.first);
            if let Some(base) = base {
                return Ok(Some((base, old.to_vec())));
            }
            // It does not end where the next one begins: that is to be looked at, but not for ever.
            if parts.len() >= 2 * self.bounds.files {
                let base = Link { seq: kept.first.saturating_sub(1), ..Link::START };
                return Ok(Some((base, old.to_vec())));
            }
        }
        Ok(None)
    }
}

/// The last line of a file, as it claims to be.
fn last_link(part: &Part) -> io::Result<Option<Link>> {
    let mut last = None;
    for lying in lines_of(&part.path)? {
        last = Numbered::read(&lying?.text).map(|line| line.link()).or(last);
    }
    Ok(last)
}
