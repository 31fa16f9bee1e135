//! The world: the network, the keyring, files. Services do not know each other; the desk does.

pub mod audit;
pub mod browser;
pub mod grants;
pub mod mintings;
#[cfg(target_os = "linux")]
pub mod notify;
pub mod oidc;
pub mod registrations;
#[cfg(target_os = "linux")]
pub mod session_lock;
pub mod vault;
