//! The real program, against a small broker and a small API that do as a test says.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests say what they expect by panicking")]

#[cfg(target_os = "linux")]
mod dialog;
#[cfg(target_os = "linux")]
mod journey;
#[cfg(target_os = "linux")]
mod live;
mod screen;
#[cfg(target_os = "linux")]
mod session;
mod stand;
mod terminal;
mod window;
