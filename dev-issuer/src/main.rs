//! The `dev-issuer` program: starts an issuer, says where it is, and serves until it is told to end.
//!
//! 1. The first line on stdout is the issuer's URL, alone; logs go to stderr.
//! 2. SIGTERM and Ctrl-C end it, with exit status 0.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Parser;
use dev_issuer::{ACCOUNTS, Issuer, Times};
use tracing_subscriber::EnvFilter;

use crate::args::Args;

mod args;

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
    let options = args.options().context("the command line cannot be followed")?;
    let issuer = Issuer::start(options).await.context("the issuer cannot start")?;
    for fault in faults {
        issuer.inject(fault, Times::Always);
    }
    announce(&issuer)?;
    ending.await;
    issuer.stop().await;
    tracing::info!("ended");
    Ok(())
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
