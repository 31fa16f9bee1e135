//! Who is at the other end of a connection, and how well that is known.
//!
//! 1. A door takes a [`Peer`] while it accepts: the user, the process held fast (`pin`), the label
//!    of the security module. A few calls to the kernel, none of which waits.
//! 2. The connection's own task has the [`Witness`] describe it. Who was described a moment ago,
//!    and runs the same program, is not looked at again (`known`).
//! 3. `proc` reads what the kernel shows of the process, and `cgroup` reads the names in that.
//! 4. Where these say so, the system's manager (`units`) or the sandbox's metadata (`sandbox`) is
//!    asked. Nothing that a peer can make slow is ever waited for without a limit.
//! 5. Then the process must still be there: else what was read may be another's, and counts for
//!    nothing.
//!
//! What cannot be read lowers the level and never raises it.

mod cgroup;
mod credential;
mod known;
mod label;
mod pin;
mod proc;
mod sandbox;
#[cfg(test)]
mod tests;
mod units;

use std::os::fd::AsFd;
use std::sync::Arc;

use authbroker_core::caller::{Caller, Description, Door, Identity};
use zbus::fdo::ConnectionCredentials;

use self::cgroup::Group;
use self::known::{Key, Known, Seen};
use self::pin::{Means, Pinned};
use self::proc::Proc;
use self::sandbox::Sandbox;
use self::units::Units;
use crate::platform::clock;

/// Whether the process at the other end of a socket can be held fast here.
pub fn holds_callers_fast() -> bool {
    pin::kernel_gives_handles()
}

/// The program that passes messages on between a sandbox and a bus.
const PROXY: &str = "xdg-dbus-proxy";

/// A peer as its door shows it, before anybody has looked at it.
#[derive(Debug)]
pub struct Peer {
    uid: u32,
    pid: Option<u32>,
    door: Door,
    /// The process, held fast; `None` if it has gone, or the door does not tell.
    process: Option<Pinned>,
    /// What the security module called it when it connected.
    label: Option<String>,
}

impl Peer {
    /// The other end of a socket, whose user and process the kernel has named.
    pub fn of_socket(socket: &impl AsFd, uid: u32, pid: Option<u32>, door: Door) -> Self {
        Self::by(Means::Best, socket, uid, pid, door)
    }

    fn by(means: Means, socket: &impl AsFd, uid: u32, pid: Option<u32>, door: Door) -> Self {
        let process = pid.and_then(|pid| Pinned::of_socket(means, socket, pid));
        Self { uid, pid, door, process, label: label::of_socket(socket) }
    }

    /// The sender of a message, by what the bus knows of it; `None` if it does not name the user.
    pub fn on_bus(credentials: ConnectionCredentials) -> Option<Self> {
        let (uid, pid) = (credentials.unix_user_id()?, credentials.process_id());
        let label = credentials.linux_security_label().and_then(|label| label::read(label));
        let handle = credentials.into_process_fd().map(Into::into);
        let process = pid.and_then(|pid| Pinned::of_bus(handle, pid));
        Some(Self { uid, pid, door: Door::Bus, process, label })
    }

    /// All that is certain of it: its user.
    fn unseen(&self) -> Caller {
        Caller { pid: self.pid, ..Caller::of_user(self.uid, self.door) }
    }
}

/// Who looks at peers, and remembers for a moment what it saw.
#[derive(Debug, Clone, Default)]
pub struct Witness(Arc<Eyes>);

#[derive(Debug, Default)]
struct Eyes {
    proc: Proc,
    units: Units,
    known: Known,
}

impl Witness {
    /// Describes a peer, as far as it lets itself be seen. Bounded: a manager that does not answer
    /// and a sandbox that cannot be read cost it a level, not the caller its time.
    pub async fn describe(&self, peer: Peer) -> Caller {
        let seen = match &peer.process {
            Some(process) => self.0.look_at(&peer, process).await,
            None => None,
        };
        let Seen { identity, description } = seen.unwrap_or_default();
        Caller { identity, description, ..peer.unseen() }
    }
}

impl Eyes {
    /// What is seen of a process; `None` if it has gone meanwhile.
    async fn look_at(&self, peer: &Peer, process: &Pinned) -> Option<Seen> {
        let key = Key {
            process: process.id(&self.proc)?,
            uid: peer.uid,
            executable: self.proc.executable(process.pid()).map(Into::into),
            label: peer.label.clone(),
        };
        let now = clock::now().boot;
        let seen = match self.known.get(&key, now) {
            Some(seen) => seen,
            None => self.look_closely(process, &key).await,
        };
        if !process.is_still_there(&self.proc) {
            return None;
        }
        // Why it could not be seen may have been the moment's fault.
        if seen.identity != Identity::Hidden {
            self.known.keep(key, seen.clone(), now);
        }
        Some(seen)
    }

    async fn look_closely(&self, process: &Pinned, key: &Key) -> Seen {
        let pid = process.pid();
        let group = self.proc.group(pid);
        let description = self.described(pid, &group, key);
        let identity = match self.attested(process, &group, key).await {
            Some(identity) => identity,
            None => self.claimed(pid, &group, key),
        };
        Seen { identity, description }
    }

    /// What the system's manager or the kernel's security module says.
    async fn attested(&self, process: &Pinned, group: &Group, key: &Key) -> Option<Identity> {
        // What the manager knows is asked only of who seems to be the system's.
        if let Some(unit) = &group.system_service
            && self.proc.has_no_new_privileges(process.pid())
            && self.units.confirms(process, unit).await
        {
            return Some(Identity::Unit(unit.as_str().into()));
        }
        key.label.as_deref().and_then(label::identity)
    }

    /// What its sandbox says, else its executable.
    fn claimed(&self, pid: u32, group: &Group, key: &Key) -> Identity {
        let program = |path: &Arc<str>| Identity::Executable(Arc::clone(path));
        if !self.proc.has_own_mounts(pid) {
            return key.executable.as_ref().map_or(Identity::Hidden, program);
        }
        if let Some(snap) = &group.snap
            && self.proc.has_filtered_calls(pid)
        {
            return Identity::Snap(snap.as_str().into());
        }
        // The path of a program is worth something as long as it is not one of the peer's making.
        let is_ours = |path: &&Arc<str>| sandbox::is_our_file(&self.proc, pid, path);
        match sandbox::look_into(&self.proc, pid, key.uid) {
            Sandbox::Flatpak(app) => Identity::Flatpak(app.into()),
            Sandbox::Unnamed => {
                key.executable.as_ref().filter(is_ours).map_or(Identity::User, program)
            }
            Sandbox::Closed => Identity::Hidden,
        }
    }

    fn described(&self, pid: u32, group: &Group, key: &Key) -> Description {
        let executable = key.executable.clone();
        let is_proxy = |path: &&Arc<str>| path.rsplit('/').next() == Some(PROXY);
        Description {
            user_unit: group.user_unit.as_deref().map(Into::into),
            terminal: self.proc.terminal(pid),
            proxy: executable.as_ref().filter(is_proxy).cloned(),
            executable,
        }
    }
}
