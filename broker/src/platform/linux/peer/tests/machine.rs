//! A made-up machine: a folder of processes with this one in it, and a manager that says what a test
//! has it say.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use authbroker_core::caller::Identity;
use tempfile::TempDir;
use zbus::{Connection, ObjectPath, OwnedObjectPath};

use super::super::known::Seen;
use super::super::proc::Proc;
use super::super::units::Units;
use super::super::{Eyes, Witness};
use super::{handle, peer, program};

const UNIT: &str = "/org/freedesktop/systemd1/unit/backup_2eservice";

/// A made-up folder of processes with this one in it.
pub(in super::super) struct Machine {
    pub(super) folder: TempDir,
    pub(super) eyes: Eyes,
    manager: Option<(Connection, Arc<AtomicUsize>)>,
}

impl Machine {
    pub(in super::super) fn new(cgroup: &str, status: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let eyes = Eyes { proc: Proc::at(folder.path().to_path_buf()), ..Eyes::default() };
        let machine = Self { folder, eyes, manager: None };
        machine.write("cgroup", cgroup);
        machine.write("status", status);
        machine.write("stat", "1 (backup) S 1 7 7 34816 7 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 0");
        machine.link("exe", &program());
        machine.link("ns/mnt", "mnt:[1]");
        machine.mounts("mnt:[1]");
        machine
    }

    /// This machine with a manager in it.
    pub(super) async fn with(mut self, manager: Manager) -> Self {
        let (asked, patience) = (Arc::clone(&manager.asked), manager.patience);
        let (ours, theirs) = UnixStream::pair().unwrap();
        for end in [&ours, &theirs] {
            end.set_nonblocking(true).unwrap();
        }
        let guid = zbus::Guid::generate();
        let unit = Unit { name: manager.unit };
        let service = Service { bounded: manager.bounded };
        let root = "/org/freedesktop/systemd1";
        let server = zbus::connection::Builder::unix_stream(theirs).server(guid).p2p();
        let server = match manager.age {
            Age::New => server.serve_at(root, NewManager(manager)),
            Age::Old => server.serve_at(root, OldManager(manager)),
            Age::Mute => server.serve_at(root, MuteManager),
        };
        let server = server.serve_at(UNIT, unit).serve_at(UNIT, service);
        let client = zbus::connection::Builder::unix_stream(ours).p2p();
        let (server, client) = tokio::join!(server.build(), client.build());
        self.eyes.units = Units::on(client.unwrap(), patience);
        self.manager = Some((server.unwrap(), asked));
        self
    }

    pub(super) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(std::process::id().to_string()).join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(super) fn link(&self, name: &str, target: &str) {
        link(&self.path(name), target);
    }

    /// The root of the process: a folder of this machine's.
    pub(super) fn root(&self, folder: &str) {
        self.link("root", folder);
        self.write("mountinfo", &std::fs::read_to_string("/proc/self/mountinfo").unwrap());
    }

    /// Who looks at this machine.
    pub(in super::super) fn witness(&self) -> Witness {
        let proc = Proc::at(self.folder.path().to_path_buf());
        Witness(Arc::new(Eyes { proc, ..Eyes::default() }))
    }

    /// The mounts of the broker.
    pub(super) fn mounts(&self, name: &str) {
        link(&self.folder.path().join("self/ns/mnt"), name);
    }

    pub(super) async fn seen(&self) -> Seen {
        let peer = peer(handle(std::process::id()), None);
        self.eyes.look_at(&peer, peer.process.as_ref().unwrap()).await.unwrap()
    }

    pub(super) async fn identity(&self) -> Identity {
        self.seen().await.identity
    }

    pub(super) fn times_asked(&self) -> usize {
        self.manager.as_ref().unwrap().1.load(Ordering::Relaxed)
    }
}

fn link(path: &Path, target: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let _none = std::fs::remove_file(path);
    std::os::unix::fs::symlink(target, path).unwrap();
}

/// What the manager says, to whom, and how often it was asked.
#[derive(Clone)]
pub(super) struct Manager {
    pub(super) age: Age,
    pub(super) unit: &'static str,
    pub(super) bounded: bool,
    pub(super) asked: Arc<AtomicUsize>,
    pub(super) patience: Option<Duration>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Age {
    /// It takes handles.
    New,
    /// It takes numbers, as systemd does before 254.
    Old,
    /// It takes everything and answers nothing.
    Mute,
}

impl Manager {
    pub(super) fn new(age: Age) -> Self {
        Self { age, unit: "backup.service", bounded: true, asked: Arc::default(), patience: None }
    }

    fn answer(&self) -> OwnedObjectPath {
        self.asked.fetch_add(1, Ordering::Relaxed);
        ObjectPath::from_static_str_unchecked(UNIT).into()
    }
}

struct NewManager(Manager);

#[expect(clippy::needless_pass_by_value, reason = "a method owns what it is sent")]
#[zbus::interface(name = "org.freedesktop.systemd1.Manager")]
impl NewManager {
    #[zbus(name = "GetUnitByPIDFD")]
    fn by_handle(&self, handle: zbus::OwnedFd) -> (OwnedObjectPath, String, Vec<u8>) {
        // The handle is of the process that is asked about, whatever its number is by now.
        let text = format!("/proc/self/fdinfo/{}", std::os::fd::AsRawFd::as_raw_fd(&handle));
        let info = std::fs::read_to_string(text).unwrap();
        assert!(info.contains(&format!("Pid:\t{}\n", std::process::id())), "{info}");
        (self.0.answer(), self.0.unit.to_owned(), Vec::new())
    }
}

struct OldManager(Manager);

#[zbus::interface(name = "org.freedesktop.systemd1.Manager")]
impl OldManager {
    #[zbus(name = "GetUnitByPID")]
    fn by_pid(&self, pid: u32) -> OwnedObjectPath {
        assert_eq!(pid, std::process::id());
        self.0.answer()
    }
}

struct MuteManager;

#[zbus::interface(name = "org.freedesktop.systemd1.Manager")]
impl MuteManager {
    #[zbus(name = "GetUnitByPIDFD")]
    async fn by_handle(&self, handle: zbus::OwnedFd) -> (OwnedObjectPath, String, Vec<u8>) {
        drop(handle);
        std::future::pending().await
    }
}

struct Unit {
    name: &'static str,
}

#[zbus::interface(name = "org.freedesktop.systemd1.Unit")]
impl Unit {
    #[zbus(property)]
    fn id(&self) -> &str {
        self.name
    }
}

struct Service {
    bounded: bool,
}

#[zbus::interface(name = "org.freedesktop.systemd1.Service")]
impl Service {
    #[zbus(property)]
    fn no_new_privileges(&self) -> bool {
        self.bounded
    }
}
