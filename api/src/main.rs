//! `private-api`: reads its settings, opens its door, says where it is and serves until it is told
//! to stop.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use private_api::auth::Verifier;
use private_api::observe::{self, BUCKETS};
use private_api::routes::{Api, router};
use private_api::server;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::settings::Settings;

mod settings;
mod shutdown;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // An error would mean that a provider is chosen already, and nothing before this line does.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let settings = Settings::parse();
    let setup = settings.setup();
    start_log(settings.log);

    let verifier = Arc::new(Verifier::set_up(setup)?);
    let stop = shutdown::requested().context("cannot listen for signals")?;
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}", settings.listen))?;

    let figures = collect_figures().context("cannot collect figures")?;
    verifier.warm_up();
    announce(listener.local_addr()?).context("cannot write to stdout")?;
    let mut api = Api::new(verifier);
    api.figures = Some(figures);
    api.required_scope = settings.require_scope;
    api.recent.acr_values = settings.recent_acr;
    let end = server::serve(listener, router(api), stop).await;
    tracing::info!(?end, "stopped");
    Ok(())
}

/// Has the figures collected in this process, for whoever asks for them.
fn collect_figures() -> anyhow::Result<PrometheusHandle> {
    let figures = PrometheusBuilder::new().set_buckets(&BUCKETS)?.install_recorder()?;
    observe::describe();
    let keeper = figures.clone();
    tokio::spawn(async move {
        // What was recorded is put into its buckets now and then, or it would pile up.
        loop {
            tokio::time::sleep(FIGURES_PAUSE).await;
            keeper.run_upkeep();
        }
    });
    Ok(figures)
}

/// Between two turns of tidying up the figures.
const FIGURES_PAUSE: Duration = Duration::from_secs(5);

/// Colours are for people: a file or a journal gets plain text.
fn start_log(filter: EnvFilter) {
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
}

/// The first line on stdout is for whoever started us with port 0.
fn announce(address: SocketAddr) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "private-api listening on http://{address}")?;
    stdout.flush()
}
