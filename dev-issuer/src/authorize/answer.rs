//! The redirect that answers an authorization request (RFC 6749 §4.1.2, RFC 9207).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::Url;

use crate::error::OAuthError;
use crate::faults::Effect;
use crate::pages;
use crate::provider::Provider;

/// Where an answer may go: only made for a redirect URI that matched a registered one.
#[derive(Clone, Debug)]
pub(crate) struct ReturnAddress {
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
}

/// An answer: its parameters, and the way by which they go to the application.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    parameters: Vec<(&'static str, String)>,
    road: Road,
}

/// How the browser is sent back.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Road {
    /// To the redirect URI, with GET.
    Redirect,
    /// To the redirect URI, with POST and the form that the browser has just sent.
    Post,
    /// To another path of the same application.
    OtherPath,
    /// Not at all.
    Nowhere,
}

impl Answer {
    pub(crate) fn success(code: String) -> Self {
        Self { parameters: vec![("code", code)], road: Road::Redirect }
    }

    pub(crate) fn failure(error: OAuthError) -> Self {
        let parameters =
            vec![("error", error.code.to_owned()), ("error_description", error.description)];
        Self { parameters, road: Road::Redirect }
    }

    /// Sets a parameter, in the place of one that is there already.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.remove(name);
        self.parameters.push((name, value.to_owned()));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.parameters.retain(|(known, _)| *known != name);
    }

    /// Says a parameter once more.
    pub(crate) fn repeat(&mut self, name: &str) {
        let said = self.parameters.iter().find(|(known, _)| *known == name).cloned();
        self.parameters.extend(said);
    }

    pub(crate) fn take(&mut self, road: Road) {
        self.road = road;
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
        let location = with_parameters(&to.redirect_uri, &self.parameters);
        match self.road {
            Road::Redirect => see_other(&location),
            Road::Post => redirect(StatusCode::TEMPORARY_REDIRECT, &location),
            Road::OtherPath => see_other(&on_another_path(&location)),
            Road::Nowhere => pages::problem(StatusCode::OK, "Nothing more happens here."),
        }
    }
}

fn on_another_path(uri: &str) -> String {
    Url::parse(uri).map_or_else(
        |_| uri.to_owned(),
        |mut url| {
            url.set_path("/another-path");
            url.into()
        },
    )
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
    redirect(StatusCode::SEE_OTHER, location)
}

fn redirect(status: StatusCode, location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (status, [(header::LOCATION, location)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
