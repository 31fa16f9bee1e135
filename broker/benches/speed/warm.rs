//! A token from memory, beside a server on the same kind of socket that answers the same bytes
//! without knowing what they mean.

use std::path::Path;

use crate::app::{App, get_token};
use crate::broker::Broker;
use crate::figures::{compare, in_turn};
use crate::nothing::Nothing;
use crate::provider::{Answers, Provider};

const CALLS: usize = 20_000;
const CONNECTIONS: usize = 5_000;

pub(crate) fn measure() {
    let provider = Provider::start(Answers::AtOnce);
    let (broker, accounts) = Broker::start(&[("bench", &provider, 1)]);
    let call = get_token(&accounts[0]);
    let answer = App::connect(&broker.socket()).call(&call).to_owned();
    let nothing = broker.other_socket();
    let _server = Nothing::start(&nothing, &answer);

    let (mut app, mut other) = (App::connect(&broker.socket()), App::connect(&nothing));
    let (ours, base) = in_turn(CALLS, || app.token(&call), || other.token(&call));
    compare("a warm token, one open connection", ("the broker", &ours), ("nothing", &base));
    let connect = |socket: &Path| App::connect(socket).token(&call);
    let (ours, base) = in_turn(CONNECTIONS, || connect(&broker.socket()), || connect(&nothing));
    compare("a warm token, a connection for each", ("the broker", &ours), ("nothing", &base));
}
