//! `org.freedesktop.LogControl1`: by it `systemctl service-log-level` and `busctl set-property`
//! change how much a running daemon logs. Its words are syslog's.

use authbroker_core::caller::Identity;
use zbus::fdo::Error;
use zbus::interface;
use zbus::message::Header;

use super::Desk;
use crate::telemetry::{LevelFilter, Log, LogSink};

/// Where systemd looks for it.
pub(super) const PATH: &str = "/org/freedesktop/LogControl1";

/// Syslog's levels, and ours. Read from the left, the first name of ours is the one that is told.
const LEVELS: [(&str, LevelFilter); 8] = [
    ("err", LevelFilter::ERROR),
    ("emerg", LevelFilter::ERROR),
    ("alert", LevelFilter::ERROR),
    ("crit", LevelFilter::ERROR),
    ("warning", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("notice", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
];

pub(super) struct LogControl {
    desk: Desk,
    log: Log,
}

impl LogControl {
    pub(super) fn new(desk: Desk, log: Log) -> Self {
        Self { desk, log }
    }

    /// Whoever administers the broker may change its log: the user, and no app in a sandbox.
    async fn administers(&self, header: Option<Header<'_>>) -> Result<(), Error> {
        let denied = |why: &str| Error::AccessDenied(why.to_owned());
        let header = header.ok_or_else(|| denied("nobody asks"))?;
        let caller = self.desk.callers.of(&header).await;
        let caller = caller.map_err(|failure| denied(&failure.message))?;
        self.desk.broker.admit(&caller).map_err(|failure| denied(&failure.message))?;
        match caller.identity {
            Identity::Flatpak(_) | Identity::Snap(_) | Identity::Label(_) => {
                Err(denied("the log is not for apps in a sandbox to change"))
            }
            _ => Ok(()),
        }
    }

    fn target(&self) -> &'static str {
        match self.log.sink() {
            LogSink::Console => "console",
            LogSink::Journal => "journal",
        }
    }
}

#[interface(name = "org.freedesktop.LogControl1")]
impl LogControl {
    /// How much is logged: err, warning, info or debug.
    #[zbus(property(emits_changed_signal = "false"))]
    fn log_level(&self) -> &'static str {
        let now = self.log.level();
        LEVELS.iter().find(|(_, level)| *level >= now).map_or("debug", |(word, _)| word)
    }

    /// Changes it, until the daemon ends.
    #[zbus(property)]
    async fn set_log_level(
        &mut self,
        word: String,
        #[zbus(header)] header: Option<Header<'_>>,
    ) -> Result<(), Error> {
        self.administers(header).await?;
        let known = LEVELS.iter().find(|(known, _)| *known == word);
        let (_, level) = known.ok_or_else(|| no_level(&word))?;
        if !self.log.set_level(*level) {
            return Err(Error::Failed("the log cannot be changed".to_owned()));
        }
        tracing::info!("the log level is {word} now");
        Ok(())
    }

    /// Where the log goes: console or journal.
    #[zbus(property(emits_changed_signal = "false"))]
    fn log_target(&self) -> &'static str {
        self.target()
    }

    /// It stays where it went when the daemon was started.
    #[zbus(property)]
    async fn set_log_target(
        &mut self,
        word: String,
        #[zbus(header)] header: Option<Header<'_>>,
    ) -> Result<(), Error> {
        self.administers(header).await?;
        if word == self.target() || word == "auto" {
            return Ok(());
        }
        let target = self.target();
        Err(Error::NotSupported(format!("the log goes to the {target} until the daemon ends")))
    }

    /// What it is called in the log.
    #[zbus(property(emits_changed_signal = "const"))]
    #[expect(clippy::unused_self, reason = "a property belongs to its object")]
    fn syslog_identifier(&self) -> &'static str {
        "brokerd"
    }
}

fn no_level(word: &str) -> Error {
    let known: Vec<_> = LEVELS.iter().map(|(word, _)| *word).collect();
    Error::InvalidArgs(format!("{word:?} is no log level; say one of {}", known.join(", ")))
}
