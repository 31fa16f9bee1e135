//! The system's journal: each line of the record goes there too, with fields to look for, where
//! there is a journal. It is a copy for people: nothing here waits for it, and nothing depends on it.
//!
//! The protocol is systemd's own: one datagram a line, `FIELD=value` lines in it.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use authbroker_core::audit::{Event, Line};
use authbroker_core::failure::{Code, printable};
use authbroker_core::ids::AccountId;
use authbroker_core::policy::Decision;

/// How much a line matters, in syslog's numbers.
const WARNING: u8 = 4;
const NOTICE: u8 = 5;
const INFO: u8 = 6;

/// The way to the journal.
#[derive(Debug)]
pub(super) struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Journal {
    /// The journal that listens at `path`; `None` where none does.
    pub(super) fn at(path: PathBuf) -> Option<Self> {
        if !path.exists() {
            return None;
        }
        let socket = UnixDatagram::unbound().ok()?;
        // A journal that is full or gone costs its copy, and nobody's time.
        socket.set_nonblocking(true).ok()?;
        Some(Self { socket, path })
    }

    /// Sends a line on its way.
    pub(super) fn tell(&self, line: &Line) {
        let _missed = self.socket.send_to(entry(line).as_bytes(), &self.path);
    }
}

/// A line in the journal's words. No value can have an end of line in it.
fn entry(line: &Line) -> String {
    let mut text = String::new();
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            text.extend([name, "=", &printable(value), "\n"]);
        }
    };
    let record = &line.record;
    field("MESSAGE", &message(line));
    field("PRIORITY", &priority(line).to_string());
    field("SYSLOG_IDENTIFIER", "brokerd");
    field("AUTHBROKER_EVENT", record.event.name());
    if let Some(caller) = &record.caller {
        field("AUTHBROKER_APP", &caller.app().to_string());
        field("AUTHBROKER_LEVEL", &(caller.level() as u8).to_string());
        field("AUTHBROKER_UID", &caller.uid.to_string());
        field("AUTHBROKER_PID", &caller.pid.map(|pid| pid.to_string()).unwrap_or_default());
    }
    field("AUTHBROKER_ACCOUNT", record.account.as_ref().map_or("", AccountId::as_str));
    for resource in &record.resources {
        field("AUTHBROKER_RESOURCE", resource.as_str());
    }
    field("AUTHBROKER_SCOPES", &record.scopes.to_string());
    field("AUTHBROKER_DECISION", record.decision.map_or("", Decision::name));
    let basis = record.basis.as_ref().map(ToString::to_string);
    field("AUTHBROKER_RULE", &basis.unwrap_or_default());
    field("AUTHBROKER_ERROR", record.error.map_or("", Code::name));
    field("AUTHBROKER_FINGERPRINT", &text_of(record.fingerprint));
    field("AUTHBROKER_COUNT", &text_of(line.repeats.map(|repeats| repeats.count)));
    field("AUTHBROKER_CORRELATION_ID", record.correlation_id.as_deref().unwrap_or_default());
    text
}

fn text_of(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// One sentence for whoever reads the journal as it comes.
fn message(line: &Line) -> String {
    let record = &line.record;
    let mut words = vec![record.event.name().to_owned()];
    words.extend(record.account.as_ref().map(|account| format!("of {account}")));
    words.extend(record.caller.as_ref().map(|caller| format!("for {}", caller.app())));
    words.extend(line.repeats.map(|repeats| format!("{} more times", repeats.count)));
    words.extend(record.detail.as_ref().map(|detail| format!("({detail})")));
    words.join(" ")
}

fn priority(line: &Line) -> u8 {
    match (line.record.event, line.record.decision) {
        (Event::Damage | Event::Lost, _) | (_, Some(Decision::Deny)) => WARNING,
        (_, _) if line.record.error.is_some() => NOTICE,
        _ => INFO,
    }
}
