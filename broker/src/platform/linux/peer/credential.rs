//! What a service is about to be given: systemd fills `LoadCredential=NAME:SOCKET` by connecting to
//! the socket, and its own address says for which unit and under which name (systemd.exec(5)).
//!
//! Anybody can take such an address. So it counts from root alone, which only the system's manager
//! is, and only from a process that is in the unit that it names.

use std::os::fd::AsFd;

use rustix::net::{SocketAddrUnix, getpeername};

use super::{Peer, Witness};

impl Witness {
    /// The unit that is started, where the peer at the other end of `socket` is the system's manager
    /// and asks for a credential of it; `None` for everybody else.
    pub fn credential_asked(&self, peer: &Peer, socket: &impl AsFd) -> Option<String> {
        let source = SocketAddrUnix::try_from(getpeername(socket).ok()??).ok()?;
        self.unit_started(peer, source.abstract_name()?)
    }

    fn unit_started(&self, peer: &Peer, source: &[u8]) -> Option<String> {
        let process = peer.process.as_ref().filter(|_| peer.uid == 0)?;
        let unit = unit_in(source)?;
        let group = self.0.proc.group(process.pid());
        let is_in_unit = group.system_service.as_deref() == Some(unit);
        (is_in_unit && process.is_still_there(&self.0.proc)).then(|| unit.to_owned())
    }
}

/// The unit in an abstract address: `RANDOM/unit/UNIT/NAME`.
fn unit_in(source: &[u8]) -> Option<&str> {
    let parts: Vec<_> = std::str::from_utf8(source).ok()?.split('/').collect();
    let [random, "unit", unit, name] = parts.as_slice() else { return None };
    let is_random = !random.is_empty() && random.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_random && !name.is_empty() && unit.ends_with(".service")).then_some(*unit)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Machine, handle};
    use super::*;
    use authbroker_core::caller::Door;

    const SOURCE: &[u8] = b"adf9d86b6eda275e/unit/backup.service/token";

    fn asked(machine: &Machine, uid: u32, source: &[u8]) -> Option<String> {
        let own = std::process::id();
        let process = Some(handle(own));
        let peer = Peer { uid, pid: Some(own), door: Door::Socket, process, label: None };
        machine.witness().unit_started(&peer, source)
    }

    fn in_unit(unit: &str) -> Machine {
        Machine::new(&format!("0::/system.slice/{unit}\n"), "")
    }

    #[test]
    fn a_credential_is_asked_for_by_the_systems_manager_alone() {
        let started = asked(&in_unit("backup.service"), 0, SOURCE);
        assert_eq!(started.as_deref(), Some("backup.service"));
        assert_eq!(asked(&in_unit("backup.service"), 1000, SOURCE), None, "anybody can say so");
        assert_eq!(asked(&in_unit("other.service"), 0, SOURCE), None, "another unit's process");
    }

    #[test]
    fn an_address_that_is_not_systemds_asks_for_nothing() {
        for source in [
            &b""[..],
            b"\0adf9d86b6eda275e/unit/backup.service/token",
            b"adf9d86b6eda275e/unit/backup.service",
            b"adf9d86b6eda275e/unit/backup.service/",
            b"adf9d86b6eda275e/unit/backup.service/token/more",
            b"/unit/backup.service/token",
            b"adf9d86b6eda275e/user/backup.service/token",
        ] {
            assert_eq!(asked(&in_unit("backup.service"), 0, source), None, "{source:?}");
        }
    }
}
