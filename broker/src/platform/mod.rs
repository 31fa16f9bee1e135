//! The machine: its clocks, its users, its folders, its signals, its network. One file per system,
//! each with the same functions; no other file asks which system it is on.

pub mod clock;
pub mod fault_point;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod portable;
#[cfg(unix)]
mod unix;

#[cfg(target_os = "linux")]
pub use linux::{Machine, Peer, Sink, Witness, holds_callers_fast, session_bus};
#[cfg(not(target_os = "linux"))]
pub use portable::{Machine, Peer, Witness, holds_callers_fast, session_bus};
#[cfg(unix)]
pub use unix::*;

/// What a machine tells whoever listens to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// The moment has come.
    Due,
    /// The wall clock was set, or the machine has woken: whatever was computed from the time is to
    /// be looked at again.
    ClockSet,
    /// Links, addresses or routes have come: what could not be reached may be reachable now.
    NetworkChanged,
}
