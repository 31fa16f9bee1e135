//! The index of what is served where.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::authorize::second_factor;
use crate::options::Options;
use crate::provider::Shared;
use crate::{
    authorize, avatar, device, discovery, end_session, jwks, pages, par, register, revoke, token,
    userinfo, wire,
};

pub(crate) fn routes(provider: Shared) -> Router {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery::serve))
        .route("/.well-known/oauth-authorization-server", get(discovery::serve_for_oauth))
        .route("/jwks", get(jwks::serve))
        .route("/authorize", get(authorize::by_query).post(authorize::by_form))
        .route("/sign-in", get(authorize::sign_in::show).post(authorize::sign_in::submit))
        .route("/choose", get(authorize::choose::show).post(authorize::choose::submit))
        .route("/second-factor", get(second_factor::show).post(second_factor::submit))
        .route("/consent", get(authorize::consent::show).post(authorize::consent::submit))
        .route("/token", post(token::serve))
        .route("/userinfo", get(userinfo::serve).post(userinfo::serve))
        .route("/revoke", post(revoke::serve))
        .route("/end_session", get(end_session::by_query).post(end_session::by_form))
        .route("/sign-out", post(end_session::confirmed))
        .route("/pictures/{file}", get(avatar::serve))
        .merge(optional(&provider.options))
        .fallback(pages::not_found)
        .method_not_allowed_fallback(wire::wrong_method)
        .layer(from_fn_with_state(provider.clone(), wire::around))
        .with_state(provider)
}

/// What is served only where it was asked for.
fn optional(options: &Options) -> Router<Shared> {
    let mut routes = Router::new();
    if options.par.is_served() {
        routes = routes.route("/par", post(par::serve));
    }
    if options.device.is_on() {
        routes = routes
            .route("/device_authorization", post(device::authorization::serve))
            .route("/device", get(device::verification::show));
    }
    if options.registration.is_on() {
        routes = routes
            .route("/register", post(register::serve))
            .route("/register/{id}", get(register::read).delete(register::remove));
    }
    routes
}
