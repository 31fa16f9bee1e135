//! `POST /device_authorization` (RFC 8628 §3.1): a device says what it wants and gets two codes.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{Codes, Pace, Wish};
use crate::authorize::request;
use crate::error::OAuthError;
use crate::options::GrantType;
use crate::provider::{Provider, Shared};
use crate::wire::Inbound;
use crate::{client_auth, resource};

/// What counts where no interval is announced (§3.2).
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);

pub(crate) async fn serve(
    State(provider): State<Shared>,
    headers: HeaderMap,
    inbound: Inbound,
) -> Response {
    match authorize(&provider, &headers, &inbound) {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => error.into_response(),
    }
}

fn authorize(
    provider: &Provider,
    headers: &HeaderMap,
    inbound: &Inbound,
) -> Result<Value, OAuthError> {
    let form = inbound.body_only()?;
    let options = &provider.options;
    let client = client_auth::authenticate(provider, headers, form)?;
    client.may_use(GrantType::DeviceCode)?;
    let wish = Wish {
        client_id: client.id.clone(),
        scopes: request::scopes(form, options)?,
        resources: resource::asked(form, provider)?,
    };
    let now = provider.now();
    let pace = Pace {
        expires_at: now + options.device_ttl.as_secs(),
        interval: options.device_interval.unwrap_or(DEFAULT_INTERVAL).as_secs(),
    };
    let codes = provider.devices().open(wish, pace, now)?;
    Ok(answer(provider, &codes))
}

fn answer(provider: &Provider, codes: &Codes) -> Value {
    let mut answer = json!({
        "device_code": codes.device,
        "user_code": codes.user.to_string(),
        "verification_uri": provider.at("/device"),
        "verification_uri_complete": provider.at(&format!("/device?user_code={}", codes.user)),
        "expires_in": provider.options.device_ttl.as_secs(),
    });
    if let Some(interval) = provider.options.device_interval {
        answer["interval"] = json!(interval.as_secs());
    }
    answer
}
