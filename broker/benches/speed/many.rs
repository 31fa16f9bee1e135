//! Tokens from memory for eight apps at once, each on its open connection.

use std::path::Path;
use std::sync::Barrier;

use crate::app::App;
use crate::figures::{heading, timed};
use crate::pair::Pair;

const APPS: usize = 8;
const CALLS: usize = 20_000;
/// Each server's turns; the best counts, because whatever else the machine does only slows.
const TURNS: usize = 5;

pub(crate) fn measure() {
    let pair = Pair::start();
    let (mut ours, mut base) = (0.0_f64, 0.0_f64);
    for _ in 0..TURNS {
        ours = ours.max(per_second(&pair.broker, &pair.call));
        base = base.max(per_second(&pair.nothing, &pair.call));
    }
    heading(&format!("warm tokens a second for {APPS} apps at once, open connections"));
    println!("  {:<44} {ours:>9.0}", "the broker");
    println!("  {:<44} {base:>9.0}", "nothing");
    println!("  {:<44} {:>9.2}x", "ratio", ours / base);
}

fn per_second(socket: &Path, call: &str) -> f64 {
    let start = Barrier::new(APPS + 1);
    std::thread::scope(|scope| {
        let app = || {
            let mut app = App::connect(socket);
            start.wait();
            (0..CALLS).for_each(|_| app.token(call));
        };
        let apps: Vec<_> = (0..APPS).map(|_| scope.spawn(app)).collect();
        start.wait();
        let ((), took) = timed(|| apps.into_iter().for_each(|app| app.join().unwrap()));
        f64::from(u32::try_from(APPS * CALLS).unwrap()) / took.as_secs_f64()
    })
}
