//! The audit record's methods of `org.authbroker.Admin1`.

use authbroker_client::wire::audit as wire;
use authbroker_client::wire::frame::Reply;
use authbroker_core::failure::{Code, Failure};

use super::router::{Parameters, Replies, Router, bad, good, read, send};
use crate::broker::audit::{Broken, Checked, Reading};

impl Router {
    /// The lines that are wanted, some at a time.
    pub(super) async fn audit(&self, parameters: Parameters<'_>, more: bool, replies: Replies) {
        let wanted =
            read(parameters).and_then(
                |wanted: wire::Audit| {
                    if more { Ok(wanted) } else { Err(answers_many_times()) }
                },
            );
        match wanted {
            Ok(wanted) => self.send_audit(&wanted, &replies).await,
            Err(failure) => send(&replies, bad(&failure, None)).await,
        }
    }

    async fn send_audit(&self, wanted: &wire::Audit, replies: &Replies) {
        let how = match wanted.follow {
            Some(true) => Reading::Following,
            _ => Reading::Past,
        };
        let mut lines = match self.services.broker.audit(&self.caller, how) {
            Ok(lines) => lines,
            Err(failure) => return send(replies, bad(&failure, None)).await,
        };
        while let Some(some) = lines.next().await {
            let some = match some {
                Ok(some) => some,
                Err(error) => return send(replies, bad(&unreadable(&error), None)).await,
            };
            let entries: Vec<_> =
                some.iter().map(|line| entry(line)).filter(|entry| wanted.wants(entry)).collect();
            // A peer that has left wants no more.
            if !entries.is_empty()
                && replies.send(good(&wire::Audited { entries }, true)).await.is_err()
            {
                return;
            }
        }
        send(replies, good(&wire::Audited::default(), false)).await;
    }

    pub(super) async fn verify_audit(&self) -> Reply {
        let folder = self.services.broker.audit_place().display().to_string();
        match self.services.broker.check_audit(&self.caller).await {
            Ok(checked) => good(&check(folder, checked), false),
            Err(failure) => bad(&failure, None),
        }
    }
}

/// A line as it can be told. One that is none is told as such: somebody changed it.
fn entry(line: &str) -> wire::Entry {
    serde_json::from_str(line).unwrap_or_else(|_| wire::Entry {
        event: "unreadable".to_owned(),
        detail: Some("this is no line of the record: brokerctl audit --verify".to_owned()),
        ..wire::Entry::default()
    })
}

fn check(folder: String, checked: Checked) -> wire::AuditCheck {
    let Checked { lines, first, files, waiting, torn, anew, broken } = checked;
    wire::AuditCheck {
        folder,
        lines,
        first,
        files,
        waiting,
        torn: torn.map(|(file, line)| wire::AuditPlace { file, line }),
        anew: anew.map(broken_line),
        broken: broken.map(broken_line),
    }
}

fn broken_line(broken: Broken) -> wire::BrokenLine {
    let Broken { file, line, kind, what } = broken;
    wire::BrokenLine { file, line, kind: kind.name().to_owned(), what }
}

fn answers_many_times() -> Failure {
    Failure::new(Code::InvalidArgs, "Audit answers many times", "call it with more")
}

fn unreadable(error: &std::io::Error) -> Failure {
    let message = format!("the audit record cannot be read: {error}");
    Failure::new(Code::Internal, message, "check the folder STATE/audit and its disk")
}
