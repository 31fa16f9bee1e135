//! The index of what is served where.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::options::{Offer, Switch};
use crate::provider::Shared;
use crate::{
    authorize, avatar, device, discovery, end_session, jwks, pages, par, revoke, token, userinfo,
    wire,
};

pub(crate) fn routes(provider: Shared) -> Router {
    let pushing = match provider.options.par {
        Offer::Off => Router::new(),
        Offer::Offered | Offer::Required => Router::new().route("/par", post(par::serve)),
    };
    let devices = match provider.options.device {
        Switch::Off => Router::new(),
        Switch::On => Router::new()
            .route("/device_authorization", post(device::authorization::serve))
            .route("/device", get(device::verification::show)),
    };
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery::serve))
        .route("/jwks", get(jwks::serve))
        .route("/authorize", get(authorize::by_query).post(authorize::by_form))
        .route("/sign-in", get(authorize::sign_in::show).post(authorize::sign_in::submit))
        .route("/choose", get(authorize::choose::show).post(authorize::choose::submit))
        .route("/consent", get(authorize::consent::show).post(authorize::consent::submit))
        .route("/token", post(token::serve))
        .route("/userinfo", get(userinfo::serve).post(userinfo::serve))
        .route("/revoke", post(revoke::serve))
        .route("/end_session", get(end_session::by_query).post(end_session::by_form))
        .route("/sign-out", post(end_session::confirmed))
        .route("/pictures/{file}", get(avatar::serve))
        .merge(pushing)
        .merge(devices)
        .fallback(pages::not_found)
        .method_not_allowed_fallback(wire::wrong_method)
        .layer(from_fn_with_state(provider.clone(), wire::around))
        .with_state(provider)
}
