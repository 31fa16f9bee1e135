//! A monitor on the session bus, as any program of the user can be one: what it sees, and that no
//! token is in it where an app takes care.

use authbroker_client::{Client, Door, TokenRequest};
use serde_json::{Value, json};

use crate::world::{API, NAME, Running, Session, eventually, issuer, run};

/// By this a run of this file's tests knows that it is the app in one of them.
const APP: &str = "AUTHBROKER_TEST_APP";

impl Session {
    /// Starts a monitor that prints everything on the bus.
    async fn listener(&self) -> Running {
        let mut monitor = self.command("dbus-monitor");
        monitor.arg("--session");
        let mut monitor = self.start_program("monitor", monitor).await;
        // It begins with its own way onto the bus.
        while !monitor.line().await.contains("NameLost") {}
        monitor
    }

    /// Gets a token and headers with `bus_token.py`.
    async fn bus_token(&self, arguments: &[&str]) -> Value {
        let mut command = self.python("bus_token.py");
        command.args(arguments);
        run(command).await.json()
    }

    /// Runs `the_app` below as a process of this session.
    async fn app(&self, door: &str) -> Value {
        let mut app = self.command(std::env::current_exe().unwrap());
        app.args(["--exact", "monitor::the_app", "--ignored", "--nocapture"]).env(APP, door);
        let out = run(app).await.good();
        let line = out.lines().find(|line| line.starts_with('{')).unwrap();
        serde_json::from_str(line).unwrap()
    }

    /// What a monitor has seen once a call of ours has gone by, from which it learns nothing.
    async fn seen_by(&self, mut monitor: Running) -> String {
        self.ask_bus("NameHasOwner", &["s", "org.authbroker.test.TheEnd"]).await;
        let mut seen = String::new();
        while !seen.contains("org.authbroker.test.TheEnd") {
            seen += &monitor.line().await;
            seen.push('\n');
        }
        seen
    }
}

/// No test: an app that uses the client library, in a process of its own.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the part of the test of the monitor that is the app"]
#[expect(clippy::print_stdout, clippy::disallowed_methods, reason = "it is a program by itself")]
async fn the_app() {
    let client = match std::env::var(APP).as_deref() {
        Ok("bus") => Client::connect_to(Door::SessionBus).await.unwrap(),
        Ok(_) => Client::connect().await.unwrap(),
        Err(_) => return,
    };
    let wanted = TokenRequest::new().account("dev").resource(API);
    let headers = client.headers("GET", &format!("{API}/mail"), &wanted).await.unwrap();
    let token = client.token(wanted).await.unwrap();
    let refused = client.token(TokenRequest::new().account("nobody")).await.unwrap_err();
    let told = json!({
        "token": token.expose(),
        "authorization": headers.headers["Authorization"].expose(),
        "refused": refused.to_string(),
        "hint": refused.hint(),
    });
    println!("\n{told}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon, dbus-monitor and python: ./test.sh runs it"]
async fn a_monitor_of_the_bus_sees_no_token_of_an_app_that_takes_care() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.configure(issuer.url(), "memory");
    let _broker = session.brokerd().await;
    session.sign_in().await;
    let monitor = session.listener().await;

    let mut secrets = Vec::new();
    for door in ["any", "bus"] {
        let told = session.app(door).await;
        let token = told["token"].as_str().unwrap();
        assert_eq!(token.split('.').count(), 3);
        assert_eq!(told["authorization"], format!("Bearer {token}"));
        assert_eq!(told["refused"], "nobody is signed in as or at \"nobody\"");
        assert!(told["hint"].as_str().unwrap().starts_with("brokerctl"), "{told}");
        secrets.push(token.to_owned());
    }
    let told = session.bus_token(&["pair", "GetToken", "dev"]).await;
    assert_eq!(told["sink"]["token_type"], "Bearer", "{told}");
    assert_eq!(told["sink"]["account"], told["reply"][0]["account"]);
    assert!(told["reply"][0]["access_token"].is_null(), "{told}");
    assert_eq!(told["shut"], true);
    secrets.push(told["sink"]["access_token"].as_str().unwrap().to_owned());
    let address = format!("{API}/mail");
    let told = session.bus_token(&["pair", "GetHeaders", "dev", &address]).await;
    assert_eq!(told["reply"][0], json!({}));
    let header = told["sink"]["headers"]["Authorization"].as_str().unwrap();
    secrets.push(header.strip_prefix("Bearer ").unwrap().to_owned());

    let seen = session.seen_by(monitor).await;
    assert!(seen.matches("member=GetToken").count() >= 2, "it saw the calls: {seen}");
    assert!(seen.contains("member=GetHeaders"), "{seen}");
    for secret in secrets {
        assert!(!seen.contains(&secret), "a token on the bus");
        let signature = secret.rsplit('.').next().unwrap();
        assert!(!seen.contains(signature), "a part of a token on the bus");
    }

    // What is asked for without a sink stands there for all to read: that is why there is one.
    let monitor = session.listener().await;
    let call = ["call", NAME, "/org/authbroker/Broker1", "org.authbroker.Broker1.Manager"];
    let call = [&call[..], &["GetToken", "sa{sv}", "dev", "0"]].concat();
    let token = session.busctl(&call).await.json();
    let token = token["data"][0]["access_token"]["data"].as_str().unwrap();
    assert!(session.seen_by(monitor).await.contains(token));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon, gdbus and python: ./test.sh runs it"]
async fn a_sink_that_others_could_read_or_that_is_none_is_refused() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.configure(issuer.url(), "memory");
    let _broker = session.brokerd().await;
    session.sign_in().await;
    for kind in ["pipe", "datagrams", "named", "file"] {
        let told = session.bus_token(&[kind, "GetToken", "dev"]).await;
        assert_eq!(told["error"], "org.authbroker.Broker1.Error.InvalidArgs", "{kind}: {told}");
        let text = told["reply"][0].as_str().unwrap();
        assert!(text.starts_with("the sink cannot be used: "), "{kind}: {text}");
        assert!(text.contains("\nhint: give one end of a Unix stream socket pair"), "{text}");
    }
    let call = ["dev", "{'sink': <'nothing'>}"];
    let method = "org.authbroker.Broker1.Manager.GetToken";
    let refused = session.gdbus("/org/authbroker/Broker1", method, &call).await;
    assert!(refused.stderr.contains("must be a file descriptor (h)"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon and busctl: ./test.sh runs it"]
async fn the_log_level_is_changed_while_the_broker_runs() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.configure(issuer.url(), "memory");
    let mut command = session.command(env!("CARGO_BIN_EXE_brokerd"));
    command.args(["--ready-fd", "1"]);
    let mut broker = session.start_program("brokerd", command).await;
    broker.line().await;

    let log = [NAME, "/org/freedesktop/LogControl1", "org.freedesktop.LogControl1"];
    let get = async |name| {
        let call = [&["get-property"], &log[..], &[name]].concat();
        session.busctl(&call).await.json()["data"].take()
    };
    let set = async |name, value| {
        session.busctl(&[&["set-property"], &log[..], &[name, "s", value]].concat()).await
    };
    assert_eq!(get("LogLevel").await, "info");
    assert_eq!(get("SyslogIdentifier").await, "brokerd");
    assert_eq!(get("LogTarget").await, "console");

    set("LogLevel", "err").await.good();
    assert_eq!(get("LogLevel").await, "err");
    set("LogLevel", "debug").await.good();
    assert_eq!(get("LogLevel").await, "debug");
    let told = async || broker.errors().contains("the log level is debug now").then_some(());
    eventually("a line about the level", told).await;
    // At the level "err" nobody is told what it is.
    assert!(!broker.errors().contains("the log level is err now"), "{}", broker.errors());

    let refused = set("LogLevel", "loud").await;
    assert!(refused.stderr.contains("say one of err"), "{refused:?}");
    let refused = set("LogTarget", "kmsg").await;
    assert!(refused.stderr.contains("the log goes to the console"), "{refused:?}");
}
