//! A script's view: a whole `brokerctl token`, beside a program that does nothing.

use std::process::{Command, Stdio};

use crate::app::{App, get_token};
use crate::broker::Broker;
use crate::figures::{compare, in_turn, told};
use crate::provider::{Answers, Provider};

const RUNS: usize = 500;

pub(crate) fn measure() {
    let provider = Provider::start(Answers::AtOnce);
    let (broker, accounts) = Broker::start(&[("bench", &provider, 1)]);
    App::connect(&broker.socket()).token(&get_token(&accounts[0]));
    let run = |command: &mut Command| {
        let ran = command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
        assert!(ran.success(), "{ran}");
    };
    let (ours, base) = in_turn(
        RUNS,
        || {
            let mut tool = Command::new(env!("CARGO_BIN_EXE_brokerctl"));
            run(tool.arg("--runtime-dir").arg(broker.folder().join("run")).arg("token"));
        },
        || run(&mut Command::new("true")),
    );
    compare("a whole process, a token from memory", ("brokerctl token", &ours), ("true", &base));
    let added = |percent| told(ours.percentile(percent).saturating_sub(base.percentile(percent)));
    println!("  {:<44} p50 {:>9}  p99 {:>9}", "more than true", added(50), added(99));
}
