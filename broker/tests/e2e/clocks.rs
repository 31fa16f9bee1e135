//! Clocks that do not agree.
//!
//! A machine that has slept has a boot clock and a monotonic clock that stand far apart: a time
//! namespace makes that without a suspend. A machine with a wrong wall clock is one whose provider
//! lives in the future.

use std::time::Duration;

use authbroker_client::TokenRequest;
use dev_issuer::Options;
use tokio::process::Command;

use crate::stand::{Stand, claims, daemon};

/// The daemon on a machine that has slept for eleven days.
fn after_a_long_sleep(daemon: &Command) -> Command {
    let daemon = daemon.as_std();
    let mut unshare = Command::new("unshare");
    if !rustix::process::getuid().is_root() {
        unshare.args(["--user", "--map-root-user"]);
    }
    unshare.args(["--time", "--boottime", "1000000", "--"]).arg(daemon.get_program());
    unshare.args(daemon.get_args()).env("BROWSER", "true").kill_on_drop(true);
    unshare
}

#[tokio::test]
#[ignore = "needs unshare, for a boot clock of its own: ./test.sh runs it"]
async fn tokens_are_renewed_and_told_by_the_boot_clock_wherever_it_stands() {
    let options = Options { access_ttl: Duration::from_secs(2), ..Options::default() };
    let mut stand = Stand::with(options).await;
    stand.terminate().await;
    let log = std::fs::File::create(stand.path("brokerd.log")).unwrap();
    let mut daemon = after_a_long_sleep(&daemon(stand.folder.path()));
    daemon.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped()).stderr(log);
    stand.start_as(&mut daemon).await;
    stand.sign_in("alice").await;
    let token = stand.app().await.token(TokenRequest::new()).await.unwrap();
    let told = token.expires_at().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let real = claims(token.expose())["exp"].as_u64().unwrap();
    assert!(told <= real && real < told + 60, "{told} and {real}");
    // In use, so it is renewed ahead of its end without being asked for.
    stand.renewed().await;
}

#[tokio::test]
async fn a_clock_that_is_an_hour_behind_the_providers_costs_nobody_a_sign_in() {
    let stand = Stand::new().await;
    stand.issuer.advance_clock(Duration::from_hours(1));
    stand.sign_in("alice").await;
    for _ in 0..2 {
        assert_eq!(stand.ctl(["token", "--force"]).await.code, 0, "{}", stand.log());
    }
    assert_eq!(stand.grants("refresh_token"), 2, "no renewal had to be repeated");
}

#[tokio::test]
async fn a_clock_that_is_set_between_two_renewals_costs_nobody_a_sign_in() {
    let stand = Stand::signed_in().await;
    assert_eq!(stand.ctl(["token", "--force"]).await.code, 0);
    stand.issuer.advance_clock(Duration::from_hours(1));
    assert_eq!(stand.ctl(["token", "--force"]).await.code, 0, "{}", stand.log());
    assert_eq!(stand.grants("refresh_token"), 2, "no renewal had to be repeated");
}
