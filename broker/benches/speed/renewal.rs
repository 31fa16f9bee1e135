//! What a renewal costs beyond the provider's own time: the note, the answer read with care, and the
//! new refresh token on the disk before the access token is handed out.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use crate::app::{App, force_token};
use crate::broker::Broker;
use crate::figures::{Times, compare, in_turn, timed, told};
use crate::provider::{Answers, Provider};

const RENEWALS: usize = 500;

pub(crate) fn measure() {
    let provider = Provider::start(Answers::AtOnce);
    let (broker, accounts) = Broker::start(&[("bench", &provider, 1)]);
    let (mut app, force) = (App::connect(&broker.socket()), force_token(&accounts[0]));
    app.token(&force);
    let (ours, base) = in_turn(RENEWALS, || app.token(&force), || provider.ask());
    compare(
        "a renewal, durable, at a provider that answers at once",
        ("through the broker", &ours),
        ("the provider alone", &base),
    );
    let added = |percent| told(ours.percentile(percent).saturating_sub(base.percentile(percent)));
    println!("  {:<44} p50 {:>9}  p99 {:>9}", "added by the broker", added(50), added(99));
    let disk: Times = (0..RENEWALS).map(|_| timed(|| write_durably(broker.folder())).1).collect();
    disk.print("one durable write of one file, by hand");
}

/// The least that a durable write takes: a new file, flushed, put in place, and the folder flushed.
fn write_durably(folder: &Path) {
    let (new, old) = (folder.join("new"), folder.join("old"));
    let mut file = File::create(&new).unwrap();
    file.write_all(&[0; 512]).unwrap();
    file.sync_all().unwrap();
    std::fs::rename(new, old).unwrap();
    File::open(folder).unwrap().sync_all().unwrap();
}
