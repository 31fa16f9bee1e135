//! Two windows, and a person who does the rest.

use anyhow::{Context as _, bail, ensure};
use dev_issuer::ACCOUNTS;
use futures_util::future::{select_all, try_join_all};

use super::compile::Programs;
use super::narrator::Narrator;
use super::process::Process;
use super::services::{Door, MAIL, NOTES, Services};
use super::stage::Stage;

/// Opens the windows and waits until both are closed.
pub(super) async fn show(
    stage: &mut Stage,
    programs: &Programs,
    services: &Services,
    say: &mut Narrator,
) -> anyhow::Result<()> {
    let behind = stage.processes().len();
    for (name, door) in [(NOTES, Door::Socket), (MAIL, services.bus_or_socket())] {
        say.starting("window");
        stage.start(name, &mut services.app(programs, name, door))?;
        say.ready(&format!("{name}, which reaches the broker through {}", door.name()));
    }
    explain(say);
    let (services, windows) = stage.processes().split_at_mut(behind);
    tokio::select! {
        ended = one_ended(services) => ended,
        closed = try_join_all(windows.iter_mut().map(closed)) => closed.map(|_| ()),
    }
}

fn explain(say: &mut Narrator) {
    let [person, ..] = &ACCOUNTS;
    say.title("\nTry this");
    for line in [
        &format!(
            "  1  Press \"Sign in\" in {NOTES}: your browser opens the issuer's sign-in page."
        ),
        &format!(
            "  2  Sign in as {} with the password {}, and allow the access.",
            person.username, person.password
        ),
        &format!("  3  {MAIL} is signed in as well: press \"Get Private Message\" in both."),
        "  4  Do it again after a minute: the access token has expired, and was renewed silently.",
        "  5  Press \"Log out\" in one window: both are logged out.",
        "\nClose both windows or press Ctrl-C to end the demo.",
    ] {
        say.line(line);
    }
}

/// Waits until a window is closed.
async fn closed(window: &mut Process) -> anyhow::Result<()> {
    let status = window.ended().await?;
    let broke_off = || format!("the window {} broke off ({status})", window.name());
    ensure!(status.success(), "{}; --headless needs no windows", broke_off());
    Ok(())
}

/// Waits until one of the services ends, which none should.
async fn one_ended(services: &mut [Process]) -> anyhow::Result<()> {
    let names: Vec<_> = services.iter().map(Process::name).collect();
    let (status, which, _) = select_all(services.iter_mut().map(|it| Box::pin(it.ended()))).await;
    let name = names.get(which).context("a service that was not started ended")?;
    bail!("{name} ended before the windows did ({})", status?)
}
