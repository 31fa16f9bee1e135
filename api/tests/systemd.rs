//! systemd's side: the packaged unit, and the readiness that it waits for.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_private-api");

/// The packaged unit with this build's program in the place of the installed one.
fn unit(folder: &Path) -> PathBuf {
    let packaged = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../packaging/linux/systemd/system/private-api.service"
    );
    let text = std::fs::read_to_string(packaged).unwrap();
    let path = folder.join("private-api.service");
    std::fs::write(&path, text.replace("/usr/bin/private-api", PROGRAM)).unwrap();
    path
}

fn analyze(arguments: &[&str], unit: &Path) -> Output {
    Command::new("systemd-analyze").args(arguments).arg(unit).output().unwrap()
}

#[test]
#[ignore = "needs systemd-analyze: ./test.sh runs it"]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    // man=no: the manual pages come with the package.
    let verdict = analyze(&["--man=no", "verify"], &unit(folder.path()));
    let said = String::from_utf8(verdict.stderr).unwrap();
    let about_ours: Vec<_> = said.lines().filter(|line| line.contains("private-api")).collect();
    assert!(verdict.status.success() && about_ours.is_empty(), "{said}");
}

/// R24: what the process cannot do, nobody can make it do.
#[test]
#[ignore = "needs systemd-analyze: ./test.sh runs it"]
fn systemd_rates_the_unit_as_safe() {
    let folder = tempfile::tempdir().unwrap();
    // Tenths: 20 of 100 is "OK" with room to the next word, and 100 is no protection at all.
    let verdict = analyze(&["security", "--offline=true", "--threshold=20"], &unit(folder.path()));
    assert!(verdict.status.success(), "{}", String::from_utf8_lossy(&verdict.stdout));
}

#[test]
fn the_program_tells_its_supervisor_when_it_serves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
    let arguments = ["--issuer", "http://127.0.0.1:9", "--audience", "urn:a"];
    let mut child = Command::new(PROGRAM)
        .args(arguments)
        .args(["--listen", "127.0.0.1:0"])
        .env_clear()
        .env("NOTIFY_SOCKET", &path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut message = [0; 64];
    let length = socket.recv(&mut message);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(&message[..length.unwrap()], b"READY=1\n");
}
