//! From the daemon's start to its first answer, and to its first token: that one is renewed on the
//! way, because access tokens are not kept on the disk.

use crate::app::{App, get_token};
use crate::broker::Broker;
use crate::figures::{Times, heading, timed};
use crate::provider::{Answers, Provider};

const STARTS: usize = 50;

pub(crate) fn measure() {
    let provider = Provider::start(Answers::AtOnce);
    let (mut broker, accounts) = Broker::start(&[("bench", &provider, 1)]);
    let call = get_token(&accounts[0]);
    let (mut answers, mut tokens) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        broker.stop();
        let ((), answer) = timed(|| {
            broker.start_again();
            App::connect(&broker.socket()).call(WHO_AM_I);
        });
        let ((), token) = timed(|| App::connect(&broker.socket()).token(&call));
        answers.push(answer);
        tokens.push(answer + token);
    }
    heading("from the daemon's start, with a key in a file and one account");
    answers.into_iter().collect::<Times>().print("to its first answer");
    tokens.into_iter().collect::<Times>().print("to its first token, renewed and durable");
}

const WHO_AM_I: &str = r#"{"method":"org.authbroker.Broker1.WhoAmI"}"#;
