//! What a service is about to be given: systemd fills `LoadCredential=NAME:SOCKET` by connecting to
//! the socket, and its own address says for which unit and under which name (systemd.exec(5)).
//!
//! Anybody can take such an address. So it counts from root alone, which only the system's manager
//! is, and only from a process that is in the unit that it names.

use super::{Peer, Witness};

/// What a unit asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CredentialRequest {
    /// The unit that is started.
    pub unit: String,
    /// The credential's name.
    pub name: String,
}

impl Witness {
    /// What the peer asks for, by the address that it connected from; `None` if that was not the
    /// system's manager, starting that unit.
    pub fn credential_asked(&self, peer: &Peer, source: &[u8]) -> Option<CredentialRequest> {
        let process = peer.process.as_ref().filter(|_| peer.uid == 0)?;
        let request = CredentialRequest::read(source)?;
        let group = self.0.proc.group(process.pid());
        let is_in_unit = group.system_service.as_ref() == Some(&request.unit);
        (is_in_unit && process.is_still_there(&self.0.proc)).then_some(request)
    }
}

impl CredentialRequest {
    /// Reads an abstract address: `RANDOM/unit/UNIT/NAME`, after the NUL that makes it abstract.
    fn read(source: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(source.strip_prefix(b"\0")?).ok()?;
        let parts: Vec<_> = text.split('/').collect();
        let [random, "unit", unit, name] = parts.as_slice() else { return None };
        let is_random = !random.is_empty() && random.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_named = !name.is_empty() && unit.ends_with(".service");
        (is_random && is_named).then(|| Self { unit: (*unit).to_owned(), name: (*name).to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Machine, handle};
    use super::*;
    use authbroker_core::caller::Door;

    const SOURCE: &[u8] = b"\0adf9d86b6eda275e/unit/backup.service/token";

    fn asked(machine: &Machine, uid: u32, source: &[u8]) -> Option<CredentialRequest> {
        let own = std::process::id();
        let process = Some(handle(own));
        let peer = Peer { uid, pid: Some(own), door: Door::Socket, process, label: None };
        machine.witness().credential_asked(&peer, source)
    }

    fn in_unit(unit: &str) -> Machine {
        Machine::new(&format!("0::/system.slice/{unit}\n"), "")
    }

    #[test]
    fn a_credential_is_asked_for_by_the_systems_manager_alone() {
        let request = CredentialRequest { unit: "backup.service".into(), name: "token".into() };
        assert_eq!(asked(&in_unit("backup.service"), 0, SOURCE), Some(request));
        assert_eq!(asked(&in_unit("backup.service"), 1000, SOURCE), None, "anybody can say so");
        assert_eq!(asked(&in_unit("other.service"), 0, SOURCE), None, "another unit's process");
    }

    #[test]
    fn an_address_that_is_not_systemds_asks_for_nothing() {
        for source in [
            &b""[..],
            b"adf9d86b6eda275e/unit/backup.service/token",
            b"\0adf9d86b6eda275e/unit/backup.service",
            b"\0adf9d86b6eda275e/unit/backup.service/",
            b"\0adf9d86b6eda275e/unit/backup.service/token/more",
            b"\0/unit/backup.service/token",
            b"\0adf9d86b6eda275e/user/backup.service/token",
        ] {
            assert_eq!(asked(&in_unit("backup.service"), 0, source), None, "{source:?}");
        }
    }
}
