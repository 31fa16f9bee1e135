//! The redirect that answers an authorization request (RFC 6749 §4.1.2, RFC 9207).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::Url;

use crate::error::OAuthError;
use crate::faults::Effect;
use crate::provider::Provider;

/// Where an answer may go: only made for a redirect URI that matched a registered one.
#[derive(Clone, Debug)]
pub(crate) struct ReturnAddress {
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
}

/// The parameters of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer(Vec<(&'static str, String)>);

impl Answer {
    pub(crate) fn success(code: String) -> Self {
        Self(vec![("code", code)])
    }

    pub(crate) fn failure(error: OAuthError) -> Self {
        Self(vec![("error", error.code.to_owned()), ("error_description", error.description)])
    }

    /// Sets a parameter, in the place of one that is there already.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.remove(name);
        self.0.push((name, value.to_owned()));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| *known != name);
    }

    /// Adds `state` and `iss`, commits the faults that are set, and sends the browser back.
    pub(crate) fn send(mut self, to: &ReturnAddress, provider: &Provider) -> Response {
        if let Some(state) = &to.state {
            self.set("state", state);
        }
        self.set("iss", &provider.url);
        for change in provider.faults.take(|effect| match effect {
            Effect::Redirect(change) => Some(change),
            _ => None,
        }) {
            change(&mut self);
        }
        see_other(&with_parameters(&to.redirect_uri, &self.0))
    }
}

/// Adds parameters to a redirect URI, which keeps a query of its own.
pub(crate) fn with_parameters(uri: &str, parameters: &[(&str, String)]) -> String {
    match Url::parse(uri) {
        Ok(mut url) => {
            url.query_pairs_mut().extend_pairs(parameters);
            url.into()
        }
        // A registered URI that is none: the browser will say so.
        Err(_) => uri.to_owned(),
    }
}

/// 303, so that the browser comes with GET and without the form it has just sent.
pub(crate) fn see_other(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
