//! `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0 §4).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::acr::Acr;
use crate::authorize::prompt::Prompt;
use crate::faults::Effect;
use crate::jwks::MAY_BE_KEPT;
use crate::options::{GrantType, Offer};
use crate::provider::{Provider, Shared};
use crate::{client_auth, jose, pages};

/// Members that RFC 8414 does not know.
const OPENID_ONLY: [&str; 4] = [
    "claims_supported",
    "id_token_signing_alg_values_supported",
    "subject_types_supported",
    "userinfo_endpoint",
];

pub(crate) async fn serve(State(provider): State<Shared>) -> Response {
    let mut document = document(&provider);
    for change in provider.faults.take(|effect| match effect {
        Effect::Discovery(change) => Some(change),
        _ => None,
    }) {
        change(&mut document);
    }
    ([MAY_BE_KEPT], Json(document)).into_response()
}

/// `GET /.well-known/oauth-authorization-server` (RFC 8414 §3), where a fault puts a document there.
pub(crate) async fn serve_for_oauth(State(provider): State<Shared>) -> Response {
    let asked = provider.faults.take(|effect| matches!(effect, Effect::ForOauth).then_some(()));
    if asked.is_empty() {
        return pages::not_found().await;
    }
    let mut document = document(&provider);
    document.retain(|name, _| !OPENID_ONLY.contains(&name.as_str()));
    ([MAY_BE_KEPT], Json(document)).into_response()
}

fn document(provider: &Provider) -> Map<String, Value> {
    let mut document = endpoints(provider);
    document.extend(abilities(provider));
    if provider.options.dpop.is_served() {
        let algorithms = json!(jose::ALGORITHMS);
        document.insert("dpop_signing_alg_values_supported".to_owned(), algorithms);
    }
    document
}

fn endpoints(provider: &Provider) -> Map<String, Value> {
    let at = |path: &str| json!(provider.at(path));
    let options = &provider.options;
    let optional = [
        ("pushed_authorization_request_endpoint", "/par", options.par.is_served()),
        ("device_authorization_endpoint", "/device_authorization", options.device.is_on()),
        ("registration_endpoint", "/register", options.registration.is_on()),
    ];
    let served = optional.into_iter().filter(|(.., served)| *served);
    [
        ("issuer", at("")),
        ("authorization_endpoint", at("/authorize")),
        ("token_endpoint", at("/token")),
        ("jwks_uri", at("/jwks")),
        ("userinfo_endpoint", at("/userinfo")),
        ("revocation_endpoint", at("/revoke")),
        ("end_session_endpoint", at("/end_session")),
    ]
    .into_iter()
    .chain(served.map(|(name, path, _)| (name, at(path))))
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn abilities(provider: &Provider) -> Map<String, Value> {
    let claims = [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "nonce",
        "at_hash",
        "acr",
        "sid",
        "name",
        "given_name",
        "family_name",
        "preferred_username",
        "picture",
        "email",
        "email_verified",
    ];
    let grant_types: Vec<_> = provider.options.grant_types().map(GrantType::name).collect();
    [
        ("scopes_supported", json!(provider.options.supported_scopes().collect::<Vec<_>>())),
        ("claims_supported", json!(claims)),
        ("response_types_supported", json!(["code"])),
        ("response_modes_supported", json!(["query"])),
        ("grant_types_supported", json!(grant_types)),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("prompt_values_supported", json!(Prompt::NAMES)),
        ("acr_values_supported", json!(Acr::ALL.map(Acr::name))),
        ("subject_types_supported", json!(["public"])),
        ("id_token_signing_alg_values_supported", json!([provider.options.id_alg.name()])),
        ("token_endpoint_auth_methods_supported", json!(client_auth::METHODS)),
        ("token_endpoint_auth_signing_alg_values_supported", json!(jose::ALGORITHMS)),
        ("revocation_endpoint_auth_methods_supported", json!(client_auth::METHODS)),
        ("revocation_endpoint_auth_signing_alg_values_supported", json!(jose::ALGORITHMS)),
        ("authorization_response_iss_parameter_supported", json!(true)),
        ("claims_parameter_supported", json!(false)),
        ("request_parameter_supported", json!(false)),
        ("request_uri_parameter_supported", json!(false)),
        ("require_pushed_authorization_requests", json!(provider.options.par == Offer::Required)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
