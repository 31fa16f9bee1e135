//! A token from memory while another account's provider hangs.

use std::time::Duration;

use crate::app::{App, force_token, get_token};
use crate::broker::Broker;
use crate::figures::{Times, compare, timed};
use crate::provider::{Answers, Provider};

const CALLS: usize = 20_000;

pub(crate) fn measure() {
    let (good, hanging) = (Provider::start(Answers::AtOnce), Provider::start(Answers::Never));
    let (broker, accounts) = Broker::start(&[("good", &good, 1), ("hanging", &hanging, 1)]);
    let (call, stuck) = (get_token(&accounts[0]), force_token(&accounts[1]));
    let mut app = App::connect(&broker.socket());
    app.token(&call);
    let before = calls(&mut app, &call);
    let mut waiting = App::connect(&broker.socket());
    waiting.send(&stuck);
    while hanging.asked() == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let during = calls(&mut app, &call);
    compare(
        "a warm token while another account's provider hangs",
        ("while it hangs", &during),
        ("before", &before),
    );
}

fn calls(app: &mut App, call: &str) -> Times {
    (0..CALLS).map(|_| timed(|| app.token(call)).1).collect()
}
