//! Fifty callers of an expired token at once.

use std::sync::Barrier;
use std::time::Duration;

use crate::app::{App, get_token};
use crate::broker::Broker;
use crate::figures::{Times, heading, timed};
use crate::provider::{Answers, Provider};

const CALLERS: usize = 50;
const ROUNDS: usize = 20;
/// How long the provider takes: longer than fifty callers need to ask.
const PROVIDER_TAKES: Duration = Duration::from_millis(100);

pub(crate) fn measure() {
    let provider = Provider::start(Answers::After(PROVIDER_TAKES));
    // Nobody's token is in memory yet: for the caller that is the same as expired.
    let (broker, accounts) = Broker::start(&[("bench", &provider, ROUNDS)]);
    let rounds: Vec<_> = accounts
        .iter()
        .map(|account| {
            let asked = provider.asked();
            let times = ask_together(&broker, account);
            (provider.asked() - asked, times)
        })
        .collect();
    let most = rounds.iter().map(|(asked, _)| *asked).max().unwrap();
    heading(&format!(
        "{CALLERS} callers of an expired token at once, {ROUNDS} times, at a provider that takes {} ms",
        PROVIDER_TAKES.as_millis()
    ));
    println!("  calls to the provider, at most {most} each time; tokens {CALLERS} each time");
    let times: Times = rounds.into_iter().flat_map(|(_, times)| times).collect();
    times.print("a caller's wait");
}

/// Every caller gets a token, or this panics.
fn ask_together(broker: &Broker, account: &str) -> Vec<Duration> {
    let (call, start) = (get_token(account), Barrier::new(CALLERS));
    std::thread::scope(|scope| {
        let caller = || {
            let mut app = App::connect(&broker.socket());
            start.wait();
            timed(|| app.token(&call)).1
        };
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(caller)).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    })
}
