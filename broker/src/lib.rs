//! The daemon's floors. See `docs/architecture.md`.

pub mod app;
pub mod args;
pub mod broker;
pub mod checkup;
pub mod config;
pub mod consent;
mod doorkeeper;
pub mod fronts;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod platform;
pub mod providers;
pub mod services;
pub mod sessions;
pub mod setup;
pub mod sign_ins;
pub mod telemetry;
pub mod web_identity;
