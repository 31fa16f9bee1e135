//! Processes that run, processes that have gone, and a manager that says what a test has it say.

mod machine;

use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::time::Duration;

use authbroker_core::caller::{Identity, Level, Terminal};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

pub(super) use self::machine::Machine;
use self::machine::{Age, Manager};
use super::*;

const OF_SYSTEM: &str = "0::/system.slice/backup.service\n";
const OF_USER: &str = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/mail.service\n";

/// The program of the made-up process, by the name that the kernel gives it.
fn program() -> String {
    std::fs::canonicalize("/bin/sh").unwrap().to_string_lossy().into_owned()
}

/// A program that waits to be ended.
fn sleeper() -> Child {
    Command::new("sleep").arg("600").spawn().unwrap()
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

pub(super) fn handle(pid: u32) -> Pinned {
    let number = Pid::from_raw(pid.cast_signed()).unwrap();
    Pinned::of_bus(Some(pidfd_open(number, PidfdFlags::empty()).unwrap()), pid).unwrap()
}

fn start_time(pid: u32) -> Pinned {
    Pinned::of_bus(None, pid).unwrap()
}

fn peer(process: Pinned, label: Option<&str>) -> Peer {
    let pid = Some(process.pid());
    let label = label.map(str::to_owned);
    Peer { uid: own_uid(), pid, door: Door::Socket, process: Some(process), label }
}

fn own_uid() -> u32 {
    rustix::process::getuid().as_raw()
}

#[tokio::test]
async fn the_other_end_of_a_socket_is_described_whether_or_not_the_kernel_has_handles() {
    let (socket, _other) = UnixStream::pair().unwrap();
    let own = std::env::current_exe().unwrap().to_string_lossy().into_owned();
    for means in [Means::Best, Means::StartTime] {
        let pid = Some(std::process::id());
        let peer = Peer::by(means, &socket, own_uid(), pid, Door::Socket);
        let caller = Witness::default().describe(peer).await;
        assert_eq!((caller.uid, caller.pid), (own_uid(), pid), "{means:?}");
        assert_eq!(caller.identity, Identity::Executable(own.as_str().into()), "{means:?}");
        assert_eq!(caller.description.executable.as_deref(), Some(own.as_str()));
    }
}

#[tokio::test]
async fn of_a_process_that_has_gone_only_the_user_is_known() {
    for pin in [handle, start_time] {
        let child = sleeper();
        let (seen, left) = (pin(child.id()), pin(child.id()));
        let witness = Witness::default();
        let caller = witness.describe(peer(seen, None)).await;
        assert_eq!(caller.level(), Level::Described);
        end(child);
        let caller = witness.describe(peer(left, Some("man (enforce)"))).await;
        assert_eq!((caller.level(), caller.identity), (Level::Uid, Identity::Hidden));
    }
}

#[tokio::test]
async fn a_process_that_is_dead_and_not_yet_buried_counts_as_gone() {
    for pin in [handle, start_time] {
        let mut child = sleeper();
        let pinned = pin(child.id());
        child.kill().unwrap();
        // Until it is waited for, its number and its handle are there.
        let status =
            rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
        let number = Pid::from_raw(child.id().cast_signed()).unwrap();
        rustix::process::waitid(rustix::process::WaitId::Pid(number), status).unwrap();
        let caller = Witness::default().describe(peer(pinned, None)).await;
        assert_eq!(caller.identity, Identity::Hidden);
        child.wait().unwrap();
    }
}

#[tokio::test]
async fn the_next_process_of_a_number_is_not_taken_for_the_one_that_connected() {
    let child = sleeper();
    let earlier = Pinned::that_started(child.id(), 1);
    let caller = Witness::default().describe(peer(earlier, None)).await;
    assert_eq!((caller.pid, caller.identity), (Some(child.id()), Identity::Hidden));
    assert_eq!(caller.description, Description::default());
    end(child);
}

#[tokio::test]
async fn what_a_process_executes_later_is_seen_later() {
    let mut child = Command::new("sh")
        .args(["-c", "read line; exec sleep 600"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let (witness, pid) = (Witness::default(), child.id());
    let described = async || witness.describe(peer(handle(pid), None)).await;
    let before = described().await.description.executable.unwrap();
    drop(child.stdin.take());
    while described().await.description.executable.as_ref() == Some(&before) {
        tokio::task::yield_now().await;
    }
    let after = described().await.description.executable.unwrap();
    assert!(after.ends_with("/sleep") || after.contains("coreutils"), "{after}");
    end(child);
}

#[tokio::test]
async fn a_label_in_force_is_known_by_the_connection() {
    let child = sleeper();
    let caller = Witness::default().describe(peer(handle(child.id()), Some("man (enforce)"))).await;
    assert_eq!((caller.level(), caller.identity), (Level::Attested, Identity::Label("man".into())));
    end(child);
}

const BOUNDED: &str = "Name:\tbackup\nNoNewPrivs:\t1\nSeccomp:\t0\n";

#[tokio::test]
async fn a_service_of_the_system_is_known_by_its_unit_whatever_the_managers_age() {
    for age in [Age::New, Age::Old] {
        let machine = Machine::new(OF_SYSTEM, BOUNDED).with(Manager::new(age)).await;
        assert_eq!(machine.identity().await, Identity::Unit("backup.service".into()), "{age:?}");
        assert_eq!(machine.identity().await.level(), Level::Attested);
        assert_eq!(machine.times_asked(), 1, "a second connection does not ask again");
    }
}

#[tokio::test]
async fn a_service_that_may_gain_privileges_proves_nothing() {
    let unbounded = Manager { bounded: false, ..Manager::new(Age::New) };
    // The flag of the process alone is no proof: any process can put it on itself.
    let machine = Machine::new(OF_SYSTEM, BOUNDED).with(unbounded).await;
    assert_eq!(machine.identity().await, Identity::Executable(program().into()));
    let without = "Name:\tbackup\nNoNewPrivs:\t0\n";
    let machine = Machine::new(OF_SYSTEM, without).with(Manager::new(Age::New)).await;
    assert_eq!(machine.identity().await.level(), Level::Described);
    assert_eq!(machine.times_asked(), 0);
}

#[tokio::test]
async fn a_group_and_a_manager_that_differ_prove_nothing() {
    let other = Manager { unit: "other.service", ..Manager::new(Age::New) };
    let machine = Machine::new(OF_SYSTEM, BOUNDED).with(other).await;
    assert_eq!(machine.identity().await.level(), Level::Described);
}

#[tokio::test]
async fn the_systems_manager_is_not_asked_about_a_users_own_unit() {
    let machine = Machine::new(OF_USER, BOUNDED).with(Manager::new(Age::New)).await;
    let seen = machine.seen().await;
    assert_eq!(seen.identity, Identity::Executable(program().into()));
    assert_eq!(seen.description.user_unit.as_deref(), Some("mail.service"));
    assert_eq!(machine.times_asked(), 0);
}

#[tokio::test]
async fn a_manager_that_does_not_answer_costs_a_level_and_not_for_ever() {
    let mute = Manager { patience: Some(Duration::ZERO), ..Manager::new(Age::Mute) };
    let machine = Machine::new(OF_SYSTEM, BOUNDED).with(mute).await;
    assert_eq!(machine.identity().await, Identity::Executable(program().into()));
}

#[tokio::test]
async fn a_confined_snap_is_known_by_its_group_and_one_that_is_not_confined_is_not() {
    let scope =
        "0::/user.slice/user-1000.slice/user@1000.service/app.slice/snap.mail.mail-1.scope\n";
    let filtered = "NoNewPrivs:\t0\nSeccomp:\t2\n";
    let snap = Machine::new(scope, filtered);
    snap.mounts("mnt:[2]");
    assert_eq!(snap.identity().await, Identity::Snap("mail".into()));
    // A classic snap sees what everybody sees, and its calls are not filtered.
    assert_eq!(Machine::new(scope, filtered).identity().await.level(), Level::Described);
    let classic = Machine::new(scope, "Seccomp:\t0\n");
    classic.mounts("mnt:[2]");
    classic.root("/");
    assert_eq!(classic.identity().await.level(), Level::Described);
}

#[tokio::test]
async fn a_path_in_a_file_system_of_the_peers_making_names_nothing_here() {
    let machine = Machine::new("0::/\n", "");
    machine.mounts("mnt:[2]");
    machine.root("/");
    machine.link("exe", "/usr/bin/no-such-program");
    let seen = machine.seen().await;
    assert_eq!(seen.identity, Identity::User);
    assert_eq!(seen.description.executable.as_deref(), Some("/usr/bin/no-such-program"));
}

#[tokio::test]
async fn who_cannot_be_looked_into_is_not_taken_for_an_app_outside_of_sandboxes() {
    let machine = Machine::new("0::/\n", "");
    machine.mounts("mnt:[2]");
    assert_eq!(machine.identity().await, Identity::Hidden);
    // Nor is one whose file system may keep its reader waiting.
    let slow = Machine::new("0::/\n", "");
    slow.mounts("mnt:[2]");
    slow.root("/");
    slow.write("mountinfo", "");
    assert_eq!(slow.identity().await, Identity::Hidden);
    // Nor one whose mounts are more than anybody reads.
    let crowded = Machine::new("0::/\n", "");
    crowded.mounts("mnt:[2]");
    crowded.root("/");
    let mounts = std::fs::read_to_string(crowded.path("mountinfo")).unwrap();
    crowded.write("mountinfo", &(mounts + &"9 1 0:9 / /x rw - tmpfs x rw\n".repeat(50_000)));
    assert_eq!(crowded.identity().await, Identity::Hidden);
}

#[tokio::test]
async fn what_cannot_be_read_lowers_the_level() {
    let machine = Machine::new(OF_SYSTEM, BOUNDED).with(Manager::new(Age::New)).await;
    for file in ["cgroup", "status", "stat", "exe", "ns/mnt"] {
        std::fs::remove_file(machine.path(file)).unwrap();
    }
    assert_eq!(machine.identity().await, Identity::Hidden);
}

#[tokio::test]
async fn the_session_on_a_terminal_is_named_by_its_leader_and_when_that_began() {
    let machine = Machine::new("0::/\n", "");
    let leader = machine.folder.path().join("7");
    assert_eq!(machine.eyes.proc.terminal(std::process::id()), None, "its leader has gone");
    std::fs::create_dir(&leader).unwrap();
    std::fs::write(leader.join("stat"), "7 (sh) S 1 7 7 34816 7 0 0 0 0 0 0 0 0 0 20 0 1 0 99 0")
        .unwrap();
    let terminal = machine.seen().await.description.terminal;
    assert_eq!(terminal, Some(Terminal { leader: 7, started: 99 }));
}

#[tokio::test]
async fn who_speaks_through_a_proxy_is_described_as_that() {
    let machine = Machine::new("0::/\n", "");
    machine.link("exe", "/usr/bin/xdg-dbus-proxy");
    let seen = machine.seen().await;
    assert_eq!(seen.description.proxy.as_deref(), Some("/usr/bin/xdg-dbus-proxy"));
    machine.link("exe", "/usr/bin/xdg-dbus-proxyfoo");
    assert_eq!(machine.seen().await.description.proxy, None);
}
