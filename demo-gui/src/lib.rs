//! A small desktop app that uses authbroker, as any app would: through `authbroker-client`.
//!
//! It never sees a refresh token. When it needs an access token, it asks the broker, uses it for
//! one request, and forgets it. [`terminal`] takes commands from stdin; `worker` does one job at a
//! time on its behalf: `broker_task` speaks to the broker, `api_task` to the API.

pub mod args;
pub mod messages;
pub mod problem;
pub mod terminal;

mod api_task;
mod broker_task;
mod claims;
mod http;
mod picture;
mod worker;
