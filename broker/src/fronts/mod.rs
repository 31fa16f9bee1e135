//! The doors. Each asks who calls, reads the words of its wire, makes one call to the
//! [`Broker`](crate::broker::Broker), and writes the answer in the words of its wire.

#[cfg(target_os = "linux")]
pub mod dbus;
mod translate;
pub mod varlink;
