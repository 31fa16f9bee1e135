//! What the daemon takes of the machine's memory (PSS), with a token for each account.

use std::fs;

use crate::app::{App, get_token};
use crate::broker::Broker;
use crate::figures::heading;
use crate::provider::{Answers, Provider};

/// So many accounts, few and many.
const ACCOUNTS: [usize; 2] = [20, 1000];

pub(crate) fn measure() {
    heading("memory of the daemon (PSS), a token held for each account");
    let [few, many] = ACCOUNTS.map(kibibytes);
    for (accounts, taken) in ACCOUNTS.iter().zip([few, many]) {
        println!("  {:<44} {:>9.1} MiB", format!("{accounts} accounts"), taken / 1024.0);
    }
    let [few_accounts, many_accounts] = ACCOUNTS.map(|n| f64::from(u32::try_from(n).unwrap()));
    let each = (many - few) / (many_accounts - few_accounts);
    println!("  {:<44} {each:>9.1} KiB", "each further account");
}

fn kibibytes(accounts: usize) -> f64 {
    let provider = Provider::start(Answers::AtOnce);
    let (broker, ids) = Broker::start(&[("bench", &provider, accounts)]);
    let mut app = App::connect(&broker.socket());
    for id in &ids {
        app.token(&get_token(id));
    }
    let told = fs::read_to_string(format!("/proc/{}/smaps_rollup", broker.pid())).unwrap();
    let pss = told.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap();
    pss.trim().trim_end_matches(" kB").parse().unwrap()
}
