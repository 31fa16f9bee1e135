//! The `dev-issuer` program: starts an issuer, says where it is, and serves until it is told to end.
//!
//! 1. The first line on stdout is the issuer's URL, alone; logs go to stderr.
//! 2. SIGTERM and Ctrl-C end it, with exit status 0.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use dev_issuer::{ACCOUNTS, Alg, Client, Fault, Issuer, Options, Times};
use jiff::SignedDuration;
use tracing_subscriber::EnvFilter;

/// An OpenID Provider for development and tests: loopback only, keys gone with the process.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Loopback address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// How long an access token lives, such as 5s or 10m.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5m")]
    access_ttl: Duration,
    /// How long an ID token lives.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5m")]
    id_ttl: Duration,
    /// How long a refresh token lives after its issue.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "24h")]
    refresh_ttl: Duration,
    /// How long a code may wait to be redeemed.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1m")]
    code_ttl: Duration,
    /// How long a used refresh token is still taken; 0s treats every reuse as theft.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "0s")]
    refresh_grace: Duration,
    /// A resource that tokens are issued for; none named takes any absolute URI.
    #[arg(long = "resource", value_name = "URI")]
    resources: Vec<String>,
    /// A scope besides the usual four and messages.read.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// A further public client with loopback redirect URIs.
    #[arg(long = "client-id", value_name = "ID")]
    client_ids: Vec<String>,
    /// Signs access tokens.
    #[arg(long, value_enum, default_value_t = Alg::Es256)]
    access_alg: Alg,
    /// Signs ID tokens.
    #[arg(long, value_enum, default_value_t = Alg::Rs256)]
    id_alg: Alg,
    /// A fault to commit on every occasion.
    #[arg(long = "fault", value_name = "NAME", value_enum)]
    faults: Vec<Fault>,
    /// What to log, as a tracing filter.
    #[arg(long, value_name = "FILTER", default_value = "info")]
    log: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&args.log).context("--log is no filter")?)
        .with_writer(std::io::stderr)
        .init();
    // Listened for before the URL is out: whoever reads it may end this process at once.
    let ending = ending().context("signals cannot be waited for")?;
    let faults = args.faults.clone();
    let issuer = Issuer::start(options(args)).await.context("the issuer cannot start")?;
    for fault in faults {
        issuer.inject(fault, Times::Always);
    }
    announce(&issuer)?;
    ending.await;
    issuer.stop().await;
    tracing::info!("ended");
    Ok(())
}

fn options(args: Args) -> Options {
    let mut options = Options {
        listen: args.listen,
        access_ttl: args.access_ttl,
        id_ttl: args.id_ttl,
        refresh_ttl: args.refresh_ttl,
        code_ttl: args.code_ttl,
        refresh_grace: args.refresh_grace,
        resources: args.resources,
        access_alg: args.access_alg,
        id_alg: args.id_alg,
        ..Options::default()
    };
    options.scopes.extend(args.scopes);
    options.clients.extend(args.client_ids.into_iter().map(|id| Client::public(id.clone(), id)));
    options
}

/// Programs read this line; a pipe must not hold it back.
fn announce(issuer: &Issuer) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", issuer.url()).and_then(|()| stdout.flush()).context("stdout")?;
    let names: Vec<_> = ACCOUNTS.iter().map(|account| account.username).collect();
    tracing::info!(issuer = issuer.url(), accounts = names.join(", "), "serving");
    Ok(())
}

/// A future that ends when the process is told to.
#[cfg(unix)]
fn ending() -> std::io::Result<impl Future<Output = ()>> {
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

/// A future that ends when the process is told to.
#[cfg(windows)]
fn ending() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    Duration::try_from(parsed).map_err(|_| "a duration is not negative".to_owned())
}
