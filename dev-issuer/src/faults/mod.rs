//! Faults on demand, a file for each group: `discovery_…`, `jwks_…` and so on.
//!
//! To add a fault, write its sentence, its name and its [`Effect`] into the file of its group: it
//! gives a bad answer at an endpoint ([`Effect::Answer`]), or changes a document, a redirect or a
//! token on its way out. A kind of effect that does not exist yet is a new [`Effect`], taken where
//! it applies. A new group is a file, and a line in [`GROUPS`].

use std::fmt;
use std::sync::LazyLock;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde_json::{Map, Value};

use crate::authorize::answer::Answer;
use crate::draft::Draft;
use crate::options::GrantType;

pub(crate) use self::bad_answer::{BadAnswer, Lost, Pause};
pub(crate) use self::board::FaultBoard;
pub use self::board::Times;
pub(crate) use self::dpop::NonceFault;

/// Declares the faults of a group: for each, a function of its name and a place in `ALL`.
macro_rules! faults {
    ($($(#[doc = $what:literal])+ $name:ident => $effect:expr,)+) => {
        impl super::Fault {
            $($(#[doc = $what])+
            pub const fn $name() -> Self {
                Self { name: stringify!($name), what: concat!($($what),+), effect: $effect }
            })+
        }

        /// Every fault of this group.
        pub(super) const ALL: &[super::Fault] = &[$(super::Fault::$name()),+];
    };
}

mod bad_answer;
mod board;
mod device;
mod discovery;
mod dpop;
mod id_token;
mod jwks;
mod par;
mod redirect;
mod refresh;
mod revoke;
mod token;

/// Every group, in the order in which things happen.
const GROUPS: [&[Fault]; 10] = [
    discovery::ALL,
    par::ALL,
    redirect::ALL,
    device::ALL,
    token::ALL,
    dpop::ALL,
    jwks::ALL,
    id_token::ALL,
    refresh::ALL,
    revoke::ALL,
];

/// An issuer that is not this one, for wrong `iss` values.
const STRANGER: &str = "https://stranger.example";

/// Something that goes wrong at a provider. `Fault::token_hang()` is `--fault token_hang`.
#[derive(Clone, Copy)]
pub struct Fault {
    name: &'static str,
    what: &'static str,
    effect: Effect,
}

/// What a fault does, and where.
#[derive(Clone, Copy)]
pub(crate) enum Effect {
    /// A bad answer at an endpoint.
    Answer(Endpoint, BadAnswer),
    /// A change to the discovery document.
    Discovery(fn(&mut Map<String, Value>)),
    /// The metadata at the address of RFC 8414 too, where there is none otherwise.
    ForOauth,
    /// A change to the list of published keys.
    Keys(fn(&mut Vec<Value>)),
    /// New signing keys, right before a token is signed.
    Rotation,
    /// A change to the redirect that answers an authorization request.
    Redirect(fn(&mut Answer)),
    /// A change to an ID token of this grant before it is signed (or is not).
    IdToken(Endpoint, fn(&mut Draft)),
    /// An ID token signed with a stranger's key, which this member of its header shows.
    StrangersKey(&'static str),
    /// A change to the token endpoint's successful answer to this grant.
    TokenAnswer(Endpoint, fn(&mut Map<String, Value>)),
    /// A proof whose nonce is not enough.
    Nonce(NonceFault),
    /// A refresh that leaves the refresh token as it is.
    NoRotation,
}

/// Where a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Discovery,
    /// The address of RFC 8414.
    OauthMetadata,
    Jwks,
    Par,
    /// Where a device asks for its codes.
    Device,
    /// The token endpoint, any grant.
    Token,
    /// The token endpoint, asked for a refresh.
    Refresh,
    /// The token endpoint, asked by a device.
    Poll,
    Revocation,
}

impl Fault {
    /// Its name, as a command line spells it.
    pub const fn name(self) -> &'static str {
        self.name
    }

    pub(crate) fn effect(self) -> Effect {
        self.effect
    }
}

impl Endpoint {
    pub(crate) fn of_token_request(grant_type: Option<&str>) -> Self {
        match grant_type {
            Some("refresh_token") => Self::Refresh,
            Some(name) if name == GrantType::DeviceCode.name() => Self::Poll,
            _ => Self::Token,
        }
    }

    /// Says whether a fault set for `self` happens to a request for `asked`.
    pub(crate) fn covers(self, asked: Self) -> bool {
        self == asked || (self == Self::Token && matches!(asked, Self::Refresh | Self::Poll))
    }
}

/// What comes of a document that a proxy gave up on.
fn first_half(mut text: String) -> String {
    let half = (0..=text.len() / 2).rev().find(|place| text.is_char_boundary(*place));
    text.truncate(half.unwrap_or_default());
    text
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Fault {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Fault {}

impl ValueEnum for Fault {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<Fault>> = LazyLock::new(|| GROUPS.concat());
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name).help(self.what.trim()))
    }
}
