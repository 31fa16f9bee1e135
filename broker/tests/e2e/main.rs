//! The broker as its users meet it: the real daemon and the real tool as processes, against the
//! development issuer. Every test has folders, ports and an issuer of its own, and waits for
//! events, never for time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests expect")]

mod api_calls;
mod around;
mod audit;
mod bound;
mod brokerctl;
mod client_credentials;
mod clients;
mod clocks;
mod consent;
mod credential;
mod damage;
mod device;
mod doctor;
mod exec;
mod faults;
mod first_token;
mod grants;
mod headers;
mod hostile;
mod minted;
mod monitor;
mod narrowing;
mod network;
mod policy;
mod provider;
mod pushed;
mod refresh;
mod secrets;
mod sign_out;
mod signing_clients;
mod sockets;
mod stand;
mod standards;
mod step_up;
mod tls;
mod vault;
