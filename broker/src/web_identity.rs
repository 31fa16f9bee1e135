//! A person's token, exchanged for keys of a cloud. It needs no daemon beyond the one that gave the
//! token: `brokerctl` does it in its own process.

pub use crate::services::oidc::{CloudKeys, KeysWanted, exchange_web_identity as exchange};
