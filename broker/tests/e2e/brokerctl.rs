//! The tool at its edges: exit codes, hints, and what a script reads.

use crate::stand::{Stand, run, tool};

#[tokio::test]
async fn without_a_broker_every_command_says_so() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["status", "accounts", "token", "login", "whoami"] {
        let ran = run(tool().arg("--runtime-dir").arg(folder.path()).arg(command)).await;
        ran.assert_fails(6, "no broker is running", "systemctl --user start authbroker.socket");
    }
}

#[tokio::test]
async fn a_failure_in_json_has_the_same_words() {
    let stand = Stand::new().await;
    let ran = stand.ctl(["token", "--json"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (3, ""));
    let document: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(document["error"], "NoSuchAccount");
    assert_eq!(document["hint"], "brokerctl login dev");
}

#[tokio::test]
async fn a_wrong_option_is_wrong_use() {
    assert_eq!(run(tool().args(["token", "--nonsense"])).await.code, 2);
    assert_eq!(run(tool().args(["token", "--min-ttl", "soon"])).await.code, 2);
    let stand = Stand::signed_in().await;
    stand.ctl(["token", "--resource", "not a uri"]).await.assert_fails(2, "is not a resource", "");
    stand.ctl(["token", "--scope", "two words"]).await.assert_fails(2, "is not a scope", "");
}

#[tokio::test]
async fn an_unknown_account_or_provider_is_named() {
    let stand = Stand::signed_in().await;
    stand.ctl(["token", "mallory"]).await.assert_fails(3, "mallory", "brokerctl login");
    stand.ctl(["login", "mallory", "--no-browser"]).await.assert_fails(
        3,
        "mallory",
        "brokerctl login",
    );
    stand.ctl(["logout", "mallory"]).await.assert_fails(3, "mallory", "brokerctl login");
}

#[tokio::test]
async fn accounts_are_listed_for_people_and_for_scripts() {
    let stand = Stand::signed_in().await;
    let accounts = stand.ctl(["accounts", "--json"]).await.json();
    let account = &accounts[0];
    for (name, value) in
        [("provider", "dev"), ("state", "ready"), ("username", "alice"), ("label", "Alice Adams")]
    {
        assert_eq!(account[name], value, "{account}");
    }
    assert_eq!(account["issuer"], stand.issuer.url());
    assert!(account["auth_time"].as_u64().unwrap() > 1_700_000_000);
    let plain = stand.ctl(["accounts"]).await;
    assert!(plain.out.contains("\tdev\talice\tready\t"), "{plain:?}");
}

#[tokio::test]
async fn whoami_tells_what_the_broker_knows_and_what_that_proves() {
    let stand = Stand::new().await;
    let identity = stand.ctl(["whoami", "--json"]).await.json();
    assert_eq!(identity["uid"], rustix::process::getuid().as_raw());
    assert_eq!(identity["level"], 1);
    assert!(identity["executable"].as_str().unwrap().ends_with("/brokerctl"));
    assert_eq!(identity["app"], format!("exe:{}", identity["executable"].as_str().unwrap()));
    assert!(identity["proves"].as_str().unwrap().contains("only the user"));
}

#[tokio::test]
async fn on_an_app_socket_the_tool_is_one_app_among_others() {
    let stand = Stand::signed_in().await;
    let socket = stand.socket();
    let socket = socket.to_str().unwrap();
    assert_eq!(stand.ctl(["token", "--socket", socket]).await.code, 0);
    assert_eq!(stand.ctl(["whoami", "--socket", socket]).await.code, 0);
}

#[tokio::test]
async fn a_configuration_is_checked_without_a_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, "[provider.acme]\nisuer = \"https://a.example\"\n").unwrap();
    let ran = run(tool().args(["config", "check", "--config"]).arg(&file)).await;
    ran.assert_fails(
        7,
        "config.toml:2: unknown key `isuer`; did you mean `issuer`?",
        "mend the file",
    );
    std::fs::write(&file, "[service.backup]\nunit = \"backup.service\"\n").unwrap();
    let ran = run(tool().args(["config", "check", "--config"]).arg(&file)).await;
    ran.assert_fails(7, "not supported by this version yet", "mend the file");
}

#[tokio::test]
async fn a_bad_configuration_leaves_a_running_broker_as_it_was() {
    let stand = Stand::signed_in().await;
    std::fs::write(stand.path("config.toml"), "[provider.dev]\nissuer = 5\n").unwrap();
    stand.ctl(["reload"]).await.assert_fails(7, "config.toml:2", "brokerctl config check");
    assert_eq!(stand.ctl(["token", "--force"]).await.code, 0);
    let status = stand.ctl(["status", "--json"]).await.json();
    assert!(status["config_error"].as_str().unwrap().contains("config.toml:2"), "{status}");
}

#[tokio::test]
async fn status_tells_where_everything_is() {
    let stand = Stand::signed_in().await;
    let status = stand.ctl(["status", "--json"]).await.json();
    assert_eq!(status["accounts"], 1);
    assert_eq!(status["vault"]["state"], "open");
    assert_eq!(status["socket"], stand.socket().to_str().unwrap());
    assert_eq!(status["problems"], serde_json::json!([]));
}

#[tokio::test]
async fn a_taken_port_makes_room_for_the_next_of_the_list() {
    use dev_issuer::{Client, Options};
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (taken_port, free_port) =
        (taken.local_addr().unwrap().port(), free.local_addr().unwrap().port());
    drop(free);
    let options =
        Options { clients: vec![Client::public("desktop-broker", "Broker")], ..Options::default() };
    let extra = format!("redirect = {{ ports = [{taken_port}, {free_port}] }}");
    let stand = Stand::configured(options, &extra).await;
    let login = stand.begin_login([]).await;
    assert!(login.url.contains(&format!("127.0.0.1%3A{free_port}%2Fcallback")), "{}", login.url);
    login.browse("alice").await;
    assert_eq!(login.end().await.code, 0);
}

#[tokio::test]
async fn when_every_listed_port_is_taken_the_person_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let extra = format!("redirect = {{ ports = [{}] }}", taken.local_addr().unwrap().port());
    let stand = Stand::configured(dev_issuer::Options::default(), &extra).await;
    let ran = stand.ctl(["login", "--no-browser"]).await;
    ran.assert_fails(1, "is free", "redirect.ports");
}

#[tokio::test]
async fn a_closed_tab_ends_at_the_deadline_and_its_port_is_closed() {
    let stand = Stand::new().await;
    let login = stand.begin_login(["--timeout", "1s"]).await;
    let url = url::Url::parse(&login.url).unwrap();
    let redirect =
        url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned();
    login.end().await.assert_fails(
        4,
        "nobody finished the sign-in within 1 seconds",
        "sign in again",
    );
    let port = url::Url::parse(&redirect).unwrap().port().unwrap();
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err());
}

#[tokio::test]
async fn a_sign_in_that_nobody_waits_for_any_more_closes_its_port() {
    let stand = Stand::new().await;
    let mut login = stand.begin_login([]).await;
    let url = url::Url::parse(&login.url).unwrap();
    let redirect =
        url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned();
    let port = url::Url::parse(&redirect).unwrap().port().unwrap();
    login.child.kill().await.unwrap();
    // The kernel tells the daemon that its caller has gone; a connect that works now fails soon.
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
