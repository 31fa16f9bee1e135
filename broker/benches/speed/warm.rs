//! A token from memory, beside a server on the same kind of socket that does nothing.

use std::path::Path;

use crate::app::App;
use crate::figures::{compare, in_turn};
use crate::pair::Pair;

const CALLS: usize = 20_000;
const CONNECTIONS: usize = 5_000;

pub(crate) fn measure() {
    let pair = Pair::start();
    let call = &pair.call;
    let (mut app, mut other) = (App::connect(&pair.broker), App::connect(&pair.nothing));
    let (ours, base) = in_turn(CALLS, || app.token(call), || other.token(call));
    compare("a warm token, one open connection", ("the broker", &ours), ("nothing", &base));
    let connect = |socket: &Path| App::connect(socket).token(call);
    let (ours, base) = in_turn(CONNECTIONS, || connect(&pair.broker), || connect(&pair.nothing));
    compare("a warm token, a connection for each", ("the broker", &ours), ("nothing", &base));
}
