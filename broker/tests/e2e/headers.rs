//! The headers of one request, and where a token may go.

use authbroker_client::wire::broker1::Headers;
use authbroker_client::{Challenge, Error, ErrorCode, TokenRequest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dev_issuer::{Offer, Options};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::stand::{Stand, claims};

const MAIL: &str = "https://api.example/mail";
const FILES: &str = "https://api.example/files";
const BILLING: &str = "urn:example:billing";

/// A stand with three APIs, two of them at one origin and one that is no address.
async fn three_apis(options: Options, extra: &str) -> Stand {
    let stand = Stand::with(options).await;
    let text = std::fs::read_to_string(stand.path("config.toml")).unwrap();
    let text =
        text.replace("[\"urn:test:api\"]", &format!("[{MAIL:?}, {FILES:?}, {BILLING:?}]\n{extra}"));
    let text = format!("{text}[resource.{BILLING:?}]\norigins = [\"https://billing.example\"]\n");
    std::fs::write(stand.path("config.toml"), text).unwrap();
    assert_eq!(stand.ctl(["reload"]).await.code, 0);
    stand.sign_in("alice").await;
    stand
}

async fn ask(stand: &Stand, uri: &str) -> Result<Headers, Error> {
    stand.app().await.headers("GET", uri, &TokenRequest::new()).await
}

fn header<'a>(headers: &'a Headers, name: &str) -> &'a str {
    headers.headers.get(name).unwrap().expose()
}

fn proof(headers: &Headers) -> Value {
    claims(header(headers, "DPoP"))
}

#[tokio::test]
async fn a_token_goes_to_the_api_that_lives_nearest_to_the_address() {
    let stand = three_apis(Options::default(), "").await;
    for (uri, api) in [
        ("https://api.example/mail/inbox?unread", MAIL),
        ("https://api.example/files", FILES),
        ("https://api.example/mailbox", MAIL),
        ("https://API.example:443/other", MAIL),
        ("https://billing.example/invoices", BILLING),
    ] {
        let headers = ask(&stand, uri).await.unwrap();
        assert_eq!(headers.resource, [api], "{uri}");
        let token = header(&headers, "Authorization").strip_prefix("Bearer ").unwrap().to_owned();
        assert_eq!(claims(&token)["aud"], api, "{uri}");
        assert_eq!(headers.headers.len(), 1, "a bearer token has no proof");
    }
}

#[tokio::test]
async fn no_token_goes_anywhere_else() {
    let stand = three_apis(Options::default(), "").await;
    for uri in [
        "https://api.example.evil/mail",
        "https://api.example:8443/mail",
        "https://evil.example/?https://api.example",
        "https://api.example@evil.example/",
    ] {
        let error = ask(&stand, uri).await.unwrap_err();
        assert_eq!(error.code(), Some(ErrorCode::InvalidTarget), "{uri}");
        assert!(error.hint().contains("origins"), "{}", error.hint());
    }
    for uri in ["http://api.example/mail", "ftp://api.example/", "file:///etc/passwd", "mail", ""] {
        let error = ask(&stand, uri).await.unwrap_err();
        assert_eq!(error.code(), Some(ErrorCode::InvalidArgs), "{uri}");
    }
    let named = TokenRequest::new().resource(BILLING);
    let error = stand.app().await.headers("GET", MAIL, &named).await.unwrap_err();
    assert_eq!(
        error.code(),
        Some(ErrorCode::InvalidTarget),
        "one API's token at another's address"
    );
}

#[tokio::test]
async fn a_bound_token_comes_with_a_proof_for_this_one_request() {
    let options = Options { dpop: Offer::Offered, ..Options::default() };
    let stand = three_apis(options, "dpop = \"always\"").await;
    let headers = ask(&stand, "https://api.example/mail/1?all#top").await.unwrap();
    let (told, token) = (proof(&headers), header(&headers, "Authorization"));
    let token = token.strip_prefix("DPoP ").unwrap();
    assert_eq!((&told["htm"], &told["htu"]), (&"GET".into(), &"https://api.example/mail/1".into()));
    assert_eq!(told["ath"], URL_SAFE_NO_PAD.encode(Sha256::digest(token)));
    assert_ne!(told["jti"], proof(&ask(&stand, MAIL).await.unwrap())["jti"]);
    assert_eq!(headers.token_type, "DPoP");
}

#[tokio::test]
async fn a_nonce_that_an_api_gave_stands_in_the_next_proof_for_it_alone() {
    let options = Options { dpop: Offer::Offered, ..Options::default() };
    let stand = three_apis(options, "dpop = \"always\"").await;
    let app = stand.app().await;
    let request = TokenRequest::new();
    let challenge = Challenge::new(&request, "https://api.example/mail", 401)
        .www_authenticate("DPoP error=\"use_dpop_nonce\"")
        .dpop_nonce("of-the-api");
    let reaction = app.report_challenge(challenge).await.unwrap();
    assert_eq!(reaction.action, "retry");
    assert_eq!(proof(&ask(&stand, FILES).await.unwrap())["nonce"], "of-the-api");
    assert!(proof(&ask(&stand, "https://billing.example/").await.unwrap())["nonce"].is_null());
}

#[tokio::test]
async fn a_script_gets_lines_that_curl_takes() {
    let options = Options { dpop: Offer::Offered, ..Options::default() };
    let stand = three_apis(options, "dpop = \"always\"").await;
    let ran = stand.ctl(["headers", "POST", "https://api.example/mail"]).await;
    let names: Vec<_> =
        ran.line().lines().map(|line| line.split_once(": ").unwrap().0.to_owned()).collect();
    assert_eq!(names, ["Authorization", "DPoP"]);
    let ran = stand.ctl(["headers", "GET", "https://evil.example/"]).await;
    ran.assert_fails(2, "no token may go to https://evil.example", "origins");
}

#[tokio::test]
async fn an_expired_token_is_renewed_once_however_many_report_it() {
    let stand = three_apis(Options::default(), "").await;
    let app = stand.app().await;
    let request = TokenRequest::new();
    // A token that is younger than ten seconds is not renewed for a challenge; this one is not the
    // newest any more.
    let old = app.headers("GET", MAIL, &request).await.unwrap();
    app.token(TokenRequest::new().force().resource(MAIL)).await.unwrap();
    let renewals = stand.grants("refresh_token");
    let report = || {
        let challenge = Challenge::new(&request, MAIL, 401)
            .www_authenticate("Bearer error=\"invalid_token\"")
            .presented(header(&old, "Authorization"));
        app.report_challenge(challenge)
    };
    let reactions = futures_util::future::join_all((0..20).map(|_| report())).await;
    assert!(reactions.into_iter().all(|reaction| reaction.unwrap().action == "retry"));
    assert_eq!(stand.grants("refresh_token"), renewals, "the newer one was at hand");
}

#[tokio::test]
async fn what_no_token_helps_against_is_not_the_brokers() {
    let stand = three_apis(Options::default(), "").await;
    let app = stand.app().await;
    let request = TokenRequest::new();
    let fresh = app.headers("GET", MAIL, &request).await.unwrap();
    let reports = [
        Challenge::new(&request, MAIL, 401).www_authenticate("Basic realm=\"x\""),
        Challenge::new(&request, "https://elsewhere.example", 401).www_authenticate("Bearer"),
        Challenge::new(&request, MAIL, 401)
            .www_authenticate("Bearer error=\"invalid_token\"")
            .presented(header(&fresh, "Authorization")),
    ];
    for report in reports {
        let reaction = app.report_challenge(report).await.unwrap();
        assert_eq!(reaction.action, "not-mine", "{reaction:?}");
    }
    assert_eq!(stand.grants("refresh_token"), 0);
}

#[tokio::test]
async fn a_missing_scope_is_asked_for_where_the_sign_in_covers_it() {
    let stand = three_apis(Options::default(), "").await;
    let app = stand.app().await;
    let narrow = TokenRequest::new().scope("openid");
    let missing = |request: &TokenRequest, scope: &str| {
        let header = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
        app.report_challenge(Challenge::new(request, MAIL, 403).www_authenticate(header))
    };
    let reaction = missing(&narrow, "messages.read").await.unwrap();
    assert_eq!(
        (reaction.action.as_str(), reaction.scopes),
        ("retry", vec!["messages.read".into(), "openid".into()])
    );
    let reaction = missing(&narrow, "admin").await.unwrap();
    assert_eq!(reaction.action, "interaction-required");
}
