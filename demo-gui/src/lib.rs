//! A small desktop app that uses authbroker, as any app would: through `authbroker-client`.
//!
//! It never sees a refresh token. When it needs an access token, it asks the broker, uses it for
//! one request, and forgets it. A click goes this way:
//!
//! 1. [`view`] turns a state into widgets and a click into an [`Intent`](model::Intent);
//! 2. [`model`] decides, as plain data: the next state, and at most one
//!    [`Command`](messages::Command);
//! 3. `worker` takes commands on a tokio runtime of its own thread, and does one job at a time:
//!    `broker_task` speaks to the broker, `api_task` to the API, `picture` fetches the portrait;
//! 4. an [`Event`](messages::Event) comes back, wakes the window, and is step 2 again.
//!
//! [`agent`] is a window of its own, in which a person answers what apps ask for.
//!
//! [`app`] ties these to a window, [`terminal`] to stdin and stdout. [`theme`] has the colours, and
//! `desktop` knows which of them the desktop prefers.

pub mod agent;
pub mod app;
pub mod args;
pub mod messages;
pub mod model;
pub mod problem;
pub mod terminal;
pub mod theme;
pub mod view;

mod api_task;
mod broker_task;
mod claims;
mod desktop;
mod http;
mod mark;
mod picture;
mod worker;
