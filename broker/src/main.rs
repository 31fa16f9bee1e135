//! `brokerd`: the daemon. Its start, from top to bottom.

use std::process::ExitCode;

use authbroker::app::{self, Doors, Places, StartError};
use authbroker::args::Args;
use authbroker::broker::Broker;
use authbroker::fronts::varlink::Services;
use authbroker::platform::{self, Asked, Signals};
use authbroker::telemetry::{self, Log};
use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let log = match telemetry::start(args.log.as_deref()) {
        Ok(log) => log,
        Err(error) => return complain(&error.to_string(), "brokerd --help", 2),
    };
    match run(args, log).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error.to_string(), error.hint(), error.exit_code()),
    }
}

async fn run(args: Args, log: Log) -> Result<(), StartError> {
    platform::harden_process();
    // Before anything signs: two back ends could be compiled in, and this one is meant.
    let _already = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let places = Places::find(args.config, args.runtime_dir, args.state_dir)?;
    let settings = places.settings()?;
    let _folders = places.take()?;
    let mut signals = Signals::listen().map_err(StartError::Signals)?;
    let broker = app::start_broker(&places, settings)?;
    let services = Services {
        broker: broker.clone(),
        facts: app::facts(&places),
        witness: platform::Witness::default(),
    };
    let mut doors = Doors::open(app::open_sockets(&places)?, &services);
    if !args.no_dbus {
        doors.open_bus(&services, log).await;
    }
    tell_ready(args.ready_fd);
    while signals.next().await == Asked::Reload {
        reload(&places, &broker);
    }
    tracing::info!("ending");
    let _not_systemd = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    doors.close().await;
    broker.close().await;
    Ok(())
}

fn tell_ready(fd: Option<i32>) {
    tracing::info!("ready");
    let _not_systemd = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    if let Some(fd) = fd
        && let Err(error) = platform::signal_ready(fd)
    {
        tracing::warn!(%error, "nobody hears on the ready descriptor");
    }
}

fn reload(places: &Places, broker: &Broker) {
    match broker.reload(places.settings().map_err(|error| error.to_string())) {
        Ok(()) => tracing::info!("the configuration was read again"),
        Err(failure) => tracing::error!("the old settings stay in force: {failure}"),
    }
}

#[expect(
    clippy::print_stderr,
    reason = "a daemon that does not start speaks to whoever started it"
)]
fn complain(what: &str, hint: &str, code: u8) -> ExitCode {
    eprintln!("brokerd: {what}\nhint: {hint}");
    ExitCode::from(code)
}
