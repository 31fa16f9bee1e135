//! One file per command.

pub(crate) mod accounts;
pub(crate) mod agent;
pub(crate) mod audit;
mod browser;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod credential;
mod device;
pub(crate) mod doctor;
pub(crate) mod exec;
mod findings;
pub(crate) mod headers;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod man;
pub(crate) mod monitor;
mod passphrase;
pub(crate) mod policy;
pub(crate) mod provider;
pub(crate) mod reload;
pub(crate) mod socket;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod unlock;
pub(crate) mod vault;
pub(crate) mod whoami;

use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use authbroker_client::wire::places;
use authbroker_client::{AccessToken, Admin, Client, Door, Error};

use crate::args::Place;
use crate::failure::Failure;

/// The admin socket: a person administers their own broker.
async fn admin(place: &Place) -> Result<Admin, Error> {
    Admin::connect(place.runtime_dir.clone()).await
}

/// The broker for commands that apps may use too: on the app socket that was given, else on the
/// admin socket.
async fn client(place: &Place) -> Result<Client, Error> {
    match &place.socket {
        Some(socket) => Client::connect_to(Door::Socket(socket.clone())).await,
        None => Ok(admin(place).await?.client()),
    }
}

/// A token that whoever holds it can present. One that is bound to a key (RFC 9449) needs a proof for
/// each request, which only the broker can make.
fn bearer(token: AccessToken) -> Result<AccessToken, Failure> {
    if token.token_type().eq_ignore_ascii_case("Bearer") {
        Ok(token)
    } else {
        let token_type = token.token_type().to_owned();
        Err(Failure::Bound { account: token.account, token_type })
    }
}

/// Where the daemon keeps what it must not lose, and registrations are kept.
fn state_dir(place: &Place) -> Option<PathBuf> {
    place.state_dir.clone().or_else(places::state_dir)
}

/// When a token ends, in seconds since the epoch.
fn expires_at(token: &AccessToken) -> u64 {
    token.expires_at().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// A time for a program, to the second.
fn rfc3339(unix: u64) -> String {
    let time = i64::try_from(unix).ok().and_then(|time| jiff::Timestamp::from_second(time).ok());
    time.unwrap_or(jiff::Timestamp::MAX).to_string()
}

/// A time for a person: local, to the minute.
fn local_time(unix: u64) -> String {
    let time =
        i64::try_from(unix).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    match time {
        Some(time) if unix > 0 => {
            time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
        }
        _ => "-".to_owned(),
    }
}
