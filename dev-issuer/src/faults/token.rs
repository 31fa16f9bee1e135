//! A token endpoint out of order, whatever the grant.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::BadAnswer::{
    Cut, Document, Dripping, Huge, Never, OAuth, Redirect, RetryAfter, Rewritten, Status,
};
use super::Effect::{self, Answer};
use super::Endpoint::Token;
use super::Pause;

faults! {
    /// The token endpoint answers 500, whatever the grant.
    token_500 => Answer(Token, Status(StatusCode::INTERNAL_SERVER_ERROR)),
    /// The token endpoint answers 503 with Retry-After.
    token_503_retry_after => {
        Answer(Token, RetryAfter(StatusCode::SERVICE_UNAVAILABLE, Pause::Seconds(1)))
    },
    /// The token endpoint never answers.
    token_hang => Answer(Token, Never),
    /// The token endpoint answers a byte a second.
    token_drip => Answer(Token, Dripping),
    /// The token endpoint answers with 256 MiB.
    token_huge => Answer(Token, Huge),
    /// The token endpoint hangs up in the middle of its answer.
    token_cut => Answer(Token, Cut),
    /// The token endpoint redirects to another host (302).
    token_302 => Answer(Token, Redirect(StatusCode::FOUND)),
    /// The token endpoint asks to send the form to another host (307).
    token_307 => Answer(Token, Redirect(StatusCode::TEMPORARY_REDIRECT)),
    /// The token endpoint answers with a page for people.
    token_not_json => Answer(Token, Document(StatusCode::OK, "<!doctype html><title>Hello")),
    /// The token endpoint answers with JSON a hundred thousand lists deep.
    token_nested => Answer(Token, Rewritten(|_| "[".repeat(100_000))),
    /// The token endpoint answers 403 and says nothing.
    token_empty_403 => Answer(Token, Document(StatusCode::FORBIDDEN, "")),
    /// The token endpoint refuses with status 200.
    token_error_in_200 => {
        Answer(Token, Document(StatusCode::OK, "{\"error\":\"invalid_grant\"}"))
    },
    /// The token endpoint refuses in a word of its own.
    token_own_error => Answer(Token, OAuth("invalid_code")),
    /// The token endpoint refuses with control characters in its words.
    token_control_characters => Answer(
        Token,
        Document(
            StatusCode::BAD_REQUEST,
            r#"{"error":"bad\u001b[31m","error_description":"two\r\nlines \u0007\u009b2J \u202eesrever"}"#,
        ),
    ),
    /// The token answer has no access token.
    token_without_access_token => change(|answer| {
        answer.remove("access_token");
    }),
    /// The access token is a number.
    token_access_token_mistyped => change(|answer| set(answer, "access_token", json!(42))),
    /// The access token has a line break and a header in it.
    token_with_line_break => change(|answer| {
        set(answer, "access_token", json!("part\r\nX-Injected: yes"));
    }),
    /// The token answer does not say what kind of token it has.
    token_without_type => change(|answer| {
        answer.remove("token_type");
    }),
    /// The token is of a kind that nobody knows.
    token_unknown_type => change(|answer| set(answer, "token_type", json!("mac"))),
    /// The token's kind is written small; nothing is wrong with that.
    token_type_in_small_letters => change(|answer| set(answer, "token_type", json!("bearer"))),
    /// The token answer does not say how long the token lives.
    token_without_expires_in => change(|answer| {
        answer.remove("expires_in");
    }),
    /// The token's lifetime is text.
    token_expires_in_text => change(|answer| set(answer, "expires_in", json!("300"))),
    /// The token's lifetime is zero.
    token_expires_in_zero => change(|answer| set(answer, "expires_in", json!(0))),
    /// The token's lifetime is less than nothing.
    token_expires_in_negative => change(|answer| set(answer, "expires_in", json!(-300))),
    /// The token lives longer than any clock.
    token_expires_in_huge => change(|answer| set(answer, "expires_in", json!(u64::MAX))),
    /// The token's lifetime has a fraction.
    token_expires_in_float => change(|answer| set(answer, "expires_in", json!(300.5))),
    /// The token answer does not say what was granted: what was asked.
    token_without_scope => change(|answer| {
        answer.remove("scope");
    }),
    /// The granted scopes are a list.
    token_scope_list => change(|answer| {
        let list: Vec<_> = text(answer, "scope").split(' ').map(str::to_owned).collect();
        set(answer, "scope", list.into());
    }),
    /// The granted scopes are a number.
    token_scope_mistyped => change(|answer| set(answer, "scope", json!(42))),
    /// The granted scopes have characters that no scope has.
    token_scope_odd => change(|answer| {
        set(answer, "scope", json!("openid \"quoted\" back\\slash"));
    }),
    /// The token answer has an access token twice, and the second is another.
    token_duplicate_members => Answer(Token, Rewritten(|text| {
        text.replacen('{', "{\"access_token\":\"the-other-one\",", 1)
    })),
    /// The refresh token is empty.
    token_refresh_token_empty => change(|answer| set(answer, "refresh_token", json!(""))),
    /// Members that nothing is to be said in are null; nothing is wrong with that.
    token_null_members => change(|answer| {
        for name in ["scope", "error", "error_description", "state"] {
            set(answer, name, Value::Null);
        }
    }),
}

type Members = serde_json::Map<String, Value>;

/// A change to every successful answer, whatever the grant.
const fn change(change: fn(&mut Members)) -> Effect {
    Effect::TokenAnswer(Token, change)
}

fn set(answer: &mut Members, name: &str, value: Value) {
    answer.insert(name.to_owned(), value);
}

fn text<'a>(answer: &'a Members, name: &str) -> &'a str {
    answer.get(name).and_then(Value::as_str).unwrap_or_default()
}
