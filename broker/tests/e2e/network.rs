//! A network that goes and comes back. Each test has one of its own: it runs itself again in a
//! network namespace, in which it is root.

use std::process::Stdio;

use authbroker_client::{ErrorCode, TokenRequest};
use tokio::process::Command;

use crate::stand::{LIMIT, Stand};

/// Set where a test runs in a network of its own.
const OWN_NETWORK: &str = "AUTHBROKER_TEST_OWN_NETWORK";

/// Whether this is the run in a network of its own. The other one makes that run.
pub(crate) async fn in_own_network(test: &str) -> bool {
    #[expect(clippy::disallowed_methods, reason = "one run of a test tells it to the other")]
    if std::env::var_os(OWN_NETWORK).is_some() {
        return true;
    }
    let mut again = Command::new("unshare");
    if !rustix::process::getuid().is_root() {
        again.args(["--user", "--map-root-user"]);
    }
    again.arg("--net").arg("--").arg(std::env::current_exe().unwrap());
    again.args(["--exact", test, "--ignored"]).env(OWN_NETWORK, "").kill_on_drop(true);
    let output = tokio::time::timeout(LIMIT * 2, again.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    false
}

pub(crate) async fn loopback(state: &str) {
    let mut ip = Command::new("ip");
    let status = ip.args(["link", "set", "lo", state]).stdin(Stdio::null()).status().await.unwrap();
    assert!(status.success());
}

#[tokio::test]
#[ignore = "needs unshare and ip, for a network of its own: ./test.sh runs it"]
async fn accounts_that_were_offline_are_ready_as_soon_as_the_network_is_back() {
    let name = "accounts_that_were_offline_are_ready_as_soon_as_the_network_is_back";
    if !in_own_network(&format!("network::{name}")).await {
        return;
    }
    loopback("up").await;
    let stand = Stand::new().await;
    let people = [stand.sign_in("alice").await, stand.sign_in("bob").await];
    let app = stand.app().await;
    loopback("down").await;
    let ask = |person: &String| TokenRequest::new().account(person.clone());
    let forced = people.iter().map(|person| app.token(ask(person).force()));
    for failed in futures_util::future::join_all(forced).await {
        assert_eq!(failed.unwrap_err().code(), Some(ErrorCode::Offline));
    }
    for person in &people {
        assert!(app.token(ask(person)).await.is_ok(), "the token at hand is still good");
    }
    let renewals = stand.grants("refresh_token");
    loopback("up").await;
    // Nobody asks for anything from here on.
    let renewed = stand.issuer.wait_for(renewals + 2, |request| {
        request.is_grant("refresh_token") && request.status == Some(200)
    });
    tokio::time::timeout(LIMIT, renewed).await.expect("both are renewed");
    let ready = async {
        while states(&stand).await != ["ready", "ready"] {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, ready).await.expect("both are ready");
    assert_eq!(stand.grants("refresh_token"), renewals + 2, "and asked for once");
}

async fn states(stand: &Stand) -> Vec<String> {
    let accounts = stand.ctl(["accounts", "--json"]).await.json();
    let accounts = accounts.as_array().unwrap().iter();
    accounts.map(|account| account["state"].as_str().unwrap().to_owned()).collect()
}
