//! Ctrl-C and its kin: what this process is told to end by.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end the demo. From the first on they do nothing by themselves, so that what
/// was started can be ended in order.
pub(super) struct Interrupt {
    signals: [Signal; 3],
}

/// Why something did not come to its end.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("interrupted")]
pub(super) struct Interrupted;

impl Interrupt {
    /// Begins to listen: SIGINT from Ctrl-C, SIGTERM, and SIGHUP from a terminal that is closed.
    pub(super) fn listen() -> io::Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Self { signals: [interrupt?, terminate?, hangup?] })
    }

    /// Does `work`, unless a signal comes first; then the work is dropped.
    pub(super) async fn or<T>(
        &mut self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            done = work => done,
            _ = interrupt.recv() => Err(Interrupted.into()),
            _ = terminate.recv() => Err(Interrupted.into()),
            _ = hangup.recv() => Err(Interrupted.into()),
        }
    }
}
