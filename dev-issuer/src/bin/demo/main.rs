//! `cargo demo`: the whole project in one command.
//!
//! It starts an issuer, the broker, an API and two apps, and shows one sign-in serving both. How
//! that goes, from building the programs to ending them again, is in `show`.

use std::process::ExitCode;

#[cfg(unix)]
mod show;

#[cfg(unix)]
fn main() -> ExitCode {
    show::main()
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    anstream::eprintln!("The demo speaks over Unix sockets, and there are none here.");
    ExitCode::FAILURE
}
