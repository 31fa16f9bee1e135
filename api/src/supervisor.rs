//! Whoever started the process: told when it serves, and listened to when it should stop. That is
//! SIGTERM or SIGINT; Ctrl-C where there are no signals. Without a supervisor nobody is told.
//!
//! [`requested`] takes the signals over before it returns, so one that comes while the server is
//! still starting is not lost.

use std::io;

/// Ready when somebody wants the process to end.
#[cfg(unix)]
pub(crate) fn requested() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Ready when somebody wants the process to end.
#[cfg(windows)]
pub(crate) fn requested() -> io::Result<impl Future<Output = ()>> {
    let mut ctrl_c = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        ctrl_c.recv().await;
    })
}

/// Says that requests are served from now on.
#[cfg(unix)]
pub(crate) fn ready() {
    // An error means that there is nobody to tell.
    let _not_systemd = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
}

/// Says that no more are.
#[cfg(unix)]
pub(crate) fn stopping() {
    let _not_systemd = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
}

/// Says nothing.
#[cfg(windows)]
pub(crate) fn ready() {}

/// Says nothing.
#[cfg(windows)]
pub(crate) fn stopping() {}
