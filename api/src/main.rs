//! `private-api`: reads its settings, opens its door, says where it is and serves until it is told
//! to stop.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use private_api::auth::Verifier;
use private_api::observe::{self, BUCKETS};
use private_api::routes::{Api, router};
use private_api::{server, tls};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::settings::{Certificate, LogFormat, Settings};

mod settings;
mod supervisor;

/// Between two turns of tidying up the figures.
const FIGURES_PAUSE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // An error would mean that a provider is chosen already, and nothing before this line does.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let settings = Settings::read_or_exit();
    start_log(settings.log, settings.log_format);

    let figures = collect_figures().context("cannot collect figures")?;
    let verifier = Arc::new(Verifier::set_up(settings.setup)?);
    let stop = supervisor::requested().context("cannot listen for signals")?;
    let acceptor = settings.tls.map(|Certificate { chain, key }| tls::acceptor(&chain, &key));
    let acceptor = acceptor.transpose().context("cannot serve TLS")?;
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}", settings.listen))?;

    verifier.warm_up();
    let scheme = if acceptor.is_some() { "https" } else { "http" };
    announce(scheme, listener.local_addr()?).context("cannot write to stdout")?;
    supervisor::ready();
    let stop = async {
        stop.await;
        supervisor::stopping();
    };
    let mut api = Api::new(verifier);
    api.required_scope = settings.require_scope;
    api.recent.acr_values = settings.recent_acr;
    api.figures = Some(figures);
    let end = server::serve_with(listener, acceptor, router(api), stop).await;
    tracing::info!(?end, "stopped");
    Ok(())
}

/// Has the figures collected in this process, for whoever asks for them.
fn collect_figures() -> anyhow::Result<PrometheusHandle> {
    let figures = PrometheusBuilder::new().set_buckets(&BUCKETS)?.install_recorder()?;
    observe::describe();
    tokio::spawn(tidy(figures.clone()));
    Ok(figures)
}

/// What was recorded is put into its buckets now and then, or it would pile up.
async fn tidy(figures: PrometheusHandle) {
    loop {
        tokio::time::sleep(FIGURES_PAUSE).await;
        figures.run_upkeep();
    }
}

/// Colours are for people: a file or a journal gets plain text, a collector JSON.
fn start_log(filter: EnvFilter, format: LogFormat) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

/// The first line on stdout is for whoever started us with port 0.
fn announce(scheme: &str, address: SocketAddr) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "private-api listening on {scheme}://{address}")?;
    stdout.flush()
}
