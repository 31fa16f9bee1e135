//! What the machine brings: ports that are taken, several sign-ins at once, answers swapped.

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};

use dev_issuer::user_agent::{Consent, UserAgent};
use dev_issuer::{Client, Issuer, Options};
use url::Url;

use super::Ordeal;
use crate::network::{in_own_network, loopback};
use crate::stand::{Login, Stand};

/// A port that somebody else has.
fn taken() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn of_several_ports_the_first_that_is_free_is_taken() {
    let ((_one, first), (two, second)) = (taken(), taken());
    let config = format!("redirect = {{ ports = [{first}, {second}] }}");
    let stand = Stand::configured(Options::default(), &config).await;
    let none = stand.ctl(["login", "--no-browser"]).await;
    none.assert_fails(
        1,
        &format!("none of the ports [{first}, {second}] is free"),
        "redirect.ports",
    );
    drop(two);
    let login = stand.begin_login([]).await;
    assert_eq!(login.parameter("redirect_uri"), format!("http://127.0.0.1:{second}/callback"));
    login.browse("alice").await;
    assert_eq!(login.end().await.code, 0);
}

#[tokio::test]
async fn localhost_is_served_on_both_addresses() {
    signs_in_by_localhost(TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()).await;
}

#[tokio::test]
#[ignore = "needs unshare and ip, for a network of its own: ./test.sh runs it"]
async fn localhost_is_served_on_the_one_address_there_is_without_ipv6() {
    let name = "faults::machine::localhost_is_served_on_the_one_address_there_is_without_ipv6";
    if !in_own_network(name).await {
        return;
    }
    loopback("up").await;
    std::fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1").unwrap();
    assert!(TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err(), "IPv6 is off");
    signs_in_by_localhost(false).await;
    let config = "redirect = { host = \"[::1]\" }";
    let stand = Stand::configured(Options::default(), config).await;
    let ran = stand.ctl(["login", "--no-browser"]).await;
    ran.assert_fails(1, "no port could be opened at [::1]", "redirect.host");
}

async fn signs_in_by_localhost(has_ipv6: bool) {
    // Such providers compare literally, and so does this one: the port is agreed on beforehand.
    let port = taken().1;
    let mut client = Client::public("desktop-broker", "Desktop Broker");
    client.redirect_uris = vec![format!("http://localhost:{port}/callback")];
    let options = Options { clients: vec![client], ..Options::default() };
    let config = format!("redirect = {{ host = \"localhost\", ports = [{port}] }}");
    let stand = Stand::configured(options, &config).await;
    let login = stand.begin_login([]).await;
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
    assert_eq!(TcpStream::connect((Ipv6Addr::LOCALHOST, port)).is_ok(), has_ipv6);
    let visit = login.browse("alice").await;
    assert_eq!(visit.status, 200, "{visit:?}");
    assert_eq!(login.end().await.code, 0);
}

#[tokio::test]
async fn a_port_that_another_program_has_at_one_address_of_localhost_is_not_shared_with_it() {
    let Ok(other) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else { return };
    let port = other.local_addr().unwrap().port();
    let config = format!("redirect = {{ host = \"localhost\", ports = [{port}] }}");
    let stand = Stand::configured(Options::default(), &config).await;
    let ran = stand.ctl(["login", "--no-browser"]).await;
    ran.assert_fails(1, &format!("none of the ports [{port}] is free"), "redirect.ports");
}

#[tokio::test]
async fn two_sign_ins_at_one_provider_run_side_by_side() {
    let ordeal = Ordeal::new().await;
    let one = ordeal.stand.begin_login([]).await;
    let other = ordeal.stand.begin_login(["--resource", "https://other.example"]).await;
    for name in ["redirect_uri", "state", "nonce", "code_challenge"] {
        assert_ne!(one.parameter(name), other.parameter(name), "{name}");
    }
    // The one that began last ends first.
    assert_eq!(other.browse("bob").await.status, 200);
    assert_eq!(one.browse("alice").await.status, 200);
    let (one, other) = (one.end().await, other.end().await);
    assert_ne!(one.line(), other.line());
    assert_eq!(ordeal.stand.vault_files().await, 2);
}

#[tokio::test]
async fn two_who_ask_for_the_same_sign_in_share_it() {
    let ordeal = Ordeal::new().await;
    let (one, other) = (ordeal.stand.begin_login([]).await, ordeal.stand.begin_login([]).await);
    assert_eq!(one.url, other.url);
    assert_eq!(one.browse("alice").await.status, 200);
    assert_eq!(one.end().await.line(), other.end().await.line());
    assert_eq!(ordeal.stand.grants("authorization_code"), 1);
}

/// A stand with a second provider, and a sign-in under way at each.
async fn at_two_providers() -> (Stand, Issuer, [Login; 2]) {
    let stand = Stand::new().await;
    let other = Issuer::start(Options::default()).await.unwrap();
    let provider =
        format!("[provider.other]\nissuer = {:?}\nclient_id = \"desktop-broker\"\n", other.url());
    stand.reconfigure(|text| format!("default_account = \"dev\"\n{text}{provider}")).await;
    let logins = [stand.begin_login(["dev"]).await, stand.begin_login(["other"]).await];
    (stand, other, logins)
}

fn codes_redeemed(issuer: &Issuer) -> usize {
    issuer.requests().iter().filter(|request| request.is_grant("authorization_code")).count()
}

/// `answer` at the address where another sign-in waits.
fn moved(answer: &Url, to: &Login) -> Url {
    let mut moved = Url::parse(&to.parameter("redirect_uri")).unwrap();
    moved.set_query(answer.query());
    moved
}

#[tokio::test]
async fn answers_of_two_providers_that_are_swapped_are_both_passed_over() {
    let (stand, other, [at_dev, at_other]) = at_two_providers().await;
    let (from_dev, from_other) = (at_dev.answer("alice").await, at_other.answer("bob").await);
    let browser = UserAgent::new().unwrap();
    for swapped in [moved(&from_dev, &at_other), moved(&from_other, &at_dev)] {
        assert_eq!(browser.visit(swapped.as_str()).await.unwrap().status, 400);
    }
    assert_eq!((codes_redeemed(&stand.issuer), codes_redeemed(&other)), (0, 0));
    // Neither sign-in is lost for it.
    for right in [from_dev, from_other] {
        assert_eq!(browser.visit(right.as_str()).await.unwrap().status, 200);
    }
    assert_eq!((at_dev.end().await.code, at_other.end().await.code), (0, 0));
}

#[tokio::test]
async fn an_answer_of_another_provider_that_knows_the_state_is_refused() {
    let (stand, other, [at_dev, at_other]) = at_two_providers().await;
    // The mix-up attack: what one provider answers is made to look like the other's answer.
    let mut forged = moved(&at_other.answer("bob").await, &at_dev);
    let state = at_dev.parameter("state");
    let pairs: Vec<_> = forged.query_pairs().into_owned().collect();
    forged.query_pairs_mut().clear().extend_pairs(
        pairs.iter().map(|(name, value)| (name, if name == "state" { &state } else { value })),
    );
    let visit = UserAgent::new().unwrap().visit(forged.as_str()).await.unwrap();
    assert_eq!(visit.status, 400);
    at_dev.end().await.assert_fails(1, "the answer comes from another issuer", "try again");
    assert_eq!((codes_redeemed(&stand.issuer), codes_redeemed(&other)), (0, 0));
}

#[tokio::test]
async fn without_a_browser_the_address_is_shown_and_works_by_hand() {
    let stand = Stand::new().await;
    let mut command = stand.ctl_command();
    command.arg("login").env_remove("BROWSER").env("PATH", "/nonexistent");
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    let mut login = command.spawn().unwrap();
    let url = crate::stand::line_with(login.stderr.as_mut().unwrap(), "http://").await;
    let browser = UserAgent::new().unwrap();
    browser.sign_in(&url, "alice", "wonderland", Consent::Allow).await.unwrap();
    let output = login.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("dev-"));
}
