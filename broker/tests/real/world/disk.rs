//! A small disk of its own for the vault, which can be filled and made read-only: a file system in
//! memory, mounted where nobody but the broker and this test sees it.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use tokio::process::Command;

use super::Session;
use super::process::{Running, run};

/// Mounts the disk and keeps its namespace until standard input ends.
const HOLD: &str = "mount -t tmpfs -o size=256k,mode=0700 disk \"$0\" && echo mounted && exec cat";

pub(crate) struct Disk {
    holder: Running,
    mounted_at: PathBuf,
}

impl Disk {
    /// Mounts it where the session's broker keeps its state.
    pub(crate) async fn mount(session: &Session) -> Self {
        let mounted_at = session.path("home/.local/state/authbroker");
        fs::create_dir_all(&mounted_at).unwrap();
        let mut command = session.command("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", HOLD]).arg(&mounted_at);
        let mut holder = session.start_program("disk", command).await;
        assert_eq!(holder.line().await, "mounted");
        Self { holder, mounted_at }
    }

    /// A program that sees the disk.
    pub(crate) fn command(&self, session: &Session, program: &str) -> Command {
        let mut command = session.command("nsenter");
        command.args(["--preserve-credentials", "--user", "--mount", "--target"]);
        command.arg(self.holder.pid().as_raw_nonzero().to_string()).arg(program);
        command
    }

    /// A file on it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let root = format!("/proc/{}/root", self.holder.pid().as_raw_nonzero());
        PathBuf::from(root).join(self.mounted_at.strip_prefix("/").unwrap()).join(name)
    }

    /// Takes up all the room there is.
    pub(crate) fn fill(&self) {
        let mut filler = fs::File::create(self.path("filler")).unwrap();
        while filler.write_all(&[0; 1024]).is_ok() {}
    }

    /// Makes room again.
    pub(crate) fn make_room(&self) {
        fs::remove_file(self.path("filler")).unwrap();
    }

    /// Makes all of it read-only. The kernel does so only while no broker runs on it.
    pub(crate) async fn make_read_only(&self, session: &Session) {
        self.mount_again(session, &["-o", "remount,ro"], "").await;
    }

    pub(crate) async fn make_writable(&self, session: &Session) {
        self.mount_again(session, &["-o", "remount,rw"], "").await;
    }

    /// Makes the vault's folder read-only under a broker that runs.
    pub(crate) async fn make_vault_read_only(&self, session: &Session) {
        let vault = self.mounted_at.join("vault");
        self.mount_again(session, &["--bind", vault.to_str().unwrap()], "vault").await;
        self.mount_again(session, &["-o", "remount,bind,ro"], "vault").await;
    }

    pub(crate) async fn make_vault_writable(&self, session: &Session) {
        let mut umount = self.command(session, "umount");
        umount.arg(self.mounted_at.join("vault"));
        run(umount).await.good();
    }

    async fn mount_again(&self, session: &Session, how: &[&str], folder: &str) {
        let mut mount = self.command(session, "mount");
        mount.args(how).arg(self.mounted_at.join(folder));
        run(mount).await.good();
    }
}

impl Session {
    /// Starts the broker where it sees the disk, and waits until every door is open.
    pub(crate) async fn brokerd_on(&self, disk: &Disk) -> Running {
        let mut command = disk.command(self, env!("CARGO_BIN_EXE_brokerd"));
        command.args(["--no-dbus", "--ready-fd", "1", "--log", "debug"]);
        let mut broker = self.start_program("brokerd", command).await;
        assert_eq!(broker.line().await, "", "the ready byte");
        broker
    }
}
