//! The broker beside parts that nobody here wrote: buses, keyrings, providers, browsers, clients.
//!
//! Each test has a login session of its own (`world`) and leaves nothing behind. What a test needs
//! stands in its `ignore`; `./test.sh` installs it and runs them all. By hand:
//! `cargo test -p authbroker --test real -- --ignored`.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot be set up must fail, and say why"
)]

mod consent;
mod credentials;
mod dbus;
mod disk;
mod hostile;
mod identity;
mod keyring;
mod monitor;
mod oidc_provider;
mod openid_client;
mod other_ways;
mod registry;
mod shells;
mod system_unit;
mod systemd;
mod varlink;
mod world;
