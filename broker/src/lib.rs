//! The daemon's floors. See `docs/architecture.md`.

pub mod config;
pub mod platform;
pub mod services;
pub mod telemetry;
