//! The same list at the certified `oidc-provider`.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::probe;
use crate::stand::{API, soon};

#[tokio::test]
#[ignore = "needs oidc-provider: ./test.sh runs it"]
async fn a_provider_that_others_wrote_passes_the_same_probe() {
    let folder = tempfile::tempdir().unwrap();
    let (_provider, issuer) = started(folder.path()).await;
    probe(&issuer).await;
}

/// A provider in a process of its own, which writes on after its first line.
struct Running {
    _child: Child,
    _stdout: Lines<BufReader<ChildStdout>>,
}

/// Starts it, with the packages that `./test.sh` installed.
async fn started(folder: &Path) -> (Running, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let packages = root.join(".test/node/node_modules");
    assert!(packages.exists(), "{} is missing: ./test.sh installs it", packages.display());
    let script = folder.join("provider.mjs");
    std::fs::copy(root.join("broker/tests/real/node/provider.mjs"), &script).unwrap();
    std::os::unix::fs::symlink(packages, folder.join("node_modules")).unwrap();
    let mut command = Command::new("node");
    command.arg(script).args(["RS256", API]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    let issuer = soon(stdout.next_line()).await.unwrap().unwrap();
    (Running { _child: child, _stdout: stdout }, issuer)
}
