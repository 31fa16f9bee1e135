//! The command line of the `dev-issuer` program.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use dev_issuer::{Alg, Client, ClientKeys, ClientSecret, Fault, Nonces, Offer, Options, Switch};
use jiff::SignedDuration;

const EXAMPLES: &str = "\
Examples:
  A provider on a fixed port, whose tokens live for ten seconds:
    dev-issuer --listen 127.0.0.1:8400 --access-ttl 10s

  The strictest one: requests are pushed, tokens bound, proofs carry nonces:
    dev-issuer --par required --dpop required --dpop-nonce

  A service that proves itself with its key:
    dev-issuer --client-keys robot=robot.jwks.json

  A provider that fails at every refresh:
    dev-issuer --fault refresh_500

People sign in as alice (wonderland), bob (builder) or carol (singer): the pages tell the passwords
and, where a second factor is asked for, the codes. The client desktop-broker is public; web-app has
the secret web-app-secret.";

/// An OpenID Provider for development and tests: loopback only, keys gone with the process.
///
/// It prints its URL as the first line and serves until it is ended with Ctrl-C or SIGTERM. It is
/// strict: what a standard forbids is refused, with a sentence that says why.
#[derive(Debug, Parser)]
#[command(version, after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Loopback address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// What to log to stderr, as a tracing filter.
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub(crate) log: String,
    #[command(flatten, next_help_heading = "Who may ask, and for what")]
    registry: Registry,
    #[command(flatten, next_help_heading = "How long things live, such as 5s or 10m")]
    lifetimes: Lifetimes,
    #[command(flatten, next_help_heading = "What is served")]
    abilities: Abilities,
    #[command(flatten, next_help_heading = "Signatures")]
    signatures: Signatures,
    /// A fault to commit on every occasion; may be given several times.
    #[arg(long = "fault", value_name = "NAME", value_enum, help_heading = "What goes wrong")]
    pub(crate) faults: Vec<Fault>,
}

#[derive(Debug, clap::Args)]
struct Registry {
    /// A further public client, with /callback on any loopback port as its redirect URI.
    #[arg(long = "client-id", value_name = "ID")]
    client_ids: Vec<String>,
    /// A further client with a secret, which stands alone in a file.
    #[arg(long = "client-secret-file", value_name = "ID=FILE", value_parser = of_client)]
    client_secrets: Vec<(String, PathBuf)>,
    /// A further client that proves itself with a key (private_key_jwt), with a JWK Set in a file.
    #[arg(long = "client-keys", value_name = "ID=FILE", value_parser = of_client)]
    client_keys: Vec<(String, PathBuf)>,
    /// A resource that tokens are issued for; where none is named, any absolute URI is taken.
    #[arg(long = "resource", value_name = "URI")]
    resources: Vec<String>,
    /// A scope besides openid, profile, email, offline_access and messages.read.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct Lifetimes {
    /// How long an access token lives.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5m")]
    access_ttl: Duration,
    /// How long an ID token lives.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5m")]
    id_ttl: Duration,
    /// How long a refresh token lives after its issue.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "24h")]
    refresh_ttl: Duration,
    /// How long a used refresh token is still taken; 0s treats every reuse as theft.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "0s")]
    refresh_grace: Duration,
    /// How long a code may wait to be redeemed.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1m")]
    code_ttl: Duration,
    /// How long a pushed request waits for its browser.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1m")]
    par_ttl: Duration,
    /// How long a device's code waits for a person.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10m")]
    device_ttl: Duration,
}

#[derive(Debug, clap::Args)]
struct Abilities {
    /// Pushed authorization requests (RFC 9126).
    #[arg(long, value_enum, default_value_t = Offer::Offered)]
    par: Offer,
    /// Tokens bound to a key of the client, DPoP (RFC 9449).
    #[arg(long, value_enum, default_value_t = Offer::Off)]
    dpop: Offer,
    /// Ask DPoP proofs for a nonce, and for a new one every so often.
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "dpop",
          num_args = 0..=1, default_missing_value = "1m")]
    dpop_nonce: Option<Duration>,
    /// The device grant (RFC 8628).
    #[arg(long, value_enum, default_value_t = Switch::On)]
    device: Switch,
    /// How long a device waits between two polls; `none` leaves it out of the answer.
    #[arg(long, value_name = "DURATION", value_parser = interval, default_value = "5s")]
    device_interval: Interval,
    /// Token exchange (RFC 8693).
    #[arg(long, value_enum, default_value_t = Switch::Off)]
    token_exchange: Switch,
    /// Dynamic registration of native apps (RFC 7591), open to everybody.
    #[arg(long, value_enum, default_value_t = Switch::Off)]
    registration: Switch,
}

#[derive(Debug, clap::Args)]
struct Signatures {
    /// Signs access tokens.
    #[arg(long, value_enum, default_value_t = Alg::Es256)]
    access_alg: Alg,
    /// Signs ID tokens.
    #[arg(long, value_enum, default_value_t = Alg::Rs256)]
    id_alg: Alg,
}

/// What a device is told about its polls.
#[derive(Clone, Copy, Debug)]
enum Interval {
    Announced(Duration),
    LeftOut,
}

impl Args {
    /// What the issuer is started with. Files are read here.
    pub(crate) fn options(self) -> anyhow::Result<Options> {
        let Self { listen, registry, lifetimes, abilities, signatures, .. } = self;
        let mut options = Options {
            listen,
            access_ttl: lifetimes.access_ttl,
            id_ttl: lifetimes.id_ttl,
            refresh_ttl: lifetimes.refresh_ttl,
            refresh_grace: lifetimes.refresh_grace,
            code_ttl: lifetimes.code_ttl,
            par_ttl: lifetimes.par_ttl,
            device_ttl: lifetimes.device_ttl,
            par: abilities.par,
            dpop: abilities.dpop,
            dpop_nonces: nonces(abilities.dpop_nonce),
            device: abilities.device,
            device_interval: abilities.device_interval.announced(),
            token_exchange: abilities.token_exchange,
            registration: abilities.registration,
            access_alg: signatures.access_alg,
            id_alg: signatures.id_alg,
            ..Options::default()
        };
        registry.enter(&mut options)?;
        Ok(options)
    }
}

impl Registry {
    fn enter(self, options: &mut Options) -> anyhow::Result<()> {
        options.resources = self.resources;
        options.scopes.extend(self.scopes);
        options
            .clients
            .extend(self.client_ids.into_iter().map(|id| Client::public(id.clone(), id)));
        for (id, file) in self.client_secrets {
            let secret = read(&file)?;
            let secret = ClientSecret::new(secret.trim_end_matches(['\r', '\n']));
            options.clients.push(Client::confidential(id.clone(), id, secret));
        }
        for (id, file) in self.client_keys {
            options.clients.push(Client::with_keys(id.clone(), id, keys(&file)?));
        }
        Ok(())
    }
}

impl Interval {
    fn announced(self) -> Option<Duration> {
        match self {
            Self::Announced(interval) => Some(interval),
            Self::LeftOut => None,
        }
    }
}

fn nonces(rotation: Option<Duration>) -> Nonces {
    rotation.map_or(Nonces::NotAsked, |rotation| Nonces::Asked { rotation })
}

fn keys(file: &PathBuf) -> anyhow::Result<ClientKeys> {
    let jwks = serde_json::from_str(&read(file)?);
    let jwks = jwks.with_context(|| format!("{} is no JSON", file.display()))?;
    ClientKeys::parse(&jwks).with_context(|| format!("{} is of no use", file.display()))
}

fn read(file: &PathBuf) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

fn of_client(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((id, file)) if !id.is_empty() => Ok((id.to_owned(), file.into())),
        _ => Err("a client's id and a file, such as robot=robot.jwks.json".to_owned()),
    }
}

fn interval(text: &str) -> Result<Interval, String> {
    match text {
        "none" => Ok(Interval::LeftOut),
        text => duration(text).map(Interval::Announced),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    Duration::try_from(parsed).map_err(|_| "a duration is not negative".to_owned())
}
