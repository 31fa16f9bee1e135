//! The process that the broker starts in the browser's place.
//!
//! 1. The broker runs [`COMMAND`] with the address that it would show in a browser.
//! 2. A small HTTP user agent goes there, as a person would: signs in, allows, is sent back.
//! 3. What it saw goes to the demo's socket, as one JSON object, and the process ends.

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use dev_issuer::ACCOUNTS;
use dev_issuer::user_agent::{Consent, UserAgent, Visit};

use super::browser::Seen;

/// What the broker has in `BROWSER`; it appends the address. Both names are in the demo's folder,
/// where the broker runs, so no blank in the folder's own path can be mistaken for the next word.
pub(in super::super) const COMMAND: &str = "./browser --report browser.sock --user-agent";

/// Visits `address` and reports to the socket at `report`.
pub(in super::super) async fn browse(address: &str, report: &Path) -> ExitCode {
    let seen = match visit(address).await {
        Ok(visit) => Seen::from(visit),
        Err(error) => Seen { problem: Some(format!("{error:#}")), ..Seen::default() },
    };
    match tell(&seen, report) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn visit(address: &str) -> anyhow::Result<Visit> {
    let [person, ..] = &ACCOUNTS;
    let browser = UserAgent::new()?;
    Ok(browser.sign_in(address, person.username, person.password, Consent::Allow).await?)
}

impl From<Visit> for Seen {
    /// Leaves the query behind, which has the code.
    fn from(visit: Visit) -> Self {
        Self {
            steps: visit.steps,
            origin: visit.url.origin().ascii_serialization(),
            path: visit.url.path().to_owned(),
            status: visit.status,
            title: visit.title,
            text: visit.text,
            problem: None,
        }
    }
}

fn tell(seen: &Seen, report: &Path) -> anyhow::Result<()> {
    let mut socket = UnixStream::connect(report).context("the demo does not listen")?;
    Ok(socket.write_all(&serde_json::to_vec(seen)?)?)
}
