//! The record of requests that tests read and wait for.
//!
//! A request enters it on arrival and its status is filled in with the answer. Of the parameters
//! it holds the names, and the values of those that are never secret; of a DPoP proof, what it says.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::jose::{PublicKey, SignedJwt};
use crate::params::Params;

/// The parameters whose values are recorded.
const HARMLESS: [&str; 19] = [
    "acr_values",
    "audience",
    "client_assertion_type",
    "client_id",
    "code_challenge_method",
    "dpop_jkt",
    "grant_type",
    "login_hint",
    "max_age",
    "post_logout_redirect_uri",
    "prompt",
    "redirect_uri",
    "requested_token_type",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "subject_token_type",
    "token_type_hint",
];

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The names of all query and form parameters, in their order, repetitions included.
    pub parameters: Vec<String>,
    /// The values of the harmless ones among them; several values of one name in their order.
    pub values: BTreeMap<String, Vec<String>>,
    /// The scheme of the `Authorization` header, if there was one; never the credentials.
    pub authorization: Option<String>,
    /// The DPoP proof, if one came, whether or not it was good.
    pub proof: Option<RecordedProof>,
    /// The status of the answer; `None` while there is none, and for ever where a fault closed
    /// the connection instead.
    pub status: Option<u16>,
}

/// What a DPoP proof said (RFC 9449 §4.2). Nothing in it is secret. What could not be read is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedProof {
    /// The thumbprint of its key (RFC 7638).
    pub jkt: String,
    /// Its own id.
    pub jti: String,
    /// The nonce that it carried.
    pub nonce: Option<String>,
    /// The hash of the access token that it came with.
    pub ath: Option<String>,
}

impl RecordedProof {
    /// Reads the value of a `DPoP` header.
    pub(crate) fn read(header: &str) -> Self {
        let Some(jwt) = SignedJwt::parse(header) else { return Self::default() };
        let key = jwt.header.get("jwk").and_then(PublicKey::parse);
        let jkt = key.and_then(|key| key.thumbprint());
        Self {
            jkt: jkt.map(|jkt| jkt.as_str().to_owned()).unwrap_or_default(),
            jti: jwt.text("jti").unwrap_or_default().to_owned(),
            nonce: jwt.text("nonce").map(str::to_owned),
            ath: jwt.text("ath").map(str::to_owned),
        }
    }
}

impl Recorded {
    pub(crate) fn new(method: &str, path: &str, parameters: &[&Params]) -> Self {
        let names = parameters.iter().flat_map(|params| params.names()).map(str::to_owned);
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            parameters: names.collect(),
            values: HARMLESS.iter().filter_map(|name| harmless(name, parameters)).collect(),
            authorization: None,
            proof: None,
            status: None,
        }
    }

    /// The first recorded value of a harmless parameter.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.first().map(String::as_str)
    }

    /// Says whether this is a token request of that grant type.
    pub fn is_grant(&self, grant_type: &str) -> bool {
        self.path == "/token" && self.value("grant_type") == Some(grant_type)
    }
}

fn harmless(name: &str, parameters: &[&Params]) -> Option<(String, Vec<String>)> {
    let values: Vec<String> =
        parameters.iter().flat_map(|params| params.all(name)).map(str::to_owned).collect();
    (!values.is_empty()).then(|| (name.to_owned(), values))
}

/// All requests so far, and a bell that rings with each change.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    entries: Mutex<Vec<Recorded>>,
    changed: watch::Sender<()>,
}

impl Recorder {
    /// Enters a request and gives its place, for [`Recorder::answered`].
    pub(crate) fn arrived(&self, request: Recorded) -> usize {
        let mut entries = self.entries();
        entries.push(request);
        let place = entries.len() - 1;
        drop(entries);
        self.changed.send_replace(());
        place
    }

    pub(crate) fn answered(&self, place: usize, status: u16) {
        if let Some(entry) = self.entries().get_mut(place) {
            entry.status = Some(status);
        }
        self.changed.send_replace(());
    }

    pub(crate) fn all(&self) -> Vec<Recorded> {
        self.entries().clone()
    }

    pub(crate) async fn wait_for(
        &self,
        count: usize,
        wanted: impl Fn(&Recorded) -> bool,
    ) -> Vec<Recorded> {
        let mut changes = self.changed.subscribe();
        loop {
            let found: Vec<_> = self.all().into_iter().filter(&wanted).collect();
            // The sender lives in `self`, so a closed channel cannot be met here.
            if found.len() >= count || changes.changed().await.is_err() {
                return found;
            }
        }
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Recorded>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
