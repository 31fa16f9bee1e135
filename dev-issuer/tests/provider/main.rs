//! The provider, driven over HTTP: whole journeys, every refusal, every fault.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says where by panicking")]

mod assertion;
mod client_credentials;
mod device;
mod dpop;
mod end_session;
mod exchange;
mod faults;
mod journey;
mod keys;
mod pages;
mod par;
mod probe;
mod program;
mod record;
mod refresh;
mod refusals;
mod register;
mod revoke;
mod stand;
mod step_up;
mod token;
mod userinfo;
