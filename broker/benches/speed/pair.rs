//! A broker that holds one token, and a server that answers the same bytes without knowing what they
//! mean.

use std::path::PathBuf;

use crate::app::{App, get_token};
use crate::broker::Broker;
use crate::nothing::Nothing;
use crate::provider::{Answers, Provider};

/// Both, until it is dropped.
pub(crate) struct Pair {
    /// The call that both answer.
    pub(crate) call: String,
    /// Where the broker is.
    pub(crate) broker: PathBuf,
    /// Where the other server is.
    pub(crate) nothing: PathBuf,
    _broker: Broker,
    _nothing: Nothing,
}

impl Pair {
    pub(crate) fn start() -> Self {
        let provider = Provider::start(Answers::AtOnce);
        let (broker, accounts) = Broker::start(&[("bench", &provider, 1)]);
        let call = get_token(&accounts[0]);
        let answer = App::connect(&broker.socket()).call(&call).to_owned();
        let (socket, nothing) = (broker.socket(), broker.other_socket());
        let server = Nothing::start(&nothing, &answer);
        Self { call, broker: socket, nothing, _broker: broker, _nothing: server }
    }
}
