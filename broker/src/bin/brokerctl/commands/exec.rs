//! `brokerctl exec`: a program with an access token in its environment.
//!
//! It is the one way in which a token gets into an environment, because a person asked for it. There
//! it can be read by whatever runs as the same user, and by the program's own children; in an
//! argument it could be read by every user of the machine, and so it never stands in one.

use std::ffi::OsString;
use std::io;
use std::process::Command;
use std::time::Duration;

use authbroker_client::AccessToken;

use super::{bearer, client, expires_at};
use crate::args::{Exec, Place};
use crate::failure::Failure;

/// The token itself.
const TOKEN: &str = "ACCESS_TOKEN";
/// How it is presented.
const TOKEN_TYPE: &str = "ACCESS_TOKEN_TYPE";
/// When it expires, in seconds since the epoch.
const EXPIRES_AT: &str = "ACCESS_TOKEN_EXPIRES_AT";

pub(crate) async fn run(place: &Place, args: Exec) -> Result<(), Failure> {
    let mut request = args.wanted.request();
    if let Some(seconds) = args.min_ttl {
        request = request.min_ttl(Duration::from_secs(u64::from(seconds)));
    }
    let token = bearer(client(place).await?.token(request).await?)?;
    let [program, rest @ ..] = args.command.as_slice() else { return Ok(()) };
    let mut command = Command::new(program);
    command.args(rest).envs(environment(&token));
    let failed = |source| Failure::Program { program: program.clone(), source };
    become_it(command).map_err(failed)
}

fn environment(token: &AccessToken) -> [(&'static str, OsString); 3] {
    [
        (TOKEN, token.expose().into()),
        (TOKEN_TYPE, token.token_type().into()),
        (EXPIRES_AT, expires_at(token).to_string().into()),
    ]
}

/// Puts the program in this one's place, so that signals and the exit status are its own. It comes
/// back only where that fails.
#[cfg(unix)]
fn become_it(mut command: Command) -> io::Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec())
}

/// Runs the program, and ends as it did.
#[cfg(not(unix))]
fn become_it(mut command: Command) -> io::Result<()> {
    let status = command.status()?;
    std::process::exit(status.code().unwrap_or(1))
}
