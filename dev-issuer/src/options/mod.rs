//! What an issuer is started with.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::secret::ClientSecret;

mod client;
mod grant_type;

pub use client::{BadKeys, Client, ClientAuth, ClientKeys, TokenBinding};
pub use grant_type::GrantType;

/// An algorithm that this issuer signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum Alg {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, on a key of 2048 bits.
    Rs256,
    /// RSASSA-PSS with SHA-256, on a key of 2048 bits.
    Ps256,
    /// EdDSA on Ed25519 (RFC 8037).
    #[value(name = "EdDSA")]
    EdDsa,
}

impl Alg {
    /// Every algorithm.
    pub const ALL: [Self; 4] = [Self::Es256, Self::Rs256, Self::Ps256, Self::EdDsa];

    /// The name in a JOSE header (RFC 7518 §3.1).
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// Whether a way of asking is served, and whether there is another beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Offer {
    /// Not served, and not announced.
    Off,
    /// Served to clients that choose it.
    Offered,
    /// The only way.
    Required,
}

impl Offer {
    /// Says whether it is served in one way or the other.
    pub(crate) fn is_served(self) -> bool {
        self != Self::Off
    }
}

/// Whether something is served at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Switch {
    /// Not served, and not announced.
    Off,
    /// Served.
    On,
}

impl Switch {
    pub(crate) fn is_on(self) -> bool {
        self == Self::On
    }
}

/// Whether DPoP proofs must carry a nonce of this issuer (RFC 9449 §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonces {
    /// Proofs are judged by their `iat`.
    NotAsked,
    /// Proofs are judged by their nonce: `use_dpop_nonce` answers one without.
    Asked {
        /// How long a nonce is handed out, in whole seconds and at least one. It is taken for as
        /// long again, unless it has been replaced twice by then.
        rotation: Duration,
    },
}

/// How an issuer behaves. `Options::default()` suits most tests.
#[derive(Clone, Debug)]
pub struct Options {
    /// The loopback address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How long an access token lives, in whole seconds.
    pub access_ttl: Duration,
    /// How long an ID token lives, in whole seconds.
    pub id_ttl: Duration,
    /// How long a refresh token lives after its issue, in whole seconds.
    pub refresh_ttl: Duration,
    /// How long a code may wait to be redeemed, in whole seconds.
    pub code_ttl: Duration,
    /// How long a pushed request waits for its browser, in whole seconds.
    pub par_ttl: Duration,
    /// How long a used refresh token is still taken, for clients whose answer was lost. Zero, the
    /// default, takes it once and treats every repetition as theft.
    pub refresh_grace: Duration,
    /// Who may ask.
    pub clients: Vec<Client>,
    /// The resources that tokens are issued for; empty takes any absolute URI.
    pub resources: Vec<String>,
    /// Scopes besides `openid`, `profile`, `email` and `offline_access`.
    pub scopes: Vec<String>,
    /// Pushed authorization requests (RFC 9126).
    pub par: Offer,
    /// The device grant (RFC 8628).
    pub device: Switch,
    /// How long a device's code waits for a person, in whole seconds.
    pub device_ttl: Duration,
    /// How long a device waits between two polls, in whole seconds. `None` leaves it out of the
    /// answer, and five seconds are kept to then (RFC 8628 §3.2).
    pub device_interval: Option<Duration>,
    /// Token exchange (RFC 8693).
    pub token_exchange: Switch,
    /// Dynamic registration (RFC 7591), open to native apps.
    pub registration: Switch,
    /// Tokens bound to a key of the client (RFC 9449).
    pub dpop: Offer,
    /// The nonces that DPoP proofs must carry.
    pub dpop_nonces: Nonces,
    /// Signs access tokens.
    pub access_alg: Alg,
    /// Signs ID tokens.
    pub id_alg: Alg,
    /// Where the faults lead that send a client to another host. A test that listens there sees
    /// whether it goes.
    pub elsewhere: String,
}

impl Default for Options {
    /// Five-minute tokens, the public client `desktop-broker` and the confidential `web-app`,
    /// whose secret is `web-app-secret`.
    fn default() -> Self {
        let five_minutes = Duration::from_mins(5);
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            access_ttl: five_minutes,
            id_ttl: five_minutes,
            refresh_ttl: Duration::from_hours(24),
            code_ttl: Duration::from_mins(1),
            par_ttl: Duration::from_mins(1),
            refresh_grace: Duration::ZERO,
            clients: vec![
                Client::public("desktop-broker", "Desktop Broker"),
                Client::confidential("web-app", "Web App", ClientSecret::new("web-app-secret")),
            ],
            resources: Vec::new(),
            scopes: vec!["messages.read".to_owned()],
            par: Offer::Offered,
            device: Switch::On,
            device_ttl: Duration::from_mins(10),
            device_interval: Some(Duration::from_secs(5)),
            token_exchange: Switch::Off,
            registration: Switch::Off,
            dpop: Offer::Off,
            dpop_nonces: Nonces::NotAsked,
            access_alg: Alg::Es256,
            id_alg: Alg::Rs256,
            elsewhere: "https://stranger.example/".to_owned(),
        }
    }
}

impl Options {
    /// The algorithms that keys are made for. Two are always among them, for [`crate::Issuer::mint`].
    pub(crate) fn algorithms(&self) -> BTreeSet<Alg> {
        BTreeSet::from([Alg::Es256, Alg::Rs256, self.access_alg, self.id_alg])
    }

    /// Every scope that may be asked for, the four that OpenID Connect defines first.
    pub(crate) fn supported_scopes(&self) -> impl Iterator<Item = &str> {
        let own = ["openid", "profile", "email", "offline_access"];
        own.into_iter().chain(self.scopes.iter().map(String::as_str))
    }
}
