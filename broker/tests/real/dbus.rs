//! The session bus, spoken by `busctl`, `gdbus` and an app in Python, over a real `dbus-daemon`.

use std::collections::HashMap;

use dev_issuer::user_agent::{Consent, UserAgent};
use dev_issuer::{Fault, Times};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use url::Url;
use zbus::Variant;

use crate::world::{API, NAME, ROOT, Running, Session, eventually, issuer, run, sign_in_at};

const MANAGER: &str = "org.authbroker.Broker1.Manager";
const ACCOUNT: &str = "org.authbroker.Broker1.Account";

impl Session {
    /// Every account on the bus: its path and its properties.
    async fn accounts_on_the_bus(&self) -> Vec<(String, Value)> {
        let objects = "org.freedesktop.DBus.ObjectManager.GetManagedObjects";
        let mut answer = self.call(ROOT, objects, &[]).await;
        let objects = answer[0].as_object_mut().unwrap();
        let account =
            |(path, object): (&String, &mut Value)| (path.clone(), object[ACCOUNT].take());
        objects.iter_mut().map(account).collect()
    }

    async fn bus_app(&self, arguments: &[&str]) -> Running {
        let mut command = self.python("bus_app.py");
        command.args(arguments);
        self.start_program("bus_app", command).await
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon, busctl and gdbus: ./test.sh runs it"]
async fn the_bus_shows_what_the_broker_offers_before_anybody_signs_in() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.configure(issuer.url(), "memory");
    let _broker = session.brokerd().await;

    let table = session.busctl(&["introspect", NAME, ROOT]).await.good();
    let rows: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    let methods = [
        [".WhoAmI", "method", "-", "a{sv}"],
        [".GetToken", "method", "sa{sv}", "a{sv}"],
        [".Acquire", "method", "ssa{sv}", "o"],
        [".GetManagedObjects", "method", "-", "a{oa{sa{sv}}}"],
    ];
    for method in methods {
        assert!(rows.iter().any(|row| row.starts_with(&method)), "{method:?} in {table}");
    }
    let version = session.busctl(&["get-property", NAME, ROOT, MANAGER, "Version"]).await.json();
    assert_eq!(version, json!({"type": "u", "data": 1}));
    let me = session.call(ROOT, &format!("{MANAGER}.WhoAmI"), &[]).await;
    assert_eq!(me[0]["uid"]["data"], rustix::process::getuid().as_raw());
    assert!(me[0]["executable"]["data"].as_str().unwrap().ends_with("/busctl"), "{me}");
    assert_eq!(session.accounts_on_the_bus().await, []);

    let me = session.gdbus(ROOT, &format!("{MANAGER}.WhoAmI"), &[]).await.good();
    assert!(me.contains("'level_name': <'described'>"), "{me}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon, busctl and gdbus: ./test.sh runs it"]
async fn an_error_has_a_name_a_sentence_and_a_hint() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.configure(issuer.url(), "memory");
    let _broker = session.brokerd().await;
    let get_token = format!("{MANAGER}.GetToken");

    let nobody = "nobody is signed in as or at \"dev\"\nhint: brokerctl login dev";
    let refused = session.gdbus(ROOT, &get_token, &["dev", "{}"]).await;
    assert_eq!(refused.code, 1);
    let told = format!("GDBus.Error:org.authbroker.Broker1.Error.NoSuchAccount: {nobody}");
    assert!(refused.stderr.contains(&told), "{refused:?}");
    let call = ["call", NAME, ROOT, MANAGER, "GetToken", "sa{sv}", "dev", "0"];
    let refused = session.busctl(&call).await;
    assert_eq!(refused.stderr, format!("Call failed: {nobody}"));
    let misspelt = "there is no option \"min_tll\"\nhint: ";
    let refused = session.gdbus(ROOT, &get_token, &["", "{'min_tll': <uint32 60>}"]).await;
    assert!(refused.stderr.contains(misspelt), "{refused:?}");
    let call = ["call", NAME, ROOT, MANAGER, "GetToken", "sa{sv}", "", "1", "min_tll", "u", "60"];
    let refused = session.busctl(&call).await;
    assert!(refused.stderr.starts_with(&format!("Call failed: {misspelt}")), "{refused:?}");

    // A program asks for the parts. gdbus shows only what kind of body that is, busctl the sentence,
    // and a monitor all of it.
    let mut monitor = session.command("busctl");
    monitor.args(["--user", "--json=short", "monitor", NAME]);
    let mut monitor = session.start_program("monitor", monitor).await;
    let is_monitoring = async || monitor.errors().contains("Monitoring").then_some(());
    eventually("a monitor", is_monitoring).await;
    session.gdbus(ROOT, &get_token, &["", "{'error_details': <true>}"]).await;
    let error = loop {
        let message = monitor.json().await;
        if message["type"] == "error" {
            break message;
        }
    };
    let hint = json!({"hint": {"type": "s", "data": "brokerctl login dev"}});
    assert_eq!(error["payload"], json!({"type": "sa{sv}", "data": ["nobody is signed in", hint]}));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon: ./test.sh runs it"]
async fn who_has_too_many_calls_under_way_is_told_so_and_nobody_else_notices() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.configure(issuer.url(), "memory");
    let _broker = session.brokerd().await;
    session.sign_in().await;
    issuer.inject(Fault::refresh_hang(), Times::Always);
    let bus = async || {
        let address = session.bus_address();
        zbus::connection::Builder::address(address.as_str()).build().await.unwrap()
    };
    let greedy = bus().await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let greedy = greedy.clone();
        calls.spawn(async move {
            let body = ("", HashMap::from([("force", Variant::from(true))]));
            let call = greedy.call_method(Some(NAME), ROOT, Some(MANAGER), "GetToken", &body);
            call.await.unwrap_err().to_string()
        });
    }
    // Those that wait for the provider wait longer.
    let refused = calls.join_next().await.unwrap().unwrap();
    assert!(refused.contains("Error.Busy"), "{refused}");
    let who = bus().await.call_method(Some(NAME), ROOT, Some(MANAGER), "WhoAmI", &()).await;
    who.unwrap();
    session.brokerctl(&["token"]).await.good();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon, busctl and gdbus: ./test.sh runs it"]
async fn busctl_signs_in_and_out_though_it_leaves_at_once() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.configure(issuer.url(), "memory");
    let _broker = session.brokerd().await;

    let options = ["ssa{sv}", "dev", "", "2", "handle_token", "s", "first", "detach", "b", "true"];
    let request = session.call(ROOT, &format!("{MANAGER}.Acquire"), &options).await;
    let path = request[0].as_str().unwrap();
    assert!(path.starts_with(&format!("{ROOT}/requests/1_")) && path.ends_with("/first"), "{path}");
    sign_in_at(&session.opened_at("/authorize?").await).await;

    let (path, account) = session.accounts_on_the_bus().await.remove(0);
    let property = |name: &str| account[name]["data"].as_str().unwrap().to_owned();
    assert_eq!((property("Provider"), property("Issuer")), ("dev".into(), issuer.url().into()));
    assert_eq!((property("State"), property("Label")), ("ready".into(), "Alice Adams".into()));
    let read = session.busctl(&["get-property", NAME, &path, ACCOUNT, "Username"]).await.json();
    assert_eq!(read, account["Username"]);

    let options = ["sa{sv}", "dev", "2", "resource", "as", "1", API, "min_ttl", "u", "60"];
    let token = session.call(ROOT, &format!("{MANAGER}.GetToken"), &options).await;
    assert_eq!(token[0]["token_type"]["data"], "Bearer");
    assert_eq!(token[0]["resource"]["data"], json!([API]));
    assert_eq!(token[0]["account"]["data"], account["Id"]["data"]);
    assert_eq!(token[0]["access_token"]["data"].as_str().unwrap().split('.').count(), 3);

    session
        .call(&path, &format!("{ACCOUNT}.SignOut"), &["a{sv}", "1", "detach", "b", "true"])
        .await;
    let gone = async || session.accounts_on_the_bus().await.is_empty().then_some(());
    eventually("the account's end", gone).await;
    session.opened_at("/end_session?").await;
    assert!(issuer.requests().iter().any(|request| request.path == "/revoke"));
    let property = session.busctl(&["get-property", NAME, &path, ACCOUNT, "State"]).await;
    assert!(property.stderr.contains("Unknown object"), "{property:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon, busctl, gdbus and python: ./test.sh runs it"]
async fn two_apps_that_wait_for_the_same_sign_in_share_one_browser() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.configure(issuer.url(), "memory");
    let _broker = session.brokerd().await;

    let mut apps = [
        session.bus_app(&["acquire", "dev", "a"]).await,
        session.bus_app(&["acquire", "dev", "b"]).await,
    ];
    for (app, token) in apps.iter_mut().zip(["a", "b"]) {
        let expected = app.json().await["requests"].as_str().unwrap().to_owned() + token;
        // The answer and the first signals may come in either order.
        let (mut answered, mut sent) = (false, false);
        while !(answered && sent) {
            let news = app.json().await;
            answered |= news["answer"] == json!([expected]);
            sent |= news["body"][0] == "browser-opened" && news["path"] == expected.as_str();
        }
    }
    sign_in_at(&session.opened_at("/authorize?").await).await;
    for mut app in apps {
        let response = loop {
            let news = app.json().await;
            if news["signal"] == "Response" {
                break news;
            }
        };
        assert_eq!(response["body"][0], 0, "{response}");
        assert!(response["body"][1]["account"].as_str().unwrap().starts_with("dev-"), "{response}");
        assert!(app.ended().await.success());
    }
    assert_eq!(session.opened().len(), 1, "{:?}", session.opened());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon, busctl, gdbus and python: ./test.sh runs it"]
async fn an_app_is_told_the_code_for_another_device_and_may_have_its_page_opened() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.configure(issuer.url(), "memory");
    session.add_to_configuration("[vault]", "flow = \"device\"\n[vault]");
    let _broker = session.brokerd().await;

    let mut app = session.bus_app(&["acquire", "dev", "code"]).await;
    let told = loop {
        let news = app.json().await;
        if news["signal"] == "Progress" {
            break news["body"].clone();
        }
    };
    assert_eq!(told[0], "device-code");
    let details = &told[1];
    let (page, code) = (details["url"].as_str().unwrap(), details["user_code"].as_str().unwrap());
    assert_eq!(details["url_complete"], format!("{page}?user_code={code}"));
    assert!((1..=600).contains(&details["expires_in"].as_u64().unwrap()), "{details}");
    let browser = UserAgent::new().unwrap();
    browser.answer_device(page, code, "alice", "wonderland", Consent::Allow).await.unwrap();
    let response = loop {
        let news = app.json().await;
        if news["signal"] == "Response" {
            break news;
        }
    };
    assert_eq!(response["body"][0], 0, "{response}");
    assert_eq!(session.opened(), Vec::<String>::new(), "nobody asked for a browser");

    let options = ["ssa{sv}", "dev", "", "3", "detach", "b", "true", "open", "b", "true"];
    let more = ["acr_values", "as", "1", "urn:stronger"];
    session.call(ROOT, &format!("{MANAGER}.Acquire"), &[&options[..], &more].concat()).await;
    session.opened_at("/device?user_code=").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon, busctl, gdbus and python: ./test.sh runs it"]
async fn a_request_dies_with_its_sender() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.configure(issuer.url(), "memory");
    let _broker = session.brokerd().await;

    let app = session.bus_app(&["acquire", "dev", "mine"]).await;
    let address = Url::parse(&session.opened_at("/authorize?").await).unwrap();
    let redirect = address.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1;
    let port = Url::parse(&redirect).unwrap().port().unwrap();
    TcpStream::connect(("127.0.0.1", port)).await.unwrap();

    drop(app);
    let closed = async || TcpStream::connect(("127.0.0.1", port)).await.err();
    eventually("a closed port", closed).await;
    let no_request = async || {
        let paths = session.busctl(&["tree", "--list", NAME]).await.good();
        (!paths.contains("/mine")).then_some(())
    };
    eventually("the request's end", no_request).await;

    // The same by a program that was not killed: gdbus leaves as soon as it has its answer.
    let acquire = format!("{MANAGER}.Acquire");
    let options = ["dev", "", "{'handle_token': <'left'>}"];
    let path = session.gdbus(ROOT, &acquire, &options).await.good();
    assert!(path.contains("/left"), "{path}");
    let no_request = async || {
        let paths = session.busctl(&["tree", "--list", NAME]).await.good();
        (!paths.contains("/left")).then_some(())
    };
    eventually("the request's end", no_request).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon, busctl, gdbus and python: ./test.sh runs it"]
async fn an_app_that_listed_the_accounts_hears_of_each_change() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.configure(issuer.url(), "memory");
    let _broker = session.brokerd().await;
    let mut early = session.bus_app(&["watch"]).await;
    early.json().await;
    assert_eq!(early.json().await, json!({"answer": [{}]}));

    let id = session.sign_in().await;
    let added = early.json().await;
    assert_eq!(added["signal"], "InterfacesAdded");
    let path = added["body"][0].as_str().unwrap();
    assert_eq!(added["body"][1][ACCOUNT]["Id"], id.as_str());
    assert_eq!(added["body"][1][ACCOUNT]["State"], "ready");

    // One that comes now has been shown the account, and is told of its changes only.
    let mut late = session.bus_app(&["watch"]).await;
    late.json().await;
    assert_eq!(late.json().await["answer"][0][path][ACCOUNT]["Id"], id.as_str());
    issuer.inject(Fault::refresh_invalid_grant(), Times::Once);
    let ended = session.brokerctl(&["token", "--force"]).await;
    assert_eq!(ended.code, 3, "{ended:?}");
    for app in [&mut early, &mut late] {
        let changed = app.json().await;
        assert_eq!(
            (&changed["signal"], &changed["path"]),
            (&json!("PropertiesChanged"), &json!(path))
        );
        assert_eq!(changed["body"][0], ACCOUNT);
        assert_eq!(changed["body"][1]["State"], "revoked", "{changed}");
        assert_eq!(changed["body"][1]["Id"], Value::Null, "only what changed: {changed}");
    }

    session.brokerctl(&["logout", "--local"]).await.good();
    for app in [&mut early, &mut late] {
        let removed = loop {
            let news = app.json().await;
            if news["signal"] != "PropertiesChanged" {
                break news;
            }
        };
        assert_eq!(removed["signal"], "InterfacesRemoved", "{removed}");
        assert_eq!(removed["body"], json!([path, [ACCOUNT]]));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon, busctl and gdbus: ./test.sh runs it"]
async fn signals_are_not_broadcast_to_whoever_listens() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.configure(issuer.url(), "memory");
    let broker = session.brokerd().await;
    let mut monitor = session.command("gdbus");
    monitor.args(["monitor", "--session", "--dest", NAME]);
    let mut monitor = session.start_program("gdbus-monitor", monitor).await;
    assert!(monitor.line().await.starts_with("Monitoring signals"));
    assert!(monitor.line().await.contains("is owned by"));

    session.sign_in().await;
    assert!(broker.end().await.success());
    // The next thing it hears is the broker's end: nothing of what changed in between.
    assert!(monitor.line().await.ends_with("does not have an owner"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon, busctl and gdbus: ./test.sh runs it"]
async fn the_name_cannot_be_taken_over() {
    let session = Session::start().await;
    let broker = session.brokerd().await;
    // Allowing replacement, replacing, not queueing; the answer 3 is "exists".
    let taken = session.ask_bus("RequestName", &["su", NAME, "7"]).await;
    assert_eq!(taken, json!([3]));
    let pid = session.ask_bus("GetConnectionUnixProcessID", &["s", NAME]).await;
    assert_eq!(pid, json!([broker.pid().as_raw_nonzero().get()]));

    // A second broker with folders of its own serves its sockets and says that it has no name.
    let mut second = session.command(env!("CARGO_BIN_EXE_brokerd"));
    second.args(["--ready-fd", "1", "--runtime-dir", "second/run", "--state-dir", "second/state"]);
    let mut second = session.start_program("second", second).await;
    second.line().await;
    assert!(second.errors().contains("another process has the name"), "{}", second.errors());
    let status =
        session.brokerctl(&["--runtime-dir", "second/run", "status", "--json"]).await.json();
    assert_eq!(status["bus"], false);
    second.end().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon, busctl and gdbus: ./test.sh runs it"]
async fn the_bus_starts_the_broker_when_it_is_called() {
    let session = Session::start().await;
    let packaged =
        include_str!("../../../packaging/linux/dbus-1/services/org.authbroker.Broker1.service");
    let here = packaged.replace("/usr/bin/brokerd", env!("CARGO_BIN_EXE_brokerd"));
    std::fs::create_dir(session.path("services")).unwrap();
    std::fs::write(session.path("services/org.authbroker.Broker1.service"), here).unwrap();
    let reload = ["org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus"];
    session.busctl(&[&["call"], &reload[..], &["ReloadConfig"]].concat()).await.good();

    let who = session.call(ROOT, &format!("{MANAGER}.WhoAmI"), &[]).await;
    assert_eq!(who[0]["level_name"]["data"], "described");
    let status = session.brokerctl(&["status", "--json"]).await.json();
    let pid = status["pid"].as_i64().unwrap().to_string();
    // It belongs to the bus, not to this test; so it is ended by its number.
    let mut kill = session.command("kill");
    kill.arg(&pid);
    run(kill).await.good();
    let gone = async || (!std::path::Path::new("/proc").join(&pid).exists()).then_some(());
    eventually("the end of the broker", gone).await;
}
