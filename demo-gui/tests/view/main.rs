//! What the window shows: by the names that a screen reader says, and as pictures.
//!
//! Every test also asserts, by `Harness::run`, that the state comes to rest: a window that nobody
//! touches must not draw for ever.
#![expect(clippy::unwrap_used, reason = "tests say what they expect by panicking")]

mod details;
mod painter;
mod pictures;
mod stage;
mod states;
