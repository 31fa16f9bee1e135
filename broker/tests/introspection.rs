//! The interface files in `packaging/linux/dbus-1/interfaces` say exactly what the daemon serves.
//!
//! After a change of an interface the files are written anew by
//! `UPDATE_INTERFACES=1 cargo test -p authbroker --test introspection -- --ignored`.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot be set up must fail, and say why"
)]

#[allow(dead_code, unused_imports, reason = "made for the tests in real/, which use all of it")]
#[path = "real/world/mod.rs"]
mod world;

use std::path::Path;

use self::world::{ROOT, Session, issuer, sign_in_at};

const MANAGER: &str = "org.authbroker.Broker1.Manager";
const ACCOUNT: &str = "org.authbroker.Broker1.Account";
const REQUEST: &str = "org.authbroker.Broker1.Request";
const OBJECT_MANAGER: &str = "org.freedesktop.DBus.ObjectManager";

const HEADER: &str =
    "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"
 \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">
";

/// A file as it should be: what an object says of these of its interfaces.
async fn described(session: &Session, path: &str, interfaces: &[&str]) -> String {
    let answer = session.call(path, "org.freedesktop.DBus.Introspectable.Introspect", &[]).await;
    let live = answer[0].as_str().unwrap();
    let blocks: String = interfaces.iter().map(|name| interface(live, name)).collect();
    format!("{HEADER}<node>\n{blocks}</node>\n")
}

/// One interface's element, with its comments, which are the documentation.
fn interface<'a>(live: &'a str, name: &str) -> &'a str {
    let begin = live.find(&format!("  <interface name=\"{name}\">"));
    let begin = begin.unwrap_or_else(|| panic!("{name} in {live}"));
    let end = "</interface>\n";
    &live[begin..begin + live[begin..].find(end).unwrap() + end.len()]
}

/// Compares a file with what it should be; with `UPDATE_INTERFACES`, makes it so.
#[expect(clippy::disallowed_methods, reason = "a switch for who changes an interface")]
fn check(name: &str, expected: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/linux/dbus-1/interfaces");
    let path = folder.join(format!("{name}.xml"));
    if std::env::var_os("UPDATE_INTERFACES").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let installed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(installed, expected, "{name}.xml is not what the daemon serves");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dbus-daemon and busctl: ./test.sh runs it"]
async fn the_packaged_interfaces_are_those_that_the_daemon_serves() {
    let (session, issuer) = (Session::start().await, issuer().await);
    session.configure(issuer.url(), "memory");
    let _broker = session.brokerd().await;
    check(MANAGER, &described(&session, ROOT, &[MANAGER, OBJECT_MANAGER]).await);

    let options = ["ssa{sv}", "dev", "", "1", "detach", "b", "true"];
    let request = session.call(ROOT, &format!("{MANAGER}.Acquire"), &options).await;
    check(REQUEST, &described(&session, request[0].as_str().unwrap(), &[REQUEST]).await);

    sign_in_at(&session.opened_at("/authorize?").await).await;
    let objects = session.call(ROOT, &format!("{OBJECT_MANAGER}.GetManagedObjects"), &[]).await;
    let account = objects[0].as_object().unwrap().keys().next().unwrap();
    check(ACCOUNT, &described(&session, account, &[ACCOUNT]).await);
}
