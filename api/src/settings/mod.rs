//! The settings: flags first, then the environment, then the file, then the defaults.
//!
//! Each is parsed once, here, into the type that the rest of the program uses; a wrong one ends the
//! program before it listens, with exit code 2 and its name.

mod given;

use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use private_api::auth::Setup;
use private_api::claims::{Acr, Scope};
use private_api::introspection::{Asked, Introspection};
use private_api::secret::Secret;
use private_api::verify::Rules;
use tracing_subscriber::EnvFilter;
use zeroize::Zeroizing;

pub(crate) use self::given::LogFormat;
use self::given::{Given, Introspect};

/// Where to listen unless the settings say otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

/// A model OAuth 2 resource server: anybody can read /public, only holders of a good access token
/// can read /private.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
struct Flags {
    /// A TOML file with settings, each under the name of its flag with _ for -
    #[arg(long, env = "AUTHBROKER_API_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    given: Given,
}

const AFTER_HELP: &str = "A flag wins over the environment, and that over the file.";

/// What the program does.
pub(crate) struct Settings {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// What it serves TLS with, if it does.
    pub(crate) tls: Option<Certificate>,
    /// How it checks tokens.
    pub(crate) setup: Setup,
    /// What a token must have been granted to read the private messages.
    pub(crate) require_scope: Option<Scope>,
    /// How somebody must have signed in to read the recent one.
    pub(crate) recent_acr: Vec<Acr>,
    /// What it logs.
    pub(crate) log: EnvFilter,
    /// How it logs.
    pub(crate) log_format: LogFormat,
}

/// The files of a certificate.
pub(crate) struct Certificate {
    /// The chain.
    pub(crate) chain: PathBuf,
    /// The private key.
    pub(crate) key: PathBuf,
}

impl Settings {
    /// Reads the settings, or ends the program.
    pub(crate) fn read_or_exit() -> Self {
        let Flags { config, given } = Flags::parse();
        let file = config.map_or(Ok(Given::default()), |path| read_file(&path));
        let settings = file.and_then(|file| Self::of(given.or(file)));
        settings.unwrap_or_else(|error| exit(format!("{error:#}")))
    }

    fn of(given: Given) -> anyhow::Result<Self> {
        let log = given.log.clone().unwrap_or_else(|| "info".to_owned());
        Ok(Self {
            listen: given.listen.unwrap_or(LISTEN),
            tls: certificate(&given)?,
            log: EnvFilter::builder().parse(log).context("--log is no filter")?,
            log_format: given.log_format.unwrap_or_default(),
            require_scope: given.require_scope.clone(),
            recent_acr: given.recent_acr.clone().unwrap_or_default(),
            setup: setup(given)?,
        })
    }
}

fn setup(given: Given) -> anyhow::Result<Setup> {
    let mut setup = Setup::new(rules(&given)?);
    setup.introspection = introspection(&given, &setup.rules)?;
    setup.proofs.required = given.require_dpop.unwrap_or_default();
    setup.proofs.nonces = given.dpop_nonces.unwrap_or_default();
    #[cfg(feature = "redis")]
    if let Some(address) = &given.proof_store {
        setup.store = proof_store(address, given.proof_store_password_file.as_deref())?;
    }
    setup.addressing.public_url = given.public_url;
    let proxies = given.trust_proxy.unwrap_or_default();
    setup.addressing.trusted_proxies = proxies.into_iter().map(|network| network.0).collect();
    setup.remembered = given.remember.unwrap_or(setup.remembered);
    Ok(setup)
}

/// What a token must be to be accepted.
fn rules(given: &Given) -> anyhow::Result<Rules> {
    let issuers = given.issuer.clone().filter(|issuers| !issuers.is_empty());
    let issuers = issuers.context("--issuer is needed: whose tokens are accepted")?;
    let audience = given.audience.clone();
    let audience = audience.context("--audience is needed: what this API is called in tokens")?;
    let mut rules = Rules::several(issuers, audience);
    if let Some(algs) = &given.alg {
        rules.algs.clone_from(algs);
    }
    rules.accept_typ_jwt = given.accept_typ_jwt.unwrap_or_default();
    rules.accept_missing_claims = given.accept_missing_claims.unwrap_or_default();
    Ok(rules)
}

fn introspection(given: &Given, rules: &Rules) -> anyhow::Result<Option<Introspection>> {
    let Some(introspect) = given.introspect else { return Ok(None) };
    let first = rules.issuers.first().cloned();
    let issuer = given.introspection_issuer.clone().or(first).context("--issuer is needed")?;
    let client_id = given.introspection_client_id.clone();
    let client_id = client_id.context("--introspect needs --introspection-client-id")?;
    let path = given.introspection_secret_file.as_ref();
    let path = path.context("--introspect needs --introspection-secret-file")?;
    let mut introspection = Introspection::new(issuer, client_id, read_secret(path)?);
    if let Some(endpoint) = given.introspection_endpoint.clone() {
        introspection = introspection.at(endpoint).context("--introspection-endpoint")?;
    }
    introspection.asked = match introspect {
        Introspect::Opaque => Asked::Opaque,
        Introspect::All => Asked::All,
    };
    Ok(Some(introspection))
}

/// Where several instances remember their used proofs.
#[cfg(feature = "redis")]
fn proof_store(
    address: &str,
    password: Option<&Path>,
) -> anyhow::Result<std::sync::Arc<dyn private_api::dpop::ProofStore>> {
    let password = password.map(read_secret).transpose()?;
    let store = private_api::dpop::RedisStore::new(address, password.as_ref());
    Ok(std::sync::Arc::new(store.context("--proof-store")?))
}

/// The line of a file that holds a secret.
fn read_secret(path: &Path) -> anyhow::Result<Secret> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Secret::new(text.trim_end().to_owned()))
}

fn certificate(given: &Given) -> anyhow::Result<Option<Certificate>> {
    match (given.tls_cert.clone(), given.tls_key.clone()) {
        (Some(chain), Some(key)) => Ok(Some(Certificate { chain, key })),
        (None, None) => Ok(None),
        _ => bail!("--tls-cert and --tls-key go together"),
    }
}

fn read_file(path: &Path) -> anyhow::Result<Given> {
    let named = || format!("--config {}", path.display());
    let text = std::fs::read_to_string(path).with_context(named)?;
    toml::from_str(&text).with_context(named)
}

/// Ends the program as clap does for a flag.
fn exit(message: impl Display) -> ! {
    Flags::command().error(ErrorKind::ValueValidation, message).exit()
}
