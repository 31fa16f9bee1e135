//! The app without a window: commands on stdin, one JSON object a line on stdout.
//!
//! No display is touched. Commands are taken one line at a time and done in order; each is answered
//! by one object, or by an `error`. The end of the input is a `quit`.
//!
//! | command | what it does | its answer |
//! | --- | --- | --- |
//! | `sign-in` | has a person sign in | `sign-in` for each phase, then `signed-in` |
//! | `message` | gets the private message | `message` |
//! | `claims` | reads the access token's payload | `claims` |
//! | `sign-out` | signs out, for every app | `sign-out` for each phase, then `signed-out` |
//! | `cancel` | gives up what is under way, at once | its `error`, `Cancelled` |
//! | `quit` | ends the program | |
//!
//! Words may follow a command: `force` (`message`, `claims`) asks for a token that is renewed first,
//! `account=ACCOUNT` (all but `cancel` and `quit`) names an account, `id=WORD` is given back as
//! `"id"` with the answer. Without `account`, it is the one that `--account` names, else the one
//! that signed in here last, else the broker's default or only one.
//!
//! ```text
//! {"event":"ready","accounts":[{"id":"acme-k3v9q2ma","label":"Alice Adams","state":"ready"}]}
//! {"event":"accounts","accounts":[]}
//! {"event":"sign-in","phase":"url","url":"https://login.acme.example/authorize?…"}
//! {"event":"signed-in","account":"acme-k3v9q2ma"}
//! {"event":"message","status":200,"text":"Only authenticated users can read this message."}
//! {"event":"message","status":403,"reason":"The access token lacks a scope"}
//! {"event":"claims","claims":{"sub":"…"},"expires_at":1790000000,"fingerprint":"09ca7e4eaa6e8ae9"}
//! {"event":"sign-out","phase":"revoking"}
//! {"event":"signed-out","account":"acme-k3v9q2ma"}
//! {"event":"error","code":"InteractionRequired","message":"…","hint":"brokerctl login acme"}
//! ```
//!
//! `ready` comes once, when the broker has answered; `accounts` at each change after that, also
//! between a command and its answer. Where no broker answers, an `error` says so (`NoBroker`), the
//! program goes on trying, and commands are answered meanwhile. `claims` never shows the token nor
//! its signature: `claims` is the decoded payload (`null` for an opaque token), `fingerprint` the
//! first 8 bytes of the token's SHA-256 in hex, by which a renewal is seen.

mod line;
mod output;
mod session;

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncWrite};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::messages::{Outbox, Settings};
use crate::worker;
use session::Session;

/// Runs until `quit` or the end of `input`. `account` is the account that commands are about.
pub async fn run(
    settings: Settings,
    account: Option<String>,
    input: impl AsyncBufRead + Unpin,
    output: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let (outbox, mut events) = Outbox::new(|| {});
    let (commands, inbox) = mpsc::unbounded_channel();
    let _worker = AbortOnDropHandle::new(tokio::spawn(worker::run(settings, inbox, outbox)));
    let mut session = Session::new(account, commands, output);
    let mut lines = input.lines();
    while session.goes_on() {
        tokio::select! {
            line = lines.next_line(), if session.listens() => session.read(line?).await?,
            Some(event) = events.recv() => session.heard(event).await?,
        }
    }
    Ok(())
}
