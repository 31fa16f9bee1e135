//! What the names of a control group say: systemd gives each unit a group of its own.
//!
//! A user may make groups below its own manager's, and name them as it likes. So what stands below
//! `user@UID.service` says nothing of the system.

/// The names in one process's control group.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Group {
    /// The service of the system's manager, if it is no user's.
    pub(super) system_service: Option<String>,
    /// The unit of the user's own manager.
    pub(super) user_unit: Option<String>,
    /// The snap that snapd made the group for.
    pub(super) snap: Option<String>,
}

impl Group {
    /// Reads `/proc/PID/cgroup`.
    pub(super) fn read(text: &str) -> Self {
        let path = systemd_path(text).unwrap_or_default();
        let mut units = path.split('/').filter(|name| is_unit(name));
        let Some(first) = units.next() else { return Self::default() };
        let snap = path.split('/').next_back().and_then(snap_of);
        if first.starts_with("user@") {
            return Self { user_unit: units.next().map(str::to_owned), snap, ..Self::default() };
        }
        let is_service = first.ends_with(".service") && snap.is_none();
        Self { system_service: is_service.then(|| first.to_owned()), snap, user_unit: None }
    }
}

/// The path in the hierarchy that systemd keeps: the unified one, else the one that has its name.
fn systemd_path(text: &str) -> Option<&str> {
    let of = |prefix: &str| {
        let controllers =
            |line: &str| line.split_once(':').map(|(_, rest)| rest.starts_with(prefix));
        let line = text.lines().find(|line| controllers(line) == Some(true))?;
        line.splitn(3, ':').nth(2)
    };
    let unified = of(":").filter(|path| *path != "/");
    unified.or_else(|| of("name=systemd:"))
}

fn is_unit(name: &str) -> bool {
    [".service", ".scope"].iter().any(|kind| name.ends_with(kind))
}

/// The snap in `snap.NAME.APP-UUID.scope` and `snap.NAME.APP.service`.
fn snap_of(unit: &str) -> Option<String> {
    let name = unit.strip_prefix("snap.").filter(|_| is_unit(unit))?.split('.').next()?;
    super::sandbox::is_snap_name(name).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(text: &str) -> Group {
        Group::read(text)
    }

    #[test]
    fn a_service_of_the_system_is_one_and_a_users_is_not() {
        let of_system = group("0::/system.slice/backup.service\n");
        assert_eq!(of_system.system_service.as_deref(), Some("backup.service"));
        let below = group("0::/system.slice/system-job.slice/job@a.service/payload\n");
        assert_eq!(below.system_service.as_deref(), Some("job@a.service"));
        let of_user =
            group("0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-mail.service\n");
        assert_eq!(of_user.system_service, None);
        assert_eq!(of_user.user_unit.as_deref(), Some("app-mail.service"));
    }

    #[test]
    fn a_user_cannot_name_a_group_of_its_own_as_the_systems() {
        let forged = "0::/user.slice/user-1000.slice/user@1000.service/system.slice/cron.service\n";
        assert_eq!(group(forged).system_service, None);
        let session = "0::/user.slice/user-1000.slice/session-2.scope/system.slice/a.service\n";
        assert_eq!(group(session).system_service, None);
    }

    #[test]
    fn an_older_machine_has_the_names_in_systemds_own_hierarchy() {
        let hybrid = "9:name=systemd:/system.slice/backup.service\n4:memory:/x\n0::/\n";
        assert_eq!(group(hybrid).system_service.as_deref(), Some("backup.service"));
        assert_eq!(group("4:memory:/system.slice/a.service\n"), Group::default());
    }

    #[test]
    fn snaps_are_named_by_their_group() {
        let app = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/\
                   snap.mail.mail-1b1b6e3e-9d5e-4f4f-8a63-4b7f2b6d5c11.scope\n";
        assert_eq!(group(app).snap.as_deref(), Some("mail"));
        let service = group("0::/system.slice/snap.lxd.daemon.service\n");
        assert_eq!((service.snap.as_deref(), service.system_service), (Some("lxd"), None));
    }
}
