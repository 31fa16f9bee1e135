//! Taking up the record where it was left, when the vault's key comes.
//!
//! The head says where the record ended when it was last kept; the lines behind that were written
//! when the head was not yet, and each is taken for genuine that bears its code. A last line that is
//! torn is taken away and told. Where the record is not what the head says, what lies there is left
//! as it is, the chain goes on in a file of its own, and that is told: a check will find the place.

use std::io;

use authbroker_core::audit::{ChainKey, Event, Record};

use super::chain::{Link, Mac};
use super::folder::{Folder, Part, Tail, ending_of, is_possible};
use super::head::{Anew, Head, Safe, Stretch};
use super::recorder::Recorder;
use super::{Bounds, body, verify};

/// The record, taken up.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) recorder: Recorder,
    /// What there is to tell of how it was found.
    pub(super) found: Vec<Record>,
    /// Bodies that waited for the key.
    pub(super) waited: Vec<String>,
}

/// Takes the record up.
pub(super) fn take_up(
    folder: &Folder,
    bounds: Bounds,
    safe: &dyn Safe,
    key: ChainKey,
) -> io::Result<Taken> {
    let lying = folder.read_waiting()?;
    let waited: Vec<_> = lying.iter().filter_map(|text| body::of_waiting(text)).collect();
    let (head, tail, mut found) = match left(safe) {
        Ok(Some(head)) => go_on(folder, head)?,
        Ok(None) if folder.parts()?.is_empty() => (Head::new(key.clone()), None, Vec::new()),
        Ok(None) if !safe.lasts() => {
            let why = "the key before it was in memory alone, and ended with its broker";
            begin_anew(folder, &key, Event::Key, why)?
        }
        Ok(None) => begin_anew(folder, &key, Event::Damage, "its head is missing")?,
        Err(why) => begin_anew(folder, &key, Event::Damage, &why)?,
    };
    // A chain without a head would be taken for somebody else's, if the power went now.
    safe.keep(&head.to_bytes()).map_err(io::Error::other)?;
    let mut recorder = Recorder::new(folder.clone(), bounds, head, tail);
    let unreadable = lying.len() - waited.len();
    if unreadable > 0 {
        let what =
            format!("{unreadable} of the lines that waited for the vault's key cannot be read");
        found.push(Record::of(Event::Torn).saying(what));
    }
    recorder.want_key(key);
    Ok(Taken { recorder, found, waited })
}

/// The head as it was left.
fn left(safe: &dyn Safe) -> Result<Option<Head>, String> {
    let Some(bytes) = safe.head()? else { return Ok(None) };
    Head::read(&bytes).map(Some).ok_or_else(|| "its head is in no known format".to_owned())
}

/// Goes on behind the last line that is as it was written.
fn go_on(folder: &Folder, mut head: Head) -> io::Result<(Head, Option<Tail>, Vec<Record>)> {
    let followed = verify::follow(folder, &head)?;
    head.last = followed.link;
    // A file before the head's beginning was on its way out when the broker died.
    for part in folder.parts()?.iter().filter(|part| part.first <= head.base.seq) {
        part.remove()?;
    }
    if let Some(wrong) = followed.wrong {
        let found = vec![Record::of(Event::Damage).saying(wrong.to_string())];
        return Ok((head, None, found));
    }
    let Some(part) = folder.parts()?.pop() else {
        return Ok((head, None, Vec::new()));
    };
    let (tail, torn) = reopen(folder, &part)?;
    Ok((head, Some(tail), torn.into_iter().collect()))
}

/// Opens the newest file, without the line that is torn at its end.
fn reopen(folder: &Folder, part: &Part) -> io::Result<(Tail, Option<Record>)> {
    let ending = ending_of(&part.path)?;
    let mut tail = folder.open(part.first)?;
    if ending.torn == 0 {
        return Ok((tail, None));
    }
    tail.cut(ending.length)?;
    let what = format!("a line of {} bytes was cut off at the end of {}", ending.torn, part.name());
    Ok((tail, Some(Record::of(Event::Torn).saying(what))))
}

/// Begins another chain behind one that cannot be gone on with.
fn begin_anew(
    folder: &Folder,
    key: &ChainKey,
    event: Event,
    why: &str,
) -> io::Result<(Head, Option<Tail>, Vec<Record>)> {
    let parts = folder.parts()?;
    let mut last = 0;
    for part in &parts {
        let claimed = ending_of(&part.path)?.last.map_or(0, |link| link.seq);
        let claims = [claimed, part.first.saturating_sub(1)].into_iter();
        last = claims.filter(|seq| is_possible(*seq)).fold(last, u64::max);
    }
    let link = |seq| Link { seq, mac: Mac::NONE };
    let base = link(parts.first().map_or(last, |part| part.first.saturating_sub(1)));
    let why = format!("the chain was begun anew here: {why}; what lies before cannot be checked");
    let keys = vec![Stretch { key: key.clone(), until: None }];
    let anew = (base.seq < last).then(|| Anew { seq: last + 1, why: why.clone() });
    let head = Head { base, last: link(last), keys, anew };
    Ok((head, None, vec![Record::of(event).saying(why)]))
}
