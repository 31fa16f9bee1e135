//! The machine: its clocks, its users, its folders, its signals. One file per system, each with
//! the same functions; no other file asks which system it is on.

pub mod clock;
#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub use unix::*;
