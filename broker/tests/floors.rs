//! The floors of the house (docs/architecture.md): no file names a word from above it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests expect")]

use std::fs;
use std::path::{Path, PathBuf};

/// Everything above the services, in this crate's words.
const DESK: &[&str] = &[
    "crate::broker",
    "crate::consent",
    "crate::doorkeeper",
    "crate::sessions",
    "crate::sign_ins",
    "crate::providers",
    "crate::setup",
    "crate::checkup",
    "crate::web_identity",
];
const ROOF: &[&str] = &["crate::fronts", "crate::app"];

/// What the file at `path` must not name, beyond what its manifest forbids.
fn above(path: &str) -> Vec<String> {
    let all = |lists: &[&[&str]]| lists.concat().into_iter().map(str::to_owned).collect::<Vec<_>>();
    if path.starts_with("broker/src/platform") {
        return all(&[&["crate::config", "crate::services", "authbroker_client"], DESK, ROOF]);
    }
    if path.starts_with("broker/src/config") || path == "broker/src/telemetry.rs" {
        return all(&[&["crate::services"], DESK, ROOF]);
    }
    if let Some(rest) = path.strip_prefix("broker/src/services/") {
        let own = rest.split(['/', '.']).next().unwrap_or_default();
        let others = services().into_iter().filter(|other| other != own);
        let others = others.map(|other| format!("crate::services::{other}"));
        return others.chain(all(&[&["authbroker_client"], DESK, ROOF])).collect();
    }
    if let Some(rest) = path.strip_prefix("broker/src/fronts/") {
        let neighbour = if rest.starts_with("dbus") { "fronts::varlink" } else { "fronts::dbus" };
        return all(&[&["crate::services", "crate::app", neighbour]]);
    }
    if path.starts_with("broker/src/bin/brokerctl") {
        // `config`, `setup`, `checkup` and `web_identity` work without a daemon; everything else goes
        // through one.
        let inner = ["broker", "fronts", "services", "sessions", "platform", "sign_ins", "app"];
        let inner = inner.into_iter().map(|name| format!("authbroker::{name}"));
        return inner.chain(all(&[&["authbroker_core"]])).collect();
    }
    if path.starts_with("client-lib/src/wire") {
        return all(&[&[
            "crate::client",
            "crate::transport",
            "crate::error",
            "crate::token",
            "crate::blocking",
        ]]);
    }
    match path {
        "broker/src/app.rs" | "broker/src/main.rs" | "broker/src/lib.rs" => Vec::new(),
        _ if path.starts_with("broker/src/") => all(&[&["authbroker_client"], ROOF]),
        _ => Vec::new(),
    }
}

/// Every service there is: a file or a folder each.
fn services() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/services");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let names = entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| name != "mod").collect()
}

#[test]
fn no_file_names_a_word_from_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut seen = 0;
    for file in
        ["broker/src", "client-lib/src"].iter().flat_map(|folder| sources(&root.join(folder)))
    {
        let path = file.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(&file).unwrap();
        for word in above(&path) {
            assert!(!text.contains(&word), "{path} names {word}, which stands above it");
        }
        seen += 1;
    }
    assert!(seen > 50, "only {seen} files were looked at");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    found.filter(|path| path.extension().is_some_and(|ending| ending == "rs")).collect()
}
